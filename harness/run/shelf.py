"""The cases that a report lists: kept on disk while a run is judged, read back worst first.

Held in memory are a few numbers a case. The file has no name and goes with the process; what it holds was cut to what
the profile lets a report show before it came here.
"""

from __future__ import annotations

import heapq
import json
import tempfile
import weakref
from collections.abc import Callable, Iterator
from dataclasses import asdict

from harness.core.report import WorstCase

MOST_PER_METRIC = 2_000


class Shelf:
    """`add` cases, then `cases`. The worst MOST_PER_METRIC of each metric stay."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the shelf, whoever lets go of it
        weakref.finalize(self, self._file.close)
        self._end = 0
        self._heaps: dict[str, list[tuple[float, int, int, int]]] = {}  # badness, order, start, length
        self.differing = 0

    def add(self, metric: str, badness: float, index: int, case: Callable[[], WorstCase]) -> None:
        """case: made only where it stays. index: of the case, so that equals do not depend on the order of arrival."""
        self.differing += 1
        heap = self._heaps.setdefault(metric, [])
        full = len(heap) >= MOST_PER_METRIC
        if full and (badness, -index) <= heap[0][:2]:
            return
        line = json.dumps(asdict(case()), ensure_ascii=True).encode()
        self._file.seek(self._end)
        self._file.write(line)
        item = (badness, -index, self._end, len(line))
        self._end += len(line)
        (heapq.heapreplace if full else heapq.heappush)(heap, item)

    def __len__(self) -> int:
        return sum(map(len, self._heaps.values()))

    def cases(self, start: int = 0, stop: int | None = None) -> Iterator[WorstCase]:
        """Worst first: the worst of each metric, then the second worst of each."""
        ranked = [
            (rank, metric, item)
            for metric, heap in enumerate(self._heaps.values())
            for rank, item in enumerate(sorted(heap, key=lambda one: one[:2], reverse=True))
        ]
        for _, _, (*_, place, length) in sorted(ranked, key=lambda one: one[:2])[start:stop]:
            self._file.seek(place)
            yield WorstCase(**json.loads(self._file.read(length)))
