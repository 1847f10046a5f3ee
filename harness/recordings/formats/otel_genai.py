"""OpenTelemetry spans of model calls, as the GenAI semantic conventions name them: OTLP in JSON, or a span a line.

A span that holds its messages (`gen_ai.input.messages`, `gen_ai.output.messages`, or the numbered `gen_ai.prompt.0.*`
and `gen_ai.completion.0.*` of earlier instrumentations) becomes a call of OpenAI's chat form, or of Converse where the
provider is Amazon Bedrock. A span without content cannot be replayed: capture of content is off by default.

Source: OpenTelemetry semantic conventions, "Generative AI spans" 1.37; OpenLLMetry, semantic conventions for LLMs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from harness.core.case import Json, Origin, Provenance, Recording
from harness.recordings import gaps
from harness.recordings.formats import Found, Log, Record, Reject, Skip, case_id
from harness.recordings.formats._json import UNREADABLE, document, json_bytes, records, refused
from harness.recordings.plain import moment

NAME = "otel_genai"
CHAT = ("chat", "text_completion", "generate_content", "")
BEDROCK = ("aws.bedrock", "aws_bedrock", "AWS", "bedrock")
_NUMBERED = re.compile(r"gen_ai\.(prompt|completion)\.(\d{1,4})\.(role|content|finish_reason)")
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
        for resource in _list(table["resourceSpans"]):
            for scope in _list(resource.get("scopeSpans")):
                for span in _list(scope.get("spans")):
                    yield {**span, "attributes": _plain(span.get("attributes"))}
    elif isinstance(table.get("attributes"), dict | list):
        yield {**table, "attributes": _plain(table["attributes"])}
    else:
        yield "no span: it has no attributes"


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
    asked, answered = _messages(said, "input"), _messages(said, "output")
    if not asked:
        return Skip(origin, "the content was not captured", no_request=True)
    bedrock = str(said.get("gen_ai.provider.name", said.get("gen_ai.system", ""))) in BEDROCK
    request = (_converse_request if bedrock else _openai_request)(said, asked)
    failed = said.get("error.type")
    status, body = _answer(said, answered, failed, bedrock=bedrock)
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
        response_headers={} if body is None else {"content-type": "application/json"},
        response_body=None if body is None else json_bytes(body),
        latency_s=took if took >= 0 else None,
        request_id=identity if isinstance(identity, str) else None,
        tokens=_tokens(said),
        provenance=Provenance(
            captured_at=began,
            origin=origin,
            flags=(gaps.NOT_WIRE_BYTES,) if body is not None else (gaps.NO_ANSWER, gaps.NOT_WIRE_BYTES),
        ),
    )
    return Record(recording=recording, document=partial(_as_json, span))


def _as_json(span: dict[str, Any]) -> Json:
    return span


def _messages(said: Mapping[str, Any], half: str) -> list[dict[str, Any]]:
    """Messages as {"role", "text", "calls": [...], "results": [...], "stop"}; the system's first."""
    current = _parsed(said.get(f"gen_ai.{half}.messages"))
    if current:
        system = _parsed(said.get("gen_ai.system_instructions")) if half == "input" else []
        head = [{"role": "system", "parts": system}] if system else []
        return [_message(one) for one in (*head, *current)]
    word = "prompt" if half == "input" else "completion"
    numbered: dict[int, dict[str, Any]] = {}
    for name, value in said.items():
        found = _NUMBERED.fullmatch(name)
        if found and found[1] == word:
            numbered.setdefault(int(found[2]), {})[found[3]] = value
    role = "user" if half == "input" else "assistant"
    return [
        {
            "role": str(one.get("role", role)),
            "text": str(one.get("content", "")),
            "calls": [],
            "results": [],
            "stop": one.get("finish_reason"),
        }
        for _, one in sorted(numbered.items())
    ]


def _parsed(value: Any) -> list[dict[str, Any]]:
    """A list of objects, given as such or as its JSON."""
    if isinstance(value, str):
        try:
            value = document(value.encode("utf-8", "replace"))
        except UNREADABLE:
            return []
    return _list(value)


def _message(table: Mapping[str, Any]) -> dict[str, Any]:
    parts = _list(table.get("parts"))
    texts = [str(one["content"]) for one in parts if one.get("type") == "text" and "content" in one]
    return {
        "role": str(table.get("role", "user")),
        "text": "".join(texts),
        "calls": [one for one in parts if one.get("type") == "tool_call"],
        "results": [one for one in parts if one.get("type") == "tool_call_response"],
        "stop": table.get("finish_reason"),
    }


