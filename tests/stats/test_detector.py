"""The bet of one night, and what it becomes over nights."""

from __future__ import annotations

from math import comb, exp, log

import numpy as np
import pytest

from harness.stats.detector import log_bet, log_carried
from harness.stats.units import Tally, Units


def units(flips: int, n: int) -> Units:
    d = np.sort(np.where(np.arange(n) < flips, -1.0, 0.0))
    counted = np.array([n])
    none = np.zeros(1, dtype=np.int64)
    return Units(
        d=d,
        size=np.ones(n, dtype=np.int64),
        look=np.zeros(n, dtype=np.int64),
        low_end=-1.0,
        high_end=0.0,
        looks=1,
        tally=Tally(rows=counted, excluded=none, unscored=none, conflicts=none, contradicted=none, largest=none + 1),
        cases=n,
    )


@pytest.mark.parametrize(("n", "margin"), [(20, 0.005), (50, 0.05), (30, 0.3)])
def test_at_the_margin_the_bet_is_worth_one_on_average(n: int, margin: float) -> None:
    """Over all counts of flips, each with its binomial probability: exactly 1, so never more within the margin."""
    expected = sum(
        comb(n, flips) * margin**flips * (1 - margin) ** (n - flips) * exp(log_bet(units(flips, n), margin=margin))
        for flips in range(n + 1)
    )
    assert expected == pytest.approx(1.0)


def test_more_bad_units_are_worth_more() -> None:
    worth = [log_bet(units(flips, 50), margin=0.05) for flips in range(3, 51)]
    assert worth == sorted(worth)
    assert worth[0] < log(2) < log(1000) < worth[-1]


def test_no_unit_says_nothing() -> None:
    assert log_bet(units(0, 0), margin=0.05) == 0.0


def test_what_is_carried_counts_every_beginning() -> None:
    """M_t is the sum, over all nights j up to t, of the product of E_j .. E_t."""
    bets = [0.5, 3.0, 1.2, 0.1, 7.0]
    carried = None
    for bet in bets:
        carried = log_carried(carried, log(bet))
    beginnings = sum(np.prod(bets[start:]) for start in range(len(bets)))
    assert carried is not None and exp(carried) == pytest.approx(beginnings)
