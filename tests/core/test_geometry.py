"""Arrangements of vectors, against second formulas."""

from __future__ import annotations

import numpy as np
import pytest

from harness.core.geometry import linear_cka, nearest, neighbour_overlap, unit

RNG = np.random.default_rng(11)


def hsic_cka(x, y):
    """The same alignment by the Gram matrices of texts by texts: Kornblith et al. 2019, equations 1 to 3."""
    n = len(x)
    centre = np.eye(n) - np.full((n, n), 1 / n)

    def hsic(k, m):
        return np.trace(k @ centre @ m @ centre) / (n - 1) ** 2

    k, m = x @ x.T, y @ y.T
    return hsic(k, m) / np.sqrt(hsic(k, k) * hsic(m, m))


def test_alignment_is_that_of_the_gram_matrices():
    x, y = RNG.normal(size=(40, 7)), RNG.normal(size=(40, 12))
    y[:, :5] += x[:, :5]
    assert linear_cka(x, y) == pytest.approx(hsic_cka(x, y), rel=1e-10)
    assert linear_cka(x, y) == pytest.approx(linear_cka(y, x))


def test_rotation_scale_and_shift_change_nothing():
    x = RNG.normal(size=(30, 6))
    rotation, _ = np.linalg.qr(RNG.normal(size=(6, 6)))
    assert linear_cka(x, 3 * x @ rotation + 5) == pytest.approx(1.0)
    assert neighbour_overlap(x, 3 * x @ rotation, 5).tolist() == [1.0] * 30


def test_unrelated_vectors_share_neighbours_by_chance_alone():
    overlap = neighbour_overlap(RNG.normal(size=(400, 8)), RNG.normal(size=(400, 8)), 10).mean()
    assert overlap == pytest.approx(10 / 399, abs=0.01)


def test_nearest_is_by_cosine_and_blocks_do_not_show():
    corpus = RNG.normal(size=(600, 4))
    queries = RNG.normal(size=(1100, 4))
    found = nearest(queries, corpus, 3)
    plain = np.argsort(-(unit(queries) @ unit(corpus).T), axis=1, kind="stable")[:, :3]
    assert (found == plain).all()
    assert not (nearest(corpus, corpus, 3, itself=True) == np.arange(600)[:, None]).any()


def test_what_has_no_arrangement_is_refused():
    with pytest.raises(ValueError, match="one place"):
        linear_cka(np.ones((4, 3)), RNG.normal(size=(4, 3)))
    with pytest.raises(ValueError, match="no 4 neighbours"):
        neighbour_overlap(np.ones((4, 3)), np.ones((4, 3)), 4)
