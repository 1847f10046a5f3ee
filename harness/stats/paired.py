"""Rows become D, one number a unit: the only place that makes D, with the cleaning rules in their order.

1. `merge_duplicates`: the same case and repeat reported twice counts once; different values are a fault.
   `first_readings`: a case replayed on later nights, and a cluster that was closed, add nothing.
2. `source_failed`: nothing to compare with; excluded, and counted.
3. `target_failed`: the worst value, never dropped.
4. `target_unscored`, `noise_unscored`: the worst value for the target, the best for the source, and counted.
5. Nothing left is no units, and no units never pass: the gate's minimum sees to that.

Each rule is a function of its own, so that a test can take it away and see the verdict change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.rows import ERROR, TIMEOUT, UNSCORED, Flags, Floats, Ints, Labels, Rows
from harness.stats.measure import CLIP, SEVERE_BOUNDS, SEVERE_DROP, Kind, Measure
from harness.stats.units import Tally, Units

# A similarity of a text with itself may come out a rounding error below 1.
_SAME_SCORE = 1.0 - 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Readings:
    """Rows of one metric that stand, cleaned; every array has shape (n,).

    case, cluster: codes. look: the night of the row. target, noise: values after rules 3 and 4, meaningless where
    excluded. conflicting: contradicts another report of the same case. contradicted: a source declared deterministic
    differs from itself. duplicates, replays: rows that were left out because they add nothing.
    """

    measure: Measure
    rows: Rows
    look: Ints
    looks: int
    target: Floats
    noise: Floats
    excluded: Flags
    unscored: Flags
    conflicting: Flags
    contradicted: Flags
    duplicates: int
    replays: int

    def __len__(self) -> int:
        return len(self.look)


def clean(rows: Rows, look: Ints, measure: Measure, *, looks: int) -> Readings:
    """Apply the cleaning rules, in order, to the rows of one metric.

    look: int64, shape (n,), the night of each row, 0 <= look < looks.
    """
    kept, conflicting = merge_duplicates(rows, look)
    duplicates = len(rows) - len(kept)
    rows, look = rows.take(kept), look[kept]
    standing = first_readings(rows, look)
    replays = len(rows) - int(standing.sum())
    rows, look, conflicting = rows.take(standing), look[standing], conflicting[standing]
    conflicting |= in_two_clusters(rows)

    excluded = source_failed(rows, measure)
    failed = target_failed(rows) & ~excluded
    lost = target_unscored(rows, measure) & ~failed & ~excluded
    unsure = noise_unscored(rows, measure) & ~excluded
    noise = source_values(rows, measure, unscored=unsure | excluded)
    target = target_values(rows, measure, noise=noise, worst=failed | lost | excluded)
    return Readings(
        measure=measure,
        rows=rows,
        look=look,
        looks=looks,
        target=target,
        noise=noise,
        excluded=excluded,
        unscored=lost | unsure,
        conflicting=conflicting,
        contradicted=contradicts_determinism(measure, noise) & ~excluded & ~unsure,
        duplicates=duplicates,
        replays=replays,
    )


def merge_duplicates(rows: Rows, look: Ints) -> tuple[Ints, Flags]:
    """Rule 1: one row for each case, repeat and run.

    Returns the rows to keep, and which of them were also reported with something different in any column. NaN equals
    NaN, null equals null, 0 equals -0.
    """
    n = len(rows)
    if n == 0 or np.bincount(rows.case.codes).max() == 1:
        return np.arange(n), np.zeros(n, dtype=np.bool_)
    keys = (look, rows.repeat, rows.case.codes)
    order = np.lexsort(keys)
    again = np.zeros(n, dtype=np.bool_)
    again[1:] = np.logical_and.reduce([key[order[:-1]] == key[order[1:]] for key in keys])
    if again.any():  # which of two conflicting rows is kept must not depend on their order
        order = np.lexsort((*_content(rows), *keys))
    starts = np.flatnonzero(~again)
    differs = np.zeros(n, dtype=np.bool_)
    differs[again] = _differ(rows, order[:-1][again[1:]], order[1:][again[1:]])
    conflicting = np.logical_or.reduceat(differs, starts)
    return order[starts], conflicting


def _content(rows: Rows) -> list[NDArray[Any]]:
    """Everything a row says besides its key, as columns that sort the same whatever the order of rows."""
    texts = [_ranks(column) for column in (rows.cluster, *rows.slices.values())]
    states = [rows.status_target, rows.status_source, rows.null_target, rows.null_noise]
    return [*texts, *states, rows.value_target, rows.value_noise]


def _ranks(column: Labels) -> Ints:
    ranks = np.full(len(column.names) + 1, -1, dtype=np.int64)
    ranks[sorted(range(len(column.names)), key=column.names.__getitem__)] = np.arange(len(column.names))
    return ranks[column.codes]


def _differ(rows: Rows, left: Ints, right: Ints) -> Flags:
    """Where two rows of one key do not say the same."""
    different = np.zeros(len(left), dtype=np.bool_)
    for column in (rows.cluster, *rows.slices.values()):
        different |= column.codes[left] != column.codes[right]
    for status in (rows.status_target, rows.status_source, rows.null_target, rows.null_noise):
        different |= status[left] != status[right]
    for value in (rows.value_target, rows.value_noise):
        a, b = value[left], value[right]
        different |= (a != b) & ~(np.isnan(a) & np.isnan(b))
    return different


def first_readings(rows: Rows, look: Ints) -> Flags:
    """A case's first reading stands, and a cluster is closed at the end of the night it appears in."""
    standing = _first(rows.case, look)
    cluster_standing = _first(rows.cluster.take(standing), look[standing])
    standing[standing] = cluster_standing
    return standing


