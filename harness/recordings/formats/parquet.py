"""Parquet: one call a row, and a map that says which columns hold what.

Read some rows of a row group at a time, and made into Python's values row by row: a text that a group holds once may
stand in millions of its rows. A group that unpacks to more than 64 MiB is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

from harness.core.case import Json, Origin
from harness.recordings.formats import Found, Log, LogFile, Reject
from harness.recordings.formats._columns import Columns

NAME = "parquet"
LARGEST_GROUP = 64 << 20
BATCH = 256  # rows; of lists, what a group holds once is unpacked in each of them


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
            schema = parquet.read_schema(raw)
            names = schema.names
            if twice := self.columns.twice(names):
                yield Reject(self._place(file, index), f"{twice}; its rows are lost")
                return
            raw.seek(0)
            kinds = (pa.string(), pa.binary(), pa.large_string(), pa.large_binary())
            texts = [one.name for one in schema if one.type in kinds]
            table = parquet.ParquetFile(raw, read_dictionary=texts)
            for group in range(table.metadata.num_row_groups):
                told = table.metadata.row_group(group)
                if told.total_byte_size > LARGEST_GROUP:
                    reason = f"a row group of more than {LARGEST_GROUP:,} bytes; write the file with smaller ones"
                    yield Reject(self._place(file, index), f"{reason}; its {told.num_rows:,} rows are lost")
                    index += told.num_rows
                    continue
                for batch in table.iter_batches(batch_size=BATCH, row_groups=[group], use_threads=False):
                    columns = [_values(column) for column in batch.columns]
                    for values in zip(*columns, strict=True):
                        plain = dict(zip(names, map(_plain, values), strict=True))
                        yield self.columns.found(self._place(file, index), plain, partial(_json, plain))
                        index += 1
        except (pa.ArrowException, OSError, ValueError, OverflowError, KeyError) as exc:
            reason = f"the file is no Parquet that can be read on ({type(exc).__name__}); what follows is lost"
            yield Reject(self._place(file, index), reason)
        finally:
            raw.close()

    def _place(self, file: LogFile, index: int) -> Origin:
        return Origin(format=self.name, path=file.path, index=index)


def _values(column: Any) -> Iterable[Any]:
    """The values of a column; of texts one at a time, since a dictionary says each of them but once."""
    import pyarrow as pa

    return (cell.as_py() for cell in column) if pa.types.is_dictionary(column.type) else column.to_pylist()


def _plain(value: Any) -> Any:
    """Times as text; everything else as pyarrow gives it."""
    return value.isoformat() if isinstance(value, datetime | date) else value


def _json(row: Mapping[str, Any]) -> Json:
    return {
        name: value if isinstance(value, str | int | float | bool | None) else str(value) for name, value in row.items()
    }
