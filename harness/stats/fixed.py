"""Method A: one look, planned in advance."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt

import numpy as np
from scipy.special import bdtr, bdtrc, betaincinv, stdtr

from harness.errors import TooFewCases
from harness.stats.units import Estimate, Units

EXACT = "exact binomial"
ADDED_UNIT = "t with one worst-case unit added"
_STEPS = 64  # halvings of an interval of length 2: to below the spacing of float64 around 1


def fixed_sample(units: Units, *, margin: float, alpha_go: float, alpha_no_go: float, exact: bool) -> Estimate:
    """p-values and bounds of the mean of D against -margin, after one planned look.

    exact: D is a deterministic event (0 or -1), so that units of size 1 have the exact binomial distribution; any
    larger unit, or a share between 0 and -1, takes the t-test with one worst-case unit added.
    Raises TooFewCases when there are no units.
    """
    if len(units) == 0:
        raise TooFewCases("no unit: nothing can be estimated.")
    if exact and (units.size == 1).all() and np.isin(units.d, (0.0, -1.0)).all():
        flips, n = int(-units.d.sum()), len(units)
        p_go, p_no_go = exact_flip_test(flips, n, margin=margin)
        least, most = flip_rate_bounds(flips, n, alpha_low=alpha_no_go, alpha_high=alpha_go)
        return Estimate(estimate=-flips / n, low=-most, high=-least, p_go=p_go, p_no_go=p_no_go, method=EXACT)
    moments = Moments.of(units)
    return Estimate(
        estimate=moments.estimate,
        low=moments.low(alpha_go),
        high=moments.high(alpha_no_go),
        p_go=moments.p_go(margin),
        p_no_go=moments.p_no_go(margin),
        method=ADDED_UNIT,
    )


def exact_flip_test(flips: int, n: int, *, margin: float) -> tuple[float, float]:
    """p-values of "flip rate >= margin" (small: GO) and "flip rate <= margin" (small: NO-GO).

    Exact binomial; 0 <= flips <= n, n >= 1, 0 < margin < 1, units independent.
    Returns (p_go, p_no_go), each in [0, 1]. 0 flips of 598 at margin 0.005
    gives p_go 0.0499: the smallest clean sample that passes at 5 %.

    Raises TooFewCases when n is 0: an empty suite has no flip rate.
    Source: C. J. Clopper and E. S. Pearson (1934), Biometrika 26(4), 404-413.
    """
    if n == 0:
        raise TooFewCases("0 cases: an empty suite has no flip rate.")
    return float(bdtr(flips, n, margin)), float(bdtrc(flips - 1, n, margin)) if flips > 0 else 1.0


def flip_rate_bounds(flips: int, n: int, *, alpha_low: float, alpha_high: float) -> tuple[float, float]:
    """One-sided bounds of a flip rate: the rate is above the first, and below the second, at 1 - alpha each.

    Source: C. J. Clopper and E. S. Pearson (1934), in the form of beta quantiles.
    """
    least = float(betaincinv(flips, n - flips + 1, alpha_low)) if flips > 0 else 0.0
    most = float(betaincinv(flips + 1, n - flips, 1 - alpha_high)) if flips < n else 1.0
    return least, most


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Sums from which the added-unit t-test follows for any margin.

    Unit g weighs b_g = w_g / w, its cases over the mean; a_g = b_g D_g, so that Z_g = a_g + b_g d. The added unit has
    weight 1 and lies at an end of D's range. Unit means make the test robust to cases that share fate (K.-Y. Liang
    and S. L. Zeger 1986, Biometrika 73(1), 13-22); the added unit keeps no variance from looking like certainty, and
    with perfect data rules out 2.7 / G, close to the rule of three (J. A. Hanley and A. Lippman-Hand 1983, JAMA
    249(13), 1743-1745).
    """

    n: int
    sum_a: float
    sum_aa: float
    sum_ab: float
    sum_bb: float
    low_end: float
    high_end: float

    @classmethod
    def of(cls, units: Units) -> Moments:
        b = units.size / units.size.mean()
        a = b * units.d
        return cls(
            n=len(units),
            sum_a=float(a.sum()),
            sum_aa=float((a * a).sum()),
            sum_ab=float((a * b).sum()),
            sum_bb=float((b * b).sum()),
            low_end=units.low_end,
            high_end=units.high_end,
        )

    @property
    def estimate(self) -> float:
        """Mean of D over cases."""
        return self.sum_a / self.n

    def statistic(self, margin: float, added: float) -> float:
        """t = m sqrt(G + 1) / s of the G scores and the added one, which lies at added + margin."""
        count = self.n + 1
        mean = (self.sum_a + self.n * margin + added + margin) / count
        squares = self.sum_aa + 2 * margin * self.sum_ab + margin**2 * self.sum_bb + (added + margin) ** 2
        variance = max(squares - count * mean**2, 0.0) / self.n
        # Where every score equals the added one the rounding error of the sums is all the variance there is.
        if variance <= 1e-14 * max(squares, 1e-300):
            return 0.0 if mean == 0 else mean * inf
        return mean * sqrt(count / variance)

    def p_go(self, margin: float) -> float:
        """Small when a loss as large as the margin is ruled out."""
        return float(stdtr(self.n, -self.statistic(margin, self.low_end)))

    def p_no_go(self, margin: float) -> float:
        """Small when a loss within the margin is ruled out."""
        return float(stdtr(self.n, self.statistic(margin, self.high_end)))

    def low(self, alpha: float) -> float:
        """The lower bound at 1 - alpha: below it every loss is ruled out."""
        fails, passes = -self.high_end, -self.low_end
        for _ in range(_STEPS):
            middle = (fails + passes) / 2
            fails, passes = (fails, middle) if self.p_go(middle) <= alpha else (middle, passes)
        return -passes

    def high(self, alpha: float) -> float:
        """The upper bound at 1 - alpha: the target is ruled out to be better than that."""
        passes, fails = -self.high_end, -self.low_end
        for _ in range(_STEPS):
            middle = (fails + passes) / 2
            passes, fails = (middle, fails) if self.p_no_go(middle) <= alpha else (passes, middle)
        return -passes
