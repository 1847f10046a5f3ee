"""How few units can never be enough for GO."""

from __future__ import annotations

from math import ceil, log, log1p

LEAST_UNITS = 30
LEAST_SLICE_UNITS = 10  # of a declared slice in anytime mode, where validity needs no central limit
LEAST_FOR_NO_GO = 2


def minimum_units(
    *, margin: float, low_end: float, alpha: float, quantile: float | None = None, least: int = LEAST_UNITS
) -> int:
    """Units below which GO is never said.

    With fewer, a part of the traffic that alone eats the margin (share margin / |low_end|, each of its cases the worst
    there is) would be missed altogether with probability above alpha: n >= ln(alpha) / ln(1 - margin / |low_end|).
    A latency quantile p with margin 0 needs 20 / (1 - p) instead: 40, 400, 2000 for p50, p95, p99.
    low_end < 0 is the least D can be; 0 <= margin < |low_end|.
    """
    needed = least
    if quantile is not None:
        needed = max(needed, ceil(20 / (1 - quantile) - 1e-9))
    if margin > 0:
        needed = max(needed, ceil(log(alpha) / log1p(margin / low_end)))
    return needed
