"""Measures of rankings against published formulas and other programs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.ranking import ndcg_at, overlap_at, rbo, recall_at

RANKINGS = st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=8)


@pytest.mark.parametrize(
    ("one", "other", "p", "expected"),
    [
        ("abcdefg", "zcavwxy", 0.9, 0.28821728571428573),
        ("abcdefg", "zcavwxy", 0.98, 0.2887201603626667),
        ("abcdefg", "zcavwxy", 0.5, 0.13675595238095237),
        ("abc", "abd", 0.9, 0.73),
        ("abcde", "edcba", 0.98, 0.9428887066666666),
        ("abcd", "ab", 0.9, 1.0),
    ],
)
def test_rbo_is_that_of_the_package_rbo(one, other, p, expected):
    """RankingSimilarity(list(one), list(other)).rbo_ext(p) of rbo 0.1.3; the first pair is Webber's example."""
    assert rbo(list(one), list(other), p) == pytest.approx(expected, rel=1e-12)


@given(RANKINGS, RANKINGS, st.sampled_from([0.5, 0.9, 0.99]))
def test_rbo_is_symmetric_bounded_and_one_for_a_ranking_and_itself(one, other, p):
    assert 0.0 <= rbo(one, other, p) <= 1.0
    assert rbo(one, other, p) == pytest.approx(rbo(other, one, p))
    assert rbo(one, one, p) == pytest.approx(1.0)


def test_ndcg_is_that_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(3)
    for k in (1, 3, 10):
        grades = rng.integers(0, 4, 10).astype(float)
        scores = rng.permutation(10).astype(float)
        ranking = [str(at) for at in np.argsort(-scores)]
        expected = metrics.ndcg_score([grades], [scores], k=k)
        assert ndcg_at(ranking, {str(at): grade for at, grade in enumerate(grades)}, k) == pytest.approx(expected)


def test_ndcg_of_the_published_example():
    """Järvelin and Kekäläinen's gains 3, 2, 3, 0, 1, 2, as worked out in Wikipedia's "Discounted cumulative gain"."""
    grades = {"1": 3.0, "2": 2.0, "3": 3.0, "4": 0.0, "5": 1.0, "6": 2.0, "7": 3.0, "8": 2.0}
    assert ndcg_at(["1", "2", "3", "4", "5", "6"], grades, 6) == pytest.approx(0.785, abs=5e-4)


@given(RANKINGS, RANKINGS, st.integers(1, 9))
def test_recall_and_overlap_are_shares(one, other, k):
    assert 0.0 <= overlap_at(one, other, k) == overlap_at(other, one, k) <= 1.0
    if other:
        assert 0.0 <= recall_at(one, other, k) <= 1.0
        assert recall_at(other, other, 8) == 1.0


def test_what_is_not_defined_is_refused():
    with pytest.raises(ValueError, match="recall of nothing"):
        recall_at(["a"], [], 3)
    with pytest.raises(ValueError, match="without a relevant name"):
        ndcg_at(["a"], {"a": 0.0}, 3)
