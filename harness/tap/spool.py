"""Calls on their way to a file: counted, bounded, and handed to a process that redacts and writes (`writing`).

The application's thread puts a call into a queue. One thread hands over, one listens; both wait outside the
interpreter's lock. A call counts against the bounds until the writer answered for it, wherever it lies. What waits
when the application is killed before it was handed over is lost, and nobody counts it. A process that forks has a
writer and files of its own.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import sys
import threading
import time
import weakref
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from harness.tap.exchange import Exchange, packed
from harness.tap.losses import ENDED, FULL, LATE, NOT_STORED, UNABLE
from harness.tap.process import Process
from harness.tap.redaction import Redaction
from harness.tap.writing import CALL, LOST

ROOM = 1024  # calls that wait at most
ROOM_BYTES = 64 << 20  # bytes of them
AGAIN_S = (1.0, 60.0)  # before another writer is started: after the first that ended, and at most
_CHANCES = 2  # writers that are started when the tap is closed already
_LOG = logging.getLogger("harness.tap")


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Counts of calls. seen: that the tap copied. waiting: of these, neither written nor lost yet. left_out: by the
    share. retried: refused attempts that the client made again, of which only the last is kept. lost: why -> calls.
    trouble: the kind of the last error; None: none. writer: its process id; None: none runs.
    """

    seen: int
    written: int
    waiting: int
    left_out: int
    retried: int
    lost: Mapping[str, int]
    trouble: str | None
    writer: int | None


class Unfinished(Protocol):
    """An answer that is still being read."""

    def end(self, *, whole: bool) -> None: ...


