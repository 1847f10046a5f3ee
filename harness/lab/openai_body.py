"""Chat completion bodies: what the service takes, in its own words where it refuses, and the prompt in them.

Source: Azure OpenAI REST reference, chat completions (members, ranges, `stop` of at most four); the service's error
bodies (`message`, `type`, `param`, `code`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.lab.chat.prompt import Call, Prompt, Tool, Turn

STOPS_AT_MOST = 4
ROLES = ("system", "assistant", "user", "tool", "developer")


class Invalid(Exception):
    """A body that the service refuses with 400; `param` and `code` as in its error object."""

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.param = param
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a member may be: types, and for numbers the range."""

    types: tuple[type, ...]
    word: str
    low: float | None = None
    high: float | None = None

    def fits(self, value: Any) -> bool:
        """Whether the value is of one of the types; True is no number."""
        return isinstance(value, self.types) and (bool in self.types or not isinstance(value, bool))


TEXT, LIST, OBJECT = (
    Rule(types=(str,), word="a string"),
    Rule(types=(list,), word="an array"),
    Rule(types=(dict,), word="an object"),
)
FLAG = Rule(types=(bool,), word="a boolean")


def number(low: float, high: float) -> Rule:
    """A number within a range."""
    return Rule(types=(int, float), word="a decimal", low=low, high=high)


def whole(low: float, high: float | None = None) -> Rule:
    """A whole number within a range."""
    return Rule(types=(int,), word="an integer", low=low, high=high)


MEMBERS: Mapping[str, Rule] = {
    "messages": LIST,
    "model": TEXT,
    "temperature": number(0, 2),
    "top_p": number(0, 1),
    "max_tokens": whole(1),
    "max_completion_tokens": whole(1),
    "stop": Rule(types=(str, list), word="a string or an array of strings"),
    "n": whole(1, 128),
    "seed": Rule(types=(int,), word="an integer"),
    "logprobs": FLAG,
    "top_logprobs": whole(0, 20),
    "logit_bias": OBJECT,
    "presence_penalty": number(-2, 2),
    "frequency_penalty": number(-2, 2),
    "response_format": OBJECT,
    "tools": LIST,
    "tool_choice": Rule(types=(str, dict), word="a string or an object"),
    "parallel_tool_calls": FLAG,
    "stream": FLAG,
    "stream_options": OBJECT,
    "reasoning_effort": TEXT,
    "verbosity": TEXT,
    "user": TEXT,
    "metadata": OBJECT,
    "store": FLAG,
    "service_tier": TEXT,
    "prompt_cache_key": TEXT,
    "safety_identifier": TEXT,
    "modalities": LIST,
    "prediction": OBJECT,
}
# What models that reason first do not take.
_NOT_WHEN_REASONING = (
    "temperature",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "logprobs",
    "top_logprobs",
    "logit_bias",
    "max_tokens",
)


def prompt(body: Any, *, reasons: bool) -> Prompt:
    """The prompt of a chat completion body. reasons: the model thinks first. Raises Invalid."""
    if not isinstance(body, dict):
        raise Invalid("We could not parse the JSON body of your request.")
    check(body, MEMBERS)
    if not body.get("messages"):
        raise Invalid("Missing required parameter: 'messages'.", param="messages", code="missing_required_parameter")
    refused = next((name for name in _NOT_WHEN_REASONING if reasons and body.get(name) is not None), None)
    if refused is not None:
        instead = " Use 'max_completion_tokens' instead." if refused == "max_tokens" else ""
        message = f"Unsupported parameter: '{refused}' is not supported with this model.{instead}"
        raise Invalid(message, param=refused, code="unsupported_parameter")
    stop = body.get("stop") or []
    stops = tuple([stop] if isinstance(stop, str) else stop)
    if len(stops) > STOPS_AT_MOST:
        raise Invalid(
            f"Invalid 'stop': array too long. Expected an array with maximum length {STOPS_AT_MOST}, but got an array "
            f"with length {len(stops)} instead.",
            param="stop",
            code="array_above_max_length",
        )
    messages = body["messages"]
    _check_results(messages)
    schema, wants_json = _format(body.get("response_format"), messages)
    choice = body.get("tool_choice")
    if choice is not None and not body.get("tools"):
        message = "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified."
        raise Invalid(message, param="tool_choice")
    return Prompt(
        system="\n\n".join(_text(one) for one in messages if one.get("role") in ("system", "developer")),
        turns=turns(messages),
        tools=() if choice == "none" else tuple(map(_tool, body.get("tools") or ())),
        only_tool=choice["function"]["name"] if isinstance(choice, dict) else None,
        schema=schema,
        json=wants_json,
        max_tokens=body.get("max_completion_tokens") or body.get("max_tokens"),
        stop=stops,
    )


def check(body: Mapping[str, Any], members: Mapping[str, Rule]) -> None:
    """Every member is known, and of the right type and range. Raises Invalid for the first that is not."""
    for name, value in body.items():
        rule = members.get(name)
        if rule is None:
            raise Invalid(f"Unrecognized request argument supplied: {name}")
        if value is None:
            continue
        if not rule.fits(value):
            message = f"Invalid type for '{name}': expected {rule.word}, but got {_kind(value)} instead."
            raise Invalid(message, param=name, code="invalid_type")
        if rule.high is not None and value > rule.high:
            raise _out_of_range(name, rule, value, "above", "maximum", f"<= {rule.high:g}")
        if rule.low is not None and value < rule.low:
            raise _out_of_range(name, rule, value, "below", "minimum", f">= {rule.low:g}")


