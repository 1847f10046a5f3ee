"""Two embedding models on an application's own queries: rows for the gate, and a diagnosis beside them.

The criterion is retrieval: does each query still find what is relevant? Recall and nDCG of both sides become rows of
kind quality, one a query. How alike the two spaces are (neighbours, alignment) explains a result and decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.core.geometry import Vectors, linear_cka, nearest, neighbour_overlap, unit
from harness.core.ranking import ndcg_at, recall_at
from harness.core.verdict import Row


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Space:
    """What one model makes of the same texts. documents, queries: shape (texts, dimension)."""

    documents: Vectors
    queries: Vectors


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """relevant: place of a document -> its grade, above 0."""

    id: str
    relevant: Mapping[int, float]
    cluster: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutoff:
    """An application's cosine cut-off, replayed on both sides.

    empty_source, empty_target: queries that find no document at it. refitted: the cut-off that lets as many pairs of
    query and document pass in the target as `cutoff` does in the source; empty_refitted: queries without one there.
    """

    cutoff: float
    empty_source: int
    empty_target: int
    refitted: float
    empty_refitted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """neighbours: mean share of each document's k nearest others on which both sides agree; alignment: linear CKA.

    neighbours is None with k documents or fewer.
    """

    neighbours: float | None
    alignment: float
    cutoff: Cutoff | None


def rows(source: Space, target: Space, queries: Sequence[Query], *, k: int) -> Iterator[Row]:
    """Two rows a query, `recall_at_k` and `ndcg_at_k`, of kind quality: the target's as value_target, the source's as
    value_noise. Queries without a relevant document have no rows.
    """
    k = min(k, len(source.documents))
    found = [nearest(space.queries, space.documents, k) for space in (source, target)]
    for at, query in enumerate(queries):
        if not query.relevant:
            continue
        grades = {str(place): grade for place, grade in query.relevant.items()}
        rankings = [[str(place) for place in side[at].tolist()] for side in found]
        values = {
            f"recall_at_{k}": [recall_at(ranking, grades, k) for ranking in rankings],
            f"ndcg_at_{k}": [ndcg_at(ranking, grades, k) for ranking in rankings],
        }
        for metric, (was, now) in values.items():
            yield Row(case=query.id, metric=metric, cluster=query.cluster, value_target=now, value_noise=was)


def diagnose(source: Space, target: Space, *, k: int, cutoff: float | None) -> Diagnosis:
    """Raises ValueError where a side puts all documents in one place."""
    enough = len(source.documents) > k
    return Diagnosis(
        neighbours=float(neighbour_overlap(source.documents, target.documents, k).mean()) if enough else None,
        alignment=linear_cka(source.documents, target.documents),
        cutoff=None if cutoff is None else replay_cutoff(source, target, cutoff),
    )


def replay_cutoff(source: Space, target: Space, cutoff: float) -> Cutoff:
    """What an application's own cut-off does on the other side: cosines of two models are not one quantity."""
    was, now = _cosines(source), _cosines(target)
    passing = int((was >= cutoff).sum())
    ordered = np.sort(now, axis=None)[::-1]
    # As many pairs pass as before: the cut-off lies at the last of them; where none passed, none passes.
    refitted = float(ordered[passing - 1]) if passing else float(np.nextafter(ordered[0], np.inf))
    return Cutoff(
        cutoff=cutoff,
        empty_source=_empty(was, cutoff),
        empty_target=_empty(now, cutoff),
        refitted=refitted,
        empty_refitted=_empty(now, refitted),
    )


def _cosines(space: Space) -> NDArray[np.float64]:
    """Shape (queries, documents)."""
    return np.asarray(unit(space.queries) @ unit(space.documents).T)


def _empty(cosines: NDArray[np.float64], cutoff: float) -> int:
    return int((cosines.max(axis=1) < cutoff).sum())
