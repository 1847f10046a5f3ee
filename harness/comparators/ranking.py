"""The order that scores put things in: items of one answer, or classes of one row.

An application that shows the first ten, or takes the first, sees the order and not the numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from harness.comparators import PairedScores, not_of, pair_scores, word
from harness.core.case import Case
from harness.core.output import Output, Scores
from harness.core.ranking import overlap_at, rbo
from harness.core.verdict import Comparison, Status
from harness.errors import ConfigError, UnknownName

MEASURES = ("top_k", "rbo", "kendall", "first")
AXES = ("rows", "columns")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """value in [0, 1], 1 for the same order. top_k: common names among the first k. rbo: rank-biased overlap. kendall:
    share of pairs in the same order, of those that either side orders. first, a flip: 1 where another name comes first.

    over `rows`: the rows of one answer are the items, `column` their score (None: the only one). over `columns`: the
    columns of each row are the items; the value is the mean over rows, and of `first` 1 where any row flips. Equal
    scores stand in the order they came in. descending: the largest score comes first.
    """

    measure: str = "top_k"
    over: str = "rows"
    k: int = 10
    p: float = 0.9
    column: str | None = None
    descending: bool = True
    name: str = "ranking"

    @property
    def kinds(self) -> tuple[str, ...]:
        """Criteria that the value fits."""
        return ("flip",) if self.measure == "first" else ("score",)

    def signature(self) -> str:
        parts = [self.name, f"measure:{self.measure}", f"over:{self.over}"]
        parts += [f"k:{self.k}"] if self.measure == "top_k" else []
        parts += [f"p:{self.p!r}"] if self.measure == "rbo" else []
        parts += [f"column:{word(self.column)}"] if self.column is not None else []
        return "|".join(parts if self.descending else [*parts, "ascending"])

    def compare(self, source: Output, target: Output, *, case: Case) -> Comparison:
        if not isinstance(source, Scores):
            return self._say(case, Status.INCOMPARABLE, not_of("scores", "source", source))
        if not isinstance(target, Scores):
            return self._say(case, Status.MISMATCH, not_of("scores", "target", target), 0.0)
        if source.values.size == 0 or np.isnan(source.values).any():
            return self._say(case, Status.INCOMPARABLE, "the source's scores have no order: none, or NaN among them")
        paired = pair_scores(source, target)
        if isinstance(paired, str):
            return self._say(case, Status.MISMATCH, paired, 0.0)
        if np.isnan(paired.target).any():
            return self._say(case, Status.MISMATCH, "the target's scores have no order: NaN among them", 0.0)
        items = self._items(paired)
        if isinstance(items, str):
            return self._say(case, Status.INCOMPARABLE, items)
        was, now, names = items
        shares = [self._share(was[at], now[at], names) for at in range(len(was))]
        worst = int(np.argmin(shares))
        value = float(min(shares)) if self.measure == "first" else float(np.mean(shares))
        if min(shares) >= 1.0:
            return self._say(case, Status.MATCH, "", 1.0)
        return self._say(case, Status.MISMATCH, self._told(was[worst], now[worst], names), value)

    def _items(self, paired: PairedScores) -> tuple[np.ndarray, np.ndarray, list[str]] | str:
        """Scores of both sides, shape (rankings, items), and the items' names; why there are none."""
        if self.over == "columns":
            if len(paired.names) < 2:
                return "one column has no order; rank over rows"
            return paired.source, paired.target, list(paired.names)
        if self.column is None and len(paired.names) > 1:
            return f'{len(paired.names)} columns; name the score with "column"'
        if self.column is not None and self.column not in paired.names:
            return str(UnknownName(f"{self.name}: column", "column", self.column, paired.names))
        at = 0 if self.column is None else paired.names.index(self.column)
        if len(paired.source) < 2:
            return "one row has no order"
        names = [f"row {row}" for row in range(len(paired.source))]
        return paired.source[:, at][None], paired.target[:, at][None], names

    def _order(self, scores: np.ndarray, names: list[str]) -> list[str]:
        place = np.argsort(-scores if self.descending else scores, kind="stable")
        return [names[at] for at in place.tolist()]

    def _share(self, was: np.ndarray, now: np.ndarray, names: list[str]) -> float:
        if self.measure == "kendall":
            return _pairs_agreeing(was, now)
        one, other = self._order(was, names), self._order(now, names)
        match self.measure:
            case "first":
                return float(one[0] == other[0])
            case "top_k":
                return overlap_at(one, other, self.k)
        return rbo(one, other, self.p)

    def _told(self, was: np.ndarray, now: np.ndarray, names: list[str]) -> str:
        one, other = (self._order(side, names)[: min(self.k, 3)] for side in (was, now))
        return f"source {', '.join(one)} first, target {', '.join(other)}"

    def _say(self, case: Case, status: Status, reason: str, value: float | None = None) -> Comparison:
        flip = self.measure == "first"
        return Comparison(
            case_id=case.id,
            comparator=self.signature(),
            status=status,
            value=None if value is None else float(value < 1.0) if flip else value,
            distance=None if value is None else 1.0 - value,
            unit="" if value is None else self.measure,
            reason=reason,
        )


def build(
    *,
    measure: str = "top_k",
    over: str = "rows",
    k: int = 10,
    p: float = 0.9,
    column: str | None = None,
    descending: bool = True,
) -> Ranking:
    """`[comparators.NAME] use = "ranking"`.

    measure: top_k (default), rbo, kendall or first. over: rows (default) or columns. k: of top_k, 10. p: of rbo, 0.9.
    column: which of several columns is the score. descending: the largest comes first; default true.
    Raises ConfigError and UnknownName for what is none of these.
    """
    where = "ranking"
    if measure not in MEASURES:
        raise UnknownName(where, "measure", str(measure), MEASURES)
    if over not in AXES:
        raise UnknownName(where, "value of over", str(over), AXES)
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise ConfigError(f"{where}: k must be a whole number of at least 1, not {k!r}.")
    if isinstance(p, bool) or not isinstance(p, int | float) or not 0 < p < 1 or not math.isfinite(p):
        raise ConfigError(f"{where}: p must lie between 0 and 1, not {p!r}.")
    if column is not None and (not isinstance(column, str) or over == "columns"):
        raise ConfigError(f'{where}: column names the score of rows; over = "columns" takes all of them.')
    if not isinstance(descending, bool):
        raise ConfigError(f"{where}: descending must be true or false, not {descending!r}.")
    return Ranking(measure=measure, over=over, k=k, p=float(p), column=column, descending=descending)


def _pairs_agreeing(was: np.ndarray, now: np.ndarray) -> float:
    """Share of pairs that both sides order alike, of those that either orders: (gamma over either's pairs + 1) / 2.

    1 where neither side orders anything. Needs a number for each pair: rankings of up to some thousand items.
    """
    left, right = np.triu_indices(len(was), 1)
    # Compared, not subtracted: equal infinities are a tie, and the largest numbers do not overflow.
    before, after = (1.0 * (side[left] > side[right]) - 1.0 * (side[left] < side[right]) for side in (was, now))
    ordered = (before != 0) | (after != 0)
    return float((before == after)[ordered].mean()) if ordered.any() else 1.0
