"""A plan over services that answer in this process: real codecs' protocol, no network."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from harness import config
from harness.core.call import Reading, Side, Unreadable, Wire
from harness.core.case import Lot, Provenance, Recording, Request, Task, Translation
from harness.core.output import Scores
from harness.core.report import Payloads
from harness.gate.policy import load_policy
from harness.recordings.lines import StoredCase
from harness.recordings.sample import order
from harness.recordings.store import GoldenSet, write
from harness.run.plan import Plan

POLICY = """
[suite]
title = "in process"
[gate]
mode = "fixed"
[[criterion]]
metric = "value"
kind = "flip"
deterministic = true
[[criterion]]
metric = "error"
kind = "flip"
"""

Behaviour = Callable[[str, int], Wire]  # (case id, how often it was asked) -> reply, or raises ServiceError


@dataclass
class Plain:
    """Codec and endpoint of a service whose answer is the number in the body; counts calls by case."""

    behave: Behaviour
    calls: Counter[str] = field(default_factory=Counter)
    opened: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    name = "plain"

    @property
    def codec(self) -> Plain:
        return self

    def open(self) -> Plain:
        self.opened += 1
        return self

    def refresh(self) -> bool:
        return False

    def close(self) -> None:
        pass

    def read_request(self, recording: Recording) -> Request:
        return Request(Task.TABULAR, {"columns": None, "rows": [[recording.request_body.decode()]]})

    def from_http(self, recording: Recording) -> Wire:
        return Wire(operation="Plain", status=recording.status, body=recording.response_body)

    def next(self, lot: Lot, replies: tuple[Wire, ...]) -> Wire | None:
        if replies:
            return None
        return Wire(operation="Plain", headers={"case": next(iter(lot.requests))}, body=b"?")

    def decode(self, lot: Lot, replies: tuple[Wire, ...]) -> Mapping[str, Reading | Unreadable]:
        (case,) = lot.requests
        try:
            value = float(json.loads(bytes(replies[-1].body)))
        except ValueError:
            return {case: Unreadable("not a number")}
        return {case: Reading(output=Scores(np.array([[value]]), ("0",)), served_model="m1", runtime="r1")}

    def call(self, wire: Wire, *, timeout_s: float) -> Wire:
        case = wire.headers["case"]
        with self._lock:
            self.calls[case] += 1
            count = self.calls[case]
        return self.behave(case, count)


@dataclass(frozen=True)
class Straight:
    """A pair that carries everything over."""

    name: str = "straight"
    source: str = "plain"
    target: str = "plain"

    def translate(self, request: Request) -> Translation:
        return Translation(request)


def always(value: float) -> Behaviour:
    return lambda _case, _count: Wire(operation="Plain", status=200, body=str(value).encode())


def planned(
    folder: Path,
    source: Plain,
    target: Plain,
    *,
    cases: int = 20,
    limits: config.Limits | None = None,
    deterministic: bool = False,
    policy: str = POLICY,
    payloads: Payloads = Payloads.FULL,
) -> Plan:
    """A plan of numbered cases; comparator `value` is numeric_close."""
    from harness.comparators.numeric_close import build

    golden = folder / "golden"
    if not golden.exists():
        write(
            golden,
            (stored(number) for number in range(cases)),
            name="numbers",
            description="numbers from 0",
            service="plain",
            operation="Plain",
            licence="public domain",
            source="made for a test",
            split="none",
            created_at=datetime(2026, 11, 1, tzinfo=UTC),
        )
    suite_path = folder / "suite.toml"
    suite_path.write_text(policy)
    opened = GoldenSet.open(golden)
    sequence = order(len(opened), 7)
    rank = np.empty(len(opened), dtype=np.int64)
    rank[sequence] = np.arange(len(opened))
    settings = {side: config.SideSettings(side=side, cloud="aws", endpoint="plain") for side in Side}
    return Plan(
        suite=config.Suite(
            name="numbers",
            title="in process",
            path=suite_path,
            pair="straight",
            pair_options={},
            golden=golden,
            endpoints={},
            comparators=(),
            prices={},
            deterministic_source=deterministic,
        ),
        profile=config.Profile(
            name="here", source={}, target={}, payloads=payloads, limits=limits or config.Limits(concurrency=4)
        ),
        policy=load_policy(suite_path),
        pair=Straight(),
        translation="straight",
        source=source,
        target=target,
        source_settings=settings[Side.SOURCE],
        target_settings=settings[Side.TARGET],
        comparators=(("value", build()),),
        labeller=None,
        golden=opened,
        order=sequence,
        rank=rank,
        sample=None,
        _translate=Straight().translate,
    )


def stored(number: int) -> StoredCase:
    name = f"n{number:05d}"
    return StoredCase(
        recording=Recording(
            id=name,
            service="plain",
            operation="Plain",
            request_body=str(number).encode(),
            provenance=Provenance(captured_at=None, captured_from="made for a test"),
        ),
        cluster=name,
        slices={},
        expected=None,
    )
