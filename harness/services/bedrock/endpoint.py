"""boto3's bedrock-runtime client: one attempt a call, and streams drained to their end."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import IncompleteReadError

from harness.core.call import Event, Wire
from harness.errors import ServiceError
from harness.services._aws import Aws
from harness.services._chat import table
from harness.services._replies import kept
from harness.services.bedrock import events
from harness.services.bedrock.headers import METADATA, PARAMETERS
from harness.services.bedrock.operations import CONVERSE, CONVERSE_STREAM, INVOKE, INVOKE_STREAM, MODEL
from harness.services.bedrock.replies import whole

_METHODS = {
    CONVERSE: "converse",
    CONVERSE_STREAM: "converse_stream",
    INVOKE: "invoke_model",
    INVOKE_STREAM: "invoke_model_with_response_stream",
}


class BedrockEndpoint:
    """Converse, ConverseStream, InvokeModel and its stream."""

    def __init__(self, name: str, aws: Aws) -> None:
        self._name = name
        self._aws = aws

    def __repr__(self) -> str:
        return f"<BedrockEndpoint {self._name} {self._aws!r}>"

    @property
    def name(self) -> str:
        return self._name

    def call(self, wire: Wire, *, timeout_s: float) -> Wire:
        """One call. Raises ServiceError, with what came of a stream that broke off; ConfigError where none can be."""
        came: list[Event] = []
        started = time.perf_counter()
        try:
            with self._aws.attempt(timeout_s) as client:
                reply = getattr(client, _METHODS[wire.operation])(**_parameters(client, wire))
                body: Any = None
                if wire.operation == CONVERSE:
                    body = _plain({name: value for name, value in reply.items() if name != "ResponseMetadata"})
                elif wire.operation == INVOKE:
                    body = reply["body"].read()
                else:
                    for event in _events(reply, started):
                        came.append(event)
                    if not whole(Wire(operation=wire.operation, events=tuple(came))):
                        raise IncompleteReadError(actual_bytes=0, expected_bytes=0)  # boto3 does not tell
        except ServiceError as error:
            if came:
                error.partial = Wire(operation=wire.operation, status=200, events=_ended(came, error))
            raise
        answer = reply["ResponseMetadata"]
        return Wire(
            operation=wire.operation,
            status=answer["HTTPStatusCode"],
            headers=kept(answer["HTTPHeaders"]),
            body=body,
            events=tuple(came),
        )

    def refresh(self) -> bool:
        return self._aws.refresh()

    def close(self) -> None:
        self._aws.close()


def _parameters(client: Any, wire: Wire) -> dict[str, Any]:
    """What boto3's method takes."""
    model = {"modelId": wire.headers[MODEL]}
    if wire.operation in (CONVERSE, CONVERSE_STREAM):
        shape = client.meta.service_model.operation_model(wire.operation).input_shape
        return {**_typed(wire.body, shape), **model}
    said: dict[str, Any] = {
        parameter: wire.headers[name] for name, parameter in PARAMETERS.items() if name in wire.headers
    }
    if METADATA in wire.headers:
        said["requestMetadata"] = json.loads(wire.headers[METADATA])
    return {"body": wire.body, **said, **model}


def _typed(value: Any, shape: Any) -> Any:
    """JSON with base64 text made bytes wherever botocore's service model has a blob; the rest as it is."""
    if shape.type_name == "structure" and isinstance(value, dict) and not getattr(shape, "is_document_type", False):
        return {
            name: _typed(inner, shape.members[name]) if name in shape.members else inner
            for name, inner in value.items()
        }
    if shape.type_name == "list" and isinstance(value, list):
        return [_typed(inner, shape.member) for inner in value]
    if shape.type_name == "map" and isinstance(value, dict):
        return {name: _typed(inner, shape.value) for name, inner in value.items()}
    return base64.b64decode(value) if shape.type_name == "blob" and isinstance(value, str) else value


def _plain(value: Any) -> Any:
    """The way back: bytes made base64 text."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def _events(reply: dict[str, Any], started: float) -> Iterator[Event]:
    """Every event of a stream as it comes, timed from the start of the call. An exception among them is raised."""
    for one in reply["stream"] if "stream" in reply else reply["body"]:
        at_s = time.perf_counter() - started
        ((kind, members),) = one.items()
        if kind == events.CHUNK:
            yield events.chunk(members["bytes"], at_s)
        else:
            yield Event(at_s, kind, _plain(members))


def _ended(came: list[Event], error: ServiceError) -> tuple[Event, ...]:
    """What came, and an event that says how it ended: the service's exception where it sent one."""
    response = table(getattr(error.__cause__, "response", None))
    code = str(table(response.get("Error")).get("Code", ""))
    kind = code if code.endswith("Exception") else error.kind
    return (*came, Event(came[-1].at_s, kind, {}))
