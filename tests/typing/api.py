"""Never run, only type-checked: what others write against the public names, and what they must not get away with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import assert_type

import harness
from harness import (
    Case,
    Comparator,
    Comparison,
    Decision,
    Departure,
    Endpoint,
    Finished,
    Lot,
    Output,
    Pair,
    ParityReport,
    Reading,
    Recording,
    Reporter,
    Request,
    Scores,
    Service,
    Shares,
    Side,
    SideSettings,
    Status,
    Switch,
    Task,
    Translation,
    Unreadable,
    Verdict,
    Wait,
    Wire,
)


@dataclass(frozen=True)
class SameFirst:
    """A comparator of a suite's own: attributes are read-only, as a frozen dataclass has them."""

    name: str = "same_first"

    def signature(self) -> str:
        return self.name

    def compare(self, source: Output, target: Output, *, case: Case) -> Comparison:
        if not isinstance(source, Scores) or not isinstance(target, Scores):
            return Comparison(case_id=case.id, comparator=self.name, status=Status.INCOMPARABLE, value=None)
        same = bool(source.values[0, 0] == target.values[0, 0])
        status = Status.MATCH if same else Status.MISMATCH
        return Comparison(case_id=case.id, comparator=self.name, status=status, value=float(not same))


@dataclass(frozen=True)
class Straight:
    name: str = "straight"
    source: str = "sagemaker"
    target: str = "sagemaker"

    def translate(self, request: Request) -> Translation:
        dropped = Departure(field="top_k", source_value="40", target_value=None, reason="there is none")
        return Translation(Request(Task.TABULAR, request.payload), (dropped,))


class Codec:
    def read_request(self, recording: Recording) -> Request:
        return Request(Task.TABULAR, recording.request_body.decode())

    def from_http(self, recording: Recording) -> Wire:
        return Wire(operation="Score", status=recording.status, body=recording.response_body)

    def next(self, lot: Lot, replies: tuple[Wire, ...]) -> Wire | Wait | None:
        return None if replies else Wait(1.0, Wire(operation="Score", body=lot.only.payload))

    def decode(self, lot: Lot, replies: tuple[Wire, ...]) -> Mapping[str, Reading | Unreadable]:
        return {case: Unreadable("no answer") for case in lot.requests}


class Door:
    name = "door"

    def call(self, wire: Wire, *, timeout_s: float) -> Wire:
        raise harness.Throttled("slow down", service="mine", status=429, retry_after_s=1.0)

    def refresh(self) -> bool:
        return False

    def close(self) -> None: ...


@dataclass(frozen=True)
class Mine:
    codec: Codec

    def open(self) -> Door:
        return Door()


def build(settings: SideSettings) -> Service:
    assert_type(settings.side, Side)
    return Mine(Codec())


class Plain:
    suffix = ".txt"

    def render(self, report: ParityReport) -> bytes:
        verdict = report.decision.verdict if report.decision is not None else Verdict.INCONCLUSIVE
        return verdict.value.encode()


comparator: Comparator = SameFirst()
pair: Pair = Straight()
endpoint: Endpoint = Door()
reporter: Reporter = Plain()


def from_python(suite: Path) -> Finished:
    project = harness.load_project(suite)
    plan = harness.make_plan(suite, project.profiles["staging"], sample=None)
    finished = harness.run_plan(plan, reports=project.reports)
    assert_type(finished.decision, Decision | None)
    return finished


def other_tools_rows(rows: Path, policy: Path) -> Verdict:
    decision = harness.decide(harness.read_rows(rows), harness.load_policy(policy), decided_at=datetime.now(UTC))
    assert_type(decision.findings[0].verdict, Verdict)
    return decision.verdict


class Gateway:
    """A switch of one's own is one by its shape."""

    name = "gateway"
    mirror_limit = 0

    def read(self) -> Shares:
        return Shares.of(10)

    def set(self, shares: Shares) -> None:
        assert_type(shares.target, int)


def own_switch() -> Switch:
    return Gateway()


class WithoutSignature:
    name = "unsigned"

    def compare(self, source: Output, target: Output, *, case: Case) -> Comparison:
        raise NotImplementedError


def mistakes(scores: Scores, decision: Decision, wire: Wire) -> None:
    unsigned: Comparator = WithoutSignature()  # type: ignore[assignment]
    decision.verdict = Verdict.GO  # type: ignore[misc]
    scores.columns = ()  # type: ignore[misc]
    Wire("Score", 200)  # type: ignore[call-arg]
    harness.decide(rows=None, policy=None, decided_at=None)  # type: ignore[arg-type]
    harness.Nosuch  # type: ignore[attr-defined]  # noqa: B018 - the point is that it is not there
    assert_type(wire.status, int | None)
    del unsigned
