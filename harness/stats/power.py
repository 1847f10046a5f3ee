"""How many units an equal target needs, before any of them is paid for.

A plan assumes how D spreads when the systems are equal (`Spread`) and how its mean will be tested (`Design`). The
chance of GO after n units is exact where D is an event that happens with a known rate or never, and else the share of
simulated samples that pass; a sample is drawn as counts, so that any n takes the same time. Seeds are fixed: the same
plan gives the same answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, log

import numpy as np
from scipy.special import bdtr, ndtri, stdtr, stdtrit

from harness.core.rows import Flags, Floats
from harness.stats.anytime import BETS, LOG_SHARES
from harness.stats.measure import CLIP

SAMPLES = 1000  # the standard error of a chance near 0.97 is half a point
STREAMS = 1000
MOST_UNITS = 1_000_000
_POINTS = 41  # of a continuous D, equally likely each
_CHUNK = 64  # units that all streams take at a time
_SEED = 20_250_101


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """How D is assumed to spread. values: shape (k,), in D's range; shares: shape (k,), sum 1."""

    values: Floats
    shares: Floats

    @property
    def constant(self) -> bool:
        return len(self.values) == 1

    @property
    def mean(self) -> float:
        return float(self.values @ self.shares)


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """How a margin will be tested. minimum: units below which GO is never said.

    exact: one look at an event that is 0 or -1 (exact binomial); otherwise fixed samples take the t-test with one
    worst-case unit added. fill: mean size of a cluster over the largest that was declared, anytime mode only.
    """

    margin: float
    low_end: float
    high_end: float
    alpha: float
    minimum: int
    anytime: bool
    exact: bool = False
    fill: float = 1.0


def never() -> Spread:
    """D is 0 always: not one unit differs."""
    return Spread(np.zeros(1), np.ones(1))


def events(bad: float, good: float = 0.0) -> Spread:
    """D is -1 with probability `bad`, +1 with probability `good`, else 0."""
    found = [(value, share) for value, share in ((-1.0, bad), (0.0, 1 - bad - good), (1.0, good)) if share > 0]
    return Spread(np.array([value for value, _ in found]), np.array([share for _, share in found]))


def normal(sd: float, *, mean: float = 0.0, clip: float = CLIP) -> Spread:
    """A normal D, clipped as the gate clips it; sd before clipping. Equally likely points stand for it."""
    points = ndtri((np.arange(_POINTS) + 0.5) / _POINTS)
    points *= sd / points.std()  # the middle of each part lies nearer to the mean than the part's own values do
    return Spread(np.clip(mean + points, -clip, clip), np.full(_POINTS, 1 / _POINTS))


def slow_calls(quantile: float, ratio: float, *, scale: float, degrees: float) -> Spread:
    """D of latency: 1{S > x} - 1{T > ratio x}, x the source's quantile, S and T independent and equally distributed."""
    source, target = 1 - quantile, slow_share(quantile, ratio, scale=scale, degrees=degrees)
    return events(bad=target * (1 - source), good=source * (1 - target))


def slow_share(quantile: float, ratio: float, *, scale: float, degrees: float) -> float:
    """Share of calls slower than ratio times the quantile.

    The logarithm of a latency is taken for Student t with `degrees` of freedom, times `scale`.
    """
    return float(stdtr(degrees, -(float(stdtrit(degrees, quantile)) + log(ratio) / scale)))


def chance_of_go(design: Design, spread: Spread, n: int) -> float:
    """Probability that n units give GO at one look after the last of them."""
    if n < design.minimum:
        return 0.0
    if design.exact:
        rate = float(spread.shares[spread.values < 0].sum())
        return _exact_chance(n, margin=design.margin, alpha=design.alpha, rate=rate)
    return float(_go(design, spread.values, _counts(spread, n), n).mean())


def units_needed(design: Design, spread: Spread, *, power: float) -> int | None:
    """The least n whose chance of GO is at least `power`; None where a million units would not do.

    Within 1 % of the least where the chance is simulated, which is as sharp as the simulation.
    """

    def enough(n: int) -> bool:
        return chance_of_go(design, spread, n) >= power

    few, many = design.minimum - 1, max(design.minimum, 1)
    while not enough(many):
        few, many = many, many * 2
        if many > MOST_UNITS:
            return None
    near = 1 if spread.constant or design.exact else many // 200
    while many - few > max(near, 1):
        middle = (few + many) // 2
        few, many = (few, middle) if enough(middle) else (middle, many)
    return many


def clean_units(design: Design) -> int:
    """Units that GO takes when not one of them differs, whatever the gate's minimum."""
    from dataclasses import replace

    least = units_needed(replace(design, minimum=1), never(), power=1.0)
    return MOST_UNITS if least is None else least


