"""InvokeModel: one body a family. Requests go by the family, answers by their own shape, which tells more reliably.

A stream is folded into the answer it amounts to and read as one.
Source: Bedrock user guide, "Inference request parameters and response fields for foundation models"; wire contracts
D.5, D.6, H2.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from harness.core.call import Reading
from harness.core.case import Json
from harness.core.chat import Conversation
from harness.errors import CodecError, UnencodableRequest
from harness.services import _anthropic
from harness.services._chat import NoAnswer, objects, table
from harness.services.bedrock import cohere, completion, converse_answers, nova, openai

ANTHROPIC_VERSION = "bedrock-2023-05-31"

Read = Callable[[dict[str, Any]], tuple[Conversation, dict[str, Json]]]
Write = Callable[[Conversation, dict[str, Any]], dict[str, Any]]


def _read_anthropic(body: dict[str, Any]) -> tuple[Conversation, dict[str, Json]]:
    if body.get("anthropic_version") == ANTHROPIC_VERSION:
        del body["anthropic_version"]
    tier = body.pop("service_tier", None)  # Anthropic's own; Bedrock's word for it stands in a header
    conversation, params = _anthropic.read(body)
    if tier is not None:
        params["extra"] = {**table(params.get("extra")), "service_tier": tier}
    return conversation, params


def _write_anthropic(conversation: Conversation, left: dict[str, Any]) -> dict[str, Any]:
    return {"anthropic_version": ANTHROPIC_VERSION, **_anthropic.write(conversation, left)}


CHAT: dict[str, tuple[Read, Write]] = {
    "anthropic": (_read_anthropic, _write_anthropic),
    "nova": (nova.read, nova.write),
    "cohere": (cohere.read, cohere.write),
    **{
        name: (partial(completion.read, name=name), partial(completion.write, name=name))
        for name in completion.FAMILIES
    },
    **{name: (partial(openai.read, name=name), partial(openai.write, name=name)) for name in openai.DIALECTS},
}


def _choices(body: dict[str, Any]) -> Reading:
    """OpenAI's word for an answer holds a message; servers of text completions use it for a text."""
    first = next(iter(objects(body.get("choices"))), {})
    return completion.choices(body) if "text" in first else openai.answer(body)


def _fold_choices(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    texts = any("text" in choice for one in chunks for choice in objects(one.get("choices")))
    return completion.fold_lists(chunks, "choices") if texts else openai.fold(chunks)


# A member that only answers of one shape have -> who reads them.
_ANSWERS: tuple[tuple[str, Callable[[dict[str, Any]], Reading]], ...] = (
    ("output", converse_answers.answer),
    ("stopReason", converse_answers.answer),
    ("results", completion.titan),
    ("generation", completion.llama),
    ("completion", completion.claude2),
    ("outputs", completion.mistral),
    ("generations", completion.command),
    ("completions", completion.jurassic),
    ("choices", _choices),
    ("content", _anthropic.answer),
    ("text", cohere.answer),
    ("finish_reason", cohere.answer),
)
# A member that only chunks of one shape have -> who folds them.
_FOLDS: tuple[tuple[str, Callable[[list[dict[str, Any]]], dict[str, Any]]], ...] = (
    ("messageStart", nova.fold),
    ("contentBlockDelta", nova.fold),
    ("outputText", completion.fold_titan),
    ("generation", partial(completion.fold_members, said="generation")),
    ("completion", partial(completion.fold_members, said="completion")),
    ("outputs", partial(completion.fold_lists, name="outputs")),
    ("choices", _fold_choices),
    ("is_finished", cohere.fold),
    ("type", _anthropic.fold),
)


def read(body: dict[str, Any], family: str) -> tuple[Conversation, dict[str, Json]]:
    """A chat body of the family as a conversation and params; `body` is used up. Raises CodecError."""
    if family not in CHAT:
        raise CodecError(f'bodies of family "{family}" are not read; known are {", ".join(sorted(CHAT))}')
    return CHAT[family][0](body)


def write(conversation: Conversation, left: dict[str, Any], family: str) -> dict[str, Any]:
    """The body. left: params, used up. Raises UnencodableRequest."""
    if family not in CHAT:
        raise UnencodableRequest(f'bodies of family "{family}" are not written; known are {", ".join(sorted(CHAT))}.')
    return CHAT[family][1](conversation, left)


def answer(body: dict[str, Any]) -> Reading:
    """A chat answer of any family. Raises NoAnswer."""
    for member, read_answer in _ANSWERS:
        if member in body:
            return read_answer(body)
    raise NoAnswer("it has the shape of no model's answer that is known")


def fold(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    """The answer that a stream's chunks amount to, with what the service added to them. Raises NoAnswer."""
    added = {name: value for one in chunks for name, value in one.items() if name.startswith("amazon-bedrock-")}
    for member, folded in _FOLDS:
        if any(member in one for one in chunks):
            return {**folded(chunks), **added}
    raise NoAnswer("its chunks have the shape of no model's stream that is known")
