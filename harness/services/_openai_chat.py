"""Chat completions as OpenAI shaped them: the neutral conversation as a request body, and back.

Azure OpenAI, Foundry's model inference, gpt-oss, Mistral and Jamba on Bedrock take this body; where they differ, a
`Dialect` says how. What no neutral name says goes to params["extra"], or stands as a Foreign part: nothing is lost.
What the body cannot say raises UnencodableRequest with the name of the field; a pair decides beforehand what becomes
of it, and records the departure.

Source: wire contracts, "Chat completions"; openai-python 3.52, `types/chat/completion_create_params.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from harness.core.case import Json
from harness.core.chat import (
    Call,
    Conversation,
    Format,
    Result,
    Tool,
    ToolChoice,
)
from harness.errors import CodecError
from harness.services._openai_messages import read_messages, write_messages
from harness.services._openai_parts import (
    USAGE_ASKED,
    cannot,
    choice_word,
    expect,
    read_choice,
    read_function,
    read_params,
    read_schema,
    write_function,
    write_params,
    write_schema,
)

# Neutral param -> member of the body.
NAMES: Mapping[str, str] = MappingProxyType(
    {
        "model": "model",
        "stream": "stream",
        "max_tokens": "max_completion_tokens",
        "temperature": "temperature",
        "top_p": "top_p",
        "stop": "stop",
        "seed": "seed",
        "n": "n",
        "presence_penalty": "presence_penalty",
        "frequency_penalty": "frequency_penalty",
        "logit_bias": "logit_bias",
        "logprobs": "logprobs",
        "top_logprobs": "top_logprobs",
        "reasoning": "reasoning_effort",
        "verbosity": "verbosity",
        "parallel_tool_calls": "parallel_tool_calls",
        "service_tier": "service_tier",
        "cache_key": "prompt_cache_key",
        "metadata": "metadata",
        "user": "user",
        "store": "store",
    }
)
_HANDLED = frozenset({"messages", "tools", "functions", "tool_choice", "function_call", "response_format"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """Where a service departs from the common body.

    names: neutral param -> member, for those that the service takes. ask_usage: a stream is asked for its token
    counts, which it leaves out otherwise. reasoning: member of an assistant's message that takes earlier thinking.
    """

    names: Mapping[str, str] = field(default_factory=lambda: NAMES)
    ask_usage: bool = False
    reasoning: str | None = None


OPENAI = Dialect()


def read_body(body: Json, dialect: Dialect = OPENAI) -> tuple[Conversation, dict[str, Json]]:
    """Conversation and params of a recorded body. Raises CodecError where it is no chat completion's."""
    table = expect(body, dict, "the body")
    if "messages" not in table:
        raise CodecError('the body has no "messages".')
    params, extra = read_params(table, dialect.names, handled=_HANDLED)
    system, messages = read_messages(expect(table["messages"], list, '"messages"'))
    tools = tuple(_read_tools(table, extra))
    conversation = Conversation(
        messages=messages,
        system=system,
        tools=tools,
        tool_choice=_read_choice(table, extra),
        format=_read_format(table.get("response_format"), extra),
    )
    return conversation, {**params, **({"extra": extra} if extra else {})}


def write_body(conversation: Conversation, params: Mapping[str, Json], dialect: Dialect = OPENAI) -> dict[str, Json]:
    """The body of a request. Raises UnencodableRequest naming what it cannot say."""
    legacy = any(
        isinstance(part, Call | Result) and part.id is None
        for message in conversation.messages
        for part in message.content
    )
    body: dict[str, Any] = {"messages": list(write_messages(conversation, dialect.reasoning))}
    if conversation.tools:
        functions = [write_function(tool) for tool in conversation.tools]
        tools = [{"type": "function", "function": function} for function in functions]
        body |= {"functions": functions} if legacy else {"tools": tools}
    if conversation.tool_choice is not None:
        body["function_call" if legacy else "tool_choice"] = _write_choice(conversation.tool_choice, legacy=legacy)
    if conversation.format is not None:
        body["response_format"] = _write_format(conversation.format)
    write_params(body, params, dialect.names)
    if dialect.ask_usage and body.get("stream") and "stream_options" not in body:
        body["stream_options"] = dict(USAGE_ASKED)
    return body


def _read_tools(table: Mapping[str, Any], extra: dict[str, Any]) -> Iterator[Tool]:
    for tool in expect(table.get("tools") or [], list, '"tools"'):
        plain = isinstance(tool, dict) and tool.keys() == {"type", "function"} and tool["type"] == "function"
        read = read_function(tool["function"]) if plain else None
        if read is None:
            extra.setdefault("tools", []).append(tool)
        else:
            yield read
    for function in expect(table.get("functions") or [], list, '"functions"'):
        read = read_function(function)
        if read is None:
            extra.setdefault("functions", []).append(function)
        else:
            yield read


def _read_choice(table: Mapping[str, Any], extra: dict[str, Any]) -> ToolChoice | None:
    for member in ("tool_choice", "function_call"):
        choice = table.get(member)
        if choice is None:
            continue
        inner = choice.get("function", choice) if isinstance(choice, dict) else choice
        read = read_choice(inner)
        if read is not None:
            return read
        extra[member] = choice
    return None


def _read_format(form: Any, extra: dict[str, Any]) -> Format | None:
    if form is None:
        return None
    if isinstance(form, dict):
        word = form.get("type")
        if form.keys() == {"type"} and word in ("text", "json_object"):
            return Format(kind="text" if word == "text" else "json")
        inner = form.get("json_schema")
        if word == "json_schema" and form.keys() == {"type", "json_schema"}:
            read = read_schema(inner)
            if read is not None:
                return read
    extra["response_format"] = form
    return None


def _write_choice(choice: ToolChoice, *, legacy: bool) -> Json:
    if choice.kind == "tool":
        named: dict[str, Json] = {"name": choice.name}
        return named if legacy else {"type": "function", "function": named}
    return choice_word(choice)


def _write_format(form: Format) -> dict[str, Any]:
    match form.kind:
        case "text":
            return {"type": "text"}
        case "json":
            return {"type": "json_object"}
        case "schema":
            return {"type": "json_schema", "json_schema": write_schema(form)}
        case other:
            raise cannot("response_format", f'its kind is "{other}"')
