"""Holm's step-down procedure."""

from __future__ import annotations

import numpy as np
from statsmodels.stats.multitest import multipletests

from harness.stats.holm import holm


def test_holm_rejects_what_statsmodels_rejects() -> None:
    rng = np.random.default_rng(1)
    for m in (1, 2, 5, 20):
        for _ in range(6):
            p = rng.random(m) ** 4
            assert holm(p, alpha=0.05).tolist() == multipletests(p, alpha=0.05, method="holm")[0].tolist()


def test_a_value_at_the_limit_is_rejected() -> None:
    """p <= alpha / m: Holm 1979 rejects at equality, and so does every test of this gate."""
    assert holm(np.array([0.025, 0.05]), alpha=0.05).tolist() == [True, True]


def test_a_large_value_stops_the_rest() -> None:
    assert holm(np.array([0.001, 0.04, 0.03]), alpha=0.05).tolist() == [True, False, False]


def test_nothing_to_test_rejects_nothing() -> None:
    assert holm(np.array([]), alpha=0.05).tolist() == []
