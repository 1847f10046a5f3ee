"""One planned look: exact where an exact distribution exists, and the t-test with one worst-case unit elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from harness.errors import TooFewCases
from harness.stats.fixed import ADDED_UNIT, EXACT, Moments, exact_flip_test, fixed_sample, flip_rate_bounds
from tests.stats.making import units


@pytest.mark.parametrize("flips, n", [(0, 598), (1, 947), (2, 1258)])
def test_smallest_samples_that_pass_at_half_a_percent(flips: int, n: int) -> None:
    """Hanley and Lippman-Hand 1983 for 0 events; the gate's own table for 1 and 2."""
    assert exact_flip_test(flips, n, margin=0.005)[0] <= 0.05 < exact_flip_test(flips, n - 1, margin=0.005)[0]


@pytest.mark.parametrize("flips, n, margin", [(0, 30, 0.1), (3, 200, 0.005), (23, 1000, 0.01), (50, 50, 0.5)])
def test_exact_flip_test_is_scipys_binomial_test(flips: int, n: int, margin: float) -> None:
    p_go, p_no_go = exact_flip_test(flips, n, margin=margin)
    assert p_go == pytest.approx(stats.binomtest(flips, n, margin, alternative="less").pvalue, rel=1e-10)
    assert p_no_go == pytest.approx(stats.binomtest(flips, n, margin, alternative="greater").pvalue, rel=1e-10)


@pytest.mark.parametrize("flips, n", [(0, 30), (3, 200), (23, 1000), (50, 50)])
def test_flip_rate_bounds_are_clopper_and_pearsons(flips: int, n: int) -> None:
    """statsmodels' two-sided 90 % interval is both one-sided 95 % bounds, except at the ends, where it has one side."""
    least, most = flip_rate_bounds(flips, n, alpha_low=0.05, alpha_high=0.05)
    low, high = proportion_confint(flips, n, alpha=0.10, method="beta")
    assert (least, most) == pytest.approx((low, high), rel=1e-10)


def test_no_case_has_no_flip_rate() -> None:
    with pytest.raises(TooFewCases):
        exact_flip_test(0, 0, margin=0.01)
    with pytest.raises(TooFewCases):
        fixed_sample(units([]), margin=0.01, alpha_go=0.05, alpha_no_go=0.05, exact=True)


def test_t_with_an_added_unit_is_scipys_t_test_on_the_longer_list() -> None:
    d = np.random.default_rng(1).normal(-0.01, 0.08, 120).clip(-0.25, 0.25)
    margin = 0.03
    worst, best = np.append(d, -0.25) + margin, np.append(d, 0.25) + margin
    found = Moments.of(units(d, low_end=-0.25, high_end=0.25))
    assert found.p_go(margin) == pytest.approx(stats.ttest_1samp(worst, 0, alternative="greater").pvalue, rel=1e-9)
    assert found.p_no_go(margin) == pytest.approx(stats.ttest_1samp(best, 0, alternative="less").pvalue, rel=1e-9)


def test_clusters_weigh_by_their_cases() -> None:
    """Z_g = (w_g / w)(D_g + d), written out by hand for three clusters."""
    d, size, margin = np.array([-0.1, 0.0, 0.2]), np.array([1, 2, 6]), 0.05
    z = size / 3 * (d + margin)
    expected = stats.ttest_1samp(np.append(z, -0.25 + margin), 0, alternative="greater").pvalue
    found = Moments.of(units(d, size=size, low_end=-0.25, high_end=0.25))
    assert found.p_go(margin) == pytest.approx(expected, rel=1e-9)
    assert found.estimate == pytest.approx(np.average(d, weights=size))


def test_repeats_of_few_clusters_are_few_units() -> None:
    """With equal sizes the test sees cluster means only, as Liang and Zeger's variance does: 40 clusters, 39 + 1 df."""
    rng = np.random.default_rng(2)
    means = rng.normal(0, 0.05, 40)
    one_each = Moments.of(units(means, low_end=-0.25, high_end=0.25))
    ten_each = Moments.of(units(means, size=[10] * 40, low_end=-0.25, high_end=0.25))
    assert one_each.p_go(0.03) == pytest.approx(ten_each.p_go(0.03), rel=1e-9)


def test_perfect_data_rule_out_about_the_rule_of_three() -> None:
    for n in (100, 400, 1000):
        assert -Moments.of(units(np.zeros(n))).low(0.05) * n == pytest.approx(2.7, abs=0.1)


@pytest.mark.parametrize("d", [[-1.0] * 40, [1.0] * 40, [0.0] * 40, [-1.0, 1.0] * 20])
def test_no_variance_is_no_certainty(d: list[float]) -> None:
    found = fixed_sample(units(d), margin=0.05, alpha_go=0.05, alpha_no_go=0.05, exact=False)
    assert found.method == ADDED_UNIT
    assert -1 <= found.low <= found.estimate <= found.high <= 1
    assert found.low < found.high


@pytest.mark.parametrize("alpha", [0.01, 0.05])
def test_bounds_and_p_values_agree(alpha: float) -> None:
    rng = np.random.default_rng(3)
    for n in (2, 7, 31, 250):
        d = rng.choice([-1.0, -0.5, 0.0, 0.0, 1.0], n)
        found = Moments.of(units(d, size=rng.integers(1, 4, n)))
        for margin in (0.01, 0.05, 0.2, 0.5):
            assert (found.low(alpha) > -margin) == (found.p_go(margin) <= alpha)
            assert (found.high(alpha) < -margin) == (found.p_no_go(margin) <= alpha)


def test_exact_needs_single_events() -> None:
    """A cluster of two, or a share of repeats, has no binomial distribution."""

    def method(d: list[float], size: list[int]) -> str:
        found = fixed_sample(
            units(d, size=size, high_end=0.0), margin=0.05, alpha_go=0.05, alpha_no_go=0.05, exact=True
        )
        return found.method

    assert method([0.0, -1.0, 0.0], [1, 1, 1]) == EXACT
    assert method([0.0, -1.0, 0.0], [1, 1, 2]) == ADDED_UNIT
    assert method([0.0, -0.5, 0.0], [1, 1, 1]) == ADDED_UNIT


def test_false_go_at_the_margin_is_about_alpha() -> None:
    """2,000 samples of 200 units whose mean is exactly the margin: 5 % plus three standard errors is 6.5 %."""
    rng = np.random.default_rng(4)
    samples = (-0.03 + rng.normal(0, 0.08, (2000, 200))).clip(-0.25, 0.19)
    passed = [Moments.of(units(d, low_end=-0.25, high_end=0.25)).p_go(0.03) <= 0.05 for d in samples]
    assert np.mean(passed) <= 0.065
