"""Candidates on what was asked: the target answered another question.

A request cannot be asked again here, so a model fitted to the source's own answers stands in for the source: applied to
what the target may have read, does it come nearer to what the target answered? A cause found so is a strong hint.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.stats.cause.pairs import Column, Flags, Floats, Pairs
from harness.stats.cause.surrogate import Surrogate, fit
from harness.stats.cause.thresholds import LABEL_DIGITS

# Fewer answers than this fit no model; more than this many add nothing but time.
LEAST, ENOUGH = 60, 4000
MOST_VALUES = 20  # of a category
FLATTER = (0.8, 2.0)  # how many times flatter than the source a stand-in may be
FEWEST_FLIPS = 5
COLUMNS = 3  # of the answer, that readings are judged by
_UNITS = (1000.0, 100.0, 10.0, 60.0, 24.0, 12.0, 2.54, 0.45359237, 1.609344, 2.0)
FACTORS = (*_UNITS, *(1 / unit for unit in _UNITS), -1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the target may have read. explained: of the difference between the sides, the share that is gone where the
    stand-in answers this reading in the source's place, in [0, 1]."""

    name: str
    told: str
    explained: float
    complexity: int


def readings(pairs: Pairs, differs: Flags) -> list[Reading]:
    """Best first; none where there are too few rows, no numeric columns, or the stand-in explains the source badly."""
    numeric = [column for column in pairs.inputs if column.is_number]
    if len(numeric) < 1 or len(pairs.source) < LEAST or pairs.source.shape[1:] != pairs.target.shape[1:]:
        return []
    rows = np.arange(len(pairs.source))[np.isfinite(pairs.source).all(axis=1) & np.isfinite(pairs.target).all(axis=1)]
    rows = rows[:: max(1, len(rows) // ENOUGH)]
    if len(rows) < LEAST or not differs[rows].any():
        return []
    asked = np.stack([_filled(column)[rows] for column in numeric], axis=1)
    beside = _beside(pairs)[rows]
    judges = [
        _Judge(stand_in, asked, beside, pairs.source[rows, at], pairs.target[rows, at])
        for at in range(min(pairs.source.shape[1], COLUMNS))
        if (stand_in := fit(np.hstack([asked, beside]), pairs.source[rows, at])) is not None
    ]
    if not judges:
        return []
    names = [column.name for column in numeric]
    found = [
        Reading(
            name=name,
            told=told,
            explained=float(np.mean([judge.explained(read) for judge in judges])),
            complexity=complexity,
        )
        for name, told, read, complexity in _readings(asked, names)
    ]
    if pairs.source.shape[1] == 1 and (moved := judges[0].cut_moved(pairs.columns[0])) is not None:
        found.append(moved)
    return sorted(found, key=lambda one: one.complexity * 0.005 - one.explained)


def _filled(column: Column) -> Floats:
    known = np.isfinite(column.numbers)
    return np.where(known, column.numbers, column.numbers[known].mean())


def _beside(pairs: Pairs) -> Floats:
    """What no reading changes: categories and missing values, a column of 0 and 1 for each. Shape (n, them)."""
    made = [np.zeros((len(pairs.source), 0))]
    for column in pairs.inputs:
        if column.missing.any() and not column.missing.all():
            made.append(column.missing.astype(float)[:, None])
        if not column.is_number:
            texts = np.array([text if text is not None else "" for text in column.texts])
            values = np.unique(texts)
            if 1 < len(values) <= MOST_VALUES:
                made.append((texts[:, None] == values[None, 1:]).astype(float))
    return np.hstack(made)


class _Judge:
    """How far a reading goes. What the stand-in gets wrong about the source it may get wrong about the target alike,
    and a stand-in of trees is flatter than what it stands for. So three measures are taken, and the best counts: the
    distance that is gone, the same with the stand-in's own error taken off, and the variance of the change between
    the sides that the change in its predictions explains."""

    def __init__(self, stand_in: Surrogate, asked: Floats, beside: Floats, source: Floats, target: Floats) -> None:
        self._predict, self._beside, self._source, self._target = stand_in.predict, beside, source, target
        self._asked = stand_in.predict(np.hstack([asked, beside]))
        self._error, self._change = source - self._asked, target - source
        self._apart = float(np.abs(self._change).mean())

    def explained(self, read: Floats) -> float:
        if not self._apart > 0:
            return 0.0
        said = self._predict(np.hstack([read, self._beside]))
        left, moved = self._target - said, said - self._asked
        rest = min(float(np.abs(left).mean()), float(np.abs(left - self._error).mean()))
        return max(0.0, 1.0 - rest / self._apart, 0.9 * _variance_explained(self._change, moved))

    def cut_moved(self, column: str) -> Reading | None:
        """A label that came without its score: where the cut of the score moved, all that differ went one way, and of
        the rows with the label they left, they are those that the stand-in holds to be nearest to the other."""
        was, now = np.round(self._source, LABEL_DIGITS), np.round(self._target, LABEL_DIGITS)
        values = np.unique(np.concatenate([was, now]))
        if len(values) != 2:
            return None
        flipped = was != now
        left = was[flipped]
        if len(left) < FEWEST_FLIPS or not (left == left[0]).all():
            return None
        stayed = (was == left[0]) & ~flipped
        if not stayed.any():
            return None
        toward = self._asked if left[0] == values[0] else -self._asked
        below = np.sort(toward[stayed])
        ranks = np.searchsorted(below, toward[flipped], "left") + np.searchsorted(below, toward[flipped], "right")
        return Reading(
            name="threshold_moved",
            told=f'all {len(left)} labels of "{column}" that differ were {left[0]:g} and lie where a model of the '
            f"source comes nearest to {values[values != left[0]][0]:g}: the threshold of its score has moved",
            explained=max(0.0, float(ranks.mean()) / len(below) - 1.0),
            complexity=4,
        )


def _variance_explained(change: Floats, by: Floats) -> float:
    """Of `change`, by a line through zero: r squared, in [0, 1]; 0 where `by` is of another size than `change`."""
    both, of, size = float(change @ by), float(change @ change), float(by @ by)
    if not (size > 0 and of > 0 and FLATTER[0] <= both / size <= FLATTER[1]):
        return 0.0
    return both * both / (of * size)


def _readings(asked: Floats, names: list[str]) -> Iterator[tuple[str, str, Floats, int]]:
    wide = asked.shape[1]
    for i in range(wide):
        for j in range(i + 1, wide):
            read = asked.copy()
            read[:, [i, j]] = asked[:, [j, i]]
            yield "input_columns_swapped", f'the target reads "{names[i]}" and "{names[j]}" swapped', read, 2
    for i in range(wide):
        for told, value in (
            ("0", 0.0),
            ("its mean", float(asked[:, i].mean())),
            ("its median", float(np.median(asked[:, i]))),
        ):
            read = asked.copy()
            read[:, i] = value
            yield "input_column_missing", f'the target does not read "{names[i]}", and takes {told} for it', read, 2
        for factor in FACTORS:
            read = asked.copy()
            read[:, i] = asked[:, i] * factor
            yield "input_scaled", f'the target reads "{names[i]}" multiplied by {factor:.6g}', read, 3
        for told, values in (
            ("in Fahrenheit for Celsius", asked[:, i] * 1.8 + 32.0),
            ("in Celsius for Fahrenheit", (asked[:, i] - 32.0) / 1.8),
        ):
            read = asked.copy()
            read[:, i] = values
            yield "input_scaled", f'the target reads "{names[i]}" {told}', read, 3
        spread = float(asked[:, i].std())
        if spread > 0:
            read = asked.copy()
            read[:, i] = (asked[:, i] - asked[:, i].mean()) / spread
            yield "input_scaled", f'the target reads "{names[i]}" standardised', read, 3
    if wide > 2:
        for step in (1, -1):
            yield (
                "input_columns_shifted",
                f"the target reads all columns moved by {step:+d}",
                np.roll(asked, step, axis=1),
                3,
            )
        yield "input_columns_reversed", "the target reads the columns in reverse order", asked[:, ::-1].copy(), 3
        order = sorted(range(wide), key=names.__getitem__)
        if order != list(range(wide)):
            yield "input_columns_sorted", "the target reads the columns in order of their names", asked[:, order], 3
