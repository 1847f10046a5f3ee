"""How right each side is."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from harness.comparators import task_quality
from harness.core.case import Json
from harness.core.output import Scores
from harness.core.protocols import Comparator
from harness.core.verdict import Comparison, Status
from harness.errors import ConfigError, UnknownName
from tests.comparators.contract import case, check_said

MEASURES = ("correct", "brier", "absolute_error", "squared_error")
VALUES = arrays.arrays(np.float64, (2, 1), elements=st.floats(allow_nan=True))


def scores(*rows: list[float], columns: tuple[str, ...] | None = None) -> Scores:
    values = np.array(rows, dtype=float)
    return Scores(values, columns or tuple(map(str, range(values.shape[1]))))


def value(side: Scores, expected: Json, **options: object) -> float | None:
    """Of the second side; the first never matters to it."""
    return task_quality.build(**options).compare(side, side, case=case(expected=expected)).value


def compare(source: Scores, target: Scores, expected: Json, **options: object) -> Comparison:
    return task_quality.build(**options).compare(source, target, case=case(expected=expected))


def test_it_is_a_comparator_of_kind_quality():
    assert isinstance(task_quality.build(), Comparator)
    assert task_quality.build().kinds == ("quality",)
    assert task_quality.build().signature() == "task_quality|measure:correct|threshold:0.5"
    assert task_quality.build(measure="absolute_error", scale=2, column="y").signature() == (
        "task_quality|measure:absolute_error|scale:2.0|column:y"
    )


@pytest.mark.parametrize(
    ("side", "expected", "options", "result"),
    [
        (scores([0.7]), 1, {}, 1.0),
        (scores([0.7]), 0, {}, 0.0),
        (scores([0.4]), True, {"threshold": 0.35}, 1.0),
        (scores([0.7], [0.2]), [1, 1], {}, 0.5),
        (scores([0.2, 0.7, 0.1], columns=("a", "b", "c")), "b", {}, 1.0),
        (scores([0.2, 0.7, 0.1]), 1, {}, 1.0),
        (scores([0.7]), 1, {"measure": "brier"}, 0.09),
        (scores([0.2, 0.8]), 1, {"measure": "brier"}, 0.04),
        (scores([3.0]), 5.0, {"measure": "absolute_error", "scale": 10}, 0.2),
        (scores([3.0]), 5.0, {"measure": "squared_error", "scale": 10}, 0.04),
        (scores([1e300]), 5.0, {"measure": "squared_error"}, 1.0),
        (scores([1.0, 9.0], columns=("x", "y")), 8, {"measure": "absolute_error", "scale": 2, "column": "y"}, 0.5),
    ],
)
def test_the_value_is_a_cases_contribution(side, expected, options, result):
    assert value(side, expected, **options) == pytest.approx(result)


def test_a_better_target_matches_and_a_worse_one_says_by_how_much():
    assert compare(scores([0.2]), scores([0.9]), 1).status is Status.MATCH
    found = compare(scores([0.9]), scores([0.2]), 1, measure="brier")
    assert (found.status, found.reason) == (Status.MISMATCH, "brier: source 0.01, target 0.64")


def test_a_target_that_cannot_be_held_against_the_truth_has_the_worst_value():
    good = scores([0.9])
    for broken in (scores([math.nan]), scores([0.9], [0.9])):
        assert compare(good, broken, 1).value == 0.0
        assert compare(good, broken, 1, measure="brier").value == 1.0
        assert compare(broken, good, 1).status is Status.INCOMPARABLE
    assert "none of the columns" in compare(scores([1, 2]), scores([1, 2]), "x").reason
    assert "is a number" in compare(good, good, "x").reason
    assert compare(good, good, 1, column="z").status is Status.INCOMPARABLE


def test_a_case_that_does_not_know_the_truth_stops_the_run_before_it_calls():
    built = task_quality.build()
    built.check(case(expected="yes"))
    for expected in (None, [], [None], math.nan):
        with pytest.raises(ConfigError, match="case c-1 does not know the truth"):
            built.check(case(expected=expected))
    assert compare(scores([1]), scores([1]), None).status is Status.INCOMPARABLE


def test_wrong_kinds_are_told():
    from tests.comparators.contract import ONE_OF_EACH

    built, good = task_quality.build(), scores([0.9])
    for wrong in ONE_OF_EACH[1:]:
        assert built.compare(wrong, good, case=case(expected=1)).status is Status.INCOMPARABLE
        assert built.compare(good, wrong, case=case(expected=1)).value == 0.0


@pytest.mark.parametrize("measure", MEASURES)
@given(source=VALUES, target=VALUES)
def test_identity_bounds_and_no_crash(measure, source, target):
    built, asked = task_quality.build(measure=measure), case(expected=[0, 1])
    one, other = Scores(source, ("0",)), Scores(target, ("0",))
    assert built.compare(one, one, case=asked).status is not Status.MISMATCH
    check_said(built, built.compare(one, other, case=asked))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"measure": "accuracy"}, UnknownName, "correct"),
        ({"scale": -1}, ConfigError, "above 0"),
        ({"column": 1}, ConfigError, "a name"),
        ({"threshold": "x"}, ConfigError, "finite number"),
    ],
)
def test_a_wrong_option_is_named(options, error, message):
    with pytest.raises(error, match=message):
        task_quality.build(**options)
