"""Forecasts by quantiles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from harness.comparators import quantiles
from harness.core.case import Json
from harness.core.output import Scores
from harness.core.protocols import Comparator
from harness.core.verdict import Comparison, Status
from harness.errors import ConfigError, UnknownName
from tests.comparators.contract import case, check_kinds, check_said

NAMES = ("0.1", "0.5", "0.9")
VALUES = arrays.arrays(np.float64, (2, 3), elements=st.floats(allow_nan=True))


def forecast(*rows: list[float], names: tuple[str, ...] = NAMES) -> Scores:
    return Scores(np.array(rows, dtype=float), names)


def compare(source: Scores, target: Scores, *, expected: Json = None, **options: object) -> Comparison:
    return quantiles.build(**options).compare(source, target, case=case(expected=expected))


def test_it_is_a_comparator_with_its_settings_in_its_signature():
    assert isinstance(quantiles.build(), Comparator)
    assert quantiles.build().signature() == "quantiles|measure:shift|tolerance:0.1"
    assert quantiles.build(measure="pinball", scale=5).signature() == "quantiles|measure:pinball|scale:5.0"
    assert quantiles.build(measure="coverage").kinds == ("quality",)


def test_a_shift_counts_in_units_of_the_sources_width():
    source = forecast([0, 5, 10], [0, 50, 100])
    assert compare(source, forecast([0, 5.9, 10], [0, 59, 100])).status is Status.MATCH
    found = compare(source, forecast([0, 5, 10], [0, 70, 100]))
    assert (found.value, found.distance, found.limit) == (1.0, 0.2, 0.1)
    assert found.reason == 'row 1, quantile "0.5": source 50.0, target 70.0, 0.2 of the source\'s width apart'


def test_a_forecast_without_spread_is_matched_by_itself_alone():
    assert compare(forecast([1, 1, 1]), forecast([1, 1, 1])).status is Status.MATCH
    assert compare(forecast([1, 1, 1]), forecast([1, 1, 1.001])).status is Status.MISMATCH


def test_quantiles_that_cross_are_no_forecast():
    assert compare(forecast([0, 5, 10]), forecast([0, 11, 10])).reason == "the target's quantiles cross in row 0"


def test_pinball_loss_is_that_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(1)
    values, truth = np.sort(rng.normal(size=(6, 3)), axis=1), rng.normal(size=6)
    theirs = np.mean(
        [metrics.mean_pinball_loss(truth, values[:, at], alpha=float(name)) for at, name in enumerate(NAMES)]
    )
    found = compare(forecast(*values), forecast(*values), expected=truth.tolist(), measure="pinball", scale=10)
    assert found.value == pytest.approx(theirs / 10)


def test_coverage_is_the_second_sides_own():
    wide, narrow = forecast([0, 5, 10], [0, 5, 10]), forecast([4, 5, 6], [4, 5, 6])
    found = compare(wide, narrow, expected=[5, 9], measure="coverage")
    assert (found.status, found.value) == (Status.MISMATCH, 0.5)
    assert found.reason == "coverage: source 1, target 0.5"
    assert compare(narrow, wide, expected=[5, 9], measure="coverage").status is Status.MATCH


def test_a_case_without_outcomes_stops_the_run_before_it_calls():
    built = quantiles.build(measure="coverage")
    built.check(case(expected=[1.0]))
    for expected in (None, ["x"], True):
        with pytest.raises(ConfigError, match="case c-1 has no outcomes"):
            built.check(case(expected=expected))
    assert compare(forecast([0, 1, 2]), forecast([0, 1, 2]), measure="coverage").status is Status.INCOMPARABLE
    quantiles.build().check(case())


def test_columns_that_are_no_quantiles_are_told():
    for names in (("a", "b", "c"), ("0.1", "0.5", "1.5"), ("0.1", "p10", "0.9")):
        found = compare(forecast([0, 1, 2], names=names), forecast([0, 1, 2], names=names))
        assert found.status is Status.INCOMPARABLE
    named = forecast([0, 1, 2], names=("p10", "P50", "p90"))
    assert compare(named, named).status is Status.MATCH


def test_wrong_kinds_are_told():
    check_kinds(quantiles.build(), [forecast([0, 1, 2])])


@pytest.mark.parametrize("measure", ["shift", "pinball", "coverage"])
@given(source=VALUES, target=VALUES)
def test_identity_bounds_and_no_crash(measure, source, target):
    built, asked = quantiles.build(measure=measure), case(expected=[0.0, 1.0])
    check_said(built, built.compare(forecast(*source), forecast(*target), case=asked))
    ordered = np.sort(source, axis=1)
    assert built.compare(forecast(*ordered), forecast(*ordered), case=asked).status is not Status.MISMATCH


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"measure": "pinballs"}, UnknownName, 'Did you mean "pinball"'),
        ({"tolerance": -1}, ConfigError, "at least 0"),
        ({"scale": 0}, ConfigError, "above 0"),
    ],
)
def test_a_wrong_option_is_named(options, error, message):
    with pytest.raises(error, match=message):
        quantiles.build(**options)
