"""How many more units would settle it, held against what then happens."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from harness.stats.fixed import Moments
from harness.stats.forecast import settled_at
from tests.stats.making import units


def test_forecast_is_the_formula() -> None:
    d = np.random.default_rng(1).normal(-0.005, 0.08, 60).clip(-0.25, 0.25)
    s = d.std(ddof=1)
    z = stats.norm.ppf(0.95) + stats.norm.ppf(1 - 0.20 / 3)
    expected = (z * s / (d.mean() + 0.03 - s / (2 * 60**0.5))) ** 2 + 0.25 / 0.03
    found = settled_at(units(d, low_end=-0.25, high_end=0.25), margin=0.03, alpha=0.05, metrics=3, minimum=30)
    assert found == int(np.ceil(expected))


def test_a_clean_sample_needs_the_minimum() -> None:
    """200 cases without a flip: 598 in all, about 400 more."""
    assert settled_at(units(np.zeros(200)), margin=0.005, alpha=0.05, metrics=1, minimum=598) == 598


def test_a_loss_at_the_margin_is_not_settled_by_more_cases() -> None:
    d = [-0.25, 0.19] * 50
    assert settled_at(units(d, low_end=-0.25, high_end=0.25), margin=0.03, alpha=0.05, metrics=1, minimum=30) is None


def test_one_unit_says_nothing_about_spread() -> None:
    assert settled_at(units([0.0]), margin=0.03, alpha=0.05, metrics=1, minimum=30) == 30


@pytest.mark.parametrize("loss", [0.0, 0.015])
def test_most_runs_are_settled_at_the_forecast_size(loss: float) -> None:
    """From 60 pilot cases 91 to 99 % of runs whose loss was 0 to half the margin; three errors below that is 87 %."""
    rng = np.random.default_rng(2)
    settled = []
    for _ in range(400):
        pilot = (-loss + rng.normal(0, 0.08, 60)).clip(-0.25, 0.25)
        n = settled_at(units(pilot, low_end=-0.25, high_end=0.25), margin=0.03, alpha=0.05, metrics=1, minimum=30)
        if n is not None and n > 60:
            rest = (-loss + rng.normal(0, 0.08, n - 60)).clip(-0.25, 0.25)
            whole = units(np.concatenate([pilot, rest]), low_end=-0.25, high_end=0.25)
            settled.append(Moments.of(whole).p_go(0.03) <= 0.05)
    assert np.mean(settled) >= 0.87
