"""The server behind `plainhttp`: two paths, each with its own behaviour, and a count of every request by case."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from harness.lab import loopback
from harness.lab.loopback import Reply, Request

Behaviour = Callable[[int], float | int | None]
"""The number asked about -> a score (float), a status to refuse with (int), or None: hang up."""


def honest(number: int) -> float:
    """A score in [0, 1) that every digit of the number moves."""
    return (number * 0.6180339887) % 1.0


@dataclass
class Server:
    """source, target: how each side answers; delay_s: how long each answer takes. asked: (side, case) -> requests."""

    address: str
    source: Behaviour = honest
    target: Behaviour = honest
    delay_s: float = 0.0
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def endpoint(self, side: str) -> str:
        return f"{self.address.removeprefix('http://')}/{side}"

    def reset(self) -> None:
        self.source = self.target = honest
        self.delay_s = 0.0
        self.asked.clear()

    def counts(self) -> Counter[tuple[str, str]]:
        with self._lock:
            return self.asked.copy()

    def answer(self, request: Request) -> Reply | None:
        side = request.path.strip("/")
        with self._lock:
            self.asked[side, request.headers["x-case"]] += 1
        if self.delay_s:
            time.sleep(self.delay_s)
        said = (self.source if side == "source" else self.target)(int(request.body))
        if said is None:
            return None
        if isinstance(said, int):
            return Reply(status=said)
        return Reply(status=200, body=json.dumps({"score": said}).encode())


@contextmanager
def serving() -> Iterator[Server]:
    """A server on a free port of loopback while the block runs."""
    server = Server("")
    with answering(server.answer) as server.address:
        yield server


@contextmanager
def answering(handler: loopback.Handler) -> Iterator[str]:
    """The address at which a handler answers while the block runs."""
    listener = loopback.listen()
    threading.Thread(target=loopback.serve, args=(listener, handler), daemon=True).start()
    try:
        yield loopback.address_of(listener)
    finally:
        listener.close()
