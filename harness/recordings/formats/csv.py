"""CSV with a header (RFC 4180, UTF-8): one call a row, and a map that says which columns hold what.

A cell is at most 131,072 characters. An empty cell says nothing. A row with more or fewer cells than the header is
refused.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO

from harness.core.case import Json, Origin
from harness.recordings.formats import Found, Log, LogFile, Reject
from harness.recordings.formats._columns import Columns
from harness.recordings.formats._streams import LONGEST, BadFile, opened

NAME = "csv"


def build(**columns: Any) -> Csv:
    """The map: see `Columns` and `Columns.of`."""
    return Csv(columns=Columns.of(**columns))


@dataclass(frozen=True, slots=True, kw_only=True)
class Csv:
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
        index, line = 0, 1

        def place() -> Origin:
            return Origin(format=self.name, path=file.path, index=index, line=line)

        try:
            with opened(file) as stream:
                reader = csv.reader(_texts(stream), strict=True)
                header = next(reader, None)
                if header is not None and (twice := self.columns.twice(header)):
                    yield Reject(place(), f"{twice}; its rows are lost")
                    return
                while header is not None:
                    line = reader.line_num + 1
                    try:
                        row = next(reader)
                    except StopIteration:
                        return
                    except csv.Error:
                        # The parser has lost its place in the row, and finds it again at the next line.
                        yield Reject(place(), "not CSV")
                    else:
                        yield self._row(place(), header, row)
                    index += 1
        except (BadFile, OSError, UnicodeDecodeError, csv.Error) as exc:
            reason = str(exc) if isinstance(exc, BadFile) else f"the file is no CSV in UTF-8 ({type(exc).__name__})"
            yield Reject(place(), f"{reason}; what follows is lost")

    def _row(self, origin: Origin, header: list[str], row: list[str]) -> Found:
        if len(row) != len(header):
            return Reject(origin, f"{len(row)} cells, where the header has {len(header)}")
        table: dict[str, Json] = {name: cell or None for name, cell in zip(header, row, strict=True)}
        return self.columns.found(origin, table, partial(dict, table))


def _texts(stream: BinaryIO) -> Iterator[str]:
    first = True
    while line := stream.readline(LONGEST + 1):
        if len(line) > LONGEST:
            raise BadFile(f"a line is longer than {LONGEST:,} bytes")
        yield line.decode("utf-8-sig" if first else "utf-8")
        first = False
