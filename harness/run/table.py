"""The results of a run case by case, for tests beside a suite and for suites in which every case counts.

Made from the stored answers, without a call: what a run writes (`rows.parquet`) has numbers and no reasons, because
reasons quote answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import config
from harness.core.call import CallFailure, Observation
from harness.core.verdict import Comparison, Row, Status
from harness.run.folder import RunFolder
from harness.run.observe import observations
from harness.run.plan import Plan, again
from harness.run.rows import compare
from harness.run.shown import Shown

NOT_REPLAYED = "was not replayed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One case and one metric that a comparator or the harness scored.

    status: match, mismatch or incomparable; None for what no comparator scored. reason: why it is no match, cut to what
    the profile lets a report show; empty where it is one.
    """

    row: Row
    status: Status | None
    distance: float | None
    unit: str
    limit: float | None
    reason: str

    def columns(self) -> dict[str, Any]:
        """As a row of a table: slices are columns of their own, "slice.KEY"."""
        return {
            "case": self.row.case,
            "metric": self.row.metric,
            "cluster": self.row.cluster,
            "value_target": self.row.value_target,
            "value_noise": self.row.value_noise,
            "status_target": self.row.status_target.value,
            "status_source": self.row.status_source.value,
            "status": None if self.status is None else self.status.value,
            "distance": self.distance,
            "unit": self.unit,
            "limit": self.limit,
            "reason": self.reason,
            **{f"slice.{key}": value for key, value in self.row.slices.items()},
        }


def lines(made: Plan, folder: RunFolder) -> Iterator[Line]:
    """Every case of a stored run, metric by metric, in the order of arrival. Raises LedgerError for a damaged one."""
    show = Shown(made.profile.payloads)
    for compared in compare(made, observations(made, folder.ledger), run=folder.path.name):
        failure = _failure(compared.observed.observation)
        for row in compared.rows:
            comparison = compared.comparisons.get(row.metric)
            yield _line(row, comparison, show.reason(comparison.reason) if comparison else failure)


def stored(folder: RunFolder) -> Iterator[Line]:
    """The same, from the folder alone: the suite and the profile are those that its record names."""
    record = folder.read_record()
    profile = config.profile(config.load_project(Path(record.suite_path)), record.profile)
    return lines(again(record, profile), folder)


def failing_cases(made: Plan, folder: RunFolder) -> dict[str, str]:
    """Case -> why it is no match in everything that is compared, for a suite in which each case counts."""
    compared = {metric for metric, _ in made.comparators}
    failing: dict[str, list[str]] = {}
    seen = set()
    for line in lines(made, folder):
        seen.add(line.row.case)
        if line.row.metric in compared and line.status is not Status.MATCH:
            said = f"{line.status.value if line.status else 'not compared'}: {line.reason}"
            failing.setdefault(line.row.case, []).append(f"{line.row.metric} {said}")
    whole = {case: "\n".join(said) for case, said in failing.items()}
    return whole | {case: NOT_REPLAYED for case in _ids(made) if case not in seen}


def _ids(made: Plan) -> Iterator[str]:
    return (made.golden.recording(index).id for index in made.golden.primaries.tolist())


def _line(row: Row, comparison: Comparison | None, reason: str) -> Line:
    if comparison is None:
        return Line(row=row, status=None, distance=None, unit="", limit=None, reason=reason)
    return Line(
        row=row,
        status=comparison.status,
        distance=comparison.distance,
        unit=comparison.unit,
        limit=comparison.limit,
        reason="" if comparison.status is Status.MATCH else reason,
    )


def _failure(observation: Observation) -> str:
    """Which side gave no answer, and why; empty where both did."""
    sides: Mapping[str, object] = {"source": observation.source, "target": observation.target}
    return "; ".join(
        f"{side} {outcome.kind.value}: {outcome.message}"
        for side, outcome in sides.items()
        if isinstance(outcome, CallFailure)
    )
