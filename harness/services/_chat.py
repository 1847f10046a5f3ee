"""What every codec of a chat model needs: taking a body apart without losing a member, and saying what came back.

A codec reads a body by taking out what it knows; what is left over goes into params["extra"] under its own names, and
is laid back into the body when the request is sent. It writes a body by taking params; one that is left over has no
place in the body, which is an error: nothing is dropped in silence.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from harness.core.call import Reading, Tokens
from harness.core.case import Json, Request
from harness.core.chat import Conversation, Part, Text
from harness.core.output import Chat, Output, ToolCall
from harness.errors import CodecError, UnencodableRequest

# Said by the operation or by the address of a call, never by its body.
ADDRESSED = ("model", "stream", "api")


_TOO_MANY = 2**63  # no count is as large; what claims to be is damage


class NoAnswer(CodecError):
    """A reply in which no answer can be found. The message quotes nothing of it."""


def json_object(body: bytes | str) -> dict[str, Any]:
    """The JSON object in a body. Raises NoAnswer saying where it ends or breaks."""
    try:
        value = json.loads(body.decode("utf-8") if isinstance(body, bytes) else body)
    except UnicodeDecodeError as exc:
        raise NoAnswer(f"it is not UTF-8 (byte {exc.start} of {len(body)})") from None
    except json.JSONDecodeError as exc:
        reason = "ends too early" if exc.pos >= len(exc.doc.rstrip()) else "is malformed"
        # The exception holds the whole document, so it is not kept as the cause.
        raise NoAnswer(f"its JSON {reason} (character {exc.pos} of {len(exc.doc)})") from None
    except (RecursionError, ValueError):
        raise NoAnswer("its JSON is nested too deeply or holds a number too long to read") from None
    if not isinstance(value, dict):
        raise NoAnswer(f"it is JSON, but {type(value).__name__} in place of an object")
    return value


def parsed(text: str) -> tuple[bool, Json]:
    """Whether a text is JSON, and its value. NaN and infinities are not JSON."""
    try:
        return True, json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False, None


def _refuse(word: str) -> None:
    raise ValueError(word)


def tool_call(name: str, arguments: str, call_id: str | None = None) -> ToolCall:
    """A call whose arguments came as text; text that is no JSON is kept in `raw`."""
    is_json, value = parsed(arguments)
    return ToolCall(name=name, arguments=value, id=call_id, raw=None if is_json else arguments)


def take(body: dict[str, Any], names: Mapping[str, str]) -> dict[str, Json]:
    """Take members out of a body. names: neutral name -> place, as in "inferenceConfig.maxTokens".

    null says nothing and stays where it is, and so does a `stop` that is no list.
    """
    taken: dict[str, Json] = {}
    for neutral, place in names.items():
        value = _taken(body, place.split("."), neutral)
        if value is not None:
            taken[neutral] = value
    return taken


def _taken(table: dict[str, Any], place: list[str], neutral: str) -> Json:
    name, *rest = place
    inner = table.get(name)
    if rest:
        value = _taken(inner, rest, neutral) if isinstance(inner, dict) else None
        if value is not None and not inner:
            del table[name]
        return value
    if inner is None or (neutral == "stop" and not isinstance(inner, list)):
        return None
    return table.pop(name)  # type: ignore[no-any-return] # any JSON


def put(body: dict[str, Any], left: dict[str, Any], names: Mapping[str, str]) -> None:
    """The way back of `take`: lay params into a body, taking them out of `left`."""
    for neutral, place in names.items():
        if neutral in left:
            *path, name = place.split(".")
            table = body
            for step in path:
                table = table.setdefault(step, {})
            table[name] = left.pop(neutral)


def finished(body: dict[str, Any], left: dict[str, Any], kind: str) -> dict[str, Any]:
    """The body with its extra members. Raises UnencodableRequest naming params that have no place in it."""
    extra = left.pop("extra", None)
    unsaid = sorted(name for name in left if name not in ADDRESSED)
    if unsaid:
        raise UnencodableRequest(f"a body of {kind} has no place for {', '.join(unsaid)}.")
    return merged(body, extra) if isinstance(extra, dict) else body


def merged(body: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """`body` with the members of `extra`: objects are merged, lists joined, anything else is `extra`'s."""
    both = dict(body)
    for name, value in extra.items():
        own = both.get(name)
        if isinstance(own, dict) and isinstance(value, dict):
            both[name] = merged(own, value)
        elif isinstance(own, list) and isinstance(value, list):
            both[name] = [*own, *value]
        else:
            both[name] = value
    return both


def only_text(parts: tuple[Part, ...], kind: str, where: str) -> str:
    """The text of parts that are all text. Raises UnencodableRequest."""
    if any(not isinstance(part, Text) for part in parts) or len(parts) > 1:
        raise UnencodableRequest(f"a body of {kind} takes one plain text as {where}.")
    return parts[0].text if parts and isinstance(parts[0], Text) else ""


def plain(conversation: Conversation, kind: str, *names: str) -> None:
    """Raise UnencodableRequest where the conversation says one of `names` (tools, tool_choice, format, system)."""
    for name in names:
        value = getattr(conversation, name)
        if value and getattr(value, "kind", None) != "text":
            raise UnencodableRequest(f"a body of {kind} has no place for {name}.")


def nameless(conversation: Conversation, kind: str) -> None:
    """Raise UnencodableRequest where a turn says who speaks."""
    if any(message.name is not None for message in conversation.messages):
        raise UnencodableRequest(f"a body of {kind} has no place for the name of a speaker (message_name).")


def count(value: object) -> int | None:
    """A token count: a whole number, also as 3.0 or "3"; None for anything else."""
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdecimal() and len(value) < 20:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _TOO_MANY:
        return None
    return int(value)


def reading(output: Output, tokens: Tokens | None = None, served_model: object = None) -> Reading:
    """A reading with token counts in both forms, where they say anything. served_model: as the body says it."""
    said = tokens is not None and (tokens.input is not None or tokens.output is not None)
    return Reading(
        output=output,
        served_model=served_model if isinstance(served_model, str) and served_model else None,
        tokens=tokens if said else None,
        tokens_in=tokens.input_total if said and tokens else None,
        tokens_out=tokens.output if said and tokens else None,
    )


def counted(read: Reading, tokens: Tokens | None) -> Reading:
    """`read` with these counts; unchanged where they say nothing."""
    if tokens is None or (tokens.input is None and tokens.output is None):
        return read
    return replace(read, tokens=tokens, tokens_in=tokens.input_total, tokens_out=tokens.output)


def valued(chat: Chat, request: Request) -> Chat:
    """The chat with its `value`, where the request asked for JSON and the text is JSON."""
    form = request.payload.get("format") if isinstance(request.payload, dict) else None
    if not isinstance(form, dict) or form.get("kind") not in ("json", "schema"):
        return chat
    try:
        return replace(chat, value=json.loads(chat.text), has_value=True)
    except (ValueError, RecursionError):
        return chat


def text(value: object) -> str:
    """A text, or "" for anything else: for members that a service documents as text."""
    return value if isinstance(value, str) else ""


def objects(value: object) -> list[dict[str, Any]]:
    """The objects of a list; [] where it is none."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def table(value: object) -> dict[str, Any]:
    """An object; {} where it is none."""
    return value if isinstance(value, dict) else {}
