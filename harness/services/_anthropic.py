"""Anthropic's Messages API: the body, which Bedrock (InvokeModel) and Foundry share, its answer and its stream.

What differs by cloud (`anthropic_version`, `model`, `stream`, headers) belongs to the services.
Source: Anthropic API reference, "Messages", "Streaming Messages"; wire contracts D.5, D.6, F.1.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from typing import Any

from harness.core.call import Reading, Tokens
from harness.core.case import Json
from harness.core.chat import (
    CachePoint,
    Call,
    Conversation,
    File,
    Foreign,
    Format,
    Image,
    Message,
    Part,
    Reasoning,
    Result,
    Text,
    Tool,
    ToolChoice,
)
from harness.core.output import Chat, StopReason, ToolCall
from harness.errors import CodecError, UnencodableRequest
from harness.services._chat import (
    NoAnswer,
    count,
    finished,
    nameless,
    objects,
    put,
    reading,
    table,
    take,
    text,
)

KIND = "Anthropic Messages"

NAMES = {
    "max_tokens": "max_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "stop": "stop_sequences",
    "user": "metadata.user_id",
    "service_tier": "service_tier",
}

STOPS = {
    "end_turn": StopReason.END,
    "max_tokens": StopReason.LENGTH,
    "model_context_window_exceeded": StopReason.LENGTH,
    "stop_sequence": StopReason.STOP_SEQUENCE,
    "tool_use": StopReason.TOOL,
    "refusal": StopReason.REFUSAL,
}

# block type -> which of FIELDS a block of it belongs to, where it has no neutral form
_FIELDS = {
    "text": "citations",
    "image": "image",
    "document": "document",
    "search_result": "search_result",
    "tool_use": "tool_call",
    "server_tool_use": "tool_call",
    "mcp_tool_use": "tool_call",
    "tool_result": "tool_result",
    "thinking": "reasoning_content",
    "redacted_thinking": "reasoning_content",
}


def read(body: dict[str, Any]) -> tuple[Conversation, dict[str, Json]]:
    """A Messages body as a conversation and params; `body` is used up. Raises CodecError where it is none."""
    messages = body.pop("messages", None)
    if not isinstance(messages, list):
        raise CodecError("the body has no list of messages")
    system = body.pop("system", None)
    params = take(body, NAMES)
    reasoning = take_reasoning(body)
    if reasoning is not None:
        params["reasoning"] = reasoning
    conversation = Conversation(
        messages=tuple(_message(one) for one in messages),
        system=() if system is None else _parts(system),
        tools=_take_tools(body),
        tool_choice=_take_choice(body, params),
        format=_take_format(body),
    )
    if body:
        params["extra"] = body
    return conversation, params


def write(conversation: Conversation, left: dict[str, Any]) -> dict[str, Any]:
    """The body. left: params, used up. Raises UnencodableRequest for what it cannot say."""
    nameless(conversation, KIND)
    body: dict[str, Any] = {}
    if conversation.system:
        blocks = _blocks(conversation.system)
        single = len(blocks) == 1 and blocks[0].keys() == {"type", "text"}
        body["system"] = blocks[0]["text"] if single else blocks
    body["messages"] = [_turn(message) for message in conversation.messages]
    put(body, left, NAMES)
    if "reasoning" in left:
        put_reasoning(body, left.pop("reasoning"))
    if conversation.tools:
        body["tools"] = [_tool_out(tool) for tool in conversation.tools]
    choice = _choice_out(conversation.tool_choice, left)
    if choice is not None:
        body["tool_choice"] = choice
    form = conversation.format
    if form is not None and form.kind != "text":
        if form.kind != "schema" or form.schema is None or form.name or form.description or form.strict is not None:
            raise UnencodableRequest(f"{KIND} asks for JSON by a schema alone, without a name, description or strict.")
        body.setdefault("output_config", {})["format"] = {"type": "json_schema", "schema": dict(form.schema)}
    return finished(body, left, KIND)


def take_reasoning(fields: dict[str, Any]) -> dict[str, Json] | None:
    """The neutral `reasoning` of `thinking` and `output_config.effort`, taken out of `fields`; None without any."""
    found: dict[str, Json] = {}
    match fields.get("thinking"):
        case {"type": "enabled", "budget_tokens": int(budget), **rest} if not rest:
            found = {"budget_tokens": budget}
        case {"type": "adaptive", **rest} if not rest:
            found = {"adaptive": True}
        case {"type": "disabled", **rest} if not rest:
            found = {"enabled": False}
    if found:
        del fields["thinking"]
    return {**found, **take(fields, {"effort": "output_config.effort"})} or None


def put_reasoning(fields: dict[str, Any], reasoning: Any) -> None:
    """The way back. Raises UnencodableRequest for a form that Anthropic has no words for."""
    match {name: value for name, value in table(reasoning).items() if name != "effort"}:
        case {"budget_tokens": budget, **rest} if not rest:
            fields["thinking"] = {"type": "enabled", "budget_tokens": budget}
        case {"adaptive": True, **rest} if not rest:
            fields["thinking"] = {"type": "adaptive"}
        case {"enabled": False, **rest} if not rest:
            fields["thinking"] = {"type": "disabled"}
        case other if other or not table(reasoning):
            raise UnencodableRequest(f"{KIND} has no words for reasoning of this form.")
    if "effort" in reasoning:
        fields.setdefault("output_config", {})["effort"] = reasoning["effort"]


def answer(body: dict[str, Any]) -> Reading:
    """A message as a reading. Missing usage, content or stop reason are borne; another type of object is not."""
    if body.get("type", "message") != "message" or not isinstance(body.get("content", []), list):
        raise NoAnswer("it is no message")
    blocks = objects(body.get("content"))
    stop = body.get("stop_reason")
    said = "".join(text(block.get("text")) for block in blocks if block.get("type") == "text")
    thought = [text(block.get("thinking")) for block in blocks if block.get("type") == "thinking"]
    chat = Chat(
        text=said,
        tool_calls=_calls(blocks, "tool_use"),
        server_tool_calls=_calls(blocks, "server_tool_use", "mcp_tool_use"),
        reasoning="".join(thought) or None,
        refusal=(said or "refusal") if stop == "refusal" else None,
        stop=stop_of(stop, STOPS),
        stop_raw=stop if isinstance(stop, str) else None,
    )
    return reading(chat, tokens(table(body.get("usage"))), body.get("model"))


def stop_of(word: object, stops: dict[str, StopReason]) -> StopReason:
    """The neutral stop reason of a service's word; OTHER for a word that is not known, or none."""
    return stops.get(word, StopReason.OTHER) if isinstance(word, str) else StopReason.OTHER