def units_with_events(design: Design, count: int) -> int:
    """Units that GO takes when `count` of them are lost altogether: 598, 947, 1,258 for 0, 1, 2 at margin 0.005."""

    def enough(n: int) -> bool:
        if design.exact:
            return float(bdtr(count, n, design.margin)) <= design.alpha
        values = np.array([0.0, design.low_end])
        return bool(_go(design, values, np.array([[n - count, count]], dtype=np.float64), n)[0])

    few, many = count, max(2 * count, 1)
    while not enough(many):
        few, many = many, many * 2
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if enough(middle) else (middle, many)
    return many


def average_units(design: Design, spread: Spread, *, about: int = 1000) -> float | None:
    """Units on average until GO when evidence is looked at after each of them, anytime mode; None where that is never.

    about: units in which GO is likely; many of them are followed in fewer streams, and no stream ten times as far.
    The gate's minimum is left out: this is what the evidence itself takes.
    """
    if spread.constant:
        return float(clean_units(design))
    rng = np.random.default_rng(_SEED)
    factors = np.log1p(BETS[:, None] * _scores(design, spread.values))
    streams = min(STREAMS, max(STREAMS * STREAMS // max(about, 1), STREAMS // 10))
    logs = np.zeros((streams, len(BETS)))
    taken = np.zeros(streams)
    going = np.arange(streams)
    for start in range(0, 10 * about, _CHUNK):
        drawn = rng.choice(len(spread.values), p=spread.shares, size=(len(going), _CHUNK))
        so_far = logs[going, None, :] + np.cumsum(factors.T[drawn], axis=1)
        over = _log_mixtures(so_far) >= -log(design.alpha)
        crossed = over.any(axis=1)
        taken[going[crossed]] = start + 1 + over[crossed].argmax(axis=1)
        logs[going] = so_far[:, -1]
        going = going[~crossed]
        if len(going) == 0:
            return float(taken.mean())
    return None


def smallest(chance: Callable[[float], float], *, power: float, low: float, high: float) -> float | None:
    """The smallest margin (or ratio) in (low, high) whose chance of GO is at least `power`; None where none is.

    chance: rises with its argument. The answer is sure to reach the power and within 1 % of the smallest.
    """
    if chance(high) < power:
        return None
    while high - low > 0.01 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if chance(middle) >= power else (middle, high)
    return high


def share_of_power(beta: float, metrics: int) -> float:
    """The power each of `metrics` gating questions needs so that all of them together have 1 - beta (Bonferroni)."""
    return 1 - beta / max(metrics, 1)


def _exact_chance(n: int, *, margin: float, alpha: float, rate: float) -> float:
    """Probability that a binomial count is small enough for the exact test."""
    few, many = -1, ceil(n * margin) + 1  # p_go rises with the count, and is about 1/2 at n * margin
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (middle, many) if float(bdtr(middle, n, margin)) <= alpha else (few, middle)
    return 0.0 if few < 0 else float(bdtr(few, n, rate)) if rate > 0 else 1.0


def _counts(spread: Spread, n: int) -> Floats:
    """How often each value is drawn in n units, shape (SAMPLES, k); one row where chance plays no part."""
    if spread.constant:
        return np.array([[float(n)]])
    return np.random.default_rng(_SEED).multinomial(n, spread.shares, size=SAMPLES).astype(np.float64)


def _go(design: Design, values: Floats, counts: Floats, n: int) -> Flags:
    """Which samples give GO: the anytime bet at its last unit, or the t-test with one worst-case unit added."""
    if design.anytime:
        factors = np.log1p(BETS[:, None] * _scores(design, values))
        return np.asarray(_log_mixtures(counts @ factors.T) >= -log(design.alpha))
    added = design.low_end + design.margin
    scores = values + design.margin
    means = (counts @ scores + added) / (n + 1)
    squares = counts @ scores**2 + added**2
    variances = np.maximum(squares - (n + 1) * means**2, 1e-300) / n
    p_go = stdtr(n, -means * np.sqrt((n + 1) / variances))
    return np.asarray(p_go <= design.alpha)


def _scores(design: Design, values: Floats) -> Floats:
    """Z / |bound| of the betting process; a cluster that is not full bets less."""
    return design.fill * (values + design.margin) / -(design.low_end + design.margin)


def _log_mixtures(logs: Floats) -> Floats:
    """log sum_k v_k exp(logs_k) over the last axis."""
    shifted = logs + LOG_SHARES
    top = shifted.max(axis=-1)
    return np.asarray(top + np.log(np.exp(shifted - top[..., None]).sum(axis=-1)))
