"""Server-sent events: bytes of a stream, and the events in them.

Source: WHATWG HTML, "Server-sent events", section "Parsing an event stream".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

DONE = "[DONE]"


@dataclass(frozen=True, slots=True)
class Sent:
    """One event. kind: its `event` line, "" without one. data: its `data` lines, joined."""

    kind: str
    data: str


def events(pieces: Iterable[bytes]) -> Iterator[Sent]:
    """The events of a stream that comes in pieces. One that its blank line does not end is left out.

    A piece may end anywhere, inside a character too. Bytes that are no UTF-8 become replacement characters.
    """
    kind, data = "", list[str]()
    for line in _lines(pieces):
        if not line:
            if data:
                yield Sent(kind, "\n".join(data))
            kind, data = "", []
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            kind = value
        elif name == "data":
            data.append(value)


def _lines(pieces: Iterable[bytes]) -> Iterator[str]:
    """Lines that were ended by CRLF, LF or CR. A byte order mark at the start is passed over."""
    rest, first = b"", True
    for piece in pieces:
        rest += piece
        if rest.endswith(b"\r"):  # perhaps the first half of CRLF
            continue
        *whole, rest = rest.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        for line in whole:
            text = line.decode("utf-8", "replace")
            yield text.removeprefix("\ufeff") if first else text
            first = False
    if rest.endswith(b"\r"):
        yield from (line.decode("utf-8", "replace") for line in rest[:-1].replace(b"\r", b"\n").split(b"\n"))
