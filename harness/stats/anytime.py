"""Method B: a bet against the margin that stays valid however often one looks.

E_n = sum_k v_k prod_{g<=n} (1 + l_k Z_g / |bound|), with 12 bets l_k, geometric from 0.01 to 0.98, v_k = l_k / sum l.
Where the mean loss is at least the margin E is a nonnegative supermartingale, so that it ever reaches 1 / alpha with
probability at most alpha. The bets are fixed, so E at a run's end does not depend on the order of rows.
Sources: J. Ville (1939), Etude critique de la notion de collectif; I. Waudby-Smith and A. Ramdas (2024), JRSS B 86(1),
1-27, capital processes and mixing over bets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import log, sqrt

import numpy as np

from harness.core.rows import Flags, Floats, Ints
from harness.errors import TooFewCases
from harness.stats.units import Estimate, Units

METHOD = "betting, valid at any time"
BETS = np.geomspace(0.01, 0.98, 12)
LOG_SHARES = np.log(BETS / BETS.sum())

_BLOCK = 16  # units whose factors are multiplied before a logarithm is taken: 16 factors of 1e9 still fit a float64
_CHUNK = 512 * _BLOCK
_EDGE = 1e-9  # how near bounds come to the ends of D's range
_TOLERANCE = 1e-6  # of the distance between bound and estimate
_STEPS = 60


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Looks:
    """Unit scores folded by equal value: shape (m,), sorted by look.

    weighted: w_g D_g. weight: w_g. times: units that share both. ends: where each look's entries end.
    heaviest: the largest weight there can be.
    """

    weighted: Floats
    weight: Floats
    times: Ints
    ends: Ints
    heaviest: float
    low_end: float
    high_end: float

    @classmethod
    def of(cls, units: Units, max_cluster: int | None) -> Looks:
        """Without a declared `max_cluster` units weigh the same."""
        weight = _weights(units, max_cluster)
        new = np.ones(len(units), dtype=np.bool_)
        columns = (units.look, units.d, weight)
        new[1:] = np.logical_or.reduce([column[1:] != column[:-1] for column in columns])
        starts = np.flatnonzero(new)
        return cls(
            weighted=(weight * units.d)[starts],
            weight=weight[starts],
            times=np.diff(np.append(starts, len(units))),
            ends=np.cumsum(np.bincount(units.look[starts], minlength=units.looks)),
            heaviest=float(max_cluster or 1),
            low_end=units.low_end,
            high_end=units.high_end,
        )

    def log_e_go(self, margin: float) -> Floats:
        """log E against "the loss is at least the margin" at the end of each look, shape (looks,)."""
        scale = -self.heaviest * (self.low_end + margin)
        return self._log_e((self.weighted + self.weight * margin) / scale)

    def log_e_no_go(self, margin: float) -> Floats:
        """log E against "the loss is at most the margin" at the end of each look, shape (looks,)."""
        scale = self.heaviest * (self.high_end + margin)
        return self._log_e(-(self.weighted + self.weight * margin) / scale)

    def normal_reach(self, alpha: float) -> tuple[float, float]:
        """Mean, and about how far from it the bounds lie: where to start looking for them."""
        n = float(self.times.sum())
        weights = self.weight * self.times
        mean = float((self.weighted * self.times).sum() / weights.sum())
        squares = float((self.times * (self.weighted - self.weight * mean) ** 2).sum())
        spread = sqrt(squares * (log(1 / alpha) + 0.5 * log(n + 1))) * 1.5 / float(weights.sum())
        return mean, spread + (self.high_end - self.low_end) / (n + 1)

    def _log_e(self, scores: Floats) -> Floats:
        """scores: Z / |bound|, each at least -1."""
        gains = np.zeros((len(self.ends), len(BETS)))
        start = 0
        for look, end in enumerate(self.ends.tolist()):
            gains[look] = _log_gains(scores[start:end], self.times[start:end])
            start = end
        logs = np.cumsum(gains, axis=0) + LOG_SHARES
        top = logs.max(axis=1, keepdims=True)
        return np.asarray(top[:, 0] + np.log(np.exp(logs - top).sum(axis=1)))


def _weights(units: Units, max_cluster: int | None) -> Floats:
    """Cases of a unit where their largest number was declared; a larger unit is the gate's to refuse."""
    return np.ones(len(units)) if max_cluster is None else np.minimum(units.size, max_cluster).astype(np.float64)


def _log_gains(scores: Floats, times: Ints) -> Floats:
    """sum_g times_g log(1 + l_k scores_g) for each bet, shape (12,)."""
    once = times == 1
    return np.asarray(_log_products(scores[once]) + np.log1p(BETS[:, None] * scores[~once]) @ times[~once])


def _log_products(scores: Floats) -> Floats:
    total = np.zeros(len(BETS))
    for start in range(0, len(scores), _CHUNK):
        factors = BETS[:, None] * scores[start : start + _CHUNK]
        factors += 1
        whole = factors.shape[1] // _BLOCK * _BLOCK
        products = factors[:, :whole].reshape(len(BETS), _BLOCK, -1)
        while products.shape[1] > 1:  # halves onto halves: one pass over memory, where prod() is slow
            half = products.shape[1] // 2
            products = products[:, :half] * products[:, half:]
        total += np.log(products[:, 0]).sum(axis=1) + np.log(factors[:, whole:]).sum(axis=1)
    return total


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Course:
    """What one margin came to, look by look. p_go, p_no_go: 1 / the largest E so far, shape (looks,), at most 1."""

    p_go: Floats
    p_no_go: Floats
    estimate: Estimate


