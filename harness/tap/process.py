"""The writer's process as the application sees it: started, handed calls, listened to. What it does is `writing`'s."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.tap.redaction import Redaction
from harness.tap.writing import HEADER, HELLO

_PROGRAM = Path(__file__).with_name("writing.py")
# An application that dies of SIGPIPE would die with the writer.
_QUIET = getattr(socket, "MSG_NOSIGNAL", 0)


class Process:
    """One writer. Raises OSError where none can be started.

    No child of the application's: what is started starts it and ends. Calls are handed over by a socket, never by a
    file. pid: once it has answered.
    """

    def __init__(self, folder: Path, redaction: Redaction) -> None:
        self.pid: int | None = None
        ours, theirs = socket.socketpair()
        try:
            for end in (ours, theirs):
                end.setblocking(True)  # whatever `socket.setdefaulttimeout` says
            starter = subprocess.Popen(
                [interpreter(), "-P", "-Wignore", str(_PROGRAM)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # a traceback could say what a call said
                start_new_session=True,
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        starter.wait()
        self._link = ours
        try:
            self.send(HELLO, _hello(folder, redaction))
        except BaseException:
            ours.close()
            raise

    def send(self, kind: bytes, content: bytes) -> None:
        """Hand over, as soon as there is room. Raises OSError when the writer is gone."""
        self._link.sendall(HEADER.pack(kind, len(content)), _QUIET)
        self._link.sendall(content, _QUIET)

    def replies(self) -> Iterator[dict[str, Any]]:
        """What it answers, until it is gone."""
        rest = b""
        with contextlib.suppress(OSError):
            while came := self._link.recv(1 << 16):
                *lines, rest = (rest + came).split(b"\n")
                for line in lines:
                    yield json.loads(line)

    def finish(self) -> None:
        """Nothing more will come: it writes what it has, answers for it, and ends."""
        self._shut(socket.SHUT_WR)

    def break_off(self) -> None:
        """End the replies, if they have not ended."""
        self._shut(socket.SHUT_RDWR)

    def close(self) -> None:
        """Only when no thread sends or listens: another file may get the number at once."""
        self._link.close()

    def _shut(self, how: int) -> None:
        with contextlib.suppress(OSError):
            self._link.shutdown(how)


def interpreter() -> str:
    """Python's own program, as `multiprocessing` knows it. Raises FileNotFoundError where the application has none.

    An application that holds Python inside (uWSGI, a frozen program) would be started anew by its own name; it may
    name an interpreter by `multiprocessing.set_executable`.
    """
    from multiprocessing.spawn import get_executable

    named = os.fsdecode(get_executable() or b"")
    foreign = getattr(sys, "frozen", False) or not Path(named).name.lower().startswith(("python", "pypy"))
    if not named or (foreign and named == sys.executable):
        raise FileNotFoundError("no interpreter of Python is known; see multiprocessing.set_executable")
    return named


def _hello(folder: Path, redaction: Redaction) -> bytes:
    told = {
        "path": [str(Path(entry).absolute()) for entry in sys.path],
        "folder": str(folder),
        "pid": os.getpid(),
        "word": redaction.word,
        "key": redaction.key.hex(),
        "own": None if redaction.own is None else redaction.own.hex(),
    }
    return json.dumps(told).encode()
