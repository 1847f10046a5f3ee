"""The cases that a report lists: set down on the disk while a run is judged, then put in order, the worst first.

What is held in memory is a number or two a case. `cases.jsonl` in the run's folder has one case a line, as
`core.report.CaseSummary`, cut to the profile's payload rule before it is written.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from harness.core.call import CallFailure
from harness.core.report import CaseOutcome, CaseScore, CaseSummary
from harness.core.verdict import Status
from harness.run.rows import Compared
from harness.run.shown import Shown, outcome_text

LEAST_LISTED = 1000
_RANK = {outcome: rank for rank, outcome in enumerate(CaseOutcome)}


class Spool:
    """Cases in the order of their coming, on the disk; `write` puts them in theirs. For one judging of one run."""

    def __init__(self, path: Path, show: Shown) -> None:
        self._path, self._show = path, show
        self._file: BinaryIO = path.open("wb+")
        self._places: list[tuple[int, float, int, int, int]] = []  # rank, -distance, index of the case, offset, length
        self._farthest: list[tuple[float, int]] = []  # distance and -index of cases that match
        self._end = 0
        self._telling = 0
        self.outcomes: Counter[str] = Counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)

    def add(self, compared: Compared) -> None:
        import msgspec

        outcome = outcome_of(compared)
        self.outcomes[outcome.value] += 1
        far = max((_far(one.distance) for one in compared.comparisons.values()), default=0.0)
        if outcome is not CaseOutcome.MATCHES:
            self._telling += 1
        elif not self._may_be_listed(far, compared.observed.index):
            return
        line = msgspec.json.encode(summary(compared, outcome, self._show)) + b"\n"
        self._file.write(line)
        self._places.append((_RANK[outcome], -far, compared.observed.index, self._end, len(line)))
        self._end += len(line)

    def _may_be_listed(self, far: float, index: int) -> bool:
        """Whether a case that matches is among the farthest so far: the others need no redaction and no disk."""
        if self._telling >= LEAST_LISTED:
            return False
        if len(self._farthest) < LEAST_LISTED:
            heapq.heappush(self._farthest, (far, -index))
            return True
        return heapq.heappushpop(self._farthest, (far, -index)) != (far, -index)

    def write(self, path: Path) -> None:
        """Every case that tells something, then the others, the farthest first, until LEAST_LISTED are there."""
        self._places.sort()
        partial = path.with_name(f".{path.name}")
        with partial.open("wb") as file:
            for *_, offset, length in self._places[: max(self._telling, LEAST_LISTED)]:
                self._file.seek(offset)
                file.write(self._file.read(length))
        partial.replace(path)


class ListedCases:
    """The cases of `cases.jsonl`, read a line at a time. Satisfies `core.report.Cases`; empty without a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._count = sum(1 for _ in self._lines())

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[CaseSummary]:
        import msgspec

        decode = msgspec.json.Decoder(CaseSummary).decode
        for line in self._lines():
            yield decode(line)

    def _lines(self) -> Iterator[bytes]:
        if self._path.is_file():
            with self._path.open("rb") as file:
                yield from file


def outcome_of(compared: Compared) -> CaseOutcome:
    """The worst of what was said of a case. The source's second answer may fail: it costs the floor."""
    observation = compared.observed.observation
    said = {comparison.status for comparison in compared.comparisons.values()}
    if isinstance(observation.source, CallFailure) or isinstance(observation.target, CallFailure):
        return CaseOutcome.FAILED
    if Status.MISMATCH in said:
        return CaseOutcome.DIFFERS
    return CaseOutcome.UNSCORED if Status.INCOMPARABLE in said else CaseOutcome.MATCHES


def summary(compared: Compared, outcome: CaseOutcome, show: Shown) -> CaseSummary:
    """One case as a report lists it, cut to the payload rule."""
    observation = compared.observed.observation
    sides = (observation.source, observation.target)
    slices = next((row.slices for row in compared.rows), observation.case.slices)
    return CaseSummary(
        case_id=observation.case.id,
        outcome=outcome,
        failures=tuple(
            f"{one.side.value} {one.kind.value}: {show.reason(one.message)}"
            for one in sides
            if isinstance(one, CallFailure)
        ),
        scores=tuple(
            CaseScore(
                metric=metric,
                status=said.status,
                distance=said.distance if said.distance is not None and math.isfinite(said.distance) else None,
                unit=said.unit,
                reason=show.reason(said.reason) if said.reason else "",
            )
            for metric, said in compared.comparisons.items()
        ),
        slices=slices,
        request=show(observation.case.recording.request_body.decode("utf-8", "replace")),
        source=show(outcome_text(observation.source)),
        target=show(outcome_text(observation.target)),
    )


def _far(distance: float | None) -> float:
    """Sorts a case without a distance as the farthest: nobody knows how far it is."""
    return math.inf if distance is None or math.isnan(distance) else abs(distance)
