"""Two sets of vectors of the same texts, of any two dimensions: how alike they arrange them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float64]
# Rows of a similarity matrix that are held in memory at once.
_BLOCK = 512


def unit(vectors: Vectors) -> Vectors:
    """Each vector at length 1; a vector of zeros stays one. Shape (n, dimension)."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0))


def nearest(queries: Vectors, corpus: Vectors, k: int, *, itself: bool = False) -> NDArray[np.int64]:
    """Places of the k most cosine-similar rows of `corpus`, nearest first, of equals the first: shape (queries, k).

    itself: queries are the corpus, and no vector is its own neighbour. k is at most the number of candidates.
    """
    one, other = unit(queries), unit(corpus)
    found = np.empty((len(one), k), dtype=np.int64)
    for start in range(0, len(one), _BLOCK):
        similar = one[start : start + _BLOCK] @ other.T
        if itself:
            rows = np.arange(len(similar))
            similar[rows, start + rows] = -np.inf
        found[start : start + _BLOCK] = np.argsort(-similar, axis=1, kind="stable")[:, :k]
    return found


def neighbour_overlap(source: Vectors, target: Vectors, k: int) -> NDArray[np.float64]:
    """Share of each text's k nearest others that both sides agree on, shape (texts,), each in [0, 1].

    Raises ValueError where there are not more than k texts.
    """
    if len(source) <= k:
        raise ValueError(f"{len(source)} texts have no {k} neighbours each")
    one, other = (nearest(side, side, k, itself=True) for side in (source, target))
    common = (one[:, :, None] == other[:, None, :]).any(axis=2).sum(axis=1)
    return np.asarray(common / k, dtype=np.float64)


def linear_cka(source: Vectors, target: Vectors) -> float:
    """Linear centred kernel alignment, in [0, 1]: 1 for the same arrangement up to rotation and scale.

    Raises ValueError where a side puts all texts in one place.
    Source: S. Kornblith, M. Norouzi, H. Lee and G. Hinton (2019), Similarity of Neural Network Representations
    Revisited, ICML, section 3; the form in feature space, which needs no matrix of texts by texts.
    """
    one, other = (side - side.mean(axis=0) for side in (source, target))
    spread = float(np.linalg.norm(one.T @ one) * np.linalg.norm(other.T @ other))
    if spread == 0.0:
        raise ValueError("a side puts all texts in one place")
    return min(float(np.linalg.norm(other.T @ one)) ** 2 / spread, 1.0)
