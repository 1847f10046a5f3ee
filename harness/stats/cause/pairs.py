"""Answers of both sides to the same questions, and what a cause is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]

# Beyond what float32 arithmetic inside a model moves a number by; below it two numbers are one, unless nothing differs
# by more.
RTOL, ATOL = 2e-5, 2e-6
# Two numbers that were printed and read again.
EXACT_RTOL, EXACT_ATOL = 1e-12, 1e-300


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Column:
    """One column of what was asked. numbers: shape (n,), NaN where missing or no number. texts: as it was sent, None
    where missing.
    """

    name: str
    numbers: Floats
    texts: tuple[str | None, ...]

    @property
    def missing(self) -> Flags:
        return np.array([text is None for text in self.texts], dtype=np.bool_)

    @property
    def is_number(self) -> bool:
        """Whether every value that is there is a number."""
        return bool(np.isfinite(self.numbers[~self.missing]).all()) and not self.missing.all()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pairs:
    """source: shape (n, columns); target: shape (n, its columns), which may be fewer or more. NaN is a value that came.

    columns, target_columns: names. inputs: what was asked, shape (n,) each. group: rows that came in one answer, shape
    (n,), codes in order of the rows; None: every row by itself.
    """

    source: Floats
    target: Floats
    columns: tuple[str, ...]
    target_columns: tuple[str, ...]
    inputs: tuple[Column, ...] = ()
    group: Ints | None = None

    def __post_init__(self) -> None:
        if len(self.source) != len(self.target):
            raise ValueError(f"{len(self.source)} rows of the source, {len(self.target)} of the target")

    @property
    def same_shape(self) -> bool:
        return self.source.shape == self.target.shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One transformation. name: its word; told: in plain words, with its parameters.

    before, after: share of rows that are equal, without it and with it applied. explained: see the package's head, in
    [0, 1]. complexity: how much it had to be told to fit, for ranking among equals. settings: its parameters.
    """

    name: str
    told: str
    before: float
    after: float
    explained: float
    complexity: int
    settings: Mapping[str, object] = field(default_factory=dict)


def equal(left: Floats, right: Floats, *, rtol: float = RTOL, atol: float = ATOL) -> Flags:
    """Row by row: whether all values are one number; NaN equals NaN, infinities equal themselves. Shape (n,)."""
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.abs(left - right)
        close = np.isfinite(apart) & (apart <= atol + rtol * np.maximum(np.abs(left), np.abs(right)))
    alike = close | (left == right) | (np.isnan(left) & np.isnan(right))
    return np.asarray(alike.all(axis=1))
