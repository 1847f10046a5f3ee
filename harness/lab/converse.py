"""Converse, as its requests and answers look: how a prompt is read, how an answer and its stream are written.

Nova's own InvokeModel bodies have the same form, with a few names more.
Source: Amazon Bedrock API reference, Converse and ConverseStream.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from harness.lab.bedrock_bodies import Asked, Malformed
from harness.lab.chat.prompt import END, FILTER, LENGTH, STOP_SEQUENCE, TOOL, Call, Prompt, Said, Tool, Turn, pieces

STOPS = {
    END: "end_turn",
    LENGTH: "max_tokens",
    STOP_SEQUENCE: "stop_sequence",
    TOOL: "tool_use",
    FILTER: "content_filtered",
}
BLOCKED = "Sorry, this request is blocked."


def prompt_of(body: dict[str, Any]) -> Prompt:
    """The prompt of a body. Raises Malformed for a schema that is no JSON."""
    config, tools = body.get("inferenceConfig", {}), body.get("toolConfig", {})
    structure = body.get("outputConfig", {}).get("textFormat", {}).get("structure", {}).get("jsonSchema")
    return Prompt(
        system="\n\n".join(block["text"] for block in body.get("system", ()) if "text" in block),
        turns=tuple(_turn(message) for message in body.get("messages", ())),
        tools=tuple(
            Tool(
                name=tool["toolSpec"]["name"],
                description=tool["toolSpec"].get("description", ""),
                schema=tool["toolSpec"]["inputSchema"]["json"],
            )
            for tool in tools.get("tools", ())
            if "toolSpec" in tool
        ),
        only_tool=tools.get("toolChoice", {}).get("tool", {}).get("name"),
        schema=_schema(structure["schema"]) if structure is not None else None,
        max_tokens=config.get("maxTokens"),
        stop=tuple(config.get("stopSequences", ())),
    )


def _schema(text: str) -> dict[str, Any]:
    try:
        return dict(json.loads(text))
    except ValueError as exc:
        raise Malformed("The value at 'outputConfig.textFormat.structure.jsonSchema.schema' is no JSON.") from exc


def _turn(message: dict[str, Any]) -> Turn:
    blocks = message["content"]
    return Turn(
        role=message["role"],
        text="\n\n".join(block["text"] for block in blocks if "text" in block),
        calls=tuple(
            Call(name=block["toolUse"]["name"], arguments=block["toolUse"]["input"])
            for block in blocks
            if "toolUse" in block
        ),
        results=tuple(
            "\n".join(
                json.dumps(part["json"]) if "json" in part else part.get("text", "") for part in result["content"]
            )
            for result in (block["toolResult"] for block in blocks if "toolResult" in block)
        ),
    )


def answer(asked: Asked, said: Said, latency_ms: int) -> dict[str, Any]:
    """A Converse answer."""
    text = BLOCKED if said.prompt_blocked else said.text
    content: list[dict[str, Any]] = [{"text": text}] if text else []
    content += [
        {"toolUse": _tool_use(asked, said, number) | {"input": dict(call.arguments)}}
        for number, call in enumerate(said.calls)
    ]
    return {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": stop_reason(said),
        "usage": usage(asked, said),
        "metrics": {"latencyMs": latency_ms},
    }


def events(asked: Asked, said: Said, latency_ms: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """The same as events: (name, document), in their order."""
    yield "messageStart", {"role": "assistant"}
    index = 0
    text = BLOCKED if said.prompt_blocked else said.text
    if text:
        for piece in pieces(text):
            yield "contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": piece}}
        yield "contentBlockStop", {"contentBlockIndex": 0}
        index = 1
    for number, call in enumerate(said.calls):
        place = {"contentBlockIndex": index + number}
        yield "contentBlockStart", place | {"start": {"toolUse": _tool_use(asked, said, number)}}
        for piece in pieces(json.dumps(dict(call.arguments))):
            yield "contentBlockDelta", place | {"delta": {"toolUse": {"input": piece}}}
        yield "contentBlockStop", place
    yield "messageStop", {"stopReason": stop_reason(said)}
    yield "metadata", {"usage": usage(asked, said), "metrics": {"latencyMs": latency_ms}}


def stop_reason(said: Said) -> str:
    """The service's word for why it ended."""
    return "guardrail_intervened" if said.prompt_blocked else STOPS[said.stop]


def usage(asked: Asked, said: Said) -> dict[str, int]:
    """Token counts; nothing is cached here."""
    read, written = asked.prompt.tokens, said.tokens
    return {"inputTokens": read, "outputTokens": written, "totalTokens": read + written}


def _tool_use(asked: Asked, said: Said, number: int) -> dict[str, Any]:
    return {"toolUseId": f"tooluse_{asked.id[:16]}{number}", "name": said.calls[number].name}
