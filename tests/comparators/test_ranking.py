"""The order that scores put things in."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from harness.comparators import ranking
from harness.core.output import Scores
from harness.core.protocols import Comparator
from harness.core.verdict import Comparison, Status
from harness.errors import ConfigError, UnknownName
from tests.comparators.contract import case, check_kinds, check_said

MEASURES = ("top_k", "rbo", "kendall", "first")
VALUES = arrays.arrays(np.float64, (4, 2), elements=st.floats(allow_nan=False))


def items(*scores: float) -> Scores:
    return Scores(np.array(scores)[:, None], ("0",))


def wide(values: np.ndarray) -> Scores:
    return Scores(values, ("a", "b"))


def compare(source: Scores, target: Scores, **options: object) -> Comparison:
    return ranking.build(**options).compare(source, target, case=case())


def test_it_is_a_comparator_whose_kind_follows_its_measure():
    assert isinstance(ranking.build(), Comparator)
    assert ranking.build().kinds == ("score",)
    assert ranking.build(measure="first").kinds == ("flip",)


@pytest.mark.parametrize(
    ("options", "signature"),
    [
        ({}, "ranking|measure:top_k|over:rows|k:10"),
        (
            {"measure": "rbo", "column": "b", "descending": False},
            "ranking|measure:rbo|over:rows|p:0.9|column:b|ascending",
        ),
        ({"measure": "first", "over": "columns"}, "ranking|measure:first|over:columns"),
    ],
)
def test_signature_names_every_setting(options, signature):
    assert ranking.build(**options).signature() == signature


@pytest.mark.parametrize("measure", MEASURES)
def test_other_numbers_in_the_same_order_match(measure):
    found = compare(items(3, 1, 2), items(300, -1, 0), measure=measure)
    assert (found.status, found.distance) == (Status.MATCH, 0.0)


def test_each_measure():
    source, target = items(4, 3, 2, 1), items(3, 4, 1, 2)
    assert compare(source, target, k=1).value == 0.0
    assert compare(source, target, k=2).value == 1.0
    assert compare(source, target, measure="kendall").value == pytest.approx(4 / 6)
    first = compare(source, target, measure="first")
    assert (first.value, first.reason) == (1.0, "source row 0, row 1, row 2 first, target row 1, row 0, row 3")


def test_kendall_without_ties_is_scipys_tau():
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=30), rng.normal(size=30)
    tau = stats.kendalltau(one, other).statistic
    assert compare(items(*one), items(*other), measure="kendall").value == pytest.approx((tau + 1) / 2)


def test_a_tie_that_the_target_breaks_is_a_difference_to_kendall():
    assert compare(items(1, 1), items(1, 2), measure="kendall").value == 0.0


def test_over_columns_each_row_is_a_ranking():
    source, target = wide(np.array([[1.0, 2], [1, 2]])), wide(np.array([[1.0, 2], [2, 1]]))
    assert compare(source, target, over="columns", k=1).value == 0.5
    assert compare(source, target, over="columns", measure="first").value == 1.0


def test_what_has_no_order_is_told():
    assert compare(items(math.nan, 1), items(1, 2)).status is Status.INCOMPARABLE
    assert compare(items(1, 2), items(math.nan, 1)).value == 0.0
    assert compare(items(1), items(1)).status is Status.INCOMPARABLE
    assert (
        compare(items(1, 2), items(1, 2, 3)).reason == "source answered 2 rows of 1 column, target 3 rows of 1 column"
    )
    assert 'name the score with "column"' in compare(wide(np.ones((2, 2))), wide(np.ones((2, 2)))).reason
    assert compare(wide(np.ones((2, 2))), wide(np.ones((2, 2))), column="c").status is Status.INCOMPARABLE


def test_wrong_kinds_are_told():
    check_kinds(ranking.build(), [items(1, 2)])


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("over", ["rows", "columns"])
@given(source=VALUES, target=VALUES)
def test_identity_bounds_and_sides(measure, over, source, target):
    built = ranking.build(measure=measure, over=over, k=2, column="a" if over == "rows" else None)
    assert built.compare(wide(source), wide(source), case=case()).status is Status.MATCH
    found = built.compare(wide(source), wide(target), case=case())
    check_said(built, found)
    assert built.compare(wide(target), wide(source), case=case()).value == pytest.approx(found.value)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"measure": "top"}, UnknownName, "top_k"),
        ({"over": "row"}, UnknownName, 'Did you mean "rows"'),
        ({"k": 0}, ConfigError, "at least 1"),
        ({"p": 1}, ConfigError, "between 0 and 1"),
        ({"column": "a", "over": "columns"}, ConfigError, "takes all of them"),
        ({"descending": 1}, ConfigError, "true or false"),
    ],
)
def test_a_wrong_option_is_named(options, error, message):
    with pytest.raises(error, match=message):
        ranking.build(**options)