def _openai_request(said: Mapping[str, Any], messages: list[dict[str, Any]]) -> dict[str, Any]:
    params = {theirs: said[name] for name, (theirs, _) in _asked(said) if theirs}
    return {"messages": [table for one in messages for table in _openai_messages(one)], **params}


def _asked(said: Mapping[str, Any]) -> list[tuple[str, tuple[str | None, str | None]]]:
    return [(f"gen_ai.request.{word}", names) for word, names in _PARAMS.items() if f"gen_ai.request.{word}" in said]


def _openai_messages(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for result in message["results"]:
        response = result.get("response", result.get("result"))
        text = response if isinstance(response, str) else json_bytes(response).decode()
        yield {"role": "tool", "tool_call_id": str(result.get("id", "")), "content": text}
    if message["text"] or message["calls"] or not message["results"]:
        yield _openai_message(message)


def _openai_message(message: dict[str, Any]) -> dict[str, Any]:
    table: dict[str, Any] = {"role": message["role"], "content": message["text"] or None}
    calls = [
        {
            "id": str(one.get("id", "")),
            "type": "function",
            "function": {"name": str(one.get("name", "")), "arguments": _arguments(one.get("arguments"))},
        }
        for one in message["calls"]
    ]
    return table | ({"tool_calls": calls} if calls else {})


def _arguments(value: Any) -> str:
    return value if isinstance(value, str) else json_bytes(value if value is not None else {}).decode()


def _converse_request(said: Mapping[str, Any], messages: list[dict[str, Any]]) -> dict[str, Any]:
    system = [{"text": one["text"]} for one in messages if one["role"] == "system"]
    turns = [_converse_message(one) for one in messages if one["role"] != "system"]
    config = {own: said[name] for name, (_, own) in _asked(said) if own}
    body: dict[str, Any] = {"messages": turns}
    return body | ({"system": system} if system else {}) | ({"inferenceConfig": config} if config else {})


def _converse_message(message: dict[str, Any]) -> dict[str, Any]:
    content: list[dict[str, Any]] = [{"text": message["text"]}] if message["text"] else []
    for one in message["calls"]:
        arguments = one.get("arguments")
        called = {"toolUseId": str(one.get("id", "")), "name": str(one.get("name", "")), "input": arguments or {}}
        content.append({"toolUse": called})
    for one in message["results"]:
        response = one.get("response", one.get("result"))
        told = {"text": response} if isinstance(response, str) else {"json": response}
        content.append({"toolResult": {"toolUseId": str(one.get("id", "")), "content": [told]}})
    role = "assistant" if message["role"] == "assistant" else "user"
    return {"role": role, "content": content}


def _answer(
    said: Mapping[str, Any], messages: list[dict[str, Any]], failed: Any, *, bedrock: bool
) -> tuple[int | None, Any]:
    """Status and body; a failed call says its kind, as a number or a word."""
    if failed is not None and not messages:
        status = said.get("http.response.status_code", failed)
        code = int(str(status)) if str(status).isdecimal() and 400 <= int(str(status)[:4]) < 600 else 500
        return code, {"message": str(failed)} if bedrock else {"error": {"code": str(failed), "message": str(failed)}}
    if not messages:
        return None, None
    stops = said.get("gen_ai.response.finish_reasons")
    first = stops[0] if isinstance(stops, list) and stops else messages[0]["stop"]
    stop = str(first) if first is not None else ("tool_calls" if messages[0]["calls"] else "stop")
    if bedrock:
        usage = {"inputTokens": said.get("gen_ai.usage.input_tokens"), "outputTokens": said.get(_OUTPUT)}
        body: dict[str, Any] = {
            "output": {"message": {**_converse_message(messages[0]), "role": "assistant"}},
            "stopReason": _CONVERSE.get(stop, stop),
        }
        return 200, body | ({"usage": usage} if None not in usage.values() else {})
    choice = {"index": 0, "message": _openai_message(messages[0]), "finish_reason": _STOPS.get(stop, stop)}
    served = said.get("gen_ai.response.model")
    return 200, {"object": "chat.completion", "choices": [choice], **({"model": served} if served else {})}


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
