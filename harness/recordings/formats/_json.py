"""JSON records of logs: read fast, kept as the bytes that stood there, and refused in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from harness.core.case import Json, Origin
from harness.recordings.formats import LogFile, Reject
from harness.recordings.formats._streams import TOO_LONG, BadFile, lines, opened


def records(file: LogFile, name: str) -> Iterator[tuple[Origin, bytes] | Reject]:
    """One line a record: its place and its bytes, or why there are none."""
    for item in placed(file, name):
        yield item if isinstance(item, Reject) else item[:2]


def placed(file: LogFile, name: str) -> Iterator[tuple[Origin, bytes, int] | Reject]:
    """The same, and the byte at which each line starts, of what was unpacked."""
    place = Origin(format=name, path=file.path, index=0, line=1)
    try:
        with opened(file) as stream:
            for line in lines(stream):
                place = Origin(format=name, path=file.path, index=line.index, line=line.number)
                yield Reject(place, TOO_LONG) if line.content is None else (place, line.content, line.start)
    except BadFile as exc:
        yield Reject(place, f"{exc}; what follows is lost")
    except OSError as exc:
        yield Reject(place, f"the file cannot be read on ({type(exc).__name__}); what follows is lost")


def refused(exc: Exception) -> str:
    """Why msgspec did not read a record. Its messages name a place and a kind, never a value."""
    if isinstance(exc, RecursionError):
        return "nested too deeply"
    if isinstance(exc, UnicodeDecodeError):
        return "not UTF-8"
    return f"not the JSON of a record: {exc}"


UNREADABLE = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError, ValueError)


def document(line: bytes) -> Json:
    """A record as plain JSON."""
    value: Json = msgspec.json.decode(line)
    return value


def json_bytes(value: Any) -> bytes:
    return msgspec.json.encode(value)


def parsed(body: bytes | None) -> Json:
    """A body parsed where it is JSON, else its text."""
    if body is None:
        return None
    try:
        return document(body)
    except UNREADABLE:
        return body.decode("utf-8", "replace")


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
