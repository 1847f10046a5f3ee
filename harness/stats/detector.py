"""A bet that one night's units show a loss beyond the margin, and what it becomes over nights.

E = 1/K sum_k prod_g (1 - l_k Z_g / (high + d)), Z_g as in `stats.anytime`, with K bets l_k, geometric from 0.001 to
0.98 and of equal weight. Where the mean loss is within the margin E has mean at most 1. The bet that gains most against
a share p of bad units is about p - d, so this is a flat prior over the logarithm of the excess; `stats.anytime`, which
bets for GO, weighs large bets most and would see a few bad units in a hundred late.
Sources: as `stats.anytime`; J. Shin, A. Ramdas and A. Rinaldo (2024), NEJSDS 2(2), 229-260, for sums over beginnings.
"""

from __future__ import annotations

from math import exp, log, log1p

import numpy as np

from harness.stats.anytime import Looks
from harness.stats.units import Units

BETS = np.geomspace(0.001, 0.98, 20)


def log_bet(units: Units, *, margin: float, max_cluster: int | None = None) -> float:
    """log E of all units together, whatever their looks. 0 without units: nothing is known."""
    folded = Looks.of(units, max_cluster)
    scale = folded.heaviest * (folded.high_end + margin)
    if len(units) == 0 or scale <= 0:
        return 0.0
    scores = -(folded.weighted + folded.weight * margin) / scale
    gains = np.log1p(BETS[:, None] * scores) @ folded.times
    top = float(gains.max())
    return top + log(float(np.exp(gains - top).mean()))


def log_carried(before: float | None, tonight: float) -> float:
    """log M of tonight, M = E (1 + M before); before: log M, None where there is none yet."""
    if before is None:
        return tonight
    return tonight + (before + log1p(exp(-before)) if before > 0 else log1p(exp(before)))