class Spool:
    """Takes calls from any thread; nothing of it raises or waits, but `close`."""

    def __init__(self, folder: Path, redaction: Redaction) -> None:
        self._folder = folder.absolute()  # the application may go elsewhere
        self._redaction = redaction
        self._process: Process | None = None
        self._begin()
        _follow_forks(weakref.ref(self))

    def _begin(self) -> None:
        self._change = threading.Condition()  # a lock that its holder may take again: copies end in destructors too
        self._starting = threading.Lock()
        self._forking: set[int] = set()  # threads that hold it while they fork
        self._queue: deque[Exchange] = deque()
        self._sent: deque[int | Counter[str]] = deque()  # bytes of a call, or lost calls that were told
        self._following: set[Unfinished] = set()
        self._bytes = self._waiting = 0
        self._thread: threading.Thread | None = None
        self._finalizer: Any = None
        self._closed = self._gone = self._unable = False
        self._failures, self._chances, self._again_s = 0, _CHANCES, 0.0
        self._counts: Counter[str] = Counter()
        self._lost: Counter[str] = Counter()
        self._told: Counter[str] = Counter()  # of the lost, those that the writer knows of
        self._said: set[str] = set()
        self._trouble: str | None = None

    def before_fork(self) -> None:
        """No socket may be half made: the child could not close it, and the writer would never see it closed."""
        if self._starting.acquire(timeout=1):
            self._forking.add(threading.get_ident())

    def after_fork(self, *, child: bool) -> None:
        """In the child the threads are not there, and locks may have been held."""
        if not child:
            if threading.get_ident() in self._forking:
                self._forking.discard(threading.get_ident())
                self._starting.release()
            return
        if self._process is not None:
            self._process.close()
            self._process = None
        closed = self._closed
        self._begin()
        self._closed = closed

    def offer(self, exchange: Exchange) -> None:
        """Take a call, or count it as lost."""
        with self._change:
            self._counts["seen"] += 1
            if self._closed:
                self._lost[LATE] += 1
            elif self._waiting >= ROOM or self._bytes + exchange.size > ROOM_BYTES:
                self._lost[FULL] += 1
            else:
                self._queue.append(exchange)
                self._waiting += 1
                self._bytes += exchange.size
            self._wake()

    def lose(self, why: str, error: BaseException | None = None) -> None:
        """Count a call that cannot be taken."""
        with self._change:
            self._lost[why] += 1
            self._trouble = self._trouble if error is None else type(error).__name__
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
                waiting=self._waiting,
                left_out=self._counts["left_out"],
                retried=self._counts["retried"],
                lost=dict(self._lost),
                trouble=self._trouble,
                writer=None if self._process is None else self._process.pid,
            )

    def close(self, timeout_s: float = 5.0) -> None:
        """Have what waits written, and wait for that, for `timeout_s` at most; the writer goes on with the rest."""
        with self._change:
            unfinished = tuple(self._following)
        for copy in unfinished:
            copy.end(whole=False)
        with self._change:
            self._closed = True
            self._change.notify()
            thread = self._thread
            if thread is None:
                self._give_up()
        atexit.unregister(self.close)
        if self._finalizer is not None:
            self._finalizer.cancel()
        if thread is not None:
            thread.join(timeout_s)

    def _wake(self) -> None:
        """With the first call the thread begins; where it cannot, calls wait for the next to try, and then are lost."""
        if self._thread is None and not self._closed:
            thread = threading.Thread(target=self._work, name="parity-tap", daemon=True)
            try:
                thread.start()
            except RuntimeError as exc:  # no more threads, or the interpreter is at its end
                self._trouble = type(exc).__name__
                return
            self._thread = thread
            atexit.register(self.close)
            if (parallel := sys.modules.get("multiprocessing.util")) is not None:
                # Processes of multiprocessing end without `atexit` before Python 3.12.
                self._finalizer = parallel.Finalize(None, self.close, exitpriority=10)
        self._change.notify()

    def _work(self) -> None:
        """The thread: a writer as long as there is something for it, and another where one ended before its time."""
        while self._wanted():
            try:
                with self._starting:
                    process = Process(self._folder, self._redaction)
                    self._process = process
            except Exception as exc:
                self._failed(exc)
                continue
            self._serve(process)

    def _wanted(self) -> bool:
        """Wait until a writer is wanted; False when the tap is closed and nothing is left for one."""
        while True:
            self._say()
            with self._change:
                wanted = bool(self._queue) or self._lost != self._told
                if self._closed:
                    if wanted and self._chances:
                        self._chances -= 1
                        return True
                    self._give_up()
                    return False
                wait_s = self._again_s - time.monotonic()
                if wanted and wait_s <= 0:
                    return True
                self._change.wait(wait_s if wait_s > 0 else None)

    def _serve(self, process: Process) -> None:
        ear = threading.Thread(target=self._listen, args=(process,), name="parity-tap-answers", daemon=True)
        self._gone = self._unable = False
        try:
            ear.start()
            while (frame := self._next()) is not None:
                process.send(*frame)
            process.finish()
        except (OSError, RuntimeError):
            process.break_off()
        if ear.ident is not None:
            ear.join()
        with self._starting:
            self._process = None
            process.close()
        self._settle()

    def _next(self) -> tuple[bytes, bytes] | None:
        """What is handed over next; None when the writer is gone, or all is handed over and the tap closed."""
        while True:
            self._say()
            with self._change:
                while not (self._queue or self._lost != self._told or self._closed or self._gone):
                    self._change.wait()
                if self._gone:
                    return None
                if news := self._lost - self._told:
                    self._told.update(news)
                    self._sent.append(news)
                    return LOST, json.dumps(news).encode()
                if not self._queue:
                    return None
                exchange = self._queue.popleft()
            try:
                content = packed(exchange)
            except Exception as exc:
                self._answered(exchange.size, NOT_STORED, type(exc).__name__)
                continue
            with self._change:
                self._sent.append(exchange.size)
            return CALL, content

    def _listen(self, process: Process) -> None:
        """The other thread: what the writer answers, until it is gone."""
        try:
            for reply in process.replies():
                self._heard(process, reply)
        finally:
            with self._change:
                self._gone = True
                self._change.notify()

    def _heard(self, process: Process, reply: Mapping[str, Any]) -> None:
        with self._change:
            if "pid" in reply:
                process.pid = reply["pid"]
            elif "unable" in reply:
                self._unable, self._trouble = True, reply["unable"]
            elif isinstance(size := self._sent.popleft(), int):
                why = reply.get("lost")
                self._answered(size, why, reply.get("trouble"))
                self._told.update([why] if why is not None else ())  # it has put that into the file itself
        self._say()

    def _answered(self, size: int, why: str | None, trouble: str | None) -> None:
        """One call less waits. why: None where it is written."""
        with self._change:
            self._waiting -= 1
            self._bytes -= size
            self._trouble = trouble or self._trouble
            if why is None:
                self._counts["written"] += 1
                self._failures = 0
            else:
                self._lost[why] += 1

    def _settle(self) -> None:
        """Of a writer that is gone: what it did not answer for is lost."""
        with self._change:
            left, self._sent = self._sent, deque()
            for one in left:
                if isinstance(one, int):
                    self._answered(one, UNABLE if self._unable else ENDED, None)
                else:
                    self._told.subtract(one)
            early, trouble = bool(left) or not self._closed, self._trouble if self._unable else None
            if early:
                self._postpone()
        if early:
            _LOG.warning("the process that writes recordings ended before its time (%s)", trouble or "no reason given")

    def _failed(self, error: Exception) -> None:
        """No writer could be started."""
        with self._change:
            self._trouble = type(error).__name__
            self._postpone()
        _LOG.warning("the process that writes recordings could not be started: %s", error)

    def _postpone(self) -> None:
        first_s, most_s = AGAIN_S
        self._again_s = time.monotonic() + min(most_s, first_s * 2**self._failures)
        self._failures = min(self._failures + 1, 16)

    def _give_up(self) -> None:
        """The tap is closed, and no writer could be had for what is left."""
        while self._queue:
            self._answered(self._queue.popleft().size, UNABLE, None)

    def _say(self) -> None:
        """Each kind of loss once in the log, by a thread of the tap: the application's own handlers may be slow."""
        with self._change:
            new = [why for why in self._lost if why not in self._said]
            self._said.update(new)
            trouble = self._trouble or "no error"
        for why in new:
            _LOG.warning("calls are not recorded: %s (%s)", why, trouble)


def _follow_forks(spool: weakref.ref[Spool]) -> None:
    """The list of what is done about forks lasts as long as the process and must keep no spool."""

    def before() -> None:
        if (mine := spool()) is not None:
            mine.before_fork()

    def after(*, child: bool) -> None:
        if (mine := spool()) is not None:
            mine.after_fork(child=child)

    os.register_at_fork(
        before=before, after_in_parent=lambda: after(child=False), after_in_child=lambda: after(child=True)
    )
