"""A copy of an answer that arrives in pieces while the application reads it."""

from __future__ import annotations

import time
from collections.abc import Mapping

from harness.tap.exchange import MOST, Asked, Exchange
from harness.tap.losses import LONG
from harness.tap.spool import Spool

_DONE = b"data: [DONE]"  # openai's client reads no further


class Copy:
    """The pieces so far. It is handed to the spool once, at the end, by whoever sees the end first."""

    def __init__(self, spool: Spool, asked: Asked, status: int, headers: Mapping[str, object]) -> None:
        self._spool = spool
        self._asked = asked
        self._status = status
        self._headers = headers
        self._pieces: list[bytes] = []
        self._size = 0
        self._last_s = time.perf_counter()
        self._whole = False
        self._done = False
        spool.follow(self)

    def add(self, piece: bytes) -> None:
        self._last_s = time.perf_counter()
        self._size += len(piece)
        if self._size <= MOST:
            self._pieces.append(bytes(piece))

    def pause(self, *, whole: bool) -> None:
        """Wait for `drop`, or for `end`: it may be an attempt that the client will make again."""
        self._whole = whole

    def end(self, *, whole: bool) -> None:
        """whole: the answer's own end came; else the reader or the connection stopped before it."""
        if self._done:
            return
        self._done = True
        self._spool.leave(self)
        if self._size > MOST:
            self._spool.lose(LONG)
            return
        body = b"".join(self._pieces)
        self._pieces = []
        self._spool.offer(
            Exchange(
                asked=self._asked,
                status=self._status,
                headers=self._headers,
                body=body,
                latency_s=self._last_s - self._asked.started_s,
                whole=whole or self._whole or body.rstrip().endswith(_DONE),
            )
        )

    def drop(self, why: str) -> None:
        """Not a call of its own; counted as `why`."""
        if not self._done:
            self._done = True
            self._spool.leave(self)
            self._spool.count(why)
