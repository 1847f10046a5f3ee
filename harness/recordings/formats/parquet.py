"""Parquet: one call a row, and a map that says which columns hold what.

Read a row group at a time, which is what bounds memory; a group that unpacks to more than 64 MiB is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

from harness.core.case import Json, Origin
from harness.recordings.formats import Found, Log, LogFile, Reject
from harness.recordings.formats._columns import Columns

NAME = "parquet"
LARGEST_GROUP = 64 << 20


def build(**columns: Any) -> Parquet:
    """The map: see `Columns` and `Columns.of`."""
    return Parquet(columns=Columns.of(**columns))


@dataclass(frozen=True, slots=True, kw_only=True)
class Parquet:
    """The format."""

    columns: Columns
    name: str = NAME
    sampled: bool = False

    @property
    def service(self) -> str:
        return self.columns.service

    @property
    def operation(self) -> str:
        return self.columns.operation

    def read(self, log: Log) -> Iterator[Found]:
        for file in log:
            yield from self._file(file)

    def _file(self, file: LogFile) -> Iterator[Found]:
        import pyarrow as pa
        from pyarrow import parquet

        index = 0
        raw = file.open()
        try:
            table = parquet.ParquetFile(raw)
            for group in range(table.metadata.num_row_groups):
                told = table.metadata.row_group(group)
                if told.total_byte_size > LARGEST_GROUP:
                    reason = f"a row group of more than {LARGEST_GROUP:,} bytes; write the file with smaller ones"
                    yield Reject(self._place(file, index), f"{reason}; its {told.num_rows:,} rows are lost")
                    index += told.num_rows
                    continue
                for row in table.read_row_group(group, use_threads=False).to_pylist():
                    plain = {name: _plain(value) for name, value in row.items()}
                    yield self.columns.found(self._place(file, index), plain, partial(_json, plain))
                    index += 1
        except (pa.ArrowException, OSError, ValueError, OverflowError, KeyError) as exc:
            reason = f"the file is no Parquet that can be read on ({type(exc).__name__}); what follows is lost"
            yield Reject(self._place(file, index), reason)
        finally:
            raw.close()

    def _place(self, file: LogFile, index: int) -> Origin:
        return Origin(format=self.name, path=file.path, index=index)


def _plain(value: Any) -> Any:
    """Times as text; everything else as pyarrow gives it."""
    return value.isoformat() if isinstance(value, datetime | date) else value


def _json(row: Mapping[str, Any]) -> Json:
    return {
        name: value if isinstance(value, str | int | float | bool | None) else str(value) for name, value in row.items()
    }
