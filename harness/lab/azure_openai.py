"""An Azure OpenAI resource: chat completions by both forms of URL, by key and by Entra token, before the chat model.

Dated: `/openai/deployments/{deployment}/chat/completions?api-version=...`; v1: `/openai/v1/chat/completions`, with the
deployment as `model`. A prompt that the content filter blocks is a 400; a stream is SSE, its first chunk the filter's
word on the prompt; a planted fault may break it after HTTP 200.
Source: Azure OpenAI REST reference; "Content filtering"; "Azure OpenAI v1 API".
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

from harness.lab import identity, openai_answers, openai_body, tokens
from harness.lab.chat.voice import Voice, wait_until
from harness.lab.desk import PREFIX, Desk
from harness.lab.loopback import Handler, HangUp, Reply, Request
from harness.lab.openai_answers import Asked
from harness.lab.plants import Interruption
from harness.lab.settings import CONTROL_HEADER, DEPLOYMENTS, LOCATION, REASONING

API_VERSIONS = frozenset(
    {"2024-02-01", "2024-06-01", "2024-10-21", "2024-08-01-preview", "2024-10-01-preview", "2024-12-01-preview"}
    | {"2025-01-01-preview", "2025-02-01-preview", "2025-03-01-preview", "2025-04-01-preview"}
)
BROKEN_AFTER = 3  # chunks, in a stream that a fault breaks
_DATED = re.compile(r"^/openai/deployments/(?P<deployment>[^/]+)/(?P<what>chat/completions)$")
_V1 = re.compile(r"^/openai/v1/(?P<what>chat/completions)$")


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
            document = json.dumps({"error": refused.error}).encode()
            return Reply(status=refused.status, body=document, headers=headers | refused.headers)

    return handle


def _serve(desk: Desk, voice: Voice, request: Request, headers: dict[str, str]) -> Reply:
    _authenticate(desk, request)
    body = _json(request.body)
    place = _place(request, body)
    try:
        prompt = openai_body.prompt(body, reasons=place.deployment in REASONING)
    except openai_body.Invalid as invalid:
        error = {"message": str(invalid), "type": "invalid_request_error", "param": invalid.param, "code": invalid.code}
        raise _Refused(400, error) from invalid
    except (KeyError, TypeError, AttributeError, ValueError) as exc:
        error = {"message": f"Invalid body: {type(exc).__name__} at {exc}.", "type": "invalid_request_error"}
        raise _Refused(400, error | {"param": None, "code": "BadRequest"}) from exc
    streams = bool(body.get("stream"))
    breaks = _interrupt(desk, request, streams=streams)
    said = voice.answer(request.body, prompt)
    takes_s = voice.takes_s(request.body)
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
        chunks = openai_answers.chat_chunks(asked, said)
        headers["Content-Type"] = "text/event-stream; charset=utf-8"
        cut = desk.fault.answer(request.body, b"whole") != b"whole"
        return Reply(status=200, headers=headers, pieces=_timed(chunks, request.received_s, takes_s, breaks, cut=cut))
    document = json.dumps(openai_answers.chat(asked, said)).encode()
    wait_until(request.received_s + takes_s)
    return Reply(status=200, body=desk.fault.answer(request.body, document), headers=headers)


def _authenticate(desk: Desk, request: Request) -> None:
    """A key in `api-key`; an Entra token, or a key (the v1 form's plain client sends it so), as bearer."""
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    given = request.headers.get("api-key") or (bearer if scheme.lower() == "bearer" else "")
    keys = desk.settings.azure_keys
    if any(hmac.compare_digest(given.encode("utf-8", "replace"), key.encode()) for key in keys):
        return
    if request.headers.get("api-key") is None and bearer.count(".") == 2:
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
    dated, v1 = _DATED.match(request.path), _V1.match(request.path)
    version = parse_qs(request.query).get("api-version", [""])[0]
    found = dated or v1
    if found is None or request.method != "POST":
        raise _Refused(404, {"code": "404", "message": "Resource not found"})
    if (dated and version not in API_VERSIONS) or (v1 and version not in ("", "v1", "preview", "latest")):
        raise _Refused(404, {"code": "404", "message": "Resource not found"})
    named = dated["deployment"] if dated else body.get("model") if isinstance(body, dict) else None
    if named not in DEPLOYMENTS:
        raise _Refused(
            404,
            {
                "code": "DeploymentNotFound",
                "message": "The API deployment for this resource does not exist. If you created the deployment within "
                "the last 5 minutes, please wait a moment and try again.",
            },
        )
    return _Place(what=found["what"], deployment=str(named))


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
    chunks: list[dict[str, Any]], starts_s: float, takes_s: float, breaks: Interruption | None, *, cut: bool
) -> Iterator[bytes]:
    """The chunks at their times: half the service time to the first delta, all of it to the last.

    breaks: an error object in the stream, or the connection ends; cut: it ends in the middle of a chunk.
    """
    for number, chunk in enumerate(chunks):
        if number == 1:  # the first tells of the prompt only
            wait_until(starts_s + takes_s / 2)
        if number == BROKEN_AFTER and (breaks is not None or cut):
            yield _break(breaks, chunk)
            raise HangUp
        if number == len(chunks) - 1:
            wait_until(starts_s + takes_s)
        yield _sse(chunk)
    yield b"data: [DONE]\n\n"


def _break(breaks: Interruption | None, chunk: dict[str, Any]) -> bytes:
    if breaks is None:
        whole = _sse(chunk)
        return whole[: len(whole) // 2]
    if breaks.kind == "throttled":
        return _sse({"error": _throttled(breaks.after_s)})
    if breaks.kind == "silent":
        return b""
    return _sse({"error": {"code": "InternalServerError", "message": "The server had an error in mid-stream."}})


def _sse(document: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(document, separators=(",", ":")).encode() + b"\n\n"
