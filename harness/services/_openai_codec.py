"""The conversation with an OpenAI-shaped service: one call, a body out, a body or a stream of chunks back.

Recorded exchanges are read whatever their host: dated and v1 addresses, JSON bodies, server-sent events, and the lists
of parsed chunks that some logs keep instead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from harness.core.call import Event, FailureKind, Reading, Tokens, Unreadable, Wire
from harness.core.case import Json, Lot, Recording, Request, Task
from harness.core.chat import Conversation
from harness.core.output import Chat, Images, Output, StopReason
from harness.errors import CodecError
from harness.services import _openai_embeddings, _openai_images, _openai_items, _openai_responses
from harness.services._chat import parsed, valued
from harness.services._chat import table as tabled
from harness.services._failures import by_status
from harness.services._openai import (
    blocked_prompt,
    chat_of,
    code_of,
    completion_of,
    error_in,
    finished,
    is_filter,
    listed,
    tokens_of,
)
from harness.services._openai_chat import Dialect, read_body, write_body
from harness.services._openai_parts import cannot
from harness.services._streams import BROKEN, recorded, refused

CHAT, RESPONSES, EMBEDDINGS, IMAGES = "chat.completions", "responses", "embeddings", "images.generations"
# End of an address -> operation.
PATHS: Mapping[str, str] = {
    "/chat/completions": CHAT,
    "/responses": RESPONSES,
    "/embeddings": EMBEDDINGS,
    "/images/generations": IMAGES,
}
RUNTIME = "x-model-runtime"  # header in which an endpoint, or a recording's address, tells what served the call
_DEPLOYMENT = re.compile(r"/deployments/([^/]+)/")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAICodec:
    """Neutral requests as the service's bodies, and its answers as outputs.

    model: the deployment that is called, written into each body; None leaves the request's own.
    operations: those that the service has. api: "chat" | "responses", where a request does not say.
    """

    model: str | None
    dialect: Dialect = field(default_factory=Dialect)
    operations: frozenset[str] = frozenset(PATHS.values())
    api: str = "chat"

    def read_request(self, recording: Recording) -> Request:
        """A recorded body as a request. Raises CodecError naming the recording."""
        try:
            operation = operation_of(recording)
            _, body = parsed(recording.request_body.decode("utf-8"))
            if not isinstance(body, dict):
                raise CodecError("the request body is no JSON object.")
            request = self._read(operation, body)
        except UnicodeDecodeError:
            raise CodecError(f"recording {recording.id}: the request body is no UTF-8 text.") from None
        except CodecError as exc:
            raise CodecError(f"recording {recording.id}: {exc}") from exc
        called = _called(recording)
        if called is not None:
            return Request(request.task, request.payload, {**request.params, "model": called})
        return request

    def from_http(self, recording: Recording) -> Wire:
        """The recorded response as the endpoint would have returned it: a body, or the events of a stream.

        Raises CodecError where the exchange is of no operation known.
        """
        try:
            operation = operation_of(recording)
        except CodecError as exc:
            raise CodecError(f"recording {recording.id}: {exc}") from exc
        headers = {name.lower(): value for name, value in recording.response_headers.items()}
        version = parse_qs(_address(recording).query).get("api-version")
        if version and RUNTIME not in headers:
            headers[RUNTIME] = f"api {version[0]}"
        typed = operation == RESPONSES
        body, events = recorded(headers.get("content-type", ""), recording.response_body, typed=typed)
        return Wire(operation=operation, status=recording.status, headers=headers, body=body, events=events)

    def next(self, lot: Lot, replies: tuple[Wire, ...]) -> Wire | None:
        """One call. A payload {"body": ...} is sent as it is. Raises UnencodableRequest naming what cannot be said."""
        if replies:
            return None
        request = lot.only
        params = dict(request.params) if self.model is None else {**request.params, "model": self.model}
        operation = self._operation(request)
        if isinstance(request.payload, dict) and "body" in request.payload:
            body = request.payload["body"]
            if isinstance(body, dict) and "model" in params:
                body = {**body, "model": params["model"]}
            return Wire(operation=operation, body=body)
        return Wire(operation=operation, body=self._write(operation, request, params))

    def decode(self, lot: Lot, replies: tuple[Wire, ...]) -> Mapping[str, Reading | Unreadable]:
        """The answer. A filter's refusal of the prompt is one, whatever its HTTP status."""
        (case,) = lot.requests
        if not replies:
            return {case: Unreadable("no reply came")}
        reply, request = replies[-1], lot.only
        try:
            return {case: _decode(reply, request)}
        except (ValueError, TypeError, RecursionError) as exc:
            return {case: Unreadable(f"the answer is none of {reply.operation} ({exc})")}

    def _operation(self, request: Request) -> str:
        match request.task:
            case Task.CHAT:
                api = request.params.get("api", self.api)
                operation = {"chat": CHAT, "responses": RESPONSES}.get(str(api))
            case Task.EMBEDDING:
                operation = EMBEDDINGS
            case Task.IMAGE:
                operation = IMAGES
            case _:
                raise cannot("task", f'the service has no operation for the task "{request.task.value}"')
        if operation is None or operation not in self.operations:
            raise cannot("api", f'the service has no such API for the task "{request.task.value}"')
        return operation

    def _read(self, operation: str, body: dict[str, Any]) -> Request:
        if operation == EMBEDDINGS:
            return _openai_embeddings.read_body(body)
        if operation == IMAGES:
            return _openai_images.read_body(body)
        if operation == RESPONSES:
            conversation, params = _openai_responses.read_body(body)
            return conversation.request({**params, "api": "responses"})
        conversation, params = read_body(body, self.dialect)
        return conversation.request(params)

    def _write(self, operation: str, request: Request, params: Mapping[str, Json]) -> Json:
        if operation == EMBEDDINGS:
            return _openai_embeddings.write_body(request.payload, params)
        if operation == IMAGES:
            return _openai_images.write_body(request.payload, params)
        if operation == RESPONSES:
            return _openai_responses.write_body(Conversation.of(request), params)
        return write_body(Conversation.of(request), params, self.dialect)


