"""JSON lines of any kind: one object a line, and a map that says which of its keys hold what.

Keys are those of the object itself; what lies deeper is reached with `--cluster` and `--slice`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from harness.core.case import Json
from harness.recordings.formats import Found, Log, Reject
from harness.recordings.formats._columns import Columns
from harness.recordings.formats._json import UNREADABLE, document, records, refused

NAME = "jsonl"


def build(**columns: Any) -> Jsonl:
    """The map: see `Columns` and `Columns.of`."""
    return Jsonl(columns=Columns.of(**columns))


@dataclass(frozen=True, slots=True, kw_only=True)
class Jsonl:
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

    @property
    def _told(self) -> dict[str, Json]:
        """A key that is not there says nothing, as null does."""
        return dict.fromkeys(self.columns.named)

    def read(self, log: Log) -> Iterator[Found]:
        for file in log:
            for item in records(file, self.name):
                if isinstance(item, Reject):
                    yield item
                    continue
                origin, line = item
                try:
                    row = document(line)
                except UNREADABLE as exc:
                    yield Reject(origin, refused(exc))
                    continue
                if isinstance(row, dict):
                    yield self.columns.found(origin, self._told | row, partial(document, line))
                else:
                    yield Reject(origin, "not an object")
