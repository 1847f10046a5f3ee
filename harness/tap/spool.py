"""Calls on their way to a file: a bounded queue, and one thread that redacts and writes.

A file is `tap-TIME-PID-RANDOM.jsonl`; a line is that of a golden set with its CRC (`recordings.lines`), or
`{"lost": "WHY"}` for a call that is not there. A line is one write, so that a killed process leaves whole lines. What
waits in the queue when it is killed is lost, and nobody counts it. A process that forks writes files of its own.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import threading
import time
import uuid
import weakref
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.recordings.formats._streams import LONGEST
from harness.recordings.privacy import Redactor
from harness.recordings.pseudonyms import Pseudonyms
from harness.tap.breath import Breath
from harness.tap.exchange import Exchange, line_of

ROOM = 1024  # calls that wait at most
ROOM_BYTES = 64 << 20  # bytes of them
SEGMENT = 256 << 20  # bytes of a file, after which a new one is begun
FULL, LONG, NOT_WRITTEN, NOT_STORED, FAILED, LATE = (
    "the queue was full",
    "a body or a line was too long",
    "the file could not be written",
    "what it said cannot be stored",
    "the tap failed",
    "the tap was closed",
)
_LOG = logging.getLogger("harness.tap")


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Counts of calls. seen: that the tap copied. left_out: by the share. retried: refused attempts that the client
    made again, of which only the last is kept. lost: why -> calls. trouble: the kind of the last error; None: none.
    """

    seen: int
    written: int
    waiting: int
    left_out: int
    retried: int
    lost: Mapping[str, int]
    trouble: str | None


class Unfinished(Protocol):
    """An answer that is still being read."""

    def end(self, *, whole: bool) -> None: ...


class Spool:
    """Takes calls from any thread; nothing of it raises or waits, but `close`."""

    def __init__(self, folder: Path, by: Redactor | None) -> None:
        self._folder = folder
        self._by = by
        if isinstance(by, Pseudonyms):
            by.pause = Breath().take
        self._fd: int | None = None
        self._begin()
        atexit.register(self.close)
        os.register_at_fork(after_in_child=_forked(weakref.ref(self)))

    def _begin(self) -> None:
        self._change = threading.Condition()  # a lock that its holder may take again: copies end in destructors too
        self._queue: deque[Exchange] = deque()
        self._following: set[Unfinished] = set()
        self._bytes = self._end = 0
        self._thread: threading.Thread | None = None
        self._closed = False
        self._counts: Counter[str] = Counter()
        self._lost: Counter[str] = Counter()
        self._told: Counter[str] = Counter()
        self._trouble: str | None = None

    def after_fork(self) -> None:
        """In the child: the thread is not there, and the lock may have been held."""
        if self._fd is not None:
            os.close(self._fd)
        self._fd = None
        closed = self._closed
        self._begin()
        self._closed = closed

    def offer(self, exchange: Exchange) -> None:
        """Take a call, or count it as lost."""
        with self._change:
            self._counts["seen"] += 1
            if self._closed:
                self._lost[LATE] += 1
            elif len(self._queue) >= ROOM or self._bytes + exchange.size > ROOM_BYTES:
                self._lost[FULL] += 1
            else:
                self._queue.append(exchange)
                self._bytes += exchange.size
                self._wake()

    def lose(self, why: str, error: BaseException | None = None) -> None:
        """Count a call that cannot be taken."""
        with self._change:
            self._lost[why] += 1
            self._trouble = self._trouble if error is None else type(error).__name__
            if not self._closed:
                self._wake()

    def follow(self, copy: Unfinished) -> None:
        """End it when the spool is closed, if it has not ended or left by then."""
        with self._change:
            self._following.add(copy)

    def leave(self, copy: Unfinished) -> None:
        with self._change:
            self._following.discard(copy)

    def count(self, what: str) -> None:
        with self._change:
            self._counts[what] += 1

    def status(self) -> Status:
        with self._change:
            return Status(
                seen=self._counts["seen"],
                written=self._counts["written"],
                waiting=len(self._queue),
                left_out=self._counts["left_out"],
                retried=self._counts["retried"],
                lost=dict(self._lost),
                trouble=self._trouble,
            )

    def close(self, timeout_s: float = 5.0) -> None:
        """Write what waits; after `timeout_s` the rest is lost."""
        with self._change:
            unfinished = tuple(self._following)
        for copy in unfinished:
            copy.end(whole=False)
        with self._change:
            self._closed = True
            self._change.notify()
            thread = self._thread
        atexit.unregister(self.close)
        if thread is None:
            return
        thread.join(timeout_s)
        with self._change:
            if self._queue:
                self._lost[LATE] += len(self._queue)
                self._queue.clear()

    def _wake(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="parity-tap", daemon=True)
            self._thread.start()
        self._change.notify()

    def _work(self) -> None:
        """The thread: until the spool is closed and empty."""
        going = True
        while going:
            with self._change:
                while not (self._queue or self._closed or self._lost != self._told):
                    self._change.wait()
                exchange = self._queue.popleft() if self._queue else None
                going = exchange is not None or not self._closed
            if exchange is not None:
                self._store(exchange)
                with self._change:
                    self._bytes -= exchange.size
            self._tell()
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _store(self, exchange: Exchange) -> None:
        try:
            line = line_of(exchange, self._by)
        except Exception as exc:
            self.lose(NOT_STORED, exc)
            return
        if len(line) > LONGEST:
            self.lose(LONG)
        elif self._write(line):
            self.count("written")
        else:
            self.lose(NOT_WRITTEN)

    def _tell(self) -> None:
        """Say each kind of loss once in the log, and each lost call in the file, if it takes one."""
        with self._change:
            news = self._lost - self._told
        for why, times in news.items():
            if why not in self._told:
                _LOG.warning("calls are not recorded: %s (%s)", why, self._trouble or "no error")
            self._told[why] += times
            self._write((json.dumps({"lost": why}) + "\n").encode() * times)

    def _write(self, content: bytes) -> bool:
        """One write at the end of the file; what a full disk took of it is cut off again."""
        try:
            if self._fd is None or self._end > SEGMENT:
                self._open()
            assert self._fd is not None  # noqa: S101
            done = os.write(self._fd, content)
            if done == len(content):
                self._end += done
                return True
            os.ftruncate(self._fd, self._end)
        except OSError as exc:
            with self._change:
                self._trouble = type(exc).__name__
        return False

    def _open(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
        self._folder.mkdir(parents=True, exist_ok=True)
        started = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        path = self._folder / f"tap-{started}-{os.getpid()}-{uuid.uuid4().hex[:8]}.jsonl"
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._end = 0


def _forked(spool: weakref.ref[Spool]) -> Callable[[], None]:
    """What a child does first; the list of such calls lasts as long as the process and must keep no spool."""

    def forked() -> None:
        if (mine := spool()) is not None:
            mine.after_fork()

    return forked
