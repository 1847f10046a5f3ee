"""How the values and distances of each metric spread, target beside noise, and what each slice comes to.

One pass, in memory that does not grow with the number of cases: edges are fixed before the first value is seen.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from harness.core.report import Distribution, SliceSummary
from harness.core.verdict import Comparison, Row

BINS = 40  # of a similarity in [0, 1]
# Distances: half a decade a bin; what is smaller or larger lies in the first or the last.
LOW, HIGH, PER_DECADE = -16, 8, 2
MOST_SLICES = 2_000  # name and value, over all metrics, in the order in which they were seen

_SHARES = np.linspace(0.0, 1.0, BINS + 1)
_DISTANCES = 10.0 ** np.linspace(LOW, HIGH, (HIGH - LOW) * PER_DECADE + 1)


@dataclass(slots=True)
class _Bins:
    """Counts of one metric. between: whether any value is neither 0 nor 1, so that there is something to draw."""

    values: NDArray[np.int64] = field(default_factory=lambda: np.zeros((2, BINS), dtype=np.int64))
    distances: NDArray[np.int64] = field(default_factory=lambda: np.zeros((2, len(_DISTANCES) - 1), dtype=np.int64))
    zeros: list[int] = field(default_factory=lambda: [0, 0])
    seen: list[int] = field(default_factory=lambda: [0, 0])
    between: bool = False
    unit: str = ""


@dataclass(slots=True)
class _Means:
    rows: int = 0
    target: float = 0.0
    targets: int = 0
    noise: float = 0.0
    noises: int = 0


class Spreads:
    """Counts while a run is judged."""

    def __init__(self) -> None:
        self._bins: dict[str, _Bins] = defaultdict(_Bins)
        self._slices: dict[tuple[str, str, str], _Means] = {}

    def add_row(self, row: Row) -> None:
        """A row of any metric."""
        bins = self._bins[row.metric]
        for place, value in enumerate((row.value_target, row.value_noise)):
            if value is not None and 0.0 <= value <= 1.0:
                bins.values[place, min(int(value * BINS), BINS - 1)] += 1
                bins.between |= 0.0 < value < 1.0
        for name, of in row.slices.items():
            self._add_slice(row, name, of)

    def add_distances(self, metric: str, target: Comparison | None, noise: Comparison | None) -> None:
        """How far apart one case is in one metric: source and target, source and itself."""
        bins = self._bins[metric]
        for place, one in enumerate((target, noise)):
            if one is None or one.distance is None or not math.isfinite(one.distance) or one.distance < 0:
                continue
            bins.unit = one.unit
            bins.seen[place] += 1
            if one.distance == 0:
                bins.zeros[place] += 1
            else:
                at = math.floor((math.log10(one.distance) - LOW) * PER_DECADE)
                bins.distances[place, min(max(at, 0), len(_DISTANCES) - 2)] += 1

    def _add_slice(self, row: Row, name: str, value: str) -> None:
        key = (row.metric, name, value)
        means = self._slices.get(key)
        if means is None:
            if len(self._slices) >= MOST_SLICES:
                return
            means = self._slices[key] = _Means()
        means.rows += 1
        if row.value_target is not None and math.isfinite(row.value_target):
            means.target += row.value_target
            means.targets += 1
        if row.value_noise is not None and math.isfinite(row.value_noise):
            means.noise += row.value_noise
            means.noises += 1

    def distributions(self) -> tuple[Distribution, ...]:
        """Of metrics whose values or distances take more than two values; only the bins that hold something."""
        drawn = []
        for metric, bins in self._bins.items():
            if bins.between:
                drawn.append(_drawn(metric, "value", "", _SHARES, bins.values, (0, 0), logarithmic=False))
            if bins.distances.any():
                zeros = (bins.zeros[0], bins.zeros[1])
                drawn.append(_drawn(metric, "distance", bins.unit, _DISTANCES, bins.distances, zeros, logarithmic=True))
        return tuple(drawn)

    def slices(self) -> tuple[SliceSummary, ...]:
        """By metric, name and value."""
        return tuple(
            SliceSummary(
                metric=metric,
                name=name,
                value=value,
                rows=means.rows,
                target_mean=means.target / means.targets if means.targets else None,
                noise_mean=means.noise / means.noises if means.noises else None,
            )
            for (metric, name, value), means in sorted(self._slices.items())
        )


def _drawn(
    metric: str,
    what: str,
    unit: str,
    edges: NDArray[np.float64],
    counts: NDArray[np.int64],
    zeros: tuple[int, int],
    *,
    logarithmic: bool,
) -> Distribution:
    used = np.flatnonzero(counts.any(axis=0))
    first, last = (int(used[0]), int(used[-1])) if len(used) else (0, 0)
    target, noise = counts[:, first : last + 1].tolist()
    return Distribution(
        metric=metric,
        what=what,
        unit=unit,
        edges=tuple(edges[first : last + 2].tolist()),
        target=tuple(target),
        noise=tuple(noise) if any(noise) or zeros[1] else (),
        zeros=zeros,
        logarithmic=logarithmic,
    )
