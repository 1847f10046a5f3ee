"""A ledger, read back as observations: the codecs that carried the calls now read the answers.

One pass, in the order of writing. A case is held only until its last conversation has ended, so memory follows what was
in flight, not what was recorded. A case that never finished yields nothing: it was not replayed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from harness.core.call import (
    Answer,
    CallFailure,
    FailureKind,
    Mode,
    Observation,
    Outcome,
    Role,
    Unreadable,
)
from harness.core.case import Case, Lot
from harness.core.output import Output
from harness.errors import LedgerError
from harness.run import ledger
from harness.run.plan import Plan, lot_id
from harness.run.recorded import wire_sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """What one side was asked for one case: attempts made, and how many of them were told to slow down."""

    attempts: int
    throttled: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """An observation, the case's index in the golden set, and the effort behind each role."""

    index: int
    observation: Observation
    effort: dict[Role, Effort]


@dataclass(slots=True)
class Conversation:
    """What the ledger holds of one conversation so far."""

    replies: list[ledger.Reply] = field(default_factory=list)
    failure: ledger.Attempt | None = None
    failed: int = 0
    throttled: int = 0
    over: bool = False
    at_s: float = 0.0

    def add(self, entry: ledger.Entry) -> None:
        self.at_s = entry.at_s
        if isinstance(entry, ledger.Reply):
            self.replies.append(entry)
            self.over = entry.last
        else:
            self.failure = entry
            self.failed += 1
            self.throttled += entry.kind is FailureKind.THROTTLED
            self.over = entry.final


def observations(plan: Plan, folder: Path) -> Iterator[Observed]:
    """Every case whose conversations have all ended, as soon as the last of them has.

    Raises LedgerError where the ledger is damaged.
    """
    waiting: dict[int, dict[Role, Conversation]] = {}
    for entry in ledger.read(folder):
        index = _index(plan, entry.lot)
        conversations = waiting.setdefault(index, {})
        conversation = conversations.setdefault(entry.role, Conversation())
        conversation.add(entry)
        if not conversation.over or plan.rank[index] < 0:
            continue
        roles = plan.roles(index)
        if all(role in conversations and conversations[role].over for role in roles):
            yield _observed(plan, index, {role: conversations[role] for role in roles})
            del waiting[index]


def _index(plan: Plan, lot: str) -> int:
    """Raises LedgerError for a conversation about a case that the golden set does not hold."""
    place, _, case = lot.partition(":")
    if not place.isdecimal() or int(place) >= len(plan.golden) or not case:
        raise LedgerError(f'the ledger speaks of "{lot}", a case that this golden set does not hold.')
    return int(place)


def _observed(plan: Plan, index: int, conversations: dict[Role, Conversation]) -> Observed:
    case = plan.case(index)
    translation = plan.translate(case)
    outcomes: dict[Role, Outcome] = {}
    if plan.mode is Mode.GOLDEN:
        kept = zip((Role.SOURCE, Role.SOURCE_AGAIN), plan.recorded(index), strict=True)
        outcomes = {role: said for role, said in kept if said is not None}
    for role, conversation in conversations.items():
        request = translation.request if role is Role.TARGET else case.request
        outcomes[role] = outcome(plan, Lot(lot_id(index, case), {case.id: request}), case, role, conversation)
    return Observed(
        index=index,
        observation=Observation(
            case=case,
            source=outcomes[Role.SOURCE],
            target=outcomes[Role.TARGET],
            source_again=outcomes.get(Role.SOURCE_AGAIN),
            departures=translation.departures,
        ),
        effort={role: _effort(conversation) for role, conversation in conversations.items()},
    )


def _effort(conversation: Conversation) -> Effort:
    """Every attempt that was recorded: those before a kill count too, and a resumed run numbers its own from 1."""
    return Effort(attempts=len(conversation.replies) + conversation.failed, throttled=conversation.throttled)


def outcome(plan: Plan, lot: Lot, case: Case, role: Role, conversation: Conversation) -> Outcome:
    """What one role said, or why it said nothing."""
    effort = _effort(conversation)
    latency_s = sum(reply.latency_s for reply in conversation.replies)
    if not conversation.replies or not conversation.replies[-1].last:
        failure = conversation.failure
        if failure is None:
            raise AssertionError(f"{lot.id}: a conversation that is over has neither a last reply nor a failure")
        return CallFailure(
            side=role.side,
            kind=failure.kind,
            message=failure.message,
            latency_s=failure.latency_s,
            attempts=effort.attempts,
            partial=_partial(plan, lot, case, role, failure),
        )
    wires = tuple(reply.wire for reply in conversation.replies)
    reading = plan.service(role.side).codec.decode(lot, wires)[case.id]
    if isinstance(reading, Unreadable):
        return CallFailure(
            side=role.side,
            kind=reading.kind,
            message=reading.message,
            latency_s=latency_s,
            attempts=effort.attempts,
            partial=reading.partial,
        )
    return Answer(
        side=role.side,
        output=reading.output,
        raw_sha256=wire_sha256(wires[-1]),
        latency_s=latency_s,
        attempts=effort.attempts,
        first_token_s=reading.first_token_s,
        served_model=reading.served_model,
        runtime=reading.runtime,
        tokens_in=reading.tokens_in,
        tokens_out=reading.tokens_out,
        tokens=reading.tokens,
    )


def _partial(plan: Plan, lot: Lot, case: Case, role: Role, failure: ledger.Attempt) -> Output | None:
    """What could be read of a stream that broke off."""
    if failure.partial is None:
        return None
    reading = plan.service(role.side).codec.decode(lot, (failure.partial,))[case.id]
    return reading.partial if isinstance(reading, Unreadable) else reading.output
