"""What a cutover's journal holds, and where a cutover stands after it. Pure: reading and writing are `run`'s.

One entry before each move (`Intent`), one after it has been read back (`Outcome`); between the two a process may die,
and the next one reads the share to learn which of the two holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias

from harness.core.case import Json
from harness.core.traffic import ALL_SOURCE, Shares
from harness.errors import LedgerError


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A cutover starts, all traffic being the source's. plan_sha256: of what was planned then."""

    at: datetime
    by: str
    plan_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A share is about to be set. stage: its place in the plan; None: a rollback. before: None where it is not known.

    evidence: the decision and the live verdict that allow it.
    """

    at: datetime
    by: str
    stage: int | None
    before: Shares | None
    after: Shares
    reason: str
    evidence: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The share that was read after an intent. made: it is the intended one. asked: bytes of requests to roll back
    that this outcome has met; 0 for other moves."""

    at: datetime
    by: str
    found: Shares
    made: bool
    note: str = ""
    asked: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """The share is not what the journal says: somebody else moves it, so this cutover does not any more."""

    at: datetime
    by: str
    expected: Shares
    found: Shares
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """The last stage has held for its time."""

    at: datetime
    by: str
    evidence: Mapping[str, Json] = field(default_factory=dict)


Entry: TypeAlias = Begun | Intent | Outcome | Stopped | Completed
KINDS: dict[str, type[Entry]] = {
    "begun": Begun,
    "intent": Intent,
    "outcome": Outcome,
    "stopped": Stopped,
    "completed": Completed,
}
_SHARES = ("before", "after", "found", "expected")


def document(entry: Entry) -> dict[str, Any]:
    """The entry as plain JSON values."""
    kind = next(name for name, one in KINDS.items() if isinstance(entry, one))
    told: dict[str, Any] = {"kind": kind}
    for name in entry.__dataclass_fields__:
        value = getattr(entry, name)
        told[name] = value.document() if isinstance(value, Shares) else value
    told["at"] = entry.at.isoformat()
    return told


def from_document(told: Mapping[str, Any]) -> Entry:
    """Raises KeyError, TypeError or ValueError where it is no entry."""
    values = {key: value for key, value in told.items() if key != "kind"}
    values["at"] = datetime.fromisoformat(values["at"])
    for key in _SHARES:
        if values.get(key) is not None:
            values[key] = Shares.from_document(values[key])
    return KINDS[told["kind"]](**values)


class Phase(StrEnum):
    """Where a cutover stands."""

    IDLE = "not started"
    RUNNING = "running"
    STOPPED = "stopped"
    ROLLED_BACK = "rolled back"
    COMPLETE = "complete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """What the journal adds up to.

    stage: place in the plan; -1 before the first. shares: what must be in force. since: when that was last set; None
    before. intent: a move whose outcome is not written. rolled_back_at: of the last rollback there was. asked: bytes of
    requests to roll back that were met. reason: why it stands where it stands.
    """

    phase: Phase = Phase.IDLE
    stage: int = -1
    shares: Shares = ALL_SOURCE
    since: datetime | None = None
    intent: Intent | None = None
    plan_sha256: str = ""
    rolled_back_at: datetime | None = None
    asked: int = 0
    reason: str = ""


def position(entries: Iterable[Entry]) -> Position:
    """Add up a journal. Raises LedgerError where an entry cannot follow those before it."""
    at = Position()
    for entry in entries:
        at = after(at, entry)
    return at


def after(at: Position, entry: Entry) -> Position:
    """Where a cutover stands after one more entry. Raises LedgerError where the entry cannot follow."""
    match entry:
        case Begun() if at.phase in (Phase.IDLE, Phase.ROLLED_BACK) and at.intent is None:
            return Position(
                phase=Phase.RUNNING, plan_sha256=entry.plan_sha256, rolled_back_at=at.rolled_back_at, asked=at.asked
            )
        case Intent(stage=None):  # always, whatever was open
            return replace(at, intent=entry)
        case Intent() if at.phase is Phase.RUNNING and at.intent is None and entry.before == at.shares:
            return replace(at, intent=entry)
        case Outcome() if at.intent is not None:
            return _settled(at, at.intent, entry)
        case Stopped() if at.phase is Phase.RUNNING:
            return replace(at, phase=Phase.STOPPED, intent=None, reason=entry.reason)
        case Completed() if at.phase is Phase.RUNNING and at.intent is None:
            return replace(at, phase=Phase.COMPLETE, reason="every stage has held")
    raise LedgerError(
        f"the journal holds an entry ({document(entry)['kind']}, {entry.at:%Y-%m-%d %H:%M:%S}) that cannot follow a "
        f"cutover that is {at.phase.value}. Nothing goes on from here; `parity cutover rollback` is still possible."
    )


def _settled(at: Position, intent: Intent, outcome: Outcome) -> Position:
    if intent.stage is None:
        if not outcome.made:
            return at  # still to be done
        return replace(
            at,
            phase=Phase.ROLLED_BACK,
            stage=-1,
            shares=ALL_SOURCE,
            since=outcome.at,
            intent=None,
            rolled_back_at=outcome.at,
            asked=max(at.asked, outcome.asked),
            reason=intent.reason,
        )
    if not outcome.made:
        return replace(at, intent=None)
    return replace(at, stage=intent.stage, shares=intent.after, since=outcome.at, intent=None, reason=intent.reason)
