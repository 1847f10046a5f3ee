"""Models of other makers in Foundry: Claude by Anthropic's Messages API, and the rest by Foundry's model inference.

`api = "messages"`: POST /anthropic/v1/messages. Bodies are those of `_anthropic`, with the deployment as `model`; there
is no `anthropic_version` in them, and beta features go into a header. urllib3 carries the calls, as it does Azure ML's
scoring: the openai SDK cannot speak this route, and Anthropic's own SDK is none that this project depends on for one
POST.
`api = "chat"`: POST /models/chat/completions and /models/embeddings through the openai SDK (Llama, Mistral, Cohere,
DeepSeek, ...), with `extra-parameters: error`, so that a member the model does not know is refused, not dropped.
Wire format: wire contracts, "Other models in Foundry"; Microsoft's pages on Claude in Foundry.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

import urllib3

from harness import __version__
from harness.config import SideSettings
from harness.core.call import Event, FailureKind, Reading, Unreadable, Wire
from harness.core.case import Json, Lot, Recording, Request, Task
from harness.core.chat import Conversation
from harness.core.check import Grant, Load, Probe
from harness.core.inventory import Inventory
from harness.core.protocols import Codec, Endpoint
from harness.errors import (
    CodecError,
    HarnessError,
    Rejected,
    ServiceError,
    Unavailable,
    UnencodableRequest,
    UnknownName,
)
from harness.services import _anthropic, _sse
from harness.services._chat import NoAnswer, json_object, parsed, table, valued
from harness.services._failures import HTTP, Row, by_status, cause, from_row, row_for
from harness.services._hosts import azure_cloud, resource_address
from harness.services._network import CONNECT_TIMEOUT_S, Way
from harness.services._openai import blocked_prompt, code_of, error_in, is_filter
from harness.services._openai_chat import NAMES, Dialect
from harness.services._openai_codec import CHAT, EMBEDDINGS, RUNTIME, OpenAICodec
from harness.services._replies import kept, retry_after_s
from harness.services._streams import (
    BROKEN,
    EVENT_STREAM,
    broken_off,
    ended,
    event_of,
    recorded,
    refused,
)
from harness.shapes import AZURE_CLOUDS

if TYPE_CHECKING:
    import httpx2
    import openai

    from harness.services._checks_cognitive import Account
    from harness.services._entra import Keyring, Opener

SERVICE = "foundry"
MESSAGES = "messages"
APIS = ("messages", "chat")
PATH = "/anthropic/v1/messages"
BETA = "anthropic-beta"
# What model inference takes by these names; anything else goes through "extra", and `extra-parameters` decides.
TAKEN = ("model", "stream", "temperature", "top_p", "stop", "seed", "presence_penalty", "frequency_penalty")
DIALECT = Dialect(names={**{name: NAMES[name] for name in TAKEN}, "max_tokens": "max_tokens"})
OTHER = Row((urllib3.exceptions.HTTPError,), Unavailable, "the call failed in a way not known here")


def build(
    settings: SideSettings,
    *,
    api: str = "messages",
    api_version: str = "2024-05-01-preview",
    anthropic_version: str = "2023-06-01",
) -> Foundry:
    """One deployment; settings.endpoint is its name.

    api: "messages" | "chat". api_version: of model inference. anthropic_version: of the Messages API.
    Raises UnknownName.
    """
    if api not in APIS:
        raise UnknownName(f"{settings.side.value}: {SERVICE}", "api", api, APIS)
    codec: Codec = MessagesCodec(model=settings.endpoint)
    if api == "chat":
        operations = frozenset({CHAT, EMBEDDINGS})
        codec = OpenAICodec(model=settings.endpoint, dialect=DIALECT, operations=operations)
    version = anthropic_version if api == "messages" else api_version
    return Foundry(codec=codec, settings=settings, api=api, version=version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Foundry:
    """The service as the session holds it. version: of the API that is spoken."""

    codec: Codec
    settings: SideSettings
    api: str
    version: str

    def open(self) -> Endpoint:
        """Find key or token. Raises ConfigError, and ServiceError as Entra answers."""
        from harness.services._deployment import deployment_told
        from harness.services._entra import Keyring, key_or_token

        settings = self.settings
        cloud = azure_cloud(settings, SERVICE)
        address = resource_address(settings, SERVICE, cloud.foundry)
        way = Way(settings.network)
        try:
            keyring = Keyring(lambda: key_or_token(settings, cloud, way, scope=cloud.ai_scope, service=SERVICE))
            told = deployment_told(settings, cloud, way, service=SERVICE)
            runtime = "; ".join(filter(None, [f"api {self.version}", told]))
            if self.api == "messages":
                return MessagesEndpoint(settings, way, keyring, address, version=self.version, runtime=runtime)
            return _inference(settings, way, keyring, address, version=self.version, runtime=runtime)
        except BaseException:
            way.close()
            raise

    def probes(self, load: Load, /) -> tuple[Probe, ...]:
        """What can be looked at without a paid call."""
        from harness.services import _checks_cognitive as checks

        return checks.probes(self._account(), load)

    def grants(self, _load: Load, /) -> tuple[Grant, ...]:
        """What a run and its checks need leave for."""
        from harness.services import _checks_cognitive as checks

        return checks.grants(self._account(), ("Microsoft.CognitiveServices/accounts/MaaS/*",))

    def _account(self) -> Account:
        from harness.services._checks_cognitive import Account

        cloud = azure_cloud(self.settings, SERVICE)
        return Account(
            settings=self.settings,
            cloud=cloud,
            service=SERVICE,
            address=resource_address(self.settings, SERVICE, cloud.foundry),
            role="Cognitive Services User",
            zone=f"privatelink{cloud.foundry}",
        )

    def inventory(self, _since: datetime, /) -> Inventory | None:
        """Deployments of other makers' models; none where the profile names no resource."""
        settings = self.settings
        if settings.cloud not in AZURE_CLOUDS or settings.resource is None:
            return None
        from harness.services import _inventory_cognitive

        return _inventory_cognitive.read(settings, service=SERVICE, openai=False)


