"""Chat logs of applications, OpenAI's form: JSON lines with what was sent to the API and, where kept, what came back.

A line is one of: {"request": {...}, "response": {...}}, as many gateways write it (`body`, `input` and `output`,
`status`, `latency_ms`, `timestamp` and an id are understood beside them); a line of a batch file; a bare request body
({"messages": [...]}, {"input": ...}); or {"messages": [..., {"role": "assistant", ...}]} of a fine-tuning set, whose
last message is then the answer.

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
from harness.recordings.formats._json import UNREADABLE, document, json_bytes, records, refused
from harness.recordings.formats._openai import operation_of, told_error
from harness.recordings.plain import moment

NAME = "openai_jsonl"
_ASKED, _ANSWERED = ("request", "request_body", "body", "input"), ("response", "response_body", "output", "completion")
_TIMES = ("timestamp", "created_at", "time", "ts", "date")
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
        status, body = _answer(table, answered)
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
            response_headers={} if body is None else {"content-type": "application/json"},
            response_body=None if body is None else json_bytes(body),
            latency_s=_latency(table),
            request_id=identity if isinstance(identity, str) else None,
            provenance=Provenance(
                captured_at=moment(said if said is not None else _created(body)),
                origin=origin,
                flags=(gaps.NOT_WIRE_BYTES,) if body is not None else (gaps.NO_ANSWER, gaps.NOT_WIRE_BYTES),
            ),
        )
        names = (recording.request_id,) if recording.request_id else ()
        return Record(recording=recording, document=partial(document, line), labels=names)


def _halves(table: dict[str, Any]) -> tuple[dict[str, Any] | None, Any]:
    """What was asked and what was answered; None for what is not there."""
    answered = _first(table, _ANSWERED)
    for name in _ASKED:
        if isinstance(asked := table.get(name), dict) and operation_of(asked, None):
            return asked, answered
    if isinstance(table.get("messages"), list):
        messages = table["messages"]
        last = messages[-1] if messages else None
        own = {key: value for key, value in table.items() if key not in (*_ANSWERED, *_TIMES, *_IDS)}
        if answered is None and isinstance(last, dict) and last.get("role") == "assistant":
            return own | {"messages": messages[:-1]}, _completion(last)
        return own, answered
    if operation_of(table, None):
        return {key: value for key, value in table.items() if key not in _ANSWERED}, answered
    return None, answered


def _completion(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message of a fine-tuning set as the API would have given it; the set keeps no more of it."""
    stop = "tool_calls" if message.get("tool_calls") else "stop"
    return {"object": "chat.completion", "choices": [{"index": 0, "message": dict(message), "finish_reason": stop}]}


def _answer(table: Mapping[str, Any], answered: Any) -> tuple[int | None, Any]:
    """Status and body; a text alone is a message, an error a refused call."""
    status = table.get("status_code", table.get("status"))
    status = status if isinstance(status, int) and 100 <= status < 600 else None
    if isinstance(answered, dict) and "body" in answered:  # a line of a batch file
        inner = answered.get("status_code")
        return inner if isinstance(inner, int) else status, answered["body"]
    if answered is None and table.get("error"):
        return told_error(table["error"], status)
    if isinstance(answered, str):
        answered = _completion({"role": "assistant", "content": answered})
    if isinstance(answered, dict) and answered.get("role") == "assistant":
        answered = _completion(answered)
    return status or (None if answered is None else 200), answered


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
