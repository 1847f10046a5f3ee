"""A chat request in no vendor's own words, and the closed list of what translation may lose.

`Request.payload` of task "chat" is `Conversation.to_payload()`: what is asked. `Request.params` says how it is to be
answered, under the names of PARAMS. Both are JSON, so that they can be stored, printed and hashed; codecs and pairs
work on the classes below. `Conversation.of(request)` and `conversation.request(params)` go there and back unchanged.

Other payloads: task "embedding" {"texts": [str], "images": [base64]}; task "image" {"prompt": str, "negative_prompt":
str | None, "image": base64 | None}. A payload {"body": Json} is a body that the application's own request builder made
and is sent as it is.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias

from harness.core.case import Json, Request, Task
from harness.errors import UnencodableRequest

# name -> what its value is. Whatever a service takes that has no name here travels in "extra" under the service's own.
PARAMS: Mapping[str, str] = MappingProxyType(
    {
        "model": "the model as it was called on the side that the request is for: id, ARN, profile or deployment",
        "stream": "true where the answer comes in pieces",
        "max_tokens": "limit on output tokens, a whole number; reasoning tokens count where the model has them",
        "temperature": "number",
        "top_p": "number in [0, 1]",
        "top_k": "whole number",
        "min_p": "number in [0, 1]",
        "stop": "list of texts that end the answer",
        "seed": "whole number",
        "n": "how many answers",
        "presence_penalty": "number",
        "frequency_penalty": "number",
        "repetition_penalty": "number, or an object where the service scales by kind of token",
        "logit_bias": "object, token id -> bias",
        "logprobs": "true where log probabilities are wanted",
        "top_logprobs": "how many a token",
        "reasoning": '{"effort": word} | {"budget_tokens": n} | {"adaptive": true} | {"enabled": false}',
        "verbosity": "word",
        "parallel_tool_calls": "whether several tools may be called at once",
        "service_tier": "word",
        "latency": '"standard" | "optimized"',
        "guardrail": '{"id", "version", "trace", "stream_mode"}',
        "cache_key": "text that requests with one prefix share",
        "metadata": "object of texts",
        "user": "who asks, in the application's words",
        "store": "whether the service may keep the answer",
        "prompt_form": "how a single prompt text was built from the conversation: llama3, llama2, mistral, claude2, "
        "titan, deepseek, raw",
        "dimensions": "length of an embedding",
        "input_type": "what an embedding is for: search_document, search_query, classification, clustering",
        "normalize": "whether embeddings have unit length",
        "truncate": "which end of a text too long is cut: start, end, none",
        "encoding": "of vectors on the wire: list of float, int8, uint8, binary, ubinary, base64",
        "size": '"WIDTHxHEIGHT" of an image',
        "aspect_ratio": '"W:H" of an image',
        "quality": "word",
        "style": "word",
        "steps": "whole number of diffusion steps",
        "guidance": "number: how closely an image follows its prompt",
        "strength": "number in [0, 1]: how far an image may leave the one it starts from",
        "image_format": "of an image on the wire: png, jpeg, webp",
        "api": "form of the target's API: chat, responses, messages, converse, invoke, ...",
        "extra": "object: fields of the service that have no name here, under its own names",
    }
)

# Where a departure may lie: every param, and the parts of a conversation.
FIELDS = frozenset(PARAMS) | {
    "system",
    "message_order",
    "message_name",
    "prefill",
    "image",
    "document",
    "audio",
    "video",
    "search_result",
    "guard_content",
    "citations",
    "reasoning_content",
    "cache_point",
    "tools",
    "tool_choice",
    "tool_schema",
    "tool_call",
    "tool_result",
    "response_format",
    "context_length",
    "prompt_template",
    "negative_prompt",
}


@dataclass(frozen=True, slots=True)
class Text:
    """Plain text."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture: `data` (bytes) or `url`, one of them. media_type: "image/png"; None where a URL does not tell."""

    media_type: str | None = None
    data: bytes | None = None
    url: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A document, sound or film. kind: "document" | "audio" | "video". format: pdf, csv, docx, md, wav, mp4, ...

    data, text or url: one of them. citations: whether the answer is to cite it. context: what it is for.
    """

    kind: str
    format: str
    name: str | None = None
    data: bytes | None = None
    text: str | None = None
    url: str | None = None
    citations: bool = False
    context: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A tool call in an assistant's turn; `arguments` is any JSON. raw: its text, where it was no JSON."""

    id: str | None
    name: str
    arguments: Json
    raw: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a tool gave back. content: Text, Image, File or Value parts. error: the tool failed."""

    id: str | None
    content: tuple[Part, ...]
    error: bool = False
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Value:
    """JSON as a part of its own (a tool result)."""

    value: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasoning:
    """Thinking of an earlier turn, sent back. `redacted`: opaque data in place of text."""

    text: str | None = None
    signature: str | None = None
    redacted: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CachePoint:
    """Everything before it may be cached. ttl: "5m", "1h", None for the service's own."""

    ttl: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """A block that has no neutral form. field: which of FIELDS it belongs to. value: as the service writes it."""

    field: str
    value: Json


Part: TypeAlias = Text | Image | File | Call | Result | Value | Reasoning | CachePoint | Foreign


