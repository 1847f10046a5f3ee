"""The openai SDK as the transport: one attempt a call, bodies as the codec wrote them, failures as ours.

`client.post` sends a body unchanged, with the SDK's addresses, headers, credentials and connections. The typed methods
would add members of their own (embeddings ask for base64), and refuse those they do not know.
Importing this file imports the SDK, which takes over a second: endpoints do so when they open.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import httpx2
import openai
from openai._exceptions import SubjectTokenProviderError
from openai.lib.azure import MutuallyExclusiveAuthError

from harness.config import SideSettings
from harness.core.call import Event, Wire
from harness.core.case import Json
from harness.errors import (
    ConfigError,
    Denied,
    HarnessError,
    Rejected,
    ServiceError,
    Throttled,
    TimedOut,
    Unavailable,
)
from harness.services import _sse
from harness.services._chat import parsed
from harness.services._chat import table as tabled
from harness.services._entra import Keyring
from harness.services._failures import Row, by_status, cause, from_row, row_for
from harness.services._network import CONNECT_TIMEOUT_S, Way
from harness.services._openai import code_of, error_in, is_filter
from harness.services._openai_codec import CHAT, PATHS, RESPONSES, RUNTIME, complete
from harness.services._replies import kept, retry_after_s
from harness.services._streams import EVENT_STREAM, broken_off, ended, event_of, recorded

ROUTES = {operation: path for path, operation in PATHS.items()}
BROKE_OFF = "the connection failed or broke off"

# Most specific first. An APIStatusError is judged by its status before this table is asked.
EXCEPTIONS: tuple[Row, ...] = (
    Row((openai.APITimeoutError, httpx2.TimeoutException), TimedOut, "no answer in time"),
    Row((httpx2.UnsupportedProtocol, httpx2.InvalidURL), ConfigError, "the address cannot be used"),
    Row((httpx2.ProxyError,), Unavailable, "the proxy refused or could not be reached"),
    Row((openai.APIConnectionError, httpx2.TransportError), Unavailable, BROKE_OFF),
    Row(
        (
            openai.APIResponseValidationError,
            httpx2.DecodingError,
            httpx2.TooManyRedirects,
            httpx2.HTTPStatusError,
            httpx2.StreamError,
            httpx2.CookieConflict,
        ),
        Unavailable,
        "the answer broke off or is not what the service sends",
    ),
    Row(
        (openai.AuthenticationError, openai.PermissionDeniedError, SubjectTokenProviderError),
        Denied,
        "the key or token was refused",
    ),
    Row((openai.RateLimitError,), Throttled, "more calls or tokens than the deployment takes"),
    Row(
        (openai.BadRequestError, openai.NotFoundError, openai.ConflictError, openai.UnprocessableEntityError),
        Rejected,
        "the service refuses the request",
    ),
    Row((openai.InternalServerError, openai.APIStatusError), Unavailable, "the service failed"),
    Row((MutuallyExclusiveAuthError,), ConfigError, "two credentials were given at once"),
    Row(
        (
            openai.LengthFinishReasonError,
            openai.ContentFilterFinishReasonError,
            openai.InvalidWebhookSignatureError,
            openai.WebSocketConnectionClosedError,
            openai.WebSocketQueueFullError,
        ),
        Rejected,
        "the SDK refused what it was given",
    ),
    # What a later SDK may add. Anything else (a mistake of ours) stays what it is.
    Row((openai.OpenAIError, httpx2.HTTPError), Unavailable, "the call failed in a way not known here"),
)
HINTS = {
    401: "the key or token is wrong or has expired",
    403: "the identity may not call this resource, or its network is closed to this machine",
    404: "no such deployment, or the address or the API version is wrong",
    429: "more calls or tokens than the deployment takes",
}


class SDKEndpoint:
    """One deployment of one resource behind an openai client.

    client: makes it of an httpx2 client and of what gives the secret for each call. key_header: a key goes there, not
    where the client puts it. runtime: what is known of what
    serves the calls; it goes into every reply as the header that codecs read it from.
    """

    def __init__(
        self,
        settings: SideSettings,
        way: Way,
        keyring: Keyring,
        client: Callable[[httpx2.Client, Callable[[], str]], openai.OpenAI],
        *,
        service: str,
        runtime: str,
        key_header: str | None = None,
    ) -> None:
        self._settings = settings
        self._way = way
        self._keyring = keyring
        self._service = service
        self._runtime = runtime
        self._key_header = key_header
        limits = httpx2.Limits(max_connections=settings.connections, max_keepalive_connections=settings.connections)
        http = httpx2.Client(limits=limits, **way.for_httpx())
        self._client = client(http, lambda: keyring.used().secret)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} {self._settings.cloud}>"

    @property
    def name(self) -> str:
        return self._settings.endpoint

    def call(self, wire: Wire, *, timeout_s: float) -> Wire:
        """One POST. Raises ServiceError; a token near its end is renewed first."""
        opener = self._keyring.current()
        streams = bool(tabled(wire.body).get("stream"))
        try:
            return self._stream(wire, timeout_s) if streams else self._whole(wire, timeout_s)
        except openai.APIStatusError as exc:
            return self._answered(wire, exc, opener.secret)
        except (openai.OpenAIError, httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL) as exc:
            raise self._broken(exc) from cause(exc, (opener.secret,))
        except ValueError:  # the SDK could not write the body; it quotes it
            message = f"{self._place}: the request holds what JSON or UTF-8 cannot say (NaN, half a character)"
            raise Rejected(message, service=self._service) from None

    def refresh(self) -> bool:
        """Read the key, or ask for a token, anew; True when it differs from the one that the calling thread used."""
        return self._keyring.refresh()

    def close(self) -> None:
        self._client.close()
        self._way.close()

    def _whole(self, wire: Wire, timeout_s: float) -> Wire:
        reply = self._client.post(
            ROUTES[wire.operation], cast_to=httpx2.Response, body=wire.body, options=self._options(timeout_s)
        )
        return self._reply(wire, reply, _json(reply.content))

    def _stream(self, wire: Wire, timeout_s: float) -> Wire:
        """A stream to its end. Raises what is told inside it, with what came before as `partial`."""
        started = time.perf_counter()
        with self._client.post(
            ROUTES[wire.operation],
            cast_to=object,
            body=wire.body,
            options=self._options(timeout_s),
            stream=True,
            stream_cls=openai.Stream[object],
        ) as stream:
            reply = stream.response
            if not reply.headers.get("content-type", "").startswith(EVENT_STREAM):
                body, listed = recorded("", reply.read(), typed=wire.operation == RESPONSES)
                return self._reply(wire, reply, body, listed)
            events: list[Event] = []
            try:
                for event in _events(wire.operation, reply.iter_bytes(), started):
                    events.append(event)
            except (httpx2.HTTPError, httpx2.StreamError) as exc:
                events.append(broken_off(time.perf_counter() - started))
                raise self._broken(exc, self._reply(wire, reply, None, tuple(events))) from cause(exc)
            told = self._reply(wire, reply, None, tuple(events))
            whole = complete(wire.operation, told.events)
            at_s = time.perf_counter() - started
            return ended(told, at_s, whole=whole, place=self._place, service=self._service)

    def _reply(self, wire: Wire, reply: httpx2.Response, body: Json | bytes, events: tuple[Event, ...] = ()) -> Wire:
        headers = {**kept(reply.headers), RUNTIME: self._runtime}
        return Wire(operation=wire.operation, status=reply.status_code, headers=headers, body=body, events=events)

    def _answered(self, wire: Wire, exc: openai.APIStatusError, secret: str) -> Wire:
        """A refusal of the prompt by the content filter is an answer. Raises ServiceError for any other status."""
        body = _json(exc.response.content)
        error = error_in(body) or {}
        if is_filter(error) and exc.status_code < 500:
            return self._reply(wire, exc.response, body)
        ours, may_refresh = by_status(exc.status_code)
        code, request = code_of(error), exc.response.headers.get("apim-request-id", "not given")[:64]
        hint = HINTS.get(exc.status_code, "")
        raise ours(
            f"{self._place}: answered{f' {code}' if code else ''} (status {exc.status_code}, request {request})"
            f"{': ' if hint else ''}{hint}",
            service=self._service,
            status=exc.status_code,
            retry_after_s=retry_after_s(exc.response.headers),
            may_refresh=may_refresh,
        ) from cause(exc, (secret,))

    def _broken(self, exc: BaseException, partial: Wire | None = None) -> HarnessError:
        row = row_for(type(exc), EXCEPTIONS) or EXCEPTIONS[-1]
        error = from_row(exc, row, place=self._place, service=self._service)
        if isinstance(error, ServiceError):
            error.partial = partial
        return error

    def _options(self, timeout_s: float) -> Any:
        """For one call: how long the service may be silent, and an id to ask Microsoft about."""
        headers: dict[str, Any] = {"x-ms-client-request-id": str(uuid.uuid4())}
        opener = self._keyring.used()
        if self._key_header is not None and not opener.is_token:
            headers |= {self._key_header: opener.secret, "Authorization": openai.Omit()}
        timeout = httpx2.Timeout(timeout_s, connect=min(timeout_s, CONNECT_TIMEOUT_S))
        return {"timeout": timeout, "headers": headers}

    @property
    def _place(self) -> str:
        return f'POST to {self._client.base_url.host}, deployment "{self.name}"'


def _json(content: bytes) -> Json | bytes:
    is_json, value = parsed(content.decode("utf-8", "replace"))
    return value if is_json else content


def _events(operation: str, pieces: Iterable[bytes], started: float) -> Iterator[Event]:
    """The events up to [DONE] or an error; a chat stream that ends without [DONE] is broken off."""
    for sent in _sse.events(pieces):
        at_s = time.perf_counter() - started
        if sent.data == _sse.DONE:
            return
        event = event_of(sent, at_s, typed=operation == RESPONSES)
        yield event
        if event.kind == "error":
            return
    if operation == CHAT:
        yield broken_off(time.perf_counter() - started)
