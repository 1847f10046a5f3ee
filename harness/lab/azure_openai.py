"""An Azure OpenAI and Foundry resource, before the chat model: by key and by Entra token.

Chat completions and embeddings: `/openai/deployments/{deployment}/...?api-version=...`, `/openai/v1/...` with the
deployment as `model`, and Foundry's `/models/...`. Responses: `/openai/responses?api-version=...` and v1. Claude:
`/anthropic/v1/messages`. A prompt that the content filter blocks is a 400; a stream is SSE; a planted fault may break
it after HTTP 200.
Source: Azure OpenAI REST reference; "Content filtering"; "Azure OpenAI v1 API"; Foundry's pages on its endpoints.
"""

from __future__ import annotations

import hmac
import json
import re
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from harness.lab import azure_apis, identity, openai_answers, openai_embeddings, tokens
from harness.lab.azure_apis import Event
from harness.lab.bedrock_bodies import Malformed
from harness.lab.chat.voice import Voice, wait_until
from harness.lab.desk import PREFIX, Desk
from harness.lab.loopback import Handler, HangUp, Reply, Request
from harness.lab.openai_answers import Asked
from harness.lab.openai_body import Invalid
from harness.lab.plants import Interruption
from harness.lab.settings import CONTROL_HEADER, DEPLOYMENTS, DIMENSIONS, LOCATION, REASONING

API_VERSIONS = frozenset(
    {"2024-02-01", "2024-05-01-preview", "2024-06-01", "2024-08-01-preview", "2024-10-01-preview", "2024-10-21"}
    | {"2024-12-01-preview", "2025-01-01-preview", "2025-02-01-preview", "2025-03-01-preview", "2025-04-01-preview"}
)
BROKEN_AFTER = 3  # events, in a stream that a fault breaks
_DATED = re.compile(r"^/openai/deployments/(?P<deployment>[^/]+)/(?P<what>chat/completions|embeddings)$")
_NAMED = re.compile(r"^/(?:openai|models)/(?P<what>chat/completions|embeddings|responses)$")
_V1 = re.compile(r"^/openai/v1/(?P<what>chat/completions|embeddings|responses)$")
_MESSAGES = re.compile(r"^/anthropic/v1/(?P<what>messages)$")


class _Refused(Exception):
    def __init__(self, status: int, error: dict[str, Any], **headers: str) -> None:
        super().__init__(error["message"])
        self.status = status
        self.error = error
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a request goes. what: the path behind deployment or version."""

    what: str
    deployment: str


def application(desk: Desk) -> Handler:
    """The handler of the resource's server."""
    voice = Voice(desk, "azure_openai")

    def handle(request: Request) -> Reply | None:
        if request.path.startswith(PREFIX):
            secret = request.headers.get(CONTROL_HEADER, "")
            status, body = desk.answer(request.method, request.path, secret, request.body)
            return Reply(status=status, body=body)
        headers = {
            "apim-request-id": str(uuid.uuid4()),
            "x-request-id": str(uuid.uuid4()),
            "x-ms-region": LOCATION,
            "Content-Type": "application/json",
        }
        try:
            return _serve(desk, voice, request, headers)
        except _Refused as refused:
            document: dict[str, Any] = {"error": refused.error}
            if _MESSAGES.match(request.path):
                kind = refused.error.get("type") or "api_error"
                document = {"type": "error", "error": {"type": kind, "message": str(refused)}}
            return Reply(status=refused.status, body=json.dumps(document).encode(), headers=headers | refused.headers)

    return handle


def _serve(desk: Desk, voice: Voice, request: Request, headers: dict[str, str]) -> Reply:
    _authenticate(desk, request)
    body = _json(request.body)
    place = _place(request, body)
    takes_s = voice.takes_s(request.body)
    try:
        if place.what == "embeddings":
            document = openai_embeddings.answer(body, deployment=place.deployment)
            _interrupt(desk, request, streams=False)
            wait_until(request.received_s + takes_s)
            return Reply(status=200, body=json.dumps(document).encode(), headers=headers)
        api = azure_apis.APIS[place.what]
        prompt = api.read(body, reasons=place.deployment in REASONING)
    except (Invalid, Malformed) as invalid:
        raise _Refused(400, _bad_request(invalid)) from invalid
    except (KeyError, TypeError, AttributeError, ValueError) as exc:
        error = {"message": f"Invalid body: {type(exc).__name__} at {exc}.", "type": "invalid_request_error"}
        raise _Refused(400, error | {"param": None, "code": "BadRequest"}) from exc
    streams = bool(body.get("stream"))
    breaks = _interrupt(desk, request, streams=streams)
    said = voice.answer(request.body, prompt)
    if said.prompt_blocked:
        wait_until(request.received_s + takes_s)
        raise _Refused(400, openai_answers.blocked())
    asked = Asked(
        prompt=prompt,
        id=uuid.uuid4().hex[:24],
        model=DEPLOYMENTS[place.deployment],
        usage_asked=bool((body.get("stream_options") or {}).get("include_usage")),
        n=body.get("n") or 1,
        created=int(time.time()),
    )
    headers |= {"x-ms-deployment-name": place.deployment, "x-ratelimit-remaining-requests": "999"}
    headers |= {"x-ratelimit-remaining-tokens": "999000"}
    if streams:
        headers["Content-Type"] = "text/event-stream; charset=utf-8"
        cut = desk.fault.answer(request.body, b"whole") != b"whole"
        events = api.stream(asked, said)
        pieces = _timed(events, request.received_s, takes_s, breaks, cut=cut, done=api.done)
        return Reply(status=200, headers=headers, pieces=pieces)
    answer = json.dumps(api.whole(asked, said)).encode()
    wait_until(request.received_s + takes_s)
    return Reply(status=200, body=desk.fault.answer(request.body, answer), headers=headers)


