"""What OpenAI-shaped services answer: completions, stream chunks, content filters, token counts, errors.

A stream is put together to the completion that it is the pieces of, and read as one. Members that nobody documented
are passed over; a missing message, null content, content as a list of parts and a missing usage are read as they are
meant. Log probabilities are left where they are: no two services' can be compared.

Source: wire contracts, "Chat completions", "Errors and rate limits" and "Seen in recordings"; Azure documentation,
"Content filtering".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.core.call import FailureKind, Tokens
from harness.core.output import Chat, Filter, StopReason, ToolCall
from harness.services._chat import count, tool_call
from harness.services._chat import table as tabled
from harness.services._failures import by_status

STOPS: Mapping[str, StopReason] = {
    "stop": StopReason.END,
    "eos": StopReason.END,
    "end_turn": StopReason.END,
    "stop_sequence": StopReason.STOP_SEQUENCE,
    "length": StopReason.LENGTH,
    "max_tokens": StopReason.LENGTH,
    "model_length": StopReason.LENGTH,
    "tool_calls": StopReason.TOOL,
    "function_call": StopReason.TOOL,
    "content_filter": StopReason.FILTER,
}
BLOCKED_CODES = frozenset({"content_filter", "contentFilter", "content_policy_violation", "moderation_blocked"})
SEVERITIES = ("safe", "low", "medium", "high")
# Words of errors that come without an HTTP status, as inside a stream. Source: wire contracts, "Errors"; OpenAI's
# documentation, "Error codes"; Anthropic's, "Errors".
KINDS: Mapping[str, FailureKind] = {
    "rate_limit_exceeded": FailureKind.THROTTLED,
    "rate_limit_error": FailureKind.THROTTLED,
    "ratelimitreached": FailureKind.THROTTLED,
    "too_many_requests": FailureKind.THROTTLED,
    "toomanyrequests": FailureKind.THROTTLED,
    "nocapacity": FailureKind.THROTTLED,
    "insufficient_quota": FailureKind.THROTTLED,
    "tokens": FailureKind.THROTTLED,
    "requests": FailureKind.THROTTLED,
    "timeout": FailureKind.TIMEOUT,
    "request_timeout": FailureKind.TIMEOUT,
    "requesttimeout": FailureKind.TIMEOUT,
    "timeout_error": FailureKind.TIMEOUT,
    "invalid_request_error": FailureKind.REJECTED,
    "not_found_error": FailureKind.REJECTED,
    "request_too_large": FailureKind.REJECTED,
    "context_length_exceeded": FailureKind.REJECTED,
    "invalid_prompt": FailureKind.REJECTED,
    "deploymentnotfound": FailureKind.REJECTED,
    "badrequest": FailureKind.REJECTED,
    "permissiondenied": FailureKind.DENIED,
    "permission_error": FailureKind.DENIED,
    "billing_error": FailureKind.DENIED,
    "authentication_error": FailureKind.DENIED,
    "invalid_api_key": FailureKind.DENIED,
}


def chat_of(completion: Mapping[str, Any]) -> Chat:
    """The first choice of a completion. Raises ValueError where there is none."""
    choices = [choice for choice in listed(completion.get("choices")) if isinstance(choice, dict)]
    if not choices:
        raise ValueError("the answer has no choices")
    choice = min(choices, key=lambda one: one["index"] if isinstance(one.get("index"), int) else 0)
    message = tabled(choice.get("message"))
    text, thinking = content_text(message.get("content"))
    thinking += texts(message.get("reasoning_content")) or texts(message.get("reasoning"))
    calls = tuple(_calls(message))
    refusal = message.get("refusal") if isinstance(message.get("refusal"), str) else None
    raw = choice.get("finish_reason")
    found = filter_of(completion, choice)
    return Chat(
        text=text,
        tool_calls=calls,
        reasoning=thinking or None,
        refusal=refusal or None,
        filter=found,
        stop=_stop(raw, calls=bool(calls), refused=bool(refusal)),
        stop_raw=raw if isinstance(raw, str) else None,
    )


def _stop(raw: Any, *, calls: bool, refused: bool) -> StopReason:
    """A forced tool ends with "stop", and so does a refusal: what came decides."""
    stop = STOPS.get(raw, StopReason.OTHER) if isinstance(raw, str) else StopReason.OTHER
    if stop is StopReason.END and calls:
        return StopReason.TOOL
    return StopReason.REFUSAL if stop is StopReason.END and refused else stop


def _calls(message: Mapping[str, Any]) -> Iterable[ToolCall]:
    legacy = message.get("function_call")
    for call in [*listed(message.get("tool_calls")), *([{"function": legacy}] if isinstance(legacy, dict) else [])]:
        table = tabled(call)
        id_ = table.get("id") if isinstance(table.get("id"), str) else None
        custom = table.get("custom")
        if isinstance(custom, dict):  # a custom tool takes free text
            yield ToolCall(name=str(custom.get("name", "")), arguments=None, id=id_, raw=str(custom.get("input", "")))
            continue
        function = tabled(table.get("function"))
        arguments = function.get("arguments")
        name = str(function.get("name") or "")
        if arguments is None or isinstance(arguments, str):
            yield tool_call(name, arguments or "", id_)
        else:  # some servers send the object itself
            yield ToolCall(name=name, arguments=arguments, id=id_)


def content_text(content: Any) -> tuple[str, str]:
    """Text and thinking of a message's content: a text, or parts, those of thinking apart."""
    if isinstance(content, str):
        return content, ""
    said, thought = [], []
    for part in listed(content):
        table = tabled(part)
        if table.get("type") in ("thinking", "reasoning"):
            thought.append(texts(table.get("thinking")) or texts(table.get("text")))
        else:
            said.append(part if isinstance(part, str) else texts(table.get("text")))
    return "".join(said), "".join(thought)


