"""Rows become D: the formula of each kind, its bounds, and the units that count."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from harness.core.rows import Rows
from harness.core.verdict import Row, RowStatus
from harness.stats.measure import Kind, Measure
from harness.stats.paired import census, clean, difference, severe_difference, units

NAN, INF = math.nan, math.inf


def readings(measure: Measure, *rows: Row) -> Any:
    table = Rows.from_rows(rows)
    return clean(table, np.zeros(len(table), dtype=np.int64), measure, looks=1)


def d_of(measure: Measure, target: float | None, noise: float | None, **fields: Any) -> float:
    row = Row(case="a", metric="m", value_target=target, value_noise=noise, **fields)
    return float(difference(readings(measure, row))[0])


SCORE = Measure(kind=Kind.SCORE)
FLIP = Measure(kind=Kind.FLIP)
CERTAIN_FLIP = Measure(kind=Kind.FLIP, deterministic=True)
SLOW = Measure(kind=Kind.EXCEED)
COST = Measure(kind=Kind.COST, ratio=1.1, cap_usd=0.05)
LIMIT = Measure(kind=Kind.LIMIT, limit=1.0)
QUALITY = Measure(kind=Kind.QUALITY)
LOSS = Measure(kind=Kind.QUALITY, value_range=(0.0, 2.0), larger_is_better=False)


@pytest.mark.parametrize(
    "measure, target, noise, d",
    [
        (SCORE, 0.8, 0.9, -0.1),
        (SCORE, 0.1, 0.9, -0.25),
        (SCORE, 0.9, 0.1, 0.25),
        (FLIP, 1.0, 0.0, -1.0),
        (FLIP, 0.0, 1.0, 1.0),
        (FLIP, 1.0, 1.0, 0.0),
        (CERTAIN_FLIP, 1.0, None, -1.0),
        (CERTAIN_FLIP, 0.0, None, 0.0),
        (Measure(kind=Kind.SCORE, deterministic=True), 0.9, None, -0.1),
        (SLOW, 1.0, 0.0, -1.0),
        (SLOW, INF, 0.0, -1.0),
        (SLOW, INF, INF, 0.0),
        (COST, 0.012, 0.01, (0.011 - 0.012) / 0.05),
        (COST, 9.0, 0.01, -1.0),
        (COST, 0.0, 9.0, 1.0),
        (LIMIT, 0.9, None, 0.0),
        (LIMIT, 1.1, None, -1.0),
        (LIMIT, INF, None, -1.0),
        (Measure(kind=Kind.LIMIT), 1.0, None, -1.0),
        (QUALITY, 0.0, 1.0, -1.0),
        (LOSS, 1.5, 0.5, -1.0),
    ],
)
def test_d_of_one_case(measure: Measure, target: float, noise: float | None, d: float) -> None:
    assert d_of(measure, target, noise) == pytest.approx(d)


@pytest.mark.parametrize(
    "measure, noise, worst",
    [
        (SCORE, 0.9, -0.25),
        (FLIP, 0.0, -1.0),
        (CERTAIN_FLIP, None, -1.0),
        (SLOW, 0.0, -1.0),
        (COST, 0.01, (0.011 - 0.05) / 0.05),
        (LIMIT, None, -1.0),
        (QUALITY, 1.0, -1.0),
        (LOSS, 0.0, -2.0),
    ],
)
@pytest.mark.parametrize("status", [RowStatus.ERROR, RowStatus.TIMEOUT, RowStatus.UNSCORED])
def test_a_failed_or_unscored_target_is_the_worst_there_is(
    measure: Measure, noise: float | None, worst: float, status: RowStatus
) -> None:
    assert d_of(measure, None, noise, status_target=status) == pytest.approx(worst)
    assert d_of(measure, NAN, noise) == pytest.approx(worst)


@pytest.mark.parametrize("noise", [NAN, INF, -INF, -0.1, 1.1])
def test_an_unscored_source_gets_its_best_value(noise: float) -> None:
    assert d_of(SCORE, 0.9, noise) == pytest.approx(-0.1)
    assert d_of(FLIP, 0.0, noise) == 0.0


@pytest.mark.parametrize("x, d", [(-0.41, -1.0), (-0.40, 0.0), (-0.3, 0.0), (0.0, 0.0), (0.40, 0.0), (0.41, 1.0)])
def test_severe_drops_count_both_ways(x: float, d: float) -> None:
    """The threshold itself is not severe; 0.5 keeps the subtraction exact."""
    row = Row(case="a", metric="m", value_target=0.5 + min(x, 0), value_noise=0.5 - max(x, 0))
    assert severe_difference(readings(SCORE, row))[0] == d


def test_d_stays_within_its_bounds() -> None:
    rng = np.random.default_rng(1)
    for measure in (SCORE, FLIP, CERTAIN_FLIP, SLOW, COST, LIMIT, QUALITY, LOSS):
        rows = [
            Row(
                case=f"c{i}",
                metric="m",
                value_target=float(rng.choice([0.0, 0.3, 1.0, 7.0, NAN, INF, -INF])),
                value_noise=None if measure is CERTAIN_FLIP else float(rng.choice([0.0, 0.3, 1.0, 7.0, NAN, INF])),
                status_target=rng.choice(list(RowStatus)),
            )
            for i in range(300)
        ]
        low, high = measure.bounds
        found = units(readings(measure, *rows))
        assert len(found) == 300
        assert (found.d >= low).all()
        assert (found.d <= high).all()


def test_repeats_of_a_case_are_one_unit_and_cases_of_a_cluster_too() -> None:
    rows = [
        Row(case="a", metric="m", cluster="k", repeat=0, value_target=1.0, value_noise=0.0),
        Row(case="a", metric="m", cluster="k", repeat=1, value_target=0.0, value_noise=0.0),
        Row(case="b", metric="m", cluster="k", value_target=0.0, value_noise=0.0),
        Row(case="c", metric="m", value_target=1.0, value_noise=0.0),
    ]
    found = units(readings(FLIP, *rows))
    assert found.d.tolist() == [-1.0, -0.25]
    assert found.size.tolist() == [1, 2]
    assert (found.cases, found.worse, found.better) == (3, 2, 0)


def test_a_cluster_may_have_the_name_of_a_case() -> None:
    """A row without a cluster is in the one that is called like its case."""
    rows = [Row(case="a", metric="m", value_target=0.0, value_noise=0.0)]
    rows.append(Row(case="b", metric="m", cluster="a", value_target=0.0, value_noise=0.0))
    assert len(units(readings(FLIP, *rows))) == 1


def test_counts_are_kept_look_by_look() -> None:
    table = Rows.from_rows(
        Row(case=f"c{i}", metric="m", value_target=None if i == 1 else 0.0, value_noise=None if i == 3 else 0.0)
        for i in range(5)
    )
    found = units(clean(table, np.array([0, 0, 1, 1, 2]), FLIP, looks=3))
    assert found.tally.rows.tolist() == [2, 4, 5]
    assert found.tally.unscored.tolist() == [1, 1, 1]
    assert found.tally.excluded.tolist() == [0, 1, 1]
    assert found.counts().tolist() == [2, 3, 4]


def test_a_census_counts_what_is_past_and_what_is_absent() -> None:
    measure = Measure(kind=Kind.CHECK, limit=1.25, lower_limit=0.8)
    rows = [Row(case=f"c{i}", metric="m", value_target=value) for i, value in enumerate([1.0, 0.7, 1.3, None, NAN])]
    failed = Row(case="failed", metric="m", value_target=9.0, status_target=RowStatus.ERROR)
    counted = census(readings(measure, *rows, failed))
    assert (counted.rows, counted.past, counted.absent) == (6, 2, 3)


def test_no_row_is_no_unit() -> None:
    found = units(readings(SCORE))
    assert len(found) == 0
    assert found.counts().tolist() == [0]
