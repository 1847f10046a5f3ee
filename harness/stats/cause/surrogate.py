"""A stand-in for a model that cannot be asked again: fitted to its recorded answers, in numpy alone.

The best by held-out error is kept of a quadratic polynomial (exact for linear models), the same on logits, and boosted
regression trees, for models that are trees.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.stats.cause.pairs import Floats

# A stand-in that explains less of the held-out variance than this explains nothing else either.
LEAST_R2 = 0.5
TREES, DEPTH, RATE, BINS = 80, 3, 0.15, 64


@dataclass(frozen=True, slots=True)
class Surrogate:
    """predict: shape (n, columns) -> (n,). r2: of held-out variance explained."""

    predict: Callable[[Floats], Floats]
    r2: float


def fit(asked: Floats, answered: Floats) -> Surrogate | None:
    """None where neither explains LEAST_R2 of the held-out fifth. Deterministic."""
    held = np.arange(len(answered)) % 5 == 0
    spread = float(((answered[held] - answered[~held].mean()) ** 2).mean())
    if spread <= 0:
        return None
    best: Surrogate | None = None
    for learn in (_polynomial, _logit_polynomial, _boosted):
        predict = learn(asked[~held], answered[~held])
        if predict is None:
            continue
        r2 = 1 - float(((predict(asked[held]) - answered[held]) ** 2).mean()) / spread
        if np.isfinite(r2) and r2 >= LEAST_R2 and (best is None or r2 > best.r2 + 1e-6):
            best = Surrogate(predict, r2)
    return best


def _polynomial(asked: Floats, answered: Floats) -> Callable[[Floats], Floats] | None:
    middle, spread = asked.mean(axis=0), asked.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    wide = asked.shape[1]
    if wide * (wide + 3) // 2 + 1 > len(answered) // 3:
        wide = 0

    def terms(read: Floats) -> Floats:
        z = (read - middle) / spread
        products = [z[:, [i]] * z[:, i:wide] for i in range(wide)]
        return np.hstack([np.ones((len(z), 1)), z, *products])

    made = terms(asked)
    weights = np.linalg.solve(made.T @ made + 1e-8 * len(made) * np.eye(made.shape[1]), made.T @ answered)
    return lambda read: np.asarray(terms(read) @ weights)


def _logit_polynomial(asked: Floats, answered: Floats) -> Callable[[Floats], Floats] | None:
    if not ((answered > 0) & (answered < 1)).all():
        return None
    inner = _polynomial(asked, np.log(answered / (1 - answered)))
    assert inner is not None  # noqa: S101 - a polynomial always is one
    return lambda read: np.asarray(1 / (1 + np.exp(-np.clip(inner(read), -700, 700))))


def _boosted(asked: Floats, answered: Floats) -> Callable[[Floats], Floats] | None:
    """Least-squares boosting of trees of fixed depth, columns in bins (J. H. Friedman 2001, Ann. Statist. 29(5))."""
    edges = [np.unique(np.quantile(column, np.linspace(0, 1, BINS + 1)[1:-1])) for column in asked.T]
    bins = _binned(asked, edges)
    base = float(answered.mean())
    rest = answered - base
    trees: list[tuple[NDArray[np.int64], NDArray[np.int64], Floats]] = []
    for _ in range(TREES):
        tree = _tree(bins, rest)
        trees.append(tree)
        rest = rest - RATE * _grown(tree, bins)

    def predict(read: Floats) -> Floats:
        places = _binned(read, edges)
        return np.asarray(base + RATE * sum(_grown(tree, places) for tree in trees))

    return predict


def _binned(asked: Floats, edges: list[Floats]) -> NDArray[np.int64]:
    return np.stack(
        [np.searchsorted(edge, column, side="left") for edge, column in zip(edges, asked.T, strict=True)], 1
    )


def _tree(bins: NDArray[np.int64], rest: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Column and bin of each inner node (level by level, root 0), and the value of each leaf."""
    wide = bins.shape[1]
    columns, cuts = np.zeros(2**DEPTH - 1, dtype=np.int64), np.full(2**DEPTH - 1, BINS, dtype=np.int64)
    node = np.zeros(len(rest), dtype=np.int64)
    for level in range(DEPTH):
        first, width = 2**level - 1, 2**level
        best = np.full(width, -np.inf)
        for column in range(wide):
            place = (node - first) * (BINS + 1) + bins[:, column]
            count = np.bincount(place, minlength=width * (BINS + 1)).reshape(width, -1).cumsum(axis=1)
            total = np.bincount(place, rest, minlength=width * (BINS + 1)).reshape(width, -1).cumsum(axis=1)
            n, s = count[:, -1:], total[:, -1:]
            with np.errstate(divide="ignore", invalid="ignore"):
                score = total**2 / count + (s - total) ** 2 / (n - count)
            score = np.where((count >= 3) & (n - count >= 3), score, -np.inf)
            cut = score.argmax(axis=1)
            found = score[np.arange(width), cut]
            better = found > best
            best = np.where(better, found, best)
            columns[first : first + width] = np.where(better, column, columns[first : first + width])
            cuts[first : first + width] = np.where(better, cut, cuts[first : first + width])
        node = 2 * node + 1 + (bins[np.arange(len(node)), columns[node]] > cuts[node])
    leaf = node - (2**DEPTH - 1)
    count = np.bincount(leaf, minlength=2**DEPTH)
    return columns, cuts, np.bincount(leaf, rest, minlength=2**DEPTH) / np.maximum(count, 1)


def _grown(tree: tuple[NDArray[np.int64], NDArray[np.int64], Floats], bins: NDArray[np.int64]) -> Floats:
    columns, cuts, values = tree
    node = np.zeros(len(bins), dtype=np.int64)
    for _ in range(DEPTH):
        node = 2 * node + 1 + (bins[np.arange(len(node)), columns[node]] > cuts[node])
    return np.asarray(values[node - (2**DEPTH - 1)])