@dataclass(frozen=True, slots=True)
class Message:
    """One turn. role: "user" | "assistant"; a tool's result stands in a user's turn. name: who speaks, if told."""

    role: str
    content: tuple[Part, ...]
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool that may be called. schema: JSON Schema of the arguments. cache: a cache point follows it."""

    name: str
    description: str | None = None
    schema: Mapping[str, Json] = field(default_factory=dict)
    strict: bool | None = None
    cache: bool = False


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """kind: auto | any (one must be called) | none | tool (the one named)."""

    kind: str
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """How the answer is to be written. kind: text | json | schema."""

    kind: str
    name: str | None = None
    description: str | None = None
    schema: Mapping[str, Json] | None = None
    strict: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """What is asked: system text, turns, tools, and the form of the answer."""

    messages: tuple[Message, ...]
    system: tuple[Part, ...] = ()
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    format: Format | None = None

    @classmethod
    def of(cls, request: Request) -> Conversation:
        """The conversation of a request of task "chat". Raises UnencodableRequest where its payload is none."""
        payload = request.payload
        if request.task is not Task.CHAT or not isinstance(payload, dict) or "messages" not in payload:
            raise UnencodableRequest(f'the payload of task "{request.task}" is no conversation.')
        try:
            return _conversation(payload)
        except (KeyError, TypeError, ValueError, binascii.Error) as exc:
            raise UnencodableRequest(f"the conversation is malformed ({type(exc).__name__}: {exc}).") from exc

    def to_payload(self) -> dict[str, Json]:
        """JSON; keys that say nothing are left out."""
        payload: dict[str, Any] = {}
        if self.system:
            payload["system"] = [_part_out(part) for part in self.system]
        payload["messages"] = [_message_out(message) for message in self.messages]
        if self.tools:
            payload["tools"] = [_said(tool, "name", "description", "schema", "strict", "cache") for tool in self.tools]
        if self.tool_choice is not None:
            payload["tool_choice"] = _said(self.tool_choice, "kind", "name")
        if self.format is not None:
            payload["format"] = _said(self.format, "kind", "name", "description", "schema", "strict")
        return payload

    def request(self, params: Mapping[str, Json]) -> Request:
        """As a request. `params` uses the names of PARAMS; a name that is none raises ValueError."""
        unknown = sorted(set(params) - set(PARAMS))
        if unknown:
            raise ValueError(f"not names of PARAMS: {', '.join(unknown)}")
        return Request(Task.CHAT, self.to_payload(), params)


def text_of(parts: tuple[Part, ...]) -> str:
    """The text parts, one a paragraph."""
    return "\n\n".join(part.text for part in parts if isinstance(part, Text))


def question(request: Request) -> str:
    """What the user asked last, in plain text; "" for a request that is no conversation."""
    if request.task is not Task.CHAT or not isinstance(request.payload, dict) or "messages" not in request.payload:
        return ""
    asked = [message for message in Conversation.of(request).messages if message.role == "user"]
    return text_of(asked[-1].content) if asked else ""


def _message_out(message: Message) -> dict[str, Any]:
    table: dict[str, Any] = {"role": message.role, "content": [_part_out(part) for part in message.content]}
    return table if message.name is None else {**table, "name": message.name}


def _part_out(part: Part) -> dict[str, Any]:
    match part:
        case Text():
            return {"type": "text", "text": part.text}
        case Image():
            return {"type": "image", **_said(part, "media_type", "data", "url", "detail")}
        case File():
            names = ("kind", "format", "name", "data", "text", "url", "citations", "context")
            return {"type": "file", **_said(part, *names)}
        case Call():
            return {"type": "tool_call", **_said(part, "id", "name", "raw"), "arguments": part.arguments}
        case Result():
            content = [_part_out(inner) for inner in part.content]
            return {"type": "tool_result", **_said(part, "id", "name", "error"), "content": content}
        case Value():
            return {"type": "value", "value": part.value}
        case Reasoning():
            return {"type": "reasoning", **_said(part, "text", "signature", "redacted")}
        case CachePoint():
            return {"type": "cache_point", **_said(part, "ttl")}
        case Foreign():
            return {"type": "foreign", "field": part.field, "value": part.value}


def _said(of: Any, *names: str) -> dict[str, Any]:
    """Attributes that say something: neither None nor False; bytes as base64. `strict` is said when it is False."""
    table = {}
    for name in names:
        value = getattr(of, name)
        if value is None or (value is False and name != "strict"):
            continue
        table[name] = base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else value
    return {name: dict(value) if isinstance(value, Mapping) else value for name, value in table.items()}


def _conversation(payload: dict[str, Any]) -> Conversation:
    choice, form = payload.get("tool_choice"), payload.get("format")
    return Conversation(
        system=_parts(payload.get("system", ())),
        messages=tuple(
            Message(table["role"], _parts(table["content"]), table.get("name")) for table in payload["messages"]
        ),
        tools=tuple(Tool(**table) for table in payload.get("tools", ())),
        tool_choice=None if choice is None else ToolChoice(**choice),
        format=None if form is None else Format(**form),
    )


def _parts(tables: Any) -> tuple[Part, ...]:
    return tuple(_part(table) for table in tables)


def _part(table: dict[str, Any]) -> Part:
    words = {name: value for name, value in table.items() if name != "type"}
    if "data" in words:
        words["data"] = base64.b64decode(words["data"], validate=True)
    match table["type"]:
        case "text":
            return Text(**words)
        case "image":
            return Image(**words)
        case "file":
            return File(**words)
        case "tool_call":
            return Call(**{"id": None, **words})
        case "tool_result":
            return Result(**{"id": None, **words, "content": _parts(words["content"])})
        case "value":
            return Value(**words)
        case "reasoning":
            return Reasoning(**words)
        case "cache_point":
            return CachePoint(**words)
        case "foreign":
            return Foreign(**words)
        case other:
            raise ValueError(f'a part of type "{other}"')
