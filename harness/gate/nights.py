"""Which look each row belongs to: runs are looks, in the order in which they began, or else of their names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import numpy as np

from harness.core.rows import Ints, Rows


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Nights:
    """All rows of an epoch. look: int64, shape (n,), places in `runs`, which are in order."""

    rows: Rows
    look: Ints
    runs: tuple[str, ...]

    @property
    def looks(self) -> int:
        """At least one: an empty file is looked at too."""
        return max(len(self.runs), 1)


def in_order(rows: Rows, history: Sequence[Rows] = (), started: Mapping[str, datetime] | None = None) -> Nights:
    """Rows of earlier nights and of this one, each with its look.

    started: run -> when it began, UTC. Where it tells of every run, runs are in that order, and those of one moment in
    the order of their names; else names alone count, as people do: night-2 before night-10. Rows of this run that name
    no run come last.
    """
    parts = [*history, rows]
    named = {name for part in parts for name in part.run.present() if name}
    began = started if started is not None and named <= started.keys() else {}

    def place(part: Rows, name: str) -> _Place:
        unnamed = bool(history) and part is rows and not name
        at = began[name].timestamp() if name in began else 0.0
        return (1, 0.0, (), "this run") if unnamed else (0, at, _counting(name), name)

    places = sorted({place(part, name) for part in parts for name in part.run.present()})
    number = {at: look for look, at in enumerate(places)}
    looks = []
    for part in parts:
        of_name = np.array([number.get(place(part, name), -1) for name in part.run.names], dtype=np.int64)
        looks.append(of_name[part.run.codes])
    return Nights(rows=Rows.join(parts), look=np.concatenate(looks), runs=tuple(name for *_, name in places))


_Place: TypeAlias = tuple[int, float, tuple[tuple[int, int, str], ...], str]


def _counting(name: str) -> tuple[tuple[int, int, str], ...]:
    """Digits compare as numbers, and anything else as text."""
    parts = [part for part in re.split(r"([0-9]+)", name) if part]
    return tuple((0, int(part), "") if part[0] in "0123456789" else (1, 0, part) for part in parts)
