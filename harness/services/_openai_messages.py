"""The messages of a chat completion: turns of the neutral conversation as OpenAI writes them, and back.

A tool's results are messages of their own there; here they and what the user says next are one turn.
Source: wire contracts, "Chat completions".
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from typing import Any

from harness.core.chat import (
    Call,
    Conversation,
    File,
    Foreign,
    Image,
    Message,
    Part,
    Reasoning,
    Result,
    Text,
    Value,
)
from harness.errors import CodecError
from harness.services._chat import parsed
from harness.services._openai_parts import (
    cannot,
    dump,
    expect,
    image_url,
    read_file,
    split_data_uri,
    write_file,
)


def read_messages(messages: list[Any]) -> tuple[tuple[Part, ...], tuple[Message, ...]]:
    """System text and turns of a body's messages; leading system messages are the system text. Raises CodecError."""
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


# Writing


def write_messages(conversation: Conversation, thinking: str | None) -> Iterator[dict[str, Any]]:
    """The messages of a body. thinking: member of an assistant's message that takes earlier thinking, None without any.

    Raises UnencodableRequest naming what they cannot say.
    """
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
                yield _write_assistant(message, thinking)
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


def _write_assistant(message: Message, thinking: str | None) -> dict[str, Any]:
    content, more = _members(message.content)
    table: dict[str, Any] = {"role": "assistant", "content": None}
    if content and isinstance(content[0], Reasoning):
        thought = content.pop(0)
        if thinking is None or thought.text is None or thought.signature is not None:  # type: ignore[union-attr]
            raise cannot("reasoning_content", "earlier thinking has no place in the request body")
        table[thinking] = thought.text  # type: ignore[union-attr]
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


def _write_result(result: Result) -> dict[str, Any]:
    if result.error:
        raise cannot("tool_result", "the body has no member that says that a tool failed")
    content = _result_content(result)
    named = {} if result.name is None else {"name": result.name}
    if result.id is None:
        return {"role": "function", **named, "content": content}
    return {"role": "tool", "tool_call_id": result.id, **named, "content": content}


def _result_content(result: Result) -> str | list[Any] | None:
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
        case File(kind="audio", data=bytes(data), name=None, context=None, citations=False):
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
