"""Agreement of two filters against published figures and another program."""

from __future__ import annotations

import numpy as np
import pytest

from harness.stats.agreement import Agreement, Share, agreement, decide, fit_thresholds


def test_kappa_of_the_published_example():
    """Two readers of 50 proposals: 20 both yes, 15 both no, 5 and 10 apart; kappa 0.4 (Wikipedia, "Cohen's kappa")."""
    assert Agreement(both=20, neither=15, lost=5, added=10).kappa == pytest.approx(0.4)


def test_kappa_and_its_error_are_those_of_statsmodels():
    raters = pytest.importorskip("statsmodels.stats.inter_rater")
    for both, neither, lost, added in ((20, 15, 5, 10), (90, 800, 30, 12), (3, 40, 2, 9)):
        theirs = raters.cohens_kappa(np.array([[both, lost], [added, neither]]))
        ours = Agreement(both=both, neither=neither, lost=lost, added=added)
        assert ours.kappa == pytest.approx(theirs.kappa)
        assert ours.kappa_error == pytest.approx(theirs.std_kappa)


def test_the_direction_is_that_of_statsmodels_exact_mcnemar():
    tables = pytest.importorskip("statsmodels.stats.contingency_tables")
    theirs = tables.mcnemar([[90, 30], [12, 800]], exact=True).pvalue
    assert Agreement(both=90, neither=800, lost=30, added=12).direction == pytest.approx(theirs)
    assert Agreement(both=5, neither=5, lost=0, added=0).direction == 1.0


def test_where_one_thing_is_done_to_everything_there_is_no_kappa():
    found = agreement(np.zeros(9, dtype=bool), np.zeros(9, dtype=bool))
    assert (found.kappa, found.kappa_error) == (None, None)
    assert found.missed.estimate is None
    assert found.missed.interval == (0.0, 1.0)


def test_shares_have_exact_intervals():
    """Rule of three: 0 of 598 excludes 0.62 % (two-sided 95 %)."""
    low, high = Share(count=0, n=598).interval
    assert (low, high) == (0.0, pytest.approx(1 - 0.025 ** (1 / 598)))


def test_directions_are_counted_apart():
    source, target = np.array([1, 1, 1, 0, 0], dtype=bool), np.array([1, 0, 0, 1, 0], dtype=bool)
    found = agreement(source, target)
    assert (found.both, found.neither, found.lost, found.added) == (1, 1, 2, 1)
    assert (found.missed.estimate, found.overblocked.estimate) == (2 / 3, 1 / 2)
    with pytest.raises(ValueError, match="decisions"):
        agreement(source, target[:3])


def test_thresholds_that_made_the_decisions_are_found_again():
    rng = np.random.default_rng(1)
    grades = {name: rng.integers(0, 8, 600).astype(float) for name in ("Hate", "Violence", "Sexual")}
    true = {"Hate": 5.0, "Violence": 7.0, "Sexual": np.inf}
    assert fit_thresholds(grades, decide(grades, true)) == true


def test_a_dearer_miss_lowers_the_threshold():
    rng = np.random.default_rng(2)
    severity = rng.normal(size=2000)
    wanted = severity + rng.normal(size=2000) > 0.5
    plain, careful = (fit_thresholds({"x": severity}, wanted, miss_weight=weight)["x"] for weight in (1.0, 5.0))
    assert careful < plain
