"""Bets that stay valid however often one looks."""

from __future__ import annotations

from math import log

import numpy as np
import pytest

from harness.errors import TooFewCases
from harness.stats.anytime import BETS, Looks, anytime, clean_units, units_at_this_pace
from tests.stats.making import units

ALPHAS = {"alpha_go": 0.05, "alpha_no_go": 0.05}


def by_hand(d: np.ndarray, *, margin: float, bound: float, sign: float) -> float:
    """E as the formula is written, one unit and one bet at a time."""
    total = 0.0
    for bet in BETS:
        product = bet / BETS.sum()
        for value in d:
            product *= 1 + bet * sign * (value + margin) / abs(bound)
        total += product
    return total


def test_twelve_bets_from_a_hundredth_to_nearly_all() -> None:
    assert len(BETS) == 12
    assert (BETS[0], BETS[-1]) == pytest.approx((0.01, 0.98))
    assert np.diff(np.log(BETS)) == pytest.approx(np.full(11, np.log(98) / 11))


def test_wealth_is_the_formula() -> None:
    d = np.random.default_rng(1).normal(0, 0.1, 50).clip(-0.25, 0.25)
    looks = Looks.of(units(d, low_end=-0.25, high_end=0.25), None)
    assert looks.log_e_go(0.03)[0] == pytest.approx(log(by_hand(d, margin=0.03, bound=-0.22, sign=1)), rel=1e-9)
    assert looks.log_e_no_go(0.03)[0] == pytest.approx(log(by_hand(d, margin=0.03, bound=0.28, sign=-1)), rel=1e-9)


def test_equal_values_are_folded_without_a_change() -> None:
    """5,000 distinct values go block by block, and the same values rounded go through their counts."""
    d = np.random.default_rng(2).normal(0, 0.1, 5000).clip(-0.25, 0.25).round(2)
    folded = Looks.of(units(d, low_end=-0.25, high_end=0.25), None)
    spread = Looks.of(units(d + np.linspace(0, 1e-12, 5000), low_end=-0.25, high_end=0.25), None)
    assert len(folded.times) < 60 < 4000 < len(spread.times)
    assert folded.log_e_go(0.01)[0] == pytest.approx(spread.log_e_go(0.01)[0], rel=1e-9)


@pytest.mark.parametrize(
    "margin, low_end, needed", [(0.005, -1.0, 780), (0.02, -1.0, 194), (0.01, -1.0, 389), (0.10, -1.0, 37)]
)
def test_clean_units_are_those_of_the_table(margin: float, low_end: float, needed: int) -> None:
    assert clean_units(margin=margin, low_end=low_end, alpha=0.05) == needed
    for n, passes in ((needed, True), (needed - 1, False)):
        assert (anytime(units(np.zeros(n)), margin=margin, **ALPHAS).p_go[-1] <= 0.05) == passes


@pytest.mark.parametrize("metrics, broken", [(1, 11), (50, 23)])
def test_fully_broken_cases_that_refuse_a_slice(metrics: int, broken: int) -> None:
    """With D in +-0.25 and margin 0.10: 11 cases suffice for NO-GO, 23 among 50 slices."""
    for n, refused in ((broken, True), (broken - 1, False)):
        found = anytime(units([-0.25] * n, low_end=-0.25, high_end=0.25), margin=0.10, **ALPHAS)
        assert (found.p_no_go[-1] <= 0.05 / metrics) == refused


def test_false_go_over_fourteen_looks_stays_below_alpha() -> None:
    """400 streams of 14 nights, 30 units a night, their mean exactly at the margin: three errors above 5 % is 8.3 %."""
    rng = np.random.default_rng(3)
    look = np.repeat(np.arange(14), 30)
    passed = 0
    for _ in range(400):
        d = (-0.03 + rng.normal(0, 0.08, len(look))).clip(-0.25, 0.19)
        found = Looks.of(units(d, low_end=-0.25, high_end=0.25, look=look), None)
        passed += found.log_e_go(0.03).max() >= log(20)
    assert passed / 400 <= 0.083


def test_false_go_with_one_percent_flips_looked_at_after_every_case() -> None:
    """400 streams of 1,000 looks at a flip rate of exactly the margin."""
    rng = np.random.default_rng(4)
    passed = 0
    for _ in range(400):
        d = -(rng.random(1000) < 0.01).astype(float)
        gains = np.log1p(BETS[:, None] * (d + 0.01) / 0.99).cumsum(axis=1) + np.log(BETS / BETS.sum())[:, None]
        passed += np.exp(gains).sum(axis=0).max() >= 20
    assert passed / 400 <= 0.083


