"""The responses API: its bodies, answers and events, before the same chat model.

Source: Azure OpenAI REST reference, responses: `input` as text or items, flat tools, `text.format`, no stop sequences.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from harness.lab import openai_body
from harness.lab.chat.prompt import FILTER, LENGTH, Call, Prompt, Said, Tool, Turn, pieces
from harness.lab.openai_answers import Asked
from harness.lab.openai_body import FLAG, LIST, OBJECT, TEXT, Invalid, Rule, number, whole

MEMBERS: Mapping[str, Rule] = {
    "model": TEXT,
    "input": Rule(types=(str, list), word="a string or an array of items"),
    "instructions": TEXT,
    "max_output_tokens": whole(1),
    "temperature": number(0, 2),
    "top_p": number(0, 1),
    "tools": LIST,
    "tool_choice": Rule(types=(str, dict), word="a string or an object"),
    "parallel_tool_calls": FLAG,
    "text": OBJECT,
    "reasoning": OBJECT,
    "stream": FLAG,
    "store": FLAG,
    "metadata": OBJECT,
    "user": TEXT,
    "truncation": TEXT,
    "include": LIST,
    "top_logprobs": whole(0, 20),
    "service_tier": TEXT,
    "prompt_cache_key": TEXT,
    "safety_identifier": TEXT,
}


def prompt(body: Any, *, reasons: bool) -> Prompt:
    """The prompt of a body. Raises Invalid."""
    if not isinstance(body, dict):
        raise Invalid("We could not parse the JSON body of your request.")
    openai_body.check(body, MEMBERS)
    refused = next((name for name in ("temperature", "top_p") if reasons and body.get(name) is not None), None)
    if refused is not None:
        message = f"Unsupported parameter: '{refused}' is not supported with this model."
        raise Invalid(message, param=refused, code="unsupported_parameter")
    if body.get("input") is None:
        raise Invalid("Missing required parameter: 'input'.", param="input", code="missing_required_parameter")
    given = body["input"]
    items = [{"role": "user", "content": given}] if isinstance(given, str) else given
    told = [_text(item) for item in items if item.get("role") in ("system", "developer")]
    form = (body.get("text") or {}).get("format") or {"type": "text"}
    if form.get("strict"):
        openai_body.check_strict(form.get("schema", {}), f"response_format '{form.get('name')}'", "text.format.schema")
    choice = body.get("tool_choice")
    return Prompt(
        system="\n\n".join(filter(None, [body.get("instructions"), *told])),
        turns=_turns(items),
        tools=() if choice == "none" else tuple(map(_tool, body.get("tools") or ())),
        only_tool=choice.get("name") if isinstance(choice, dict) else None,
        schema=form.get("schema") if form["type"] == "json_schema" else None,
        json=form["type"] != "text",
        max_tokens=body.get("max_output_tokens"),
    )


def _tool(tool: dict[str, Any]) -> Tool:
    if "name" not in tool:
        raise Invalid("Missing required parameter: 'tools[0].name'.", param="tools[0].name")
    if tool.get("strict"):
        openai_body.check_strict(tool.get("parameters", {}), f"function '{tool['name']}'", "tools")
    return Tool(name=tool["name"], description=tool.get("description") or "", schema=tool.get("parameters", {}))


def _turns(items: list[dict[str, Any]]) -> tuple[Turn, ...]:
    made: list[Turn] = []
    for item in items:
        match item.get("type", "message"):
            case "message" if item["role"] not in ("system", "developer"):
                made.append(Turn(role=item["role"], text=_text(item)))
            case "function_call":
                call = Call(name=item["name"], arguments=json.loads(item["arguments"]))
                made.append(Turn(role="assistant", calls=(call,)))
            case "function_call_output":
                made.append(Turn(role="user", results=(_flat(item["output"]),)))
    return tuple(made)


def _text(item: Mapping[str, Any]) -> str:
    return _flat(item["content"])


def _flat(content: str | list[dict[str, Any]]) -> str:
    return content if isinstance(content, str) else "\n\n".join(part["text"] for part in content if "text" in part)


def answer(asked: Asked, said: Said) -> dict[str, Any]:
    """A finished response."""
    reason = {LENGTH: "max_output_tokens", FILTER: "content_filter"}.get(said.stop)
    read, written = asked.prompt.tokens, said.tokens
    return {
        **_head(asked),
        "status": "completed" if reason is None else "incomplete",
        "incomplete_details": None if reason is None else {"reason": reason},
        "output": _output(asked, said),
        "usage": {
            "input_tokens": read,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": written,
            "output_tokens_details": {"reasoning_tokens": said.reasoning_tokens},
            "total_tokens": read + written,
        },
    }


def events(asked: Asked, said: Said) -> list[tuple[str | None, dict[str, Any]]]:
    """The same as events: (name, document), numbered."""
    opened = {**_head(asked), "status": "in_progress", "incomplete_details": None, "output": [], "usage": None}
    made: list[dict[str, Any]] = [
        {"type": f"response.{word}", "response": opened} for word in ("created", "in_progress")
    ]
    for index, item in enumerate(_output(asked, said)):
        made += _item_events(index, item)
    whole_answer = answer(asked, said)
    made.append({"type": f"response.{whole_answer['status']}", "response": whole_answer})
    return [(event["type"], {**event, "sequence_number": place}) for place, event in enumerate(made)]


def _item_events(index: int, item: dict[str, Any]) -> list[dict[str, Any]]:
    at = {"output_index": index, "item_id": item["id"]}
    nothing: dict[str, Any] = {"content": []} if item["type"] == "message" else {"arguments": ""}
    empty = item | {"status": "in_progress"} | nothing
    made: list[dict[str, Any]] = [{"type": "response.output_item.added", "output_index": index, "item": empty}]
    if item["type"] == "message":
        part = item["content"][0]
        here = at | {"content_index": 0}
        made.append({"type": "response.content_part.added", **here, "part": part | {"text": ""}})
        made += [
            {"type": "response.output_text.delta", **here, "delta": piece, "logprobs": []}
            for piece in pieces(part["text"])
        ]
        made.append({"type": "response.output_text.done", **here, "text": part["text"], "logprobs": []})
        made.append({"type": "response.content_part.done", **here, "part": part})
    else:
        kind = "response.function_call_arguments"
        made += [{"type": f"{kind}.delta", **at, "delta": piece} for piece in pieces(item["arguments"])]
        made.append({"type": f"{kind}.done", **at, "arguments": item["arguments"], "name": item["name"]})
    return [*made, {"type": "response.output_item.done", "output_index": index, "item": item}]


def _head(asked: Asked) -> dict[str, Any]:
    return {
        "id": f"resp_{asked.id}",
        "object": "response",
        "created_at": asked.created,
        "model": asked.model,
        "error": None,
        "instructions": None,
        "metadata": {},
        "parallel_tool_calls": True,
        "temperature": None,
        "top_p": None,
        "tool_choice": "auto",
        "tools": [],
    }


def _output(asked: Asked, said: Said) -> list[dict[str, Any]]:
    status = "incomplete" if said.stop in (LENGTH, FILTER) else "completed"
    content = [{"type": "output_text", "text": said.text, "annotations": [], "logprobs": []}]
    message = {"type": "message", "id": f"msg_{asked.id}", "role": "assistant", "status": status, "content": content}
    calls = [
        {
            "type": "function_call",
            "id": f"fc_{asked.id}{number}",
            "call_id": f"call_{asked.id[:20]}{number}",
            "name": call.name,
            "arguments": json.dumps(dict(call.arguments)),
            "status": "completed",
        }
        for number, call in enumerate(said.calls)
    ]
    return [*([message] if said.text else []), *calls]