def operation_of(recording: Recording) -> str:
    """Which operation an exchange is: by its address, else by the log's word. Raises CodecError."""
    path = _address(recording).path.rstrip("/")
    for end, operation in PATHS.items():
        if path.endswith(end):
            return operation
    word = recording.operation.removesuffix(".create")
    words = {"chat": CHAT, "chat_completions": CHAT, "images": IMAGES, **{name: name for name in PATHS.values()}}
    if word in words:
        return words[word]
    raise CodecError(f'the operation "{recording.operation}" is not one of {", ".join(PATHS.values())}.')


def _address(recording: Recording) -> SplitResult:
    """The address of a recording; an empty one where there is none that can be read."""
    try:
        return urlsplit(recording.url or "")
    except ValueError:
        return urlsplit("")


def _called(recording: Recording) -> str | None:
    """The deployment in a dated address, else the log's word for it; the body's own model is what is read before."""
    found = _DEPLOYMENT.search(_address(recording).path)
    return unquote(found[1]) if found else recording.model


def complete(operation: str, events: tuple[Event, ...]) -> bool:
    """Whether a stream's answer came to its end."""
    return _finished(operation, _whole(operation, events))


def _whole(operation: str, events: tuple[Event, ...]) -> dict[str, Any]:
    """What a stream's events are the pieces of."""
    told = tuple(event for event in events if event.kind != "error")
    if operation == RESPONSES:
        return _openai_items.response_of(told)
    return completion_of([tabled(event.data) for event in told])


def _finished(operation: str, whole: Mapping[str, Any]) -> bool:
    return _openai_items.finished(whole) if operation == RESPONSES else finished(whole)


def _chat(operation: str, whole: Mapping[str, Any], request: Request) -> Chat:
    return valued(_openai_items.chat_of(whole) if operation == RESPONSES else chat_of(whole), request)


