"""What a case asks and how it was answered, as plain JSON: the form in which a golden set is shown and compared."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec

from harness.core.call import Answer, CallFailure, Outcome, Tokens
from harness.core.case import Recording, Request, Task
from harness.core.output import Chat, Embedding, Filter, Images, Output, Scores, ToolCall, kind
from harness.errors import CodecError, UnknownName
from harness.recordings.lines import StoredCase
from harness.run.recorded import codec_of, recorded

COUNTS = ("input", "output", "cache_read", "cache_write")
# Of an outcome, what one call differs in from the same answer given again.
_OF_THE_CALL = ("tokens", "latency_ms", "message")


def shown(case: StoredCase) -> dict[str, Any]:
    """One case as `parity golden show --json` prints it: every key, None where nothing is known."""
    recording, provenance = case.recording, case.recording.provenance
    origin = provenance.origin
    return {
        "case": case.id,
        "from": {
            "format": origin.format if origin else None,
            "path": origin.path if origin else None,
            "index": origin.index if origin else None,
            "line": origin.line if origin else None,
            "request_id": recording.request_id,
        },
        "service": recording.service,
        "operation": recording.operation,
        "model": recording.model,
        "region": recording.region,
        "captured_at": provenance.captured_at.isoformat() if provenance.captured_at else None,
        "duplicate_of": case.duplicate_of,
        "repeat_of": case.repeat_of,
        "flags": list(provenance.flags),
        "redacted": provenance.redacted,
        "request": asked(recording),
        "outcome": answered(recording),
    }


def asked(recording: Recording) -> dict[str, Any] | None:
    """The neutral request; None where the service's codec cannot read it, or there is none for the service."""
    request = request_of(recording)
    if request is None:
        return None
    return {"task": request.task.value, "payload": request.payload, "params": dict(request.params)}


def request_of(recording: Recording) -> Request | None:
    """The neutral request itself, or None."""
    try:
        return codec_of(recording.service).read_request(recording)
    except (CodecError, UnknownName, RecursionError):
        return None


def answered(recording: Recording) -> dict[str, Any] | None:
    """How it was answered; None where the answer was not kept."""
    try:
        outcome = recorded(recording)
    except (UnknownName, RecursionError) as exc:
        return _failure("unreadable", recording.status, None, f"cannot be read here ({type(exc).__name__})")
    return None if outcome is None else told(outcome, recording)


def told(outcome: Outcome, recording: Recording) -> dict[str, Any]:
    """An outcome as JSON; counts that the log kept stand in for those that the answer lacks."""
    if isinstance(outcome, CallFailure):
        return _failure(outcome.kind.value, outcome.status or recording.status, outcome.code, outcome.message)
    return _output(outcome.output) | {
        "tokens": _tokens(outcome, recording.tokens),
        "latency_ms": None if outcome.latency_s is None else round(1000 * outcome.latency_s, 6),
    }


def request_key(recording: Recording) -> int:
    """Equal for calls that ask the same of the same model, in (0, 2**64). By the neutral request, else by the bytes."""
    return request_key_of(recording, asked(recording))


def request_key_of(recording: Recording, neutral: dict[str, Any] | None) -> int:
    """The same where the neutral request is at hand; None: the codec cannot read it."""
    what = _canonical(neutral) if neutral is not None else recording.request_body
    return _hash(f"{recording.service}\0{recording.operation}\0{recording.model}\0".encode() + what)


def rough_key(service: str, operation: str, model: str | None, gist: str) -> int:
    """Equal for calls that `request_key` is equal for, and for few others, within one process and its children; in
    [-2**63, 2**63).

    gist: `gist_of` the request, or what the codec tells without reading it (`protocols.Gists`).
    """
    return hash((service, operation, model, gist))


def gist_of(recording: Recording, neutral: dict[str, Any] | None) -> str:
    """The text that `protocols.Gists` speaks of; of any other request all of it."""
    if neutral is None:
        return recording.request_body.decode("latin-1")
    payload = neutral["payload"]
    if neutral["task"] == Task.TABULAR and "rows" in payload:
        with suppress(TypeError):  # a cell that is no text
            return "\n".join(",".join(row) for row in payload["rows"])
    if neutral["task"] == Task.CHAT and "messages" in payload:
        parts = [part for message in payload["messages"] for part in message["content"]]
        return "\n".join(part["text"] for part in parts if part["type"] == "text")
    return _canonical(payload).decode()


