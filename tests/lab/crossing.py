"""An application on its way from one cloud to the other: a router in front of both lab sides, and load on it.

The router asks flagd's own evaluator who answers a request, by the flag file that `parity cutover` moves. What the
target answers is compared with the source's answer to the same request, and written down as live rows.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import urllib3
from openfeature import api
from openfeature.contrib.provider.flagd import FlagdProvider
from openfeature.contrib.provider.flagd.config import ResolverType
from openfeature.evaluation_context import EvaluationContext

from harness.lab import loopback

SOURCE, TARGET = "source", "target"
POLL_S = 0.02  # how often the router looks at the flag file
TOLERANCE = 0.005  # of a score
LIVE_POLICY = """
[[criterion]]
name = "target answers"
metric = "error"
kind = "limit"
margin = {margin}

[[criterion]]
name = "scores agree"
metric = "score"
kind = "flip"
deterministic = true
margin = {margin}
"""
FLAGS = {
    "flags": {
        "answers-from": {
            "state": "ENABLED",
            "variants": {SOURCE: SOURCE, TARGET: TARGET},
            "defaultVariant": SOURCE,
            "targeting": {"fractional": [{"var": "targetingKey"}, [SOURCE, 100], [TARGET, 0]]},
        }
    }
}


@dataclass
class Crossing:
    """folder: holds flags.json, live.toml and live.jsonl. ask: side and body to a score; raises OSError where it fails.

    sent, answered, failed: requests, those by the side that the flag named, and those whose side failed.
    """

    folder: Path
    ask: Callable[[str, int], float]
    margin: float
    sent: int = 0
    answered: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    ending: threading.Event = field(default_factory=threading.Event)

    @property
    def flags(self) -> Path:
        return self.folder / "flags.json"

    @property
    def rows(self) -> Path:
        return self.folder / "live.jsonl"

    @contextmanager
    def under_load(self, clients: int) -> Iterator[None]:
        """Router and clients, until the block ends."""
        self.flags.write_text(json.dumps(FLAGS, indent=2))
        (self.folder / "live.toml").write_text(LIVE_POLICY.format(margin=self.margin))
        self.rows.touch()
        provider = FlagdProvider(
            resolver_type=ResolverType.FILE, offline_flag_source_path=str(self.flags), deadline_ms=int(POLL_S * 1000)
        )
        api.set_provider_and_wait(provider)
        listener = loopback.listen()
        address = loopback.address_of(listener)
        server = threading.Thread(target=loopback.serve, args=(listener, self._route), daemon=True)
        threads = [threading.Thread(target=self._send, args=(address, client)) for client in range(clients)]
        server.start()
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.ending.set()
            for thread in threads:
                thread.join()
            listener.close()
            api.shutdown()
            time.sleep(2 * POLL_S)  # its thread looks at the file once more

    def _route(self, request: loopback.Request) -> loopback.Reply:
        number = int(request.body)
        context = EvaluationContext(targeting_key=f"request-{number}")
        side = api.get_client().get_string_value("answers-from", "nobody", context)
        score = self._asked(side, number)
        if side == TARGET:
            self._compare(number, score)
        return loopback.Reply(status=200 if score is not None else 502, body=side.encode())

    def _asked(self, side: str, number: int) -> float | None:
        try:
            return self.ask(side, number)
        except OSError:
            return None

    def _compare(self, number: int, target: float | None) -> None:
        source = self._asked(SOURCE, number)
        status = {
            "status_target": "ok" if target is not None else "error",
            "status_source": "ok" if source is not None else "error",
        }
        agrees = source is not None and target is not None and abs(source - target) <= TOLERANCE
        told = {"case": f"r{number}", "at": datetime.now(UTC).isoformat()}
        rows = [
            {**told, "metric": "error", "value_target": float(target is None)},
            {**told, "metric": "score", "value_target": float(not agrees), **status},
        ]
        with self.lock, self.rows.open("a") as file:
            file.write("".join(json.dumps(row) + "\n" for row in rows))

    def _send(self, address: str, client: int) -> None:
        with urllib3.PoolManager(maxsize=1, retries=False, timeout=30.0) as pool:
            while not self.ending.is_set():
                with self.lock:
                    self.sent += 1
                    number = self.sent
                try:
                    reply = pool.request("POST", address, body=str(number).encode())
                except urllib3.exceptions.HTTPError:
                    with self.lock:
                        self.lost += 1
                    continue
                side = reply.data.decode()
                with self.lock:
                    self.answered[side] += 1
                    self.failed[side] += reply.status != 200

    def split(self, seconds: float) -> float:
        """Percent of requests that the target answers, over a time."""
        with self.lock:
            before = Counter(self.answered)
        time.sleep(seconds)
        with self.lock:
            seen = self.answered - before
        return 100 * seen[TARGET] / max(1, seen.total())
