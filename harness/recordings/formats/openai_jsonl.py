"""Chat logs of applications, OpenAI's form: JSON lines with what was sent to the API and, where kept, what came back.

A line is one of: {"request": {...}, "response": {...}}, as many gateways write it (`body`, `input` and `output`,
`status`, `latency_ms`, `timestamp` and an id are understood beside them); a line of a batch file; a bare request body
({"messages": [...]}, {"input": ...}); or {"messages": [..., {"role": "assistant", ...}]} of a fine-tuning set, whose
last message is then the answer.

A body may be its JSON in a text, and a streamed answer the list of its chunks. A status is the one that the line says;
without one it is None, and what came back tells whether it is a failure. An `error` beside an answer is one unless a
status of success is said.

Source: OpenAI API reference, chat completions, responses, embeddings, images, fine-tuning.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from harness.core.case import Origin, Provenance, Recording
from harness.recordings import gaps
from harness.recordings.formats import Found, Log, Record, Reject, case_id
from harness.recordings.formats._json import UNREADABLE, answer_bytes, document, json_bytes, records, refused
from harness.recordings.formats._openai import operation_of, status_in, tells_error, told_error
from harness.recordings.plain import moment

NAME = "openai_jsonl"
_ASKED, _ANSWERED = ("request", "request_body", "body", "input"), ("response", "response_body", "output", "completion")
_TIMES = ("timestamp", "created_at", "time", "ts", "date")
# Of a line that is a request's body itself, what is not of that body.
_BESIDE = ("status", "status_code", "error", "latency_ms", "duration_ms", "latency_s", "duration_s", "url", "endpoint")
FAILED = ("failed", "failure", "error", "timeout", "cancelled", "canceled", "expired")  # words of a status
_IDS = ("request_id", "id", "requestId", "trace_id")


def build(*, service: str = "azure_openai") -> OpenAiJsonl:
    """service: whose codec reads the answers."""
    return OpenAiJsonl(service=service)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAiJsonl:
    """The format."""

    service: str = "azure_openai"
    name: str = NAME
    operation: str = "chat.completions"
    sampled: bool = False

    def read(self, log: Log) -> Iterator[Found]:
        for file in log:
            for item in records(file, self.name):
                yield item if isinstance(item, Reject) else self._found(*item)

    def _found(self, origin: Origin, line: bytes) -> Found:
        try:
            table = document(line)
        except UNREADABLE as exc:
            return Reject(origin, refused(exc))
        if not isinstance(table, dict):
            return Reject(origin, "not an object")
        asked, answered = _halves(table)
        operation = None if asked is None else operation_of(asked, table.get("url") or table.get("endpoint"))
        if asked is None or operation is None:
            return Reject(origin, "no request: neither messages, nor an input, nor a prompt")
        try:
            status, body = _answer(table, answered, operation)
        except ValueError as exc:
            return Reject(origin, str(exc))
        chunks = _chunks(body)
        kind = "application/json" if chunks is None else "text/event-stream"
        content = answer_bytes(status, body) if chunks is None else chunks
        model = asked.get("model") or table.get("model")
        said = _first(table, _TIMES)
        identity = _first(table, _IDS)
        recording = Recording(
            id=case_id(origin),
            service=self.service,
            operation=operation,
            model=model if isinstance(model, str) else None,
            request_headers={"content-type": "application/json"},
            request_body=json_bytes(asked),
            status=status,
            response_headers={} if body is None else {"content-type": kind},
            response_body=content,
            latency_s=_latency(table),
            request_id=identity if isinstance(identity, str) else None,
            provenance=Provenance(
                captured_at=moment(said if said is not None else _created(body)),
                origin=origin,
                flags=(gaps.NOT_WIRE_BYTES,) if content is not None else (gaps.NO_ANSWER, gaps.NOT_WIRE_BYTES),
            ),
        )
        names = (recording.request_id,) if recording.request_id else ()
        return Record(recording=recording, document=partial(document, line), labels=names, failed=tells_error(body))


def _halves(table: dict[str, Any]) -> tuple[dict[str, Any] | None, Any]:
    """What was asked and what was answered; None for what is not there."""
    answered = _first(table, _ANSWERED)
    for name in _ASKED:
        asked = table.get(name)
        asked = _object(asked) if isinstance(asked, str) else asked
        if isinstance(asked, dict) and operation_of(asked, None):
            return asked, answered
    own = {key: value for key, value in table.items() if key not in (*_ANSWERED, *_TIMES, *_IDS, *_BESIDE)}
    messages = table.get("messages")
    if isinstance(messages, list) and answered is None and not _failed(table):
        last = messages[-1] if messages else None
        if isinstance(last, dict) and last.get("role") == "assistant":
            return own | {"messages": messages[:-1]}, _completion(last)
    return (own if operation_of(table, None) else None), answered


def _failed(table: Mapping[str, Any]) -> bool:
    """Whether a line says by itself that its call failed."""
    status = _status(table)
    return bool(_error(table)) or (status is not None and status >= 400)


def _error(table: Mapping[str, Any]) -> Any:
    """What a line says of a failure besides a number: its error, or a word in place of its status."""
    words = (table.get(name) for name in ("status_code", "status"))
    word = next((one.lower() for one in words if isinstance(one, str) and one.lower() in FAILED), None)
    return table.get("error") or (word and {"code": word, "message": word})


def _status(table: Mapping[str, Any]) -> int | None:
    return next(filter(None, (status_in(table.get(name)) for name in ("status_code", "status"))), None)


def _object(text: str) -> dict[str, Any] | None:
    """The object that a text is the JSON of."""
    try:
        told = document(text.encode()) if text.lstrip().startswith("{") else None
    except UNREADABLE:
        return None
    return told if isinstance(told, dict) else None


def _completion(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message of a fine-tuning set as the API would have given it; the set keeps no more of it."""
    stop = "tool_calls" if message.get("tool_calls") else "stop"
    return {"object": "chat.completion", "choices": [{"index": 0, "message": dict(message), "finish_reason": stop}]}


