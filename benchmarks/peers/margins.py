"""Losses of a known size, in every kind of criterion: what the gate says exactly at the margin, at half of it, at none.

A `Setting` draws values as a replay would have reported them. `part` is the true loss as a share of the margin; for
latency and cost, whose margin is 0, it is the share of the accepted growth. D, the mean over units and the tests come
from `harness.stats`; `in_rows` gives the same draw as rows, for the whole gate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import t as student

from harness.core.rows import Labels, Rows
from harness.gate.policy import Criterion, parse_policy
from harness.stats.anytime import Looks
from harness.stats.fixed import fixed_sample
from harness.stats.measure import SEVERE_BOUNDS, SEVERE_DROP, Kind
from harness.stats.minimum import LEAST_UNITS, minimum_units
from harness.stats.units import Tally, Units

ALPHA = 0.05
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """value_target and value_noise of each case, and the unit it belongs to; None: each case is a unit."""

    target: Floats
    noise: Floats
    unit: Ints | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """draw(rng, units, part) -> Draw. severe: the question is about badly broken cases, not about the mean."""

    name: str
    words: str
    criterion: Mapping[str, Any]
    draw: Callable[[np.random.Generator, int, float], Draw]
    sizes: tuple[int, ...]
    severe: bool = False
    max_cluster: int | None = None

    @property
    def promise(self) -> Criterion:
        return _criterion(self.name, tuple(self.criterion.items()))

    @property
    def margin(self) -> float:
        return float(self.promise.severe or 0.0) if self.severe else self.promise.margin

    @property
    def ends(self) -> tuple[float, float]:
        return SEVERE_BOUNDS if self.severe else self.promise.measure.bounds

    @property
    def minimum(self) -> int:
        quantile = None if self.severe else self.promise.quantile
        return minimum_units(
            margin=self.margin, low_end=self.ends[0], alpha=ALPHA, quantile=quantile, least=LEAST_UNITS
        )

    @property
    def exact(self) -> bool:
        kind = self.promise.kind
        return not self.severe and (kind is Kind.LIMIT or (kind is Kind.FLIP and self.promise.deterministic))


@lru_cache
def _criterion(name: str, items: tuple[tuple[str, Any], ...]) -> Criterion:
    return parse_policy({"criterion": [{"metric": name, **dict(items)}]}, where="policy").criteria[0]


# From a draw to p-values


def gains(setting: Setting, draw: Draw) -> Floats:
    """D of each case, as GATE_STATS' table has it."""
    promise = setting.promise
    x = draw.target - draw.noise
    if setting.severe:
        return (x > SEVERE_DROP).astype(np.float64) - (x < -SEVERE_DROP)
    if promise.kind is Kind.SCORE:
        return np.clip(x, *setting.ends)
    if promise.kind is Kind.COST:
        return np.clip((promise.measure.ratio * draw.noise - draw.target) / promise.measure.cap_usd, -1, 1)
    return -x


