"""Tools, which of them must be called, and the form of the answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from harness.core.case import Json
from harness.core.chat import Call, Conversation, Format, Result, Tool, ToolChoice
from harness.pairs._parts.fit import Losses, Target

# What strict schemas of OpenAI leave out. Source: OpenAI and Azure OpenAI, "Structured outputs", supported schemas.
UNSUPPORTED = frozenset(
    {
        *("minLength", "maxLength", "pattern", "format", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
        *("multipleOf", "patternProperties", "unevaluatedProperties", "propertyNames", "minProperties"),
        *("maxProperties", "unevaluatedItems", "contains", "minContains", "maxContains", "minItems", "maxItems"),
        *("uniqueItems", "allOf", "oneOf", "not", "dependentRequired", "dependentSchemas", "if", "then", "else"),
    }
)
OPEN = "an object without additionalProperties false"
ANSWER = "answer"  # what a schema is called where the source gave it no name
_NESTED = ("anyOf", "prefixItems")
_NAMED = ("properties", "$defs", "definitions")


def carry(conversation: Conversation, target: Target, losses: Losses) -> Conversation:
    """The conversation with the tools, the choice among them and the answer's form as the target takes them."""
    said = replace(conversation, format=_format(conversation.format, target, losses))
    if not conversation.tools:
        return replace(said, tool_choice=None)
    if target.accepts("tools") is not True:
        losses.drop("tools", "given", target.who("tools"))
        return replace(said, tools=(), tool_choice=None)
    choice, offered = _choice(conversation, target, losses)
    tools = tuple(_tool(tool, target, losses) for tool in conversation.tools) if offered else ()
    return replace(said, tools=tools, tool_choice=choice)


def _choice(conversation: Conversation, target: Target, losses: Losses) -> tuple[ToolChoice | None, bool]:
    """What is said of the choice, and whether the tools are offered at all."""
    choice = conversation.tool_choice
    if choice is None or target.allows("tool_choice", choice.kind):
        return choice, True
    if choice.kind == "auto":
        return None, True  # every service leaves the choice to the model where nothing is said
    if choice.kind == "none":
        parts = [part for message in conversation.messages for part in message.content]
        if not any(isinstance(part, Call | Result) for part in parts):
            losses.change("tool_choice", "none", "the tools are left out", target.who("tool_choice"))
            return None, False
        losses.change("tool_choice", "none", "auto", "earlier turns hold tool calls, so the tools must be told")
        return None, True
    if choice.kind == "tool" and target.allows("tool_choice", "any") and len(conversation.tools) == 1:
        losses.change("tool_choice", "tool", "any", "there is but one tool, and the target cannot be told its name")
        return ToolChoice("any"), True
    losses.change("tool_choice", choice.kind, "auto", target.who("tool_choice"))
    return None, True


def _tool(tool: Tool, target: Target, losses: Losses) -> Tool:
    kept = tool
    if tool.cache and target.accepts("cache_point") is not True:
        losses.drop("cache_point", "after a tool", target.who("cache_point"))
        kept = replace(kept, cache=False)
    openai = target.api.words == "openai"
    if openai and (problem := root_problem(tool.schema)):
        losses.change("tool_schema", problem, "the same", f"{target.api.title} wants an object at the root")
    if tool.strict:
        if not target.allows("tool_schema", "strict"):
            losses.drop("tool_schema", "strict", target.who("tool_schema"))
            return replace(kept, strict=None)
        if openai and (problem := strict_problem(tool.schema)):
            losses.drop("tool_schema", "strict", f"{target.api.title} refuses it as strict: {problem}")
            return replace(kept, strict=False if target.api.strict_by_default else None)
        if not openai and _is_open(tool.schema):
            losses.change("tool_schema", OPEN, "the same", f"{target.api.title} may refuse it: it wants closed objects")
    elif tool.strict is None and target.api.strict_by_default:
        losses.change("tool_schema", "not said to be strict", "not strict", f"{target.api.title} takes it as strict")
        return replace(kept, strict=False)
    return kept


def _format(form: Format | None, target: Target, losses: Losses) -> Format | None:
    if form is None or form.kind == "text":
        return form if form is None or target.allows("response_format", "text") else None
    if not target.allows("response_format", form.kind):
        losses.drop("response_format", form.kind, target.who("response_format"))
        return None
    if form.kind != "schema":
        return form
    if target.api.words != "openai":
        return _held(form, target, losses)
    if form.name is None:
        losses.change("response_format", "a schema without a name", ANSWER, f"{target.api.title} wants a name")
        form = replace(form, name=ANSWER)
    if form.strict is False:
        return form
    problem = strict_problem(form.schema or {})
    if problem is not None:
        reason = f"{target.api.title} refuses the schema as strict: {problem}"
        losses.change("response_format", "a schema that holds", "a schema as a hint", reason)
        return replace(form, strict=False)
    if form.strict is None:
        losses.change("response_format", "not said to be strict", "strict", "the source holds the answer to the schema")
        return replace(form, strict=True)
    return form


def _held(form: Format, target: Target, losses: Losses) -> Format:
    """To services that hold every answer to its schema, `strict` is not said; Anthropic's words have no name either."""
    if _is_open(form.schema or {}):
        losses.change("response_format", OPEN, "the same", f"{target.api.title} may refuse it: it wants closed objects")
    if form.strict is False:
        losses.change(
            "response_format", "a schema as a hint", "a schema that holds", f"{target.api.title} has no hints"
        )
    if target.api.words != "anthropic":
        return replace(form, strict=None)
    if form.name is not None or form.description is not None:
        losses.drop(
            "response_format", "name or description of the schema", f"{target.api.title} takes the schema alone"
        )
    return Format(kind="schema", schema=form.schema)


def _is_open(schema: Mapping[str, Json]) -> bool:
    """Whether an object lets other properties in, which Claude's schemas that hold do not allow.

    Source: Anthropic, "Structured outputs", JSON Schema limitations.
    """
    objects = (one for one in _walk(schema) if one.get("type") == "object" or "properties" in one)
    return any(one.get("additionalProperties") is not False for one in objects)


def root_problem(schema: Mapping[str, Json]) -> str | None:
    """Why OpenAI refuses a tool's schema, strict or not; None where it takes it."""
    for word in ("anyOf", "oneOf", "allOf", "enum", "not"):
        if word in schema:
            return f"{word} at the root"
    return "no object at the root" if schema.get("type", "object") != "object" else None


def strict_problem(schema: Mapping[str, Json]) -> str | None:
    """Why OpenAI refuses a schema as strict; None where it takes it."""
    problem = root_problem(schema)
    if problem is not None:
        return problem
    for inner in _walk(schema):
        for word in sorted(UNSUPPORTED & set(inner)):
            return f"keyword {word}"
        if inner.get("type") == "object" or "properties" in inner:
            if inner.get("additionalProperties") is not False:
                return OPEN
            properties, required = inner.get("properties", {}), inner.get("required", [])
            if (
                isinstance(properties, dict)
                and isinstance(required, list)
                and set(properties) - set(map(str, required))
            ):
                return "a property that is not required"
    return None


def _walk(schema: Mapping[str, Json]) -> Iterator[Mapping[str, Json]]:
    yield schema
    inner: list[Json] = [schema.get("items"), schema.get("additionalProperties")]
    for word in _NESTED:
        many = schema.get(word)
        inner.extend(many if isinstance(many, list) else [])
    for word in _NAMED:
        named = schema.get(word)
        inner.extend(named.values() if isinstance(named, dict) else [])
    for one in inner:
        if isinstance(one, dict):
            yield from _walk(one)
