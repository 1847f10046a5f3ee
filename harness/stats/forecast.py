"""How many more units would settle what is undecided."""

from __future__ import annotations

from math import ceil, sqrt

import numpy as np
from scipy.special import ndtri

from harness.stats.units import Units

BETA = 0.20
_BUDGET_UNITS = 1_000_000  # more than that is no forecast but a polite no


def settled_at(
    units: Units, *, margin: float, alpha: float, metrics: int, minimum: int, beta: float = BETA
) -> int | None:
    """Units in all at which GO is likely (1 - beta, shared by `metrics` gating metrics); None where none would do.

    settle = (z_{1-alpha} + z_{1-beta/M})^2 s^2 / (theta + d - s / (2 sqrt n))^2 + c / d, and at least `minimum`.
    The estimate is shrunk half a standard error toward the margin, which keeps the forecast honest after a lucky
    pilot. Where the margin is 0 (a ratio is the slack) the estimate itself takes its place in c / d.
    Source of the first term: the normal sample-size formula of a one-sided non-inferiority test.
    """
    n = len(units)
    if n < 2:
        return minimum
    weighted = units.size / units.size.mean()
    theta = float((weighted * units.d).mean())
    s = float(np.std(weighted * (units.d - theta), ddof=1))
    bracket = theta + margin - s / (2 * sqrt(n))
    if bracket <= 0:
        return None
    z = float(ndtri(1 - alpha) + ndtri(1 - beta / metrics))
    needed = z**2 * s**2 / bracket**2 - units.low_end / (margin if margin > 0 else bracket)
    return max(ceil(needed), minimum) if needed <= _BUDGET_UNITS else None