def units_of(setting: Setting, draw: Draw, nights: int = 1) -> Units:
    """One number a unit, in the order the tests expect; nights: looks of equal size, in the order of the draw."""
    d = gains(setting, draw)
    size = np.ones(len(d), dtype=np.int64)
    if draw.unit is not None:
        size = np.bincount(draw.unit)
        d = np.bincount(draw.unit, weights=d) / size
    look = np.arange(len(d)) * nights // max(len(d), 1)
    order = np.lexsort((size, d, look))
    none = np.zeros(nights, dtype=np.int64)
    tally = Tally(rows=none, excluded=none, unscored=none, conflicts=none, contradicted=none, largest=none)
    return Units(
        d=d[order],
        size=size[order],
        look=look[order],
        low_end=setting.ends[0],
        high_end=setting.ends[1],
        looks=nights,
        tally=tally,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Tested:
    """p-values as of each night, shape (nights,), and where there were units enough for GO."""

    p_go: Floats
    p_no_go: Floats
    enough: NDArray[np.bool_]

    @property
    def go(self) -> bool:
        """Said on any night."""
        return bool(((self.p_go <= ALPHA) & self.enough).any())

    @property
    def no_go(self) -> bool:
        return bool((self.p_no_go <= ALPHA).any())


def tested(setting: Setting, units: Units, mode: str) -> Tested:
    enough = units.counts() >= setting.minimum
    if mode == "fixed":
        told = fixed_sample(units, margin=setting.margin, alpha_go=ALPHA, alpha_no_go=ALPHA, exact=setting.exact)
        return Tested(np.array([told.p_go]), np.array([told.p_no_go]), enough[-1:])
    looks = Looks.of(units, setting.max_cluster)
    go, no_go = (
        np.maximum.accumulate(log_e) for log_e in (looks.log_e_go(setting.margin), looks.log_e_no_go(setting.margin))
    )
    return Tested(np.exp(-np.maximum(go, 0)), np.exp(-np.maximum(no_go, 0)), enough)


def in_rows(setting: Setting, draw: Draw, nights: int = 1) -> Rows:
    """The same draw as the rows of a replay."""
    n = len(draw.target)
    unit = np.arange(n) if draw.unit is None else draw.unit
    look = (np.arange(unit.max() + 1) * nights // (unit.max() + 1))[unit]
    none = np.zeros(n, dtype=np.bool_)
    absent = none if not setting.promise.deterministic else ~none
    return Rows(
        case=Labels(np.arange(n), tuple(f"case {at}" for at in range(n))),
        metric=Labels(np.zeros(n, dtype=np.int64), (setting.name,)),
        cluster=Labels(unit, tuple(f"unit {at}" for at in range(int(unit.max()) + 1))),
        run=Labels(look, tuple(f"night {at}" for at in range(nights))),
        repeat=np.zeros(n, dtype=np.int64),
        value_target=draw.target,
        null_target=none,
        value_noise=np.where(absent, np.nan, draw.noise),
        null_noise=absent,
        status_target=np.zeros(n, dtype=np.int8),
        status_source=np.zeros(n, dtype=np.int8),
    )


# Draws


def scores(rng: np.random.Generator, n: int, part: float, *, margin: float = 0.03) -> Draw:
    """Every answer a little worse; D has a standard deviation of 0.08 and is never clipped."""
    noise, target = 0.6 + 0.11 * (2 * rng.beta(1.4, 1.4, (2, n)) - 1)
    return Draw(target - part * margin, noise)


def score_tails(rng: np.random.Generator, n: int, part: float) -> Draw:
    """Student t with 2 degrees of freedom, clipped, about a centre that makes the clipped mean the loss."""
    x = np.clip(0.03 * rng.standard_t(2, n) - _centre(part * 0.03), -0.25, 0.25)
    return Draw(0.5 + x, np.full(n, 0.5))


@lru_cache
def _centre(loss: float) -> float:
    grid = student.ppf((np.arange(200_000) + 0.5) / 200_000, 2)
    return float(brentq(lambda at: np.clip(0.03 * grid - at, -0.25, 0.25).mean() + loss, -0.1, 0.2))


def score_failures(rng: np.random.Generator, n: int, part: float) -> Draw:
    """Nothing but total failures: a share of answers at the worst D there is, the rest untouched."""
    broken = rng.random(n) < part * 0.03 / 0.25
    return Draw(np.where(broken, 0.4, 0.8), np.full(n, 0.8))


def drops(rng: np.random.Generator, n: int, part: float, *, own: float) -> Draw:
    """Badly broken answers: a share `own` of the source's, and 2 % of cases more of the target's at the margin."""
    noise = np.where(rng.random(n) < own, 0.1, 0.8)
    return Draw(np.where(rng.random(n) < own + part * 0.02, 0.1, 0.8), noise)


def flips(rng: np.random.Generator, n: int, part: float, *, margin: float, own: float) -> Draw:
    """Bad events, independent between the calls of a case; the source has a share `own` of its own."""
    noise = rng.random(n) < own
    target = rng.random(n) < own + part * margin
    return Draw(target.astype(np.float64), noise.astype(np.float64))


def latency(rng: np.random.Generator, n: int, part: float, *, quantile: float, ratio: float) -> Draw:
    """Lognormal latencies against the quantile of max(400, 20 / (1 - p)) earlier calls of the source."""
    earlier = rng.lognormal(-1.0, 0.6, max(400, round(20 / (1 - quantile))))
    limit_s = np.quantile(earlier, quantile)
    source_s, target_s = rng.lognormal(-1.0, 0.6, (2, n))
    target_s *= 1 + part * (ratio - 1)
    return Draw((target_s > ratio * limit_s).astype(np.float64), (source_s > limit_s).astype(np.float64))


def cost(rng: np.random.Generator, n: int, part: float) -> Draw:
    """Lognormal costs with a standard deviation of 1.5 in the logarithm: a few calls cost most of the money."""
    source_usd, target_usd = 0.01 * rng.lognormal(0.0, 1.5, (2, n))
    return Draw(target_usd * (1 + part * 0.1), source_usd)


def _clusters(rng: np.random.Generator, n: int) -> tuple[Ints, Ints]:
    """Sizes of n units, 1 to 20, mean about 7, and the unit of each case."""
    size = np.minimum(rng.geometric(0.13, n), 20)
    return size, np.repeat(np.arange(n), size)


def clustered_scores(rng: np.random.Generator, n: int, part: float) -> Draw:
    """Scores whose cases share 30 % of the variance of D with their unit."""
    _, unit = _clusters(rng, n)
    shared = np.sqrt(0.3) * 0.08 * np.sqrt(3) * rng.uniform(-1, 1, n)[unit]
    own = np.sqrt(0.7) * 0.08 * np.sqrt(3) * rng.uniform(-1, 1, len(unit))
    return Draw(0.5 + shared + own - part * 0.03, np.full(len(unit), 0.5), unit)


def clustered_flips(rng: np.random.Generator, n: int, part: float, *, margin: float) -> Draw:
    """Flips of a deterministic pair, beta-binomial within a unit with an intra-class correlation of 0.3."""
    _, unit = _clusters(rng, n)
    rate = part * margin
    spread = 1 / 0.3 - 1
    p = rng.beta(rate * spread, (1 - rate) * spread, n)[unit] if rate > 0 else np.zeros(len(unit))
    return Draw((rng.random(len(unit)) < p).astype(np.float64), np.zeros(len(unit)), unit)


def broken_giants(rng: np.random.Generator, n: int, part: float) -> Draw:
    """The whole loss sits in large units: 1 in 200 has 20 cases, all the others one, and only large ones break."""
    large = rng.random(n) < 0.005
    unit = np.repeat(np.arange(n), np.where(large, 20, 1))
    share = part * 0.02 * (0.995 + 0.005 * 20) / (0.005 * 20)
    broken = large & (rng.random(n) < share)
    return Draw(broken[unit].astype(np.float64), np.zeros(len(unit)), unit)


def _flip(margin: float, **more: Any) -> dict[str, Any]:
    return {"kind": "flip", "margin": margin, **more}


STEADY = {"deterministic": True}
SETTINGS = (
    Setting(
        name="score",
        words="score, margin 0.03, every answer a little worse",
        criterion={"kind": "score", "margin": 0.03},
        draw=scores,
        sizes=(20, 50, 100, 200, 1000, 10000),
    ),
    Setting(
        name="score, heavy tails",
        words="score, margin 0.03, Student t with 2 degrees of freedom, clipped",
        criterion={"kind": "score", "margin": 0.03},
        draw=score_tails,
        sizes=(50, 200, 1000, 10000),
    ),
    Setting(
        name="score, total failures",
        words="score, margin 0.03, total failures and nothing else",
        criterion={"kind": "score", "margin": 0.03},
        draw=score_failures,
        sizes=(36, 50, 200, 1000, 10000),
    ),
    Setting(
        name="severe",
        words="severe drops, margin 2 %, a source that never breaks",
        criterion={"kind": "score", "margin": 0.03},
        draw=partial(drops, own=0.0),
        sizes=(149, 216, 292, 1000, 10000),
        severe=True,
    ),
    Setting(
        name="severe, noisy source",
        words="severe drops, margin 2 %, a source with 2 % of its own",
        criterion={"kind": "score", "margin": 0.03},
        draw=partial(drops, own=0.02),
        sizes=(149, 216, 1000, 10000),
        severe=True,
    ),
    Setting(
        name="flip",
        words="label flips, margin 0.5 %, deterministic source",
        criterion=_flip(0.005, **STEADY),
        draw=partial(flips, margin=0.005, own=0.0),
        sizes=(20, 598, 780, 1000, 3000, 10000),
    ),
    Setting(
        name="flip, noisy source",
        words="label flips, margin 0.5 %, a source that flips 5 % itself",
        criterion=_flip(0.005),
        draw=partial(flips, margin=0.005, own=0.05),
        sizes=(598, 3000, 10000),
    ),
    Setting(
        name="error",
        words="failed calls, margin 1 %, a source that never fails",
        criterion=_flip(0.01),
        draw=partial(flips, margin=0.01, own=0.0),
        sizes=(299, 432, 1000, 10000),
    ),
    Setting(
        name="error, noisy source",
        words="failed calls, margin 1 %, a source that fails 1 % itself",
        criterion=_flip(0.01),
        draw=partial(flips, margin=0.01, own=0.01),
        sizes=(299, 432, 1000, 10000),
    ),
    Setting(
        name="limit",
        words="contractual limit, 1 % of calls",
        criterion={"kind": "limit", "margin": 0.01},
        draw=partial(flips, margin=0.01, own=0.0),
        sizes=(299, 1000, 10000),
    ),
    Setting(
        name="latency p50",
        words="latency, median, ratio 1.2",
        criterion={"kind": "exceed", "margin": 0.0, "quantile": 0.5},
        draw=partial(latency, quantile=0.5, ratio=1.2),
        sizes=(40, 200, 1000, 10000),
    ),
    Setting(
        name="latency p95",
        words="latency, 95th percentile, ratio 1.5",
        criterion={"kind": "exceed", "margin": 0.0, "quantile": 0.95},
        draw=partial(latency, quantile=0.95, ratio=1.5),
        sizes=(400, 1000, 10000),
    ),
    Setting(
        name="cost",
        words="cost, ratio 1.1, a few calls cost most of the money",
        criterion={"kind": "cost", "ratio": 1.1, "cap_usd": 0.2},
        draw=cost,
        sizes=(50, 200, 1000, 10000),
    ),
    Setting(
        name="clustered score",
        words="score, units of 1-20 cases, intra-class correlation 0.3",
        criterion={"kind": "score", "margin": 0.03},
        draw=clustered_scores,
        sizes=(30, 100, 1000),
        max_cluster=20,
    ),
    Setting(
        name="clustered flip",
        words="flips, margin 2 %, units of 1-20 cases, intra-class correlation 0.3",
        criterion=_flip(0.02, **STEADY),
        draw=partial(clustered_flips, margin=0.02),
        sizes=(149, 300, 1000),
        max_cluster=20,
    ),
    Setting(
        name="broken giants",
        words="flips, margin 2 %, all of the loss in the 1 unit of 200 that has 20 cases",
        criterion=_flip(0.02, **STEADY),
        draw=broken_giants,
        sizes=(149, 300, 1000),
        max_cluster=20,
    ),
)
