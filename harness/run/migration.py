"""Gathers what the cutover gate asks about: of every required suite the newest run each way, as it stands on the disk.

Nothing in a run's folder is taken on trust. Its ledger is read to the end, its decision is made again from rows and
policy, and both must say what `decision.json` says. The newest run counts: an older GO never hides a newer NO-GO or
INCONCLUSIVE. Runs that can never stand for the way forward (partial, sampled, planted, recorded answers) are passed
over, and told.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from harness import config
from harness.core.call import Mode, Side
from harness.core.verdict import Verdict
from harness.errors import ConfigError, HarnessError, LedgerError, UnknownName
from harness.gate import decided, signoff
from harness.gate.conditions import Conditions
from harness.gate.cutover_file import CutoverPolicy, Required
from harness.gate.estate import load_estate
from harness.gate.migration import MigrationDecision, answer
from harness.gate.migration_evidence import Measured, SelfTested, SuiteEvidence
from harness.gate.policy import load_policy
from harness.gate.selftest import SelfTest
from harness.recordings import manifest
from harness.run import ledger_check
from harness.run.folder import RunFolder, RunRecord, write_whole
from harness.run.session import decide_stored, utc_now

SELFTEST = "selftest.json"


@dataclass(frozen=True, slots=True)
class _Run:
    folder: RunFolder
    record: RunRecord

    @property
    def place(self) -> tuple[datetime, str]:
        """When its calls began; a run that was compared again lies beside the one whose answers it has."""
        return datetime.fromisoformat(self.record.started_at).astimezone(UTC), self.record.run


def decide(
    policy: CutoverPolicy, project: config.Project, *, now: Callable[[], datetime] = utc_now
) -> MigrationDecision:
    """The answer for the migration, from what lies under the project's reports.

    Raises ConfigError where policy, estate or a suite cannot be read, LedgerError where a run's record cannot.
    """
    estate = load_estate(policy.estate)
    return answer(policy, gather(policy, project, now=now), estate, signoff.read_all(policy.folder), now())


def gather(
    policy: CutoverPolicy, project: config.Project, *, now: Callable[[], datetime] = utc_now
) -> tuple[SuiteEvidence, ...]:
    """One entry a required suite, in the policy's order."""
    runs = read_runs(project.reports)
    return tuple(_evidence(required, project, runs, policy, now) for required in policy.require)


def read_runs(reports: Path) -> tuple[_Run, ...]:
    """Every run, newest first. Raises LedgerError where a record cannot be read: it could be the one that counts."""
    runs = []
    for path in reports.glob("*/run.json"):
        folder = RunFolder(path.parent)
        runs.append(_Run(folder, folder.read_record()))
    return tuple(sorted(runs, key=lambda run: run.place, reverse=True))


def write_selftest(folder: RunFolder, record: RunRecord, found: SelfTest, *, at: datetime) -> Path:
    """Leave a self-test beside the run whose rows it used, for the cutover gate. at: UTC."""
    policy = load_policy(folder.policy)
    path = folder.path / SELFTEST
    bound = {
        "run": record.run,
        "at": at.isoformat(),
        "policy_sha256": policy.sha256,
        "suite_sha256": record.suite_sha256,
        "harness": version("parity-harness"),
    }
    write_whole(path, json.dumps({**found.document(), "bound": bound}, indent=2, allow_nan=False).encode() + b"\n")
    return path


def _evidence(
    required: Required,
    project: config.Project,
    runs: Sequence[_Run],
    asked: CutoverPolicy,
    now: Callable[[], datetime],
) -> SuiteEvidence:
    profile = config.profile(project, required.profile)
    suite = _suite(project, required.suite)
    golden = manifest.read(suite.golden / "manifest.json")
    own = [run for run in runs if (run.record.suite, run.record.profile) == (suite.name, profile.name)]
    forward, over = _newest(own, reverse=False)
    back, _ = _newest(own, reverse=True)
    return SuiteEvidence(
        suite=suite.name,
        profile=profile.name,
        source=_endpoint(suite, profile, Side.SOURCE),
        target=_endpoint(suite, profile, Side.TARGET),
        policy=load_policy(suite.path),
        golden_sha256=golden.sha256,
        harness=version("parity-harness"),
        forward=None if forward is None else _measured(forward, now),
        rehearsal=None if back is None or not required.rehearsal else _measured(back, now),
        selftest=_selftest(own) if asked.selftest else None,
        passed_over=tuple(f"{run.record.run} ({why})" for run, why in over),
        refusal=_refusal(over, now),
    )


