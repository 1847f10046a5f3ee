"""Answers of Converse and of Nova's own body, and what their streams amount to.

Source: botocore's service model `bedrock-runtime` 2023-09-30; wire contracts D.3, D.4, F.1, H2.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from harness.core.call import Reading, Tokens
from harness.core.output import Chat, StopReason, ToolCall
from harness.services._anthropic import stop_of
from harness.services._chat import NoAnswer, count, objects, reading, table, text

STOPS = {
    "end_turn": StopReason.END,
    "max_tokens": StopReason.LENGTH,
    "model_context_window_exceeded": StopReason.LENGTH,
    "stop_sequence": StopReason.STOP_SEQUENCE,
    "tool_use": StopReason.TOOL,
    "guardrail_intervened": StopReason.FILTER,
    "content_filtered": StopReason.FILTER,
}


def answer(body: dict[str, Any]) -> Reading:
    """An answer of Converse or Nova. Raises NoAnswer where there is neither a message nor a stop reason."""
    message = table(table(body.get("output")).get("message"))
    stop = body.get("stopReason")
    if not message and not isinstance(stop, str):
        raise NoAnswer("it holds neither a message nor a reason for stopping")
    blocks = objects(message.get("content"))
    calls = [table(block["toolUse"]) for block in blocks if "toolUse" in block]
    chat = Chat(
        text="".join(_texts(blocks)),
        tool_calls=_calls(call for call in calls if call.get("type") != "server_tool_use"),
        server_tool_calls=_calls(call for call in calls if call.get("type") == "server_tool_use"),
        reasoning="".join(_thoughts(blocks)) or None,
        stop=stop_of(stop, STOPS),
        stop_raw=stop if isinstance(stop, str) else None,
    )
    router = table(table(body.get("trace")).get("promptRouter"))
    return reading(chat, tokens(table(body.get("usage"))), router.get("invokedModelId"))


def tokens(usage: dict[str, Any]) -> Tokens:
    """Counts of Converse and Nova; what was read from and written to the cache lies outside `inputTokens`.

    Nova's own bodies were seen with names that end in Count.
    """
    return Tokens(
        input=count(usage.get("inputTokens")),
        output=count(usage.get("outputTokens")),
        cache_read=count(usage.get("cacheReadInputTokens", usage.get("cacheReadInputTokenCount"))),
        cache_write=count(usage.get("cacheWriteInputTokens", usage.get("cacheWriteInputTokenCount"))),
    )


def fold(events: Iterable[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """The answer that a stream's events, (name, members) each, amount to, as far as they go."""
    body: dict[str, Any] = {}
    role = "assistant"
    blocks: dict[str, dict[str, Any]] = {}
    inputs: dict[str, list[str]] = {}
    for name, data in events:
        index = str(data.get("contentBlockIndex"))
        match name:
            case "messageStart":
                role = data.get("role", role)
            case "contentBlockStart":
                blocks[index] = {kind: dict(table(value)) for kind, value in table(data.get("start")).items()}
            case "contentBlockDelta":
                _grow(blocks.setdefault(index, {}), table(data.get("delta")), inputs.setdefault(index, []))
            case "messageStop":
                body["stopReason"] = data.get("stopReason")
                if "additionalModelResponseFields" in data:
                    body["additionalModelResponseFields"] = data["additionalModelResponseFields"]
            case "metadata":
                body.update({key: value for key, value in data.items() if key != "p"})
    for index, pieces in inputs.items():
        if "toolUse" in blocks[index]:
            blocks[index]["toolUse"]["input"] = "".join(pieces)
            blocks[index]["toolUse"][STREAMED] = True
    body["output"] = {"message": {"role": role, "content": list(blocks.values())}}
    return body


STREAMED = "harness:streamed"  # the input of a tool call came as text in pieces, which is still to be parsed


def _grow(block: dict[str, Any], delta: dict[str, Any], pieces: list[str]) -> None:
    for kind, value in delta.items():
        match kind, value:
            case "text", str():
                block["text"] = text(block.get("text")) + value
            case "toolUse", dict():
                block.setdefault("toolUse", {})
                pieces.append(text(value.get("input")))
            case "reasoningContent", dict():
                thought = block.setdefault("reasoningContent", {}).setdefault("reasoningText", {"text": ""})
                thought["text"] += text(value.get("text"))
            case "citation", _:
                block.setdefault("citationsContent", {})


def _texts(blocks: list[dict[str, Any]]) -> Iterable[str]:
    for block in blocks:
        if "text" in block:
            yield text(block["text"])
        elif "citationsContent" in block:
            yield from (text(part.get("text")) for part in objects(table(block["citationsContent"]).get("content")))


def _thoughts(blocks: list[dict[str, Any]]) -> Iterable[str]:
    for block in blocks:
        if "reasoningContent" in block:
            yield text(table(table(block["reasoningContent"]).get("reasoningText")).get("text"))


def _calls(uses: Iterable[dict[str, Any]]) -> tuple[ToolCall, ...]:
    return tuple(_call(use) for use in uses)


def _call(use: dict[str, Any]) -> ToolCall:
    name, arguments, raw = text(use.get("name")), use.get("input", {}), None
    if use.get(STREAMED):
        try:
            arguments = json.loads(arguments) if arguments.strip() else {}
        except (ValueError, RecursionError):
            arguments, raw = None, arguments
    return ToolCall(name=name, arguments=arguments, id=text(use.get("toolUseId")) or None, raw=raw)
