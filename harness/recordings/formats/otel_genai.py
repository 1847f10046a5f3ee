"""OpenTelemetry spans of model calls, as the GenAI semantic conventions name them: OTLP in JSON, or a span a line.

A span that holds its messages (`gen_ai.input.messages`, `gen_ai.output.messages`, or the numbered `gen_ai.prompt.0.*`
and `gen_ai.completion.0.*` of earlier instrumentations) becomes a call of OpenAI's chat form, or of Converse where the
provider is Amazon Bedrock. A span without content cannot be replayed: capture of content is off by default. A span
that ended in an error (`error.type`, its status, a finish reason `error`) is a failed call, whatever came before the
end; its HTTP status is the one that it says, if any. Parts that are neither text nor tools, tools that were called and
not told, and attributes that the tracer dropped leave the case `truncated`.

Source: OpenTelemetry semantic conventions, "Generative AI spans" 1.37; OTLP 1.7, trace.proto.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from harness.core.case import Json, Origin, Provenance, Recording
from harness.recordings import gaps
from harness.recordings.formats import Found, Log, Record, Reject, Skip, case_id
from harness.recordings.formats._genai import Message, messages, table, tabled, tools
from harness.recordings.formats._json import UNREADABLE, document, json_bytes, records, refused
from harness.recordings.formats._openai import status_in
from harness.recordings.plain import moment

NAME = "otel_genai"
CHAT = ("chat", "text_completion", "generate_content", "")
BEDROCK = ("aws.bedrock", "aws_bedrock", "AWS", "bedrock")
# attribute of a span -> key of OpenAI's chat body, key of Converse's inferenceConfig
_PARAMS = {
    "max_tokens": ("max_tokens", "maxTokens"),
    "temperature": ("temperature", "temperature"),
    "top_p": ("top_p", "topP"),
    "stop_sequences": ("stop", "stopSequences"),
    "seed": ("seed", None),
    "frequency_penalty": ("frequency_penalty", None),
    "presence_penalty": ("presence_penalty", None),
}
_STOPS = {"tool_call": "tool_calls", "end_turn": "stop", "max_tokens": "length", "tool_use": "tool_calls"}
_ERRORS = (
    2,
    "2",
    "STATUS_CODE_ERROR",
    "ERROR",
    "Error",
    "error",
    "StatusCode.ERROR",
)  # trace.proto, and SDKs' own words
_WORD = re.compile(r"[\w.#-]{1,100}", re.ASCII)
_CONVERSE = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "tool_call": "tool_use"}


def build() -> OtelGenAi:
    return OtelGenAi()


@dataclass(frozen=True, slots=True)
class OtelGenAi:
    """The format."""

    name: str = NAME
    service: str = "azure_openai"
    operation: str = "chat.completions"
    sampled: bool = True  # by the tracer's sampler, which no span says

    def read(self, log: Log) -> Iterator[Found]:
        """One `Found` a span; a line of OTLP may hold many, and the index counts spans."""
        for file in log:
            index = 0
            for item in records(file, self.name):
                if isinstance(item, Reject):
                    place = item.origin
                    yield Reject(_at(place, index), item.reason)
                    index += 1
                    continue
                for found in _spans(item[1]):
                    place = _at(item[0], index)
                    yield Reject(place, found) if isinstance(found, str) else _found(place, found)
                    index += 1


def _at(origin: Origin, index: int) -> Origin:
    return Origin(format=origin.format, path=origin.path, index=index, line=origin.line)


def _spans(line: bytes) -> Iterator[dict[str, Any] | str]:
    """The spans of a line with their attributes as plain values, or why there are none."""
    try:
        table = document(line)
    except UNREADABLE as exc:
        yield refused(exc)
        return
    if not isinstance(table, dict):
        yield "not an object"
    elif "resourceSpans" in table:
        for resource in _inner(table, "resourceSpans"):
            for scope in _inner(resource, "scopeSpans", "instrumentationLibrarySpans"):
                for span in _inner(scope, "spans"):
                    yield span if isinstance(span, str) else {**span, "attributes": _plain(span.get("attributes"))}
    elif isinstance(table.get("attributes"), dict | list):
        yield {**table, "attributes": _plain(table["attributes"])}
    else:
        yield "no span: it has no attributes"


def _inner(table: dict[str, Any] | str, *names: str) -> Iterator[dict[str, Any] | str]:
    """The objects of a list in OTLP, under one of its names; why there are none, and what was wrong further out."""
    if isinstance(table, str):
        yield table
        return
    listed: Any = next((table[name] for name in names if name in table), [])
    if not isinstance(listed, list):
        yield f"{names[0]} is no list"
        return
    for one in listed:
        yield one if isinstance(one, dict) else f"an entry of {names[0]} is no object"


def _list(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _plain(attributes: Any) -> dict[str, Any]:
    """OTLP's list of {"key", "value": {"stringValue": ...}} as an object; an object stays."""
    if isinstance(attributes, dict):
        return attributes
    return {str(one.get("key")): _value(one.get("value")) for one in _list(attributes)}


