"""Rows from Parquet, and from what Arrow reads of JSON Lines. Text becomes codes inside Arrow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.core.rows import Flags, Floats, Ints, Labels, Rows, nulls, numbers, slice_columns
from harness.errors import RowsError
from harness.gate.rows_fields import FIELDS, STATUS_CODES, Unfit, repeat_of, slices_of, value_of

if TYPE_CHECKING:
    import pyarrow as pa


def from_parquet(path: Path, content: bytes) -> Rows:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(pa.BufferReader(content))
        names = file.schema_arrow.names
        for name in FIELDS:
            if names.count(name) > 1:
                raise RowsError(f'{path}: field "{name}" has {names.count(name)} columns. Keep one of them.')
        table = file.read(columns=[name for name in FIELDS if name in names])
    except (pa.ArrowException, OSError, ValueError) as exc:
        raise RowsError(f"{path}: cannot be read as Parquet: {exc}") from exc
    if table.num_rows == 0:
        return Rows.empty()
    return Table(path, table).rows()


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of a Parquet file. Text becomes codes inside Arrow; only odd columns pass through Python objects."""

    path: Path
    table: pa.Table

    def rows(self) -> Rows:
        case = self._names("case")
        target, no_target = self._values("value_target")
        noise, no_noise = self._values("value_noise")
        return Rows(
            case=case,
            metric=self._names("metric"),
            cluster=self._text("cluster").or_else(case),
            run=_filled(self._text("run"), ""),
            repeat=self._repeat(),
            value_target=target,
            null_target=no_target,
            value_noise=noise,
            null_noise=no_noise,
            status_target=self._status("status_target"),
            status_source=self._status("status_source"),
            slices=self._slices(),
        )

    def _fault(self, name: str, said: object, at: int | None = None) -> RowsError:
        row = "" if at is None else f", row {at + 1}"
        return RowsError(f'{self.path}{row}: field "{name}" {said}.')

    def _column(self, name: str) -> pa.ChunkedArray | None:
        import pyarrow as pa

        if name not in self.table.column_names:
            return None
        column = self.table.column(name)
        return None if pa.types.is_null(column.type) else column

    def _converted(self, name: str, convert: Callable[[Any], Any]) -> Iterator[Any]:
        column = self._column(name)
        for at, value in enumerate(column.to_pylist() if column is not None else [None] * len(self.table)):
            try:
                yield convert(value)
            except Unfit as exc:
                raise self._fault(name, exc, at) from exc

    def _text(self, name: str) -> Labels:
        """Codes of a text column; absent where null or empty. Dictionary columns are text as well."""
        import pyarrow as pa

        column = self._column(name)
        if column is None:
            return Labels(np.full(len(self.table), -1, dtype=np.int64), ())
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)):
            raise self._fault(name, f"must be text, and the column holds {column.type}")
        return _encoded(column)

    def _names(self, name: str) -> Labels:
        labels = self._text(name)
        missing = np.flatnonzero(labels.codes < 0)
        if len(missing):
            raise self._fault(name, "is missing; every row names its case and its metric", int(missing[0]))
        return labels

    def _values(self, name: str) -> tuple[Floats, Flags]:
        import pyarrow as pa

        column = self._column(name)
        n = len(self.table)
        if column is None:
            return np.full(n, np.nan), np.ones(n, dtype=np.bool_)
        numeric = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
        if numeric or pa.types.is_boolean(column.type) or pa.types.is_decimal(column.type):
            null = column.is_null().to_numpy()
            return column.cast(pa.float64(), safe=False).to_numpy(), np.asarray(null, dtype=np.bool_)
        values = list(self._converted(name, value_of))
        return numbers(values), nulls(values)

    def _repeat(self) -> Ints:
        import pyarrow as pa

        column = self._column("repeat")
        if column is None:
            return np.zeros(len(self.table), dtype=np.int64)
        if pa.types.is_integer(column.type) and not pa.types.is_uint64(column.type):
            return np.asarray(column.fill_null(0).to_numpy(), dtype=np.int64)
        return np.array(list(self._converted("repeat", repeat_of)), dtype=np.int64)

    def _status(self, name: str) -> np.ndarray[Any, np.dtype[np.int8]]:
        labels = self._text(name)
        code_of = [STATUS_CODES.get(text, -2) for text in labels.names] + [0]
        codes = np.array(code_of, dtype=np.int8)[labels.codes]
        unknown = np.flatnonzero(codes == -2)
        if len(unknown):
            at = int(unknown[0])
            said = f'must be one of {", ".join(STATUS_CODES)}, not "{labels.names[labels.codes[at]][:20]}"'
            raise self._fault(name, said, at)
        return codes

    def _slices(self) -> dict[str, Labels]:
        import pyarrow as pa

        column = self._column("slices")
        if column is None:
            return {}
        if pa.types.is_struct(column.type):
            return self._slice_fields(column)
        if column.type == pa.map_(pa.string(), pa.string()):  # as write_rows has it
            return _map_fields(column)
        return slice_columns(list(self._converted("slices", slices_of)))

    def _slice_fields(self, column: pa.ChunkedArray) -> dict[str, Labels]:
        keys = [field.name for field in column.type]
        if twice := next((key for key in keys if keys.count(key) > 1), None):
            raise self._fault("slices", f'names "{twice}" more than once')
        inner = replace(self, table=_flat(column))
        slices = {}
        for key in inner.table.column_names:
            try:
                slices[key] = inner._text(key)
            except RowsError as exc:
                raise self._fault("slices", f'must be an object of texts, and "{key}" is not') from exc
        return slices


def _flat(column: pa.ChunkedArray) -> pa.Table:
    """A struct column as a table of its fields, null where the struct is."""
    import pyarrow as pa

    return pa.table(dict(zip([field.name for field in column.type], column.flatten(), strict=True)))


def _map_fields(column: pa.ChunkedArray) -> dict[str, Labels]:
    """A map of texts as one column a key, keys sorted, without a Python object a row."""
    import pyarrow as pa

    flat = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    offsets = np.asarray(flat.offsets.to_numpy(), dtype=np.int64)
    held = slice(int(offsets[0]), int(offsets[-1]))  # a null map that was read from Parquet holds no entries
    row = np.repeat(np.arange(len(flat)), np.diff(offsets))
    keys = flat.keys[held].dictionary_encode()
    items = flat.items[held].dictionary_encode()
    key_of = keys.indices.to_numpy(zero_copy_only=False)
    item_of = items.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    names = tuple(items.dictionary.to_pylist())
    if "" in names:  # an empty text is no slice
        item_of[item_of == names.index("")] = -1
    fields = {}
    for code, key in sorted(enumerate(keys.dictionary.to_pylist()), key=lambda pair: pair[1]):
        codes = np.full(len(flat), -1, dtype=np.int64)
        codes[row[key_of == code]] = item_of[key_of == code]
        if (codes >= 0).any():
            fields[key] = Labels(codes, names)
    return fields


def _encoded(column: pa.ChunkedArray) -> Labels:
    import pyarrow as pa
    from pyarrow import compute

    # Arrow's dictionary_encode and null handling know plain strings best; the cast copies once.
    flat = column.cast(pa.large_string()).combine_chunks()
    flat = compute.if_else(compute.equal(flat, ""), pa.scalar(None, pa.large_string()), flat)
    encoded = flat.dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return Labels(codes, tuple(encoded.dictionary.to_pylist()))


def _filled(labels: Labels, name: str) -> Labels:
    """The column with its absent entries named."""
    return labels.or_else(Labels(np.zeros(len(labels), dtype=np.int64), (name,)))