def _first(column: Labels, look: Ints) -> Flags:
    first = np.full(len(column.names), np.iinfo(np.int64).max)
    np.minimum.at(first, column.codes, look)
    return np.asarray(look == first[column.codes])


def in_two_clusters(rows: Rows) -> Flags:
    """Rows of a case that is reported in two clusters: which of them it shares its fate with is unknown."""
    least = np.full(len(rows.case.names), np.iinfo(np.int64).max)
    most = np.full(len(rows.case.names), -1)
    np.minimum.at(least, rows.case.codes, rows.cluster.codes)
    np.maximum.at(most, rows.case.codes, rows.cluster.codes)
    return np.asarray((least != most)[rows.case.codes])


def source_failed(rows: Rows, measure: Measure) -> Flags:
    """Rule 2: S or S' failed, or its value is missing where nothing else can stand for it."""
    if measure.kind is Kind.LIMIT:  # a contract binds the target, however the source fares
        return np.zeros(len(rows), dtype=np.bool_)
    failed = (rows.status_source == ERROR) | (rows.status_source == TIMEOUT)
    if measure.kind is Kind.CHECK:
        return np.asarray(failed)
    repeats_itself = measure.deterministic and measure.kind in (Kind.SCORE, Kind.FLIP, Kind.EXCEED)
    missing = rows.null_noise & (rows.status_source != UNSCORED)
    return np.asarray(failed if repeats_itself else failed | missing)


def target_failed(rows: Rows) -> Flags:
    """Rule 3: the target failed or timed out. The worst value, and never dropped."""
    return np.asarray((rows.status_target == ERROR) | (rows.status_target == TIMEOUT))


def target_unscored(rows: Rows, measure: Measure) -> Flags:
    """Rule 4: no comparator could score the target's answer, or its value is none that a score can be."""
    return np.asarray(
        (rows.status_target == UNSCORED) | rows.null_target | ~in_range(rows.value_target, measure),
    )


def noise_unscored(rows: Rows, measure: Measure) -> Flags:
    """Rule 4 for source against source: counted as unscored, and the source gets its best value."""
    if measure.kind in (Kind.LIMIT, Kind.CHECK):
        return np.zeros(len(rows), dtype=np.bool_)
    senseless = ~rows.null_noise & ~in_range(rows.value_noise, measure)
    return np.asarray((rows.status_source == UNSCORED) | senseless)


