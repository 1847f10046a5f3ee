"""Units below which GO is never said."""

from __future__ import annotations

import pytest

from harness.stats.minimum import LEAST_SLICE_UNITS, minimum_units


@pytest.mark.parametrize("share, needed", [(0.005, 598), (0.01, 299), (0.02, 149), (0.03, 99), (0.05, 59)])
def test_minimum_by_the_share_that_eats_the_margin(share: float, needed: int) -> None:
    assert minimum_units(margin=share, low_end=-1.0, alpha=0.05) == needed
    assert minimum_units(margin=share / 4, low_end=-0.25, alpha=0.05) == needed
    assert (1 - share) ** needed <= 0.05 < (1 - share) ** (needed - 1)


@pytest.mark.parametrize("quantile, needed", [(0.5, 40), (0.95, 400), (0.99, 2000)])
def test_minimum_of_a_latency_quantile(quantile: float, needed: int) -> None:
    assert minimum_units(margin=0.0, low_end=-1.0, alpha=0.05, quantile=quantile) == needed


def test_minimum_is_thirty_and_ten_for_a_slice() -> None:
    assert minimum_units(margin=0.10, low_end=-0.25, alpha=0.05) == 30
    assert minimum_units(margin=0.10, low_end=-0.25, alpha=0.05, least=LEAST_SLICE_UNITS) == 10
    assert minimum_units(margin=0.10, low_end=-1.0, alpha=0.05, least=LEAST_SLICE_UNITS) == 29
