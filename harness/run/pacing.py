"""The one place that retries, waits or counts what a run may spend.

Retries: throttling, time-outs and unavailability, with full jitter between attempts (M. Brooker, "Exponential backoff
and jitter", AWS Architecture Blog, 2015); a Retry-After is obeyed. A credential that expired is refreshed and the call
made again: that is never an attempt, and never the side's failure.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from harness.config import Limits, Price
from harness.core.call import Side, Wire
from harness.core.protocols import Endpoint
from harness.errors import Denied, HarnessError, ServiceError, Throttled

BACKOFF_BASE_S = 0.1
BACKOFF_CAP_S = 20.0
RETRY_AFTER_CAP_S = 60.0


T = TypeVar("T")


def pause_s(source: random.Random, number: int, retry_after_s: float | None) -> float:
    """Seconds to wait after failed attempt `number`: full jitter, on top of what the service asked for."""
    jitter = source.uniform(0.0, min(BACKOFF_CAP_S, BACKOFF_BASE_S * 2.0**number))
    return jitter if retry_after_s is None else min(retry_after_s, RETRY_AFTER_CAP_S) + jitter


def patiently(work: Callable[[], T], attempts: int, sleep: Callable[[float], None] = time.sleep) -> T:
    """Do what every case depends on (open an endpoint, renew a credential), again where another attempt is worth it.

    Raises the last ServiceError.
    """
    for number in range(1, attempts + 1):
        try:
            return work()
        except ServiceError as error:
            if not error.retryable or number == attempts:
                raise
            sleep(pause_s(random.Random(number), number, error.retry_after_s))
    raise AssertionError("attempts is at least 1")


class Stopped(HarnessError):
    """The run ends before its last case: a ceiling was reached, or somebody asked for it. What is recorded stays."""


@dataclass(slots=True)
class Spending:
    """What was spent so far, against the ceilings of a profile. Safe to share by threads."""

    limits: Limits
    prices: dict[Side, Price]
    calls: int = 0
    tokens: int = 0
    cost_usd: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def made_before(self, calls: Mapping[Side, int]) -> None:
        """Count calls that an interrupted run has made: a ceiling holds for all its parts together."""
        with self._lock:
            self.calls += sum(calls.values())
            self.cost_usd += sum(count * self.prices.get(side, Price()).per_call_usd for side, count in calls.items())

    def before_call(self, side: Side) -> None:
        """Count one call about to be made. Raises Stopped when a ceiling would be passed."""
        price = self.prices.get(side, Price())
        with self._lock:
            self._check("calls", self.calls + 1, self.limits.calls)
            self._check("tokens", self.tokens, self.limits.tokens)
            self._check("USD", self.cost_usd + price.per_call_usd, self.limits.cost_usd)
            self.calls += 1
            self.cost_usd += price.per_call_usd

    def after_call(self, side: Side | None, tokens_in: int, tokens_out: int) -> None:
        """Count the tokens of one answer. side: None for a judge, whose prices nobody states."""
        price = self.prices.get(side, Price()) if side is not None else Price()
        with self._lock:
            self.tokens += tokens_in + tokens_out
            self.cost_usd += (tokens_in * price.per_1k_tokens_in_usd + tokens_out * price.per_1k_tokens_out_usd) / 1000

    @staticmethod
    def _check(unit: str, wanted: float, ceiling: float | None) -> None:
        if ceiling is not None and wanted > ceiling:
            raise Stopped(f"the ceiling of {ceiling:g} {unit} was reached")


class RateLimit:
    """At most `per_second` calls start each second; callers wait their turn in order."""

    def __init__(self, per_second: float | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._gap_s = 1.0 / per_second if per_second else 0.0
        self._clock = clock
        self._lock = threading.Lock()
        self._next_s = 0.0

    def wait_s(self) -> float:
        """Reserve the next start; returns how long to wait for it, in seconds."""
        if not self._gap_s:
            return 0.0
        with self._lock:
            now = self._clock()
            start = max(now, self._next_s)
            self._next_s = start + self._gap_s
            return start - now


class Timetable:
    """Lets work start at its moment, in seconds after the first of it; the clock is monotonic."""

    def __init__(self, stop: threading.Event, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._stop = stop
        self._clock = clock
        self._lock = threading.Lock()
        self._began_s: float | None = None

    def wait(self, due_s: float) -> float:
        """Returns how late it is after that wait, in seconds. Raises Stopped when the run is asked to end."""
        with self._lock:
            if self._began_s is None:
                self._began_s = self._clock() - due_s
        ahead_s = self._began_s + due_s - self._clock()
        if self._stop.is_set() or (ahead_s > 0 and self._stop.wait(ahead_s)):
            raise Stopped("the run was interrupted")
        return max(0.0, self._clock() - self._began_s - due_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """One failed attempt, as the ledger keeps it."""

    number: int
    error: ServiceError
    latency_s: float
    final: bool
    throttled: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One answer, after `attempts` attempts of which `throttled` were told to slow down."""

    wire: Wire
    latency_s: float
    attempts: int
    throttled: int


class Pacer:
    """Calls one side's endpoint as often as is worth it, as fast as is allowed, while there is budget."""

    def __init__(
        self,
        side: Side,
        endpoint: Endpoint,
        limits: Limits,
        spending: Spending,
        stop: threading.Event,
        *,
        seed: int,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.side = side
        self._endpoint = endpoint
        self._limits = limits
        self._spending = spending
        self._stop = stop
        self._rate = RateLimit(limits.requests_per_second)
        self._random = random.Random(f"{seed}:{side}")
        self._clock = clock

    def call(self, wire: Wire, *, case: str, on_failure: Callable[[Failed], None]) -> Answered | None:
        """One step of a conversation; None when every attempt failed.

        `on_failure` receives each failed attempt as it happens. Raises Stopped when the budget is used up or the run
        is asked to end, and Denied when a fresh credential is refused too: then no other case would fare better.
        """
        refreshed = False
        throttled = 0
        number = 1
        while True:
            self._sleep(self._rate.wait_s())
            self._spending.before_call(self.side)
            started = self._clock()
            try:
                reply = self._endpoint.call(wire, timeout_s=self._limits.timeout_s)
            except ServiceError as error:
                latency_s = self._clock() - started
                error.side, error.case = self.side.value, case
                if isinstance(error, Denied) and error.may_refresh:
                    # A renewal that meets a busy control plane is tried again too, and blames no case.
                    if refreshed or not patiently(self._endpoint.refresh, self._limits.attempts, self._sleep):
                        raise
                    refreshed = True
                    continue
                throttled += isinstance(error, Throttled)
                final = not error.retryable or number >= self._limits.attempts
                on_failure(Failed(number=number, error=error, latency_s=latency_s, final=final, throttled=throttled))
                if final:
                    return None
                self._sleep(pause_s(self._random, number, error.retry_after_s))
                number += 1
            else:
                return Answered(wire=reply, latency_s=self._clock() - started, attempts=number, throttled=throttled)

    def wait(self, seconds: float) -> None:
        """Wait between two steps of a conversation. Raises Stopped when the run is asked to end."""
        self._sleep(seconds)

    def _sleep(self, seconds: float) -> None:
        if self._stop.is_set() or (seconds > 0 and self._stop.wait(seconds)):
            raise Stopped("the run was interrupted")
