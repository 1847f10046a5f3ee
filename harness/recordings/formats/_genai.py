"""Messages of a GenAI span, in each of the forms in which instrumentations write them.

`gen_ai.input.messages` and `gen_ai.output.messages` hold a list (or its JSON) of {"role", "parts"}; some write OpenAI's
own messages there. Earlier ones number their attributes: `gen_ai.prompt.0.content`,
`gen_ai.completion.0.tool_calls.0.name`, `llm.request.functions.0.name`.

Source: OpenTelemetry semantic conventions, "Generative AI spans" 1.37; OpenLLMetry, semantic conventions for LLMs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.recordings.formats._json import UNREADABLE, document, json_bytes

_NUMBERED = re.compile(
    r"gen_ai\.(prompt|completion)\.(\d{1,4})\."
    r"(?:(role|content|finish_reason|tool_call_id)|tool_calls\.(\d{1,4})\.(id|name|arguments))"
)
_FUNCTION = re.compile(r"llm\.request\.functions\.(\d{1,4})\.(name|description|parameters)")
# Of an answer these are no text, and of a request they change nothing that is asked.
_THOUGHTS = ("reasoning", "thinking")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """calls: {"id", "name", "arguments"}; results: {"id", "response"}. whole: False where a part is of a kind that is
    left out here, or was not kept.
    """

    role: str
    text: str = ""
    calls: tuple[dict[str, Any], ...] = ()
    results: tuple[dict[str, Any], ...] = ()
    stop: Any = None
    whole: bool = True


def messages(said: Mapping[str, Any], half: str) -> list[Message]:
    """The messages of a span's attributes, the system's first. half: input or output."""
    current = parsed(said.get(f"gen_ai.{half}.messages"))
    if current:
        system = parsed(said.get("gen_ai.system_instructions")) if half == "input" else []
        head = [{"role": "system", "parts": system}] if system else []
        return [_message(one) for one in (*head, *current)]
    return _numbered(said, "prompt" if half == "input" else "completion")


def tools(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The tools that were offered, as {"name", "description", "parameters"} with what is known of them."""
    listed = [table(one.get("function")) or one for one in parsed(said.get("gen_ai.tool.definitions"))]
    numbered: dict[int, dict[str, Any]] = {}
    for name, value in said.items():
        if found := _FUNCTION.fullmatch(name):
            numbered.setdefault(int(found[1]), {})[found[2]] = value
    found_all = [*listed, *(one for _, one in sorted(numbered.items()))]
    return [
        {"name": str(one["name"])}
        | ({"description": one["description"]} if isinstance(one.get("description"), str) else {})
        | {"parameters": tabled(one.get("parameters")) or {"type": "object", "properties": {}}}
        for one in found_all
        if one.get("name")
    ]


def parsed(value: Any) -> list[dict[str, Any]]:
    """A list of objects, given as such or as its JSON; empty where one of it is no object."""
    if isinstance(value, str):
        try:
            value = document(value.encode("utf-8", "replace"))
        except UNREADABLE:
            return []
    return value if isinstance(value, list) and all(isinstance(one, dict) for one in value) else []


def table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def tabled(value: Any) -> dict[str, Any]:
    """An object, given as such or as its JSON; empty for anything else."""
    try:
        return table(document(value.encode("utf-8", "replace")) if isinstance(value, str) else value)
    except UNREADABLE:
        return {}


def _message(told: Mapping[str, Any]) -> Message:
    role, stop = str(told.get("role", "user")), told.get("finish_reason")
    if "parts" not in told:
        return _openai(told, role, stop)
    parts = parsed(told["parts"])
    texts = [one["content"] for one in parts if one.get("type") == "text" and isinstance(one.get("content"), str)]
    calls = [one for one in parts if one.get("type") == "tool_call"]
    results = [one for one in parts if one.get("type") == "tool_call_response"]
    thoughts = sum(one.get("type") in _THOUGHTS for one in parts)
    return Message(
        role=role,
        text="".join(texts),
        calls=tuple(calls),
        results=tuple({"response": one.get("result"), **one} for one in results),
        stop=stop,
        whole=len(texts) + len(calls) + len(results) + thoughts == len(parts) and (bool(parts) or told["parts"] == []),
    )


def _openai(told: Mapping[str, Any], role: str, stop: Any) -> Message:
    """A message in OpenAI's form: `content`, `tool_calls`, `tool_call_id`."""
    text, whole = _content(told.get("content"))
    calls = [{"id": one.get("id"), **(table(one.get("function")) or one)} for one in parsed(told.get("tool_calls"))]
    if role == "tool" and told.get("tool_call_id") is not None:
        result = {"id": told["tool_call_id"], "response": text}
        return Message(role=role, results=(result,), stop=stop, whole=whole)
    known = told.get("content") is not None or bool(calls)
    return Message(role=role, text=text, calls=tuple(calls), stop=stop, whole=whole and known)


def _content(value: Any) -> tuple[str, bool]:
    """The text of a content, and whether that is all of it. A list of parts may be its JSON."""
    if isinstance(value, str) and not value.startswith("[{"):
        return value, True
    parts = parsed(value)
    if not parts or not all("type" in one for one in parts):
        return (value if isinstance(value, str) else "" if value is None else json_bytes(value).decode()), True
    texts = [one["text"] for one in parts if one["type"] == "text" and isinstance(one.get("text"), str)]
    return "".join(texts), len(texts) == len(parts)


def _numbered(said: Mapping[str, Any], word: str) -> list[Message]:
    fields: dict[int, dict[str, Any]] = {}
    calls: dict[int, dict[int, dict[str, Any]]] = {}
    for name, value in said.items():
        found = _NUMBERED.fullmatch(name)
        if found is None or found[1] != word:
            continue
        number = int(found[2])
        fields.setdefault(number, {})
        if found[3] is not None:
            fields[number][found[3]] = value
        else:
            calls.setdefault(number, {}).setdefault(int(found[4]), {})[found[5]] = value
    role = "user" if word == "prompt" else "assistant"
    return [
        _openai(
            {"role": role, **one, "tool_calls": [call for _, call in sorted(calls.get(number, {}).items())]},
            str(one.get("role", role)),
            one.get("finish_reason"),
        )
        for number, one in sorted(fields.items())
    ]
