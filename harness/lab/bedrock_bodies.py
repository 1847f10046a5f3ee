"""InvokeModel bodies: what a family of them is, and Anthropic's Messages.

Source: Amazon Bedrock user guide, "Inference request parameters and response fields for foundation models".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from harness.lab.chat.prompt import END, FILTER, LENGTH, STOP_SEQUENCE, TOOL, Call, Prompt, Said, Tool, Turn, pieces

Body = dict[str, Any]


class Malformed(Exception):
    """The body is none of this family's; the message is the service's ValidationException."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an answer is written for: the prompt, the request's id, the model as called."""

    prompt: Prompt
    id: str
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One body format. required, known: its top-level members; read: body -> prompt; write, stream: the answer."""

    required: frozenset[str]
    known: frozenset[str]
    read: Callable[[Body], Prompt]
    write: Callable[[Asked, Said], Body]
    stream: Callable[[Asked, Said], list[Body]]

    def prompt(self, body: Any) -> Prompt:
        """The prompt of a body. Raises Malformed with the service's words for the first thing wrong."""
        check_members(body, required=self.required, known=self.known)
        try:
            return self.read(body)
        except (KeyError, TypeError, AttributeError, ValueError) as exc:
            raise malformed(f"{type(exc).__name__} at {exc}") from exc


def check_members(body: Any, *, required: frozenset[str], known: frozenset[str]) -> None:
    """Raises Malformed for a body that is no object, lacks a member, or has one that its family does not know."""
    if not isinstance(body, dict):
        raise malformed("#: expected a JSON object")
    for name in sorted(required - set(body)):
        raise malformed(f"#: required key [{name}] not found")
    for name in sorted(set(body) - required - known):
        raise malformed(f"#: extraneous key [{name}] is not permitted")


def malformed(what: str) -> Malformed:
    """A refusal in the service's words."""
    return Malformed(f"Malformed input request: {what}, please reformat your input and try again.")


def text_of(content: Any) -> str:
    """The text of a message's content: a text, or blocks of which those with a `text` count."""
    if isinstance(content, str):
        return content
    return "\n\n".join(block["text"] for block in content if isinstance(block.get("text"), str))


# Anthropic Messages.

_ANTHROPIC_STOPS = {
    END: "end_turn",
    LENGTH: "max_tokens",
    STOP_SEQUENCE: "stop_sequence",
    TOOL: "tool_use",
    FILTER: "refusal",
}


def anthropic_prompt(body: Body) -> Prompt:
    choice = body.get("tool_choice", {})
    return Prompt(
        system=text_of(body.get("system", "")),
        turns=tuple(_anthropic_turn(message) for message in body["messages"]),
        tools=()
        if choice.get("type") == "none"
        else tuple(
            Tool(name=tool["name"], description=tool.get("description", ""), schema=tool["input_schema"])
            for tool in body.get("tools", ())
        ),
        only_tool=choice.get("name"),
        max_tokens=int(body["max_tokens"]),
        stop=tuple(body.get("stop_sequences", ())),
    )


def _anthropic_turn(message: Body) -> Turn:
    if message["role"] not in ("user", "assistant"):
        raise ValueError(f"messages: Unexpected role {message['role']!r}")
    blocks = message["content"] if isinstance(message["content"], list) else []
    return Turn(
        role=message["role"],
        text=text_of(message["content"]),
        calls=tuple(
            Call(name=block["name"], arguments=block["input"]) for block in blocks if block["type"] == "tool_use"
        ),
        results=tuple(text_of(block["content"]) for block in blocks if block["type"] == "tool_result"),
    )


def anthropic_answer(asked: Asked, said: Said) -> Body:
    content: list[Body] = [{"type": "text", "text": said.text}] if said.text else []
    content += [
        {"type": "tool_use", "id": f"toolu_{asked.id[:8]}{number}", "name": call.name, "input": dict(call.arguments)}
        for number, call in enumerate(said.calls)
    ]
    return {
        "id": f"msg_{asked.id}",
        "type": "message",
        "role": "assistant",
        "model": asked.model,
        "content": content,
        "stop_reason": _ANTHROPIC_STOPS[said.stop],
        "stop_sequence": said.matched,
        "usage": {"input_tokens": asked.prompt.tokens, "output_tokens": said.tokens},
    }


def anthropic_stream(asked: Asked, said: Said) -> list[Body]:
    whole = anthropic_answer(asked, said)
    usage = whole["usage"]
    opened = whole | {"content": [], "stop_reason": None, "stop_sequence": None, "usage": usage | {"output_tokens": 1}}
    chunks: list[Body] = [{"type": "message_start", "message": opened}]
    for index, block in enumerate(whole["content"]):
        chunks += _anthropic_block(index, block)
    delta = {"stop_reason": whole["stop_reason"], "stop_sequence": said.matched}
    chunks.append({"type": "message_delta", "delta": delta, "usage": {"output_tokens": said.tokens}})
    return [*chunks, {"type": "message_stop"}]


def _anthropic_block(index: int, block: Body) -> Iterable[Body]:
    if block["type"] == "text":
        start: Body = {"type": "text", "text": ""}
        deltas = [{"type": "text_delta", "text": piece} for piece in pieces(block["text"])]
    else:
        start = block | {"input": {}}
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces(json.dumps(block["input"]))]
    yield {"type": "content_block_start", "index": index, "content_block": start}
    for delta in deltas:
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}


ANTHROPIC = Family(
    required=frozenset({"anthropic_version", "max_tokens", "messages"}),
    known=frozenset(
        {"system", "temperature", "top_p", "top_k", "stop_sequences", "tools", "tool_choice", "thinking", "metadata"}
        | {"anthropic_beta", "output_config", "amazon-bedrock-guardrailConfig"}
    ),
    read=anthropic_prompt,
    write=anthropic_answer,
    stream=anthropic_stream,
)