def _inference(
    settings: SideSettings, way: Way, keyring: Keyring, address: str, *, version: str, runtime: str
) -> Endpoint:
    import openai

    from harness.services._openai_sdk import SDKEndpoint

    def client(http: httpx2.Client, secret: Callable[[], str]) -> openai.OpenAI:
        return openai.OpenAI(
            base_url=f"{address}/models",
            api_key=secret,
            default_query={"api-version": version},
            default_headers={"extra-parameters": "error"},
            http_client=http,
            max_retries=0,
        )

    return SDKEndpoint(settings, way, keyring, client, service=SERVICE, runtime=runtime, key_header="api-key")


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagesCodec:
    """Anthropic's Messages as Foundry takes them. model: the deployment, written into each body."""

    model: str

    def read_request(self, recording: Recording) -> Request:
        """A recorded body as a request; beta features come back into "extra". Raises CodecError naming it."""
        try:
            body = json_object(recording.request_body)
            said = {name: body.pop(name) for name in ("model", "stream") if body.get(name) is not None}
            conversation, params = _anthropic.read(body)
        except (CodecError, RecursionError) as exc:
            raise CodecError(f"recording {recording.id}: the request cannot be read: {exc}.") from None
        betas = {name.lower(): value for name, value in recording.request_headers.items()}.get(BETA)
        if betas:
            extra = params.get("extra", {})
            listed: list[Json] = [beta.strip() for beta in betas.split(",")]
            params["extra"] = {**(extra if isinstance(extra, dict) else {}), "anthropic_beta": listed}
        return conversation.request({**params, **said, "api": "messages"})

    def from_http(self, recording: Recording) -> Wire:
        """The recorded response as the endpoint would have returned it."""
        headers = {name.lower(): value for name, value in recording.response_headers.items()}
        body, events = recorded(headers.get("content-type", ""), recording.response_body, typed=True)
        return Wire(operation=MESSAGES, status=recording.status, headers=headers, body=body, events=events)

    def next(self, lot: Lot, replies: tuple[Wire, ...]) -> Wire | None:
        """One call. A payload {"body": ...} is sent as it is. Raises UnencodableRequest."""
        if replies:
            return None
        request = lot.only
        if request.task is not Task.CHAT:
            raise UnencodableRequest(f'the Messages API has no operation for the task "{request.task.value}".')
        payload, params = request.payload, dict(request.params)
        if params.get("api", MESSAGES) != MESSAGES:
            raise UnencodableRequest('the request is for model inference; say [target] api = "chat".')
        if isinstance(payload, dict) and "body" in payload:
            own = payload["body"]
            return Wire(operation=MESSAGES, body={**own, "model": self.model} if isinstance(own, dict) else own)
        stream = {"stream": True} if params.get("stream") else {}
        body = {"model": self.model, **_anthropic.write(Conversation.of(request), params), **stream}
        betas = body.pop("anthropic_beta", None)
        headers = {BETA: ",".join(map(str, betas))} if isinstance(betas, list) else {}
        return Wire(operation=MESSAGES, headers=headers, body=body)

    def decode(self, lot: Lot, replies: tuple[Wire, ...]) -> Mapping[str, Reading | Unreadable]:
        """The answer, or what is wrong with the reply."""
        (case,) = lot.requests
        if not replies:
            return {case: Unreadable("no reply came")}
        try:
            return {case: _decode(replies[-1], lot.only)}
        except (NoAnswer, RecursionError) as exc:
            return {case: Unreadable(f"the reply cannot be read: {exc}")}


