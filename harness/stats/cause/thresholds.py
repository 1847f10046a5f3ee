"""Candidates on where a score is cut into a label."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.stats.cause.outputs import Candidate
from harness.stats.cause.pairs import Floats, Pairs

LABEL_DIGITS = 5  # of a label that float32 has passed through


def candidates(pairs: Pairs) -> Iterator[Candidate]:
    """A label of two values that follows a number both sides share, cut at another place."""
    for at, name in enumerate(pairs.columns):
        was, now = np.round(pairs.source[:, at], LABEL_DIGITS), np.round(pairs.target[:, at], LABEL_DIGITS)
        values = np.unique(np.concatenate([was, now]))
        if len(values) != 2 or not np.isfinite(values).all() or (was == now).all():
            continue
        scores = [(pairs.columns[i], pairs.source[:, i]) for i in range(len(pairs.columns)) if i != at]
        scores += [(column.name, column.numbers) for column in pairs.inputs if column.is_number]
        for score_name, score in scores:
            yield from _moved(pairs, at, name, score_name, score, values)


def _moved(pairs: Pairs, at: int, name: str, score_name: str, score: Floats, values: Floats) -> Iterator[Candidate]:
    was, now = np.round(pairs.source[:, at], LABEL_DIGITS), np.round(pairs.target[:, at], LABEL_DIGITS)
    known = np.isfinite(score)
    cuts = [best_cut(score[known], side[known] == values[1]) for side in (was, now)]
    if cuts[0] is None or cuts[1] is None or cuts[0][1] != cuts[1][1] or cuts[0][0] == cuts[1][0]:
        return
    (old, upward, _), (new, _, _) = cuts[0], cuts[1]
    positive = score >= new if upward else score < new
    predicted = pairs.source.copy()
    predicted[:, at] = np.where(known, np.where(positive, values[1], values[0]), was)
    yield Candidate(
        name="threshold_moved",
        told=f'"{name}" follows "{score_name}" cut at {old:.6g} in the source and at {new:.6g} in the target',
        left=predicted,
        right=np.where(np.arange(pairs.target.shape[1]) == at, pairs.target, pairs.source),
        complexity=4,
        settings={"column": name, "score": score_name, "source": old, "target": new},
    )


def best_cut(score: Floats, positive: np.ndarray[Any, np.dtype[np.bool_]]) -> tuple[float, bool, float] | None:
    """(cut, whether at least it is positive, share right): None where no cut is right on 98 %."""
    order = np.argsort(score, kind="stable")
    ordered, hit = score[order], positive[order].astype(float)
    below = np.concatenate([[0.0], np.cumsum(hit)])
    total, n = below[-1], len(hit)
    right_up = (np.arange(n + 1) - below) + (total - below)  # negatives below the cut, positives from it on
    starts = np.concatenate([[True], ordered[1:] != ordered[:-1], [True]])  # a cut lies between two different scores
    best: tuple[float, bool, float] | None = None
    for upward, right in ((True, right_up), (False, n - right_up)):
        place = int(np.argmax(np.where(starts, right, -1.0)))
        share = float(right[place]) / max(n, 1)
        if share >= 0.98 and (best is None or share > best[2]):
            best = (float(ordered[place]) if place < n else float(np.nextafter(ordered[-1], np.inf)), upward, share)
    return best
