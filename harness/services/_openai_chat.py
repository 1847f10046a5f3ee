"""Chat completions as OpenAI shaped them: the neutral conversation as a request body, and back.

Azure OpenAI, Foundry's model inference, gpt-oss, Mistral and Jamba on Bedrock take this body; where they differ, a
`Dialect` says how. What no neutral name says goes to params["extra"], or stands as a Foreign part: nothing is lost.
What the body cannot say raises UnencodableRequest with the name of the field; a pair decides beforehand what becomes
of it, and records the departure.

Source: wire contracts, "Chat completions"; openai-python 3.52, `types/chat/completion_create_params.py`.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from harness.core.case import Json
from harness.core.chat import (
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
    Value,
)
from harness.errors import CodecError, UnencodableRequest
from harness.services._chat import parsed

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
LIMITS = ("max_completion_tokens", "max_tokens")
USAGE_ASKED: Mapping[str, Json] = MappingProxyType({"include_usage": True})
CHOICES = {"auto": "auto", "any": "required", "none": "none"}
_HANDLED = frozenset({"messages", "tools", "functions", "tool_choice", "function_call", "response_format"})
_FILE_MEDIA = {
    "application/pdf": "pdf",
    "text/plain": "txt",
    "text/csv": "csv",
    "text/html": "html",
    "text/markdown": "md",
}


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
    system, messages = _read_messages(expect(table["messages"], list, '"messages"'))
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
    body: dict[str, Any] = {"messages": list(_write_messages(conversation, dialect))}
    if conversation.tools:
        functions = [_write_function(tool) for tool in conversation.tools]
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


def read_params(
    table: Mapping[str, Any], names: Mapping[str, str], *, handled: frozenset[str]
) -> tuple[dict[str, Json], dict[str, Any]]:
    """Neutral params and extra of a body's members, `handled` left out. null says nothing and is dropped."""
    neutral = {member: name for name, member in names.items()}
    if names.get("max_tokens") in LIMITS:  # either word is read; the dialect's own wins where both stand
        neutral |= {member: "max_tokens" for member in LIMITS if table.get(names["max_tokens"]) is None}
    params: dict[str, Json] = {}
    extra: dict[str, Any] = {}
    for member, value in table.items():
        name = neutral.get(member)
        if value is None or member in handled or (member == "stream_options" and value == USAGE_ASKED):
            continue
        if name is None:
            extra[member] = value
        elif name == "stop":
            params[name] = [value] if isinstance(value, str) else value
        elif name == "reasoning":
            params[name] = {"effort": value}
        else:
            params[name] = value
    return params, extra


def write_params(body: dict[str, Any], params: Mapping[str, Json], names: Mapping[str, str]) -> None:
    """Add params to a body, extra last; "api" is the codec's. Raises UnencodableRequest naming one without a member."""
    for name, value in params.items():
        if name in ("api", "extra"):
            continue
        if name not in names:
            raise cannot(name, "the request body has no member for it")
        body[names[name]] = _effort(value) if name == "reasoning" else value
    extra = params.get("extra", {})
    if not isinstance(extra, dict):
        raise cannot("extra", "it is no object")
    for member, value in extra.items():
        before = body.get(member)
        added = member == "tools" and isinstance(before, list) and isinstance(value, list)
        body[member] = [*before, *value] if added else value  # type: ignore[misc]


def cannot(field: str, reason: str) -> UnencodableRequest:
    """The error that names a field of the request and why it cannot be said."""
    return UnencodableRequest(f'"{field}" cannot be sent: {reason}.')


def expect(value: Any, kind: type | tuple[type, ...], what: str) -> Any:
    """The value, where it is of a kind; else CodecError."""
    if not isinstance(value, kind):
        raise CodecError(f"{what} is not what a request holds there.")
    return value