def _value(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if "arrayValue" in value:
        inner = value["arrayValue"]
        return [_value(one) for one in _list(inner.get("values"))] if isinstance(inner, dict) else []
    if "kvlistValue" in value:
        return _plain(table(value["kvlistValue"]).get("values"))
    if "intValue" in value:
        text = str(value["intValue"])
        return int(text) if text.lstrip("-").isdecimal() and len(text) < 20 else None
    return next((value[name] for name in ("stringValue", "doubleValue", "boolValue") if name in value), None)


def _found(origin: Origin, span: dict[str, Any]) -> Found:
    said = span["attributes"]
    operation = str(said.get("gen_ai.operation.name", ""))
    if not any(name.startswith("gen_ai.") for name in said):
        return Skip(origin, "a span of something else")
    if operation not in CHAT:
        return Skip(origin, operation if operation.replace("_", "").isalpha() else "another operation")
    asked, answered = messages(said, "input"), messages(said, "output")
    if not asked:
        return Skip(origin, "the content was not captured", no_request=True)
    bedrock = str(said.get("gen_ai.provider.name", said.get("gen_ai.system", ""))) in BEDROCK
    offered = tools(said)
    request = (_converse_request if bedrock else _openai_request)(said, asked, offered)
    failed = _failure(span, answered)
    status, headers, body = _answer(said, answered, failed, bedrock=bedrock)
    called = any(one.calls for one in (*asked, *answered)) and not offered
    whole = all(one.whole for one in (*asked, *answered[:1])) and not called and not span.get("droppedAttributesCount")
    flags = {gaps.NOT_WIRE_BYTES: True, gaps.NO_ANSWER: body is None, gaps.TRUNCATED: not whole}
    model = said.get("gen_ai.request.model")
    began, ended = _time(span, "start"), _time(span, "end")
    took = (ended - began).total_seconds() if began is not None and ended is not None else -1.0
    identity = said.get("gen_ai.response.id", span.get("spanId"))
    recording = Recording(
        id=case_id(origin),
        service="bedrock" if bedrock else "azure_openai",
        operation="Converse" if bedrock else "chat.completions",
        model=model if isinstance(model, str) else None,
        request_headers={"content-type": "application/json"},
        request_body=json_bytes(request),
        status=status,
        response_headers=headers,
        response_body=None if body is None else json_bytes(body),
        latency_s=took if took >= 0 else None,
        request_id=identity if isinstance(identity, str) else None,
        tokens=_tokens(said),
        provenance=Provenance(
            captured_at=began,
            origin=origin,
            flags=tuple(sorted(word for word, there in flags.items() if there)),
        ),
    )
    return Record(recording=recording, document=partial(_as_json, span), failed=failed is not None)


def _as_json(span: dict[str, Any]) -> Json:
    return span


def _openai_request(said: Mapping[str, Any], asked: list[Message], offered: list[dict[str, Any]]) -> dict[str, Any]:
    params = {theirs: said[name] for name, (theirs, _) in _asked(said) if theirs}
    listed = [{"type": "function", "function": one} for one in offered]
    return {"messages": [turn for one in asked for turn in _openai_messages(one)], **params} | (
        {"tools": listed} if listed else {}
    )


def _asked(said: Mapping[str, Any]) -> list[tuple[str, tuple[str | None, str | None]]]:
    return [(f"gen_ai.request.{word}", names) for word, names in _PARAMS.items() if f"gen_ai.request.{word}" in said]


def _openai_messages(message: Message) -> Iterator[dict[str, Any]]:
    for result in message.results:
        response = result.get("response")
        text = response if isinstance(response, str) else json_bytes(response).decode()
        yield {"role": "tool", "tool_call_id": str(result.get("id", "")), "content": text}
    if message.text or message.calls or not message.results:
        yield _openai_message(message)


def _openai_message(message: Message) -> dict[str, Any]:
    turn: dict[str, Any] = {"role": message.role, "content": message.text or None}
    calls = [
        {
            "id": str(one.get("id", "")),
            "type": "function",
            "function": {"name": str(one.get("name", "")), "arguments": _arguments(one.get("arguments"))},
        }
        for one in message.calls
    ]
    return turn | ({"tool_calls": calls} if calls else {})


def _arguments(value: Any) -> str:
    return value if isinstance(value, str) else json_bytes(value if value is not None else {}).decode()


def _converse_request(said: Mapping[str, Any], asked: list[Message], offered: list[dict[str, Any]]) -> dict[str, Any]:
    system = [{"text": one.text} for one in asked if one.role == "system"]
    config = {own: said[name] for name, (_, own) in _asked(said) if own}
    specs = [
        {
            "toolSpec": {
                **{key: one[key] for key in one if key != "parameters"},
                "inputSchema": {"json": one["parameters"]},
            }
        }
        for one in offered
    ]
    body: dict[str, Any] = {"messages": [_converse_message(one) for one in asked if one.role != "system"]}
    body |= {"system": system} if system else {}
    body |= {"inferenceConfig": config} if config else {}
    return body | ({"toolConfig": {"tools": specs}} if specs else {})


def _converse_message(message: Message) -> dict[str, Any]:
    content: list[dict[str, Any]] = [{"text": message.text}] if message.text else []
    for one in message.calls:
        arguments = one.get("arguments")
        given = tabled(arguments) or arguments or {}
        called = {"toolUseId": str(one.get("id", "")), "name": str(one.get("name", "")), "input": given}
        content.append({"toolUse": called})
    for one in message.results:
        response = one.get("response")
        told = {"text": response} if isinstance(response, str) else {"json": response}
        content.append({"toolResult": {"toolUseId": str(one.get("id", "")), "content": [told]}})
    role = "assistant" if message.role == "assistant" else "user"
    return {"role": role, "content": content}


def _failure(span: Mapping[str, Any], answered: list[Message]) -> str | None:
    """The word for what a call failed of; None where it did not fail."""
    kind = span["attributes"].get("error.type")
    if kind not in (None, ""):
        return str(kind)
    status = span.get("status", span.get("status_code"))
    code = table(status).get("code", table(status).get("status_code")) if isinstance(status, dict) else status
    ended = answered[0].stop if answered else None
    stops = span["attributes"].get("gen_ai.response.finish_reasons")
    reasons = stops if isinstance(stops, list) else []
    return "error" if code in _ERRORS or "error" in (ended, *reasons[:1]) else None


def _answer(
    said: Mapping[str, Any], answered: list[Message], failed: str | None, *, bedrock: bool
) -> tuple[int | None, dict[str, str], Any]:
    """Status, headers and body. A failed call says its kind, as a number or a word, and has the body of its kind."""
    named = {"content-type": "application/json"}
    status = status_in(said.get("http.response.status_code"))
    if failed is not None:
        codes = (code for code in (status, status_in(failed)) if code is not None and code >= 400)
        if bedrock:
            return (
                next(codes, None),
                named | {"x-amzn-errortype": failed if _WORD.fullmatch(failed) else "error"},
                {"message": failed},
            )
        return next(codes, None), named, {"error": {"code": failed, "message": failed}}
    if not answered:
        return (status, named, {"message": str(status)}) if status is not None and status >= 400 else (status, {}, None)
    first = answered[0]
    stops = said.get("gen_ai.response.finish_reasons")
    reason = stops[0] if isinstance(stops, list) and stops else first.stop
    stop = str(reason) if reason is not None else ("tool_calls" if first.calls else "stop")
    if bedrock:
        usage = {"inputTokens": said.get("gen_ai.usage.input_tokens"), "outputTokens": said.get(_OUTPUT)}
        body: dict[str, Any] = {
            "output": {"message": {**_converse_message(first), "role": "assistant"}},
            "stopReason": _CONVERSE.get(stop, stop),
        }
        return status, named, body | ({"usage": usage} if None not in usage.values() else {})
    choice = {
        "index": 0,
        "message": _openai_message(replace(first, role="assistant")),
        "finish_reason": _STOPS.get(stop, stop),
    }
    served = said.get("gen_ai.response.model")
    return status, named, {"object": "chat.completion", "choices": [choice], **({"model": served} if served else {})}


_OUTPUT = "gen_ai.usage.output_tokens"


def _tokens(said: Mapping[str, Any]) -> dict[str, int]:
    names = {
        "input": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
        "output": (_OUTPUT, "gen_ai.usage.completion_tokens"),
    }
    counts = {name: next((said[key] for key in keys if key in said), None) for name, keys in names.items()}
    return {name: count for name, count in counts.items() if isinstance(count, int) and count >= 0}


def _time(span: Mapping[str, Any], which: str) -> datetime | None:
    nano = span.get(f"{which}TimeUnixNano")
    if nano is not None:
        text = str(nano)
        return moment(int(text) / 1e9) if text.isdecimal() and len(text) < 21 else None
    return moment(span.get(f"{which}_time", span.get(f"{which}Time")))
