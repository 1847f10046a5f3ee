"""Shares counted in a simulation, with their Monte-Carlo standard error."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt


@dataclass(frozen=True, slots=True)
class Share:
    """hits of runs."""

    hits: int
    runs: int

    @classmethod
    def of(cls, flags: Iterable[bool]) -> Share:
        listed = list(flags)
        return cls(sum(map(bool, listed)), len(listed))

    @property
    def value(self) -> float:
        return self.hits / self.runs

    @property
    def error(self) -> float:
        """Standard error; at 0 and 1 that of half a hit, as nothing simulated is certain."""
        hits = min(max(self.hits, 0.5), self.runs - 0.5)
        return sqrt(hits / self.runs * (1 - hits / self.runs) / self.runs)

    def above(self, limit: float) -> bool:
        """More than three standard errors above the limit, were the limit true."""
        return self.value > limit + 3 * sqrt(limit * (1 - limit) / self.runs)

    def __str__(self) -> str:
        return f"{100 * self.value:.1f} ± {100 * self.error:.1f} %"

    @property
    def percent(self) -> str:
        """Whole percents, with the ends kept apart from what only rounds to them."""
        if 0 < self.value < 0.01:
            return "<1 %"
        if 0.99 < self.value < 1:
            return ">99 %"
        return f"{100 * self.value:.0f} %"
