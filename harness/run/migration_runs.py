"""The runs that a cutover may stand on, and each of them as it is on the disk today.

Nothing in a run's folder is taken on trust: its ledger is read to the end, its decision is made again from rows and
policy, and both must say what `decision.json` says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness.core.call import Mode, Side
from harness.errors import HarnessError, LedgerError
from harness.gate import decided
from harness.gate.conditions import Conditions
from harness.gate.migration_evidence import Measured
from harness.gate.policy import load_policy
from harness.run import ledger, ledger_check
from harness.run.folder import RunFolder, RunRecord
from harness.run.session import decide_stored


@dataclass(frozen=True, slots=True)
class Run:
    """A run's folder and what its run.json says."""

    folder: RunFolder
    record: RunRecord

    @property
    def place(self) -> tuple[datetime, str]:
        """When its calls began; a run that was compared again lies beside the one whose answers it has."""
        return datetime.fromisoformat(self.record.started_at).astimezone(UTC), self.record.run

    @property
    def unfit(self) -> str | None:
        """Why it can never stand for a direction, whatever it decided."""
        if self.record.planted is not None:
            return "a planted fault"
        if self.record.sample is not None:
            return "a sample"
        if self.record.partial:
            return "partial"
        return None if self.record.mode == Mode.DUAL else f"mode {self.record.mode}"


@dataclass(frozen=True, slots=True, eq=False)
class Checked:
    """A run whose files are whole and agree."""

    book: ledger_check.Checked
    told: decided.Decided

    @property
    def served(self) -> dict[str, str]:
        """What answered on each side, from the line that the decision carries."""
        line = str(self.told.content["signature"])
        source, _, target = line.partition(" source served by=")[2].partition(" target served by=")
        return {Side.SOURCE.value: source, Side.TARGET.value: target}

    @property
    def rows_sha256(self) -> str:
        return str(self.told.content["rows_sha256"])


def read_runs(reports: Path) -> tuple[Run, ...]:
    """Every run, newest first. Raises LedgerError where a record cannot be read: it could be the one that counts."""
    folders = [RunFolder(path.parent) for path in reports.glob("*/run.json")]
    runs = [Run(folder, folder.read_record()) for folder in folders]
    return tuple(sorted(runs, key=lambda run: run.place, reverse=True))


def newest(runs: Iterable[Run], *, reverse: bool) -> tuple[Run | None, list[tuple[Run, str]]]:
    """The newest run that can stand for this direction, and the newer ones that cannot, each with the reason."""
    over: list[tuple[Run, str]] = []
    for run in runs:
        if run.record.reverse != reverse:
            continue
        if run.unfit is None:
            return run, over
        over.append((run, run.unfit))
    return None, over


def check(folder: RunFolder) -> Checked:
    """Raises HarnessError, saying what, where the files of a decided run are damaged or do not agree."""
    book, told = ledger_check.check(folder.ledger), decided.load(folder)
    if folder.judgements.is_dir():
        for _ in ledger.read(folder.judgements):  # what judges said is a part of what was decided on
            pass
    cases = len(told.rows.cases())
    if book.asked < cases:
        raise LedgerError(f"rows of {cases:,} cases, and the ledger holds the target's answers to {book.asked:,}.")
    return Checked(book, told)


def measured(run: Run, now: Callable[[], datetime]) -> Measured:
    """A run that stands alone."""
    record, folder = run.record, run.folder
    finished = ended(run)
    if finished is None:
        return Measured(run=record.run)
    try:
        found, decision = check(folder), decide_stored(folder, now=now)
    except HarnessError as exc:
        return Measured(run=record.run, finished_at=finished, damage=str(exc))
    return Measured(
        run=record.run,
        finished_at=finished,
        began_at=found.book.first_at,
        measured_at=found.book.last_at,
        decision=decision,
        policy=load_policy(folder.policy).under(Conditions.of(asdict(record))),
        golden_sha256=record.golden_sha256,
        rows_sha256=found.rows_sha256,
        ledger_sha256=found.book.sha256,
        served=found.served,
        made_by=dict(record.made_by),
    )


def ended(run: Run) -> datetime | None:
    """When a run ended, UTC; None while it has not been judged."""
    if run.record.finished_at is None or not (run.folder.rows.is_file() and run.folder.decision.is_file()):
        return None
    return datetime.fromisoformat(run.record.finished_at).astimezone(UTC)
