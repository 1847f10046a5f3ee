"""One suite over its nights: which units come next, and what all nights of the epoch say with tonight's.

The verdict of a night is the worst of three: the answer over all nights of the epoch, whose first crossing is final;
what the newest nights refuse (`gate.alarm`); and an alarm that an earlier night of the epoch raised. A NO-GO therefore
stands until something changes, and the change opens a new epoch without evidence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import cached_property

from harness.core.call import Side
from harness.core.night import ALARM, EARLIER, Night, SuiteNight, Told
from harness.core.report import Look, ParityReport
from harness.core.rows import Flags, Rows
from harness.core.verdict import Decision, Finding, Verdict
from harness.errors import LedgerError
from harness.gate import alarm
from harness.gate.conditions import WATCH, Conditions
from harness.gate.decide import decide
from harness.run import provenance, session
from harness.run.nightly_changes import changes
from harness.run.plan import Plan
from harness.run.portion import NEW, choose
from harness.run.store import Store

WHOLE = "whole"
EXHAUSTED = "Pool exhausted: tonight's replays are compared on their own and add no evidence."
IMPORT = "Import newer traffic into the golden set: parity import, parity golden merge."


@dataclass(frozen=True)
class Evidence:
    """What earlier nights left behind of one suite under one profile. nights: oldest first."""

    store: Store
    nights: Sequence[tuple[Night, SuiteNight]]

    @cached_property
    def real(self) -> tuple[tuple[Night, SuiteNight], ...]:
        """Nights that ran, without rehearsals of a planted fault."""
        return tuple(found for found in self.nights if found[1].run is not None and found[1].planted is None)

    def of_epoch(self, epoch: str) -> tuple[tuple[Night, SuiteNight], ...]:
        return tuple(found for found in self.real if found[1].epoch == epoch)

    def rows(self, epoch: str) -> tuple[Rows, ...]:
        """Of every night of the epoch that added evidence, oldest first. Raises LedgerError where some are lost."""
        return tuple(self._read(one) for _, one in self.of_epoch(epoch) if one.counts)

    def _read(self, one: SuiteNight) -> Rows:
        from harness.gate.rows_file import open_rows

        file = open_rows(self.store.fetch(f"{one.run}/rows.parquet"))
        if file.sha256 != one.rows_sha256:
            raise LedgerError(f"{file.path}: not the rows that its night was decided on. Restore the file.")
        return file.rows

    def next_portion(self, made: Plan, *, night: str, units: int) -> Plan:
        """The plan of tonight: units that the epoch has not seen; of a fixed sample, the whole.

        Which epoch it is depends on what will serve the sides. It is taken to be what served them last under the same
        settings; where that proves wrong, tonight's units are the first of another epoch.
        """
        if made.policy.mode == "fixed":
            return made
        settings = provenance.settings(made)
        served = self._served(settings)
        conditions = replace(made.policy.conditions, made_by={**settings, **served})
        epoch = made.policy.under(conditions).epoch_id
        return choose(
            made,
            night=night,
            units=units,
            seen=seen(self.rows(epoch)),
            served=served,
            calibration_s=tuple(value for _, one in self.of_epoch(epoch) for value in one.calibration_s),
        )

    def _served(self, settings: Mapping[str, str]) -> dict[str, str]:
        """Side -> what served it last under these settings."""
        sides = {side.value for side in Side}
        for _, one in reversed(self.real):
            if {name: value for name, value in one.made_by.items() if name not in sides} == settings:
                return {name: value for name, value in one.made_by.items() if name in sides}
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tonight:
    """A suite's run of tonight. made: its plan; night: its name."""

    made: Plan
    ran: session.Finished
    night: str
    decided_at: datetime


def seen(rows: Sequence[Rows]) -> set[str]:
    """Clusters that have a row."""
    return {name for part in rows for name in part.cluster.present()}


