"""Where the difference is: rows that one property of what was asked sets apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.stats.cause.pairs import Column, Flags, Pairs

# Rows that must have the property, and values of one column beyond which it is no category.
LEAST, MOST_VALUES = 3, 60
# Share of the rows beyond which a range is no place where something is, but nearly everywhere.
WIDEST = 0.6
# How a missing value is written where a format has no word for it.
MISSING_WORDS = ("", "nan", "null", "none", "na", "n/a", "?", "-999", "-999.0", "-9999", "-9999.0")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Segment:
    """inside: rows with the property, shape (n,). complexity as in `Cause`."""

    name: str
    told: str
    inside: Flags
    complexity: int


def segments(pairs: Pairs) -> Iterator[Segment]:
    for column in pairs.inputs:
        missing = column.missing
        if missing.any():
            yield Segment(
                name="missing_values",
                told=f'rows without a value of "{column.name}": the two sides fill it differently',
                inside=missing,
                complexity=2,
            )
        yield from _categories(column)
        if column.is_number:
            yield from _ranges(column)


def _categories(column: Column) -> Iterator[Segment]:
    texts = np.array([text if text is not None else "" for text in column.texts], dtype=object)
    present = ~column.missing
    values, counts = np.unique(texts[present].astype(str), return_counts=True)
    if not 1 < len(values) <= MOST_VALUES:
        return
    for value, count in zip(values.tolist(), counts.tolist(), strict=True):
        if count >= LEAST:
            empty = value.strip().casefold() in MISSING_WORDS
            yield Segment(
                name="missing_values" if empty else "category",
                told=f'rows with "{column.name}" = {value!r}: '
                + (
                    "the two sides fill a missing value differently" if empty else "the two sides encode it differently"
                ),
                inside=present & (texts.astype(str) == value),
                complexity=2 if empty else 3,
            )


def _ranges(column: Column) -> Iterator[Segment]:
    """Above and below each of the column's twentieths, and negative values."""
    known = np.isfinite(column.numbers)
    if len(np.unique(column.numbers[known])) < 8:
        return
    cuts = np.unique(np.quantile(column.numbers[known], np.linspace(0.02, 0.98, 49)))
    for cut in [0.0, *cuts.tolist()]:
        for word, inside in (("above", column.numbers > cut), ("below", column.numbers < cut)):
            if LEAST <= inside.sum() <= WIDEST * known.sum():
                yield Segment(
                    name="range",
                    told=f'rows with "{column.name}" {word} {cut:.6g}',
                    inside=inside & known,
                    complexity=5,
                )


def gain(inside: Flags, differs: Flags) -> float:
    """How well a property tells the rows that differ from those that do not, in [0, 1]: Youden's J.

    1: exactly the rows with the property differ. 0: they differ as often as others.
    Source: W. J. Youden (1950), Cancer 3(1), 32-35.
    """
    bad, good = int(differs.sum()), int((~differs).sum())
    if not bad or not good:
        return 0.0
    return max(0.0, float((inside & differs).sum() / bad - (inside & ~differs).sum() / good))
