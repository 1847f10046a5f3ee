"""Streams of server-sent events, live and recorded: their events, what ends them badly, and what that means.

An event is of kind "chunk", or of the type that its data names where the API types its events; one that tells an error
is of kind "error". A stream that stops before its answer does gets such an event at its end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from harness.core.call import Event, FailureKind, Unreadable, Wire
from harness.core.case import Json
from harness.core.output import Output
from harness.errors import Denied, Rejected, Throttled, TimedOut, Unavailable
from harness.services import _sse
from harness.services._chat import parsed, table
from harness.services._openai import code_of, error_in, is_filter, kind_of
from harness.services._replies import retry_after_s

BROKEN = {"code": "broken_off", "message": "the stream ended before its answer did"}
NO_TIME_S = 0.0  # of recorded events: a log keeps no times
EVENT_STREAM = "text/event-stream"
_OURS = {one.kind: one for one in (Throttled, TimedOut, Unavailable, Denied, Rejected)}


def recorded(content_type: str, body: bytes | None, *, typed: bool) -> tuple[Json | bytes, tuple[Event, ...]]:
    """A recorded response body: JSON, or the events of a stream; bytes that are neither stay bytes.

    A log that keeps parsed chunks has a JSON list of them.
    """
    if body is None:
        return None, ()
    start = body[:64].lstrip(b"\xef\xbb\xbf\r\n\t ")
    if content_type.startswith(EVENT_STREAM) or start.startswith((b"data:", b"event:", b": ")):
        sent = _sse.events([body, b"\n\n"])  # a log may have trimmed the last blank line
        return None, tuple(event_of(one, NO_TIME_S, typed=typed) for one in sent if one.data != _sse.DONE)
    is_json, value = parsed(body.decode("utf-8", "replace"))
    if not is_json:
        return body, ()
    if isinstance(value, list):
        return None, tuple(as_event(chunk, NO_TIME_S, typed=typed) for chunk in value)
    if isinstance(value, dict) and value.get("object") == "chat.completion.chunk":
        return None, (as_event(value, NO_TIME_S, typed=typed),)
    return value, ()


def event_of(sent: _sse.Sent, at_s: float, *, typed: bool) -> Event:
    """A server-sent event; one whose data is no JSON is an error that breaks the stream off."""
    is_json, value = parsed(sent.data)
    if not is_json:
        return Event(at_s, "error", {"error": {"code": "malformed_event", "message": "an event that is no JSON"}})
    if sent.kind == "error" and error_in(value) is None:
        value = {"error": value if isinstance(value, dict) and value else {"message": "an error without words"}}
    return as_event(value, at_s, typed=typed)


def as_event(value: Json, at_s: float, *, typed: bool) -> Event:
    """A parsed chunk."""
    if error_in(value) is not None:
        return Event(at_s, "error", value)
    return Event(at_s, str((table(value).get("type") if typed else None) or "chunk"), value)


def broken_off(at_s: float) -> Event:
    """What ends a stream that stopped before its answer did."""
    return Event(at_s, "error", {"error": dict(BROKEN)})


def ended(reply: Wire, at_s: float, *, whole: bool, place: str, service: str) -> Wire:
    """A live stream that ended by itself: the reply, or the failure that it tells, with the reply as `partial`.

    A filter that stops the answer is behaviour, not a failure. whole: whether the answer came to its end.
    """
    last = reply.events[-1] if reply.events else None
    error = error_in(last.data) if last is not None and last.kind == "error" else None
    if error is None and whole:
        return reply
    if error is None:
        reply = replace(reply, events=(*reply.events, broken_off(at_s)))
        error = dict(BROKEN)
    if is_filter(error):
        return reply
    ours = _OURS[kind_of(error).value]
    raise ours(
        f"{place}: the stream ended in an error ({code_of(error) or 'without a code'})",
        service=service,
        status=reply.status,
        retry_after_s=retry_after_s(reply.headers),
        partial=reply,
    )


def refused(error: Mapping[str, Any], reply: Wire, partial: Output | None = None) -> Unreadable:
    """What a recorded error is: the kind of failure that it would have been live."""
    status = reply.status if reply.status is not None and reply.status >= 400 else None
    code = code_of(error)
    told = [f"code {code}" if code else "", f"status {status}" if status else ""]
    message = f"the service answered with an error ({', '.join(filter(None, told)) or 'without a code'})"
    return Unreadable(message, partial, kind=FailureKind(kind_of(error, status)), status=reply.status, code=code)
