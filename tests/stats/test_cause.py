"""Causes are named, ranked and proved on the pairs."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from benchmarks import root_cause
from harness.stats.cause import Cause, Pairs, explain
from harness.stats.cause.pairs import Column
from harness.stats.cause.segments import gain
from harness.stats.cause.surrogate import fit

RNG = np.random.default_rng(4)
NUMBERS = RNG.normal(3, 2, (200, 1))


def pairs(
    source: np.ndarray, target: np.ndarray, inputs: tuple[Column, ...] = (), group: np.ndarray | None = None
) -> Pairs:
    names = [tuple(f"c{at}" for at in range(side.shape[1])) for side in (source, target)]
    return Pairs(source=source, target=target, columns=names[0], target_columns=names[1], inputs=inputs, group=group)


def column(name: str, values: list[str | None]) -> Column:
    numbers = [
        float(value) if value is not None and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value) else np.nan
        for value in values
    ]
    return Column(name=name, numbers=np.array(numbers), texts=tuple(values))


def first(source: np.ndarray, target: np.ndarray, **more: object) -> Cause:
    return explain(pairs(source, target, **more))[0]


@pytest.mark.parametrize("name", root_cause.PLANTS)
def test_a_planted_cause_is_named_first(name):
    """One seed of the benchmark, which has more, and other noise."""
    found = explain(root_cause.planted(name, 0, noisy=False))
    assert found[0].name in root_cause.PLANTS[name][2]


def test_what_overflows_is_equal_to_nothing():
    """exp(target) is infinite here: an infinite tolerance would make every number equal to it."""
    found = explain(pairs(NUMBERS, NUMBERS * -50 + 20_000))
    assert found[0].name == "scale_and_bias"
    assert not {"logarithm", "log1p"} & {cause.name for cause in found}


def test_what_changes_nothing_explains_nothing():
    """Both sides are near each other beside how far they spread, to which rounding and logarithms add nothing."""
    noisy = NUMBERS + RNG.normal(0, 0.01, NUMBERS.shape)
    assert {cause.name for cause in explain(pairs(NUMBERS, noisy))} <= {"scale_and_bias", "bias", "scale"}


def test_two_sets_of_numbers_put_in_order_are_no_shuffle():
    assert "rows_shuffled" not in {cause.name for cause in explain(pairs(NUMBERS, RNG.normal(3, 2, (200, 1))))}


def test_a_column_that_did_not_change_hides_nothing():
    shares = RNG.uniform(0.02, 0.98, (200, 1))
    found = first(np.hstack([NUMBERS, shares]), np.hstack([NUMBERS, np.log(shares / (1 - shares))]))
    assert found.name == "sigmoid_left_out"
    assert found.told.startswith('"c1": ')


def test_equal_sides_have_no_cause():
    assert explain(pairs(NUMBERS, NUMBERS.copy())) == []
    assert explain(pairs(np.full((5, 1), np.nan), np.full((5, 1), np.nan))) == []


def test_unrelated_sides_have_no_cause_that_makes_rows_equal():
    found = explain(pairs(NUMBERS, RNG.normal(3, 2, (200, 1))))
    assert all(cause.after < 0.05 for cause in found)


def test_the_proof_is_the_share_of_rows_equal_before_and_after():
    target = NUMBERS + 0.25
    target[:20] = NUMBERS[:20]
    found = first(NUMBERS, target)
    assert (found.name, found.told) == ("bias", "every value is 0.25 too high")
    assert (found.before, found.after) == (0.1, 0.9)
    assert found.explained == pytest.approx((180 - 20) / 180), "what it breaks is taken off what it mends"


@pytest.mark.parametrize(
    ("target", "told"),
    [
        (NUMBERS * 100, "every value is multiplied by 100 (percent for a share)"),
        (NUMBERS / 1000, "every value is multiplied by 0.001 (the reverse of thousandths for units)"),
        (NUMBERS * 1.8 + 32, "the target answers in Fahrenheit, the source in Celsius"),
        (NUMBERS.astype(np.float32).astype(float), "the target's numbers are the source's, rounded to float32"),
        (np.round(NUMBERS, 2), "the target rounds to 2 decimal places"),
        (np.roll(NUMBERS, 1, axis=0), "each row holds the answer to the row 1 before it"),
    ],
)
def test_a_cause_is_told_with_its_parameters(target, told):
    assert first(NUMBERS, target).told == told


def test_arithmetic_in_float32_is_told_from_rounding():
    single = np.sqrt(np.square(NUMBERS.astype(np.float32)) * np.float32(1.7)) / np.sqrt(np.float32(1.7))
    found = first(np.abs(NUMBERS), single.astype(float))
    assert found.name == "float32"
    assert "computes in float32" in found.told


def test_one_column_of_several_is_named():
    wide = RNG.normal(size=(100, 3))
    assert first(wide, wide + np.array([0, 0.5, 0])).told == '"c1": every value is 0.5 too high'
    assert first(wide, wide[:, [0, 2, 1]]).told == 'the target swaps "c1" and "c2"'
    assert first(wide, wide[:, :2]).told == 'the target\'s answer has no "c2"'
    assert first(wide[:, :2], wide).told == 'the target\'s answer has besides "c2"'


def test_rows_shuffled_within_an_answer_are_told_as_that():
    group = np.repeat(np.arange(50), 4)
    target = np.concatenate([RNG.permutation(NUMBERS[at : at + 4]) for at in range(0, 200, 4)])
    assert first(NUMBERS, target, group=group).told == "the same rows are in another order within an answer"


def test_few_distinct_values_are_no_shuffle():
    """Labels that occur as often on both sides in other places: any two classifiers of equal rates."""
    source = RNG.integers(0, 2, (200, 1)).astype(float)
    assert "rows_shuffled" not in {cause.name for cause in explain(pairs(source, RNG.permutation(source)))}


def test_a_segment_is_judged_by_what_differs_outside_it_too():
    inside, differs = np.arange(10) < 5, np.arange(10) < 5
    assert gain(inside, differs) == 1.0
    assert gain(np.ones(10, dtype=bool), differs) == 0.0
    assert gain(inside, np.ones(10, dtype=bool)) == 0.0


def test_a_category_and_a_missing_value_are_named():
    cities = [["Oslo", "Bergen", "Bodø"][at % 3] for at in range(200)]
    ages = [None if at % 7 == 0 else str(at) for at in range(200)]
    inputs = (column("city", cities), column("age", ages))
    target = np.where(np.array(cities)[:, None] == "Bodø", NUMBERS * 0.3 + 1, NUMBERS)
    assert "\"city\" = 'Bodø'" in first(NUMBERS, target, inputs=inputs).told
    target = np.where(np.array([age is None for age in ages])[:, None], NUMBERS + RNG.normal(size=(200, 1)), NUMBERS)
    assert first(NUMBERS, target, inputs=inputs).told.startswith('rows without a value of "age"')


def test_a_stand_in_is_exact_for_a_linear_model_and_its_logit_and_good_for_trees():
    asked = RNG.normal(size=(400, 3))
    linear = asked @ [1.0, -2.0, 0.5]
    assert fit(asked, linear).r2 > 0.999999
    assert fit(asked, 1 / (1 + np.exp(-linear))).r2 > 0.999999
    steps = (asked[:, 0] > 0) * 2.0 + (asked[:, 1] > 0.5) * (asked[:, 2] > 0) * 3.0
    assert fit(asked, steps).r2 > 0.8
    assert fit(asked, RNG.normal(size=400)) is None


ANY = st.floats(allow_nan=True, allow_infinity=True)


@settings(max_examples=60, deadline=None)
@given(
    source=arrays.arrays(np.float64, st.tuples(st.integers(0, 8), st.integers(1, 3)), elements=ANY),
    data=st.data(),
)
def test_no_numbers_crash_and_shares_stay_shares(source, data):
    shape = (len(source), data.draw(st.integers(1, 3)))
    target = data.draw(arrays.arrays(np.float64, shape, elements=ANY))
    texts = data.draw(st.lists(st.none() | st.text(max_size=3), min_size=len(source), max_size=len(source)))
    for cause in explain(pairs(source, target, inputs=(column("t", texts),))):
        assert 0 <= cause.explained <= 1
        assert 0 <= cause.before <= 1
        assert 0 <= cause.after <= 1
        assert cause.told


def test_rows_that_do_not_pair_are_refused():
    with pytest.raises(ValueError, match="3 rows of the source, 2 of the target"):
        pairs(NUMBERS[:3], NUMBERS[:2])
