"""Records of a log that are plain: as their line spells them, ready to be written without being taken apart.

A format that reads millions of lines of one form says what each holds as a `Plain`; a `Record`, with its recording and
provenance, is made of one only where somebody needs to ask it something.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Protocol, TypeAlias, runtime_checkable

import msgspec

from harness.core.case import Origin, Provenance, Recording
from harness.recordings.blocks import Block, Line
from harness.recordings.formats import Format, Found, Log, LogFile, Record, Reject, Skip, case_id


class Plain(msgspec.Struct, gc=False, kw_only=True):
    """One call as its line spells it: what a `Record` is made of, which takes longer than reading the line.

    index, line: of the line in its file, as in `Origin`. text: the record, as JSON. request, response: text where the
    body is UTF-8, else bytes. time: as the log spells it. flags: sorted. number: of the record in its line, where there
    are several. labels: as in `Record`, as is failed.
    """

    format: str
    path: str
    index: int
    line: int
    text: bytes
    service: str
    operation: str
    model: str | None
    region: str | None = None
    request_type: str
    request: str | bytes
    status: int | None
    response_headers: dict[str, str]
    response: str | bytes | None
    request_id: str | None
    tokens: dict[str, int] = {}
    time: object = None
    flags: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    number: int = 0
    failed: bool = False

    @property
    def id(self) -> str:
        place = case_id(self.origin)
        return f"{place}-{self.number}" if self.number else place

    @property
    def at(self) -> datetime | None:
        """The time, UTC; None where the log says none."""
        return moment(self.time)

    @property
    def origin(self) -> Origin:
        return Origin(format=self.format, path=self.path, index=self.index, line=self.line)

    def record(self) -> Record:
        """The same as a record."""
        recording = Recording(
            id=self.id,
            service=self.service,
            operation=self.operation,
            model=self.model,
            region=self.region,
            request_headers={"content-type": self.request_type},
            request_body=_bytes(self.request),
            status=self.status,
            response_headers=self.response_headers,
            response_body=None if self.response is None else _bytes(self.response),
            request_id=self.request_id,
            tokens=self.tokens,
            provenance=Provenance(captured_at=self.at, origin=self.origin, flags=self.flags),
        )
        return Record(
            recording=recording,
            document=partial(msgspec.json.decode, self.text),
            labels=self.labels,
            failed=self.failed,
        )


@runtime_checkable
class PlainFormat(Format, Protocol):
    """A format whose records are mostly plain: `read` makes records of all that `plain` finds."""

    def plain(self, log: Log) -> Iterator[Plain | Reject | Skip]: ...


# kind, request, request as JSON text without its quotes, response, the same, request id, time, tokens as JSON or "".
Usual: TypeAlias = tuple[Hashable, str, str, str, str, str, str, str]


@runtime_checkable
class BlockFormat(PlainFormat, Protocol):
    """A format of one line a record, whose lines can be read in blocks, and each without the ones before it."""

    def blocks(self, file: LogFile) -> Iterator[Block | Reject]:
        """The lines of a file; none of a file that holds no records."""
        ...

    def found(self, log: Log, file: LogFile, line: Line, /) -> Iterable[Plain | Reject | Skip]:
        """What a line holds."""
        ...

    def usual(self, line: bytes) -> Usual | None:
        """What a line of the most usual form holds, read fast; None of any other.

        Of one kind are records of which `found` makes a `Plain` each that differ in nothing but what `Usual` says, and
        in index, line, text and labels.
        """
        ...


def plain(form: BlockFormat, log: Log) -> Iterator[Plain | Reject | Skip]:
    """The `plain` of such a format."""
    for file in log:
        for block in form.blocks(file):
            if isinstance(block, Reject):
                yield block
            else:
                for line in block.lines():
                    yield from form.found(log, file, line)


def read_plain(form: PlainFormat, log: Log) -> Iterator[Found]:
    """The `read` of a format that has a `plain`."""
    for found in form.plain(log):
        yield found.record() if isinstance(found, Plain) else found


def _bytes(body: str | bytes) -> bytes:
    return body.encode() if isinstance(body, str) else body


def moment(text: object) -> datetime | None:
    """A time of a log, UTC; None for what is none. Numbers are seconds since 1970, or milliseconds where those would
    lie beyond the year 5000; a text without an offset is UTC, as in the formats that have such.
    """
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        return None
    try:
        if not isinstance(text, str):
            return datetime.fromtimestamp(text / 1000 if text > 1e11 else text, UTC)
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