def data_uri(media_type: str, data: bytes) -> str:
    """Bytes as a data: URI (RFC 2397)."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"


def split_data_uri(uri: str) -> tuple[str, bytes] | None:
    """Media type and bytes of a base64 data: URI; None where it is none."""
    head, comma, tail = uri.partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        return None
    try:
        return head[len("data:") : -len(";base64")], base64.b64decode(tail, validate=True)
    except (binascii.Error, ValueError):
        return None


# Reading


def _read_messages(messages: list[Any]) -> tuple[tuple[Part, ...], tuple[Message, ...]]:
    """Leading system messages are the system text; a tool's results and what the user says next are one turn."""
    system: list[Part] = []
    turns: list[Message] = []
    leading, answering = True, False
    for entry in messages:
        table = expect(entry, dict, "a message")
        role = table.get("role")
        if role in ("system", "developer") and leading:
            plain = table.keys() <= {"role", "content"}
            system += _read_content(table.get("content")) if plain else [Foreign(field="system", value=table)]
            continue
        leading = False
        if role in ("tool", "function"):
            part = _read_result(table)
            if answering:
                turns[-1] = Message("user", (*turns[-1].content, part))
            else:
                turns.append(Message("user", (part,)))
            answering = True
            continue
        turn = _read_turn(role, table)
        if answering and turn.role == "user" and turn.name is None:
            turns[-1] = Message("user", (*turns[-1].content, *turn.content))
        else:
            turns.append(turn)
        answering = False
    return tuple(system), tuple(turns)


def _read_turn(role: Any, table: dict[str, Any]) -> Message:
    name = expect(table.get("name"), (str, type(None)), "a message's name")
    if role == "user":
        content = _read_content(table.get("content"))
        return Message("user", (*content, *_leftover(table, {"role", "content", "name"})), name)
    if role == "assistant":
        return Message("assistant", tuple(_read_assistant(table)), name)
    return Message("user", (Foreign(field="system", value=table),))


def _read_assistant(table: dict[str, Any]) -> Iterator[Part]:
    said = {"role", "content", "name", "tool_calls", "function_call"}
    for member in ("reasoning_content", "reasoning"):
        if isinstance(table.get(member), str):
            said.add(member)
            yield Reasoning(text=table[member])
            break
    yield from _read_content(table.get("content"))
    for call in expect(table.get("tool_calls") or [], list, '"tool_calls"'):
        yield _read_call(expect(call, dict, "a tool call"))
    legacy = table.get("function_call")
    if legacy is not None:
        yield _call(None, expect(legacy, dict, '"function_call"'))
    yield from _leftover(table, said)


def _leftover(table: dict[str, Any], said: set[str]) -> Iterator[Part]:
    """Members of a message that nothing reads, as one part: audio, refusal, what a later API adds."""
    rest = {name: value for name, value in table.items() if name not in said and value not in (None, [])}
    if rest:
        yield Foreign(field="audio" if rest.keys() == {"audio"} else "extra", value={"message": rest})


def _read_call(call: dict[str, Any]) -> Part:
    function = call.get("function")
    if not isinstance(function, dict) or not isinstance(call.get("id"), str):
        return Foreign(field="tool_call", value=call)
    return _call(call["id"], function)


def _call(id_: str | None, function: dict[str, Any]) -> Call:
    name = expect(function.get("name"), str, "a tool call's name")
    arguments = function.get("arguments", "")
    if not isinstance(arguments, str):  # some clients send the object itself
        return Call(id=id_, name=name, arguments=arguments)
    is_json, value = parsed(arguments)
    return Call(id=id_, name=name, arguments=value, raw=None if is_json else arguments)


def _read_result(table: dict[str, Any]) -> Part:
    id_, name = table.get("tool_call_id"), table.get("name")
    if not isinstance(id_, str | None) or not isinstance(name, str | None):
        raise CodecError("a tool's message names neither call nor function as it should.")
    return Result(id=id_, name=name, content=_read_content(table.get("content")))


def _read_content(content: Any) -> tuple[Part, ...]:
    if content is None:
        return ()
    if isinstance(content, str):
        return (Text(content),)
    return tuple(_read_part(part) for part in expect(content, list, "a message's content"))


