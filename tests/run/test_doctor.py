"""The walk over a plan's checks: both sides at once, nothing that hangs or breaks goes unsaid."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.core.call import Side
from harness.core.case import Provenance
from harness.core.check import Check, CheckStatus, Grant, Load, Probe, fine
from harness.recordings.lines import StoredCase
from harness.recordings.store import GoldenSet, write
from harness.run import doctor
from harness.services import bedrock
from tests.run import planned
from tests.services.clouds import aws_side


@dataclass
class Looked(planned.Plain):
    """A service whose probes are given."""

    look: Callable[[], Iterable[Check]] = lambda: [fine("way", "open")]

    def probes(self, load: Load) -> tuple[Probe, ...]:
        return (Probe("way", self.look),)

    def grants(self, load: Load) -> tuple[Grant, ...]:
        return ()


def plan(folder: Path, source: Callable[[], Iterable[Check]], target: Callable[[], Iterable[Check]]) -> Any:
    answer = planned.always(1.0)
    return planned.planned(folder, Looked(answer, look=source), Looked(answer, look=target))


def test_both_sides_are_looked_at_at_once_and_told_source_first(tmp_path: Path):
    met = threading.Barrier(2, timeout=10)

    def look() -> Iterable[Check]:
        met.wait()
        return [fine("way", "open")]

    found = list(doctor.examine(plan(tmp_path, look, look)))
    assert [check.name for check in found] == ["numbers: source plain: way", "numbers: target plain: way"]
    assert {check.status for check in found} == {CheckStatus.OK}


def test_a_check_that_never_ends_is_a_problem_after_its_patience(tmp_path: Path):
    never = threading.Event()

    def hang() -> Iterable[Check]:
        never.wait()
        return []

    started = time.monotonic()
    source, target = doctor.examine(plan(tmp_path, hang, lambda: [fine("way", "open")]), patience_s=0.2)
    assert time.monotonic() - started < 5
    assert (source.status, target.status) == (CheckStatus.PROBLEM, CheckStatus.OK)
    assert "no answer within" in source.said
    never.set()


def test_a_check_that_breaks_is_not_silence(tmp_path: Path):
    def broken() -> Iterable[Check]:
        raise KeyError("x")

    source, _ = doctor.examine(plan(tmp_path, broken, lambda: [fine("way", "open")]))
    assert source.status is CheckStatus.NOT_CHECKED
    assert "KeyError" in source.said


def test_a_service_without_checks_is_looked_past(tmp_path: Path):
    answer = planned.always(1.0)
    assert list(doctor.examine(planned.planned(tmp_path, planned.Plain(answer), planned.Plain(answer)))) == []


def chat(number: int, at: datetime | None, model: str = "amazon.nova-lite-v1:0") -> StoredCase:
    case = planned.stored(number)
    asked = {"messages": [{"role": "user", "content": [{"text": f"{number}"}]}]}
    said = {"output": {"message": {"role": "assistant", "content": [{"text": "yes"}]}}, "stopReason": "end_turn"}
    body = {**said, "usage": {"inputTokens": 90, "outputTokens": 10, "totalTokens": 100}}
    recording = replace(
        case.recording,
        service="bedrock",
        operation="Converse",
        model=model,
        url=f"https://bedrock-runtime.us-east-1.amazonaws.com/model/{model}/converse",
        request_body=json.dumps(asked).encode(),
        status=200,
        response_headers={"content-type": "application/json"},
        response_body=json.dumps(body).encode(),
        provenance=Provenance(captured_at=at, captured_from="made for a test"),
    )
    return replace(case, recording=recording)


START = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("timed", [True, False])
def test_the_peak_is_the_fullest_minute_of_the_recorded_traffic(tmp_path: Path, timed: bool):
    times = [*(START + timedelta(seconds=second) for second in range(0, 50, 10)), START + timedelta(minutes=5)]
    cases = [chat(number, at if timed else None) for number, at in enumerate(times)]
    names = {"description": "d", "service": "bedrock", "operation": "Converse", "licence": "l", "source": "s"}
    write(tmp_path / "chats", iter(cases), name="chats", split="none", created_at=START, **names)
    service = bedrock.build(aws_side(endpoint="amazon.nova-lite-v1:0"))
    answer = planned.always(1.0)
    made = planned.planned(tmp_path, planned.Plain(answer), planned.Plain(answer), cases=6)
    made = replace(made, golden=GoldenSet.open(tmp_path / "chats"), source=service, target=service)
    load = doctor.load_of(made, Side.SOURCE, doctor.peak_of(made))
    assert (load.requests, load.tokens) == ((5, 500) if timed else (None, None))
    assert load.models == ("amazon.nova-lite-v1:0",)
    assert load.logged and not doctor.load_of(made, Side.TARGET).logged