def tokens(usage: dict[str, Any]) -> Tokens:
    """Anthropic's counts: cache reads and writes lie outside `input_tokens`."""
    return Tokens(
        input=count(usage.get("input_tokens")),
        output=count(usage.get("output_tokens")),
        cache_read=count(usage.get("cache_read_input_tokens")),
        cache_write=count(usage.get("cache_creation_input_tokens")),
    )


def fold(events: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The message that a stream's events amount to, as far as they go. `stop_reason` is missing where it broke off."""
    message: dict[str, Any] = {"type": "message"}
    blocks: dict[Any, dict[str, Any]] = {}
    inputs: dict[Any, list[str]] = {}
    for event in events:
        index = str(event.get("index"))
        match event.get("type"):
            case "message_start":
                message.update(table(event.get("message")))
            case "content_block_start":
                blocks[index] = dict(table(event.get("content_block")))
            case "content_block_delta":
                delta = table(event.get("delta"))
                block = blocks.setdefault(index, {"type": _BLOCK_OF.get(text(delta.get("type")), "text")})
                if delta.get("type") == "input_json_delta":
                    inputs.setdefault(index, []).append(text(delta.get("partial_json")))
                for name in ("text", "thinking", "signature"):
                    if isinstance(delta.get(name), str):
                        block[name] = text(block.get(name)) + delta[name]
            case "message_delta":
                delta = {name: value for name, value in table(event.get("delta")).items() if value is not None}
                usage = {**table(message.get("usage")), **table(event.get("usage"))}
                message = {**message, **delta, "usage": usage}
    for index, pieces in inputs.items():
        blocks[index]["input"] = _arguments("".join(pieces), blocks[index])
    message["content"] = [*objects(message.get("content")), *blocks.values()]
    if message.get("stop_reason") is None:
        message.pop("stop_reason", None)
    return message


_BLOCK_OF = {"text_delta": "text", "input_json_delta": "tool_use", "thinking_delta": "thinking"}


class _Broken(str):
    """Arguments that are no JSON, kept as their text until they are read as a tool call."""


def _arguments(pieces: str, block: dict[str, Any]) -> Any:
    if not pieces.strip():
        return block.get("input", {})
    try:
        return json.loads(pieces)
    except (ValueError, RecursionError):
        return _Broken(pieces)


def _calls(blocks: list[dict[str, Any]], *types: str) -> tuple[ToolCall, ...]:
    return tuple(
        ToolCall(
            name=text(block.get("name")),
            arguments=None if isinstance(block.get("input"), _Broken) else block.get("input", {}),
            id=text(block.get("id")) or None,
            raw=str(block["input"]) if isinstance(block.get("input"), _Broken) else None,
        )
        for block in blocks
        if block.get("type") in types
    )


def _message(value: Any) -> Message:
    if (
        not isinstance(value, dict)
        or value.get("role") not in ("user", "assistant")
        or value.keys() - {"role", "content"}
    ):
        raise CodecError("a message has another role than user or assistant, or members that are not known")
    return Message(value["role"], _parts(value.get("content")))


def _parts(content: Any) -> tuple[Part, ...]:
    """Parts of a content: text or a list of blocks. A cache mark on a block becomes a cache point after it."""
    if isinstance(content, str):
        return (Text(content),)
    if not isinstance(content, list):
        raise CodecError("a content is neither text nor a list of blocks")
    parts: list[Part] = []
    for block in content:
        if not isinstance(block, dict):
            raise CodecError("a block of a content is no object")
        bare, mark = _unmarked(block)
        parts.append(_part(bare))
        if mark is not None:
            parts.append(mark)
    return tuple(parts)


def _unmarked(block: dict[str, Any]) -> tuple[dict[str, Any], CachePoint | None]:
    match block.get("cache_control"):
        case {"type": "ephemeral", **rest} if not rest or (rest.keys() == {"ttl"} and isinstance(rest["ttl"], str)):
            bare = {name: value for name, value in block.items() if name != "cache_control"}
            return bare, CachePoint(ttl=block["cache_control"].get("ttl"))
    return block, None


def _part(block: dict[str, Any]) -> Part:
    """The neutral part, where it says all that the block says; else the block as it is."""
    try:
        part = _read(block)
        if part is not None and _block(part) == _usual(block):
            return part
    except (KeyError, TypeError, ValueError, AttributeError, binascii.Error, CodecError):
        pass  # a member is missing, or is not what it is documented to be
    return Foreign(field=_FIELDS.get(text(block.get("type")), "extra"), value=block)


def _usual(block: dict[str, Any]) -> dict[str, Any]:
    """The block without members that say the default."""
    usual = {name: value for name, value in block.items() if (name, value) not in _DEFAULTS}
    if usual.get("type") == "tool_result":
        content = usual.get("content", [])
        usual["content"] = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return usual


_DEFAULTS: tuple[tuple[str, Any], ...] = (("is_error", False), ("citations", None), ("citations", {"enabled": False}))


def _read(block: dict[str, Any]) -> Part | None:
    source = table(block.get("source"))
    match block["type"]:
        case "text":
            return Text(block["text"])
        case "image" if source.get("type") == "base64":
            return Image(media_type=source["media_type"], data=base64.b64decode(source["data"], validate=True))
        case "image" if source.get("type") == "url":
            return Image(url=source["url"])
        case "document":
            return _read_document(block, source)
        case "tool_use":
            return Call(id=block["id"], name=block["name"], arguments=block["input"])
        case "tool_result":
            content = _parts(block.get("content", []))
            return Result(id=block["tool_use_id"], content=content, error=block.get("is_error") is True)
        case "thinking":
            return Reasoning(text=block["thinking"], signature=block.get("signature"))
        case "redacted_thinking":
            return Reasoning(redacted=block["data"])
    return None


def _read_document(block: dict[str, Any], source: dict[str, Any]) -> File | None:
    said: dict[str, Any] = {
        "kind": "document",
        "name": block.get("title"),
        "context": block.get("context"),
        "citations": table(block.get("citations")).get("enabled") is True,
    }
    match source.get("type"):
        case "base64" if source["media_type"] == "application/pdf":
            return File(format="pdf", data=base64.b64decode(source["data"], validate=True), **said)
        case "text" if source["media_type"] == "text/plain":
            return File(format="txt", text=source["data"], **said)
        case "url":
            return File(format="pdf", url=source["url"], **said)
    return None


def _turn(message: Message) -> dict[str, Any]:
    return {"role": message.role, "content": _blocks(message.content)}


def _blocks(parts: tuple[Part, ...]) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    for part in parts:
        if isinstance(part, CachePoint):
            if not blocks or "cache_control" in blocks[-1]:
                raise UnencodableRequest(f"{KIND} marks a block as the end of what is cached, and here is none.")
            mark = {"type": "ephemeral"} if part.ttl is None else {"type": "ephemeral", "ttl": part.ttl}
            blocks[-1] = {**blocks[-1], "cache_control": mark}
        else:
            blocks.append(_block(part))
    return blocks


def _block(part: Part) -> dict[str, Any]:
    match part:
        case Text():
            return {"type": "text", "text": part.text}
        case Image(detail=None, data=bytes(data), media_type=str(media_type)):
            coded = base64.b64encode(data).decode("ascii")
            return {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": coded}}
        case Image(detail=None, url=str(url)):
            return {"type": "image", "source": {"type": "url", "url": url}}
        case File(kind="document"):
            return _document(part)
        case Call(id=str(), raw=None):
            return {"type": "tool_use", "id": part.id, "name": part.name, "input": part.arguments}
        case Result(id=str(), name=None):
            block = {"type": "tool_result", "tool_use_id": part.id, "content": _blocks(part.content)}
            return {**block, "is_error": True} if part.error else block
        case Reasoning(redacted=str(data)):
            return {"type": "redacted_thinking", "data": data}
        case Reasoning(text=str(thought)):
            block = {"type": "thinking", "thinking": thought}
            return block if part.signature is None else {**block, "signature": part.signature}
        case Foreign(value=dict(value)):
            return value
    raise UnencodableRequest(f"{KIND} has no block for a part of this form ({type(part).__name__}).")


def _document(part: File) -> dict[str, Any]:
    match part:
        case File(format="pdf", data=bytes(data)):
            coded = base64.b64encode(data).decode("ascii")
            source = {"type": "base64", "media_type": "application/pdf", "data": coded}
        case File(format="pdf", url=str(url)):
            source = {"type": "url", "url": url}
        case File(format="txt", text=str(said)):
            source = {"type": "text", "media_type": "text/plain", "data": said}
        case _:
            raise UnencodableRequest(f'{KIND} takes PDF and plain text as documents, not "{part.format}".')
    block: dict[str, Any] = {"type": "document", "source": source}
    for name, value in (("title", part.name), ("context", part.context)):
        if value is not None:
            block[name] = value
    return {**block, "citations": {"enabled": True}} if part.citations else block


def _take_tools(body: dict[str, Any]) -> tuple[Tool, ...]:
    """The tools that have a neutral form; those that the service runs by itself stay in the body."""
    if not isinstance(body.get("tools"), list):
        return ()
    read, others = [], []
    for one in body.pop("tools"):
        tool = _tool(one)
        if tool is None:
            others.append(one)
        else:
            read.append(tool)
    if others:
        body["tools"] = others
    return tuple(read)


def _tool(one: Any) -> Tool | None:
    try:
        bare, mark = _unmarked(one)
        if mark is not None and mark.ttl is not None:
            return None
        tool = Tool(
            name=bare["name"],
            description=bare.get("description"),
            schema=bare["input_schema"],
            strict=bare.get("strict"),
            cache=mark is not None,
        )
        usual = {name: value for name, value in one.items() if (name, value) != ("type", "custom")}
        return tool if _tool_out(tool) == usual else None
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _tool_out(tool: Tool) -> dict[str, Any]:
    body: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        body["description"] = tool.description
    body["input_schema"] = dict(tool.schema)
    if tool.strict is not None:
        body["strict"] = tool.strict
    return {**body, "cache_control": {"type": "ephemeral"}} if tool.cache else body


def _take_choice(body: dict[str, Any], params: dict[str, Json]) -> ToolChoice | None:
    choice = body.get("tool_choice")
    if not isinstance(choice, dict) or not set(choice) <= {"type", "name", "disable_parallel_tool_use"}:
        return None
    kind, name, alone = choice.get("type"), choice.get("name"), choice.get("disable_parallel_tool_use")
    if kind not in ("auto", "any", "tool", "none") or isinstance(name, str) != (kind == "tool"):
        return None
    if not isinstance(alone, bool | None) or (name is None and "name" in choice):
        return None
    if alone is not None:
        params["parallel_tool_calls"] = not alone
    del body["tool_choice"]
    return ToolChoice(kind, name)


def _choice_out(choice: ToolChoice | None, left: dict[str, Any]) -> dict[str, Any] | None:
    """auto is what holds without a choice, so it is said where only `parallel_tool_calls` is."""
    several = left.pop("parallel_tool_calls", None)
    if choice is None and several is None:
        return None
    body: dict[str, Any] = {"type": choice.kind if choice else "auto"}
    if choice is not None and choice.name is not None:
        body["name"] = choice.name
    return body if several is None else {**body, "disable_parallel_tool_use": not several}


def _take_format(body: dict[str, Any]) -> Format | None:
    match table(body.get("output_config")).get("format"):
        case {"type": "json_schema", "schema": dict(schema), **rest} if not rest:
            del body["output_config"]["format"]
            if not body["output_config"]:
                del body["output_config"]
            return Format(kind="schema", schema=schema)
    return None