def _read_part(part: Any) -> Part:
    if isinstance(part, str):
        return Text(part)
    table = expect(part, dict, "a part of a message")
    read = _known_part(table)
    if read is None:
        fields = {"input_audio": "audio", "video_url": "video", "image_url": "image", "file": "document"}
        return Foreign(field=fields.get(str(table.get("type")), "extra"), value=table)
    return read


def _known_part(table: dict[str, Any]) -> Part | None:
    """The neutral part that says all of a content part; None where there is none."""
    word = table.get("type")
    inner = table.get(word) if isinstance(word, str) else None
    if word == "text" and isinstance(inner, str) and len(table) == 2:
        return Text(inner)
    if not isinstance(inner, dict) or len(table) != 2 or not all(isinstance(value, str) for value in inner.values()):
        return None
    if word == "image_url" and "url" in inner and inner.keys() <= {"url", "detail"}:
        split = split_data_uri(inner["url"])
        if split is None:
            return Image(url=inner["url"], detail=inner.get("detail"))
        return Image(media_type=split[0], data=split[1], detail=inner.get("detail"))
    if word == "input_audio" and inner.keys() == {"data", "format"}:
        split = split_data_uri(f"data:;base64,{inner['data']}")
        return None if split is None else File(kind="audio", format=inner["format"], data=split[1])
    if word == "file" and "file_data" in inner and inner.keys() <= {"file_data", "filename"}:
        return read_file(inner)
    return None


def read_file(inner: dict[str, Any]) -> File | None:
    """A document from {"file_data": data URI, "filename"}; None where it is not one that `write_file` would write."""
    split = split_data_uri(inner["file_data"])
    known = None if split is None else _FILE_MEDIA.get(split[0])
    if split is None or known is None:
        return None
    return File(kind="document", format=known, name=inner.get("filename"), data=split[1])


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


def read_function(function: Any) -> Tool | None:
    """A tool from {"name", "description", "parameters", "strict"}; None where there is more, or less, to it."""
    known = {"name", "description", "parameters", "strict"}
    if not isinstance(function, dict) or not function.keys() <= known or not isinstance(function.get("name"), str):
        return None
    schema = function.get("parameters")
    if not isinstance(schema, dict | None):
        return None
    return Tool(
        name=function["name"],
        description=function.get("description"),
        schema=schema or {},
        strict=function.get("strict"),
    )


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


def read_choice(choice: Any) -> ToolChoice | None:
    """A choice from a word or {"name"}; None where it is another. "any" is Mistral's word for "required"."""
    if isinstance(choice, dict) and isinstance(choice.get("name"), str) and choice.keys() <= {"name", "type"}:
        return ToolChoice("tool", choice["name"]) if choice.get("type", "function") == "function" else None
    kinds = {word: kind for kind, word in CHOICES.items()} | {"any": "any"}
    return ToolChoice(kinds[choice]) if isinstance(choice, str) and choice in kinds else None


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


def read_schema(inner: Any) -> Format | None:
    """A form from {"name", "description", "schema", "strict"}; None where there is more, or less, to it."""
    known = {"name", "description", "schema", "strict"}
    if not isinstance(inner, dict) or not inner.keys() <= known or not isinstance(inner.get("name"), str):
        return None
    schema = inner.get("schema")
    if not isinstance(schema, dict | None):
        return None
    return Format(
        kind="schema",
        name=inner["name"],
        description=inner.get("description"),
        schema=schema,
        strict=inner.get("strict"),
    )


# Writing


def _write_messages(conversation: Conversation, dialect: Dialect) -> Iterator[dict[str, Any]]:
    plain: list[Part] = []
    for part in conversation.system:
        if isinstance(part, Foreign) and isinstance(part.value, dict) and "role" in part.value:
            yield from _system(plain)
            plain = []
            yield part.value
        else:
            plain.append(part)
    yield from _system(plain)
    for message in conversation.messages:
        match message.role:
            case "user":
                yield from _write_user(message)
            case "assistant":
                yield _write_assistant(message, dialect)
            case other:
                raise cannot("message_order", f'a turn has the role "{other}"')


