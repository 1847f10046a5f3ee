"""Cases that arrive when they once did: an open loop, beside the usual one in which calls wait for each other.

A closed loop slows down with the service it measures and so never shows what a peak does (B. Schroeder, A. Wierman and
M. Harchol-Balter, "Open versus closed: a cautionary tale", NSDI 2006). Here each call starts at its recorded moment,
divided by the speed, whatever is still in flight. What is in flight is bounded all the same; where the bound holds a
call back, that is measured and told, and withholds GO.
"""

from __future__ import annotations

import threading
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.core.call import Role
from harness.core.verdict import Finding, Verdict
from harness.errors import ConfigError

if TYPE_CHECKING:
    from harness.run.plan import Plan

LATE_S = 0.1  # a call that starts this much after it was due counts as late
BEHIND_S = 1.0  # a run that fell this far behind has not put the recorded load on either side


@dataclass(frozen=True, slots=True)
class Work:
    """Conversations about one case, one after the other. due_s: when to start, after the first; None: when it can."""

    index: int
    roles: tuple[Role, ...]
    ask: int = 0
    due_s: float | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """speed: a multiple of the recorded pace. in_flight: most calls at once, both sides together."""

    speed: float
    in_flight: int

    def __str__(self) -> str:
        return f"recorded, speed {self.speed:g}"


def speed_of(arrival: str | None, speed: float | None) -> float | None:
    """What two options of a door say together; None for calls that wait for each other. Raises ConfigError."""
    if arrival is None and speed is not None:
        raise ConfigError(
            "a speed multiplies the recorded pace: add --arrival recorded, under pytest --parity-arrival recorded."
        )
    return None if arrival is None else 1.0 if speed is None else speed


@dataclass(frozen=True, slots=True, kw_only=True)
class Lateness:
    """How well the recorded pace was kept. calls: conversations started; late: over LATE_S after they were due.

    behind_s: the longest delay, in seconds. resumed: the run was interrupted, so the load was not one piece.
    """

    calls: int
    late: int
    behind_s: float
    resumed: bool = False

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Lateness | None:
        """From `run.json`; None for a run whose calls waited for each other, or that has not ended."""
        return cls(**record) if record else None

    def finding(self) -> Finding | None:
        """What withholds GO; None where the recorded load was there."""
        if self.behind_s < BEHIND_S and not self.resumed:
            return None
        return Finding(criterion="arrival", metric="", verdict=Verdict.INCONCLUSIVE, reason=self.told())

    def told(self) -> str:
        """In words, with the numbers."""
        if self.resumed:
            return (
                "The run was interrupted and resumed, so the recorded load was not on the services in one piece. Run "
                "it again from the start."
            )
        share = f"{self.late:,} of {self.calls:,} calls started over {LATE_S:g} s late"
        if self.behind_s < BEHIND_S:
            return f"Calls started as they were recorded; {share}, the latest by {self.behind_s:.2f} s."
        return (
            f"Fell behind by {self.behind_s:.1f} s: {share}, because as many calls as are allowed were in flight. The "
            "services were not under the recorded load. Raise in_flight under [profiles.NAME.limits], or lower --speed."
        )


UNKNOWN = Lateness(calls=0, late=0, behind_s=0.0, resumed=True)  # a run that ended before it could be written down


@dataclass(slots=True)
class Watch:
    """Collects how late calls started. Safe to share by threads."""

    calls: int = 0
    late: int = 0
    behind_s: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def started(self, late_s: float) -> None:
        with self._lock:
            self.calls += 1
            self.late += late_s > LATE_S
            self.behind_s = max(self.behind_s, late_s)

    def lateness(self, *, resumed: bool) -> Lateness:
        return Lateness(calls=self.calls, late=self.late, behind_s=round(self.behind_s, 3), resumed=resumed)


def timetable(plan: Plan, arrival: Arrival, finished: Container[tuple[int, int, Role]]) -> list[Work]:
    """What is left to ask, by rising time: each side of a case starts by itself, at the case's moment.

    A second source call follows the first; it would double the source's load if it came beside it.
    Raises ConfigError naming the first case of which no moment is recorded.
    """
    moments = []
    for index in plan.order.tolist():
        stored = plan.golden.recording(index)
        at = stored.recording.provenance.captured_at
        if at is None:
            raise ConfigError(
                f"{plan.suite.golden.name}, case {stored.id}: the recording does not say when it was captured "
                "(captured_at), so cases cannot arrive as they were recorded. Leave out --arrival recorded."
            )
        moments.append((at.timestamp(), index))
    moments.sort()
    begin_s = moments[0][0]
    return [
        Work(index, roles, due_s=(at_s - begin_s) / arrival.speed)
        for at_s, index in moments
        for roles in _by_side(plan.roles(index))
        if not all((index, 0, role) in finished for role in roles)
    ]


def _by_side(roles: tuple[Role, ...]) -> list[tuple[Role, ...]]:
    sides = dict.fromkeys(role.side for role in roles)
    return [tuple(role for role in roles if role.side is side) for side in sides]
