"""Rows as arrays: all that the gate and its statistics ever see of a run.

Text columns are codes into a list of names. The order of rows and of names carries no meaning.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.verdict import Row, RowStatus

STATUSES = tuple(RowStatus)
OK, ERROR, TIMEOUT, UNSCORED = range(4)

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """A column of text. codes: int64, shape (n,), places in `names`; -1 where the row has none."""

    codes: Ints
    names: tuple[str, ...]

    @classmethod
    def of(cls, values: Sequence[str | None]) -> Labels:
        """Codes in order of first appearance; None is absent."""
        names: dict[str, int] = {}
        codes = [-1 if value is None else names.setdefault(value, len(names)) for value in values]
        return cls(np.array(codes, dtype=np.int64), tuple(names))

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, chosen: Ints | Flags) -> Labels:
        return Labels(self.codes[chosen], self.names)

    def has(self, name: str) -> Flags:
        """Where the column says `name`."""
        code = self.names.index(name) if name in self.names else -2
        return np.asarray(self.codes == code)

    def present(self) -> list[str]:
        """The names that occur, sorted."""
        return sorted(self.names[code] for code in np.unique(self.codes).tolist() if code >= 0)

    def text(self) -> list[str | None]:
        return [self.names[code] if code >= 0 else None for code in self.codes.tolist()]

    def or_else(self, other: Labels) -> Labels:
        """The column with its absent entries taken from `other`."""
        if not (self.codes < 0).any():
            return self
        if (self.codes < 0).all():
            return other
        places = {name: code for code, name in enumerate(self.names)}
        moved = np.array([places.setdefault(name, len(places)) for name in other.names], dtype=np.int64)
        filled = np.where(self.codes < 0, moved[other.codes], self.codes)
        return Labels(filled, tuple(places))


def join_labels(parts: Sequence[Labels]) -> Labels:
    """The columns one after the other, over one list of names."""
    names: dict[str, int] = {}
    codes = []
    for part in parts:
        moved = np.array([names.setdefault(name, len(names)) for name in part.names] + [-1], dtype=np.int64)
        codes.append(moved[part.codes])
    return Labels(np.concatenate(codes) if codes else np.zeros(0, dtype=np.int64), tuple(names))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """Columns of `parity decide`, each of shape (n,).

    cluster: the case's own name where a row gave none. value_target, value_noise: float64, NaN where
    null_target, null_noise say that there was no value, or where the value itself is NaN.
    status_target, status_source: int8, places in STATUSES. slices: one column a key, absent where a row lacks the key.
    """

    case: Labels
    metric: Labels
    cluster: Labels
    run: Labels
    repeat: Ints
    value_target: Floats
    null_target: Flags
    value_noise: Floats
    null_noise: Flags
    status_target: NDArray[np.int8]
    status_source: NDArray[np.int8]
    slices: Mapping[str, Labels] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(self.case)
        columns = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "slices"}
        for name, column in {**columns, **self.slices}.items():
            if len(column) != n:
                raise ValueError(f"Rows: column {name} has {len(column)} entries, case has {n}")

    def __len__(self) -> int:
        return len(self.case)

    @classmethod
    def from_rows(cls, rows: Iterable[Row]) -> Rows:
        """Columns of `Row` objects, of which any order gives the same decision."""
        listed = list(rows)
        case = Labels.of([row.case for row in listed])
        target = [row.value_target for row in listed]
        noise = [row.value_noise for row in listed]
        return cls(
            case=case,
            metric=Labels.of([row.metric for row in listed]),
            cluster=Labels.of([row.cluster or None for row in listed]).or_else(case),
            run=Labels.of([row.run for row in listed]),
            repeat=np.array([row.repeat for row in listed], dtype=np.int64),
            value_target=numbers(target),
            null_target=nulls(target),
            value_noise=numbers(noise),
            null_noise=nulls(noise),
            status_target=np.array([STATUSES.index(RowStatus(row.status_target)) for row in listed], dtype=np.int8),
            status_source=np.array([STATUSES.index(RowStatus(row.status_source)) for row in listed], dtype=np.int8),
            slices=slice_columns([row.slices for row in listed]),
        )

    @classmethod
    def empty(cls) -> Rows:
        return cls.from_rows(())

    @classmethod
    def join(cls, parts: Sequence[Rows]) -> Rows:
        """Rows of all parts, one after the other."""
        if len(parts) == 1:
            return parts[0]
        if not parts:
            return cls.empty()
        columns: dict[str, Any] = {}
        for one in fields(cls):
            if one.name == "slices":
                continue
            values = [getattr(part, one.name) for part in parts]
            columns[one.name] = join_labels(values) if isinstance(values[0], Labels) else np.concatenate(values)
        keys = sorted({key for part in parts for key in part.slices})
        slices = {key: join_labels([part.slices.get(key, _absent(len(part))) for part in parts]) for key in keys}
        return cls(**columns, slices=slices)

    def take(self, chosen: Ints | Flags) -> Rows:
        """The chosen rows; lists of names are shared."""
        columns: dict[str, Any] = {}
        for one in fields(self):
            value = getattr(self, one.name)
            if isinstance(value, Labels):
                columns[one.name] = value.take(chosen)
            elif isinstance(value, np.ndarray):
                columns[one.name] = value[chosen]
        return Rows(**columns, slices={key: column.take(chosen) for key, column in self.slices.items()})

    def cases(self) -> list[str]:
        """Names of the cases, sorted, each once."""
        return self.case.present()

    def __iter__(self) -> Iterator[Row]:
        """The rows as objects: for small tables and for writing."""
        slices = {key: column.text() for key, column in self.slices.items()}
        texts = [column.text() for column in (self.case, self.metric, self.cluster, self.run)]
        for at, (case, metric, cluster, run) in enumerate(zip(*texts, strict=True)):
            yield Row(
                case=case or "",
                metric=metric or "",
                cluster=cluster or "",
                run=run or "",
                repeat=int(self.repeat[at]),
                slices={key: value for key, column in slices.items() if (value := column[at]) is not None},
                value_target=None if self.null_target[at] else float(self.value_target[at]),
                value_noise=None if self.null_noise[at] else float(self.value_noise[at]),
                status_target=STATUSES[self.status_target[at]],
                status_source=STATUSES[self.status_source[at]],
            )


def numbers(values: Sequence[float | None]) -> Floats:
    """float64, NaN where there is none."""
    return np.array(values, dtype=np.float64)


def nulls(values: Sequence[float | None]) -> Flags:
    """Where there is no value at all; a NaN is a value that means nothing."""
    return np.array([value is None for value in values], dtype=np.bool_)


def slice_columns(values: Sequence[Mapping[str, str]]) -> dict[str, Labels]:
    """One column a key that occurs, keys sorted."""
    keys = sorted({key for value in values for key in value})
    return {key: Labels.of([value.get(key) for value in values]) for key in keys}


def _absent(n: int) -> Labels:
    return Labels(np.full(n, -1, dtype=np.int64), ())
