"""Retries, waits and ceilings: one place, and each rule shown."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from itertools import count

import pytest

from harness.config import Limits, Price
from harness.core.call import Side, Wire
from harness.errors import Denied, Rejected, ServiceError, Throttled, TimedOut, Unavailable
from harness.run.pacing import Answered, Failed, Pacer, RateLimit, Spending, Stopped, patiently

OK = Wire(operation="score", status=200, body=b"1")


class Scripted:
    """An endpoint that plays a script: a Wire is answered, an error is raised."""

    name = "scripted"

    def __init__(self, script: Sequence[Wire | ServiceError], *, refreshes: bool = True) -> None:
        self.script = list(script)
        self.calls = 0
        self.refreshed = 0
        self._refreshes = refreshes

    def call(self, wire: Wire, *, timeout_s: float) -> Wire:
        self.calls += 1
        step = self.script.pop(0)
        if isinstance(step, ServiceError):
            raise step
        return step

    def refresh(self) -> bool:
        self.refreshed += 1
        return self._refreshes

    def close(self) -> None:
        pass


class Clocked(threading.Event):
    """A stop signal whose `wait` notes how long was asked for and returns at once."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout or 0.0)
        return self.is_set()


def pacer(endpoint: Scripted, stop: Clocked, limits: Limits | None = None, price: Price | None = None) -> Pacer:
    limits = limits or Limits(attempts=4)
    spending = Spending(limits, {Side.TARGET: price or Price()})
    ticks = count()
    return Pacer(Side.TARGET, endpoint, limits, spending, stop, seed=1, clock=lambda: next(ticks) * 0.5)


def call(endpoint: Scripted, stop: Clocked | None = None, **options: Limits | Price) -> tuple[object, list[Failed]]:
    failed: list[Failed] = []
    answered = pacer(endpoint, stop or Clocked(), **options).call(OK, case="c1", on_failure=failed.append)
    return answered, failed


@pytest.mark.parametrize("error", [Throttled, TimedOut, Unavailable])
def test_what_may_pass_is_tried_again(error: type[ServiceError]):
    answered, failed = call(Scripted([error("x", service="s"), error("x", service="s"), OK]))
    assert isinstance(answered, Answered)
    assert (answered.attempts, [item.final for item in failed]) == (3, [False, False])


def test_latency_is_the_last_attempts_alone():
    answered, _ = call(Scripted([Unavailable("x", service="s"), OK]))
    assert isinstance(answered, Answered)
    assert answered.latency_s == 0.5


@pytest.mark.parametrize("error", [Rejected, Denied])
def test_what_cannot_pass_is_not_tried_again(error: type[ServiceError]):
    endpoint = Scripted([error("no", service="s")])
    answered, failed = call(endpoint)
    assert (answered, endpoint.calls, failed[0].final) == (None, 1, True)


def test_attempts_end_and_the_last_failure_is_final():
    endpoint = Scripted([Throttled("x", service="s") for _ in range(4)])
    answered, failed = call(endpoint)
    assert answered is None
    assert [item.final for item in failed] == [False, False, False, True]
    assert failed[-1].throttled == 4


def test_retry_after_is_obeyed():
    stop = Clocked()
    call(Scripted([Throttled("x", service="s", retry_after_s=3.0), OK]), stop)
    assert [3.0 <= wait < 3.3 for wait in stop.waits] == [True]


def test_pauses_are_jittered_and_grow():
    stop = Clocked()
    call(Scripted([Unavailable("x", service="s") for _ in range(8)]), stop, limits=Limits(attempts=8))
    assert all(0 <= wait <= 0.1 * 2.0**number for number, wait in enumerate(stop.waits, start=1))
    assert len(set(stop.waits)) == 7


def test_an_expired_token_is_refreshed_and_costs_no_attempt():
    endpoint = Scripted([Denied("expired", service="s", may_refresh=True), OK])
    answered, failed = call(endpoint)
    assert isinstance(answered, Answered)
    assert (answered.attempts, failed, endpoint.refreshed) == (1, [], 1)


def test_a_credential_that_stays_refused_ends_the_run_and_blames_no_case():
    endpoint = Scripted([Denied("expired", service="s", may_refresh=True) for _ in range(2)])
    with pytest.raises(Denied):
        call(endpoint)


def test_the_ceiling_on_calls_stops_before_the_call_that_would_pass_it():
    endpoint = Scripted([OK, OK])
    one = pacer(endpoint, Clocked(), Limits(calls=1))
    one.call(OK, case="c1", on_failure=lambda _: None)
    with pytest.raises(Stopped, match="1 calls"):
        one.call(OK, case="c2", on_failure=lambda _: None)
    assert endpoint.calls == 1


def test_the_ceiling_on_cost_counts_failed_attempts_too():
    endpoint = Scripted([Unavailable("x", service="s"), OK])
    with pytest.raises(Stopped, match="USD"):
        call(endpoint, limits=Limits(cost_usd=0.015), price=Price(per_call_usd=0.01))
    assert endpoint.calls == 1


def test_the_ceiling_on_tokens_holds_from_the_next_call_on():
    spending = Spending(Limits(tokens=100), {})
    spending.before_call(Side.SOURCE)
    spending.after_call(Side.SOURCE, 80, 30)
    with pytest.raises(Stopped, match="100 tokens"):
        spending.before_call(Side.SOURCE)


def test_a_rate_limit_spaces_the_starts():
    now = 100.0
    limit = RateLimit(4.0, clock=lambda: now)
    assert [limit.wait_s() for _ in range(3)] == [0.0, 0.25, 0.5]


def test_a_failure_carries_side_and_case():
    _, failed = call(Scripted([Rejected("no such endpoint", service="azureml")]))
    assert str(failed[0].error) == "target azureml, case c1: no such endpoint"


def test_an_interrupted_run_does_not_sleep_on():
    stop = Clocked()
    stop.set()
    with pytest.raises(Stopped, match="interrupted"):
        call(Scripted([OK]), stop)


def test_a_renewal_that_meets_a_busy_control_plane_is_tried_again():
    class Busy(Scripted):
        def refresh(self) -> bool:
            self.refreshed += 1
            if self.refreshed == 1:
                raise Unavailable("busy", service="azureml")
            return True

    endpoint = Busy([Denied("expired", service="s", may_refresh=True), OK])
    answered, failed = call(endpoint)
    assert isinstance(answered, Answered)
    assert (failed, endpoint.refreshed) == ([], 2)


def test_opening_is_tried_again_only_while_it_is_worth_it():
    errors: list[ServiceError] = [Unavailable("x", service="s"), Rejected("no", service="s")]
    made: list[ServiceError] = []

    def work() -> None:
        made.append(errors[len(made)])
        raise made[-1]

    with pytest.raises(Rejected):
        patiently(work, 4, lambda _: None)
    assert len(made) == 2
