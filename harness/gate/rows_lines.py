"""Rows from JSON Lines: by Arrow where a file is plain, and line by line where it is not."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.core.rows import Labels, Rows, nulls, numbers, slice_columns
from harness.errors import RowsError
from harness.gate.rows_fields import (
    FIELDS,
    Unfit,
    kind_of,
    name_of,
    optional_text,
    repeat_of,
    run_of,
    slices_of,
    status_of,
    value_of,
)
from harness.gate.rows_parquet import Table

if TYPE_CHECKING:
    import pyarrow as pa

_DECODER = json.JSONDecoder()
_BATCH = 50_000  # rows held as objects at a time
_BLOCK = 16 << 20  # bytes that Arrow parses at a time


def from_lines(path: Path, content: bytes) -> Rows:
    """Arrow's reader where the file is plain, and line by line where it is not: the answer is the same."""
    content = content.removeprefix(b"\xef\xbb\xbf")
    table = plain_lines(content)
    if table is not None:
        try:
            return Table(path, table).rows()
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


def plain_lines(content: bytes) -> pa.Table | None:
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
        raise RowsError(f"{path}, line {number}: is {kind_of(record)}, and each line must be one row, a JSON object.")
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
            except Unfit as exc:
                raise RowsError(f'{places[at]}: field "{name}" {exc}.') from exc
        return values

    case = Labels.of(column("case", name_of))
    target = column("value_target", value_of, float, type(None))
    noise = column("value_noise", value_of, float, type(None))
    return Rows(
        case=case,
        metric=Labels.of(column("metric", name_of)),
        cluster=Labels.of(column("cluster", optional_text, type(None))).or_else(case),
        run=Labels.of(column("run", run_of)),
        repeat=np.array(column("repeat", repeat_of), dtype=np.int64),
        value_target=numbers(target),
        null_target=nulls(target),
        value_noise=numbers(noise),
        null_noise=nulls(noise),
        status_target=np.array(column("status_target", status_of), dtype=np.int8),
        status_source=np.array(column("status_source", status_of), dtype=np.int8),
        slices=slice_columns(column("slices", slices_of)),
    )
