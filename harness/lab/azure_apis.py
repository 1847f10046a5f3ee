"""The forms in which the Azure stand-in takes a chat request: chat completions, responses, Anthropic's Messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from harness.lab import bedrock_bodies, openai_answers, openai_body, openai_responses
from harness.lab.chat.prompt import Prompt, Said
from harness.lab.openai_answers import Asked

Event = tuple[str | None, dict[str, Any]]  # the name on the `event:` line, None for none, and the data


class Reader(Protocol):
    """Body -> prompt. Raises openai_body.Invalid or bedrock_bodies.Malformed."""

    def __call__(self, body: Any, *, reasons: bool) -> Prompt: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """One form. done: what ends a stream after its last event."""

    read: Reader
    whole: Callable[[Asked, Said], dict[str, Any]]
    stream: Callable[[Asked, Said], list[Event]]
    done: bytes = b""


def _chunks(asked: Asked, said: Said) -> list[Event]:
    return [(None, chunk) for chunk in openai_answers.chat_chunks(asked, said)]


# Anthropic's Messages outside Bedrock: the model and `stream` are in the body, the version is a header.
_MESSAGES = bedrock_bodies.Family(
    required=frozenset({"model", "max_tokens", "messages"}),
    known=bedrock_bodies.ANTHROPIC.known - {"anthropic_beta", "amazon-bedrock-guardrailConfig"} | {"stream"},
    read=bedrock_bodies.ANTHROPIC.read,
    write=bedrock_bodies.ANTHROPIC.write,
    stream=bedrock_bodies.ANTHROPIC.stream,
)


def _messages_prompt(body: Any, *, reasons: bool) -> Prompt:
    del reasons
    return _MESSAGES.prompt(body)


def _messages_asked(asked: Asked) -> bedrock_bodies.Asked:
    return bedrock_bodies.Asked(prompt=asked.prompt, id=asked.id, model=asked.model)


def _messages_events(asked: Asked, said: Said) -> list[Event]:
    return [(chunk["type"], chunk) for chunk in _MESSAGES.stream(_messages_asked(asked), said)]


APIS: Mapping[str, Api] = {
    "chat/completions": Api(
        read=openai_body.prompt, whole=openai_answers.chat, stream=_chunks, done=b"data: [DONE]\n\n"
    ),
    "responses": Api(read=openai_responses.prompt, whole=openai_responses.answer, stream=openai_responses.events),
    "messages": Api(
        read=_messages_prompt,
        whole=lambda asked, said: _MESSAGES.write(_messages_asked(asked), said),
        stream=_messages_events,
    ),
}
