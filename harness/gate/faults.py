"""Faults of known size, planted into a copy of rows: what a gate that is worth its name must refuse.

Each fault touches the target's side only (`sources_fail` excepted), hits whole cases with all their repeats, and draws
them with the generator it is given. To add one: a function that takes rows, what to hit and a generator and gives rows,
and a line in `faults`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from harness.core.rows import ERROR, OK, Flags, Floats, Rows
from harness.gate.policy import SOURCE_LABEL, Criterion, Policy
from harness.stats.measure import Kind

ERROR_METRICS = ("error", "errors")
SUBGROUP, FAILURES, NAN, SLOWER, MEAN_DROP, SOURCE_FAILURES = 0.02, 0.05, 0.03, 0.10, 0.10, 0.10
LEAST_HIT = 3  # cases: fewer say nothing of a gate

Generator = np.random.Generator
Planter = Callable[[Rows, Generator], Rows]
Strike = Callable[[Rows, Flags], Rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """name: what goes wrong. criterion: where it is planted, None for every metric. size: in words, with counts.

    plant: rows -> rows. open_end: INCONCLUSIVE is the right answer even where the rows are many, because the
    fault takes away what the target would be judged by.
    """

    name: str
    criterion: str | None
    metrics: tuple[str, ...]
    size: str
    plant: Planter
    open_end: bool = False


def faults(rows: Rows, policy: Policy) -> Iterator[Fault]:
    """Every fault that can befall these rows under this policy, by gating criterion; then those of all metrics."""
    gating = [one for one in policy.criteria if not one.advisory]
    for criterion in gating:
        if rows.metric.has(criterion.metric).any():
            yield from _of_criterion(rows, criterion)
    called = [one for one in gating if one.kind is not Kind.CHECK and rows.metric.has(one.metric).any()]
    metrics = tuple(dict.fromkeys(one.metric for one in called))
    if called:
        yield _everywhere(rows, metrics, "calls fail", FAILURES, _fail_target)
    # A source that fails speaks for the target where only failures are counted, and says nothing to a contract.
    if any(one.metric not in ERROR_METRICS and one.kind is not Kind.LIMIT for one in called):
        yield replace(_everywhere(rows, metrics, "the source fails", SOURCE_FAILURES, _fail_source), open_end=True)


def _of_criterion(rows: Rows, criterion: Criterion) -> Iterator[Fault]:
    match criterion.kind:
        case Kind.SCORE:
            yield _shift(criterion, MEAN_DROP, f"every score falls by {MEAN_DROP:g}", "mean drop")
            yield _subgroup(rows, criterion)
            yield _nan(rows, criterion)
        case Kind.FLIP if criterion.metric in ERROR_METRICS:
            yield _share(rows, criterion, max(3 * criterion.margin, FAILURES), "failures")
        case Kind.FLIP:
            yield _share(rows, criterion, 3 * criterion.margin, "flips")
            yield _subgroup(rows, criterion)
            yield from _label_lost(rows, criterion)
            yield _nan(rows, criterion)
        case Kind.EXCEED:
            yield _slow(criterion)
        case Kind.LIMIT:
            yield _share(rows, criterion, max(3 * criterion.margin, SUBGROUP), "over the limit")
        case Kind.COST:
            yield _dearer(criterion)
        case Kind.QUALITY:
            width = criterion.measure.width
            drop = max(3 * criterion.margin, MEAN_DROP * width)
            yield _shift(criterion, drop, f"every contribution is worse by {drop:g}", "quality drop")
            yield _nan(rows, criterion)
        case Kind.CHECK:
            yield _past_limit(criterion)


def worst(criterion: Criterion) -> float:
    """The value of a case that is altogether lost."""
    measure = criterion.measure
    match criterion.kind:
        case Kind.SCORE:
            return 0.0
        case Kind.QUALITY:
            return measure.value_range[0 if measure.larger_is_better else 1]
        case Kind.LIMIT if measure.limit is not None:
            return measure.limit + abs(measure.limit) + 1.0
        case Kind.COST:
            return measure.cap_usd
        case _:
            return 1.0


def _share(rows: Rows, criterion: Criterion, share: float, name: str) -> Fault:
    cases = _cases(rows, criterion.metric)
    hit = min(max(ceil(share * cases), LEAST_HIT), cases)

    def plant(base: Rows, rng: Generator) -> Rows:
        return _set(base, _draw(base, criterion.metric, hit, rng), worst(criterion))

    return _fault(criterion, name, f"{hit:,} of {cases:,} cases ({_percent(hit, cases)})", plant)


def _subgroup(rows: Rows, criterion: Criterion) -> Fault:
    """Whole clusters are lost: a mean over all cases hardly moves."""
    cases = _cases(rows, criterion.metric)
    hit = min(max(ceil(SUBGROUP * cases), LEAST_HIT), cases)

    def plant(base: Rows, rng: Generator) -> Rows:
        of_metric = np.flatnonzero(base.metric.has(criterion.metric))
        _, first = np.unique(base.case.codes[of_metric], return_index=True)
        clusters = base.cluster.codes[of_metric[first]]
        order = rng.permutation(np.unique(clusters))
        enough = int(np.searchsorted(np.cumsum(np.bincount(clusters)[order]), hit)) + 1
        return _set(base, of_metric[np.isin(base.cluster.codes[of_metric], order[:enough])], worst(criterion))

    return _fault(criterion, "broken subgroup", f"{hit:,} of {cases:,} cases, whole clusters", plant)


def _label_lost(rows: Rows, criterion: Criterion) -> Iterator[Fault]:
    """The rarest label of the source is never answered again: the hardest loss to see."""
    column = rows.slices.get(SOURCE_LABEL)
    of_metric = rows.metric.has(criterion.metric)
    if column is None or not (of_metric & (column.codes >= 0)).any():
        return
    counted = {name: _cases(rows, criterion.metric, column.has(name)) for name in column.present()}
    counted = {name: count for name, count in counted.items() if count}
    rarest = min(counted, key=lambda name: (counted[name], name))

    def plant(base: Rows, _rng: Generator) -> Rows:
        lost = base.metric.has(criterion.metric) & base.slices[SOURCE_LABEL].has(rarest)
        return _set(base, lost, worst(criterion))

    yield _fault(criterion, "a label is lost", f'all {counted[rarest]:,} cases of "{rarest}"', plant)


def _nan(rows: Rows, criterion: Criterion) -> Fault:
    cases = _cases(rows, criterion.metric)
    hit = min(max(ceil(NAN * cases), LEAST_HIT), cases)

    def plant(base: Rows, rng: Generator) -> Rows:
        return _set(base, _draw(base, criterion.metric, hit, rng), np.nan)

    fault = _fault(criterion, "NaN", f"{hit:,} of {cases:,} cases ({_percent(hit, cases)})", plant)
    return replace(fault, open_end=True)


def _shift(criterion: Criterion, drop: float, size: str, name: str) -> Fault:
    low, high = criterion.measure.value_range if criterion.kind is Kind.QUALITY else (0.0, 1.0)
    down = -drop if criterion.kind is Kind.SCORE or criterion.measure.larger_is_better else drop

    def plant(base: Rows, _rng: Generator) -> Rows:
        answered = base.metric.has(criterion.metric) & (base.status_target == OK) & ~base.null_target
        return _set(base, answered, np.clip(base.value_target + down, low, high))

    return _fault(criterion, name, size, plant)


def _slow(criterion: Criterion) -> Fault:
    """More of the target's calls are slow than of the source's, whatever quantile the threshold is."""
    points = max(SLOWER, 3 * criterion.margin)

    def plant(base: Rows, rng: Generator) -> Rows:
        of_metric = np.flatnonzero(base.metric.has(criterion.metric) & (base.status_source == OK))
        wanted = min(float(np.nan_to_num(base.value_noise[of_metric]).clip(0, 1).mean()) + points, 1.0)
        slow = base.value_target[of_metric] >= 1
        lacking = ceil(wanted * len(of_metric) - 1e-6) - int(slow.sum())
        chosen = rng.permutation(of_metric[~slow])[: max(lacking, 0)]
        return _set(base, chosen, 1.0)

    return _fault(criterion, "slow tail", f"{100 * points:g} points more slow calls than the source has", plant)


def _dearer(criterion: Criterion) -> Fault:
    ratio = 2 * (criterion.ratio or 1.0)

    def plant(base: Rows, _rng: Generator) -> Rows:
        return _set(base, base.metric.has(criterion.metric) & ~base.null_noise, ratio * base.value_noise)

    return _fault(criterion, "dearer", f"every call costs {ratio:g} times the source's", plant)


def _past_limit(criterion: Criterion) -> Fault:
    measure = criterion.measure
    bad = measure.limit + abs(measure.limit) + 1.0 if measure.limit is not None else (measure.lower_limit or 0.0) - 1.0

    def plant(base: Rows, rng: Generator) -> Rows:
        return _set(base, _draw(base, criterion.metric, 1, rng), bad)

    return _fault(criterion, "past the limit", "1 value", plant)


def _everywhere(rows: Rows, metrics: tuple[str, ...], name: str, share: float, strike: Strike) -> Fault:
    cases = len(rows.cases())
    hit = min(max(ceil(share * cases), LEAST_HIT), cases)

    def plant(base: Rows, rng: Generator) -> Rows:
        codes = rng.permutation(np.unique(base.case.codes))[:hit]
        return strike(base, np.isin(base.case.codes, codes))

    size = f"{hit:,} of {cases:,} cases ({_percent(hit, cases)})"
    return Fault(name=name, criterion=None, metrics=metrics, size=size, plant=plant)


def _fail_target(rows: Rows, hit: Flags) -> Rows:
    struck = hit & ~_errors(rows)
    failed = np.where(struck, ERROR, rows.status_target).astype(np.int8)
    return replace(_counted_as_error(rows, hit, target=True), status_target=failed)


def _fail_source(rows: Rows, hit: Flags) -> Rows:
    struck = hit & ~_errors(rows)
    failed = np.where(struck, ERROR, rows.status_source).astype(np.int8)
    return replace(_counted_as_error(rows, hit, target=False), status_source=failed)


def _counted_as_error(rows: Rows, hit: Flags, *, target: bool) -> Rows:
    """The error metric's own rows say ok, and 1 for the side that failed."""
    struck = hit & _errors(rows)
    if target:
        values = np.where(struck, 1.0, rows.value_target)
        return replace(rows, value_target=values, null_target=rows.null_target & ~struck)
    values = np.where(struck, 1.0, rows.value_noise)
    return replace(rows, value_noise=values, null_noise=rows.null_noise & ~struck)


