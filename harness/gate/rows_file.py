"""Read and write rows: JSON Lines or Parquet, told apart by their first bytes.

Every fault names the file, the line (JSON Lines) or row (Parquet), and the field.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.core.rows import STATUSES, Flags, Floats, Ints, Labels, Rows, nulls, numbers, slice_columns
from harness.core.verdict import Row
from harness.errors import RowsError
from harness.gate.policy import UNNAMED_SLICE

if TYPE_CHECKING:
    import pyarrow as pa

FIELDS = (
    "case",
    "metric",
    "cluster",
    "value_target",
    "value_noise",
    "status_target",
    "status_source",
    "slices",
    "repeat",
    "run",
)
_PARQUET = b"PAR1"
_DECODER = json.JSONDecoder()
_BATCH = 50_000  # rows held as objects at a time
_BLOCK = 16 << 20  # bytes that Arrow parses at a time
_WORDS = {"nan": math.nan, "infinity": math.inf, "-infinity": -math.inf, "inf": math.inf, "-inf": -math.inf}
_STATUS = {status.value: code for code, status in enumerate(STATUSES)}


@dataclass(frozen=True, slots=True, eq=False)
class RowsFile:
    """Rows as read, and the sha256 of the file's bytes."""

    path: Path
    rows: Rows
    sha256: str


def read_rows(path: Path) -> Rows:
    """Rows of a JSON Lines or Parquet file; an empty file has none. Raises RowsError."""
    return open_rows(path).rows


def open_rows(path: Path, *, run: str = "") -> RowsFile:
    """Rows and hash of the same bytes. run: the night of rows that name none."""
    try:
        content = path.read_bytes()
    except FileNotFoundError as exc:
        raise RowsError(f"{path}: no such file. ROWS is a JSON Lines or Parquet file.") from exc
    except OSError as exc:
        raise RowsError(f"{path}: cannot be read ({exc.strerror}). ROWS is a JSON Lines or Parquet file.") from exc
    rows = _from_parquet(path, content) if content[:4] == _PARQUET else _from_lines(path, content)
    if run and "" in rows.run.names:
        named = tuple(name or run for name in rows.run.names)
        rows = replace(rows, run=Labels.of([named[code] for code in rows.run.codes.tolist()]))
    return RowsFile(path, rows, hashlib.sha256(content).hexdigest())


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Write rows, in the order given, as Parquet where the name ends in .parquet, else as JSON Lines."""
    if path.suffix == ".parquet":
        _write_parquet(path, rows)
        return
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(_record(row), ensure_ascii=False) + "\n")


def _record(row: Row) -> dict[str, Any]:
    return {
        "case": row.case,
        "metric": row.metric,
        "cluster": row.cluster or row.case,
        "value_target": row.value_target,
        "value_noise": row.value_noise,
        "status_target": row.status_target.value,
        "status_source": row.status_source.value,
        "slices": dict(row.slices),
        "repeat": row.repeat,
        "run": row.run,
    }


def _write_parquet(path: Path, rows: Iterable[Row]) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    text = pa.string()
    schema = pa.schema(
        [
            pa.field("case", text, nullable=False),
            pa.field("metric", text, nullable=False),
            ("cluster", text),
            ("value_target", pa.float64()),
            ("value_noise", pa.float64()),
            ("status_target", text),
            ("status_source", text),
            ("slices", pa.map_(text, text)),
            ("repeat", pa.int64()),
            ("run", text),
        ]
    )
    records = (_record(row) | {"slices": sorted(row.slices.items())} for row in rows)
    with parquet.ParquetWriter(path, schema) as writer:
        while batch := list(islice(records, _BATCH)):
            writer.write_table(pa.Table.from_pylist(batch, schema=schema))


# JSON Lines


def _from_lines(path: Path, content: bytes) -> Rows:
    """Arrow's reader where the file is plain, and line by line where it is not: the answer is the same."""
    content = content.removeprefix(b"\xef\xbb\xbf")
    table = _plain_lines(content)
    if table is not None:
        try:
            return _Table(path, table).rows()
        except RowsError:
            pass  # the line-by-line reader names the line
    lines = enumerate(_decoded(path, content).split("\n"), start=1)
    parts = []
    while batch := list(islice(lines, _BATCH)):
        numbered = [(number, text) for number, line in batch if (text := line.strip())]
        records = [_parsed(path, number, text) for number, text in numbered]
        parts.append(_columns(records, [f"{path}, line {number}" for number, _ in numbered]))
    return Rows.join([part for part in parts if len(part)])


