"""The evidence of a suite that is replayed in portions: all nights of its epoch, each read as a run that stands alone.

The answer over nights is decided again from the rows of every night. Alarms of the newest night are taken from its
night.json, where they can only make the answer worse.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from harness.core.night import Night, SuiteNight
from harness.core.verdict import Decision, Finding, Verdict
from harness.errors import HarnessError, LedgerError
from harness.gate.conditions import Conditions
from harness.gate.coverage import GoldenFacts, coverage
from harness.gate.decide import decide
from harness.gate.migration_evidence import Measured
from harness.gate.policy import Policy, load_policy
from harness.run import findings, nights
from harness.run.folder import RunFolder, RunRecord
from harness.run.migration_runs import Checked, Run, check, ended
from harness.run.nightly_suite import Evidence
from harness.run.session import combine
from harness.run.store import Store


@dataclass(frozen=True, slots=True)
class Nights:
    """Every finished night of a project. finished: in the order in which they began."""

    store: Store
    finished: Sequence[Night]

    def failed_since(self, run: Run | None, suite: str, profile: str) -> Measured | None:
        """The newest night of a suite, where it could not be run in it and no run began since."""
        newest = nights.newest(self.finished, suite, profile)
        if newest is None or newest[1].run is not None:
            return None
        night, one = newest
        if run is not None and run.place[0] > night.started_at:
            return None
        return Measured(run=night.name, unended=f"night {night.name}: the suite could not be run: {one.error}")

    def fetch(self, suite: str, profile: str) -> None:
        """Bring the runs that the newest answer stands on here, from the store behind the reports."""
        newest = nights.newest(self.finished, suite, profile)
        if newest is None:
            return
        of_epoch = [one for _, one in nights.of_suite(self.finished, suite, profile) if one.epoch == newest[1].epoch]
        for one in of_epoch:
            if one.run is not None and (one.counts or one is newest[1]):
                self.store.fetch_run(one.run)

    def elsewhere(self, run: str) -> bool:
        """Whether the recorded answers of a run never left the machine that made it."""
        return self.store.system is not None and not (self.store.reports / run / "ledger").is_dir()

    def unread(self, run: str) -> Measured:
        """What stands for evidence whose ledger cannot be read here."""
        return Measured(
            run=run,
            unended=f"the recorded answers of {run} stay on the machine that made them, and are not read here.",
            todo='Ask on that machine, or let nights be kept whole: payloads = "full" in the profile.',
        )

    def measured(self, run: Run, now: Callable[[], datetime]) -> Measured:
        """The newest portion, with those of its epoch's nights before it."""
        record, finished = run.record, ended(run)
        newest = nights.newest(self.finished, record.suite, record.profile)
        if finished is None or newest is None or newest[1].run != record.run:
            todo = f"parity nightly --resume {record.night}"
            return Measured(run=record.run, unended=f"night {record.night} has not ended.", todo=todo)
        try:
            return self._judged(run, newest[1], finished, now())
        except HarnessError as exc:
            return Measured(run=record.run, finished_at=finished, damage=str(exc))

    def _judged(self, run: Run, tonight: SuiteNight, finished: datetime, at: datetime) -> Measured:
        record = run.record
        policy = load_policy(run.folder.policy).under(Conditions.of(asdict(record)))
        evidence = Evidence(self.store, nights.of_suite(self.finished, record.suite, record.profile))
        counted = [one for _, one in evidence.of_epoch(policy.epoch_id) if one.counts]
        names = dict.fromkeys([*(str(one.run) for one in counted), record.run])
        if away := next((name for name in names if self.elsewhere(name)), None):
            return self.unread(away)
        checked = {name: self._check(name) for name in names}
        decision = _decide(evidence, policy, record, counted, at)
        return Measured(
            run=record.run,
            finished_at=finished,
            began_at=min(one.book.first_at for one in checked.values()),
            measured_at=checked[record.run].book.last_at,
            decision=_no_better_than(decision, tonight),
            policy=policy,
            golden_sha256=record.golden_sha256,
            rows_sha256=_over(one.rows_sha256 for one in checked.values()),
            ledger_sha256=_over(one.book.sha256 for one in checked.values()),
            served=checked[record.run].served,
            made_by=dict(record.made_by),
        )

    def _check(self, name: str) -> Checked:
        folder = RunFolder(self.store.reports / name)
        if not (folder.path / "run.json").is_file():
            raise LedgerError(f"{folder.path}: is evidence of an earlier night, and is not there. Restore it.")
        return check(folder)


def _decide(
    evidence: Evidence, policy: Policy, record: RunRecord, counted: Sequence[SuiteNight], at: datetime
) -> Decision:
    """Over all nights of the epoch that added units. Raises LedgerError where some are lost, or none did."""
    rows = evidence.rows(policy.epoch_id)
    if not rows:
        raise LedgerError(f"no night of epoch {policy.epoch_id} added evidence.")
    beside = (
        *coverage(policy, GoldenFacts.from_document(record.golden), decided_at=at),
        *findings.conditional(record),
    )
    started = {one.run: one.started_at for one in counted if one.run and one.started_at}
    return decide(rows[-1], policy, decided_at=at, history=rows[:-1], started=started, findings=beside)


def _no_better_than(decision: Decision, tonight: SuiteNight) -> Decision:
    """What the newest night said by itself, alarms and watches included, is not made better by nights before it."""
    worst = combine([decision.verdict, tonight.verdict])
    if worst is decision.verdict or tonight.verdict is Verdict.GO:
        return decision
    said = Finding(criterion="newest night", metric="", verdict=tonight.verdict, reason=tonight.headline)
    return replace(decision, verdict=worst, findings=(*decision.findings, said))


def _over(hashes: Iterable[str]) -> str:
    """One hash over many, in their order."""
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()
