"""Drives a cutover: one step at a time, each written down before and after, each read back.

Nothing is remembered between steps but the journal, so any step may be the first one of a process. What is slow (the
evidence of the migration, live rows) is asked before the lock is taken; the share is read after it, just before the
decision. A request to roll back is looked for right before and right after each set, so that it wins against a step
that is under way.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from harness.core.case import Json
from harness.core.traffic import ALL_SOURCE, Shares, Switch
from harness.core.verdict import Verdict
from harness.errors import HarnessError, LedgerError, ServiceError, SwitchBusy, SwitchError
from harness.gate.cutover import (
    Action,
    Complete,
    Ended,
    Hold,
    Judged,
    Move,
    Plan,
    RollBack,
    Settle,
    Stop,
    next_action,
    why_not_start,
)
from harness.gate.cutover_entries import Begun, Completed, Intent, Outcome, Phase, Position, Stopped, after
from harness.run.cutover_journal import Journal, JournalBusy

LOCK_WAIT_S = 10.0
READ_BACK_S = 120.0  # how long a change may be under way
READ_PAUSE_S = 2.0
ROLLBACK_ATTEMPTS = 4
FAILURES = (SwitchError, ServiceError)
NOT_ASKED = Judged(verdict=Verdict.INCONCLUSIVE, reason="not asked")


class Did(StrEnum):
    """What a command did, or would do without its dry run."""

    MOVED = "moved"
    HELD = "waits"
    ROLLED_BACK = "rolled back"
    STOPPED = "stopped"
    COMPLETE = "complete"
    ENDED = "nothing to do"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a command has to say. applied: False in a dry run. shares: what was read last; None where nothing was."""

    did: Did
    verdict: Verdict
    stage: str
    shares: Shares | None
    reason: str
    applied: bool
    until: datetime | None = None

    def document(self) -> dict[str, Json]:
        return {
            "did": self.did.value,
            "verdict": self.verdict.value,
            "stage": self.stage,
            "shares": None if self.shares is None else dict(self.shares.document()),
            "reason": self.reason,
            "applied": self.applied,
            "until": None if self.until is None else self.until.isoformat(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """One switch and its plan. go: whether the migration may go forward; live: rows since a time, judged.

    now: UTC. pause: waits so many seconds. by: who acts, for the journal.
    """

    plan: Plan
    switch: Switch
    journal: Journal
    go: Callable[[datetime], Judged] = lambda _now: NOT_ASKED
    live: Callable[[datetime, datetime], Judged] = lambda _since, _now: NOT_ASKED
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    pause: Callable[[float], None] = time.sleep
    by: str = ""

    def start(self, *, apply: bool) -> Told:
        """Begin with the first move, or not at all; take up a start that was cut short.

        Raises SwitchError where it may not: it runs already, or traffic is not the source's alone.
        """
        at = self.journal.position()
        cut_short = at.phase is Phase.RUNNING and at.stage < 0
        rollback_first = at.intent is not None or self.journal.asked() > at.asked
        if cut_short or rollback_first:
            return self.step(apply=apply)
        found = self._read()
        if (why := why_not_start(at, found)) is not None:
            raise SwitchError(f'"{self.plan.name}" cannot be started: {why}')
        begun = Begun(at=self.now(), by=self.by, plan_sha256=self.plan.sha256)
        then = after(at, begun)
        judged = self._judge(then)
        action = self._decide(then, found, *judged)
        if not apply or not isinstance(action, Move):
            return replace(self._would(action, then, found), applied=apply)
        return self._alone(at, judged, first=begun)

    def step(self, *, apply: bool) -> Told:
        """Do the next thing, if there is one. Without `apply`: say what it would be, and touch nothing."""
        at = self.journal.position()
        judged = self._judge(at)
        if not apply:
            found = self._read()
            return self._would(self._decide(at, found, *judged), at, found)
        return self._alone(at, judged)

    def _alone(self, before: Position, judged: tuple[Judged, Judged], *, first: Begun | None = None) -> Told:
        """Act with the lock held, unless another command was faster. first: what is written before anything else."""
        try:
            with self.journal.held(LOCK_WAIT_S):
                if self.journal.position() != before:
                    return self._told(Did.HELD, before, None, "another command moved this traffic meanwhile; ask again")
                if first is not None:
                    self.journal.append(first)
                return self._act(self.journal.position(), *judged)
        except JournalBusy as busy:
            return self._told(Did.HELD, before, None, str(busy))

    def rollback(self, reason: str, *, apply: bool) -> Told:
        """Give the source everything at once. Asks nobody; works without the lock and with a damaged journal."""
        if not apply:
            found = self._read()
            at = replace(Position(), shares=found)
            return self._would(RollBack(reason), at, found)
        unwritten = ""
        try:
            self.journal.ask({"at": self.now().isoformat(), "by": self.by, "reason": reason})
        except (LedgerError, OSError) as exc:
            unwritten = f" The request could not be written down: {exc}"
        try:
            return self._roll_back_alone()
        except JournalBusy:
            self._give_back()  # at once; whoever acts finds the request and does the same
        except (LedgerError, OSError) as exc:
            found = self._give_back()
            return self._told(
                Did.ROLLED_BACK, Position(), found, f"{reason}.{unwritten} The journal could not be written: {exc}"
            )
        try:
            return self._roll_back_alone()
        except JournalBusy as exc:
            raise SwitchError(
                f"the source has all traffic now, and may lose it again: {exc}{unwritten} Ask for the rollback again "
                "until it is written down."
            ) from exc

    def _roll_back_alone(self) -> Told:
        with self.journal.held(LOCK_WAIT_S):
            return self._roll_back(self.journal.position(), self.journal.last_request())

    def running(self) -> bool:
        """Whether there is something to step on with. Raises LedgerError."""
        return self.journal.position().phase is Phase.RUNNING

    def status(self) -> tuple[Position, Shares | None, str]:
        """Where it stands, the share that is in force (None where it cannot be read) and what is wrong, if anything."""
        at = self.journal.position()
        try:
            found = self.switch.read()
        except FAILURES as exc:
            return at, None, f"the share cannot be read: {exc}"
        if self.journal.asked() > at.asked:
            return at, found, f"a rollback was asked and is not done: {self.journal.last_request()}"
        if at.intent is not None:
            return at, found, f"a move to {at.intent.after} was cut short; the next step takes it up"
        if at.phase in (Phase.RUNNING, Phase.COMPLETE, Phase.ROLLED_BACK) and found != at.shares:
            return at, found, f"the journal says {at.shares}: somebody else moved the traffic"
        return at, found, ""

    def _judge(self, at: Position) -> tuple[Judged, Judged]:
        """The migration's answer and the live one; what nobody will ask for is not asked."""
        if at.phase is not Phase.RUNNING:
            return NOT_ASKED, NOT_ASKED
        now = self.now()
        live = self.live(at.since, now) if at.since is not None else NOT_ASKED
        wanted = at.since is None or live.verdict is Verdict.GO
        return (self.go(now) if wanted else NOT_ASKED), live

    def _decide(self, at: Position, found: Shares, go: Judged, live: Judged) -> Action:
        asked = self.journal.last_request() if self.journal.asked() > at.asked else None
        return next_action(at, self.plan, found, go=go, live=live, now=self.now(), asked=asked)

    def _act(self, at: Position, go: Judged, live: Judged) -> Told:
        """For whoever holds the lock."""
        try:
            found = self._read()
        except FAILURES as exc:
            return self._blind(at, live, exc)
        action = self._decide(at, found, go, live)
        match action:
            case Settle(made=made):
                note = "found so after a process had ended in mid-move"
                self.journal.append(Outcome(at=self.now(), by=self.by, found=found, made=made, note=note))
                return self._act(self.journal.position(), go, live)
            case RollBack(reason=reason):
                return self._roll_back(at, reason, evidence=dict(live.evidence))
            case Move():
                return self._move(at, action, {"go": dict(go.evidence), "live": dict(live.evidence)})
            case Stop(reason=reason):
                expected = at.shares if at.intent is None else at.intent.after
                self.journal.append(Stopped(at=self.now(), by=self.by, expected=expected, found=found, reason=reason))
                return self._told(Did.STOPPED, at, found, reason)
            case Complete():
                self.journal.append(Completed(at=self.now(), by=self.by, evidence={"live": dict(live.evidence)}))
                return self._told(Did.COMPLETE, at, found, "every stage has held", verdict=Verdict.GO)
            case Hold() | Ended():
                return replace(self._would(action, at, found), applied=True)

    def _blind(self, at: Position, live: Judged, exc: HarnessError) -> Told:
        """What is done where the share cannot be read: back, if that is due; forward never."""
        if self.journal.asked() > at.asked:
            return self._roll_back(at, self.journal.last_request())
        if at.intent is not None and at.intent.stage is None:
            return self._roll_back(at, at.intent.reason)
        if at.stage >= 0 and live.verdict is Verdict.NO_GO:
            return self._roll_back(at, f"live criteria: {live.reason}", evidence=dict(live.evidence))
        raise SwitchError(
            f"the share of traffic cannot be read: {exc} The journal's last word is {at.shares}. Mend the switch and "
            "ask again, or roll back."
        ) from exc

    def _move(self, at: Position, move: Move, evidence: dict[str, Json]) -> Told:
        self.journal.append(
            Intent(
                at=self.now(),
                by=self.by,
                stage=move.stage,
                before=at.shares,
                after=move.shares,
                reason=move.reason,
                evidence=evidence,
            )
        )
        if self.journal.asked() > at.asked:
            return self._roll_back(self.journal.position(), self.journal.last_request())
        failure: HarnessError | None = None
        try:
            self.switch.set(move.shares)
        except FAILURES as exc:
            failure = exc
        if self.journal.asked() > at.asked:
            return self._roll_back(self.journal.position(), self.journal.last_request())
        found = self._read_after(failure, at, move)
        if found not in (at.shares, move.shares):
            return self._act(self.journal.position(), NOT_ASKED, NOT_ASKED)  # which stops, and says so
        made = found == move.shares
        note = "" if failure is None else f"the switch said: {failure}"
        self.journal.append(Outcome(at=self.now(), by=self.by, found=found, made=made, note=note))
        if not made:
            raise SwitchError(
                f"the traffic is still at {found}: the switch did not set {move.shares}"
                f"{f' ({failure})' if failure is not None else ' and said nothing'}. Ask again."
            ) from failure
        return self._told(Did.MOVED, self.journal.position(), found, move.reason, verdict=Verdict.GO)

    def _read_after(self, failure: HarnessError | None, at: Position, move: Move) -> Shares:
        try:
            return self._read()
        except FAILURES as exc:
            said = f"; setting it said: {failure}" if failure is not None else ""
            raise SwitchError(
                f"{move.shares} was asked for, and what is in force cannot be read: {exc}{said} It is that or "
                f"{at.shares}. The next step reads it and goes on from there; or roll back."
            ) from exc

    def _read(self) -> Shares:
        """The share, once no change is under way. Raises as the switch does."""
        end = time.monotonic() + READ_BACK_S
        while True:
            try:
                return self.switch.read()
            except FAILURES as exc:
                again = isinstance(exc, SwitchBusy) or (isinstance(exc, ServiceError) and exc.retryable)
                if not again or time.monotonic() >= end:
                    raise
            self.pause(READ_PAUSE_S)

    def _roll_back(self, at: Position, reason: str, *, evidence: dict[str, Json] | None = None) -> Told:
        """For whoever holds the lock. Writes as much as the disk lets it; sets in any case."""
        asked = self.journal.asked()
        unwritten = ""
        try:
            self.journal.append(
                Intent(
                    at=self.now(),
                    by=self.by,
                    stage=None,
                    before=None,
                    after=ALL_SOURCE,
                    reason=reason,
                    evidence=evidence or {},
                )
            )
        except (LedgerError, OSError) as exc:
            unwritten = f" It could not be written down: {exc}"
        found = self._give_back()
        if not unwritten:
            self.journal.append(Outcome(at=self.now(), by=self.by, found=found, made=True, asked=asked))
            at = self.journal.position()
        return self._told(Did.ROLLED_BACK, at, found, f"{reason}{unwritten}")

    def _give_back(self) -> Shares:
        """Set the source to everything until it reads so. Raises SwitchError saying what is in force instead."""
        trouble: HarnessError | None = None
        found: Shares | None = None
        for attempt in range(ROLLBACK_ATTEMPTS):
            if attempt:
                self.pause(READ_PAUSE_S)
            try:
                self.switch.set(ALL_SOURCE)
            except FAILURES as exc:
                trouble = exc
            try:
                found = self._read()
            except FAILURES as exc:
                trouble = exc
            if found == ALL_SOURCE:
                return found
        known = f"the traffic is at {found}" if found is not None else "what is in force cannot be read"
        raise SwitchError(
            f"ROLLBACK NOT DONE: {known}{f' ({trouble})' if trouble else ''}. Give the source all traffic by hand, "
            "then ask `parity cutover rollback` again, so that it is written down."
        ) from trouble

    def _would(self, action: Action, at: Position, found: Shares) -> Told:
        """What an action says before it is taken."""
        dry = Told(
            did=Did.HELD,
            verdict=Verdict.INCONCLUSIVE,
            stage=self.plan.stage_name(at.stage),
            shares=found,
            reason="",
            applied=False,
        )
        match action:
            case Move(reason=reason, shares=shares):
                return replace(dry, did=Did.MOVED, verdict=Verdict.GO, reason=f"to {shares}; {reason}")
            case RollBack(reason=reason):
                return replace(dry, did=Did.ROLLED_BACK, verdict=Verdict.NO_GO, reason=reason)
            case Settle(made=made):
                return replace(dry, reason=f"a move was cut short; its share is {'' if made else 'not '}in force")
            case Stop(reason=reason):
                return replace(dry, did=Did.STOPPED, reason=reason)
            case Hold(verdict=verdict, reason=reason, until=until):
                return replace(dry, verdict=verdict, reason=reason, until=until)
            case Complete():
                return replace(dry, did=Did.COMPLETE, verdict=Verdict.GO, reason="every stage has held")
            case Ended(reason=reason):
                verdict = Verdict.GO if at.phase is Phase.COMPLETE else Verdict.INCONCLUSIVE
                return replace(dry, did=Did.ENDED, verdict=verdict, reason=reason)

    def _told(
        self, did: Did, at: Position, found: Shares | None, reason: str, *, verdict: Verdict | None = None
    ) -> Told:
        refused = Verdict.NO_GO if did is Did.ROLLED_BACK else Verdict.INCONCLUSIVE
        stage = self.plan.stage_name(at.stage)
        return Told(did=did, verdict=verdict or refused, stage=stage, shares=found, reason=reason, applied=True)


def watch(driver: Driver, *, interval_s: float) -> Iterator[Told | HarnessError]:
    """Steps, one every `interval_s` seconds, until there is none left. A failure is told, and tried again.

    Killing it costs nothing: the next step, of whatever process, goes on.
    """
    while True:
        try:
            told = driver.step(apply=True)
        except FAILURES as exc:
            yield exc
        else:
            yield told
            if told.did in (Did.ROLLED_BACK, Did.STOPPED, Did.COMPLETE, Did.ENDED):
                return
        driver.pause(interval_s)
