"""The writer's process, beside the application: it redacts and writes what comes through its standard input, a socket.

It is run by its path and loads nothing of the package before a thread takes in what comes: what was handed over is
safe from the moment on, though the application be killed. It ends when the application closed the socket or is gone,
and all is written; once it is gone, after a minute at most, the rest being told in the file as lost.

Application -> writer: a byte that says what, the length as 4 bytes little-endian, the content:
  H  JSON {"path": [sys.path], "folder", "pid", "word", "key" in hex, "own": null or hex}   first, once (`Redaction`)
  E  a call, as `exchange.packed` makes it
  L  JSON {"WHY": calls}: calls that the application lost
Writer -> application, lines of JSON, each E and L answered once and in order:
  {"pid": 7} once, or {"unable": "KIND"} and the end; {"written": 1}; {"lost": "WHY", "trouble": "KIND"};
  {"told": 1}
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import socket
import struct
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

HEADER = struct.Struct("<cI")
HELLO, CALL, LOST = b"H", b"E", b"L"
NICE = 10  # what the writer yields to the application of a processor that both want
LINGER_S = 60.0  # that it goes on writing when the application is gone
_LOOK_S = 10.0  # between looks at whether it is


class Inbox:
    """What came, in order; a thread takes it in as fast as it comes. None is the end."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._frames: queue.SimpleQueue[tuple[bytes, bytes] | None] = queue.SimpleQueue()
        threading.Thread(target=self._take, daemon=True).start()

    def next(self, application: int | None = None) -> tuple[bytes, bytes] | None:
        """application: its process id; whoever else holds the socket open is not waited for."""
        while True:
            try:
                return self._frames.get(timeout=_LOOK_S)
            except queue.Empty:
                if application is not None and not _alive(application):
                    return None

    def _take(self) -> None:
        with contextlib.suppress(OSError):
            while len(head := self._exactly(HEADER.size)) == HEADER.size:
                kind, length = HEADER.unpack(head)
                if len(content := self._exactly(length)) < length:
                    break  # killed while it sent: half a call is none
                self._frames.put((kind, content))
        self._frames.put(None)

    def _exactly(self, length: int) -> bytes:
        """Fewer bytes only at the end."""
        content = bytearray(length)
        done = 0
        while done < length and (came := self._link.recv_into(memoryview(content)[done:])):
            done += came
        return bytes(content[:done])


class Desk:
    """What is done with each call. Loads the package, which must be on `sys.path` by now."""

    def __init__(self, link: socket.socket, told: dict[str, Any]) -> None:
        from harness.tap.line import line_of
        from harness.tap.redaction import Redaction
        from harness.tap.segments import Segments

        key, own = bytes.fromhex(told["key"]), told["own"]
        made = Redaction(word=told["word"], key=key, own=None if own is None else bytes.fromhex(own))
        self._by = made.redactor()
        self._line_of = line_of
        self._files = Segments(Path(told["folder"]), told["pid"])
        self._link = link
        self._alone_s: float | None = None  # since when the application is gone, by the monotonic clock
        self._owed: Counter[str] = Counter()  # lost calls that are not in the file yet

    def take(self, kind: bytes, content: bytes) -> None:
        if kind == LOST:
            self._owed.update(json.loads(content))
            self._tell()
            self.say({"told": 1})
            return
        why = self._stored(content)
        if why is not None:
            self._owed[why[0]] += 1
        self._tell()
        self.say({"written": 1} if why is None else {"lost": why[0], "trouble": why[1]})

    def finish(self) -> None:
        self._tell()
        self._files.close()

    def say(self, reply: dict[str, Any]) -> None:
        if self._alone_s is None:
            try:
                self._link.sendall(json.dumps(reply).encode() + b"\n")
            except OSError:
                self._alone_s = time.monotonic()

    def _stored(self, content: bytes) -> tuple[str, str | None] | None:
        """None: it is in the file. Else why not, and the kind of the error."""
        from harness.recordings.formats._streams import LONGEST
        from harness.tap import exchange, losses

        if self._alone_s is not None and time.monotonic() - self._alone_s > LINGER_S:
            return losses.LEFT, None
        try:
            line = self._line_of(exchange.unpacked(content), self._by)
        except Exception as exc:
            return losses.NOT_STORED, type(exc).__name__
        if len(line) > LONGEST:
            return losses.LONG, None
        return None if self._files.write(line) else (losses.NOT_WRITTEN, self._files.trouble)

    def _tell(self) -> None:
        """Put each lost call into the file; what it does not take now it is offered with the next."""
        if self._owed:
            lines = [(json.dumps({"lost": why}) + "\n") * times for why, times in self._owed.items()]
            if self._files.write("".join(lines).encode()):
                self._owed.clear()


def run(link: socket.socket) -> None:
    """Serve one application until it has nothing more."""
    inbox = Inbox(link)
    first = inbox.next()
    if first is None:
        return
    told = json.loads(first[1])
    sys.path[:] = told["path"]
    try:
        desk = Desk(link, told)
    except Exception as exc:
        link.sendall(json.dumps({"unable": type(exc).__name__}).encode() + b"\n")
        return
    desk.say({"pid": os.getpid()})
    while (frame := inbox.next(told["pid"])) is not None:
        desk.take(*frame)
    desk.finish()


def _alone() -> None:
    """Be nobody's child, with what may be told of memory to nobody, and behind the application.

    A child would surprise an application that waits for its children. What ends a group of processes is for the
    application to heed: it closes the socket when it does. A core file would hold what is not redacted; 1 byte is the
    limit at which Linux writes none, to a file or to a program (core(5)).
    """
    if os.fork():
        os._exit(0)
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(one, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        most = resource.getrlimit(resource.RLIMIT_CORE)[1]
        resource.setrlimit(resource.RLIMIT_CORE, (0 if most == 0 else 1, most))
    with contextlib.suppress(AttributeError, OSError):
        if os.sched_getscheduler(0) != os.SCHED_OTHER:  # a child inherits real-time priority
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    with contextlib.suppress(OSError):
        os.nice(NICE)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


if __name__ == "__main__":
    _alone()
    try:
        run(socket.socket(fileno=os.dup(0)))
    finally:
        os._exit(0)  # nothing of the interpreter's end, nor of PYTHONINSPECT
