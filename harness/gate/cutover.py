"""What a cutover does next, or why it does nothing. Pure: no clock, no file, no switch.

Forward needs everything: the share that the journal says, the plan that was begun, the bake time over, live criteria
GO, and a GO of the migration. Back needs one thing: live criteria NO-GO, or somebody who asks. INCONCLUSIVE waits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

from harness.core.case import Json
from harness.core.traffic import ALL_SOURCE, Shares
from harness.core.verdict import Verdict
from harness.errors import ConfigError
from harness.gate.canonical import canonical_json
from harness.gate.cutover_entries import Phase, Position
from harness.gate.cutover_switches import MIRROR, SwitchSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stop on the way. name: "mirror", or the percent of traffic that the target answers."""

    name: str
    shares: Shares


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Stages in rising order; the last gives the target everything. bake_s: least time at each, in seconds."""

    name: str
    stages: tuple[Stage, ...]
    bake_s: float
    sha256: str

    def stage_name(self, index: int) -> str:
        """The name of the stage at this place of the plan; a plan that was edited may not have it."""
        if index < 0:
            return "0 %"
        return self.stages[index].name if index < len(self.stages) else f"number {index + 1}"


def plan_of(settings: SwitchSettings, *, live_policy_sha256: str, mirror_limit: int) -> Plan:
    """The plan of one switch. Raises ConfigError where the switch cannot mirror as the stages ask."""
    if MIRROR in settings.stages and settings.mirror_percent > mirror_limit:
        can = f"mirrors at most {mirror_limit} %" if mirror_limit else "cannot mirror"
        raise ConfigError(
            f'{settings.mover.where}: the switch "{settings.mover.use}" {can}, and the stage "mirror" asks for '
            f"{settings.mirror_percent} %. Set mirror_percent, configure the mirror, or leave the stage out."
        )
    stages = tuple(
        Stage(name=MIRROR, shares=Shares.of(0, mirror=settings.mirror_percent))
        if one == MIRROR
        else Stage(name=f"{one} %", shares=Shares.of(int(one)))
        for one in settings.stages
    )
    planned: dict[str, Json] = {
        "use": settings.mover.use,
        "options": dict(settings.mover.options),
        "stages": list(settings.stages),
        "bake_minutes": settings.bake_minutes,
        "mirror_percent": settings.mirror_percent,
        "live_policy": live_policy_sha256,
    }
    digest = hashlib.sha256(canonical_json(planned)).hexdigest()
    return Plan(name=settings.mover.name, stages=stages, bake_s=settings.bake_minutes * 60, sha256=digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A verdict with its reason. evidence: what it rests on, for the journal.

    oldest: when the oldest run that it rests on was started (UTC); None where there is none.
    """

    verdict: Verdict
    reason: str
    evidence: Mapping[str, Json] = field(default_factory=dict)
    oldest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """Set the shares of this stage."""

    stage: int
    shares: Shares
    reason: str


@dataclass(frozen=True, slots=True)
class RollBack:
    """Give the source everything."""

    reason: str


@dataclass(frozen=True, slots=True)
class Settle:
    """Write the outcome of a move that a process left open."""

    made: bool


@dataclass(frozen=True, slots=True)
class Stop:
    """Leave the traffic alone: its share is not what the journal says."""

    reason: str


@dataclass(frozen=True, slots=True)
class Hold:
    """Nothing now. until: when the bake time is over, where that is what is waited for."""

    verdict: Verdict
    reason: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Complete:
    """The last stage has held."""


@dataclass(frozen=True, slots=True)
class Ended:
    """There is nothing to drive: not started, stopped, rolled back or complete."""

    reason: str


Action: TypeAlias = Move | RollBack | Settle | Stop | Hold | Complete | Ended


def next_action(
    at: Position, plan: Plan, found: Shares, *, go: Judged, live: Judged, now: datetime, asked: str | None = None
) -> Action:
    """What to do at this position, `found` being the share that was read just now.

    go: of the whole migration; live: of the rows since the present stage was set. asked: why somebody asked to roll
    back, None where nobody did. now: UTC.
    """
    if asked is not None:
        return RollBack(asked)
    if at.intent is not None and at.intent.stage is None:
        return RollBack(at.intent.reason)
    if at.phase is not Phase.RUNNING:
        return Ended(_ended(at))
    if at.intent is not None:
        if found in (at.intent.after, at.intent.before):
            return Settle(made=found == at.intent.after)
        return Stop(_moved(found, at.intent.after, at.intent.before))
    if found != at.shares:
        return Stop(_moved(found, at.shares, None))
    if at.stage >= 0 and live.verdict is Verdict.NO_GO:
        return RollBack(f"live criteria at stage {plan.stage_name(at.stage)}: {live.reason}")
    return _forward(at, plan, go=go, live=live, now=now)


def _forward(at: Position, plan: Plan, *, go: Judged, live: Judged, now: datetime) -> Action:
    if plan.sha256 != at.plan_sha256:
        return Hold(
            Verdict.INCONCLUSIVE,
            "the plan is not the one that was begun (switch, stages, bake time or live policy were edited). Put it "
            "back, or roll back and start anew.",
        )
    if at.stage >= 0 and at.since is not None:
        until = at.since + timedelta(seconds=plan.bake_s)
        if now < until:
            return Hold(Verdict.INCONCLUSIVE, f"bakes until {until:%Y-%m-%d %H:%M:%S} UTC", until)
        if live.verdict is not Verdict.GO:
            return Hold(live.verdict, f"live criteria: {live.reason}")
    if at.stage + 1 == len(plan.stages):
        return Complete()
    if go.verdict is not Verdict.GO:
        return Hold(go.verdict, f"the way forward: {go.reason}")
    if at.rolled_back_at is not None and (go.oldest is None or go.oldest <= at.rolled_back_at):
        return Hold(
            Verdict.INCONCLUSIVE,
            f"traffic was rolled back at {at.rolled_back_at:%Y-%m-%d %H:%M} UTC, and the GO rests on runs from before "
            "that. Run the suites again.",
        )
    following = plan.stages[at.stage + 1]
    return Move(at.stage + 1, following.shares, f"the way forward: {go.reason}")


def why_not_start(at: Position, found: Shares) -> str | None:
    """Why a cutover cannot begin here; None where it can. A GO is asked of each step, the first included."""
    if at.phase not in (Phase.IDLE, Phase.ROLLED_BACK):
        return f"it is {at.phase.value}: parity cutover status tells more, and only a rollback makes room for another."
    if found != ALL_SOURCE:
        return f"traffic must begin at the source alone, and it is at {found}. Move it there, or roll back, which does."
    return None


def _moved(found: Shares, wanted: Shares, before: Shares | None) -> str:
    either = f"{wanted}" if before is None else f"{before} or {wanted}"
    return (
        f"the traffic is at {found}, and the journal says {either}: somebody else moved it. Find out who, then roll "
        "back and start anew."
    )


def _ended(at: Position) -> str:
    match at.phase:
        case Phase.IDLE:
            return "it has not been started: parity cutover start"
        case Phase.ROLLED_BACK:
            return f"it was rolled back: {at.reason}"
        case Phase.STOPPED:
            return f"it was stopped: {at.reason}"
        case _:
            return at.reason
