"""The gate's statistics once more, written the slow way from the formulas and not from the gate's code.

Rows are plain dictionaries with the fields of `parity decide`; every loop is a Python loop. What the harness computes
with sums, searches and folded arrays must agree with this to 1e-9 (`tests/peers/test_textbook.py`).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from scipy import stats

Row = Mapping[str, Any]
BETS = [0.01 * 98 ** (k / 11) for k in range(12)]  # 12 points, geometric from 0.01 to 0.98
FAILED = ("error", "timeout")


# D of one row. Larger is better for the target.


def bounds(criterion: Row) -> tuple[float, float]:
    """The least and largest D of a criterion's kind."""
    kind = criterion["kind"]
    if kind == "score":
        return -0.25, 0.25
    if kind == "limit" or (kind == "flip" and criterion.get("deterministic")):
        return -1.0, 0.0
    return -1.0, 1.0


def readable(value: float | None, kind: str) -> bool:
    """A share, for exceed also infinity, for cost any finite amount that is not negative."""
    if value is None or math.isnan(value):
        return False
    if kind == "cost":
        return math.isfinite(value) and value >= 0
    return 0 <= value <= 1 or (kind in ("exceed", "limit") and value == math.inf)


def excluded(row: Row, criterion: Row) -> bool:
    """The source failed, or what it should be held against is missing."""
    if row.get("status_source", "ok") in FAILED:
        return True
    needs_noise = criterion["kind"] != "limit" and not criterion.get("deterministic")
    return needs_noise and row.get("value_noise") is None and row.get("status_source", "ok") != "unscored"


def source_value(row: Row, criterion: Row) -> float:
    best = 1.0 if criterion["kind"] == "score" else 0.0
    value = row.get("value_noise")
    if row.get("status_source") == "unscored" or not readable(value, criterion["kind"]):
        return best
    return min(value, 1.0) if criterion["kind"] == "exceed" else value


def target_value(row: Row, criterion: Row) -> float:
    kind = criterion["kind"]
    value = row.get("value_target")
    if row.get("status_target", "ok") != "ok" or not readable(value, kind):
        if kind == "cost":
            return max(criterion["cap_usd"], criterion["ratio"] * source_value(row, criterion))
        return 0.0 if kind == "score" else 1.0
    return min(value, 1.0) if kind in ("exceed", "limit") else value


def gain(row: Row, criterion: Row) -> float:
    """D of a row."""
    kind = criterion["kind"]
    target, source = target_value(row, criterion), source_value(row, criterion)
    if kind == "score":
        return max(-0.25, min(0.25, target - source))
    if kind == "cost":
        return max(-1.0, min(1.0, (criterion["ratio"] * source - target) / criterion["cap_usd"]))
    return -target if kind == "limit" else source - target


def severe_gain(row: Row, criterion: Row) -> float:
    x = target_value(row, criterion) - source_value(row, criterion)
    return float(x > 0.40) - float(x < -0.40)


def unit_means(rows: Sequence[Row], criterion: Row, *, severe: bool = False) -> list[tuple[float, int]]:
    """(mean D, cases) of each cluster: repeats average within a case, cases within a cluster."""
    values: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row in rows:
        if not excluded(row, criterion):
            of_row = severe_gain(row, criterion) if severe else gain(row, criterion)
            values[row.get("cluster") or row["case"], row["case"]].append(of_row)
    clusters: dict[str, list[float]] = defaultdict(list)
    for (cluster, _), of_case in values.items():
        clusters[cluster].append(math.fsum(of_case) / len(of_case))
    return [(math.fsum(means) / len(means), len(means)) for means in clusters.values()]


# Tests of "the mean of D is at most -margin" (GO) and "at least -margin" (NO-GO).


def fixed(
    units: Sequence[tuple[float, int]], *, margin: float, ends: tuple[float, float], exact: bool
) -> tuple[float, float]:
    """(p_go, p_no_go) of one planned look."""
    sizes = [size for _, size in units]
    if exact and set(sizes) == {1} and all(d in (0.0, -1.0) for d, _ in units):
        flips = sum(1 for d, _ in units if d == -1.0)
        n = len(units)
        return float(stats.binom.cdf(flips, n, margin)), float(stats.binom.sf(flips - 1, n, margin))
    mean_size = math.fsum(sizes) / len(sizes)
    scores = [size / mean_size * (d + margin) for d, size in units]
    return _upper(t_statistic([*scores, ends[0] + margin]), len(units)), _upper(
        -t_statistic([*scores, ends[1] + margin]), len(units)
    )


def t_statistic(scores: Sequence[float]) -> float:
    n = len(scores)
    mean = math.fsum(scores) / n
    variance = math.fsum((score - mean) ** 2 for score in scores) / (n - 1)
    if variance <= 1e-28:  # every score the same
        return 0.0 if abs(mean) < 1e-14 else math.copysign(math.inf, mean)
    return mean * math.sqrt(n) / math.sqrt(variance)


def _upper(t: float, df: int) -> float:
    return float(stats.t.sf(t, df))


def anytime(
    units: Sequence[tuple[float, int]],
    *,
    margin: float,
    ends: tuple[float, float],
    max_cluster: int | None = None,
    looks: Sequence[int] | None = None,
) -> tuple[float, float]:
    """(p_go, p_no_go) as 1 / the largest E at the end of any look. looks: the night of each unit; None: one night."""
    nights = looks if looks is not None else [0] * len(units)
    best_go = best_no_go = -math.inf
    for night in sorted(set(nights)):
        seen = [unit for unit, of_unit in zip(units, nights, strict=True) if of_unit <= night]
        weighted = [(d, size if max_cluster else 1) for d, size in seen]
        heaviest = max_cluster or 1
        best_go = max(best_go, log_capital([w * (d + margin) for d, w in weighted], heaviest * (ends[0] + margin)))
        best_no_go = max(
            best_no_go, log_capital([-w * (d + margin) for d, w in weighted], heaviest * (ends[1] + margin))
        )
    return math.exp(-max(best_go, 0.0)), math.exp(-max(best_no_go, 0.0))


def log_capital(scores: Sequence[float], bound: float) -> float:
    """log of sum_k v_k prod (1 + l_k z / |bound|), v_k in proportion to l_k."""
    logs = [
        math.log(bet / math.fsum(BETS)) + math.fsum(math.log1p(bet * z / abs(bound)) for z in scores) for bet in BETS
    ]
    top = max(logs)
    return top + math.log(math.fsum(math.exp(one - top) for one in logs))


def holm(p_values: Sequence[float], alpha: float) -> list[bool]:
    """Which hypotheses fall, from the smallest p-value on, until one does not."""
    rejected = [False] * len(p_values)
    for rank, at in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        if p_values[at] > alpha / (len(p_values) - rank):
            break
        rejected[at] = True
    return rejected