def _out_of_range(name: str, rule: Rule, value: float, side: str, end: str, wanted: str) -> Invalid:
    kind = rule.word.split()[1]
    message = f"Invalid '{name}': {kind} {side} {end} value. Expected a value {wanted}, but got {value} instead."
    return Invalid(message, param=name, code=f"{kind}_{side}_{end[:3]}_value")


def turns(messages: list[dict[str, Any]]) -> tuple[Turn, ...]:
    """The turns without the system's; the results of tools are one user's turn."""
    made: list[Turn] = []
    for message in messages:
        match message["role"]:
            case "user":
                made.append(Turn(role="user", text=_text(message)))
            case "assistant":
                calls = tuple(
                    Call(name=call["function"]["name"], arguments=json.loads(call["function"]["arguments"]))
                    for call in message.get("tool_calls") or ()
                )
                made.append(Turn(role="assistant", text=_text(message), calls=calls))
            case "tool":
                before = made.pop() if made and made[-1].results else Turn(role="user")
                made.append(Turn(role="user", results=(*before.results, _text(message))))
    return tuple(made)


def _check_results(messages: list[Any]) -> None:
    """Roles are known, and each tool's result answers a call of the assistant's turn before it."""
    open_calls: set[str] = set()
    for number, message in enumerate(messages):
        place = f"messages[{number}]"
        role = message.get("role") if isinstance(message, dict) else None
        if role not in ROLES:
            raise Invalid(
                f"Invalid value: '{role}'. Supported values are: {', '.join(map(repr, ROLES))}.",
                param=f"{place}.role",
                code="invalid_value",
            )
        if role == "tool":
            if message.get("tool_call_id") not in open_calls:
                raise Invalid(
                    "Invalid parameter: messages with role 'tool' must be a response to a preceding message with "
                    "'tool_calls'.",
                    param=f"{place}.role",
                )
            open_calls.discard(message["tool_call_id"])
            continue
        if open_calls:
            raise Invalid(
                "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
                "'tool_call_id'.",
                param=f"{place}.role",
            )
        if role == "assistant":
            open_calls = {call["id"] for call in message.get("tool_calls") or ()}
        elif message.get("content") is None:
            raise Invalid(
                "Invalid value for 'content': expected a string, got null.",
                param=f"{place}.content",
                code="invalid_type",
            )


def _format(form: dict[str, Any] | None, messages: list[dict[str, Any]]) -> tuple[dict[str, Any] | None, bool]:
    """(schema that the answer must follow, whether it must be JSON)."""
    kind = form.get("type") if form is not None else "text"
    if kind == "text":
        return None, False
    if kind == "json_object":
        if not any("json" in _text(message).lower() for message in messages):
            raise Invalid(
                "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
                param="messages",
            )
        return None, True
    if form is None or kind != "json_schema":
        message = f"Invalid value: '{kind}'. Supported values are: 'json_object', 'json_schema', and 'text'."
        raise Invalid(message, param="response_format.type", code="invalid_value")
    described = form.get("json_schema")
    if not isinstance(described, dict) or not described.get("name"):
        message = "Missing required parameter: 'response_format.json_schema.name'."
        raise Invalid(message, param="response_format.json_schema.name", code="missing_required_parameter")
    schema = described.get("schema", {})
    if described.get("strict"):
        check_strict(schema, f"response_format '{described['name']}'", "response_format")
    return schema, True


def check_strict(schema: Mapping[str, Any], whose: str, param: str, place: str = "") -> None:
    """What strict mode asks of a schema: every object closed, every property required. Raises Invalid."""
    context = f"In context=({place}), "
    if schema.get("type") == "object":
        if schema.get("additionalProperties") is not False:
            rule = "'additionalProperties' is required to be supplied and to be false."
            raise Invalid(f"Invalid schema for {whose}: {context}{rule}", param=param)
        missing = sorted(set(schema.get("properties", ())) - set(schema.get("required", ())))
        if missing:
            message = (
                f"Invalid schema for {whose}: {context}'required' is required to be supplied and to be an array "
                f"including every key in properties. Missing '{missing[0]}'."
            )
            raise Invalid(message, param=param)
    for name, inner in schema.get("properties", {}).items():
        check_strict(inner, whose, param, f"{place}'properties', '{name}'")
    if isinstance(schema.get("items"), dict):
        check_strict(schema["items"], whose, param, f"{place}'items'")


def _tool(tool: Any) -> Tool:
    function = tool.get("function") if isinstance(tool, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise Invalid(
            "Missing required parameter: 'tools[0].function'.",
            param="tools[0].function",
            code="missing_required_parameter",
        )
    if function.get("strict"):
        check_strict(function.get("parameters", {}), f"function '{function['name']}'", "tools")
    return Tool(
        name=function["name"], description=function.get("description") or "", schema=function.get("parameters", {})
    )


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return "\n\n".join(part["text"] for part in content if part.get("type") == "text")
    return content or ""


def _kind(value: Any) -> str:
    words = {bool: "a boolean", str: "a string", int: "an integer", float: "a decimal", list: "an array"}
    return words.get(type(value), "an object")
