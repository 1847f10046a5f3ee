"""A replay calls what is missing, once, keeps every failure, and ends cleanly."""

from __future__ import annotations

import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from planned import Plain, always, planned

from harness.config import Limits
from harness.core.call import Answer, CallFailure, FailureKind, Role, Side, Wire
from harness.errors import Denied, LedgerError, Rejected, Unavailable
from harness.run import ledger
from harness.run.ledger import Ledger
from harness.run.observe import observations
from harness.run.plan import Plan
from harness.run.runner import Done, Replay, Runner


def replay(plan: Plan, folder: Path, **options: object) -> Replay:
    with Ledger(folder) as book:
        endpoints = {side: plan.service(side).open() for side in Side}
        return Runner(plan, book, endpoints, done=Done.of(ledger.read(folder)), **options).run()


def test_every_case_goes_to_source_twice_and_to_target_once(tmp_path: Path):
    source, target = Plain(always(1)), Plain(always(1))
    done = replay(planned(tmp_path, source, target), tmp_path / "ledger")
    assert done == Replay(replayed=20, stopped=None)
    assert set(source.calls.values()) == {2}
    assert set(target.calls.values()) == {1}


def test_a_deterministic_source_is_proved_by_sixty_cases_then_called_once(tmp_path: Path):
    source, target = Plain(always(1)), Plain(always(1))
    replay(planned(tmp_path, source, target, cases=100, deterministic=True), tmp_path / "ledger")
    assert Counter(source.calls.values()) == {2: 60, 1: 40}


def test_a_resumed_run_calls_only_what_is_missing(tmp_path: Path):
    source, target = Plain(always(1)), Plain(always(1))
    first = replay(planned(tmp_path, source, target, limits=Limits(concurrency=1, calls=25)), tmp_path / "ledger")
    assert first.stopped == "the ceiling of 25 calls was reached"
    made = source.calls.total() + target.calls.total()
    assert made == 25
    again = replay(planned(tmp_path, source, target), tmp_path / "ledger")
    assert again == Replay(replayed=20, stopped=None)
    assert set(source.calls.values()) == {2}
    assert set(target.calls.values()) == {1}


def test_the_ceiling_counts_what_earlier_attempts_of_the_run_spent(tmp_path: Path):
    source, target = Plain(always(1)), Plain(always(1))
    for calls in (25, 30):
        limits = Limits(concurrency=1, calls=calls)
        replay(planned(tmp_path, source, target, limits=limits), tmp_path / "ledger")
    assert source.calls.total() + target.calls.total() == 30


def test_a_failure_of_one_side_is_kept_and_the_run_goes_on(tmp_path: Path):
    def fails_on_three(case: str, _count: int) -> Wire:
        if case == "n00003":
            raise Rejected("no", service="plain", status=400)
        return always(1)(case, 0)

    plan = planned(tmp_path, Plain(always(1)), Plain(fails_on_three))
    assert replay(plan, tmp_path / "ledger").replayed == 20
    seen = {item.observation.case.id: item.observation for item in observations(plan, tmp_path / "ledger")}
    assert len(seen) == 20
    failure = seen["n00003"].target
    assert isinstance(failure, CallFailure)
    assert (failure.kind, failure.attempts) == (FailureKind.REJECTED, 1)
    assert all(isinstance(one.target, Answer) for case, one in seen.items() if case != "n00003")


def test_attempts_and_their_failures_are_counted(tmp_path: Path):
    def flaky(case: str, count: int) -> Wire:
        if count == 1:
            raise Unavailable("try again", service="plain", status=503)
        return always(1)(case, 0)

    plan = planned(tmp_path, Plain(always(1)), Plain(flaky), cases=3)
    replay(plan, tmp_path / "ledger")
    efforts = [item.effort[Role.TARGET].attempts for item in observations(plan, tmp_path / "ledger")]
    assert efforts == [2, 2, 2]


def test_an_answer_that_cannot_be_read_is_a_failure_of_its_side(tmp_path: Path):
    garbled = Plain(lambda _case, _count: Wire(operation="Plain", status=200, body=b"{"))
    plan = planned(tmp_path, Plain(always(1)), garbled, cases=2)
    replay(plan, tmp_path / "ledger")
    targets = [item.observation.target for item in observations(plan, tmp_path / "ledger")]
    assert [target.kind for target in targets if isinstance(target, CallFailure)] == [FailureKind.UNREADABLE] * 2


def test_a_credential_that_stays_refused_ends_the_run_with_that_error(tmp_path: Path):
    def refused(_case: str, _count: int) -> Wire:
        raise Denied("expired", service="plain", status=401, may_refresh=True)

    with pytest.raises(Denied, match="target plain"):
        replay(planned(tmp_path, Plain(always(1)), Plain(refused)), tmp_path / "ledger")


def test_stopping_ends_after_the_calls_in_flight_and_keeps_them(tmp_path: Path):
    runners: list[Runner] = []

    def slow(case: str, _count: int) -> Wire:
        time.sleep(0.02)
        return always(1)(case, 0)

    plan = planned(tmp_path, Plain(slow), Plain(slow), cases=200)
    with Ledger(tmp_path / "ledger") as book:
        runner = Runner(plan, book, {side: plan.service(side).open() for side in Side}, done=Done())
        runners.append(runner)
        threading.Timer(0.3, lambda: runner.stop("enough")).start()
        done = runner.run()
    assert done.stopped == "enough"
    assert 0 < done.replayed < 200
    assert plan.source.calls.total() + plan.target.calls.total() == len(list(ledger.read(tmp_path / "ledger")))


def test_the_order_is_the_seeds_and_not_the_files(tmp_path: Path):
    asked: list[str] = []

    def note(case: str, count: int) -> Wire:
        asked.append(case)
        return always(1)(case, count)

    plan = planned(tmp_path, Plain(always(1)), Plain(note), limits=Limits(concurrency=1))
    replay(plan, tmp_path / "ledger")
    assert asked == [f"n{index:05d}" for index in plan.order.tolist()]
    assert asked != sorted(asked)


def test_either_side_may_go_first(tmp_path: Path):
    first: Counter[str] = Counter()
    seen: set[str] = set()

    def note(side: str):
        def behave(case: str, count: int) -> Wire:
            if case not in seen:
                seen.add(case)
                first[side] += 1
            return always(1)(case, count)

        return behave

    replay(planned(tmp_path, Plain(note("source")), Plain(note("target")), cases=60), tmp_path / "ledger")
    assert first["target"] > 5
    assert first["source"] > 5


def test_an_altered_ledger_is_never_compared(tmp_path: Path):
    plan = planned(tmp_path, Plain(always(1)), Plain(always(1)), cases=3)
    replay(plan, tmp_path / "ledger")
    path = tmp_path / "ledger" / "000001.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"text":"1"', b'"text":"2"', 1))
    with pytest.raises(LedgerError, match="line"):
        list(observations(plan, tmp_path / "ledger"))
