"""The model fitted: salience on words of known answers, the fusion on labelled pairs, thresholds on held-out scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from harness.comparators._text.agreement import LEAST_COVERED
from harness.comparators._text.features import FEATURES
from harness.comparators._text.model import Model

RIDGE = 1.0
DRAW = 5.0  # how strongly a coefficient is drawn to its old value when a model is refitted
ERROR = 0.05  # a verdict is to be wrong no more often than this

Floats = NDArray[np.float64]


def logistic(
    values: Floats, labels: Floats, *, signs: Sequence[int], weights: Floats | None = None, ridge: float = RIDGE
) -> tuple[float, Floats]:
    """(bias, coefficients) of a ridge logistic regression; a sign of +1 or -1 bounds a coefficient at 0, 0 does not.

    values: (pairs, features). labels: 0 or 1 each. The bias is not penalised.
    """
    weights = np.ones(len(values)) if weights is None else weights

    def loss(betas: Floats) -> tuple[float, Floats]:
        value, slope = _loss(betas, values, labels, weights)
        slope[1:] += ridge * betas[1:]
        return value + 0.5 * ridge * float(betas[1:] @ betas[1:]), slope

    found = _least(loss, np.zeros(values.shape[1] + 1), [(None, None), *_bounds(signs)])
    return float(found[0]), found[1:]


def refitted(values: Floats, labels: Floats, model: Model) -> tuple[float, dict[str, float]]:
    """(bias, coefficients) near a model's: its bias and scale are free, and each coefficient is drawn to its own.

    Few labels correct what is too sure or too shy (Platt scaling); many move single coefficients too.
    """
    old = np.array([model.features[name] for name in FEATURES])
    weights = np.ones(len(values))

    def loss(betas: Floats) -> tuple[float, Floats]:
        scale, off = betas[-1], betas[1:-1] - betas[-1] * old
        value, slope = _loss(betas[:-1], values, labels, weights)
        slope[1:] += DRAW * off
        value += 0.5 * DRAW * float(off @ off) + 0.5 * (scale - 1) ** 2
        return value, np.append(slope, -DRAW * float(off @ old) + (scale - 1))

    start = np.concatenate([[model.bias], old, [1.0]])
    found = _least(loss, start, [(None, None), *_bounds(list(FEATURES.values())), (0.0, None)])
    return float(found[0]), dict(zip(FEATURES, found[1:-1].tolist(), strict=True))


def _loss(betas: Floats, values: Floats, labels: Floats, weights: Floats) -> tuple[float, Floats]:
    """Minus the log likelihood and its slope; betas: the bias, then the coefficients."""
    z = betas[0] + values @ betas[1:]
    off = weights * (0.5 * (1 + np.tanh(z / 2)) - labels)
    return float(weights @ (np.logaddexp(0.0, z) - labels * z)), np.concatenate([[off.sum()], values.T @ off])


def _bounds(signs: Sequence[int]) -> list[tuple[float | None, float | None]]:
    return [(0.0 if sign > 0 else None, 0.0 if sign < 0 else None) for sign in signs]


def _least(
    loss: Callable[[Floats], tuple[float, Floats]], start: Floats, bounds: list[tuple[float | None, float | None]]
) -> Floats:
    from scipy.optimize import minimize

    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 2000})
    return np.asarray(found.x, dtype=np.float64)


def fusion(values: Floats, labels: Floats) -> tuple[float, Mapping[str, float]]:
    """(bias, coefficient by feature) on values in the order of FEATURES."""
    bias, betas = logistic(values, labels, signs=list(FEATURES.values()))
    return bias, dict(zip(FEATURES, betas.tolist(), strict=True))


def probabilities(values: Floats, bias: float, features: Mapping[str, float]) -> Floats:
    z = bias + values @ np.array([features[name] for name in FEATURES])
    return np.asarray(0.5 * (1 + np.tanh(z / 2)), dtype=np.float64)


def thresholds(scores: Floats, labels: Floats) -> tuple[float, float]:
    """(same_at, different_at): the widest ends of the scores that hold at most ERROR of the other label.

    scores must be of pairs that the model was not fitted on. An end that never gets so clean lies at 1 or at 0.
    """
    return _end(scores, labels), 1 - _end(1 - scores, 1 - labels)


def _end(scores: Floats, labels: Floats) -> float:
    order = np.argsort(-scores, kind="stable")
    wrong = np.cumsum(1 - labels[order]) / np.arange(1, len(scores) + 1)
    clean = np.flatnonzero((wrong <= ERROR) & (np.arange(len(scores)) >= LEAST_COVERED))
    return float(scores[order][clean[-1]]) if len(clean) else 1.0