def test_p_values_never_grow_with_more_looks() -> None:
    rng = np.random.default_rng(5)
    look = np.repeat(np.arange(6), 40)
    found = anytime(units(rng.normal(0, 0.1, 240).clip(-0.25, 0.25), low_end=-0.25, high_end=0.25, look=look),
                    margin=0.03, **ALPHAS)  # fmt: skip
    assert (np.diff(found.p_go) <= 0).all()
    assert (np.diff(found.p_no_go) <= 0).all()


def test_a_look_that_does_not_count_adds_no_evidence_of_its_own() -> None:
    d = [0.0] * 800 + [-1.0] * 30
    found = units(d, look=[0] * 800 + [1] * 30, high_end=0.0)
    both = anytime(found, margin=0.005, **ALPHAS)
    second = anytime(found, margin=0.005, counts=np.array([False, True]), **ALPHAS)
    assert both.p_go[-1] <= 0.05 < second.p_go[-1]


@pytest.mark.parametrize("low_end, high_end", [(-0.25, 0.25), (-1.0, 1.0), (-1.0, 0.0)])
def test_bounds_and_p_values_agree(low_end: float, high_end: float) -> None:
    rng = np.random.default_rng(6)
    for n in (1, 2, 15, 60, 400, 3000):
        for centre in (low_end, (low_end + high_end) / 2, high_end):
            d = (centre + rng.normal(0, 0.05, n)).clip(low_end, high_end)
            look = np.sort(rng.integers(0, 3, n))
            for margin in (0.01, 0.03, 0.1):
                one = anytime(units(d, low_end=low_end, high_end=high_end, look=look), margin=margin, **ALPHAS)
                assert (one.estimate.low > -margin) == (one.p_go[-1] <= 0.05)
                assert (one.estimate.high < -margin) == (one.p_no_go[-1] <= 0.05)
                assert low_end <= one.estimate.low <= one.estimate.high <= high_end


def test_the_bounds_are_where_the_test_turns() -> None:
    d = np.random.default_rng(7).normal(-0.01, 0.08, 500).clip(-0.25, 0.25)
    found = units(d, low_end=-0.25, high_end=0.25)
    low = anytime(found, margin=0.03, **ALPHAS).estimate.low
    looks = Looks.of(found, None)
    assert looks.log_e_go(-low + 1e-5)[0] > log(20) > looks.log_e_go(-low - 1e-5)[0]


def test_a_declared_cluster_size_lets_units_weigh_by_their_cases() -> None:
    """Z_g = w_g (D_g + d) against w_max (lo + d), by hand."""
    d, size = np.array([-0.1, 0.0, 0.2]), np.array([1, 2, 4])
    looks = Looks.of(units(d, size=size, low_end=-0.25, high_end=0.25), 5)
    factors = 1 + BETS[:, None] * (size * (d + 0.03)) / (5 * 0.22)
    assert looks.log_e_go(0.03)[0] == pytest.approx(log((BETS / BETS.sum() * factors.prod(axis=1)).sum()))
    estimate = anytime(units(d, size=size, low_end=-0.25, high_end=0.25), margin=0.03, max_cluster=5, **ALPHAS).estimate
    assert estimate.estimate == pytest.approx(np.average(d, weights=size))


def test_without_a_declared_size_units_weigh_the_same() -> None:
    d = np.array([-0.1, 0.0, 0.2])
    sized = Looks.of(units(d, size=[1, 2, 40], low_end=-0.25, high_end=0.25), None)
    single = Looks.of(units(d, low_end=-0.25, high_end=0.25), None)
    assert sized.log_e_go(0.03) == pytest.approx(single.log_e_go(0.03))


def test_the_pace_of_a_clean_sample_leads_to_the_clean_number() -> None:
    assert units_at_this_pace(units(np.zeros(200)), margin=0.005, alpha=0.05) == 780
    assert units_at_this_pace(units([-1.0] * 50), margin=0.005, alpha=0.05) is None


def test_no_unit_no_estimate() -> None:
    with pytest.raises(TooFewCases):
        anytime(units([]), margin=0.03, **ALPHAS)
