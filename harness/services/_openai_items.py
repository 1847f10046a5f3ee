"""What the responses API answers: items of a response as a chat, and a stream's events as the response they make.

Source: wire contracts, "Responses API"; openai-python 3.52, `types/responses/`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from harness.core.call import Event
from harness.core.output import Chat, Filter, StopReason, ToolCall
from harness.services._chat import objects, tool_call
from harness.services._chat import table as tabled
from harness.services._openai import categories, listed, texts

ENDS = ("response.completed", "response.incomplete", "response.failed")


def chat_of(response: Mapping[str, Any]) -> Chat:
    """The answer of a response object. Raises ValueError where it holds none."""
    if not isinstance(response.get("output"), list):
        raise ValueError("the answer has no output")  # noqa: TRY004
    said: list[str] = []
    refused: list[str] = []
    thought: list[str] = []
    calls: list[ToolCall] = []
    served: list[ToolCall] = []
    for item in map(tabled, response["output"]):
        word = str(item.get("type"))
        if word == "message":
            for part in map(tabled, listed(item.get("content"))):
                (refused if part.get("type") == "refusal" else said).append(
                    texts(part.get("refusal") if part.get("type") == "refusal" else part.get("text"))
                )
        elif word == "function_call":
            calls.append(tool_call(str(item.get("name") or ""), texts(item.get("arguments")), _id(item)))
        elif word == "custom_tool_call":
            name, free = str(item.get("name") or ""), texts(item.get("input"))
            calls.append(ToolCall(name=name, arguments=None, id=_id(item), raw=free))
        elif word == "reasoning":
            thought += [texts(item.get("summary")), texts(item.get("content"))]
        elif word.endswith("_call"):
            served.append(ToolCall(name=str(item.get("name") or word), arguments=item, id=_id(item)))
    refusal = "".join(refused)
    stop, raw = _stop(response, calls=bool(calls), refused=bool(refusal))
    return Chat(
        text="".join(said),
        tool_calls=tuple(calls),
        server_tool_calls=tuple(served),
        reasoning="".join(thought) or None,
        refusal=refusal or None,
        filter=_filter(response, stopped=stop is StopReason.FILTER),
        stop=stop,
        stop_raw=raw,
    )


def _id(item: Mapping[str, Any]) -> str | None:
    for member in ("call_id", "id"):
        if isinstance(item.get(member), str):
            return str(item[member])
    return None


def _stop(response: Mapping[str, Any], *, calls: bool, refused: bool) -> tuple[StopReason, str | None]:
    """The API has no finish_reason: the state, the reason of an incomplete one, and what came say as much."""
    status, reason = response.get("status"), tabled(response.get("incomplete_details")).get("reason")
    raw = reason if isinstance(reason, str) else status if isinstance(status, str) else None
    if status == "completed":
        return (StopReason.TOOL if calls else StopReason.REFUSAL if refused else StopReason.END), raw
    words = {"max_output_tokens": StopReason.LENGTH, "content_filter": StopReason.FILTER}
    return words.get(str(raw), StopReason.OTHER), raw


def _filter(response: Mapping[str, Any], *, stopped: bool) -> Filter | None:
    """What Azure's content filter says beside the answer: [{"source_type", "blocked", "content_filter_results"}]."""
    found: dict[str, str] = {}
    where = "completion" if stopped else None
    for entry in map(tabled, listed(response.get("content_filters"))):
        own, blocked = categories(entry.get("content_filter_results"))
        found |= own
        if blocked or entry.get("blocked") is True:
            where = "prompt" if entry.get("source_type") == "prompt" and not stopped else "completion"
    return Filter(blocked=where is not None, where=where, categories=found) if where or found else None


def finished(response: Mapping[str, Any]) -> bool:
    """Whether a response came to its end, whole or cut by a limit or a filter."""
    return response.get("status") in ("completed", "incomplete")


def response_of(events: Sequence[Event]) -> dict[str, Any]:
    """The response that a stream tells: its last event's, else what the pieces up to here make."""
    whole: dict[str, Any] = {}
    items: dict[str, dict[str, Any]] = {}
    for event in events:
        data = tabled(event.data)
        if isinstance(data.get("response"), dict):
            whole = data["response"]
        if event.kind in ENDS and listed(whole.get("output")):
            return whole
        number = str(data.get("output_index"))
        if isinstance(data.get("item"), dict):
            items[number] = deepcopy(data["item"])  # pieces are laid into it
        elif isinstance(data.get("delta"), str):
            _add(items.setdefault(number, {}), event.kind, data)
    return {**whole, "output": list(items.values())}


def _add(item: dict[str, Any], kind: str, data: Mapping[str, Any]) -> None:
    """Lay a piece into the item that it belongs to; `response.output_item.done` replaces the item when it is whole."""
    delta = data["delta"]
    if kind in ("response.function_call_arguments.delta", "response.custom_tool_call_input.delta"):
        member = "arguments" if "function" in kind else "input"
        item[member] = texts(item.get(member)) + delta
        return
    words = {"response.output_text.delta": ("output_text", "text"), "response.refusal.delta": ("refusal", "refusal")}
    if kind not in words:
        return
    word, member = words[kind]
    item.setdefault("type", "message")
    content = item["content"] = objects(item.get("content"))
    number = data.get("content_index")
    part = next((one for one in content if one.get("number") == number and one.get("type") == word), None)
    if part is None:
        part = {"type": word, member: "", "number": number}
        content.append(part)
    part[member] = texts(part.get(member)) + delta
