"""Converse: one body for every chat model, which Nova's own body resembles.

Binary members are base64 text here, as in JSON on the wire; the endpoint makes them bytes for boto3.
Source: botocore's service model `bedrock-runtime` 2023-09-30; wire contracts D.3, F.2.
"""

from __future__ import annotations

import json
from typing import Any

from harness.core.case import Json
from harness.core.chat import Conversation, Format, Message, Tool, ToolChoice
from harness.errors import CodecError, UnencodableRequest
from harness.services._anthropic import put_reasoning, take_reasoning
from harness.services._chat import finished, nameless, put, table, take
from harness.services.bedrock.blocks import block_of, part_of

KIND = "Converse"

NAMES = {
    "max_tokens": "inferenceConfig.maxTokens",
    "temperature": "inferenceConfig.temperature",
    "top_p": "inferenceConfig.topP",
    "stop": "inferenceConfig.stopSequences",
    "metadata": "requestMetadata",
    "latency": "performanceConfig.latency",
    "service_tier": "serviceTier.type",
}
GUARDRAIL = {
    "id": "guardrailConfig.guardrailIdentifier",
    "version": "guardrailConfig.guardrailVersion",
    "trace": "guardrailConfig.trace",
    "stream_mode": "guardrailConfig.streamProcessingMode",
}
# What models take beside the members that all of them have; spelled as the model's own body spells it.
OWN = {
    name: f"additionalModelRequestFields.{name}"
    for name in (
        "top_k",
        "min_p",
        "seed",
        "n",
        "presence_penalty",
        "frequency_penalty",
        "repetition_penalty",
        "logit_bias",
        "logprobs",
        "top_logprobs",
        "parallel_tool_calls",
        "user",
    )
}
SPELLED = {
    "nova": {**OWN, "top_k": "additionalModelRequestFields.inferenceConfig.topK"},
    "cohere": {**OWN, "top_k": "additionalModelRequestFields.k"},
}


def read(body: dict[str, Any], family: str) -> tuple[Conversation, dict[str, Json]]:
    """A Converse body as a conversation and params; `body` is used up. Raises CodecError where it is none."""
    params = take(body, {**NAMES, **SPELLED.get(family, OWN)})
    guardrail = take(body, GUARDRAIL)
    if guardrail:
        params["guardrail"] = guardrail
    reasoning = _take_reasoning(body, family)
    if reasoning is not None:
        params["reasoning"] = reasoning
    form = _take_format(body)
    conversation = take_conversation(body, form)
    if body:
        params["extra"] = body
    return conversation, params


def write(conversation: Conversation, left: dict[str, Any], family: str) -> dict[str, Any]:
    """The body. left: params, used up. Raises UnencodableRequest for what it cannot say."""
    body = conversation_out(conversation, KIND)
    put(body, left, NAMES)
    put(body, left, SPELLED.get(family, OWN))
    guardrail = left.pop("guardrail", None)
    if guardrail is not None:
        put_guardrail(body, guardrail)
    if "reasoning" in left:
        _put_reasoning(body, left.pop("reasoning"), family)
    form = conversation.format
    if form is not None and form.kind != "text":
        if form.kind != "schema" or form.schema is None or form.strict is not None:
            raise UnencodableRequest(f"{KIND} asks for JSON by a schema alone, and `strict` is not one of its members.")
        body.setdefault("outputConfig", {})["textFormat"] = _format_out(form)
    return finished(body, left, KIND)


def put_guardrail(body: dict[str, Any], guardrail: Any) -> None:
    rest = dict(table(guardrail))
    put(body, rest, GUARDRAIL)
    if rest:
        raise UnencodableRequest(f"a guardrail has no {', '.join(sorted(rest))}.")


def take_conversation(body: dict[str, Any], form: Format | None = None) -> Conversation:
    """Messages, system and tools of a body, Converse's or Nova's; they are taken out of it."""
    messages, system = body.pop("messages", []), body.pop("system", [])
    if not isinstance(messages, list) or not isinstance(system, list):
        raise CodecError("messages and system are to be lists")
    config = body.get("toolConfig")
    tools: tuple[Tool, ...] = ()
    choice = None
    if isinstance(config, dict):
        tools, choice = _take_tools(config), _take_choice(config)
        if not config:
            del body["toolConfig"]
    return Conversation(
        messages=tuple(_message(one) for one in messages),
        system=tuple(part_of(one) for one in system),
        tools=tools,
        tool_choice=choice,
        format=form,
    )


def conversation_out(conversation: Conversation, kind: str) -> dict[str, Any]:
    """The way back of `take_conversation`. kind: of the body, for messages."""
    nameless(conversation, kind)
    body: dict[str, Any] = {"messages": [_turn(message, kind) for message in conversation.messages]}
    if conversation.system:
        body["system"] = [block_of(part, kind) for part in conversation.system]
    config: dict[str, Any] = {}
    if conversation.tools:
        config["tools"] = [entry for tool in conversation.tools for entry in _tool_out(tool)]
    choice = conversation.tool_choice
    if choice is not None:
        if choice.kind not in ("auto", "any", "tool"):
            raise UnencodableRequest(f'{kind} has no tool choice "{choice.kind}".')
        config["toolChoice"] = {choice.kind: {"name": choice.name} if choice.kind == "tool" else {}}
    if config:
        body["toolConfig"] = config
    return body