def _decode(reply: Wire, request: Request) -> Reading | Unreadable:
    if reply.events:
        return _stream(reply, request)
    body = reply.body
    error = error_in(body)
    if error is not None:
        return _refused(error, reply, request)
    if reply.status is not None and not 200 <= reply.status < 300:
        kind = FailureKind(by_status(reply.status)[0].kind)
        return Unreadable(f"the recorded answer has status {reply.status}", kind=kind, status=reply.status)
    if not isinstance(body, dict):
        return Unreadable("the answer is no JSON object" if body is not None else "no answer was recorded")
    output, tokens = _output(reply.operation, body, request)
    return _reading(output, tokens, body, reply)


def _output(operation: str, body: dict[str, Any], request: Request) -> tuple[Output, Tokens | None]:
    if operation == EMBEDDINGS:
        return _openai_embeddings.output(body, request), tokens_of(body.get("usage"))
    if operation == IMAGES:
        return _openai_images.output(body), tokens_of(body.get("usage"))
    if operation == RESPONSES and not _openai_items.finished(body):
        raise ValueError("the response is not finished")
    return _chat(operation, body, request), tokens_of(body.get("usage"))


def _refused(error: dict[str, Any], reply: Wire, request: Request) -> Reading | Unreadable:
    chat = blocked_prompt(error)
    if chat is not None and request.task is Task.CHAT:
        return _reading(chat, None, {}, reply)
    if chat is not None and request.task is Task.IMAGE:
        wanted = request.params.get("n", 1)
        return _reading(Images(images=(), filtered=wanted if isinstance(wanted, int) else 1), None, {}, reply)
    return refused(error, reply)


def _stream(reply: Wire, request: Request) -> Reading | Unreadable:
    failed = next((error_in(event.data) or {} for event in reply.events if event.kind == "error"), None)
    whole = _whole(reply.operation, reply.events)
    tokens = tokens_of(whole.get("usage"))
    chat = _chat(reply.operation, whole, request) if whole.get("choices") or whole.get("output") else None
    if failed is not None and is_filter(failed):
        if chat is None:
            return _refused(failed, reply, request)
        return _reading(_stopped(chat, failed), tokens, whole, reply)
    if failed is not None:
        return refused(failed, reply, chat)
    if chat is None or not _finished(reply.operation, whole):
        kind = FailureKind.UNAVAILABLE
        return Unreadable(BROKEN["message"], chat, kind=kind, status=reply.status, code=BROKEN["code"])
    return _reading(chat, tokens, whole, reply)


def _stopped(chat: Chat, error: dict[str, Any]) -> Chat:
    """What came before the filter stopped the stream."""
    blocked = blocked_prompt(error)
    found = replace(blocked.filter, where="completion") if blocked is not None and blocked.filter else None
    return replace(chat, filter=found, stop=StopReason.FILTER, stop_raw=code_of(error))


def _reading(output: Output, tokens: Tokens | None, body: Mapping[str, Any], reply: Wire) -> Reading:
    model, fingerprint = body.get("model"), body.get("system_fingerprint")
    runtime = [fingerprint if isinstance(fingerprint, str) else "", reply.headers.get(RUNTIME, "")]
    first = next((event.at_s for event in reply.events if _speaks(event)), None)
    return Reading(
        output=output,
        served_model=model if isinstance(model, str) and model else None,
        runtime="; ".join(filter(None, runtime)) or None,
        tokens_in=tokens.input_total if tokens else None,
        tokens_out=tokens.output if tokens else None,
        tokens=tokens,
        first_token_s=first or None,  # 0: a log that keeps no times
        service_s=_service_s(reply.headers),
    )


def _speaks(event: Event) -> bool:
    """Whether a chunk carries a piece of the answer."""
    if event.kind.endswith(".delta"):
        return event.kind.startswith(("response.output_text", "response.refusal", "response.function_call"))
    for choice in listed(tabled(event.data).get("choices")):
        delta = tabled(tabled(choice).get("delta"))
        if any(delta.get(name) for name in ("content", "refusal", "tool_calls", "function_call")):
            return True
    return False


def _service_s(headers: Mapping[str, str]) -> float | None:
    """Milliseconds that the model took, as Azure's gateway tells."""
    text = headers.get("cmp-upstream-response-duration") or headers.get("openai-processing-ms") or ""
    return int(text) / 1000 if text.isdecimal() and len(text) < 10 else None
