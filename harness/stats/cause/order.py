"""Rows that belong to other rows: shuffled, reversed, or moved by some places."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.stats.cause.outputs import Candidate
from harness.stats.cause.pairs import Floats, Ints, Pairs, equal

# Rows that say the same can be told apart by nothing: a shuffle of few distinct rows is no finding.
DISTINCT = 0.3
FARTHEST = 5
SHUFFLED = 0.8  # of the rows must be found again for a shuffle


def candidates(pairs: Pairs) -> Iterator[Candidate]:
    if not pairs.same_shape or len(pairs.source) < 3:
        return
    rounded = _rounded(pairs.source)
    if len(np.unique(rounded, axis=0)) < DISTINCT * len(rounded):
        return
    groups = [("", np.zeros(len(rounded), dtype=np.int64))]
    if pairs.group is not None and len(np.unique(pairs.group)) < len(rounded):
        groups.insert(0, (" within an answer", pairs.group))
    for where, group in groups:
        yield from _moved(pairs, group, where)
        for name, told, place in (
            ("rows_reversed", "the rows are in reverse order", _reversed(group)),
            ("rows_shuffled", "the same rows are in another order", _matched(pairs.source, pairs.target, group)),
        ):
            if name == "rows_shuffled" and equal(pairs.source[place], pairs.target).mean() < SHUFFLED:
                continue  # to put both in order brings any two sets of numbers nearer
            complexity = 4 if name == "rows_reversed" else 6
            yield Candidate(
                name=name, told=told + where, left=pairs.source[place], right=pairs.target, complexity=complexity
            )


def _moved(pairs: Pairs, group: Ints, where: str) -> Iterator[Candidate]:
    """Row i of the target is row i - step of the source, round the end of its group."""
    for step in [sign * size for size in range(1, FARTHEST + 1) for sign in (1, -1)]:
        place = np.arange(len(group))
        for members in _members(group):
            place[members] = np.roll(members, step)
        told = f"each row holds the answer to the row {abs(step)} {'before' if step > 0 else 'after'} it{where}"
        yield Candidate(
            name="rows_moved",
            told=told,
            left=pairs.source[place],
            right=pairs.target,
            complexity=4,
            settings={"step": step},
        )


def _reversed(group: Ints) -> Ints:
    place = np.arange(len(group))
    for members in _members(group):
        place[members] = members[::-1]
    return place


def _matched(source: Floats, target: Floats, group: Ints) -> Ints:
    """For each row of the target, the source's row of the same rank in the order of all values."""
    place = np.empty(len(group), dtype=np.int64)
    by_source = np.lexsort((*_rounded(source).T[::-1], group))
    by_target = np.lexsort((*_rounded(target).T[::-1], group))
    place[by_target] = by_source
    return place


def _members(group: Ints) -> list[Ints]:
    order = np.argsort(group, kind="stable")
    edges = np.flatnonzero(np.diff(group[order])) + 1
    return np.split(order, edges)


def _rounded(values: Floats) -> Floats:
    """Five significant digits: what float32 and printing may blur does not change an order."""
    with np.errstate(all="ignore"):
        size = 10.0 ** (4 - np.floor(np.log10(np.maximum(np.abs(values), 1e-300))))
        return np.where(np.isfinite(values) & (values != 0), np.round(values * size) / size, values)
