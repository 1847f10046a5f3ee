"""Blocks of a log made into lines by processes beside this one: all of a machine's cores for a long log.

The processes are children of this one, forked, so that they know what it knows: options, redactor and hash seed. Blocks
and lines lie in memory that all share; pipes carry what else there is. Whatever goes wrong in a child, the block is
made once more here, where it fails as it would have without children.
"""

from __future__ import annotations

import contextlib
import gc
import mmap
import os
import signal
import sys
import threading
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from types import TracebackType
from typing import BinaryIO

from harness.recordings.blocks import BLOCK, Block
from harness.recordings.formats import LogFile, Reject
from harness.run.making import Made, Maker

FROM = 16  # blocks: a log of fewer is read before children are there to help
_IN, _OUT = 2 * BLOCK, 4 * BLOCK
MOST = 4  # children
_SLOTS = 2  # blocks that a child has, one of them waiting


@dataclass(frozen=True, slots=True)
class Piece:
    """Some lines of one file."""

    file: LogFile
    block: Block


class Pool:
    """Makes pieces with `maker`, in order."""

    def __init__(self, maker: Maker) -> None:
        self._maker = maker
        self._children = useful()  # looked at before there are threads of our own
        self._hands: list[_Hand] = []

    def made(self, pieces: Iterable[Piece | Reject]) -> Iterator[Made]:
        """What comes of each piece."""
        waiting: deque[tuple[Piece | Reject, _Hand | None]] = deque()
        for number, piece in enumerate(pieces):
            if number == FROM and self._children:
                for _ in range(self._children):
                    self._hands.append(_Hand(self._maker, others=self._hands))
            hand = None
            if self._hands:
                hand = self._hands[number % len(self._hands)]
                while len(waiting) >= _SLOTS * len(self._hands):
                    yield self._result(*waiting.popleft())
                hand = hand if isinstance(piece, Piece) and hand.give(piece) else None
            waiting.append((piece, hand))
            if not self._hands:
                yield self._result(*waiting.popleft())
        while waiting:
            yield self._result(*waiting.popleft())

    def _result(self, piece: Piece | Reject, hand: _Hand | None) -> Made:
        if hand is not None and (made := hand.result()) is not None:
            return made
        if isinstance(piece, Reject):
            self._maker.take(piece)
        else:
            self._maker.block(piece.file, piece.block)
        return self._maker.made()

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for hand in self._hands:
            hand.stop()
        self._hands.clear()


class _Hand:
    """One child, as its parent sees it. others: those that were there before, whose pipes it must not hold open."""

    def __init__(self, maker: Maker, others: list[_Hand]) -> None:
        self._shared = mmap.mmap(-1, _SLOTS * (_IN + _OUT))
        self._pipe, theirs = Pipe()
        self._given = self._taken = 0
        self._alive = True
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of threads: no other one of Python's is there
            self.pid = os.fork()
        if not self.pid:
            try:
                signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is asked, and closes the pipe
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                for pipe in (self._pipe, *(other._pipe for other in others)):
                    pipe.close()
                gc.freeze()
                _work(maker, theirs, self._shared)
            finally:
                os._exit(0)
        theirs.close()

    def give(self, piece: Piece) -> bool:
        """Hand over a piece; False where it cannot be taken. Of those given, at most _SLOTS may have no result yet."""
        block, content = piece.block, piece.block.content
        if content is None or len(content) > _IN or not self._alive:
            return False
        at = self._given % _SLOTS * (_IN + _OUT)
        self._shared[at : at + len(content)] = content
        try:
            self._pipe.send((piece.file.path, block.index, block.number, len(content), block.dense))
        except OSError:
            self._alive = False
            return False
        self._given += 1
        return True

    def result(self) -> Made | None:
        """Of the piece that was given first and has none yet; None where the child could not make it."""
        at = self._taken % _SLOTS * (_IN + _OUT) + _IN
        self._taken += 1
        try:
            length, made = self._pipe.recv() if self._alive else (0, None)
        except (EOFError, OSError):
            self._alive = False
            return None
        if not isinstance(made, Made):
            return None
        made.text = self._shared[at : at + length]
        return made

    def stop(self) -> None:
        """End the child."""
        self._pipe.close()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        self._shared.close()


def _work(maker: Maker, pipe: Connection, shared: mmap.mmap) -> None:
    """What a child does: make what it is given until the pipe is closed."""
    maker.away()
    number = 0
    while True:
        try:
            path, index, line, length, dense = pipe.recv()
        except (EOFError, OSError):
            return
        at = number % _SLOTS * (_IN + _OUT)
        number += 1
        made: Made | None
        try:
            maker.block(LogFile(path, _closed), Block(index, line, shared[at : at + length], dense))
            made = maker.made()
        except Exception:
            maker.made()
            made = None
        size = 0
        if made is not None and (size := len(made.text)) > _OUT:
            made = None
        if made is not None:
            shared[at + _IN : at + _IN + size] = made.text
            made.text = b""
        pipe.send((size, made))


def _closed() -> BinaryIO:
    raise RuntimeError("files are opened by the parent")


def useful() -> int:
    """As many children as there are cores; none where forking may be unsafe: not on Linux, or beside other threads."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1
    return min(cores, MOST) if cores > 1 and threading.active_count() == 1 else 0
