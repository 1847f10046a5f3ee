"""Two filters on the same texts: how often they agree, in which direction they do not, and what is missed.

Also the thresholds on one filter's grades that come closest to another's decisions. Decisions are boolean arrays, True
where the filter acts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """count of n, with the exact two-sided interval at 95 %; estimate None where n is 0: no share of nothing."""

    count: int
    n: int

    @property
    def estimate(self) -> float | None:
        return self.count / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float]:
        """Clopper and Pearson 1934; (0, 1) where n is 0."""
        from scipy.stats import beta

        k, n = self.count, self.n
        low = float(beta.ppf(0.025, k, n - k + 1)) if k else 0.0
        high = float(beta.ppf(0.975, k + 1, n - k)) if k < n else 1.0
        return low, high


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Counts of texts. both, neither: the filters do the same. lost: only the source acts. added: only the target."""

    both: int
    neither: int
    lost: int
    added: int

    @property
    def n(self) -> int:
        return self.both + self.neither + self.lost + self.added

    @property
    def agree(self) -> Share:
        return Share(count=self.both + self.neither, n=self.n)

    @property
    def missed(self) -> Share:
        """Of what the source acts on, what the target lets pass: the unsafe-miss rate with the source as truth."""
        return Share(count=self.lost, n=self.both + self.lost)

    @property
    def overblocked(self) -> Share:
        """Of what the source lets pass, what the target acts on."""
        return Share(count=self.added, n=self.neither + self.added)

    @property
    def kappa(self) -> float | None:
        """Agreement beyond chance, at most 1; None where both filters do one thing to everything, and chance is all.

        Source: J. Cohen (1960), Educational and Psychological Measurement 20(1), 37-46.
        """
        if not self.n:
            return None
        source, target = (self.both + self.lost) / self.n, (self.both + self.added) / self.n
        chance = source * target + (1 - source) * (1 - target)
        return None if chance == 1 else ((self.both + self.neither) / self.n - chance) / (1 - chance)

    @property
    def kappa_error(self) -> float | None:
        """Standard error of kappa for large n; None where kappa is.

        Source: J. L. Fleiss, J. Cohen and B. S. Everitt (1969), Psychological Bulletin 72(5), 323-327.
        """
        kappa = self.kappa
        if kappa is None:
            return None
        table = np.array([[self.both, self.lost], [self.added, self.neither]]) / self.n
        rows, columns = table.sum(axis=1), table.sum(axis=0)
        chance = float(rows @ columns)
        diagonal = sum(table[i, i] * (1 - (rows[i] + columns[i]) * (1 - kappa)) ** 2 for i in range(2))
        # A text in cell (i, j) weighs by the margins it belongs to on the other side.
        off = sum(table[i, j] * (columns[i] + rows[j]) ** 2 for i in range(2) for j in range(2) if i != j)
        variance = diagonal + (1 - kappa) ** 2 * off - (kappa - chance * (1 - kappa)) ** 2
        return float(math.sqrt(max(variance, 0.0) / self.n) / (1 - chance))

    @property
    def direction(self) -> float:
        """p-value of "disagreements go either way alike": exact McNemar, two-sided; 1 where there are none.

        Source: Q. McNemar (1947), Psychometrika 12(2), 153-157, with the binomial in place of chi-square.
        """
        from scipy.stats import binomtest

        apart = self.lost + self.added
        return float(binomtest(self.lost, apart, 0.5).pvalue) if apart else 1.0


def agreement(source: Flags, target: Flags) -> Agreement:
    """Raises ValueError where the arrays differ in length."""
    if source.shape != target.shape:
        raise ValueError(f"{source.shape} decisions of the source and {target.shape} of the target")
    return Agreement(
        both=int((source & target).sum()),
        neither=int((~source & ~target).sum()),
        lost=int((source & ~target).sum()),
        added=int((~source & target).sum()),
    )


def decide(grades: Mapping[str, NDArray[np.float64]], thresholds: Mapping[str, float]) -> Flags:
    """Where any category reaches its threshold; a category without a threshold never acts."""
    acting = [grades[name] >= cut for name, cut in thresholds.items()]
    return np.asarray(np.logical_or.reduce(acting))


def fit_thresholds(
    grades: Mapping[str, NDArray[np.float64]], wanted: Flags, *, miss_weight: float = 1.0
) -> dict[str, float]:
    """Thresholds on `grades` whose decisions come closest to `wanted`: fewest misses * miss_weight + overblocks.

    Levels of one filter are never read as levels of another: each category's threshold is one of the grades that occur
    in it, or infinity for a category that had better not act. Category by category in turns, from the best single
    ones, until nothing improves: deterministic, a local optimum. miss_weight > 1 where a miss is worse than a block
    too many. Judge the result on texts that it was not fitted on.
    """
    levels = {name: np.append(np.unique(column), np.inf) for name, column in grades.items()}
    thresholds = dict.fromkeys(grades, math.inf)

    def loss(candidate: Mapping[str, float]) -> tuple[float, float]:
        acted = decide(grades, candidate)
        missed, over = int((wanted & ~acted).sum()), int((~wanted & acted).sum())
        return missed * miss_weight + over, -float(sum(min(cut, 1e9) for cut in candidate.values()))

    best = loss(thresholds)
    while True:
        before = best
        for name, cuts in levels.items():
            for cut in cuts.tolist():
                candidate = {**thresholds, name: cut}
                if (found := loss(candidate)) < best:
                    best, thresholds = found, candidate
        if best == before:
            return thresholds
