"""Independent units, what was counted on the way to them, and what a test says of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.core.rows import Flags, Floats, Ints


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tally:
    """Counts up to the end of each look, shape (looks,): look by look the evidence only grows.

    rows: readings that stand, excluded ones included. excluded: the source failed. unscored: no comparator could score
    them, or a value made no sense. conflicts: readings that contradict another of the same case. contradicted:
    readings that show a source declared deterministic differing from itself. largest: cases in the largest cluster.
    """

    rows: Ints
    excluded: Ints
    unscored: Ints
    conflicts: Ints
    contradicted: Ints
    largest: Ints

    def too_many_excluded(self) -> Flags:
        """More than 2 % of the readings: whatever is left does not stand for the traffic."""
        return np.asarray(self.excluded * 50 > self.rows)

    def too_many_unscored(self) -> Flags:
        """More than 1 % of the readings that are judged."""
        return np.asarray(self.unscored * 100 > self.rows - self.excluded)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Units:
    """One number a unit, sorted by look, value and size, so that nothing depends on names or on the order of rows.

    d: mean of D over the unit's cases, in [low_end, high_end]. size: its cases. look: the night it appeared, from 0.
    cases: all cases behind the units; worse and better: those with D below and above 0. looks: number of looks.
    """

    d: Floats
    size: Ints
    look: Ints
    low_end: float
    high_end: float
    looks: int
    tally: Tally
    cases: int = 0
    worse: int = 0
    better: int = 0

    def __len__(self) -> int:
        return len(self.d)

    def counts(self) -> Ints:
        """Units up to the end of each look, shape (looks,)."""
        return np.cumsum(np.bincount(self.look, minlength=self.looks)[: self.looks])


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What one method says of one list of units against one margin, all in D.

    low, high: one-sided bounds at 1 - alpha each. p_go is small when a loss as large as the margin is ruled out,
    p_no_go when a loss within it is.
    """

    estimate: float
    low: float
    high: float
    p_go: float
    p_no_go: float
    method: str