def _system(parts: list[Part]) -> Iterator[dict[str, Any]]:
    if parts:
        yield {"role": "system", "content": _write_content(parts, "system")}


def _write_user(message: Message) -> Iterator[dict[str, Any]]:
    """Results first, each a message of its own, then what the user says."""
    content = list(message.content)
    while content and isinstance(content[0], Result):
        yield _write_result(content.pop(0))  # type: ignore[arg-type]
    if len(content) == 1 and isinstance(content[0], Foreign):
        value = content[0].value
        if isinstance(value, dict) and "role" in value:
            yield value
            return
    if not content and message.content:
        return
    if any(isinstance(part, Result) for part in content):
        raise cannot("message_order", "a tool's result stands after other content of its turn")
    said, more = _members(content)
    named = {} if message.name is None else {"name": message.name}
    yield {"role": "user", "content": _write_content(said, "message_order"), **named, **more}


def _write_assistant(message: Message, dialect: Dialect) -> dict[str, Any]:
    content, more = _members(message.content)
    table: dict[str, Any] = {"role": "assistant", "content": None}
    if content and isinstance(content[0], Reasoning):
        thinking = content.pop(0)
        if dialect.reasoning is None or thinking.text is None or thinking.signature is not None:  # type: ignore[union-attr]
            raise cannot("reasoning_content", "earlier thinking has no place in the request body")
        table[dialect.reasoning] = thinking.text  # type: ignore[union-attr]
    first_call = next((place for place, part in enumerate(content) if _is_call(part)), len(content))
    said, calls = content[:first_call], content[first_call:]
    if said:
        table["content"] = _write_content(said, "message_order")
    if any(not _is_call(part) for part in calls):
        raise cannot("message_order", "content follows a tool call in one turn")
    if len(calls) == 1 and isinstance(calls[0], Call) and calls[0].id is None:
        table["function_call"] = {"name": calls[0].name, "arguments": _arguments(calls[0])}
    elif calls:
        table["tool_calls"] = [_write_call(part) for part in calls]
    if message.name is not None:
        table["name"] = message.name
    return {**table, **more}


def _is_call(part: Part) -> bool:
    return isinstance(part, Call) or (isinstance(part, Foreign) and part.field == "tool_call")


def _members(parts: Iterable[Part]) -> tuple[list[Part], dict[str, Any]]:
    """The content of a message, and members of the message that stood beside it."""
    content: list[Part] = []
    more: dict[str, Any] = {}
    for part in parts:
        if isinstance(part, Foreign) and isinstance(part.value, dict) and part.value.keys() == {"message"}:
            more |= expect(part.value["message"], dict, "a message")
        else:
            content.append(part)
    return content, more


def _write_call(part: Part) -> dict[str, Any]:
    if isinstance(part, Foreign):
        return expect(part.value, dict, "a tool call")  # type: ignore[no-any-return]
    if not isinstance(part, Call) or part.id is None:
        raise cannot("tool_call", "one of several calls has no id")
    return {"id": part.id, "type": "function", "function": {"name": part.name, "arguments": _arguments(part)}}


def _arguments(call: Call) -> str:
    return call.raw if call.raw is not None else dump(call.arguments, "tool_call")


def dump(value: Json, field: str) -> str:
    """JSON as text. Raises UnencodableRequest for NaN and infinities, which JSON cannot say."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError:
        raise cannot(field, "it holds NaN or an infinity, which JSON cannot say") from None


def _write_result(result: Result) -> dict[str, Any]:
    if result.error:
        raise cannot("tool_result", "the body has no member that says that a tool failed")
    content = result_content(result)
    named = {} if result.name is None else {"name": result.name}
    if result.id is None:
        return {"role": "function", **named, "content": content}
    return {"role": "tool", "tool_call_id": result.id, **named, "content": content}


def result_content(result: Result) -> str | list[Any] | None:
    """A result's text, or its parts where there are several; a Value goes as JSON text."""
    texts = [Text(dump(part.value, "tool_result")) if isinstance(part, Value) else part for part in result.content]
    return _write_content(texts, "tool_result") if texts else None