def _suite(project: config.Project, name: str) -> config.Suite:
    path = project.folder / "suites" / name / config.SUITE_FILE
    if not path.is_file():
        known = [one.parent.name for one in project.folder.glob(f"suites/*/{config.SUITE_FILE}")]
        raise UnknownName(str(project.folder / "suites"), "suite", name, known)
    return config.load_suite(path)


def _endpoint(suite: config.Suite, profile: config.Profile, side: Side) -> str:
    return config.side_settings(profile, suite, side).endpoint


def _newest(runs: Iterable[_Run], *, reverse: bool) -> tuple[_Run | None, list[tuple[_Run, str]]]:
    """The newest run that can stand for this direction, and the newer ones that cannot, each with the reason."""
    over: list[tuple[_Run, str]] = []
    for run in runs:
        if run.record.reverse != reverse:
            continue
        why = _unfit(run.record)
        if why is None:
            return run, over
        over.append((run, why))
    return None, over


def _unfit(record: RunRecord) -> str | None:
    """Why a run can never stand for a direction, whatever it decided."""
    if record.planted is not None:
        return "a planted fault"
    if record.sample is not None:
        return "a sample"
    if record.partial:
        return "partial"
    if record.mode != Mode.DUAL:
        return f"mode {record.mode}"
    return None


def _refusal(over: Iterable[tuple[_Run, str]], now: Callable[[], datetime]) -> str | None:
    """A newer run on recorded answers says nothing for the way forward, and a NO-GO of it against."""
    for run, why in over:
        if run.record.mode != Mode.GOLDEN or run.record.planted is not None or run.record.partial:
            continue
        try:
            found = decide_stored(run.folder, now=now)
        except HarnessError:
            continue  # what cannot be decided refuses nothing; the newest whole run still has to be GO
        if found.verdict is Verdict.NO_GO:
            return f"{run.record.run} ({why}) says NO-GO"
    return None


def _measured(run: _Run, now: Callable[[], datetime]) -> Measured:
    record, folder = run.record, run.folder
    if record.finished_at is None or not (folder.rows.is_file() and folder.decision.is_file()):
        return Measured(run=record.run)
    finished = datetime.fromisoformat(record.finished_at).astimezone(UTC)
    try:
        book = ledger_check.check(folder.ledger)
        told = decided.load(folder)
        decision = decide_stored(folder, now=now)
        _must_hold_all(told, book)
    except HarnessError as exc:
        return Measured(run=record.run, finished_at=finished, damage=str(exc))
    return Measured(
        run=record.run,
        finished_at=finished,
        began_at=book.first_at,
        measured_at=book.last_at,
        decision=decision,
        policy=load_policy(folder.policy).under(Conditions.of(asdict(record))),
        golden_sha256=record.golden_sha256,
        rows_sha256=str(told.content["rows_sha256"]),
        ledger_sha256=book.sha256,
        served=_served(str(told.content["signature"])),
    )


def _must_hold_all(told: decided.Decided, book: ledger_check.Checked) -> None:
    """Rows without an answer in the ledger were not measured in this run."""
    cases = len(told.rows.cases())
    if book.asked < cases:
        raise LedgerError(f"rows of {cases:,} cases, and the ledger holds the target's answers to {book.asked:,}.")


def _served(signature: str) -> dict[str, str]:
    """What answered on each side, from the line that a decision carries."""
    source, _, target = signature.partition(" source served by=")[2].partition(" target served by=")
    return {Side.SOURCE.value: source, Side.TARGET.value: target}


def _selftest(runs: Iterable[_Run]) -> SelfTested | None:
    """The newest self-test on rows of a run of this suite that could stand for the way forward."""
    found = [
        _read_selftest(run.folder.path / SELFTEST)
        for run in runs
        if not run.record.reverse and _unfit(run.record) is None and (run.folder.path / SELFTEST).is_file()
    ]
    return max(found, key=lambda tested: tested.at, default=None)


def _read_selftest(path: Path) -> SelfTested:
    told: dict[str, Any] = decided.read_json(path)
    try:
        bound = told["bound"]
        return SelfTested(
            run=str(bound["run"]),
            at=decided.parse_time(bound["at"], str(path)),
            passed=told["exit_code"] == 0,
            conclusion=str(told["conclusion"]),
            policy_sha256=str(bound["policy_sha256"]),
            harness=str(bound["harness"]),
        )
    except (KeyError, TypeError) as exc:
        raise ConfigError(
            f"{path}: not what `parity selftest` writes. Remove it, and run the self-test again."
        ) from exc