def answer_key(recording: Recording, request: int) -> int:
    """Equal for calls of one request that were answered alike, in (0, 2**64); ids, times and counts do not matter.

    Answers that cannot be read are alike where their bytes are.
    """
    outcome = answered(recording)
    if outcome is not None and outcome.get("failure") == "unreadable":
        return _hash(f"{request}\0{recording.status}\0".encode() + (recording.response_body or b""))
    what = None if outcome is None else {key: said for key, said in outcome.items() if key not in _OF_THE_CALL}
    return _hash(f"{request}\0".encode() + _canonical(what))


def _hash(content: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "big") or 1


def _canonical(value: Any) -> bytes:
    try:
        return msgspec.json.encode(value, order="sorted")
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can say and UTF-8 cannot
        return json.dumps(value, sort_keys=True).encode()


def _output(output: Output) -> dict[str, Any]:
    word = {"kind": kind(output)}
    match output:
        case Chat():
            return word | {
                "text": output.text,
                "tool_calls": [_call(call) for call in output.tool_calls],
                "server_tool_calls": [_call(call) for call in output.server_tool_calls],
                "reasoning": output.reasoning,
                "value": output.value,
                "refusal": output.refusal,
                "filter": None if output.filter is None else _filter(output.filter),
                "stop": output.stop.value,
                "stop_raw": output.stop_raw,
            }
        case Scores():
            values = [[_number(cell) for cell in row] for row in output.values.tolist()]
            return word | {"columns": list(output.columns), "values": values}
        case Embedding():
            return word | {"vectors": [[_number(cell) for cell in row] for row in output.vectors.tolist()]}
        case Images():
            digests = [hashlib.sha256(image).hexdigest() for image in output.images]
            return word | {"sha256": digests, "filtered": output.filtered, "revised_prompt": output.revised_prompt}
        case _:
            return word | {"text": str(output)}


def _call(call: ToolCall) -> dict[str, Any]:
    """arguments: their text, where they are no JSON."""
    return {"name": call.name, "arguments": call.arguments if call.raw is None else call.raw}


def _filter(said: Filter) -> dict[str, Any]:
    return {
        "blocked": said.blocked,
        "where": said.where,
        "masked": said.masked,
        "categories": dict(said.categories),
    }


def _tokens(answer: Answer, logged: Mapping[str, int]) -> dict[str, int | None]:
    counted = answer.tokens or Tokens()
    return {name: _either(getattr(counted, name), logged.get(name)) for name in COUNTS}


def _either(first: int | None, second: int | None) -> int | None:
    return second if first is None else first


def _number(value: float) -> float | str:
    """JSON has no word for NaN and the infinities; they are numbers that came, so they are told as text."""
    return value if math.isfinite(value) else str(value)


def _failure(failure: str, status: int | None, code: str | None, message: str) -> dict[str, Any]:
    return {"kind": "failure", "failure": failure, "status": status, "code": code, "message": message}


def line(case: StoredCase) -> str:
    """One case for a terminal: what it is and how it ended, without its texts."""
    recording, outcome = case.recording, answered(case.recording)
    ended = "answer not kept" if outcome is None else outcome["kind"]
    if outcome is not None and outcome["kind"] == "failure":
        ended = f"failure: {outcome['failure']}"
    link = f"repeat of {case.repeat_of}" if case.repeat_of else ""
    link = f"duplicate of {case.duplicate_of}" if case.duplicate_of else link
    parts = [case.id, f"{recording.service} {recording.operation}", recording.model or "-", ended, link]
    return "  ".join(part for part in (*parts, " ".join(recording.provenance.flags)) if part)


def has_nulls(recording: Recording) -> bool:
    """Whether a row of the request has a cell that says nothing: null, NaN, or an empty text."""
    request = request_of(recording)
    rows = request.payload.get("rows") if request is not None and isinstance(request.payload, dict) else None
    cells = [cell for row in rows if isinstance(row, list) for cell in row] if isinstance(rows, list) else []
    return any(
        cell is None or (isinstance(cell, str) and cell.strip().lower() in ("", "nan", "null")) for cell in cells
    )