def _errors(rows: Rows) -> Flags:
    return np.asarray(np.logical_or.reduce([rows.metric.has(name) for name in ERROR_METRICS]))


def _set(rows: Rows, chosen: Flags | Sequence[int] | np.ndarray, value: float | Floats) -> Rows:
    """Rows whose target answered, with that value."""
    flags = np.zeros(len(rows), dtype=np.bool_)
    flags[chosen] = True
    return replace(
        rows,
        value_target=np.where(flags, value, rows.value_target),
        null_target=rows.null_target & ~flags,
        status_target=np.where(flags, OK, rows.status_target).astype(np.int8),
    )


def _draw(rows: Rows, metric: str, count: int, rng: Generator) -> Flags:
    of_metric = rows.metric.has(metric)
    codes = rng.permutation(np.unique(rows.case.codes[of_metric]))[:count]
    return np.asarray(of_metric & np.isin(rows.case.codes, codes))


def _cases(rows: Rows, metric: str, part: Flags | None = None) -> int:
    chosen = rows.metric.has(metric)
    return len(np.unique(rows.case.codes[chosen if part is None else chosen & part]))


def _fault(criterion: Criterion, name: str, size: str, plant: Planter) -> Fault:
    return Fault(name=name, criterion=criterion.name, metrics=(criterion.metric,), size=size, plant=plant)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2g} %" if whole else "0 %"