def _decode(reply: Wire, request: Request) -> Reading | Unreadable:
    error = error_in(reply.body)
    body = reply.body
    if reply.events:
        error = next((error_in(event.data) or {} for event in reply.events if event.kind == "error"), None)
        body = _anthropic.fold(table(event.data) for event in reply.events if event.kind != "error")
    if error is not None:
        blocked = blocked_prompt(error)
        if blocked is not None and not reply.events:
            return _read(Reading(output=blocked), reply, request)
        return refused(error, reply, _anthropic.answer(table(body)).output if reply.events else None)
    if reply.status is not None and not 200 <= reply.status < 300:
        kind = FailureKind(by_status(reply.status)[0].kind)
        return Unreadable(f"the recorded answer has status {reply.status}", kind=kind, status=reply.status)
    if not isinstance(body, dict):
        raise NoAnswer("it is no JSON object" if body is not None else "none was recorded")
    read = _anthropic.answer(body)
    if reply.events and not _whole(reply.events):
        kind = FailureKind.UNAVAILABLE
        return Unreadable(BROKEN["message"], read.output, kind=kind, status=reply.status, code=BROKEN["code"])
    return _read(read, reply, request)


def _read(read: Reading, reply: Wire, request: Request) -> Reading:
    first = next((event.at_s for event in reply.events if event.kind == "content_block_delta"), None)
    output = valued(read.output, request)  # type: ignore[arg-type] # a Chat: the only output of Messages
    return replace(read, output=output, runtime=reply.headers.get(RUNTIME), first_token_s=first or None)


def _whole(events: tuple[Event, ...]) -> bool:
    """Whether a stream came to its end: it says why the model stopped."""
    return _anthropic.fold(table(event.data) for event in events).get("stop_reason") is not None