def _answer(table: Mapping[str, Any], answered: Any, operation: str) -> tuple[int | None, Any]:
    """Status and body; a text alone is a message, an error a refused call.

    Raises ValueError where what was answered is nothing that the operation answers.
    """
    status, error = _status(table), _error(table)
    if isinstance(answered, str):
        answered = _body_in(answered) or answered
    if isinstance(answered, dict) and ("body" in answered or status_in(answered.get("status_code"))):  # of a batch file
        own = status_in(answered.get("status_code"))
        status, error = status if own is None else own, error or answered.get("error")
        answered = answered.get("body")
        answered = _object(answered) or answered if isinstance(answered, str) else answered
    if error and (not answered or status is None or status >= 400) and not tells_error(answered):
        return told_error(error, status)
    if status is not None and status >= 400 and isinstance(answered, str):
        return status, {"error": {"message": answered}}
    if isinstance(answered, str) or (isinstance(answered, dict) and answered.get("role") == "assistant"):
        if operation != "chat.completions":
            raise ValueError(f"a message alone, which is no answer of {operation}")
        answered = _completion({"role": "assistant", "content": answered} if isinstance(answered, str) else answered)
    return status, answered


def _chunks(body: Any) -> bytes | None:
    """The chunks of a streamed chat as the stream that they came in; None for anything else."""
    if not isinstance(body, list) or not body:
        return None
    if not all(isinstance(one, dict) and one.get("object") == "chat.completion.chunk" for one in body if one):
        return None
    return b"".join(b"data: " + json_bytes(one) + b"\n\n" for one in body)


def _body_in(text: str) -> dict[str, Any] | None:
    """The body that a text is the JSON of; not the JSON that a model answered with."""
    told = _object(text)
    return told if told is not None and (tells_error(told) or "choices" in told or "object" in told) else None


def _latency(table: Mapping[str, Any]) -> float | None:
    for name, unit in (("latency_ms", 1e-3), ("duration_ms", 1e-3), ("latency_s", 1.0), ("duration_s", 1.0)):
        value = table.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e9:
            return value * unit
    return None


def _created(body: Any) -> Any:
    return body.get("created", body.get("created_at")) if isinstance(body, dict) else None


def _first(table: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((table[name] for name in names if table.get(name) is not None), None)
