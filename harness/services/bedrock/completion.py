"""Families that take one prompt text and answer with another: Claude 2, Titan Text, Llama, Mistral, Cohere Command,
AI21 Jurassic-2, DeepSeek-R1, and what many imported models take.

Several answers to one prompt (`n`) are read as the first. Thinking that a model writes into its text stays there.
Source: Bedrock user guide, "Inference request parameters and response fields for foundation models"; recorded answers;
wire contracts D.5, D.6, F.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.core.call import Reading, Tokens
from harness.core.case import Json
from harness.core.chat import Conversation
from harness.core.output import Chat, StopReason
from harness.errors import CodecError
from harness.services._anthropic import stop_of
from harness.services._chat import NoAnswer, count, finished, nameless, objects, plain, put, reading, table, take, text
from harness.services.bedrock import prompts


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One body. title: for messages. prompt: the member that holds it. forms: of prompts, the usual one first."""

    title: str
    prompt: str = "prompt"
    names: Mapping[str, str]
    forms: tuple[str, ...] = field(default=(prompts.RAW,))


_PLAIN = {name: name for name in ("temperature", "top_p", "top_k", "max_tokens", "stop")}

FAMILIES: Mapping[str, Family] = {
    "claude2": Family(
        title="Claude text completion",
        names={**_PLAIN, "max_tokens": "max_tokens_to_sample", "stop": "stop_sequences"},
        forms=("claude2",),
    ),
    "titan": Family(
        title="Titan Text",
        prompt="inputText",
        names={
            "temperature": "textGenerationConfig.temperature",
            "top_p": "textGenerationConfig.topP",
            "max_tokens": "textGenerationConfig.maxTokenCount",
            "stop": "textGenerationConfig.stopSequences",
        },
        forms=("titan",),
    ),
    "llama2": Family(
        title="Llama 2",
        names={"temperature": "temperature", "top_p": "top_p", "max_tokens": "max_gen_len"},
        forms=("llama2", "llama3"),
    ),
    "llama3": Family(
        title="Llama 3",
        names={"temperature": "temperature", "top_p": "top_p", "max_tokens": "max_gen_len"},
        forms=("llama3", "llama2"),
    ),
    "mistral": Family(title="Mistral text completion", names=_PLAIN, forms=("mistral",)),
    "deepseek": Family(title="DeepSeek-R1", names=_PLAIN, forms=("deepseek",)),
    "command": Family(
        title="Cohere Command",
        names={
            "temperature": "temperature",
            "top_p": "p",
            "top_k": "k",
            "max_tokens": "max_tokens",
            "stop": "stop_sequences",
            "n": "num_generations",
            "logit_bias": "logit_bias",
        },
    ),
    "jurassic": Family(
        title="AI21 Jurassic-2",
        names={
            "temperature": "temperature",
            "top_p": "topP",
            "max_tokens": "maxTokens",
            "stop": "stopSequences",
            "n": "numResults",
        },
    ),
    "completion": Family(
        title="text completion",
        names={
            **_PLAIN,
            **{
                name: name
                for name in ("n", "seed", "min_p", "presence_penalty", "frequency_penalty", "repetition_penalty")
            },
        },
        forms=(prompts.RAW, *prompts.FORMS),
    ),
}

STOPS = {
    "stop": StopReason.END,
    "length": StopReason.LENGTH,
    "FINISH": StopReason.END,  # Titan's documentation says FINISHED, the wire FINISH
    "FINISHED": StopReason.END,
    "LENGTH": StopReason.LENGTH,
    "STOP_CRITERIA_MET": StopReason.STOP_SEQUENCE,
    "CONTENT_FILTERED": StopReason.FILTER,
    "max_tokens": StopReason.LENGTH,
    "stop_sequence": StopReason.STOP_SEQUENCE,
    "COMPLETE": StopReason.END,
    "MAX_TOKENS": StopReason.LENGTH,
    "STOP_SEQUENCE": StopReason.STOP_SEQUENCE,
    "TOOL_CALL": StopReason.TOOL,
    "ERROR_LIMIT": StopReason.LENGTH,
    "ERROR_TOXIC": StopReason.FILTER,
    "endoftext": StopReason.END,
    "tool_calls": StopReason.TOOL,
}
# Jurassic says "stop" where a stop sequence was met; the other families say it where the model came to its end.
_JURASSIC = {**STOPS, "stop": StopReason.STOP_SEQUENCE}
# Claude 2 always stops at the next human turn.
_HUMAN = "\n\nHuman:"


def read(body: dict[str, Any], name: str) -> tuple[Conversation, dict[str, Json]]:
    """A prompt body as a conversation and params; `body` is used up. Raises CodecError where it has no prompt."""
    family = FAMILIES[name]
    prompt = body.pop(family.prompt, None)
    if not isinstance(prompt, str):
        raise CodecError(f'a body of {family.title} has its prompt as text in "{family.prompt}"')
    conversation, form = prompts.read(prompt, family.forms)
    params = {**take(body, family.names), "prompt_form": form}
    if body:
        params["extra"] = body
    return conversation, params


