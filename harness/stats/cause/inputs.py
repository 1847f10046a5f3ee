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

# Fewer answers than this fit no model; more than this many add nothing but time.
LEAST, ENOUGH = 60, 4000
MOST_VALUES = 20  # of a category
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
    stand_in = fit(np.hstack([asked, beside]), pairs.source[rows, 0])
    if stand_in is None:
        return []
    names = [column.name for column in numeric]
    judge = _Judge(stand_in, asked, beside, pairs.source[rows, 0], pairs.target[rows, 0])
    found = [
        Reading(name=name, told=told, explained=judge.explained(read), complexity=complexity)
        for name, told, read, complexity in _readings(asked, names)
    ]
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
    """How far a reading goes. What the stand-in gets wrong about the source it may get wrong about the target alike:
    distances are taken with and without that error, and the smaller counts."""

    def __init__(self, stand_in: Surrogate, asked: Floats, beside: Floats, source: Floats, target: Floats) -> None:
        self._predict, self._beside, self._target = stand_in.predict, beside, target
        self._error = source - stand_in.predict(np.hstack([asked, beside]))
        self._apart = float(np.abs(target - source).mean())

    def explained(self, read: Floats) -> float:
        left = self._target - self._predict(np.hstack([read, self._beside]))
        rest = min(float(np.abs(left).mean()), float(np.abs(left - self._error).mean()))
        return max(0.0, 1.0 - rest / self._apart) if self._apart > 0 else 0.0


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
