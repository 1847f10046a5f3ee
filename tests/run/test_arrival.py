"""Open loop: calls start when they are due, whatever is in flight; what the bound holds back is measured and told."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from planned import Plain, always, planned, stored

from harness import config
from harness.core.call import Role, Side, Wire
from harness.core.verdict import Verdict
from harness.errors import ConfigError
from harness.recordings.store import write
from harness.run import session
from harness.run.arrival import Arrival, Lateness, timetable
from harness.run.pacing import Stopped, Timetable

MORNING = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)


def arriving(folder: Path, source: Plain, target: Plain, moments_s: list[float], arrival: Arrival, **options):
    """A plan whose cases were captured at these seconds after nine."""

    def case(number: int):
        one = stored(number)
        at = MORNING + timedelta(seconds=moments_s[number])
        provenance = replace(one.recording.provenance, captured_at=at)
        return replace(one, recording=replace(one.recording, provenance=provenance))

    write(
        folder / "golden",
        map(case, range(len(moments_s))),
        name="numbers",
        description="numbers from 0",
        service="plain",
        operation="Plain",
        licence="public domain",
        source="made for a test",
        split="none",
        created_at=MORNING,
    )
    return replace(planned(folder, source, target, **options), arrival=arrival)


def slowly(seconds: float, started: list[float], in_flight: list[int]):
    lock = threading.Lock()

    def behave(case: str, count: int) -> Wire:
        with lock:
            started.append(time.monotonic())
            in_flight.append(in_flight[-1] + 1)
        time.sleep(seconds)
        with lock:
            in_flight.append(in_flight[-1] - 1)
        return always(1)(case, count)

    return behave


def test_calls_start_at_their_moments_while_others_are_in_flight(tmp_path: Path):
    """Ten cases 0.1 s apart at twice the pace: all start within 0.45 s though each takes 0.6 s."""
    started: list[float] = []
    in_flight = [0]
    target = Plain(slowly(0.6, started, in_flight))
    moments = [number / 10 for number in range(10)]
    plan = arriving(tmp_path, Plain(always(1)), target, moments, Arrival(speed=2, in_flight=32))
    finished = session.run(plan, reports=tmp_path / "reports")
    assert max(in_flight) == 10
    for number, at in enumerate(sorted(started)):
        assert at - started[0] == pytest.approx(number * 0.05, abs=0.3)
    record = json.loads((finished.folder.path / "run.json").read_bytes())
    assert record["arrival"] == {"speed": 2, "in_flight": 32}
    assert record["lateness"]["calls"] == 20 and record["lateness"]["behind_s"] < 1
    assert not any(finding.criterion == "arrival" for finding in finished.findings)
    assert "arrival=recorded/2" in finished.report.signature


def test_a_run_that_falls_behind_says_by_how_much_and_withholds_go(tmp_path: Path):
    """Forty calls at once, two in flight: the last starts over a second late, and no load like the recorded one."""
    target = Plain(slowly(0.08, [], [0]))
    plan = arriving(tmp_path, Plain(always(1)), target, [0.0] * 40, Arrival(speed=1, in_flight=2))
    finished = session.run(plan, reports=tmp_path / "reports")
    (behind,) = [finding for finding in finished.findings if finding.criterion == "arrival"]
    assert behind.verdict is Verdict.INCONCLUSIVE
    assert "Fell behind by " in behind.reason and "in_flight" in behind.reason
    assert ("Arrival as recorded", behind.reason) in finished.report.conditions
    assert session.decide_stored(finished.folder).verdict is not Verdict.GO


def test_an_interrupted_peak_is_no_peak(tmp_path: Path):
    moments = [0.0] * 30
    limits = config.Limits(concurrency=2, calls=20)
    plan = arriving(tmp_path, Plain(always(1)), Plain(always(1)), moments, Arrival(1, 8), limits=limits)
    first = session.run(plan, reports=tmp_path / "reports")
    whole = replace(plan, profile=replace(plan.profile, limits=config.Limits(concurrency=2)))
    second = session.run(whole, reports=tmp_path / "reports", resume=first.folder)
    assert second.report.replayed == 30
    assert any("interrupted and resumed" in finding.reason for finding in second.findings)


def test_resuming_a_finished_run_says_what_it_said_before(tmp_path: Path):
    plan = arriving(tmp_path, Plain(always(1)), Plain(always(1)), [0.0] * 5, Arrival(1, 8))
    first = session.run(plan, reports=tmp_path / "reports")
    again = session.run(plan, reports=tmp_path / "reports", resume=first.folder)
    assert again.findings == first.findings


def test_each_side_has_a_start_of_its_own_and_the_second_source_call_follows_the_first(tmp_path: Path):
    plan = arriving(tmp_path, Plain(always(1)), Plain(always(1)), [3.0, 1.0], Arrival(2, 8))
    table = timetable(plan, Arrival(2, 8), set())
    assert [(work.index, work.roles, work.due_s) for work in table] == [
        (1, (Role.SOURCE, Role.SOURCE_AGAIN), 0.0),
        (1, (Role.TARGET,), 0.0),
        (0, (Role.SOURCE, Role.SOURCE_AGAIN), 1.0),
        (0, (Role.TARGET,), 1.0),
    ]
    done = {(1, 0, Role.TARGET), (0, 0, Role.SOURCE)}
    assert [(work.index, work.roles[0].side) for work in timetable(plan, Arrival(2, 8), done)] == [
        (1, Side.SOURCE),
        (0, Side.SOURCE),
        (0, Side.TARGET),
    ]


def test_a_case_without_a_moment_is_an_error_before_the_first_call(tmp_path: Path):
    source = Plain(always(1))
    plan = replace(planned(tmp_path, source, Plain(always(1))), arrival=Arrival(1, 8))
    with pytest.raises(ConfigError, match=r"case n000\d\d: the recording does not say when"):
        session.run(plan, reports=tmp_path / "reports")
    assert not source.calls


def test_waiting_for_a_moment_ends_when_the_run_does():
    stop = threading.Event()
    table = Timetable(stop)
    assert table.wait(5.0) == pytest.approx(0.0, abs=0.5)
    threading.Timer(0.05, stop.set).start()
    with pytest.raises(Stopped):
        table.wait(60.0)


def test_lateness_is_counted_from_the_moment_a_call_was_due():
    now = [100.0]
    table = Timetable(threading.Event(), clock=lambda: now[0])
    assert table.wait(10.0) == 0.0
    now[0] = 103.0
    assert table.wait(11.5) == pytest.approx(1.5)


def test_a_pace_that_was_kept_is_told_and_withholds_nothing():
    kept = Lateness(calls=1000, late=3, behind_s=0.4)
    assert kept.finding() is None
    assert "3 of 1,000 calls started over 0.1 s late" in kept.told()
