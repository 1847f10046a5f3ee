"""The files of one writer: `tap-TIME-PID-RANDOM.jsonl`, whole lines whatever happens.

A line is one write, so that whoever is killed leaves whole lines. A file that grew long, that was taken away, or that a
full disk left with half a line is followed by a new one.
"""

from __future__ import annotations

import os
import time
import uuid
from pathlib import Path

SEGMENT = 256 << 20  # bytes of a file, after which a new one is begun


class Segments:
    """pid: of the application. trouble: the kind of the last error; None: none."""

    def __init__(self, folder: Path, pid: int) -> None:
        self._folder = folder
        self._pid = pid
        self._fd: int | None = None
        self._end = 0
        self.trouble: str | None = None

    def write(self, content: bytes) -> bool:
        """Whether the lines are in the file; if not, nothing of them is."""
        try:
            if self._fd is not None and (self._end > SEGMENT or os.fstat(self._fd).st_nlink == 0):
                self.close()
            if self._fd is None:
                self._open()
            assert self._fd is not None  # noqa: S101
            done = os.write(self._fd, content)
        except OSError as exc:
            self.trouble = type(exc).__name__
            return False
        if done == len(content):
            self._end += done
            return True
        self.trouble = "OSError"  # the disk is full, or the file as long as it may be
        self._cut()
        return False

    def _cut(self) -> None:
        """Take half a line off again; where that fails, nothing is added behind it."""
        try:
            os.ftruncate(self._fd or -1, self._end)
        except OSError:
            self.close()

    def close(self) -> None:
        if self._fd is not None:
            fd, self._fd = self._fd, None
            os.close(fd)

    def _open(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        started = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        path = self._folder / f"tap-{started}-{self._pid}-{uuid.uuid4().hex[:8]}.jsonl"
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._end = 0
