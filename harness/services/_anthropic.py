"""Anthropic's Messages API: the body, which Bedrock (InvokeModel) and Foundry share, its answer and its stream.

What differs by cloud (`anthropic_version`, `model`, `stream`, headers) belongs to the services.
Source: Anthropic API reference, "Messages", "Streaming Messages"; wire contracts D.5, D.6, F.1.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from harness.core.call import Reading, Tokens
from harness.core.case import Json
from harness.core.chat import Conversation, Format, Message, Tool, ToolChoice
from harness.core.output import Chat, StopReason, ToolCall
from harness.errors import CodecError, UnencodableRequest
from harness.services._anthropic_blocks import KIND, blocks_of, parts_of, unmarked
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
        system=() if system is None else parts_of(system),
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
        blocks = blocks_of(conversation.system)
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
    return Message(value["role"], parts_of(value.get("content")))


def _turn(message: Message) -> dict[str, Any]:
    return {"role": message.role, "content": blocks_of(message.content)}


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
        bare, mark = unmarked(one)
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
