"""Areas, calibration and distances against other programs."""

from __future__ import annotations

import numpy as np
import pytest

from harness.stats import quality

RNG = np.random.default_rng(8)
POSITIVE = RNG.random(300) < 0.3
SOURCE = np.round(RNG.normal(size=300) + POSITIVE, 1)
TARGET = np.round(SOURCE + 0.5 * RNG.normal(size=300), 1)


def test_the_area_is_that_of_scikit_learn_ties_and_all():
    metrics = pytest.importorskip("sklearn.metrics")
    assert quality.auc(SOURCE, POSITIVE) == pytest.approx(metrics.roc_auc_score(POSITIVE, SOURCE))


def test_the_error_of_a_difference_is_that_of_a_bootstrap():
    found = quality.auc_difference(SOURCE, TARGET, POSITIVE)
    assert found.difference == pytest.approx(found.target - found.source)
    drawn = []
    for _ in range(600):
        at = np.concatenate([RNG.choice(np.flatnonzero(side), side.sum()) for side in (POSITIVE, ~POSITIVE)])
        drawn.append(quality.auc(TARGET[at], POSITIVE[at]) - quality.auc(SOURCE[at], POSITIVE[at]))
    assert found.error == pytest.approx(np.std(drawn), rel=0.15)


def test_a_side_and_itself_differ_by_nothing():
    found = quality.auc_difference(SOURCE, SOURCE, POSITIVE)
    assert (found.difference, found.error) == (0.0, 0.0)


def test_calibration_of_a_calibrated_and_of_an_overconfident_model():
    probabilities = RNG.random(50_000)
    outcomes = RNG.random(50_000) < probabilities
    assert quality.calibration_error(probabilities, outcomes) < 0.01
    assert quality.calibration_error(np.where(probabilities > 0.5, 1.0, 0.0), outcomes) == pytest.approx(0.25, abs=0.01)
    assert quality.calibration_error(np.array([1.0]), np.array([True])) == 0.0


def test_quantiles_of_errors_leave_out_what_is_no_number():
    found = quality.error_quantiles(np.array([0.0, 0.0, np.nan]), np.array([1.0, 3.0, 0.0]))
    assert found == {0.5: 2.0, 0.9: pytest.approx(2.8), 0.99: pytest.approx(2.98), 1.0: 3.0}
    assert quality.error_quantiles(np.array([np.nan]), np.array([1.0])) == {}


def test_an_area_needs_both_kinds_of_case():
    with pytest.raises(ValueError, match="a positive and a negative"):
        quality.auc(SOURCE, np.ones(300, dtype=bool))
    with pytest.raises(ValueError, match="two positives"):
        quality.auc_difference(SOURCE[:2], TARGET[:2], np.array([True, False]))
