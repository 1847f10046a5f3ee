"""Bedrock runtime: Converse, ConverseStream, InvokeModel and its stream, before the lab's chat model.

Requests are checked as the cloud checks them: signature, model id, and a Converse body against the service's own model.
Streams are event streams with CRCs; a planted fault may throw in mid-stream, after HTTP 200.
Source: Amazon Bedrock API reference, runtime; the service model for shapes and the names of errors.
"""

from __future__ import annotations

import json
import time
import uuid
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from harness.lab import aws_credentials, converse, estate, event_stream, service_model, sigv4
from harness.lab.bedrock_bodies import Asked, Family, Malformed
from harness.lab.bedrock_embeddings import embedder_of
from harness.lab.bedrock_families import family_of
from harness.lab.chat.prompt import Prompt, Said
from harness.lab.chat.voice import Voice, wait_until
from harness.lab.desk import PREFIX, Desk
from harness.lab.loopback import Handler, HangUp, Reply, Request
from harness.lab.plants import Interruption
from harness.lab.settings import CONTROL_HEADER, REGION

OPERATIONS = ("Converse", "ConverseStream", "InvokeModel", "InvokeModelWithResponseStream")
BROKEN_AFTER = 2  # deltas, in a stream that a fault breaks


class _Refused(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """One request that was let in. starts_s: when its last byte was read; takes_s: what it is to take."""

    operation: str
    asked: Asked
    said: Said
    starts_s: float
    takes_s: float
    breaks: Interruption | None = None

    @property
    def ends_s(self) -> float:
        return self.starts_s + self.takes_s


def application(desk: Desk) -> Handler:
    """The handler of the runtime's server."""
    operations = {name: service_model.load("bedrock-runtime", name) for name in OPERATIONS}
    voice = Voice(desk, "bedrock")

    def handle(request: Request) -> Reply | None:
        if request.path.startswith(PREFIX):
            secret = request.headers.get(CONTROL_HEADER, "")
            status, body = desk.answer(request.method, request.path, secret, request.body)
            return Reply(status=status, body=body)
        try:
            return _serve(desk, operations, voice, request)
        except _Refused as refused:
            headers = {
                "x-amzn-RequestId": str(uuid.uuid4()),
                "x-amzn-ErrorType": f"{refused.code}:http://internal.amazon.com/coral/com.amazon.bedrock/",
                "Content-Type": "application/json",
            }
            return Reply(status=refused.status, body=json.dumps({"message": str(refused)}).encode(), headers=headers)

    return handle


def _serve(desk: Desk, operations: dict[str, service_model.Operation], voice: Voice, request: Request) -> Reply:
    if request.path in estate.BEDROCK_LISTS:
        _check_signature(desk, request)
        return estate.bedrock(request)
    operation = next((known for known in operations.values() if known.matches(request)), None)
    if operation is None:
        raise _Refused(404, "UnknownOperationException", "The requested operation is not served.")
    _check_signature(desk, request)
    try:
        members = operation.read(request)
        body = json.loads(request.body or b"{}")
        if operation.name == "InvokeModel" and (embedder := embedder_of(members["modelId"])) is not None:
            return _embedding(desk, request, *embedder.embed(body))
        family = _family(members["modelId"])
        if operation.name.startswith("Converse"):
            operation.check_body(body)
            prompt = converse.prompt_of(body)
        else:
            prompt = family.prompt(body)
    except (service_model.Violation, Malformed) as exc:
        raise _Refused(400, "ValidationException", str(exc)) from exc
    except ValueError as exc:
        raise _Refused(400, "SerializationException", "The body is not JSON.") from exc
    _check_turns(prompt)
    streams = operation.name.endswith("Stream")
    breaks = _interrupt(desk, request, streams=streams)
    asked = Asked(prompt=prompt, id=uuid.uuid4().hex, model=members["modelId"])
    call = _Call(
        operation=operation.name,
        asked=asked,
        said=voice.answer(request.body, prompt),
        starts_s=request.received_s,
        takes_s=voice.takes_s(request.body),
        breaks=breaks,
    )
    if streams:
        headers = {"x-amzn-RequestId": str(uuid.uuid4()), "Content-Type": event_stream.CONTENT_TYPE}
        if operation.name.startswith("Invoke"):
            headers["X-Amzn-Bedrock-Content-Type"] = "application/json"
        return Reply(status=200, headers=headers, pieces=_timed(call, _events(call, family)))
    return _whole(desk, call, family, request)


def _check_signature(desk: Desk, request: Request) -> None:
    credential = sigv4.Credential(
        region=REGION,
        service="bedrock",
        secret_of=lambda key_id, token: aws_credentials.secret_of(desk.settings, key_id, token),
    )
    try:
        sigv4.check(request, credential, now=datetime.now(UTC))
    except sigv4.Denied as denied:
        raise _Refused(denied.status, denied.code, str(denied)) from denied


def _family(model: str) -> Family:
    family = family_of(model)
    if family is None:
        raise _invalid("The provided model identifier is invalid.")
    return family


def _check_turns(prompt: Prompt) -> None:
    """What models on Bedrock ask of a conversation: it starts with the user, and the turns alternate."""
    roles = [turn.role for turn in prompt.turns]
    if not roles or roles[0] != "user":
        raise _invalid("A conversation must start with a user message. Try again with one that does.")
    if any(role == following for role, following in pairwise(roles)):
        raise _invalid(
            "A conversation must alternate between user and assistant roles. Make sure it does and try again."
        )
    if any(turn.calls or turn.results for turn in prompt.turns) and not prompt.tools:
        raise _invalid("The toolConfig field must be defined when using toolUse and toolResult content blocks.")


def _invalid(message: str) -> _Refused:
    return _Refused(400, "ValidationException", message)


def _interrupt(desk: Desk, request: Request, *, streams: bool) -> Interruption | None:
    """What befalls this request. Raises _Refused for what comes before the answer; returns what breaks its stream."""
    interruption = desk.fault.interrupts(request.body)
    if interruption is None:
        return None
    if streams and (interruption.kind == "container" or desk.fault.draw(request.body, "where") < 0.5):
        return interruption
    match interruption.kind:
        case "throttled":
            raise _Refused(429, "ThrottlingException", "Too many requests, please wait before trying again.")
        case "platform":
            raise _Refused(500, "InternalServerException", "The system encountered an unexpected error.")
        case "silent":
            time.sleep(interruption.after_s)
            raise _Refused(
                408, "ModelTimeoutException", "Model has timed out in processing the request. Try your request again."
            )
        case _:
            raise _Refused(
                424, "ModelErrorException", "The system encountered an error while processing the model's answer."
            )


def _embedding(desk: Desk, request: Request, document: dict[str, Any], read: int) -> Reply:
    _interrupt(desk, request, streams=False)
    wait_until(request.received_s + desk.fault.service_time_s(request.body, desk.settings.service_time_s))
    headers = {
        "x-amzn-RequestId": str(uuid.uuid4()),
        "Content-Type": "application/json",
        "x-amzn-bedrock-input-token-count": str(read),
        "x-amzn-bedrock-invocation-latency": str(round(desk.settings.service_time_s * 1000)),
    }
    return Reply(status=200, body=desk.fault.answer(request.body, json.dumps(document).encode()), headers=headers)


def _whole(desk: Desk, call: _Call, family: Family, request: Request) -> Reply:
    latency_ms = round(call.takes_s * 1000)
    headers = {"x-amzn-RequestId": str(uuid.uuid4()), "Content-Type": "application/json"}
    if call.operation == "Converse":
        document = converse.answer(call.asked, call.said, latency_ms)
    else:
        document = family.write(call.asked, call.said)
        headers |= {
            "x-amzn-bedrock-input-token-count": str(call.asked.prompt.tokens),
            "x-amzn-bedrock-output-token-count": str(call.said.tokens),
            "x-amzn-bedrock-invocation-latency": str(latency_ms),
        }
    wait_until(call.ends_s)
    body = desk.fault.answer(request.body, json.dumps(document).encode())
    return Reply(status=200, body=body, headers=headers)


# Streams.


def _timed(call: _Call, events: Iterator[tuple[bytes, bool]]) -> Iterator[bytes]:
    """The events at their times: half the service time to the first delta, all of it to the last event.

    Where the call is to break, an exception comes after BROKEN_AFTER deltas, or the connection ends without a word.
    """
    deltas = 0
    pending: bytes | None = None
    for message, is_delta in events:
        if is_delta and deltas == 0:
            wait_until(call.starts_s + call.takes_s / 2)
        if pending is not None:
            yield pending
        pending = message
        deltas += is_delta
        if call.breaks is not None and deltas == BROKEN_AFTER:
            yield pending
            yield _exception(call.breaks)
            return
    wait_until(call.ends_s)
    if call.breaks is not None:  # too short to break later
        yield _exception(call.breaks)
    elif pending is not None:
        yield pending


def _exception(breaks: Interruption) -> bytes:
    match breaks.kind:
        case "throttled":
            return event_stream.exception("throttlingException", "Too many requests, please wait before trying again.")
        case "container":
            return event_stream.exception("modelStreamErrorException", "The model's stream broke off.")
        case "platform":
            return event_stream.exception("internalServerException", "The system encountered an unexpected error.")
        case _:
            raise HangUp


def _events(call: _Call, family: Family) -> Iterator[tuple[bytes, bool]]:
    """(event, whether it brings a part of the answer)."""
    if call.operation == "ConverseStream":
        for name, document in converse.events(call.asked, call.said, round(call.takes_s * 1000)):
            yield event_stream.event(name, document), name == "contentBlockDelta"
        return
    chunks = family.stream(call.asked, call.said)
    takes_ms = round(call.takes_s * 1000)
    chunks[-1] = chunks[-1] | {
        "amazon-bedrock-invocationMetrics": {
            "inputTokenCount": call.asked.prompt.tokens,
            "outputTokenCount": call.said.tokens,
            "invocationLatency": takes_ms,
            "firstByteLatency": takes_ms // 2,
        }
    }
    for number, chunk in enumerate(chunks):
        raw = b64encode(json.dumps(chunk).encode()).decode()
        # `p` is padding that hides the length of a token; readers must not mind it.
        yield event_stream.event("chunk", {"bytes": raw, "p": "abcdefghij"[: number % 10]}), True
