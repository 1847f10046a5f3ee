"""The line of a record by the line of one like it: what both say in common is made once, what differs is filled in."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from msgspec import structs

from harness.recordings.lines import Line, Message, Place, unsealed


@dataclass(slots=True)
class Shape:
    """pieces: what lies before the id, the text of the request, that of the answer, the id of the request, the tokens,
    the time, the index and the line number; end: what lies after. calls: how many lines had it.
    """

    pieces: tuple[str, ...]
    end: str
    prefix: str
    operation: str
    model: str | None
    request_type: str
    flags: tuple[str, ...]
    calls: int = field(default=0)


def shape_of(line: Line, *, operation: str, model: str | None, prefix: str, flags: tuple[str, ...]) -> Shape | None:
    """prefix: with which ids begin. None where the line lacks a part that lines of a shape have."""
    response, provenance = line.response, line.provenance
    if not (isinstance(response, Message) and isinstance(provenance.origin, Place)):
        return None
    asked, answered, name, tokens, time = (secrets.token_hex(12) for _ in range(5))
    index, number = (secrets.randbelow(10**17) + 10**17 for _ in range(2))
    pattern = structs.replace(
        line,
        id=name,
        request=structs.replace(line.request, body=asked),
        response=structs.replace(
            response, body=answered, request_id=prefix + tokens, tokens={tokens: 0} if response.tokens else {}
        ),
        provenance=structs.replace(
            provenance, captured_at=time, origin=structs.replace(provenance.origin, index=index, line=number)
        ),
    )
    text = unsealed(pattern).decode()
    marks = [name, asked, answered, prefix + tokens, time, str(index), str(number)]
    if response.tokens:
        marks.insert(4, f'{{"{tokens}":0}}')
    pieces = []
    for mark in marks:
        piece, _, text = text.partition(mark)
        pieces.append(piece)
    if not response.tokens:
        pieces.insert(4, "")
    return Shape(tuple(pieces), text, prefix, operation, model, line.request.headers["content-type"], flags)
