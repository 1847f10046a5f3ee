"""What came back, as readings: one answer a case, of whatever operation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.core.call import Event, FailureKind, Reading, Tokens, Unreadable, Wire
from harness.core.case import Request, Task
from harness.core.output import Chat
from harness.services._aws_codes import by_code
from harness.services._chat import NoAnswer, count, counted, json_object, table, text, valued
from harness.services.bedrock import converse_answers, embeddings, events, images, invoke, meters
from harness.services.bedrock.guardrail import filtered
from harness.services.bedrock.operations import CONVERSE, CONVERSE_STREAM

ERROR = "x-amzn-errortype"


def decoded(request: Request, replies: tuple[Wire, ...], *, called: str) -> Reading | Unreadable:
    """The reading of a request's replies. called: the model as it was called, which served where no other is named."""
    try:
        if not replies:
            raise NoAnswer("there is none")
        for reply in replies:
            if refused(reply.status, reply.headers):
                return _refused(reply)
        if request.task is Task.EMBEDDING:
            return _embedding(request, replies, called)
        if request.task is Task.IMAGE:
            read, last = images.answer(_object(replies[-1].body)), replies[-1]
            return replace(read, served_model=called, service_s=meters.service_s({}, last.headers))
        return _chat(request, replies[-1], called)
    except NoAnswer as exc:
        return Unreadable(f"the reply cannot be read: {exc}.")
    except RecursionError:
        return Unreadable("the reply is nested too deeply to read.")


def refused(status: int | None, headers: Mapping[str, str]) -> bool:
    """Whether a reply is a refusal: by its status, and of a recording without one by the name of its error."""
    return status >= 400 if status is not None else ERROR in headers


def _embedding(request: Request, replies: tuple[Wire, ...], called: str) -> Reading:
    wanted = embeddings.expected(request)
    if wanted is not None and len(replies) not in (1, wanted):
        raise NoAnswer(f"there are {len(replies)} of {wanted}")
    read = embeddings.answer([_object(reply.body) for reply in replies])
    told = [meters.counts(None, {}, reply.headers).input for reply in replies]
    counts = None if None in told else Tokens(input=sum(filter(None, told)))
    return replace(counted(read, read.tokens or counts), served_model=called)


def _chat(request: Request, wire: Wire, called: str) -> Reading | Unreadable:
    failed = next(filter(None, map(events.failure, wire.events)), None)
    try:
        read = _read(wire)
    except NoAnswer:
        if failed is None:
            raise
        return _broken(failed, None)
    if failed is not None or not read.ended:
        return _broken(failed or (FailureKind.UNREADABLE, None, "the stream ended before its last event"), read.chat)
    said = read.tokens.input is not None or read.tokens.output is not None
    return Reading(
        output=valued(read.chat, request),
        served_model=read.served_model or called,
        tokens=read.tokens if said else None,
        tokens_in=read.tokens.input_total if said else None,
        tokens_out=read.tokens.output if said else None,
        first_token_s=_first_token_s(wire.events),
        service_s=read.service_s,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """A chat answer. ended: it is whole; a stream may stop without saying why."""

    chat: Chat
    ended: bool
    tokens: Tokens
    served_model: str | None
    service_s: float | None


def whole(wire: Wire) -> bool:
    """Whether a stream came to its end, as far as that can be told."""
    try:
        return bool(wire.events) and _read(wire).ended
    except (NoAnswer, RecursionError):
        return bool(wire.events)  # for `decode` to say what is wrong


def _read(wire: Wire) -> _Read:
    """The answer in a reply. Raises NoAnswer."""
    if wire.operation in (CONVERSE, CONVERSE_STREAM):
        body = (
            converse_answers.fold((one.kind, table(one.data)) for one in wire.events)
            if wire.events
            else _object(wire.body)
        )
        read = converse_answers.answer(body)
        chat = filtered(read.output, body)
        ended = "stopReason" in body
        tokens = read.tokens or Tokens()
        service_s = meters.seconds(table(body.get("metrics")).get("latencyMs"))
    else:
        body = invoke.fold(list(events.chunks_of(wire.events))) if wire.events else _object(wire.body)
        read = invoke.answer(body)
        chat = filtered(read.output, body)
        metrics = table(body.get(meters.METRICS))
        ended = not wire.events or chat.stop_raw is not None or chat.filter is not None or bool(metrics)
        tokens = meters.counts(read.tokens, metrics, wire.headers)
        service_s = meters.service_s(metrics, wire.headers)
    return _Read(chat=chat, ended=ended, tokens=tokens, served_model=read.served_model, service_s=service_s)


def _object(body: object) -> dict[str, Any]:
    if isinstance(body, bytes | str):
        return json_object(body)
    if not isinstance(body, dict):
        raise NoAnswer("it is empty" if body is None else "it is no object")
    return body


def _first_token_s(stream: tuple[Event, ...]) -> float | None:
    """When the first piece of an answer came; None for recordings, whose events carry no times."""
    first = next((one for one in stream if _brings(one)), None)
    return first.at_s if first is not None and first.at_s > events.NO_TIME_S else None


def _brings(event: Event) -> bool:
    if event.kind != events.CHUNK:
        return event.kind == "contentBlockDelta"
    data = table(event.data)
    return data.get("type", "content_block_delta") == "content_block_delta" and not (
        data.keys() & {"messageStart", "contentBlockStart"}
    )


def _broken(failed: tuple[FailureKind, str | None, str], partial: Chat | None) -> Unreadable:
    kind, code, words = failed
    return Unreadable(f"{words}.", partial=partial, kind=kind, code=code)


def _refused(wire: Wire) -> Unreadable:
    """A recorded refusal. Its code lies in a header or in the body; the message is not quoted."""
    try:
        body = _object(wire.body)
    except NoAnswer:
        body = {}
    named = wire.headers.get(ERROR) or text(body.get("code") or body.get("Code") or body.get("__type"))
    code = named.partition(":")[0].rpartition("#")[2]
    ours, _ = by_code(code, wire.status, count(body.get("originalStatusCode")))
    word = f" ({code})" if code else ""
    return Unreadable(
        f"the call was answered with status {'unknown' if wire.status is None else wire.status}{word}.",
        kind=FailureKind(ours.kind),
        status=wire.status,
        code=code or None,
    )