class MessagesEndpoint:
    """A POST to /anthropic/v1/messages, one attempt a call."""

    def __init__(
        self, settings: SideSettings, way: Way, keyring: Keyring, address: str, *, version: str, runtime: str
    ) -> None:
        self._settings = settings
        self._way = way
        self._keyring = keyring
        self._address = address
        self._version = version
        self._runtime = runtime
        self._pool = way.pool(address, settings.connections)

    def __repr__(self) -> str:
        return f"<MessagesEndpoint {self.name} {self._settings.cloud}>"

    @property
    def name(self) -> str:
        return self._settings.endpoint

    def call(self, wire: Wire, *, timeout_s: float) -> Wire:
        """One POST. Raises ServiceError; a token near its end is renewed first."""
        opener, started = self._keyring.current(), time.perf_counter()
        events: list[Event] = []
        try:
            reply = self._post(wire, opener, timeout_s)
            if reply.status >= 400 or not reply.headers.get("content-type", "").startswith(EVENT_STREAM):
                is_json, value = parsed(reply.data.decode("utf-8", "replace"))
                told = self._told(reply, value if is_json else reply.data)
                return told if reply.status < 300 else self._refused(told, reply)
            try:
                for event in _events(reply, started):
                    events.append(event)
            finally:
                reply.close()
        except urllib3.exceptions.HTTPError as exc:
            if not events:
                raise self._broken(exc) from cause(exc, (opener.secret,))
            events.append(broken_off(time.perf_counter() - started))
            raise self._broken(exc, self._told(reply, None, tuple(events))) from cause(exc, (opener.secret,))
        told = self._told(reply, None, tuple(events))
        at_s = time.perf_counter() - started
        return ended(told, at_s, whole=_whole(told.events), place=self._place, service=SERVICE)

    def refresh(self) -> bool:
        """Read the key, or ask for a token, anew; True when it differs from the one that the calling thread used."""
        return self._keyring.refresh()

    def close(self) -> None:
        self._pool.clear()
        self._way.close()

    def _post(self, wire: Wire, opener: Opener, timeout_s: float) -> urllib3.BaseHTTPResponse:
        try:
            body = json.dumps(wire.body, allow_nan=False, separators=(",", ":")).encode()
        except ValueError:
            raise Rejected(f"{self._place}: the request holds NaN or an infinity", service=SERVICE) from None
        headers = {
            **wire.headers,
            "content-type": "application/json",
            "anthropic-version": self._version,
            "x-ms-client-request-id": str(uuid.uuid4()),
            "user-agent": f"parity-harness/{__version__}",
        }
        if opener.is_token:
            headers["authorization"] = f"Bearer {opener.secret}"
        else:
            headers["api-key"] = opener.secret
        return self._pool.request(
            "POST",
            f"{self._address}{PATH}",
            body=body,
            headers=headers,
            timeout=urllib3.Timeout(connect=min(timeout_s, CONNECT_TIMEOUT_S), read=timeout_s),
            retries=False,
            redirect=False,
            preload_content=False,
        )

    def _told(self, reply: urllib3.BaseHTTPResponse, body: Json | bytes, events: tuple[Event, ...] = ()) -> Wire:
        headers = {**kept(reply.headers), RUNTIME: self._runtime}
        return Wire(operation=MESSAGES, status=reply.status, headers=headers, body=body, events=events)

    def _refused(self, told: Wire, reply: urllib3.BaseHTTPResponse) -> Wire:
        """A refusal of the prompt by a content filter is an answer. Raises ServiceError for anything else."""
        error = error_in(told.body) or {}
        if is_filter(error) and reply.status < 500:
            return told
        ours, may_refresh = by_status(reply.status)
        code, request = code_of(error), reply.headers.get("request-id", "not given")[:64]
        raise ours(
            f"{self._place}: answered{f' {code}' if code else ''} (status {reply.status}, request {request})",
            service=SERVICE,
            status=reply.status,
            retry_after_s=retry_after_s(reply.headers),
            may_refresh=may_refresh,
        )

    def _broken(self, exc: urllib3.exceptions.HTTPError, partial: Wire | None = None) -> HarnessError:
        error = from_row(exc, row_for(type(exc), HTTP) or OTHER, place=self._place, service=SERVICE)
        if isinstance(error, ServiceError):
            error.partial = partial
        return error

    @property
    def _place(self) -> str:
        return f'POST to {self._address.partition("://")[2]}, deployment "{self.name}"'


def _events(reply: urllib3.BaseHTTPResponse, started: float) -> Iterator[Event]:
    """The events up to the last or an error."""
    pieces = iter(lambda: reply.read1(65536), b"")
    for sent in _sse.events(pieces):
        event = event_of(sent, time.perf_counter() - started, typed=True)
        yield event
        if event.kind in ("error", "message_stop"):
            return