def write(conversation: Conversation, left: dict[str, Any], name: str) -> dict[str, Any]:
    """The body. left: params, used up. Raises UnencodableRequest for what it cannot say."""
    family = FAMILIES[name]
    plain(conversation, family.title, "tools", "tool_choice", "format")
    nameless(conversation, family.title)
    form = str(left.pop("prompt_form", family.forms[0]))
    body: dict[str, Any] = {family.prompt: prompts.write(conversation, form, family.title)}
    put(body, left, family.names)
    return finished(body, left, family.title)


def titan(body: dict[str, Any]) -> Reading:
    """{"inputTextTokenCount", "results": [{"tokenCount", "outputText", "completionReason"}]}."""
    first = _first(body, "results")
    counts = Tokens(input=count(body.get("inputTextTokenCount")), output=count(first.get("tokenCount")))
    return _told(first.get("outputText"), first.get("completionReason"), counts)


def llama(body: dict[str, Any]) -> Reading:
    """{"generation", "prompt_token_count", "generation_token_count", "stop_reason"}; imported models too."""
    counts = Tokens(input=count(body.get("prompt_token_count")), output=count(body.get("generation_token_count")))
    return _told(body.get("generation"), body.get("stop_reason"), counts)


def claude2(body: dict[str, Any]) -> Reading:
    """{"completion", "stop_reason", "stop"}."""
    read = _told(body.get("completion"), body.get("stop_reason"))
    if body.get("stop_reason") == "stop_sequence" and body.get("stop", _HUMAN) in (_HUMAN, None):
        return _told(body.get("completion"), body.get("stop_reason"), stop_is=StopReason.END)
    return read


def mistral(body: dict[str, Any]) -> Reading:
    """{"outputs": [{"text", "stop_reason"}]}."""
    first = _first(body, "outputs")
    return _told(first.get("text"), first.get("stop_reason"))


def command(body: dict[str, Any]) -> Reading:
    """{"generations": [{"text", "finish_reason"}]}."""
    first = _first(body, "generations")
    return _told(first.get("text"), first.get("finish_reason"))


def jurassic(body: dict[str, Any]) -> Reading:
    """{"completions": [{"data": {"text"}, "finishReason": {"reason"}}]}."""
    first = _first(body, "completions")
    reason = table(first.get("finishReason")).get("reason")
    return _told(table(first.get("data")).get("text"), reason, stop_is=stop_of(reason, _JURASSIC))


def choices(body: dict[str, Any]) -> Reading:
    """{"choices": [{"text", "stop_reason" or "finish_reason"}], "usage"}: DeepSeek, and servers of open models."""
    first, usage = _first(body, "choices"), table(body.get("usage"))
    counts = Tokens(input=count(usage.get("prompt_tokens")), output=count(usage.get("completion_tokens")))
    return _told(first.get("text"), first.get("stop_reason") or first.get("finish_reason"), counts)


def fold_titan(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    """{"outputText", "index", "inputTextTokenCount", "totalOutputTextTokenCount", "completionReason"} each."""
    first = {
        "outputText": _joined(chunks, "outputText"),
        "tokenCount": _last(chunks, "totalOutputTextTokenCount"),
        "completionReason": _last(chunks, "completionReason"),
    }
    return {"inputTextTokenCount": _last(chunks, "inputTextTokenCount"), "results": [first]}


def fold_members(chunks: list[dict[str, Any]], said: str) -> dict[str, Any]:
    """Llama and Claude 2: chunks have the answer's own members. said: the member that holds text."""
    names = {name for one in chunks for name in one if not name.startswith("amazon-bedrock-")}
    return {**{name: _last(chunks, name) for name in names}, said: _joined(chunks, said)}


def fold_lists(chunks: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """Mistral and text completions: each chunk holds a list with one piece of the first answer."""
    firsts = [objects(one.get(name))[0] for one in chunks if objects(one.get(name))]
    usage = _last(chunks, "usage")
    return {name: [fold_members(firsts, "text")], **({} if usage is None else {"usage": usage})}


def _joined(chunks: list[dict[str, Any]], name: str) -> str:
    return "".join(text(one.get(name)) for one in chunks)


def _last(chunks: list[dict[str, Any]], name: str) -> Any:
    return next((one[name] for one in reversed(chunks) if one.get(name) is not None), None)


def _first(body: dict[str, Any], name: str) -> dict[str, Any]:
    found = objects(body.get(name))
    if not found:
        raise NoAnswer(f'its "{name}" holds no answer')
    return found[0]


def _told(said: object, stop: object, counts: Tokens | None = None, *, stop_is: StopReason | None = None) -> Reading:
    chat = Chat(
        text=text(said),
        stop=stop_of(stop, STOPS) if stop_is is None else stop_is,
        stop_raw=stop if isinstance(stop, str) else None,
    )
    return reading(chat, counts)