def in_range(values: Floats, measure: Measure) -> Flags:
    """Which values mean something. An infinite latency is a slow call; any other infinity is not a value."""
    kind = measure.kind
    if kind is Kind.COST:
        return np.asarray(np.isfinite(values) & (values >= 0))
    if kind is Kind.QUALITY:
        low, high = measure.value_range
        return np.asarray((values >= low) & (values <= high))
    if kind is Kind.CHECK:
        return np.asarray(np.isfinite(values))
    if kind is Kind.LIMIT and measure.limit is not None:
        return np.asarray(values > -np.inf)
    share = (values >= 0) & (values <= 1)
    return np.asarray(share | (values == np.inf) if kind in (Kind.EXCEED, Kind.LIMIT) else share)


def source_values(rows: Rows, measure: Measure, *, unscored: Flags) -> Floats:
    """compare(S, S'), with the source's best value where it is unscored or, for a deterministic source, absent."""
    best = {Kind.SCORE: 1.0, Kind.QUALITY: measure.value_range[1 if measure.larger_is_better else 0]}
    values = np.where(unscored | rows.null_noise, best.get(measure.kind, 0.0), rows.value_noise)
    return np.minimum(values, 1.0) if measure.kind is Kind.EXCEED else values


def target_values(rows: Rows, measure: Measure, *, noise: Floats, worst: Flags) -> Floats:
    """compare(S, T), with the worst value where rules 3 and 4 say so. Flips, slow calls and limits become 0 or 1."""
    values = rows.value_target
    if measure.kind is Kind.LIMIT and measure.limit is not None:
        values = np.where(values > measure.limit, 1.0, 0.0)
    elif measure.kind in (Kind.EXCEED, Kind.LIMIT):
        values = np.minimum(values, 1.0)
    return np.where(worst, worst_value(measure, noise), values)


def worst_value(measure: Measure, noise: Floats) -> Floats | float:
    """What a failed answer counts as. A failed call costs the cap, and is never a saving."""
    if measure.kind is Kind.COST:
        return np.maximum(measure.cap_usd, measure.ratio * noise)
    if measure.kind is Kind.QUALITY:
        return measure.value_range[0 if measure.larger_is_better else 1]
    return 0.0 if measure.kind is Kind.SCORE else 1.0


def contradicts_determinism(measure: Measure, noise: Floats) -> Flags:
    """A source that was declared to repeat itself and did not."""
    if measure.deterministic and measure.kind is Kind.SCORE:
        return np.asarray(noise < _SAME_SCORE)
    if measure.deterministic and measure.kind is Kind.FLIP:
        return np.asarray(noise > 0)
    return np.zeros(len(noise), dtype=np.bool_)


def difference(readings: Readings) -> Floats:
    """D of each row, within the measure's bounds."""
    target, noise, measure = readings.target, readings.noise, readings.measure
    match measure.kind:
        case Kind.SCORE:
            return np.clip(target - noise, -CLIP, CLIP)
        case Kind.QUALITY:
            return target - noise if measure.larger_is_better else noise - target
        case Kind.COST:
            return np.clip((measure.ratio * noise - target) / measure.cap_usd, -1.0, 1.0)
        case Kind.LIMIT | Kind.CHECK:
            return -target
        case _:
            return noise - target


def severe_difference(readings: Readings) -> Floats:
    """1{x > k} - 1{x < -k} with x = sim(S,T) - sim(S,S') and k = 0.40: what clipping hides."""
    x = readings.target - readings.noise
    return (x > SEVERE_DROP).astype(np.float64) - (x < -SEVERE_DROP).astype(np.float64)