def _message(value: Any) -> Message:
    if not isinstance(value, dict) or value.get("role") not in ("user", "assistant"):
        raise CodecError("a message has another role than user or assistant")
    content = value.get("content")
    if isinstance(content, str):  # boto3 refuses it, and applications that write JSON themselves were seen to send it
        content = [{"text": content}]
    if not isinstance(content, list) or value.keys() - {"role", "content"}:
        raise CodecError("a message has no list of blocks, or members that are not known")
    return Message(value["role"], tuple(part_of(block) for block in content))


def _turn(message: Message, kind: str) -> dict[str, Any]:
    return {"role": message.role, "content": [block_of(part, kind) for part in message.content]}


def _take_tools(config: dict[str, Any]) -> tuple[Tool, ...]:
    """Tools that have a neutral form; tools that the service runs by itself stay where they are."""
    if not isinstance(config.get("tools"), list):
        return ()
    read: list[Tool] = []
    others: list[Any] = []
    for entry in config.pop("tools"):
        tool = _tool(entry)
        if tool is not None:
            read.append(tool)
        elif entry == {"cachePoint": {"type": "default"}} and read and not read[-1].cache and not others:
            last = read[-1]
            read[-1] = Tool(
                name=last.name, description=last.description, schema=last.schema, strict=last.strict, cache=True
            )
        else:
            others.append(entry)
    if others:
        config["tools"] = others
    return tuple(read)


def _tool(entry: Any) -> Tool | None:
    try:
        spec = entry["toolSpec"]
        tool = Tool(
            name=spec["name"],
            description=spec.get("description"),
            schema=spec["inputSchema"]["json"],
            strict=spec.get("strict"),
        )
        return tool if _tool_out(tool) == [entry] else None
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _tool_out(tool: Tool) -> list[dict[str, Any]]:
    spec: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        spec["description"] = tool.description
    spec["inputSchema"] = {"json": dict(tool.schema)}
    if tool.strict is not None:
        spec["strict"] = tool.strict
    return [{"toolSpec": spec}, *([{"cachePoint": {"type": "default"}}] if tool.cache else [])]


def _take_choice(config: dict[str, Any]) -> ToolChoice | None:
    match config.get("toolChoice"):
        case {"auto": {**rest}, **others} if not rest and not others:
            choice = ToolChoice("auto")
        case {"any": {**rest}, **others} if not rest and not others:
            choice = ToolChoice("any")
        case {"tool": {"name": str(name), **rest}, **others} if not rest and not others:
            choice = ToolChoice("tool", name)
        case _:
            return None
    del config["toolChoice"]
    return choice


def _take_format(body: dict[str, Any]) -> Format | None:
    form = table(body.get("outputConfig")).get("textFormat")
    inner = table(table(table(form).get("structure")).get("jsonSchema"))
    try:
        read = Format(
            kind="schema",
            name=inner.get("name"),
            description=inner.get("description"),
            schema=json.loads(inner["schema"]),
        )
        usual = {**inner, "schema": _schema_text(json.loads(inner["schema"]))}
        if _format_out(read) != {**table(form), "structure": {"jsonSchema": usual}}:
            return None
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return None
    take(body, {"format": "outputConfig.textFormat"})
    return read


def _format_out(form: Format) -> dict[str, Any]:
    """Converse takes the schema as a text of JSON."""
    inner: dict[str, Any] = {"schema": _schema_text(form.schema)}
    for name, value in (("name", form.name), ("description", form.description)):
        if value is not None:
            inner[name] = value
    return {"type": "json_schema", "structure": {"jsonSchema": inner}}


def _schema_text(schema: Any) -> str:
    return json.dumps(dict(schema), ensure_ascii=False, separators=(",", ":"))


def _take_reasoning(body: dict[str, Any], family: str) -> dict[str, Json] | None:
    effort = take(body, {"effort": "outputConfig.effort"})
    fields = body.get("additionalModelRequestFields")
    if effort or not isinstance(fields, dict):
        return effort or None
    match family:
        case "anthropic":
            found = take_reasoning(fields)
        case "nova":
            found = take_nova_reasoning(fields)
        case _:
            found = take(fields, {"effort": "reasoning_effort"}) or None
    if not fields:
        del body["additionalModelRequestFields"]
    return found


def _put_reasoning(body: dict[str, Any], reasoning: Any, family: str) -> None:
    fields = body.setdefault("additionalModelRequestFields", {})
    match family:
        case "anthropic":
            put_reasoning(fields, reasoning)
        case "nova":
            put_nova_reasoning(fields, reasoning)
        case _:
            if table(reasoning).keys() != {"effort"}:
                raise UnencodableRequest(f"{KIND} takes reasoning of this model as an effort alone.")
            fields["reasoning_effort"] = reasoning["effort"]


def take_nova_reasoning(fields: dict[str, Any]) -> dict[str, Json] | None:
    """Nova 2: `reasoningConfig`."""
    match fields.get("reasoningConfig"):
        case {"type": "enabled", "maxReasoningEffort": str(effort), **rest} if not rest:
            found: dict[str, Json] = {"effort": effort}
        case {"type": "disabled", **rest} if not rest:
            found = {"enabled": False}
        case _:
            return None
    del fields["reasoningConfig"]
    return found


def put_nova_reasoning(fields: dict[str, Any], reasoning: Any) -> None:
    match reasoning:
        case {"effort": effort, **rest} if not rest:
            fields["reasoningConfig"] = {"type": "enabled", "maxReasoningEffort": effort}
        case {"enabled": False, **rest} if not rest:
            fields["reasoningConfig"] = {"type": "disabled"}
        case _:
            raise UnencodableRequest("Nova has no words for reasoning of this form.")
