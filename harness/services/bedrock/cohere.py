"""Cohere Command R and R+: a message with its history, tools in a notation of Cohere's own.

Source: Bedrock user guide, "Cohere Command R and Command R+ models"; wire contracts D.5.
"""

from __future__ import annotations

from typing import Any

from harness.core.call import Reading, Tokens
from harness.core.case import Json
from harness.core.chat import Call, Conversation, Foreign, Message, Part, Result, Text, Tool, Value
from harness.core.output import Chat, ToolCall
from harness.errors import CodecError, UnencodableRequest
from harness.services._anthropic import stop_of
from harness.services._chat import count, finished, nameless, objects, only_text, plain, put, reading, table, take, text
from harness.services.bedrock.completion import STOPS

KIND = "Cohere Command R"

NAMES = {
    "max_tokens": "max_tokens",
    "temperature": "temperature",
    "top_p": "p",
    "top_k": "k",
    "seed": "seed",
    "stop": "stop_sequences",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
}
_ROLES = {"USER": "user", "CHATBOT": "assistant"}
_SAID = {role: name for name, role in _ROLES.items()}
# Python's words in Cohere's notation -> JSON Schema's.
_TYPES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean", "list": "array", "dict": "object"}
_WORDS = {schema: word for word, schema in _TYPES.items()}


def read(body: dict[str, Any]) -> tuple[Conversation, dict[str, Json]]:
    """A body as a conversation and params; `body` is used up. The message is the last user's turn.

    Results of tools follow the message as turns of their own. Raises CodecError where there is no message.
    """
    message, history, preamble = body.pop("message", None), body.pop("chat_history", []), body.get("preamble")
    if not isinstance(message, str) or not isinstance(history, list):
        raise CodecError("a body of Cohere Command R has a text as message and a list as chat_history")
    turns = [_turn(entry) for entry in history]
    turns.append(Message("user", (Text(message),)))
    results = body.get("tool_results")
    if isinstance(results, list) and results:
        found = [_result(one) for one in results]
        if all(found):
            del body["tool_results"]
            turns.append(Message("assistant", tuple(call for call, _ in filter(None, found))))
            turns.append(Message("user", tuple(result for _, result in filter(None, found))))
    params = take(body, NAMES)
    if isinstance(preamble, str):
        del body["preamble"]
    conversation = Conversation(
        messages=tuple(turns),
        system=(Text(preamble),) if isinstance(preamble, str) else (),
        tools=_take_tools(body),
    )
    if body:
        params["extra"] = body
    return conversation, params


def write(conversation: Conversation, left: dict[str, Any]) -> dict[str, Any]:
    """The body. left: params, used up. Raises UnencodableRequest for what it cannot say."""
    plain(conversation, KIND, "tool_choice", "format")
    nameless(conversation, KIND)
    turns = list(conversation.messages)
    results: list[dict[str, Any]] = []
    if len(turns) >= 3 and any(isinstance(part, Result) for part in turns[-1].content):
        results = _results_out(turns[-2], turns[-1])
        turns = turns[:-2]
    if not turns or turns[-1].role != "user":
        raise UnencodableRequest(f"{KIND} answers a text of the user, which comes last (message_order).")
    body: dict[str, Any] = {"message": only_text(turns[-1].content, KIND, "the last message")}
    if len(turns) > 1:
        body["chat_history"] = [_entry(turn) for turn in turns[:-1]]
    if conversation.system:
        body["preamble"] = only_text(conversation.system, KIND, "system")
    if conversation.tools:
        body["tools"] = [_tool_out(tool) for tool in conversation.tools]
    if results:
        body["tool_results"] = results
    put(body, left, NAMES)
    return finished(body, left, KIND)


def answer(body: dict[str, Any]) -> Reading:
    """{"text", "finish_reason", "tool_calls": [{"name", "parameters"}]}; counts are in headers, seldom in `meta`."""
    stop = body.get("finish_reason")
    calls = tuple(
        ToolCall(name=text(call.get("name")), arguments=call.get("parameters", {}))
        for call in objects(body.get("tool_calls"))
    )
    counts = table(table(body.get("meta")).get("tokens"))
    chat = Chat(
        text=text(body.get("text")),
        tool_calls=calls,
        stop=stop_of("TOOL_CALL" if calls and stop == "COMPLETE" else stop, STOPS),
        stop_raw=stop if isinstance(stop, str) else None,
    )
    return reading(chat, Tokens(input=count(counts.get("input_tokens")), output=count(counts.get("output_tokens"))))


