"""What both doors use: run a suite, continue a run, judge a stored one again.

A session holds no state of its own; everything it needs is handed in, everything it produces lies in the run's folder.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from harness.core.call import Mode, Side
from harness.core.protocols import Endpoint
from harness.core.report import ParityReport
from harness.core.rows import Rows
from harness.core.verdict import Decision, Finding, Row, Verdict
from harness.errors import LedgerError
from harness.gate.conditions import Conditions
from harness.gate.coverage import GoldenFacts, coverage
from harness.run import findings, judging, ledger, plan, provenance, reporting
from harness.run.arrival import Work, timetable
from harness.run.cases import Spool
from harness.run.folder import RunFolder, RunRecord, finished, must_agree, new_run, note_torn, sweep, write_whole
from harness.run.observe import observations
from harness.run.pacing import Stopped, patiently
from harness.run.rows import Latencies, compare
from harness.run.runner import Done, Replay, Runner
from harness.run.shown import Shown
from harness.run.tally import Tally

CLIENTS = ("parity-harness", "boto3", "azure-ai-ml", "urllib3", "numpy", "scipy")


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that came to its end, whatever it decided. A partial run has findings and no decision.

    beside: those of the findings that are not the policy's. calibration_s: see `run.rows.Latencies.calibrated_s`.
    """

    folder: RunFolder
    report: ParityReport
    findings: tuple[Finding, ...]
    beside: tuple[Finding, ...] = ()
    calibration_s: tuple[float, ...] = ()

    @property
    def decision(self) -> Decision | None:
        return self.report.decision


class Interrupted(KeyboardInterrupt):
    """Somebody pressed Ctrl-C. What was recorded is kept; the message says how to go on."""


def utc_now() -> datetime:
    return datetime.now(UTC)


