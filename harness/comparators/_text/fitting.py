"""The model fitted: salience on words of known answers, the fusion on labelled pairs, thresholds on held-out scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from harness.comparators._text.features import FEATURES

RIDGE = 1.0
ERROR = 0.05  # a verdict is to be wrong no more often than this

Floats = NDArray[np.float64]


def logistic(
    values: Floats, labels: Floats, *, signs: Sequence[int], weights: Floats | None = None, ridge: float = RIDGE
) -> tuple[float, Floats]:
    """(bias, coefficients) of a ridge logistic regression; a sign of +1 or -1 bounds a coefficient at 0, 0 does not.

    values: (pairs, features). labels: 0 or 1 each. The bias is not penalised.
    """
    from scipy.optimize import minimize

    rows = np.column_stack([np.ones(len(values)), values])
    weights = np.ones(len(values)) if weights is None else weights

    def loss(betas: Floats) -> tuple[float, Floats]:
        z = rows @ betas
        value = weights @ (np.logaddexp(0.0, z) - labels * z) + 0.5 * ridge * (betas[1:] @ betas[1:])
        slope = rows.T @ (weights * (0.5 * (1 + np.tanh(z / 2)) - labels))
        slope[1:] += ridge * betas[1:]
        return float(value), slope

    bounds = [(None, None), *((0.0 if sign > 0 else None, 0.0 if sign < 0 else None) for sign in signs)]
    found = minimize(loss, np.zeros(rows.shape[1]), jac=True, method="L-BFGS-B", bounds=bounds).x
    return float(found[0]), np.asarray(found[1:], dtype=np.float64)


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
    clean = np.flatnonzero((wrong <= ERROR) & (np.arange(len(scores)) >= 20))
    return float(scores[order][clean[-1]]) if len(clean) else 1.0
