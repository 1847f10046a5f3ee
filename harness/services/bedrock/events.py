"""Streams: recorded bytes or lists as the events that boto3 would have given, and what ends a stream badly.

An event of InvokeModelWithResponseStream is of kind "chunk" with the provider's own JSON as data; of ConverseStream it
is of the member's name. A stream that broke off ends in an event that says how: the service's exception by its name,
"error" for one that the service does not model, DAMAGED for bytes that fail their check or end within a message, or
the kind of our own failure ("timeout", "unavailable") where a live call broke off.
Source: wire contracts 0.2, D.4, D.6.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from typing import Any

from harness.core.call import Event, FailureKind
from harness.services._aws_codes import by_code
from harness.services._chat import NoAnswer, count, json_object, table, text
from harness.services._openai import code_of, kind_of

CHUNK = "chunk"
DAMAGED = "damaged"
# Events of a recording carry no times; no event of a live call comes at the moment it starts.
NO_TIME_S = 0.0

_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_FAILURES = {kind.value: kind for kind in FailureKind}


def from_bytes(body: bytes) -> tuple[Event, ...]:
    """Events of `application/vnd.amazon.eventstream`, CRCs checked; a damaged or cut-off stream ends in DAMAGED."""
    from botocore.eventstream import EventStreamBuffer, ParserError

    stream = EventStreamBuffer()
    stream.add_data(body)
    events: list[Event] = []
    read = 0
    try:
        for message in stream:
            read += message.prelude.total_length
            events.append(_event(message.headers, message.payload))
    except (ParserError, UnicodeDecodeError, ValueError, KeyError, IndexError) as exc:
        events.append(damaged(f"the framing is wrong after byte {read} of {len(body)} ({type(exc).__name__})"))
    else:
        if read != len(body):
            events.append(damaged(f"it ends within a message, {len(body) - read} bytes into it"))
    return tuple(events)


def from_list(value: list[Any], *, chunks: bool) -> tuple[Event, ...]:
    """Events that a log kept parsed. chunks: of InvokeModel, the provider's objects or boto3's {"chunk": ...}."""
    return tuple(_from_parsed(one, chunks=chunks) for one in value)


def chunk(payload: bytes, at_s: float = NO_TIME_S) -> Event:
    """One chunk of InvokeModelWithResponseStream."""
    try:
        return Event(at_s, CHUNK, json_object(payload))
    except NoAnswer as exc:
        return damaged(f"a chunk cannot be read: {exc}")


def damaged(message: str) -> Event:
    return Event(NO_TIME_S, DAMAGED, {"message": message})


def failure(event: Event) -> tuple[FailureKind, str | None, str] | None:
    """What a stream's event says went wrong: kind, the service's word, our words; None for an event that says nothing
    of the sort.
    """
    data = table(event.data)
    if event.kind == DAMAGED:
        return FailureKind.UNREADABLE, None, f"the stream is damaged: {text(data.get('message'))}"
    if event.kind in _FAILURES:
        return _FAILURES[event.kind], None, "the stream broke off"
    if isinstance(data.get("error"), dict):  # the OpenAI-compatible route
        return kind_of(data["error"]), code_of(data["error"]), "the stream ended in an error"
    code = text(data.get("code")) if event.kind == "error" else event.kind
    if event.kind != "error" and not event.kind.endswith(("Exception", "exception", "Error")):
        return None
    ours, _ = by_code(code, None, count(data.get("originalStatusCode")))
    return FailureKind(ours.kind), code, f"the stream ended in {code or 'an error'}"


def _event(headers: dict[str, Any], payload: bytes) -> Event:
    match headers.get(":message-type"):
        case "event":
            return _named(str(headers.get(":event-type", "")), _members(payload))
        case "exception":
            return Event(NO_TIME_S, str(headers.get(":exception-type", "")), _members(payload))
        case "error":
            return Event(NO_TIME_S, "error", {"code": str(headers.get(":error-code", ""))})
    return damaged("a message is of no known type")


def _named(name: str, members: dict[str, Any] | None) -> Event:
    if members is None:
        return damaged("a message holds no JSON object")
    if name != CHUNK:
        return Event(NO_TIME_S, name, members)
    try:
        return chunk(base64.b64decode(members["bytes"], validate=True))
    except (KeyError, TypeError, ValueError, binascii.Error):
        return damaged("a chunk holds no bytes")


def _members(payload: bytes) -> dict[str, Any] | None:
    try:
        return json_object(payload) if payload else {}
    except NoAnswer:
        return None


def _from_parsed(one: Any, *, chunks: bool) -> Event:
    if not isinstance(one, dict) or not one:
        return damaged("an event is no object")
    name, inner = next(iter(one.items()))
    if len(one) == 1 and isinstance(name, str) and name.lower().endswith("exception"):
        return Event(NO_TIME_S, name, inner)
    if not chunks:
        known = next((key for key in one if isinstance(one[key], dict)), name)
        return Event(NO_TIME_S, known, one[known])
    if name in (CHUNK, "bytes"):
        return _named(CHUNK, inner if isinstance(inner, dict) else one)
    return Event(NO_TIME_S, CHUNK, one)


def chunks_of(events: tuple[Event, ...]) -> Iterator[dict[str, Any]]:
    """The provider's objects of a stream's chunks."""
    return (event.data for event in events if event.kind == CHUNK and isinstance(event.data, dict))


def dump(value: Any) -> bytes:
    """JSON as it is sent. Raises ValueError for NaN, infinities and lone surrogates."""
    return _ENCODER.encode(value).encode("utf-8")