def units(readings: Readings, *, part: Flags | None = None, severe: bool = False) -> Units:
    """One number a unit: repeats average within a case, cases within a cluster.

    part: bool, shape (n,), the readings of a slice; None: all. severe: the severe-drop difference.
    """
    part = np.ones(len(readings), dtype=np.bool_) if part is None else part
    low_end, high_end = SEVERE_BOUNDS if severe else readings.measure.bounds
    d = severe_difference(readings) if severe else difference(readings)
    chosen = part & ~readings.excluded
    rows = readings.rows
    case, by_case, _ = _averages(rows.case.codes[chosen], d[chosen])
    at = np.empty(len(rows.case.names), dtype=np.int64)
    at[rows.case.codes] = np.arange(len(rows))
    cluster, by_unit, size = _averages(rows.cluster.codes[at[case]], by_case)
    at_cluster = np.empty(len(rows.cluster.names), dtype=np.int64)
    at_cluster[rows.cluster.codes] = np.arange(len(rows))
    look = readings.look[at_cluster[cluster]]
    order = np.lexsort((size, by_unit, look))
    return Units(
        # Dividing a sum by a count can step over the end by a rounding error.
        d=np.clip(by_unit[order], low_end, high_end),
        size=size[order],
        look=look[order],
        low_end=low_end,
        high_end=high_end,
        looks=readings.looks,
        tally=tally(readings, part),
        cases=len(case),
        worse=int((by_case < 0).sum()),
        better=int((by_case > 0).sum()),
    )


def _averages(codes: Ints, values: Floats) -> tuple[Ints, Floats, Ints]:
    """Distinct codes, the mean of their values, and how many there were.

    Values are added in the order of their size, so that the sum does not depend on the order of rows.
    """
    if len(codes) == 0 or np.bincount(codes).max() == 1:
        return codes, values, np.ones(len(codes), dtype=np.int64)
    order = np.lexsort((values, codes))
    ordered = codes[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    counts = np.diff(np.append(starts, len(codes)))
    return ordered[starts], np.add.reduceat(values[order], starts) / counts, counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """A check has no sample: every value counts. rows: all values; past: those past a limit; absent: those missing."""

    rows: int
    past: int
    absent: int


def census(readings: Readings, *, part: Flags | None = None) -> Census:
    """Count the values of a check that are past its limits, and those that are not there."""
    part = np.ones(len(readings), dtype=np.bool_) if part is None else part
    measure = readings.measure
    absent = readings.excluded | readings.unscored | target_failed(readings.rows)
    past = np.zeros(len(readings), dtype=np.bool_)
    if measure.limit is not None:
        past |= readings.target > measure.limit
    if measure.lower_limit is not None:
        past |= readings.target < measure.lower_limit
    return Census(rows=int(part.sum()), past=int((past & ~absent & part).sum()), absent=int((absent & part).sum()))


def tally(readings: Readings, part: Flags) -> Tally:
    """What was counted up to the end of each look."""

    def upto(flags: Flags) -> Ints:
        return np.cumsum(np.bincount(readings.look[flags], minlength=readings.looks))

    return Tally(
        rows=upto(part),
        excluded=upto(part & readings.excluded),
        unscored=upto(part & readings.unscored),
        conflicts=upto(readings.conflicting),
        contradicted=upto(readings.contradicted),
        largest=_largest(readings, part),
    )


def _largest(readings: Readings, part: Flags) -> Ints:
    """Cases in the largest cluster up to the end of each look."""
    rows = readings.rows
    one_row = _row_of(rows.case, part)
    sizes = np.bincount(rows.cluster.codes[one_row], minlength=len(rows.cluster.names))
    largest = np.zeros(readings.looks, dtype=np.int64)
    np.maximum.at(largest, readings.look[part], sizes[rows.cluster.codes[part]])
    return np.maximum.accumulate(largest)


def _row_of(column: Labels, part: Flags) -> Ints:
    """One row for each name that occurs in the part."""
    rows = np.full(len(column.names), -1, dtype=np.int64)
    chosen = np.flatnonzero(part)
    rows[column.codes[chosen]] = chosen
    return rows[rows >= 0]