def run(
    made: plan.Plan,
    *,
    reports: Path,
    resume: RunFolder | None = None,
    partial: bool = False,
    planted: str | None = None,
    night: str = "",
    now: Callable[[], datetime] = utc_now,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Finished:
    """Replay a plan and judge it; with `resume`, do what that run left undone. night: that the run is a part of.

    Raises ConfigError before the first call where the suite cannot run, LedgerError where `resume` does not fit, and
    Interrupted, naming the run, after Ctrl-C.
    """
    record = replace(record_of(made, now(), partial=partial, planted=planted), night=night)
    folder, record = replay(made, record, reports=reports, resume=resume, now=now, progress=progress)
    with _resumable(record, "run"):
        return judge(made, folder, record, decided_at=now())


def replay(
    made: plan.Plan,
    record: RunRecord,
    *,
    reports: Path,
    resume: RunFolder | None,
    work: Sequence[Work] | None = None,
    now: Callable[[], datetime],
    progress: Callable[[int, int], None],
    command: str = "run",
) -> tuple[RunFolder, RunRecord]:
    """Make every call that is not in the ledger yet. work: what to ask; None: everything that a comparison needs.

    record: of this run, without a name; with `resume`, what that run must agree with. Raises as `run` does.
    """
    plan.preflight(made)
    judging.check(made)
    if resume is None:
        folder = new_run(reports, made.suite.name, now())
        record = _named(record, folder)
        folder.write_record(record)
        write_whole(folder.policy, made.suite.path.read_bytes())
    else:
        folder = resume
        before = folder.read_record()
        must_agree(before, record)
        record = before
    with _resumable(record, command):
        done = _replay(made, folder, work=work, now=now, progress=progress)
        record = finished(folder.read_record(), now(), done.stopped, _lateness(record, done))
        folder.write_record(record)
        return folder, record


@contextmanager
def _resumable(record: RunRecord, command: str) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt as exc:
        raise Interrupted(f"interrupted; finish this run with: parity {command} --resume {record.run}") from exc


def judge_again(made: plan.Plan, folder: RunFolder, *, now: Callable[[], datetime] = utc_now) -> Finished:
    """Compare, decide and report a stored run again, without a call. Raises LedgerError when the suite has changed."""
    record = folder.read_record()
    if record.mode == Mode.RECORD:
        raise LedgerError(f"run {record.run} recorded the source alone; there is nothing to compare.")
    must_agree(record, record_of(made, now(), partial=record.partial, planted=record.planted))
    return judge(made, folder, record, decided_at=now())


def _replay(
    made: plan.Plan,
    folder: RunFolder,
    *,
    work: Sequence[Work] | None,
    now: Callable[[], datetime],
    progress: Callable[[int, int], None],
) -> Replay:
    with ExitStack() as stack:
        book = stack.enter_context(ledger.Ledger(folder.ledger))
        sweep(folder)
        if book.torn_bytes:
            note_torn(folder, book.torn_bytes)
        done = Done.of(ledger.read(folder.ledger))
        if made.arrival is not None:
            work = timetable(made, made.arrival, done.finished)
        endpoints: dict[Side, Endpoint] = {}
        for side in made.called:
            endpoints[side] = patiently(made.service(side).open, made.profile.limits.attempts)
            stack.callback(endpoints[side].close)
        runner = Runner(made, book, endpoints, done=done, work=work, now=lambda: now().timestamp(), progress=progress)
        runner.recount(ledger.read(folder.ledger))
        replayed = runner.run()
        if replayed.stopped is not None or made.mode is Mode.RECORD:
            return replayed
        try:
            judging.ask(made, folder.ledger, folder.judgements, runner.spending, now=lambda: now().timestamp())
        except Stopped as exc:
            return replace(replayed, stopped=str(exc))
        return replayed


def judge(made: plan.Plan, folder: RunFolder, record: RunRecord, *, decided_at: datetime) -> Finished:
    """Compare what the ledger holds, decide, report. decided_at: UTC."""
    from harness.gate.rows_file import write_rows

    tally = Tally(made)
    latencies = Latencies(made)
    # Written beside and put in place when it is whole: a damaged ledger must not cost the rows that were decided on.
    partial = folder.rows.with_name(".rows.parquet")
    with Spool(folder.path / ".cases", Shown(made.profile.payloads)) as spool:
        write_rows(partial, _rows(made, folder, record.run, tally, latencies, spool))
        spool.write(folder.cases)
    partial.replace(folder.rows)
    versions = {**record.versions, **_served(tally)}
    record = replace(record, made_by=provenance.made_by(made, {side: tally.served(side) for side in Side}))
    folder.write_record(record)
    made = replace(made, policy=made.policy.under(Conditions.of(asdict(record))))
    beside = _beside(made, record, tally.replayed, decided_at)
    decision = _decide(made, folder, record, tally, versions, decided_at, beside)
    report = ParityReport(
        run=record.run,
        suite=made.suite.name,
        title=made.suite.title,
        pair=made.pair.name,
        translation=record.translation,
        profile=record.profile,
        payloads=made.profile.payloads,
        started_at=datetime.fromisoformat(record.started_at),
        finished_at=datetime.fromisoformat(record.finished_at or record.started_at),
        decision=None if record.partial else decision,
        sides=tally.sides(latencies, took_s=reporting.took_s(record)),
        metrics=tally.metrics(),
        departures=tally.departures(),
        worst=tally.worst(),
        outcomes=dict(spool.outcomes),
        cases=made.golden.manifest.primaries,
        repeats=len(made.golden) - made.golden.manifest.primaries,
        replayed=tally.replayed,
        golden_sha256=made.golden.sha256,
        clients=versions,
        seed=made.suite.seed,
        signature=_signature(made, tally, versions),
        partial=record.partial,
        stopped=record.stopped,
        planted=record.planted,
        mode=made.mode.value,
        reverse=made.reverse,
        conditions=findings.conditions(made.policy, record),
        distributions=tally.spreads.distributions(),
        slices=tally.spreads.slices(),
        waivers=reporting.waivers(made.policy, decided_at),
        estate=reporting.estate(made.suite.path),
    )
    reporting.write(folder, report)
    return Finished(folder, report, decision.findings, beside, latencies.calibrated_s())


def _rows(
    made: plan.Plan, folder: RunFolder, run_name: str, tally: Tally, latencies: Latencies, spool: Spool
) -> Iterator[Row]:
    judged = judging.Judged.of(made, folder.judgements)
    for compared in compare(made, observations(made, folder.ledger), run=run_name, judged=judged):
        tally.add(compared)
        spool.add(compared)
        latencies.add(compared.observed)
        yield from compared.rows
    for row in latencies.rows(run=run_name):
        tally.add_row(row)
        yield row


def _beside(made: plan.Plan, record: RunRecord, replayed: int, decided_at: datetime) -> tuple[Finding, ...]:
    """What the golden set, an early end and the conditions of the run have to say, besides its rows."""
    return (
        *coverage(made.policy, GoldenFacts.of(made.golden.manifest), decided_at=decided_at),
        *findings.whole(record, replayed),
        *findings.conditional(record),
    )


def _decide(
    made: plan.Plan,
    folder: RunFolder,
    record: RunRecord,
    tally: Tally,
    versions: Mapping[str, str],
    decided_at: datetime,
    beside: Sequence[Finding],
) -> Decision:
    from harness.gate.decide import decide
    from harness.gate.rows_file import open_rows

    file = open_rows(folder.rows)
    decision = decide(
        file.rows,
        made.policy,
        decided_at=decided_at,
        signature=_signature(made, tally, versions),
        findings=(*beside, *findings.portion(record)),
        notes=findings.compared_again(record),
    )
    if not record.partial:
        write_decision(folder, decision, rows_sha256=file.sha256)
    return decision


def _lateness(record: RunRecord, replay: Replay) -> Mapping[str, Any]:
    """How late calls started; a resumed run that had none left to start says what it said before."""
    if replay.lateness is None or (replay.lateness.calls == 0 and record.lateness):
        return record.lateness
    return asdict(replay.lateness)


def _signature(made: plan.Plan, tally: Tally, versions: Mapping[str, str]) -> str:
    parts = [
        f"pair={made.pair.name}",
        f"translation={made.translation}",
        f"cases={tally.replayed}",
        f"golden={made.golden.sha256[:16]}",
        f"policy={made.policy.sha256[:16]}",
        f"seed={made.suite.seed}",
        f"mode={made.mode.value}",
        *(["direction=reverse"] if made.reverse else []),
        *([f"arrival=recorded/{made.arrival.speed:g}"] if made.arrival else []),
        *(f"{metric}={comparator.signature()}" for metric, comparator in made.comparators),
        *(f"{name}={value}" for name, value in versions.items()),
    ]
    return " ".join(parts)


def _served(tally: Tally) -> dict[str, str]:
    return {f"{side.value} served by": "; ".join(tally.served(side)) or "nothing answered" for side in Side}


def client_versions() -> dict[str, str]:
    found = {}
    for name in CLIENTS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found | {"python": platform.python_version()}


def record_of(made: plan.Plan, at: datetime, *, partial: bool, planted: str | None) -> RunRecord:
    return RunRecord(
        run="",
        suite=made.suite.name,
        suite_path=str(made.suite.path),
        profile=made.profile.name,
        pair=made.pair.name,
        translation=made.translation,
        golden_sha256=made.golden.sha256,
        policy_sha256=made.policy.sha256,
        suite_sha256=made.suite_sha256,
        seed=made.suite.seed,
        cases=len(made.order),
        started_at=at.isoformat(),
        versions=client_versions(),
        sample=made.sample,
        partial=partial or made.sample is not None,
        sides=provenance.sides(made),
        planted=planted,
        golden=GoldenFacts.of(made.golden.manifest).document(),
        mode=made.mode.value,
        reverse=made.reverse,
        arrival={} if made.arrival is None else asdict(made.arrival),
        unrepeated=made.unrepeated,
        portion={} if made.portion is None else made.portion.document(),
    )


def _named(record: RunRecord, folder: RunFolder) -> RunRecord:
    return replace(record, run=folder.path.name)


def write_decision(folder: RunFolder, decision: Decision, *, rows_sha256: str) -> None:
    import json

    from harness.gate.document import document

    told = document(decision, rows_sha256=rows_sha256)
    write_whole(folder.decision, json.dumps(told, indent=2, allow_nan=False).encode() + b"\n")


def decide_stored(folder: RunFolder, *, now: Callable[[], datetime] = utc_now) -> Decision:
    """Decide a stored run again from its rows and policy alone, as `parity gate` does.

    Raises LedgerError for a partial run, which is never decided, and for one that has not been judged yet.
    """
    from harness.gate.decide import decide
    from harness.gate.policy import load_policy
    from harness.gate.rows_file import read_rows

    record = folder.read_record()
    if record.mode == Mode.RECORD:
        raise LedgerError(f"run {record.run} recorded the source alone; it decides nothing.")
    if record.partial:
        raise LedgerError(f"run {record.run} is PARTIAL (deselected criteria or a sample); the gate needs a whole run.")
    if not folder.rows.is_file():
        raise LedgerError(f"run {record.run} has no rows yet. Finish it: parity run --resume {record.run}")
    rows: Rows = read_rows(folder.rows)
    policy, at = load_policy(folder.policy).under(Conditions.of(asdict(record))), now()
    if policy.sha256 != record.policy_sha256:
        raise LedgerError(f"{folder.policy}: not the policy that run {record.run} was made under. Put it back.")
    covered = coverage(policy, GoldenFacts.from_document(record.golden), decided_at=at)
    extra = (
        *covered,
        *findings.whole(record, len(rows.cases())),
        *findings.conditional(record),
        *findings.portion(record),
        *findings.planted(record),
    )
    return decide(rows, policy, decided_at=at, findings=extra, notes=findings.compared_again(record))


def combine(decisions: Iterator[Verdict] | list[Verdict]) -> Verdict:
    """NO-GO beats INCONCLUSIVE beats GO; no decision at all is INCONCLUSIVE."""
    verdicts = list(decisions)
    for verdict in (Verdict.NO_GO, Verdict.INCONCLUSIVE):
        if verdict in verdicts:
            return verdict
    return Verdict.GO if verdicts else Verdict.INCONCLUSIVE