def anytime(
    units: Units,
    *,
    margin: float,
    alpha_go: float,
    alpha_no_go: float,
    max_cluster: int | None = None,
    counts: Flags | None = None,
) -> Course:
    """p-values that hold at every look, and bounds: all margins that no look has rejected.

    counts: bool, shape (looks,), the looks whose evidence was sound; None: all. Raises TooFewCases without units.
    """
    if len(units) == 0:
        raise TooFewCases("no unit: nothing can be estimated.")
    looks = Looks.of(units, max_cluster)
    sound = np.ones(units.looks, dtype=np.bool_) if counts is None or not counts.any() else counts
    best_go = np.maximum.accumulate(np.where(sound, looks.log_e_go(margin), -np.inf))
    best_no_go = np.maximum.accumulate(np.where(sound, looks.log_e_no_go(margin), -np.inf))
    weight = _weights(units, max_cluster)
    p_go, p_no_go = np.exp(-np.maximum(best_go, 0.0)), np.exp(-np.maximum(best_no_go, 0.0))
    low = lower_bound(looks, sound, margin=margin, alpha=alpha_go)
    high = upper_bound(looks, sound, margin=margin, alpha=alpha_no_go)
    estimate = Estimate(
        estimate=float(np.average(units.d, weights=weight)),
        low=low,
        high=high,
        p_go=float(p_go[-1]),
        p_no_go=float(p_no_go[-1]),
        method=METHOD,
    )
    return Course(p_go=p_go, p_no_go=p_no_go, estimate=estimate)


def lower_bound(looks: Looks, sound: Flags, *, margin: float, alpha: float) -> float:
    """Every mean below it was ruled out at some look; the search starts at `margin`, so both agree there."""

    def excess(at: float) -> float:
        return float(looks.log_e_go(at)[sound].max()) + log(alpha)

    mean, reach = looks.normal_reach(alpha)
    search = Search(excess, fails=-looks.high_end, passes=-looks.low_end - _EDGE)
    least = -search.run(margin, reach - mean, reach)
    return looks.low_end if search.above is None else least


def upper_bound(looks: Looks, sound: Flags, *, margin: float, alpha: float) -> float:
    """Every mean above it was ruled out at some look."""

    def excess(at: float) -> float:
        return float(looks.log_e_no_go(at)[sound].max()) + log(alpha)

    mean, reach = looks.normal_reach(alpha)
    search = Search(excess, fails=-looks.low_end, passes=-looks.high_end + _EDGE)
    most = -search.run(margin, -reach - mean, reach)
    return looks.high_end if search.above is None else most


@dataclass(slots=True)
class Search:
    """The point nearest to `fails` at which `excess` is still >= 0, on a line where it changes sign at most once.

    Bisection, with the chord's root (the Illinois rule) tried first, as each step is a pass over all units.
    """

    excess: Callable[[float], float]
    fails: float
    passes: float
    below: float | None = None
    above: float | None = None

    def run(self, start: float, guess: float, reach: float) -> float:
        """start: a point whose side the answer must agree with. guess, reach: about where, and how far off at most."""
        self._try(start)
        self._try(guess)
        for _ in range(_STEPS):
            if self.below is not None and self.above is not None:
                break
            toward = self.passes if self.above is None else self.fails
            known = self.fails if self.above is None else self.passes
            step = min(reach, abs(toward - known))
            self._try(known + step if toward > known else known - step, at_end=step == abs(toward - known))
            reach *= 2
        return self._narrow(_TOLERANCE * reach)

    def _try(self, at: float, *, at_end: bool = False) -> None:
        low, high = sorted((self.fails, self.passes))
        if not (low < at < high or at_end):
            return
        value = self.excess(at)
        if value >= 0:
            self.passes, self.above = at, value
        else:
            self.fails, self.below = at, value

    def _narrow(self, tolerance: float) -> float:
        if self.below is None or self.above is None:
            return self.passes
        below, above, moved = self.below, self.above, 0
        for step in range(_STEPS):
            if abs(self.passes - self.fails) <= tolerance:
                break
            low, high = sorted((self.fails, self.passes))
            chord = self.fails + (self.passes - self.fails) * below / (below - above)
            steep = above - below > 100  # far from straight: the chord would creep
            at = (low + high) / 2 if steep or step % 6 == 5 or not low < chord < high else chord
            value = self.excess(at)
            if value >= 0:
                below = below / 2 if moved > 0 else below
                self.passes, above, moved = at, value, 1
            else:
                above = above / 2 if moved < 0 else above
                self.fails, below, moved = at, value, -1
        return self.passes


def clean_units(*, margin: float, low_end: float, alpha: float) -> int:
    """Units that GO takes when not one of them differs: 780 flips at margin 0.005, 194 severe drops at 0.02."""
    gains = np.log1p(BETS * margin / -(low_end + margin))
    return _first_number(lambda n: _log_mixture(gains * n) >= -log(alpha))


def units_at_this_pace(units: Units, *, margin: float, alpha: float, max_cluster: int | None = None) -> int | None:
    """Units in all at which GO comes if the rest behave as those seen; None where they never lead there."""
    looks = Looks.of(units, max_cluster)
    scale = -looks.heaviest * (looks.low_end + margin)
    gains = _log_gains((looks.weighted + looks.weight * margin) / scale, looks.times) / len(units)
    if gains.max() <= 0:
        return None
    return _first_number(lambda n: _log_mixture(gains * n) >= -log(alpha))


def _first_number(enough: Callable[[int], bool]) -> int:
    few, many = 0, 1
    while not enough(many):
        few, many = many, many * 2
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if enough(middle) else (middle, many)
    return many


def _log_mixture(logs: Floats) -> float:
    shifted = logs + LOG_SHARES
    top = float(shifted.max())
    return top + log(float(np.exp(shifted - top).sum()))
