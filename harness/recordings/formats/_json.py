"""JSON records of logs: read fast, kept as the bytes that stood there, and refused in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from harness.core.case import Json, Origin
from harness.recordings.blocks import BLANK, Block, Line
from harness.recordings.formats import LogFile, Reject
from harness.recordings.formats._streams import TOO_LONG, BadFile, blocks, lines, opened


def records(file: LogFile, name: str, blank: bytes = BLANK) -> Iterator[tuple[Origin, bytes] | Reject]:
    """One line a record: its place and its bytes, or why there are none."""
    for item in placed(file, name, blank):
        yield item if isinstance(item, Reject) else item[:2]


def placed(file: LogFile, name: str, blank: bytes = BLANK) -> Iterator[tuple[Origin, bytes, int] | Reject]:
    """The same, and the byte at which each line starts, of what was unpacked."""
    for item in numbered(file, name, blank):
        if isinstance(item, Reject):
            yield item
        elif item.content is not None:
            yield place(file, name, item), item.content, item.start


def numbered(file: LogFile, name: str, blank: bytes = BLANK) -> Iterator[Line | Reject]:
    """The lines of a file, each with content, or why there are none."""
    last = Line(0, 1, None)
    try:
        with opened(file) as stream:
            for line in lines(stream, blank):
                last = line
                yield line if line.content is not None else Reject(place(file, name, line), TOO_LONG)
    except BadFile as exc:
        yield Reject(place(file, name, last), f"{exc}; what follows is lost")
    except OSError as exc:
        reason = f"the file cannot be read on ({type(exc).__name__}); what follows is lost"
        yield Reject(place(file, name, last), reason)


def blocked(file: LogFile, name: str) -> Iterator[Block | Reject]:
    """The same lines in blocks; a line that is too long is a block of its own."""
    last: Block | None = None
    try:
        with opened(file) as stream:
            for block in blocks(stream):
                if block.content is None or block.content.strip(BLANK):
                    last = block
                yield block
    except BadFile as exc:
        yield Reject(place(file, name, _last(last)), f"{exc}; what follows is lost")
    except OSError as exc:
        reason = f"the file cannot be read on ({type(exc).__name__}); what follows is lost"
        yield Reject(place(file, name, _last(last)), reason)


def _last(block: Block | None) -> Line:
    last = Line(0, 1, None)
    for line in () if block is None else block.lines():
        last = line
    return last


def place(file: LogFile, name: str, line: Line) -> Origin:
    return Origin(format=name, path=file.path, index=line.index, line=line.number)


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


def answer_bytes(status: int | None, body: Any) -> bytes | None:
    """An answer's body as JSON: empty for a refused call of which none is told, None where no answer was kept."""
    if body is None:
        return b"" if status is not None and status >= 400 else None
    return json_bytes(body)


def parsed(body: bytes | None) -> Json:
    """A body parsed where it is JSON, else its text."""
    if body is None:
        return None
    try:
        return document(body)
    except UNREADABLE:
        return body.decode("utf-8", "replace")