def _write_content(parts: Iterable[Part], field: str) -> str | list[Any]:
    parts = list(parts)
    if len(parts) == 1 and isinstance(parts[0], Text):
        return parts[0].text
    return [_write_part(part, field) for part in parts]


def _write_part(part: Part, field: str) -> dict[str, Any]:
    match part:
        case Text():
            return {"type": "text", "text": part.text}
        case Image() if field != "tool_result":
            detail = {} if part.detail is None else {"detail": part.detail}
            return {"type": "image_url", "image_url": {"url": image_url(part), **detail}}
        case File(kind="audio", data=bytes(data)):
            encoded = base64.b64encode(data).decode("ascii")
            return {"type": "input_audio", "input_audio": {"data": encoded, "format": part.format}}
        case File(kind="document"):
            return {"type": "file", "file": write_file(part)}
        case File():
            raise cannot(part.kind, "the body has no part for it")
        case Foreign(value=dict(value)) if "type" in value:
            return value
        case Foreign():
            raise cannot(part.field, "it is written in another service's words")
        case _:
            words = {"Image": "image", "CachePoint": "cache_point", "Reasoning": "reasoning_content"}
            raise cannot(words.get(type(part).__name__, field), f"a {type(part).__name__} has no place here")


def image_url(image: Image) -> str:
    """The address of a picture, or its bytes as a data URI."""
    if image.url is not None and image.data is None:
        return image.url
    if image.data is None or image.media_type is None:
        raise cannot("image", "neither an address nor bytes with a media type are given")
    return data_uri(image.media_type, image.data)


def write_file(part: File) -> dict[str, Any]:
    """A document as {"file_data": data URI, "filename"}."""
    media = {form: media for media, form in _FILE_MEDIA.items()}.get(part.format)
    if part.data is None or media is None or part.citations or part.context is not None:
        raise cannot("document", f"the body takes bytes of {', '.join(_FILE_MEDIA.values())} alone, without citations")
    named = {} if part.name is None else {"filename": part.name}
    return {"file_data": data_uri(media, part.data), **named}


def _write_function(tool: Tool) -> dict[str, Any]:
    if tool.cache:
        raise cannot("cache_point", "the body has no cache points")
    said = {"description": tool.description, "parameters": dict(tool.schema) or None, "strict": tool.strict}
    return {"name": tool.name, **{name: value for name, value in said.items() if value is not None}}


def _write_choice(choice: ToolChoice, *, legacy: bool) -> Json:
    if choice.kind == "tool":
        named: dict[str, Json] = {"name": choice.name}
        return named if legacy else {"type": "function", "function": named}
    return choice_word(choice)


def choice_word(choice: ToolChoice) -> str:
    """auto, required or none. Raises UnencodableRequest for another kind."""
    if choice.kind not in CHOICES:
        raise cannot("tool_choice", f'its kind is "{choice.kind}"')
    return CHOICES[choice.kind]


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


def write_schema(form: Format) -> dict[str, Any]:
    """{"name", "description", "schema", "strict"}; a schema without a name cannot be sent."""
    if form.name is None:
        raise cannot("response_format", "a schema needs a name")
    schema = None if form.schema is None else dict(form.schema)
    said = {"description": form.description, "schema": schema, "strict": form.strict}
    return {"name": form.name, **{name: value for name, value in said.items() if value is not None}}


def _effort(reasoning: Json) -> Json:
    if not isinstance(reasoning, dict) or reasoning.keys() != {"effort"}:
        raise cannot("reasoning", 'the body takes {"effort": word} alone')
    return reasoning["effort"]
