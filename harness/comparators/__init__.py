"""Comparators: two answers to one case -> one `Comparison`. One file each; its name is its word in suites and reports.

To add one, write `comparators/<word>.py` with a frozen class that has `name`, `compare(source, target, *, case)` and
`signature()`, and a `build(...)` whose keyword arguments are the keys of `[comparators.NAME]` in `suite.toml`. `build`
checks every option and raises ConfigError. A comparator opens nothing, keeps no state between cases and reads no
clock. What it says:

* match or mismatch, with a value: a similarity in [0, 1], or 1 for a bad event (a flip) and 0 for none;
* a target that gives what cannot be an answer (NaN, a missing row) is a mismatch;
* incomparable, with no value, only where the source's own answer leaves nothing to hold the target against.

A comparator may have `check(case)`: asked of every case before the first call, it raises ConfigError where no answer to
that case could be compared. What several comparators share lies in files and folders that begin with an underscore.

Settings go into the signature, since a run with other settings is other evidence. Its tests go to
`tests/comparators/test_<word>.py`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.core.output import Output, Scores, kind
from harness.errors import ConfigError


@dataclass(frozen=True, slots=True, eq=False)
class PairedScores:
    """Two answers laid over each other: `names` a column, `source` and `target` of one shape (rows, columns)."""

    names: tuple[str, ...]
    source: NDArray[np.float64]
    target: NDArray[np.float64]


def are_named(columns: tuple[str, ...]) -> bool:
    """Whether a service named its columns; ("0", "1", ...) are the names of columns that have none."""
    return columns != tuple(str(index) for index in range(len(columns)))


def pair_scores(source: Scores, target: Scores) -> PairedScores | str:
    """Columns by name when both sides name them, else by position; the reason in words when the shapes do not fit.

    Names are the source's, or the target's where only the target has them.
    """
    if source.values.shape != target.values.shape:
        return f"source answered {_shape(source)}, target {_shape(target)}"
    if source.columns == target.columns or not are_named(source.columns) or not are_named(target.columns):
        names = source.columns if are_named(source.columns) else target.columns
        return PairedScores(names, source.values, target.values)
    if sorted(source.columns) != sorted(target.columns):
        only_source = sorted(set(source.columns) - set(target.columns))
        only_target = sorted(set(target.columns) - set(source.columns))
        return f"columns differ: only in the source {quoted(only_source)}, only in the target {quoted(only_target)}"
    if len(set(target.columns)) != len(target.columns):
        return f"a column name occurs twice, and the order differs: {quoted(target.columns)}"
    order = [target.columns.index(name) for name in source.columns]
    return PairedScores(source.columns, source.values, target.values[:, order])


def not_of(wanted: str, side: str, output: Output) -> str:
    """'the target answered with chat, not scores': the reason where an output is not of a comparator's kind."""
    return f"the {side} answered with {kind(output)}, not {wanted}"


def number(where: str, name: str, value: object) -> float:
    """A finite number from a suite file. Raises ConfigError for anything else, truth values included."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ConfigError(f"{where}: {name} must be a finite number, not {value!r}.")
    return float(value)


def quoted(names: Iterable[str]) -> str:
    """'"a", "b"', or 'none'."""
    return ", ".join(f'"{name}"' for name in names) or "none"


def word(text: str) -> str:
    """Text as it stands in a signature: quoted where it holds one of the signature's own marks."""
    return json.dumps(text, ensure_ascii=False) if any(mark in text for mark in '|:,"') else text


def _shape(scores: Scores) -> str:
    rows, columns = scores.values.shape
    return f"{rows} row{'' if rows == 1 else 's'} of {columns} column{'' if columns == 1 else 's'}"
