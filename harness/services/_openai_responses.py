"""The responses API: the neutral conversation as a request body and back.

Items follow one another freely, so turns are made of them: what the assistant said, thought and called in a row is one
turn, and a tool's outputs are one with what the user says next. Ids and states of single items are the service's own
and are passed over. Reasoning items, and those of tools that the service runs by itself, stay as they are (Foreign).

Source: wire contracts, "Responses API"; openai-python 3.52, `types/responses/`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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
    Result,
    Text,
    Tool,
    ToolChoice,
    Value,
)
from harness.errors import CodecError
from harness.services._chat import parsed
from harness.services._chat import table as tabled
from harness.services._openai_parts import (
    cannot,
    choice_word,
    dump,
    expect,
    image_url,
    read_choice,
    read_file,
    read_function,
    read_params,
    read_schema,
    split_data_uri,
    write_file,
    write_function,
    write_params,
    write_schema,
)

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "model": "model",
        "stream": "stream",
        "max_tokens": "max_output_tokens",
        "temperature": "temperature",
        "top_p": "top_p",
        "top_logprobs": "top_logprobs",
        "parallel_tool_calls": "parallel_tool_calls",
        "service_tier": "service_tier",
        "cache_key": "prompt_cache_key",
        "metadata": "metadata",
        "user": "user",
        "store": "store",
    }
)
_HANDLED = frozenset({"input", "instructions", "tools", "tool_choice", "text", "reasoning"})
_ITEM = frozenset({"id", "status"})  # members of an item that are the service's own


def read_body(body: Json) -> tuple[Conversation, dict[str, Json]]:
    """Conversation and params of a recorded body. Raises CodecError where it is none of the responses API."""
    table = expect(body, dict, "the body")
    if table.get("input") is None and "instructions" not in table and "prompt" not in table:
        raise CodecError('the body has no "input".')
    params, extra = read_params(table, NAMES, handled=_HANDLED)
    system, messages = _read_input(table.get("input"))
    instructions = expect(table.get("instructions"), (str, type(None)), '"instructions"')
    if instructions is not None:
        system = (Text(instructions), *system)
    thinking = dict(expect(table.get("reasoning") or {}, dict, '"reasoning"'))
    if thinking.get("effort") is not None:
        params["reasoning"] = {"effort": thinking.pop("effort")}
    written = dict(expect(table.get("text") or {}, dict, '"text"'))
    form = _read_format(written)
    if written.get("verbosity") is not None:
        params["verbosity"] = written.pop("verbosity")
    for name, rest in (("reasoning", thinking), ("text", written)):
        said = {member: value for member, value in rest.items() if value is not None}
        extra |= {name: said} if said else {}
    conversation = Conversation(
        messages=messages,
        system=system,
        tools=tuple(_read_tools(table, extra)),
        tool_choice=_read_choice(table, extra),
        format=form,
    )
    return conversation, {**params, **({"extra": extra} if extra else {})}


def write_body(conversation: Conversation, params: Mapping[str, Json]) -> dict[str, Any]:
    """The body of a request. Raises UnencodableRequest naming what it cannot say."""
    body: dict[str, Any] = {}
    items: list[Any] = []
    match conversation.system:
        case (Text(text),):
            body["instructions"] = text
        case (_, *_):
            items.append({"role": "system", "content": _write_content(conversation.system, "input_text", "system")})
    for message in conversation.messages:
        items += _write_message(message)
    body["input"] = items
    if conversation.tools:
        body["tools"] = [_write_tool(tool) for tool in conversation.tools]
    if conversation.tool_choice is not None:
        choice = conversation.tool_choice
        named = {"type": "function", "name": choice.name}
        body["tool_choice"] = named if choice.kind == "tool" else choice_word(choice)
    left = dict(params)
    reasoning, verbosity = left.pop("reasoning", None), left.pop("verbosity", None)
    written: dict[str, Any] = {} if conversation.format is None else {"format": _write_format(conversation.format)}
    if verbosity is not None:
        written["verbosity"] = verbosity
    if written:
        body["text"] = written
    if reasoning is not None:
        if not isinstance(reasoning, dict) or reasoning.keys() != {"effort"}:
            raise cannot("reasoning", 'the body takes {"effort": word} alone')
        body["reasoning"] = reasoning
    write_params(body, left, NAMES)
    return body


# Reading a request


def _read_input(given: Any) -> tuple[tuple[Part, ...], tuple[Message, ...]]:
    if given is None:
        return (), ()
    if isinstance(given, str):
        return (), (Message("user", (Text(given),)),)
    system: list[Part] = []
    turns: list[tuple[str, list[Part]]] = []
    results = False  # whether the last turn holds nothing but outputs of tools so far
    for entry in expect(given, list, '"input"'):
        item = expect(entry, dict, "an item")
        if item.get("role") in ("system", "developer") and not turns and item.keys() <= {"type", "role", "content"}:
            system += _read_content(item.get("content"))
            continue
        role, parts = _read_item(item)
        is_result = item.get("type") == "function_call_output"
        if turns and turns[-1][0] == role and (role == "assistant" or results):
            turns[-1][1].extend(parts)
        else:
            turns.append((role, list(parts)))
        results = is_result
    return tuple(system), tuple(Message(role, tuple(parts)) for role, parts in turns)


def _read_item(item: dict[str, Any]) -> tuple[str, tuple[Part, ...]]:
    """Whose turn an item belongs to, and its parts."""
    word = item.get("type", "message")
    if word == "message" and item.get("role") in ("user", "assistant"):
        rest = {name: value for name, value in item.items() if name not in {"type", "role", "content", *_ITEM}}
        left = (Foreign(field="extra", value={"message": rest}),) if rest else ()
        return item["role"], (*_read_content(item.get("content")), *left)
    if word == "function_call" and isinstance(item.get("name"), str) and isinstance(item.get("call_id"), str):
        arguments = item.get("arguments")
        is_json, value = parsed(arguments) if isinstance(arguments, str) else (True, arguments)
        raw = None if is_json or not isinstance(arguments, str) else arguments
        return "assistant", (Call(id=item["call_id"], name=item["name"], arguments=value, raw=raw),)
    if word == "function_call_output" and isinstance(item.get("call_id"), str):
        return "user", (Result(id=item["call_id"], content=_read_content(item.get("output"))),)
    if word == "reasoning":
        return "assistant", (Foreign(field="reasoning_content", value={"item": item}),)
    if str(word).endswith("_call"):
        return "assistant", (Foreign(field="tool_call", value={"item": item}),)
    return "user", (Foreign(field="system" if word == "message" else "extra", value={"item": item}),)


def _read_content(content: Any) -> tuple[Part, ...]:
    if content is None:
        return ()
    if isinstance(content, str):
        return (Text(content),)
    return tuple(_read_part(expect(part, dict, "a part")) for part in expect(content, list, "an item's content"))


def _read_part(part: dict[str, Any]) -> Part:
    word = part.get("type")
    said = {name: value for name, value in part.items() if name != "type" and value not in (None, [])}
    if word in ("input_text", "output_text", "text") and said.keys() == {"text"} and isinstance(said["text"], str):
        return Text(said["text"])
    plain = all(isinstance(value, str) for value in said.values())
    if word == "input_image" and plain and "image_url" in said and said.keys() <= {"image_url", "detail"}:
        split = split_data_uri(said["image_url"])
        if split is None:
            return Image(url=said["image_url"], detail=said.get("detail"))
        return Image(media_type=split[0], data=split[1], detail=said.get("detail"))
    if word == "input_file" and plain and "file_data" in said and said.keys() <= {"file_data", "filename"}:
        read = read_file(said)
        if read is not None:
            return read
    fields = {"input_image": "image", "input_file": "document", "input_audio": "audio"}
    return Foreign(field=fields.get(str(word), "extra"), value=part)


def _read_tools(table: Mapping[str, Any], extra: dict[str, Any]) -> Iterator[Tool]:
    for tool in expect(table.get("tools") or [], list, '"tools"'):
        plain = isinstance(tool, dict) and tool.get("type") == "function"
        read = read_function({name: value for name, value in tool.items() if name != "type"}) if plain else None
        if read is None:
            extra.setdefault("tools", []).append(tool)
        else:
            yield read


def _read_choice(table: Mapping[str, Any], extra: dict[str, Any]) -> ToolChoice | None:
    choice = table.get("tool_choice")
    read = read_choice(choice)
    if read is None and choice is not None:
        extra["tool_choice"] = choice
    return read


def _read_format(text: dict[str, Any]) -> Format | None:
    """The form in {"format": ...}, taken out where it is understood."""
    form = text.get("format")
    if not isinstance(form, dict):
        return None
    rest = {name: value for name, value in form.items() if name != "type"}
    word = form.get("type")
    read = read_schema(rest) if word == "json_schema" else None
    if word in ("text", "json_object") and not rest:
        read = Format(kind="text" if word == "text" else "json")
    if read is not None:
        del text["format"]
    return read


# Writing a request


def _write_message(message: Message) -> Iterator[Any]:
    """The items of a turn, in its order: a message for each run of content, an item for anything else."""
    if message.name is not None:
        raise cannot("message_name", "a message of the responses API has no name")
    if message.role not in ("user", "assistant"):
        raise cannot("message_order", f'a turn has the role "{message.role}"')
    said: list[Part] = []
    silent = True
    for part in message.content:
        item = _write_item(part)
        if item is None:
            said.append(part)
            continue
        yield from _said(message.role, said)
        said, silent = [], False
        yield item
    if said or silent:
        yield from _said(message.role, said, always=True)


def _said(role: str, parts: list[Part], *, always: bool = False) -> Iterator[dict[str, Any]]:
    content = [part for part in parts if not _beside(part)]
    more: dict[str, Any] = {}
    for part in parts:
        if isinstance(part, Foreign) and _beside(part):
            more |= tabled(tabled(part.value)["message"])
    if parts or always:
        word = "output_text" if role == "assistant" else "input_text"
        yield {"role": role, "content": _write_content(content, word, "message_order"), **more}


def _beside(part: Part) -> bool:
    return isinstance(part, Foreign) and isinstance(part.value, dict) and part.value.keys() == {"message"}


def _write_item(part: Part) -> Json:
    """The item that a part is by itself; None for content of a message."""
    match part:
        case Call():
            if part.id is None:
                raise cannot("tool_call", "a call of the responses API has an id")
            arguments = part.raw if part.raw is not None else dump(part.arguments, "tool_call")
            return {"type": "function_call", "call_id": part.id, "name": part.name, "arguments": arguments}
        case Result():
            if part.id is None or part.name is not None or part.error:
                raise cannot("tool_result", "it has no id, or a name or an error that the body has no member for")
            values = [Text(dump(one.value, "tool_result")) if isinstance(one, Value) else one for one in part.content]
            output = _write_content(values, "input_text", "tool_result")
            return {"type": "function_call_output", "call_id": part.id, "output": output}
        case Foreign(value={"item": item}):
            return item
    return None


def _write_content(parts: Iterable[Part], text_word: str, field: str) -> str | list[Any]:
    parts = list(parts)
    if len(parts) == 1 and isinstance(parts[0], Text):
        return parts[0].text
    return [_write_part(part, text_word, field) for part in parts]


def _write_part(part: Part, text_word: str, field: str) -> Json:
    match part:
        case Text():
            return {"type": text_word, "text": part.text}
        case Image():
            detail = {} if part.detail is None else {"detail": part.detail}
            return {"type": "input_image", "image_url": image_url(part), **detail}
        case File(kind="document"):
            return {"type": "input_file", **write_file(part)}
        case File():
            raise cannot(part.kind, "the body has no part for it")
        case Foreign(value=dict(value)) if "type" in value:
            return value
        case Foreign():
            raise cannot(part.field, "it is written in another service's words")
        case _:
            words = {"CachePoint": "cache_point", "Reasoning": "reasoning_content"}
            raise cannot(words.get(type(part).__name__, field), f"a {type(part).__name__} has no place here")


def _write_tool(tool: Tool) -> dict[str, Any]:
    """`strict` is always said: left out, the responses API takes it as true, chat completions as false."""
    return {"type": "function", "strict": tool.strict, **write_function(tool)}


def _write_format(form: Format) -> dict[str, Any]:
    match form.kind:
        case "text":
            return {"type": "text"}
        case "json":
            return {"type": "json_object"}
        case "schema":
            return {"type": "json_schema", **write_schema(form)}
        case other:
            raise cannot("response_format", f'its kind is "{other}"')
