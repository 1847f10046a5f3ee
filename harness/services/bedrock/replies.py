"""What came back, as readings: one answer a case, of whatever operation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.core.call import Event, FailureKind, Reading, Tokens, Unreadable, Wire
from harness.core.case import Request, Task
from harness.core.output import Chat
from harness.services._aws_codes import by_code
from harness.services._chat import NoAnswer, count, counted, json_object, table, text, valued
from harness.services.bedrock import converse, embeddings, events, headers, images, invoke
from harness.services.bedrock.guardrail import filtered
from harness.services.bedrock.operations import CONVERSE, CONVERSE_STREAM


def decoded(request: Request, replies: tuple[Wire, ...], *, called: str) -> Reading | Unreadable:
    """The reading of a request's replies. called: the model as it was called, which served where no other is named."""
    try:
        if not replies:
            raise NoAnswer("there is none")
        refused = next((reply for reply in replies if (reply.status or 200) >= 400), None)
        if refused is not None:
            return _refused(refused)
        found = _read_task(request, replies)
    except NoAnswer as exc:
        return Unreadable(f"the reply cannot be read: {exc}.")
    except RecursionError:
        return Unreadable("the reply is nested too deeply to read.")
    return replace(found, served_model=found.served_model or called) if isinstance(found, Reading) else found


def _read_task(request: Request, replies: tuple[Wire, ...]) -> Reading | Unreadable:
    if request.task is Task.EMBEDDING:
        wanted = embeddings.expected(request)
        if wanted is not None and len(replies) not in (1, wanted):
            raise NoAnswer(f"there are {len(replies)} of {wanted}")
        read = embeddings.answer([_object(reply.body) for reply in replies])
        told = [headers.tokens(reply.headers).input for reply in replies]
        counts = None if None in told else Tokens(input=sum(filter(None, told)))
        return counted(read, read.tokens or counts)
    if request.task is Task.IMAGE:
        return replace(images.answer(_object(replies[-1].body)), service_s=headers.service_s(replies[-1].headers))
    return _read_chat(request, replies[-1])


def _read_chat(request: Request, wire: Wire) -> Reading | Unreadable:
    failed = next(filter(None, map(events.failure, wire.events)), None)
    try:
        read, ended = _read(wire)
    except NoAnswer:
        if failed is None:
            raise
        return _broken(failed, None)
    chat = read.output if isinstance(read.output, Chat) else None
    if failed is not None or not ended:
        return _broken(failed or (FailureKind.UNREADABLE, None, "the stream ended before its last event"), chat)
    if chat is not None:
        read = replace(read, output=valued(chat, request))
    return replace(read, first_token_s=_first_token_s(wire.events))


def whole(wire: Wire) -> bool:
    """Whether a stream came to its end, as far as that can be told."""
    try:
        return bool(wire.events) and _read(wire)[1]
    except (NoAnswer, RecursionError):
        return bool(wire.events)  # for `decode` to say what is wrong


def _read(wire: Wire) -> tuple[Reading, bool]:
    """A chat answer, and whether it is whole: a stream may end without saying why. Raises NoAnswer."""
    if wire.operation in (CONVERSE, CONVERSE_STREAM):
        body = converse.fold((one.kind, table(one.data)) for one in wire.events) if wire.events else _object(wire.body)
        read = replace(converse.answer(body), service_s=_seconds(table(body.get("metrics")).get("latencyMs")))
        return filtered(read, body), "stopReason" in body
    body = invoke.fold(list(events.chunks_of(wire.events))) if wire.events else _object(wire.body)
    read = filtered(invoke.answer(body), body)
    counts, service_s = invoke.metrics(body)
    read = counted(read, _filled(_filled(read.tokens, counts), headers.tokens(wire.headers)))
    read = replace(read, service_s=service_s if service_s is not None else headers.service_s(wire.headers))
    chat = read.output
    ended = isinstance(chat, Chat) and (chat.stop_raw is not None or chat.filter is not None)
    return read, not wire.events or ended or invoke.METRICS in body


def _object(body: object) -> dict[str, Any]:
    if isinstance(body, bytes | str):
        return json_object(body)
    if not isinstance(body, dict):
        raise NoAnswer("it is empty" if body is None else "it is no object")
    return body


def _filled(own: Tokens | None, others: Tokens) -> Tokens:
    """The provider's own counts, with those that it leaves out taken from the service."""
    if own is None:
        return others
    return replace(
        own,
        input=others.input if own.input is None else own.input,
        output=others.output if own.output is None else own.output,
        cache_read=others.cache_read if own.cache_read is None else own.cache_read,
        cache_write=others.cache_write if own.cache_write is None else own.cache_write,
    )


def _seconds(milliseconds: object) -> float | None:
    number = count(milliseconds)
    return None if number is None else number / 1000


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
    status = wire.status or 0
    try:
        body = _object(wire.body)
    except NoAnswer:
        body = {}
    named = wire.headers.get("x-amzn-errortype") or text(body.get("code") or body.get("Code") or body.get("__type"))
    code = named.partition(":")[0].rpartition("#")[2]
    ours, _ = by_code(code, status, count(body.get("originalStatusCode")))
    word = f" ({code})" if code else ""
    return Unreadable(
        f"the call was answered with status {status}{word}.",
        kind=FailureKind(ours.kind),
        status=status,
        code=code or None,
    )
