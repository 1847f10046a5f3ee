"""A file in the making that is hashed, written and read back beside whoever makes it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

from harness.errors import GoldenError

_CHUNK = 1 << 20


class Sink:
    """Takes bytes in order; `close` it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.stream: BinaryIO = path.open("w+b", buffering=0)
        self._digest = hashlib.sha256()
        self._held: list[bytes] = []
        self._disk = ThreadPoolExecutor(1)
        self._storing: Future[None] | None = None
        self._flushed = self.end = 0

    def put(self, content: bytes) -> int:
        """Returns the byte at which the content starts."""
        start = self.end
        self._held.append(content)
        self.end += len(content)
        if self.end - self._flushed > _CHUNK // 2:
            self._flush()
        return start

    def sync(self) -> None:
        """Wait until all is on disk."""
        self._flush()
        self._wait()
        os.fsync(self.stream.fileno())

    def sha256(self) -> str:
        """Of all that was taken, as hex."""
        self._flush()
        self._wait()
        return self._digest.hexdigest()

    def line(self, start: int) -> bytes:
        """The line that starts at a byte, line feed included."""
        length = 4 << 10
        if start + length > self._flushed:
            self._flush()
        self._wait()
        while (end := (line := os.pread(self.stream.fileno(), length, start)).find(b"\n")) < 0:
            length *= 4
            if start + length > self._flushed:
                self._flush()
                self._wait()
        return line[: end + 1]

    def pieces(self, start: int, end: int) -> Iterator[bytes]:
        """What lies between two bytes, some at a time."""
        while start < end:
            piece = _read(self.stream.fileno(), min(_CHUNK, end - start), start)
            yield piece
            start += len(piece)

    def close(self) -> None:
        self._disk.shutdown()
        self.stream.close()

    def _flush(self) -> None:
        """Hand over what is held, once what was handed over before is on disk."""
        if not self._held:
            return
        held = b"".join(self._held) if len(self._held) > 1 else self._held[0]
        self._held.clear()
        self._wait()
        self._storing = self._disk.submit(self._store, held, self._flushed)
        self._flushed += len(held)

    def _wait(self) -> None:
        if self._storing is not None:
            storing, self._storing = self._storing, None
            storing.result()

    def _store(self, held: bytes, at: int) -> None:
        """Write a piece and read it back. Runs beside the caller: hashing, writing and reading hold up nobody."""
        self._digest.update(held)
        left, file = memoryview(held), self.stream.fileno()
        while left:
            left = left[os.pwrite(file, left, at + len(held) - len(left)) :]
        if _read(file, len(held), at) != held:
            raise GoldenError(f"{self._path}: reads otherwise than it was written. The disk may be failing.")


def _read(file: int, length: int, at: int) -> bytes:
    parts: list[bytes] = []
    while length and (part := os.pread(file, length, at)):
        parts.append(part)
        length, at = length - len(part), at + len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
