"""Bedrock's codec: Converse, ConverseStream, InvokeModel and its stream, in both directions, without I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.core.call import Event, FailureKind, Reading, Tokens, Unreadable, Wire
from harness.core.case import Json, Lot, Recording, Request, Task
from harness.core.chat import Conversation
from harness.core.output import Chat
from harness.errors import CodecError, UnencodableRequest
from harness.services._aws_codes import by_code
from harness.services._chat import NoAnswer, count, counted, json_object, table, text, valued
from harness.services.bedrock import converse, events, headers, invoke
from harness.services.bedrock.families import family_of
from harness.services.bedrock.guardrail import filtered

CONVERSE, CONVERSE_STREAM = "Converse", "ConverseStream"
INVOKE, INVOKE_STREAM = "InvokeModel", "InvokeModelWithResponseStream"
STREAMS = (CONVERSE_STREAM, INVOKE_STREAM)
JSON = "application/json"
MODEL = "x-parity-model"  # in the headers of a Wire: the model that is called, which HTTP says in the path


@dataclass(frozen=True, slots=True, kw_only=True)
class BedrockCodec:
    """model, api, stream, family: as in `build`. fallback: the model of requests that name none."""

    fallback: str
    model: str | None = None
    api: str | None = None
    stream: bool | None = None
    family: str | None = None

    def read_request(self, recording: Recording) -> Request:
        """A recorded request; params say model, api and stream. Raises CodecError naming the recording."""
        try:
            body = json_object(recording.request_body)
            params: dict[str, Json] = {} if recording.model is None else {"model": recording.model}
            if recording.operation in STREAMS:
                params["stream"] = True
            if recording.operation in (CONVERSE, CONVERSE_STREAM):
                body.pop("modelId", None)  # boto3's own parameters, in logs that keep those
                family = self.family or family_of(recording.model)
                conversation, said = converse.read(body, family)
                return conversation.request({**params, "api": "converse", **said})
            if recording.operation not in (INVOKE, INVOKE_STREAM):
                raise CodecError(
                    f'operation "{recording.operation}" is none of {CONVERSE} and {INVOKE} or their streams'
                )
            family = self.family or family_of(recording.model, body)
            told = family == family_of(recording.model)
            params["api"] = "invoke" if told else f"invoke:{family}"
            conversation, said = invoke.read(body, family)
            return conversation.request({**params, **said, **headers.read(recording.request_headers)})
        except (CodecError, RecursionError) as exc:
            reason = "it is nested too deeply" if isinstance(exc, RecursionError) else str(exc).removesuffix(".")
            raise CodecError(f"recording {recording.id}: the request cannot be read: {reason}.") from None

    def from_http(self, recording: Recording) -> Wire:
        """The recorded response as the endpoint would have returned it; what cannot be parsed is left to `decode`."""
        body = recording.response_body
        named = {name.lower(): value for name, value in recording.response_headers.items()}
        wire = Wire(operation=recording.operation, status=recording.status, headers=named, body=body)
        if body is None or (recording.status or 200) >= 400:
            return wire
        streamed = recording.operation in STREAMS
        if streamed and (_media(named) == "application/vnd.amazon.eventstream" or body[:1] not in (b"[", b"{")):
            return replace(wire, body=None, events=events.from_bytes(body))
        try:
            if streamed and body[:1] == b"[":
                listed = json_object(b'{"events":' + body + b"}")["events"]
                return replace(
                    wire, body=None, events=events.from_list(listed, chunks=recording.operation == INVOKE_STREAM)
                )
            return wire if recording.operation in (INVOKE, INVOKE_STREAM) else replace(wire, body=json_object(body))
        except NoAnswer:
            return wire

    def next(self, lot: Lot, replies: tuple[Wire, ...]) -> Wire | None:
        """One call. Raises UnencodableRequest for what the body cannot say."""
        if replies:
            return None
        request = lot.only
        params = dict(request.params)
        said = {
            MODEL: str(self.model or params.get("model") or self.fallback),
        }
        api = str(self.api or params.get("api", "converse"))
        stream = bool(params.get("stream")) if self.stream is None else self.stream
        own = request.payload.get("body") if isinstance(request.payload, dict) else None
        kind, _, family = api.partition(":")
        family = self.family or family or family_of(said[MODEL])
        if kind == "converse" and request.task is Task.CHAT:
            body = own if own is not None else converse.write(Conversation.of(request), params, family)
            return Wire(operation=CONVERSE_STREAM if stream else CONVERSE, headers=said, body=body)
        if kind not in ("invoke", "converse"):
            raise UnencodableRequest(f'bedrock has no api "{kind}"; it has converse and invoke.')
        said |= {"content-type": JSON, "accept": JSON, **headers.write(params)}
        body = own if own is not None else invoke.write(Conversation.of(request), params, family)
        return Wire(operation=INVOKE_STREAM if stream else INVOKE, headers=said, body=_dump(body))

    def decode(self, lot: Lot, replies: tuple[Wire, ...]) -> Mapping[str, Reading | Unreadable]:
        """A Chat with counts and times, or what is wrong with the reply."""
        (case,) = lot.requests
        try:
            return {case: self._decoded(lot.only, replies)}
        except NoAnswer as exc:
            return {case: Unreadable(f"the reply cannot be read: {exc}.")}
        except RecursionError:
            return {case: Unreadable("the reply is nested too deeply to read.")}

    def _decoded(self, request: Request, replies: tuple[Wire, ...]) -> Reading | Unreadable:
        if not replies:
            raise NoAnswer("there is none")
        wire = replies[-1]
        if (wire.status or 200) >= 400:
            return _refused(wire)
        failed = next(filter(None, map(events.failure, wire.events)), None)
        try:
            read, whole = _read(wire)
        except NoAnswer:
            if failed is None:
                raise
            return _broken(failed, None)
        if failed is not None or not whole:
            cut = (FailureKind.UNREADABLE, None, "the stream ended before its last event")
            return _broken(failed or cut, read.output if isinstance(read.output, Chat) else None)
        if isinstance(read.output, Chat):
            read = replace(read, output=valued(read.output, request))
        called = self.model or request.params.get("model") or self.fallback
        return replace(
            read,
            served_model=read.served_model or str(called),
            first_token_s=_first_token_s(wire.events),
        )


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


def _media(named: Mapping[str, str]) -> str:
    kind = named.get("content-type", "")
    return kind.partition(";")[0].strip().lower()


def _dump(value: Any) -> bytes:
    try:
        return events.dump(value)
    except ValueError as exc:
        raise UnencodableRequest("the request holds NaN or an infinity, which JSON cannot say.") from exc