def fold(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    """Chunks of Command and Command R, told apart by `event_type` where there is one; the last may hold all again."""
    body: dict[str, Any] = {"text": "".join(text(one.get("text")) for one in chunks if not one.get("is_finished"))}
    for one in chunks:
        if objects(one.get("tool_calls")):
            body["tool_calls"] = one["tool_calls"]
        if one.get("is_finished"):
            whole = {name: value for name, value in table(one.get("response")).items() if value is not None}
            body = {**body, "text": body["text"] or text(one.get("text")), **whole}
            body["finish_reason"] = one.get("finish_reason") or body.get("finish_reason")
    return body


def _turn(entry: Any) -> Message:
    role = entry.get("role") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or role not in ("USER", "CHATBOT", "SYSTEM", "TOOL"):
        raise CodecError("an entry of chat_history has no role that is known")
    match entry:
        case {"role": "USER" | "CHATBOT", "message": str(said), **rest} if not rest:
            return Message(_ROLES[entry["role"]], (Text(said),))
        case {"role": "CHATBOT", "message": str(said), "tool_calls": [*calls], **rest} if calls and not rest:
            found = [_call(one) for one in calls]
            if all(found):
                return Message("assistant", ((Text(said),) if said else ()) + tuple(filter(None, found)))
        case {"role": "TOOL", "tool_results": [*results], **rest} if results and not rest:
            pairs = [_result(one) for one in results]
            if all(pairs):
                # Cohere repeats each call beside its result.
                return Message("user", tuple(part for pair in filter(None, pairs) for part in pair))
    return Message("assistant" if role == "CHATBOT" else "user", (Foreign(field="message_order", value=entry),))


def _entry(turn: Message) -> dict[str, Any]:
    match turn.content:
        case (Foreign(value=dict(entry)),) if entry.get("role") in ("USER", "CHATBOT", "SYSTEM", "TOOL"):
            return entry
        case (Text(said),):
            return {"role": _SAID[turn.role], "message": said}
    if any(isinstance(part, Result) for part in turn.content):
        return {"role": "TOOL", "tool_results": _paired(turn.content)}
    first = [part.text for part in turn.content[:1] if isinstance(part, Text)]
    calls = [_call_out(part) for part in turn.content[len(first) :]]
    if turn.role != "assistant" or not calls:
        raise UnencodableRequest(f"{KIND} takes a turn of the history as one text, calls of tools, or their results.")
    return {"role": "CHATBOT", "message": "".join(first), "tool_calls": calls}


def _call(one: Any) -> Call | None:
    match one:
        case {"name": str(name), "parameters": parameters, **rest} if not rest:
            return Call(id=None, name=name, arguments=parameters)
    return None


def _call_out(part: Part) -> dict[str, Any]:
    if not isinstance(part, Call) or part.raw is not None or part.id is not None:
        raise UnencodableRequest(f"{KIND} knows calls by name and parameters alone, without an id (tool_call).")
    return {"name": part.name, "parameters": part.arguments}


def _result(one: Any) -> tuple[Call, Result] | None:
    match one:
        case {"call": call, "outputs": [*outputs], **rest} if not rest:
            read = _call(call)
            if read is not None and all(isinstance(output, dict) for output in outputs):
                return read, Result(id=None, name=read.name, content=tuple(Value(output) for output in outputs))
    return None


def _results_out(calls: Message, results: Message) -> list[dict[str, Any]]:
    if calls.role != "assistant" or len(calls.content) != len(results.content):
        raise UnencodableRequest(f"{KIND} takes one result for each call of the turn before it (tool_result).")
    return _paired(tuple(part for pair in zip(calls.content, results.content, strict=True) for part in pair))


def _paired(parts: tuple[Part, ...]) -> list[dict[str, Any]]:
    """Calls and their results in turn."""
    found: list[dict[str, Any]] = []
    for call, result in zip(parts[::2], parts[1::2], strict=False):
        if not isinstance(result, Result) or result.error or result.id is not None or len(parts) % 2:
            raise UnencodableRequest(f"{KIND} takes a result beside its call, without an id or error (tool_result).")
        said = _call_out(call)
        outputs = [part.value for part in result.content if isinstance(part, Value) and isinstance(part.value, dict)]
        if result.name != said["name"] or len(outputs) != len(result.content):
            raise UnencodableRequest(f"{KIND} takes results as objects under the name that was called (tool_result).")
        found.append({"call": said, "outputs": outputs})
    return found


def _take_tools(body: dict[str, Any]) -> tuple[Tool, ...]:
    if not isinstance(body.get("tools"), list):
        return ()
    read = [(one, _tool(one)) for one in body.pop("tools")]
    others = [one for one, tool in read if tool is None]
    if others:
        body["tools"] = others
    return tuple(tool for _, tool in read if tool is not None)


def _tool(one: Any) -> Tool | None:
    try:
        definitions = one["parameter_definitions"]
        schema: dict[str, Any] = {
            "type": "object",
            "properties": {name: _property(said) for name, said in definitions.items()},
        }
        required = [name for name, said in definitions.items() if said.get("required") is True]
        tool = Tool(
            name=one["name"],
            description=one.get("description"),
            schema={**schema, "required": required} if required else schema,
        )
        return tool if _tool_out(tool) == _usual(one) else None
    except (KeyError, TypeError, ValueError, AttributeError, UnencodableRequest):
        return None


def _usual(one: dict[str, Any]) -> dict[str, Any]:
    """A tool without `required` where it says the default."""
    definitions = {
        name: {key: value for key, value in said.items() if (key, value) != ("required", False)}
        for name, said in one["parameter_definitions"].items()
    }
    return {**one, "parameter_definitions": definitions}


def _property(said: dict[str, Any]) -> dict[str, Any]:
    described = {"description": said["description"]} if "description" in said else {}
    return {**described, "type": _TYPES[said["type"]]}


def _tool_out(tool: Tool) -> dict[str, Any]:
    """Cohere's notation knows flat parameters of plain types. Raises UnencodableRequest for any other schema."""
    schema = dict(tool.schema)
    properties, required = table(schema.pop("properties", {})), schema.pop("required", [])
    flat = all(
        isinstance(said, dict) and not said.keys() - {"type", "description"} and said.get("type") in _WORDS
        for said in properties.values()
    )
    if schema not in ({"type": "object"}, {}) or not flat or tool.strict is not None or tool.cache:
        raise UnencodableRequest(f'{KIND}: tool "{tool.name}" has a schema that is not flat and plain (tool_schema).')
    definitions = {
        name: {
            **{key: value for key, value in said.items() if key == "description"},
            "type": _WORDS[said["type"]],
            **({"required": True} if isinstance(required, list) and name in required else {}),
        }
        for name, said in properties.items()
    }
    described = {} if tool.description is None else {"description": tool.description}
    return {"name": tool.name, **described, "parameter_definitions": definitions}