def _bad_request(invalid: Exception) -> dict[str, Any]:
    param, code = getattr(invalid, "param", None), getattr(invalid, "code", None)
    return {"message": str(invalid), "type": "invalid_request_error", "param": param, "code": code}


def _authenticate(desk: Desk, request: Request) -> None:
    """A key in `api-key`; an Entra token, or a key (the v1 form's plain client sends it so), as bearer."""
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    keyed = request.headers.get("api-key") or request.headers.get("x-api-key")
    given = keyed or (bearer if scheme.lower() == "bearer" else "")
    keys = desk.settings.azure_keys
    if any(hmac.compare_digest(given.encode("utf-8", "replace"), key.encode()) for key in keys):
        return
    if keyed is None and bearer.count(".") == 2:
        for audience in identity.COGNITIVE_AUDIENCES:
            try:
                settings, now = desk.settings, time.time()
                tokens.check(settings.signing, bearer, audience=audience, now=now, valid_from=settings.valid_from)
            except (tokens.TokenExpired, tokens.TokenInvalid):
                continue
            return
        message = "Unauthorized. Access token is missing, invalid, audience is incorrect or have expired."
        raise _Refused(401, {"code": "401", "message": message})
    raise _Refused(
        401,
        {
            "code": "401",
            "message": "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a "
            "valid key for an active subscription and use a correct regional API endpoint for your resource.",
        },
    )


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError as exc:
        message = "We could not parse the JSON body of your request."
        error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
        raise _Refused(400, error) from exc


def _place(request: Request, body: Any) -> _Place:
    """Which deployment is asked for what. Raises _Refused as the cloud does for paths, versions and names."""
    by_date = _DATED.match(request.path) or _NAMED.match(request.path)
    by_v1 = _V1.match(request.path) or _MESSAGES.match(request.path)
    version = parse_qs(request.query).get("api-version", [""])[0]
    found = by_date or by_v1
    if found is None or request.method != "POST":
        raise _Refused(404, {"code": "404", "message": "Resource not found"})
    if (by_date and version not in API_VERSIONS) or (by_v1 and version not in ("", "v1", "preview", "latest")):
        raise _Refused(404, {"code": "404", "message": "Resource not found"})
    in_path = found.groupdict().get("deployment")
    named = in_path or (body.get("model") if isinstance(body, dict) else None)
    if named not in DEPLOYMENTS:
        raise _Refused(
            404,
            {
                "code": "DeploymentNotFound",
                "message": "The API deployment for this resource does not exist. If you created the deployment within "
                "the last 5 minutes, please wait a moment and try again.",
            },
        )
    if (found["what"] == "embeddings") != (named in DIMENSIONS) or (found["what"] == "messages") > ("claude" in named):
        message = f"The {found['what']} operation does not work with the specified model, {named}."
        raise _Refused(400, {"code": "OperationNotSupported", "message": message})
    return _Place(what=found["what"], deployment=named)


def _interrupt(desk: Desk, request: Request, *, streams: bool) -> Interruption | None:
    """What befalls this request. Raises _Refused for what comes before the answer; returns what breaks its stream."""
    interruption = desk.fault.interrupts(request.body)
    if interruption is None:
        return None
    if streams and (interruption.kind == "container" or desk.fault.draw(request.body, "where") < 0.5):
        return interruption
    match interruption.kind:
        case "throttled":
            retry_s = interruption.after_s
            raise _Refused(429, _throttled(retry_s), retry_after=f"{retry_s:g}", retry_after_ms=f"{retry_s * 1000:g}")
        case "silent":
            time.sleep(interruption.after_s)
            raise _Refused(408, {"code": "Timeout", "message": "The operation was timeout."})
        case _:
            message = "The server had an error while processing your request. Sorry about that!"
            raise _Refused(500, {"code": "InternalServerError", "message": message})


def _throttled(retry_s: float) -> dict[str, Any]:
    return {
        "code": "429",
        "message": "Requests to the ChatCompletions_Create Operation under Azure OpenAI API have exceeded call rate "
        f"limit. Please retry after {retry_s:g} seconds.",
    }


def _timed(
    events: list[Event], starts_s: float, takes_s: float, breaks: Interruption | None, *, cut: bool, done: bytes
) -> Iterator[bytes]:
    """The events at their times: half the service time to the second, all of it to the last.

    breaks: an error object in the stream, or the connection ends; cut: it ends in the middle of an event.
    """
    for number, event in enumerate(events):
        if number == 1:  # the first tells of the prompt only
            wait_until(starts_s + takes_s / 2)
        if number == BROKEN_AFTER and (breaks is not None or cut):
            yield _break(breaks, event)
            raise HangUp
        if number == len(events) - 1:
            wait_until(starts_s + takes_s)
        yield _sse(event)
    yield done


def _break(breaks: Interruption | None, event: Event) -> bytes:
    if breaks is None:
        whole = _sse(event)
        return whole[: len(whole) // 2]
    if breaks.kind == "throttled":
        error = _throttled(breaks.after_s)
    elif breaks.kind == "silent":
        return b""
    else:
        error = {"code": "InternalServerError", "message": "The server had an error in mid-stream."}
    return _sse(
        (None if event[0] is None else "error", {"type": "error", "error": error} if event[0] else {"error": error})
    )


def _sse(event: Event) -> bytes:
    name, document = event
    line = b"" if name is None else f"event: {name}\n".encode()
    return line + b"data: " + json.dumps(document, separators=(",", ":")).encode() + b"\n\n"