def over_nights(tonight: Tonight, evidence: Evidence) -> tuple[SuiteNight, ParityReport]:
    """What the night says of this suite, and its report. Raises LedgerError where earlier evidence is lost."""
    from harness.gate.rows_file import open_rows

    ran, record = tonight.ran, tonight.ran.folder.read_record()
    file = open_rows(ran.folder.rows)
    policy = tonight.made.policy.under(Conditions.of(asdict(record)))
    portion = tonight.made.portion
    if portion is None:
        if ran.decision is None:
            raise LedgerError(f"run {record.run} is partial, and a night is made of whole runs.")
        judged = _Judged(ran.decision, WHOLE, file.rows, file.rows)
    else:
        judged = _judge(tonight, evidence, file.rows)
        if portion.kind != judged.kind:  # what serves the sides has changed, so that nothing was seen before
            told = portion.document() | {"kind": judged.kind}
            ran.folder.write_record(replace(record, portion=told))
    epoch = policy.epoch_id
    mates = evidence.of_epoch(epoch) if portion is not None else ()
    before = _running(mates)
    bets: dict[str, float] = {}
    if portion is not None:
        bets = alarm.log_bets(
            judged.new if judged.kind == NEW else judged.tonight, policy, decided_at=tonight.decided_at
        )
    figures = alarm.carried(before, bets) if judged.kind == NEW else dict(before)
    alarms = alarm.refused(figures if judged.kind == NEW else bets, questions=len({*before, *bets}))
    earlier = next((found for found in mates if found[1].alarms), None)
    decision = _with_alarms(judged.decision, alarms, earlier, watch=judged.kind == WATCH)
    epochs = list(dict.fromkeys(one.epoch for _, one in evidence.real))
    number = epochs.index(epoch) + 1 if epoch in epochs else len(epochs) + 1
    one = SuiteNight(
        suite=tonight.made.suite.name,
        title=tonight.made.suite.title,
        kind=judged.kind,
        verdict=decision.verdict,
        headline=decision.headline,
        run=record.run,
        over_nights=judged.decision.verdict,
        alarms=alarms,
        alarmed_in=None if earlier is None else earlier[0].name,
        epoch=epoch,
        epochs=max(len(epochs), number),
        opened=epoch not in epochs,
        findings=tuple(_told(finding) for finding in decision.findings),
        units=len(file.rows.cluster.present()),
        seen=judged.seen,
        unseen=portion.unseen if portion is not None else 0,
        replayed=ran.report.replayed,
        planted=record.planted,
        started_at=datetime.fromisoformat(record.started_at),
        finished_at=ran.report.finished_at,
        figures=figures,
        calibration_s=ran.calibration_s if portion is not None else (),
        made_by=dict(record.made_by),
        versions=dict(ran.report.clients),
        policy_sha256=record.policy_sha256,
        suite_sha256=record.suite_sha256,
        golden_sha256=record.golden_sha256,
        rows_sha256=file.sha256,
    )
    last = evidence.real[-1] if evidence.real else None
    one = replace(one, changes=() if last is None else tuple(changes(last[1], one)))
    notes = tuple(_notes(one, last))
    decision = replace(decision, notes=(*notes, *decision.notes))
    looks = tuple(_looks([*((found) for _, found in mates if found.counts), one]))
    return (
        replace(one, notes=decision.notes),
        replace(
            ran.report,
            decision=decision,
            looks=looks,
            changes=one.changes,
            previous="" if last is None else last[1].run or "",
        ),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Judged:
    """decision: over all nights of the epoch. new: tonight's rows of units that no earlier night had. seen: units."""

    decision: Decision
    kind: str
    tonight: Rows
    new: Rows
    seen: int = 0


def _running(mates: Sequence[tuple[Night, SuiteNight]]) -> dict[str, float]:
    """log M after the newest night of the epoch that added units. A question that gave alarm begins anew: what it
    found stands as an alarm, and tonight's are to be told from it."""
    last = next((one for _, one in reversed(mates) if one.counts), None)
    return {} if last is None else {name: value for name, value in last.figures.items() if name not in last.alarms}


def _judge(tonight: Tonight, evidence: Evidence, rows: Rows) -> _Judged:
    """Decide over the epoch's nights. A night without new units leaves the answer as it was."""
    ran = tonight.ran
    record = ran.folder.read_record()
    policy = tonight.made.policy.under(Conditions.of(asdict(record)))
    past = list(evidence.rows(policy.epoch_id))
    known = seen(past)
    fresh = rows.take(~_of_clusters(rows, known))
    began = {one.run: one.started_at for _, one in evidence.of_epoch(policy.epoch_id) if one.run and one.started_at}
    kind = NEW if len(fresh) or not past else WATCH
    latest, history = (rows, past) if kind == NEW else (past[-1], past[:-1])
    decision = decide(
        latest,
        policy,
        decided_at=tonight.decided_at,
        history=history,
        started=began | {record.run: datetime.fromisoformat(record.started_at)},
        signature=ran.report.signature,
        findings=(*ran.beside, *(_blind(ran.findings) if kind == WATCH else ())),
    )
    return _Judged(decision, kind, rows, fresh, len(known | set(rows.cluster.present())))


def _of_clusters(rows: Rows, known: set[str]) -> Flags:
    import numpy as np

    is_known = np.array([name in known for name in rows.cluster.names] + [False], dtype=np.bool_)
    return np.asarray(is_known[rows.cluster.codes])


def _blind(findings: Sequence[Finding]) -> Iterator[Finding]:
    """Criteria of which a watch saw nothing: what was not compared tonight is not known to hold tonight."""
    lost = [one.criterion for one in findings if one.metric and one.gating and one.slice is None and not _seen(one)]
    if lost:
        yield Finding(
            criterion="watch",
            metric="",
            verdict=Verdict.INCONCLUSIVE,
            reason=f"Tonight's replays show nothing of: {', '.join(lost)}.",
        )


def _seen(finding: Finding) -> bool:
    return finding.evidence is not None or finding.verdict is not Verdict.INCONCLUSIVE


def _with_alarms(
    decision: Decision, alarms: Sequence[str], earlier: tuple[Night, SuiteNight] | None, *, watch: bool
) -> Decision:
    """The decision with what the newest nights refuse, and what an earlier night did. Both are NO-GO for the epoch."""
    newest = "Tonight alone" if watch else "The newest nights"
    findings = [
        _alarm(name, f"{newest} refuse{'s' if watch else ''} it, whatever was shown before.") for name in alarms
    ]
    said = f"{newest} refuse{'s' if watch else ''}: {'; '.join(alarms)}. " if alarms else ""
    if earlier is not None:
        night, one = earlier
        reason = (
            f"The night of {night.started_at:%Y-%m-%d} ({night.name}) refused {'; '.join(one.alarms)}, and nothing has "
            "changed since. A fix that the answers do not show is told under [epoch] of the suite: a new epoch."
        )
        findings.append(_alarm(None, reason))
        said += f"{reason} "
    if findings and decision.verdict is not Verdict.NO_GO:
        said += f"Over all nights of the epoch: {decision.verdict.value}."
    else:
        said += decision.headline
    if watch:
        advice = "" if decision.verdict is Verdict.GO else f" {IMPORT}"
        said = f"{said} {EXHAUSTED}{advice}"
    return replace(
        decision,
        verdict=Verdict.NO_GO if findings else decision.verdict,
        headline=said.strip(),
        findings=(*decision.findings, *findings),
    )


def _alarm(question: str | None, reason: str) -> Finding:
    """question: what is refused; None for what an earlier night refused."""
    name = EARLIER if question is None else f"{ALARM}{question}"
    return Finding(criterion=name, metric="", verdict=Verdict.NO_GO, reason=reason)


def _notes(one: SuiteNight, last: tuple[Night, SuiteNight] | None) -> Iterator[str]:
    if one.kind == WHOLE:
        yield "A fixed sample is one look planned in advance: every night stands alone, and nights add up to nothing."
    elif one.opened and last is not None:
        what = "; ".join(change.text for change in one.changes if change.what in ("version", "configuration"))
        yield (
            f"New epoch {one.epoch}, number {one.epochs} of this suite: {what or 'something has changed'}. It begins "
            "without evidence, and each epoch is a new chance of a wrong GO."
        )
    elif last is not None and last[1].epoch != one.epoch:
        yield f"Back in epoch {one.epoch}, whose evidence goes on, its refusals too."


def _told(finding: Finding) -> Told:
    evidence = finding.evidence
    numbers = (
        {}
        if evidence is None
        else {
            name: getattr(evidence, name)
            for name in ("units", "margin", "estimate", "low", "high", "p_go", "p_no_go", "more_units")
        }
    )
    return Told(
        **{
            "criterion": finding.criterion,
            "slice": finding.slice,
            "verdict": finding.verdict,
            "gating": finding.gating,
            "reason": finding.reason,
            "units": 0,
            "margin": finding.margin,
            **numbers,
        }
    )


def _looks(nights: Sequence[SuiteNight]) -> Iterator[Look]:
    """The evidence of every criterion after each night of the epoch; slices have none."""
    for one in nights:
        for told in one.findings:
            numbers = (told.estimate, told.low, told.high, told.margin, told.p_go, told.p_no_go)
            if told.slice is None and one.run and one.finished_at and None not in numbers:
                estimate, low, high, margin, p_go, p_no_go = (float(number or 0.0) for number in numbers)
                yield Look(
                    run=one.run,
                    at=one.finished_at,
                    criterion=told.criterion,
                    epoch=one.epoch,
                    units=told.units,
                    estimate=estimate,
                    low=low,
                    high=high,
                    margin=margin,
                    p_go=p_go,
                    p_no_go=p_no_go,
                )
