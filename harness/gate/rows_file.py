"""Read and write rows: JSON Lines or Parquet, told apart by their first bytes.

Every fault names the file, the line (JSON Lines) or row (Parquet), and the field.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from harness.core.rows import Labels, Rows
from harness.core.verdict import Row
from harness.errors import RowsError
from harness.gate.rows_lines import from_lines
from harness.gate.rows_parquet import from_parquet

_PARQUET = b"PAR1"
_BATCH = 50_000  # rows held as objects at a time


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
    rows = from_parquet(path, content) if content[:4] == _PARQUET else from_lines(path, content)
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