def texts(value: Any) -> str:
    """A text, or the texts of a list of parts, joined; "" for anything else."""
    if isinstance(value, str):
        return value
    return "".join(texts(tabled(part).get("text")) for part in listed(value))


def completion_of(chunks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The completion that a stream's chunks are the pieces of: choices by index, tool calls by theirs."""
    whole: dict[str, Any] = {"choices": []}
    choices: dict[Any, dict[str, Any]] = {}
    for chunk in chunks:
        for name in ("id", "model", "system_fingerprint", "created", "service_tier", "usage"):
            if chunk.get(name):
                whole[name] = chunk[name]
        prompt = listed(chunk.get("prompt_filter_results")) + listed(chunk.get("prompt_annotations"))
        if prompt:
            whole.setdefault("prompt_filter_results", []).extend(prompt)
        for piece in listed(chunk.get("choices")):
            if isinstance(piece, dict):
                number = piece.get("index") if isinstance(piece.get("index"), int) else 0
                _add(choices.setdefault(number, {"index": number, "message": {}, "finish_reason": None}), piece)
    whole["choices"] = list(choices.values())
    return whole


def _add(choice: dict[str, Any], piece: Mapping[str, Any]) -> None:
    message: dict[str, Any] = choice["message"]
    delta = tabled(piece.get("delta") or piece.get("message"))
    said, thought = content_text(delta.get("content"))
    thought += texts(delta.get("reasoning_content")) or texts(delta.get("reasoning"))
    refusal = delta.get("refusal")
    for name, text in (("content", said), ("reasoning_content", thought), ("refusal", refusal)):
        if isinstance(text, str) and text:
            message[name] = message.get(name, "") + text
    for call in listed(delta.get("tool_calls")):
        _add_call(message.setdefault("tool_calls", []), tabled(call))
    if isinstance(delta.get("function_call"), dict):
        _grow(message.setdefault("function_call", {}), delta["function_call"])
    # The asynchronous filter may speak after "stop"; what it stopped stays stopped.
    if isinstance(piece.get("finish_reason"), str) and choice["finish_reason"] != "content_filter":
        choice["finish_reason"] = piece["finish_reason"]
    for category, result in tabled(piece.get("content_filter_results")).items():
        results = choice.setdefault("content_filter_results", {})
        results[category] = _worse(results.get(category), result)


def _add_call(calls: list[dict[str, Any]], piece: Mapping[str, Any]) -> None:
    """Pieces of one call share an index; where a server gives none, an id begins the next call."""
    number, id_ = piece.get("index"), piece.get("id")
    if isinstance(number, int):
        call = next((one for one in calls if one.get("index") == number), None)
    else:
        call = calls[-1] if calls and (not id_ or calls[-1].get("id") == id_) else None
    if call is None:
        call = {"index": number}
        calls.append(call)
    if id_:
        call["id"] = id_
    for kind in ("function", "custom"):
        if isinstance(piece.get(kind), dict):
            _grow(call.setdefault(kind, {}), piece[kind])


def _grow(function: dict[str, Any], piece: Mapping[str, Any]) -> None:
    if piece.get("name"):
        function["name"] = piece["name"]
    for member in ("arguments", "input"):
        value = piece.get(member)
        if isinstance(value, str):
            before = function.get(member)
            function[member] = (before if isinstance(before, str) else "") + value
        elif value is not None:
            function[member] = value


def _worse(before: Any, now: Any) -> Any:
    """The graver of two findings on one category."""
    return max(before, now, key=_rank)


def _rank(result: Any) -> tuple[bool, bool, int]:
    table = tabled(result)
    severity = table.get("severity")
    grade = SEVERITIES.index(severity) if severity in SEVERITIES else 0
    return table.get("filtered") is True, table.get("detected") is True, grade


def finished(completion: Mapping[str, Any]) -> bool:
    """Whether every choice of a stream's completion has ended. One that has not was broken off."""
    choices = listed(completion.get("choices"))
    return bool(choices) and all(tabled(choice).get("finish_reason") is not None for choice in choices)


def filter_of(completion: Mapping[str, Any], choice: Mapping[str, Any]) -> Filter | None:
    """What the content filter found, on the completion and on the prompt; None where it found nothing."""
    prompt: dict[str, str] = {}
    prompt_blocked = False
    for entry in listed(completion.get("prompt_filter_results")) or listed(completion.get("prompt_annotations")):
        found, blocked = categories(tabled(entry).get("content_filter_results"))
        prompt |= found
        prompt_blocked |= blocked
    own, own_blocked = categories(choice.get("content_filter_results"))
    if choice.get("finish_reason") == "content_filter":
        # A prompt that was stopped before the model spoke is told by its own annotation alone.
        stopped = "prompt" if prompt_blocked and not own_blocked else "completion"
        return Filter(blocked=True, where=stopped, categories={**prompt, **own})
    if not prompt and not own:
        return None
    where = "completion" if own_blocked else "prompt" if prompt_blocked else None
    return Filter(blocked=own_blocked or prompt_blocked, where=where, categories={**prompt, **own})


def categories(results: Any) -> tuple[dict[str, str], bool]:
    """Categories that were detected with their grade, and whether one of them filtered.

    The grade is Content Safety's severity, or "detected" where a category has none. Error bodies write "self-harm".
    """
    found: dict[str, str] = {}
    blocked = False
    for category, result in tabled(results).items():
        entries = result if isinstance(result, list) else [result]  # custom_blocklists was a list once
        for entry in entries:
            table = tabled(entry)
            severity = table.get("severity")
            filtered = table.get("filtered") is True
            graded = isinstance(severity, str) and severity != "safe"
            if filtered or table.get("detected") is True or graded:
                found[category.replace("-", "_")] = str(severity) if graded else "detected"
            blocked |= filtered
    return found, blocked


def blocked_prompt(error: Mapping[str, Any]) -> Chat | None:
    """The outcome that a content filter's refusal of a prompt is; None for any other error.

    error: the `error` object of the body. Azure answers it with HTTP 400, and was recorded to answer 200.
    """
    if not is_filter(error):
        return None
    found: dict[str, str] = {}
    inner = tabled(error.get("innererror"))
    results = [inner.get("content_filter_result"), inner.get("content_filter_results")]
    results += [tabled(entry).get("content_filter_results") for entry in listed(error.get("content_filters"))]
    results += [error.get("content_filter_result"), error.get("content_filter_results")]
    for result in results:
        found |= categories(result)[0]
    blocked = Filter(blocked=True, where="prompt", categories=found)
    return Chat(text="", filter=blocked, stop=StopReason.FILTER, stop_raw=str(error.get("code")))


def is_filter(error: Mapping[str, Any]) -> bool:
    """Whether an error is a content filter's."""
    inner = tabled(error.get("innererror")).get("code")
    return str(error.get("code")) in BLOCKED_CODES or inner == "ResponsibleAIPolicyViolation"


def tokens_of(usage: Any) -> Tokens | None:
    """Token counts of a chat completion or of the responses API; None where there are none."""
    table = tabled(usage)
    read = count(table.get("prompt_tokens", table.get("input_tokens")))
    written = count(table.get("completion_tokens", table.get("output_tokens")))
    if read is None and written is None:
        return None
    details = tabled(table.get("prompt_tokens_details") or table.get("input_tokens_details"))
    made = tabled(table.get("completion_tokens_details") or table.get("output_tokens_details"))
    return Tokens(
        input=read,
        output=written,
        cache_read=count(details.get("cached_tokens")),
        cache_write=count(details.get("cache_write_tokens")),
        reasoning=count(made.get("reasoning_tokens")),
        cached_inside=True,
    )


def error_in(data: Any) -> dict[str, Any] | None:
    """The error that a body or an event of a stream tells; None where it tells none.

    {"error": {...}}, gateways' {"statusCode", "message"}, and the responses API's {"type": "error", "code", "message"}
    and {"type": "response.failed", "response": {"error": {...}}}.
    """
    if not isinstance(data, dict):
        return None
    if data.get("type") == "response.failed":
        return tabled(tabled(data.get("response")).get("error")) or {"message": "the response failed"}
    error = data.get("error")
    if isinstance(error, dict) and error:
        return error
    if isinstance(error, str) and error:
        return {"message": error, "code": data.get("code")}
    if data.get("type") == "error":
        return data
    if "message" in data and data.keys() & {"code", "statusCode"} and not data.keys() & {"choices", "object", "id"}:
        return {"code": data.get("code", data.get("statusCode")), "message": data["message"]}
    return None


def kind_of(error: Mapping[str, Any], status: int | None = None) -> FailureKind:
    """What an error means: by the HTTP status, else by its own status, code or type."""
    if status is not None and status >= 400:
        return FailureKind(by_status(status)[0].kind)
    for member in ("status", "code", "type"):
        word = str(error.get(member) or "").lower()
        if word.isdecimal() and 400 <= int(word) < 600:
            return FailureKind(by_status(int(word))[0].kind)
        if word in KINDS:
            return KINDS[word]
    return FailureKind.UNAVAILABLE


def code_of(error: Mapping[str, Any]) -> str | None:
    """The service's own word for an error; None where it is no word."""
    for member in ("code", "type"):
        word = error.get(member)
        if isinstance(word, str | int) and 0 < len(str(word)) <= 64 and str(word).replace("_", "").isalnum():
            return str(word)
    return None


def listed(value: Any) -> list[Any]:
    """The value, where it is a list; else an empty one."""
    return value if isinstance(value, list) else []
