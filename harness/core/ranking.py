"""Measures of rankings: pure functions on lists of names, best first, each name at most once in a list."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence


def recall_at(ranking: Sequence[str], relevant: Collection[str], k: int) -> float:
    """Share of the relevant names among the first k, in [0, 1]. Raises ValueError where nothing is relevant."""
    if not relevant:
        raise ValueError("recall of nothing is not defined")
    return len(set(ranking[:k]) & set(relevant)) / len(set(relevant))


def overlap_at(one: Sequence[str], other: Sequence[str], k: int) -> float:
    """Names that both have among their first k, by the longer of the two lists cut at k; 1 where both are empty."""
    longest = max(len(one[:k]), len(other[:k]))
    return len(set(one[:k]) & set(other[:k])) / longest if longest else 1.0


def ndcg_at(ranking: Sequence[str], grades: Mapping[str, float], k: int) -> float:
    """Normalised discounted cumulative gain of the first k, in [0, 1]; the gain is the grade, at least 0.

    A name without a grade gains nothing. Raises ValueError where no grade is above 0.
    Source: K. Järvelin and J. Kekäläinen (2002), ACM TOIS 20(4), 422-446, with the discount 1 / log2(place + 1).
    """
    best = _gain(sorted((max(grade, 0.0) for grade in grades.values()), reverse=True)[:k])
    if best <= 0.0:
        raise ValueError("nDCG without a relevant name is not defined")
    found = _gain([max(grades.get(name, 0.0), 0.0) for name in ranking[:k]]) / best
    return 1.0 if found > 1.0 - 1e-12 else found


def rbo(one: Sequence[str], other: Sequence[str], p: float) -> float:
    """Rank-biased overlap, extrapolated from the depth that was seen, in [0, 1]; 0 < p < 1, deeper with a larger p.

    Lists may differ in length; two empty ones are equal, one empty one has nothing in common with any other.
    Source: W. Webber, A. Moffat and J. Zobel (2010), ACM TOIS 28(4), article 20, equation 32.
    """
    if not one or not other:
        return float(not one and not other)
    shorter, longer = sorted((one, other), key=len)
    s, n = len(shorter), len(longer)
    seen_short: set[str] = set()
    seen_long: set[str] = set()
    common = common_at_s = 0
    total = 0.0
    for depth in range(1, n + 1):
        if depth <= s:
            common += shorter[depth - 1] in seen_long
            seen_short.add(shorter[depth - 1])
        seen_long.add(longer[depth - 1])
        common += longer[depth - 1] in seen_short
        if depth == s:
            common_at_s = common
        extrapolated = common_at_s * (depth - s) / s if depth > s else 0.0
        total += (common + extrapolated) / depth * p**depth
    end = ((common - common_at_s) / n + common_at_s / s) * p**n
    found = (1 - p) / p * total + end
    return 1.0 if found > 1.0 - 1e-12 else found  # a ranking and itself are exactly one, whatever the sum's rounding


def _gain(grades: Sequence[float]) -> float:
    return sum(grade / math.log2(place + 1) for place, grade in enumerate(grades, start=1))