def _decoded(path: Path, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as exc:
        line = content.count(b"\n", 0, exc.start) + 1
        raise RowsError(f"{path}, line {line}: is not UTF-8 text. ROWS is a JSON Lines or Parquet file.") from exc


def _plain_lines(content: bytes) -> pa.Table | None:
    """The known fields as Arrow reads them; None where a line holds anything but what the table of fields shows.

    Arrow gives no line number for a fault and takes one type a field: other files are read line by line.
    """
    import pyarrow as pa
    from pyarrow import json as arrow_json

    if re.search(rb"-NaN|Inf(?!inity)", content):
        return None  # Arrow would take them for numbers, and JSON's own readers do not
    lines = content.count(b"\n") + (not content.endswith(b"\n"))
    text, number = pa.string(), pa.float64()
    fields = [
        (name, number if name.startswith("value_") else text) for name in FIELDS if name not in ("slices", "repeat")
    ]
    schema = pa.schema([*fields, ("repeat", pa.int64())])
    read = arrow_json.ReadOptions(block_size=max(len(content) + 1, 1 << 20) if len(content) < _BLOCK else _BLOCK)
    try:
        content.decode()
        table = arrow_json.read_json(pa.BufferReader(content), read, arrow_json.ParseOptions(explicit_schema=schema))
        if "slices" in table.column_names:
            slices = table.schema.field("slices").type
            if not pa.types.is_struct(slices) or any(inner.type not in (text, pa.null()) for inner in slices):
                return None
    except (ValueError, pa.ArrowException):
        return None
    # A line that holds two rows, or a row that runs over two lines, is for the strict reader to refuse.
    return table.select([name for name in FIELDS if name in table.column_names]) if len(table) == lines else None


def _parsed(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        record, end = _DECODER.raw_decode(line)
        if end < len(line):
            json.loads(line)  # says what is wrong
    except (ValueError, RecursionError) as exc:
        raise RowsError(f"{path}, line {number}: is not JSON: {exc}. Each line is one row, a JSON object.") from exc
    if not isinstance(record, dict):
        raise RowsError(f"{path}, line {number}: is {_kind(record)}, and each line must be one row, a JSON object.")
    return record


def _columns(records: Sequence[dict[str, Any]], places: Sequence[str]) -> Rows:
    """Rows of parsed objects; unknown fields are ignored, as other tools may carry their own."""

    def column(name: str, convert: Callable[[Any], Any], *ready: type) -> list[Any]:
        values = [record.get(name) for record in records]
        if {type(value) for value in values}.issubset(ready):
            return values
        for at, value in enumerate(values):
            try:
                values[at] = convert(value)
            except _Unfit as exc:
                raise RowsError(f'{places[at]}: field "{name}" {exc}.') from exc
        return values

    case = Labels.of(column("case", _name))
    target = column("value_target", _value, float, type(None))
    noise = column("value_noise", _value, float, type(None))
    return Rows(
        case=case,
        metric=Labels.of(column("metric", _name)),
        cluster=Labels.of(column("cluster", _optional_text, type(None))).or_else(case),
        run=Labels.of(column("run", _run)),
        repeat=np.array(column("repeat", _repeat, int), dtype=np.int64),
        value_target=numbers(target),
        null_target=nulls(target),
        value_noise=numbers(noise),
        null_noise=nulls(noise),
        status_target=np.array(column("status_target", _status), dtype=np.int8),
        status_source=np.array(column("status_source", _status), dtype=np.int8),
        slices=slice_columns(column("slices", _slices)),
    )


# What one field may say. Each raises _Unfit with the end of a sentence that begins with the field's name.


class _Unfit(Exception):
    """What a field says, and must not."""


def _name(value: Any) -> str:
    if isinstance(value, str) and value:
        return value
    if value is None:
        raise _Unfit("is missing; every row names its case and its metric")
    raise _Unfit("must not be empty" if value == "" else f"must be text, not {_kind(value)}")


def _optional_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value or None
    raise _Unfit(f"must be text, not {_kind(value)}")


def _run(value: Any) -> str:
    return _optional_text(value) or ""


def _value(value: Any) -> float | None:
    if value is None or isinstance(value, float):
        return value
    if isinstance(value, int):  # true and false are 1 and 0
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    if isinstance(value, str) and value.strip().lower().removeprefix("+") in _WORDS:
        return _WORDS[value.strip().lower().removeprefix("+")]
    what = f'the text "{value[:20]}"' if isinstance(value, str) else _kind(value)
    raise _Unfit(f"must be a number, null, NaN, Infinity or -Infinity, not {what}")


def _repeat(value: Any) -> int:
    if value is None:
        return 0
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not whole or not -(2**63) <= value < 2**63:
        raise _Unfit(f"must be a whole number, not {value if isinstance(value, float) else _kind(value)}")
    return int(value)


def _status(value: Any) -> int:
    if value is None:
        return 0
    if isinstance(value, str) and value in _STATUS:
        return _STATUS[value]
    what = f'"{value[:20]}"' if isinstance(value, str) else _kind(value)
    raise _Unfit(f"must be one of {', '.join(_STATUS)}, not {what}")


def _slices(value: Any) -> dict[str, str]:
    """An object of texts, or one text: "eu", "region=eu", or such an object written as text."""
    if value is None or value == "":
        return {}
    if isinstance(value, str):
        return _slices_in_text(value)
    if isinstance(value, list) and all(isinstance(pair, tuple) and len(pair) == 2 for pair in value):
        value = dict(value)  # a Parquet map
    if not isinstance(value, dict):
        raise _Unfit(f"must be an object of texts or one text, not {_kind(value)}")
    for key, inner in value.items():
        if inner is not None and not isinstance(inner, str):
            raise _Unfit(f'must be an object of texts, and "{key}" is {_kind(inner)}')
    return {key: inner for key, inner in value.items() if inner}


def _slices_in_text(text: str) -> dict[str, str]:
    if text.startswith("{"):
        try:
            inner = json.loads(text)
        except ValueError as exc:
            raise _Unfit("begins like an object and is not JSON") from exc
        return _slices(inner)
    key, equals, value = text.partition("=")
    return {key.strip(): value.strip()} if equals and key.strip() else {UNNAMED_SLICE: text}


def _kind(value: Any) -> str:
    words = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list", dict: "an object"}
    return "null" if value is None else words.get(type(value), f"of type {type(value).__name__}")


# Parquet


def _from_parquet(path: Path, content: bytes) -> Rows:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(pa.BufferReader(content))
        known = [name for name in FIELDS if name in file.schema_arrow.names]
        table = file.read(columns=known)
    except (pa.ArrowException, OSError, ValueError) as exc:
        raise RowsError(f"{path}: cannot be read as Parquet: {exc}") from exc
    if table.num_rows == 0:
        return Rows.empty()
    return _Table(path, table).rows()


@dataclass(frozen=True, slots=True)
class _Table:
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
            except _Unfit as exc:
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
            return column.cast(pa.float64()).to_numpy(), np.asarray(null, dtype=np.bool_)
        values = list(self._converted(name, _value))
        return numbers(values), nulls(values)

    def _repeat(self) -> Ints:
        import pyarrow as pa

        column = self._column("repeat")
        if column is None:
            return np.zeros(len(self.table), dtype=np.int64)
        if pa.types.is_integer(column.type) and not pa.types.is_uint64(column.type):
            return np.asarray(column.fill_null(0).to_numpy(), dtype=np.int64)
        return np.array(list(self._converted("repeat", _repeat)), dtype=np.int64)

    def _status(self, name: str) -> np.ndarray[Any, np.dtype[np.int8]]:
        labels = self._text(name)
        code_of = [_STATUS.get(text, -2) for text in labels.names] + [0]
        codes = np.array(code_of, dtype=np.int8)[labels.codes]
        unknown = np.flatnonzero(codes == -2)
        if len(unknown):
            at = int(unknown[0])
            said = f'must be one of {", ".join(_STATUS)}, not "{labels.names[labels.codes[at]][:20]}"'
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
        return slice_columns(list(self._converted("slices", _slices)))

    def _slice_fields(self, column: pa.ChunkedArray) -> dict[str, Labels]:
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
