"""Bedrock's codec: Converse, ConverseStream, InvokeModel and its stream, in both directions, without I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.core.call import Reading, Unreadable, Wire
from harness.core.case import Json, Lot, Recording, Request, Task
from harness.core.chat import Conversation
from harness.errors import CodecError, UnencodableRequest
from harness.services._chat import NoAnswer, json_object, table
from harness.services._streams import recorded
from harness.services.bedrock import converse, embeddings, events, gists, headers, images, invoke
from harness.services.bedrock.families import EMBEDDING, IMAGE, family_of
from harness.services.bedrock.operations import (
    CHAT_COMPLETIONS,
    CONVERSE,
    CONVERSE_STREAM,
    INVOKE,
    INVOKE_STREAM,
    MODEL,
    STREAMS,
)
from harness.services.bedrock.replies import decoded, refused

JSON = "application/json"


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
            return self._request(recording)
        except (CodecError, RecursionError) as exc:
            reason = "it is nested too deeply" if isinstance(exc, RecursionError) else str(exc).removesuffix(".")
            raise CodecError(f"recording {recording.id}: the request cannot be read: {reason}.") from None

    def gist(self, operation: str, model: str | None, _content_type: str, body: str, /) -> str | None:
        """As `protocols.Gists` says, of the bodies that `gists` knows."""
        if self.family is not None:
            return None
        if operation in (CONVERSE, CONVERSE_STREAM):
            return gists.of(body, CONVERSE)
        return gists.of(body, family_of(model)) if operation in (INVOKE, INVOKE_STREAM) else None

    def _request(self, recording: Recording) -> Request:
        body = json_object(recording.request_body)
        model, operation = recording.model, recording.operation.removesuffix(".create")
        if operation == CHAT_COMPLETIONS:
            model = model or str(body.get("model") or "") or None
        params: dict[str, Json] = {} if model is None else {"model": model}
        if operation in STREAMS or (operation == CHAT_COMPLETIONS and body.get("stream") is True):
            params["stream"] = True
        if operation in (CONVERSE, CONVERSE_STREAM):
            body.pop("modelId", None)  # boto3's own parameters, in logs that keep those
            conversation, said = converse.read(body, self.family or family_of(model))
            return conversation.request({**params, "api": "converse", **said})
        if operation not in (INVOKE, INVOKE_STREAM, CHAT_COMPLETIONS):
            raise CodecError(f'operation "{operation}" is none of {CONVERSE}, {INVOKE} and their streams')
        family = self.family or family_of(model, body)
        params["api"] = "invoke" if family == family_of(model) else f"invoke:{family}"
        params |= headers.read(recording.request_headers)
        if family in EMBEDDING or family in IMAGE:
            read = embeddings.read(body, family) if family in EMBEDDING else images.read(body, family)
            return replace(read, params={**params, **read.params})
        conversation, said = invoke.read(body, family)
        return conversation.request({**params, **said})

    def from_http(self, recording: Recording) -> Wire:
        """The recorded response as the endpoint would have returned it; what cannot be parsed is left to `decode`."""
        body = recording.response_body
        named = {name.lower(): value for name, value in recording.response_headers.items()}
        if recording.operation.removesuffix(".create") == CHAT_COMPLETIONS and not refused(recording.status, named):
            value, stream = recorded(_media(named), body, typed=False)
            return Wire(operation=CHAT_COMPLETIONS, status=recording.status, headers=named, body=value, events=stream)
        wire = Wire(operation=recording.operation, status=recording.status, headers=named, body=body)
        if body is None or refused(recording.status, named):
            return wire
        streamed = recording.operation in STREAMS
        first = body.lstrip()[:1]
        if streamed and (_media(named) == "application/vnd.amazon.eventstream" or first not in (b"[", b"{")):
            return replace(wire, body=None, events=events.from_bytes(body))
        try:
            if streamed and first == b"[":
                listed = json_object(b'{"events":' + body + b"}")["events"]
                return replace(
                    wire, body=None, events=events.from_list(listed, chunks=recording.operation == INVOKE_STREAM)
                )
            return wire if recording.operation in (INVOKE, INVOKE_STREAM) else replace(wire, body=json_object(body))
        except NoAnswer:
            return wire

    def next(self, lot: Lot, replies: tuple[Wire, ...]) -> Wire | None:
        """One call; several for the texts of an embedding model that takes one a call.

        Raises UnencodableRequest for what the body cannot say.
        """
        request = lot.only
        if replies and request.task is not Task.EMBEDDING:
            return None
        left = dict(request.params)
        model = str(self.model or left.get("model") or self.fallback)
        kind, _, family = str(self.api or left.get("api", "converse")).partition(":")
        family = self.family or family or family_of(model)
        stream = bool(left.get("stream")) if self.stream is None else self.stream
        own = table(request.payload).get("body")
        if kind not in ("converse", "invoke"):
            raise UnencodableRequest(f'bedrock has no api "{kind}"; it has converse and invoke.')
        if kind == "converse" and request.task is Task.CHAT:
            body = own if own is not None else converse.write(Conversation.of(request), left, family)
            return Wire(operation=CONVERSE_STREAM if stream else CONVERSE, headers={MODEL: model}, body=body)
        said = {MODEL: model, "content-type": JSON, "accept": JSON, **headers.write(left)}
        bodies = [own] if own is not None else _bodies(request, left, family)
        if len(replies) >= len(bodies):
            return None
        operation = INVOKE_STREAM if stream and request.task is Task.CHAT else INVOKE
        return Wire(operation=operation, headers=said, body=_dump(bodies[len(replies)]))

    def decode(self, lot: Lot, replies: tuple[Wire, ...]) -> Mapping[str, Reading | Unreadable]:
        """A Chat, an Embedding or Images with counts and times, or what is wrong with the reply."""
        (case,) = lot.requests
        called = str(self.model or lot.only.params.get("model") or self.fallback)
        return {case: decoded(lot.only, replies, called=called)}


def _bodies(request: Request, left: dict[str, Any], family: str) -> list[dict[str, Any]]:
    if request.task is Task.EMBEDDING:
        return embeddings.bodies(request, left, family)
    if request.task is Task.IMAGE:
        return [images.write(request, left, family)]
    return [invoke.write(Conversation.of(request), left, family)]


def _media(named: Mapping[str, str]) -> str:
    return named.get("content-type", "").partition(";")[0].strip().lower()


def _dump(value: Any) -> bytes:
    try:
        return events.dump(value)
    except ValueError as exc:
        raise UnencodableRequest("the request holds NaN, an infinity or half a character: no JSON.") from exc
