"""OpenAI's chat shape on Bedrock: gpt-oss, Mistral's chat models, Jamba, newer DeepSeek, Qwen and others.

The address says model and stream, so bodies need neither. gpt-oss limits output with `max_completion_tokens`, the
others with `max_tokens`; Mistral says `stop_reason` where OpenAI says `finish_reason`, and `any` for `required`.
Source: Bedrock user guide, pages of these models; wire contracts D.5.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.core.call import Reading
from harness.core.case import Json
from harness.core.chat import Conversation, ToolChoice
from harness.services import _openai
from harness.services._chat import ADDRESSED, NoAnswer, objects, reading
from harness.services._openai_chat import NAMES, Dialect, read_body, write_body

_MORE = {name: name for name in ("top_k", "min_p", "repetition_penalty")}
# Members of the same words that mean OpenAI's own address, or that Bedrock takes in headers.
_ELSEWHERE = {*ADDRESSED, "service_tier", "metadata"}
_OWN = {**{neutral: member for neutral, member in NAMES.items() if neutral not in _ELSEWHERE}, **_MORE}
DIALECTS = {
    "gpt_oss": Dialect(names=_OWN),
    "openai": Dialect(names={**_OWN, "max_tokens": "max_tokens"}),
    "mistral_chat": Dialect(names={**_OWN, "max_tokens": "max_tokens"}),
}


def read(body: dict[str, Any], name: str) -> tuple[Conversation, dict[str, Json]]:
    """A body as a conversation and params. Its own `model` and `stream` are dropped: the address says them."""
    kept = {member: value for member, value in body.items() if member not in ADDRESSED}
    required = name == "mistral_chat" and kept.get("tool_choice") == "any"
    if required:
        del kept["tool_choice"]
    conversation, params = read_body(kept, DIALECTS[name])
    if required:
        conversation = replace(conversation, tool_choice=ToolChoice("any"))
    return conversation, params


def write(conversation: Conversation, left: dict[str, Any], name: str) -> dict[str, Any]:
    """The body. Raises UnencodableRequest for what it cannot say."""
    params = {param: value for param, value in left.items() if param not in ADDRESSED}
    if name == "mistral_chat" and conversation.tool_choice == ToolChoice("any"):
        return {**write_body(replace(conversation, tool_choice=None), params, DIALECTS[name]), "tool_choice": "any"}
    return write_body(conversation, params, DIALECTS[name])


def answer(body: dict[str, Any]) -> Reading:
    """A chat completion, of which the first choice is read. Raises NoAnswer."""
    try:
        chat = _openai.chat_of({**body, "choices": [_ended(choice) for choice in objects(body.get("choices"))]})
    except ValueError as exc:
        raise NoAnswer(str(exc)) from None
    return reading(chat, _openai.tokens_of(body.get("usage")), body.get("model"))


def fold(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    """The completion that a stream's chunks are the pieces of."""
    whole = _openai.completion_of(
        [{**chunk, "choices": [_ended(choice) for choice in objects(chunk.get("choices"))]} for chunk in chunks]
    )
    for choice in whole["choices"]:
        if choice["finish_reason"] is None:
            del choice["finish_reason"]
    return whole


def _ended(choice: dict[str, Any]) -> dict[str, Any]:
    if choice.get("finish_reason") is None and isinstance(choice.get("stop_reason"), str):
        return {**choice, "finish_reason": choice["stop_reason"]}
    return choice
