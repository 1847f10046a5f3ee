"""Spinnaker Kayenta's judge for one metric whose fall is bad (direction "decrease"), all else at its defaults.

NaN becomes 0; values outside both the 1st-99th percentiles and three interquartile ranges are removed. The metric is
Low when the 98 % confidence interval of the Hodges-Lehmann shift lies below -0.25 times the estimate's size and the
mean did not rise. A metric without data passes; one whose classification raises leaves its group without data, and
such a group counts 100. The score must reach 95.
Source: spinnaker/kayenta, kayenta-judge: NetflixACAJudge, MannWhitneyClassifier, IQRDetector, WeightedSumScorer.
"""

from __future__ import annotations

from math import sqrt

import numpy as np
from peers.samples import Floats, Sample
from scipy.stats import norm

WORDS = "Kayenta judge"
TOLERANCE, CONFIDENCE = 0.25, 0.98


def judge(sample: Sample) -> str:
    target = sample.target[~sample.timed_out]
    if sample.absent or not len(target):
        return "GO"  # classified Pass
    if np.isinf(target).any():
        return "GO"  # the root finder raises on an infinite bracket: an Error, whose group counts 100
    source = without_outliers(sample.source.ravel())
    target = without_outliers(np.where(np.isnan(target), 0.0, target))
    _, estimate, upper = shift(source, target)
    low = upper < -TOLERANCE * abs(estimate) and target.mean() <= source.mean()
    return "NO-GO" if low else "GO"


def without_outliers(values: Floats) -> Floats:
    p01, p25, p75, p99 = np.percentile(values, (1, 25, 75, 99), method="weibull")
    reach = 3.0 * (p75 - p25)
    return values[(values >= min(p01, p25 - reach)) & (values <= max(p99, p75 + reach))]


def shift(control: Floats, experiment: Floats) -> tuple[float, float, float]:
    """Lower end, Hodges-Lehmann estimate and upper end, from the normal approximation of the rank sum's variance.

    The ends are the shifts at which the standardised rank sum crosses the normal quantile, which are order statistics
    of all pairwise differences.
    """
    m, n = len(experiment), len(control)
    differences = np.subtract.outer(experiment, control).ravel()
    rank = norm.ppf((1 + CONFIDENCE) / 2) * sqrt(m * n * (m + n + 1) / 12)
    at = max(int(np.ceil(m * n / 2 - rank - 0.5)), 1)  # with the continuity correction of one half
    ordered = np.partition(differences, (at - 1, m * n // 2, m * n - at))
    return float(ordered[at - 1]), float(ordered[m * n // 2]), float(ordered[m * n - at])
