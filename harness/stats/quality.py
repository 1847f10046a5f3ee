"""Quality of two sets of scores on one set of truths: AUC and its paired difference, calibration, quantiles of errors.

For reports. What gates is a case's own contribution (comparator `task_quality`), whose mean is tested with the rest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
QUANTILES = (0.5, 0.9, 0.99, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class AucDifference:
    """difference: target less source. error: its standard error, for independent cases and large n."""

    source: float
    target: float
    difference: float
    error: float


def auc(scores: Floats, positive: NDArray[np.bool_]) -> float:
    """Area under the ROC curve: how often a positive scores above a negative, ties by half. ValueError without both."""
    above, _ = _placements(scores, positive)
    return float(above.mean())


def auc_difference(source: Floats, target: Floats, positive: NDArray[np.bool_]) -> AucDifference:
    """Paired, by placements. Raises ValueError where there are fewer than two positives or two negatives.

    Source: E. R. DeLong, D. M. DeLong and D. L. Clarke-Pearson (1988), Biometrics 44(3), 837-845.
    """
    if positive.sum() < 2 or (~positive).sum() < 2:
        raise ValueError("the difference of two areas needs two positives and two negatives")
    (was_above, was_below), (now_above, now_below) = (_placements(side, positive) for side in (source, target))
    above, below = now_above - was_above, now_below - was_below
    variance = float(above.var(ddof=1)) / len(above) + float(below.var(ddof=1)) / len(below)
    return AucDifference(
        source=float(was_above.mean()),
        target=float(now_above.mean()),
        difference=float(above.mean()),
        error=math.sqrt(variance),
    )


def calibration_error(probabilities: Floats, positive: NDArray[np.bool_], *, bins: int = 10) -> float:
    """Expected calibration error over bins of equal width, in [0, 1].

    Source: C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger (2017), On Calibration of Modern Neural Networks, ICML.
    """
    place = np.minimum((probabilities * bins).astype(int), bins - 1)
    count = np.bincount(place, minlength=bins)
    gap = np.abs(np.bincount(place, probabilities, minlength=bins) - np.bincount(place, positive, minlength=bins))
    return float(gap.sum() / max(count.sum(), 1))


def error_quantiles(source: Floats, target: Floats) -> dict[float, float]:
    """Quantile -> absolute difference of the sides, where both are numbers; empty where they nowhere are."""
    usable = np.isfinite(source) & np.isfinite(target)
    apart = np.abs(target[usable] - source[usable])
    return {q: float(np.quantile(apart, q)) for q in QUANTILES} if len(apart) else {}


def _placements(scores: Floats, positive: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """For each positive the share of negatives below it, for each negative the share of positives above it."""
    high, low = scores[positive], scores[~positive]
    if not len(high) or not len(low):
        raise ValueError("an area under the ROC curve needs a positive and a negative")
    ordered_low, ordered_high = np.sort(low), np.sort(high)
    above = (np.searchsorted(ordered_low, high, "left") + np.searchsorted(ordered_low, high, "right")) / (2 * len(low))
    at_most = (np.searchsorted(ordered_high, low, "left") + np.searchsorted(ordered_high, low, "right")) / (
        2 * len(high)
    )
    return np.asarray(above), np.asarray(1 - at_most)
