"""How alike two embedding models arrange the texts of one case, whatever their dimensions: a diagnosis.

Vectors of two models cannot be compared number by number. What an application feels is which texts are near each other.
Whether it still finds the right documents is decided on its own queries, by `parity score embeddings`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.comparators import not_of
from harness.core.case import Case
from harness.core.geometry import linear_cka, neighbour_overlap
from harness.core.output import Embedding, Output
from harness.core.verdict import Comparison, Status
from harness.errors import ConfigError, UnknownName

MEASURES = ("neighbours", "cka")


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingGeometry:
    """value in [0, 1], 1 for the same arrangement. neighbours: mean share of each text's k nearest others on which both
    sides agree; where a case has fewer texts, of all but one of them. cka: linear centred kernel alignment.
    """

    measure: str = "neighbours"
    k: int = 10
    name: str = "embedding_geometry"

    @property
    def kinds(self) -> tuple[str, ...]:
        """Criteria that the value fits."""
        return ("score",)

    def signature(self) -> str:
        return "|".join(
            [self.name, f"measure:{self.measure}", *([f"k:{self.k}"] if self.measure == "neighbours" else [])]
        )

    def compare(self, source: Output, target: Output, *, case: Case) -> Comparison:
        if not isinstance(source, Embedding):
            return self._say(case, Status.INCOMPARABLE, not_of("embedding", "source", source))
        if not isinstance(target, Embedding):
            return self._say(case, Status.MISMATCH, not_of("embedding", "target", target), 0.0)
        texts = len(source.vectors)
        if texts < 3:
            why = (
                f"{texts} vector{'' if texts == 1 else 's'} of a case have no arrangement; use parity score embeddings"
            )
            return self._say(case, Status.INCOMPARABLE, why)
        if broken := _broken(source):
            return self._say(case, Status.INCOMPARABLE, f"the source {broken}")
        if len(target.vectors) != texts:
            reason = f"the source answered {texts} vectors, the target {len(target.vectors)}"
            return self._say(case, Status.MISMATCH, reason, 0.0)
        if broken := _broken(target):
            return self._say(case, Status.MISMATCH, f"the target {broken}", 0.0)
        return self._measured(source, target, case)

    def _measured(self, source: Embedding, target: Embedding, case: Case) -> Comparison:
        if self.measure == "cka":
            value, reason = linear_cka(source.vectors, target.vectors), ""
        else:
            shares = neighbour_overlap(source.vectors, target.vectors, min(self.k, len(source.vectors) - 2))
            value, worst = float(shares.mean()), int(np.argmin(shares))
            reason = f"text {worst} keeps {shares[worst]:.0%} of its neighbours"
        same = value >= 1.0 - 1e-12
        return self._say(case, Status.MATCH if same else Status.MISMATCH, "" if same else reason or "", value)

    def _say(self, case: Case, status: Status, reason: str, value: float | None = None) -> Comparison:
        return Comparison(
            case_id=case.id,
            comparator=self.signature(),
            status=status,
            value=value,
            distance=None if value is None else 1.0 - value,
            unit="" if value is None else self.measure,
            reason=reason or (f"{self.measure} {value:.3f}" if status is Status.MISMATCH else ""),
        )


def build(*, measure: str = "neighbours", k: int = 10) -> EmbeddingGeometry:
    """`[comparators.NAME] use = "embedding_geometry"`.

    measure: neighbours (default) or cka. k: neighbours of each text, 10.
    Raises ConfigError and UnknownName for what is neither.
    """
    where = "embedding_geometry"
    if measure not in MEASURES:
        raise UnknownName(where, "measure", str(measure), MEASURES)
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise ConfigError(f"{where}: k must be a whole number of at least 1, not {k!r}.")
    return EmbeddingGeometry(measure=measure, k=k)


def _broken(side: Embedding) -> str:
    """Why vectors have no arrangement, "" where they have one."""
    if not np.isfinite(side.vectors).all():
        return f"answered a vector with {side.vectors[~np.isfinite(side.vectors)][0]!r} in it"
    # 1e150 squared is beyond a double, and vectors of one place have no direction to each other.
    if side.vectors.size == 0 or np.abs(side.vectors).max() > 1e60:
        return "answered vectors without numbers, or with numbers beyond any embedding's"
    centred = side.vectors - side.vectors.mean(axis=0)
    return "" if np.linalg.norm(centred.T @ centred) > 0 else "put all texts in one place"
