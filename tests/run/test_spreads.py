"""Distributions and slices: counted in one pass, with edges that were fixed before."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.verdict import Comparison, Row, Status
from harness.run import spreads as room
from harness.run.spreads import Spreads


def compared(distance: float | None) -> Comparison:
    return Comparison(case_id="c", comparator="x", status=Status.MATCH, value=1.0, distance=distance, unit="USD")


@given(st.lists(st.tuples(st.floats(0, 1), st.none() | st.floats(0, 1)), min_size=1))
def test_every_value_is_counted_in_the_bin_that_holds_it(values):
    made = Spreads()
    for target, noise in values:
        made.add_row(Row(case="c", metric="m", value_target=target, value_noise=noise))
    numbers = [one for pair in values for one in pair if one is not None]
    found = made.distributions()
    if not any(0 < one < 1 for one in numbers):
        assert found == ()  # flips: there is nothing to draw
        return
    (drawn,) = found
    assert sum(drawn.target) == len(values)
    assert sum(drawn.noise) == sum(noise is not None for _, noise in values)
    assert len(drawn.edges) == len(drawn.target) + 1
    assert drawn.edges[0] - 1e-12 <= min(numbers) <= max(numbers) <= drawn.edges[-1] + 1e-12


@given(st.lists(st.floats(0, 1e12), min_size=1))
def test_distances_lie_between_powers_of_ten_and_exact_zeros_apart(distances):
    made = Spreads()
    for one in distances:
        made.add_distances("m", compared(one), None)
    zeros = distances.count(0.0)
    found = made.distributions()
    if zeros == len(distances):
        assert found == ()
        return
    (drawn,) = found
    assert (drawn.zeros, sum(drawn.target), drawn.noise) == ((zeros, 0), len(distances) - zeros, ())
    assert (drawn.what, drawn.unit, drawn.logarithmic) == ("distance", "USD", True)
    inside = [one for one in distances if 1e-15 < one < 1e7]
    if inside:
        assert drawn.edges[0] <= min(inside) * (1 + 1e-9)
        assert drawn.edges[-1] >= max(inside) * (1 - 1e-9)


def test_what_has_no_distance_is_in_no_bin():
    made = Spreads()
    for one in (None, math.inf, math.nan, 2.0):
        made.add_distances("m", compared(one), compared(0.5))
    (drawn,) = made.distributions()
    assert (sum(drawn.target), sum(drawn.noise)) == (1, 4)


def test_a_slice_has_the_means_of_its_own_rows():
    made = Spreads()
    for value, region in ((1.0, "eu"), (0.5, "eu"), (0.25, "us"), (None, "us")):
        made.add_row(Row(case="c", metric="m", slices={"region": region}, value_target=value, value_noise=1.0))
    assert [(one.value, one.rows, one.target_mean, one.noise_mean) for one in made.slices()] == [
        ("eu", 2, 0.75, 1.0),
        ("us", 2, 0.25, 1.0),
    ]


def test_slices_without_end_take_no_memory_without_end(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(room, "MOST_SLICES", 3)
    made = Spreads()
    for at in range(10):
        made.add_row(Row(case="c", metric="m", slices={"customer": f"k-{at}"}, value_target=1.0))
    assert len(made.slices()) == 3
