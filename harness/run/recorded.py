"""What a recording's own answer says, read by the codec that reads live answers.

Three things may come of it: an Answer, a CallFailure (what was recorded is a failure, or cannot be read), or None where
only the request was kept. No endpoint is needed, so the service is built from settings that name nothing.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache

from harness.config import SideSettings
from harness.core import registry
from harness.core.call import Answer, CallFailure, FailureKind, Outcome, Side, Unreadable, Wire
from harness.core.case import Lot, Recording, Request, Task
from harness.core.output import Embedding, Scores
from harness.core.protocols import Codec, Service
from harness.errors import CodecError
from harness.recordings.gaps import FAILED

MODELS = ("bedrock", "azure_openai", "foundry")

_KINDS = {401: FailureKind.DENIED, 403: FailureKind.DENIED, 408: FailureKind.TIMEOUT, 429: FailureKind.THROTTLED}


def recorded(recording: Recording, codec: Codec | None = None) -> Outcome | None:
    """The answer that was recorded, as the source's; None where only the request was kept.

    codec: of the recording's service; without it, `codec_of` finds it. latency_s and tokens are those that the log
    kept; of latency what the service says of itself, where the log kept none. Raises UnknownName where there is no such
    service.
    """
    failed = next((flag for flag in recording.provenance.flags if flag.startswith(FAILED)), None)
    if failed is not None:
        return _failure(recording, FailureKind(failed.removeprefix(FAILED)), "the call failed when it was recorded")
    if recording.response_body is None:
        return _status_told(recording) if _refused(recording.status) else None
    codec = codec or codec_of(recording.service)
    try:
        request = _asked(recording, codec)
        wire = codec.from_http(recording)
        (reading,) = codec.decode(Lot(f"recorded:{recording.id}", {recording.id: request}), (wire,)).values()
    except CodecError as exc:
        return _failure(recording, _kind(recording.status), str(exc))
    if isinstance(reading, Unreadable):
        kind = reading.kind if reading.kind is not FailureKind.UNREADABLE else _kind(recording.status)
        return CallFailure(
            side=Side.SOURCE,
            kind=kind,
            message=reading.message,
            latency_s=recording.latency_s,
            attempts=1,
            partial=reading.partial,
            status=reading.status or recording.status,
            code=reading.code,
        )
    if _refused(recording.status) and isinstance(reading.output, Scores | Embedding):
        # An error page with a number in it is no prediction. A filtered chat is behaviour, whatever its status.
        return _status_told(recording)
    return Answer(
        side=Side.SOURCE,
        output=reading.output,
        raw_sha256=wire_sha256(wire),
        latency_s=reading.service_s if recording.latency_s is None else recording.latency_s,
        attempts=1,
        first_token_s=reading.first_token_s,
        served_model=reading.served_model,
        runtime=reading.runtime,
        tokens_in=reading.tokens_in,
        tokens_out=reading.tokens_out,
        tokens=reading.tokens,
    )


def _asked(recording: Recording, codec: Codec) -> Request:
    """The recorded request. A model's answer tells by itself what it is, also behind a request that nobody can read:
    it is then read as a chat's. Raises CodecError for other services.
    """
    try:
        return codec.read_request(recording)
    except CodecError:
        if recording.service not in MODELS:
            raise
        return Request(Task.CHAT, None, {} if recording.model is None else {"model": recording.model})


@cache
def codec_of(service: str) -> Codec:
    """The codec of a service, which asks for no address and no credential. Raises UnknownName."""
    built: Service = registry.load(
        "services", service, where="recorded answer", settings=SideSettings.nowhere(Side.SOURCE)
    )
    return built.codec


def _refused(status: int | None) -> bool:
    return status is not None and status >= 400


def _kind(status: int | None) -> FailureKind:
    """What a recorded HTTP status says of a call whose body holds no answer."""
    if status is None or status < 400:
        return FailureKind.UNREADABLE
    return _KINDS.get(status, FailureKind.UNAVAILABLE if status >= 500 else FailureKind.REJECTED)


def _status_told(recording: Recording) -> CallFailure:
    return _failure(recording, _kind(recording.status), f"the recorded answer has status {recording.status}")


def _failure(recording: Recording, kind: FailureKind, message: str) -> CallFailure:
    return CallFailure(side=Side.SOURCE, kind=kind, message=message, latency_s=recording.latency_s, attempts=1)


def wire_sha256(wire: Wire) -> str:
    """Of what came back, without when it came: body, then the events of a stream."""
    body = wire.body if isinstance(wire.body, bytes) else json.dumps(wire.body, sort_keys=True).encode()
    events = [[event.kind, event.data] for event in wire.events]
    return hashlib.sha256(body + (json.dumps(events, sort_keys=True).encode() if events else b"")).hexdigest()
