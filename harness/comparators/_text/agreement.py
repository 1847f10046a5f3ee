"""How well scores agree with people: area under the ROC curve, calibration error, coverage, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
ERROR = 0.05  # coverage is counted at this share of wrong verdicts
BINS = 10
RESAMPLES = 500
LEAST_COVERED = 20  # pairs; a share of errors among fewer says little


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95 % bootstrap interval; whole prompts are drawn, so that pairs of one prompt stay together."""

    value: float
    low: float
    high: float


def auc(scores: Floats, labels: Floats) -> float:
    """Probability that a pair labelled 1 scores above one labelled 0, ties half. Needs both labels.

    Source: the Mann-Whitney form, J. A. Hanley and B. J. McNeil (1982), Radiology 143, 29-36.
    """
    from scipy.stats import rankdata

    ranks = rankdata(scores)
    ones = int(labels.sum())
    zeros = len(labels) - ones
    return float((ranks[labels == 1].sum() - ones * (ones + 1) / 2) / (ones * zeros))


def calibration_error(scores: Floats, labels: Floats) -> float:
    """Mean distance of score and share of ones over ten bins of equal width, weighted by pairs.

    Source: M. P. Naeini et al. (2015), AAAI, "Obtaining well calibrated probabilities using Bayesian binning".
    """
    bins = np.minimum((scores * BINS).astype(np.int64), BINS - 1)
    apart = np.bincount(bins, weights=scores - labels, minlength=BINS)
    return float(np.abs(apart).sum() / len(scores))


def coverage(scores: Floats, labels: Floats) -> float:
    """Largest share of pairs, the surest scores first, of which at most ERROR are on the wrong side of 0.5."""
    order = np.argsort(-np.abs(scores - 0.5), kind="stable")
    wrong = ((scores >= 0.5) != (labels == 1))[order]
    clean = np.flatnonzero(np.cumsum(wrong) <= ERROR * np.arange(1, len(order) + 1))
    clean = clean[clean >= LEAST_COVERED - 1]
    return float((clean[-1] + 1) / len(order)) if len(clean) else 0.0


MEASURES: Mapping[str, Callable[[Floats, Floats], float]] = MappingProxyType(
    {"auc": auc, "calibration_error": calibration_error, "coverage": coverage}
)


def agreement(scores: Floats, labels: Floats, groups: Sequence[str], *, seed: int = 7) -> dict[str, Interval]:
    """Every measure with its interval. groups: the prompt of each pair."""
    _, codes = np.unique(np.asarray(groups), return_inverse=True)
    members = np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1])
    rng = np.random.default_rng(seed)
    drawn: dict[str, list[float]] = {name: [] for name in MEASURES}
    for _ in range(RESAMPLES):
        chosen = np.concatenate([members[index] for index in rng.integers(0, len(members), len(members))])
        if 0 < labels[chosen].sum() < len(chosen):
            for name, measure in MEASURES.items():
                drawn[name].append(measure(scores[chosen], labels[chosen]))
    return {name: _interval(measure(scores, labels), drawn[name]) for name, measure in MEASURES.items()}


def _interval(value: float, drawn: Sequence[float]) -> Interval:
    """Percentiles, widened to hold the value: a small calibration error lies below that of most resamples."""
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Interval(value, min(float(low), value), max(float(high), value))
