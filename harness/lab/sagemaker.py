"""SageMaker runtime: two real-time endpoints with scikit-learn models as they were trained, in float64.

`POST /endpoints/NAME/invocations` goes to the endpoint's container (`containers.py`); the control plane, on the same
address, is `estate.py`. Refusals come in the service's
shape: an error name in `x-amzn-ErrorType`, `Message` in the body; what the container itself refuses is a ModelError 424
around the container's own status.
Source: SageMaker runtime API reference, InvokeEndpoint; the service model for shapes, lengths and patterns.
"""

from __future__ import annotations

import json
import platform
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from harness.lab import aws_credentials, estate, service_model, sigv4, sts
from harness.lab.containers import Container, ContainerRefused
from harness.lab.desk import PREFIX, Desk
from harness.lab.loopback import Handler, Reply, Request
from harness.lab.settings import ACCOUNT, CONTROL_HEADER, REGION, VARIANT

LOG_GROUPS = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/sagemaker/Endpoints"


class _Refused(Exception):
    def __init__(self, status: int, code: str, message: str, **members: Any) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.members = members


def versions() -> dict[str, str]:
    """What runs the model, by library."""
    import numpy as np
    import sklearn

    return {"scikit-learn": sklearn.__version__, "numpy": np.__version__, "python": platform.python_version()}


def application(desk: Desk, containers: Mapping[str, Container]) -> Handler:
    """The handler of the runtime's server; `containers` by endpoint name."""
    operation = service_model.load("sagemaker-runtime", "InvokeEndpoint")
    runtime = " ".join(f"{library}/{version}" for library, version in desk.versions.items())

    def handle(request: Request) -> Reply | None:
        if request.path.startswith(PREFIX):
            status, body = desk.answer(
                request.method, request.path, request.headers.get(CONTROL_HEADER, ""), request.body
            )
            return Reply(status=status, body=body)
        if request.path == "/" and "x-amz-target" in request.headers:
            try:
                _check_signature(desk, request)
            except _Refused as refused:
                return estate.refusal(refused.status, refused.code, str(refused))
            return estate.sagemaker(request, containers)
        if request.path == "/":
            return sts.answer(desk.settings, request)
        try:
            answer, content_type = _invoke(desk, operation, containers, request)
        except _Refused as refused:
            return _error(refused)
        headers = {
            "x-amzn-RequestId": str(uuid.uuid4()),
            "x-Amzn-Invoked-Production-Variant": VARIANT,
            "X-Amzn-SageMaker-Custom-Attributes": f"runtime={runtime}",
            "Content-Type": content_type,
        }
        return Reply(status=200, body=desk.fault.answer(request.body, answer), headers=headers)

    return handle


def _invoke(
    desk: Desk, operation: service_model.Operation, containers: Mapping[str, Container], request: Request
) -> tuple[bytes, str]:
    """The container's answer and its content type."""
    settings, fault = desk.settings, desk.fault
    if not operation.matches(request):
        raise _Refused(404, "UnknownOperationException", "The requested operation is not served.")
    _check_signature(desk, request)
    try:
        members = operation.read(request)
    except service_model.Violation as violation:
        raise _Refused(400, "ValidationError", str(violation)) from violation
    _check_addressee(members, containers)
    interruption = fault.interrupts(request.body)
    if interruption is not None and interruption.kind == "platform":
        raise _Refused(500, "InternalFailure", "An internal failure occurred. Try again.")
    if interruption is not None and interruption.kind == "throttled":
        raise _Refused(429, "ThrottlingException", "Rate exceeded")
    try:
        if interruption is not None and interruption.kind == "silent":
            time.sleep(interruption.after_s)
            raise ContainerRefused(0, "Your invocation timed out while waiting for a response from the container.")
        if interruption is not None:
            raise ContainerRefused(500, "Internal Server Error")
        return containers[members["EndpointName"]](members, request.body, fault)
    except ContainerRefused as refused:
        side = "client" if 400 <= refused.status < 500 else "server"
        raise _Refused(
            424,
            "ModelError",
            f'Received {side} error ({refused.status}) from primary with message "{refused}". '
            f"See the log group /aws/sagemaker/Endpoints/{members['EndpointName']} in account {ACCOUNT} for more "
            "information.",
            ErrorCode=f"{side.upper()}_ERROR_FROM_MODEL",
            LogStreamArn=f"{LOG_GROUPS}/{members['EndpointName']}",
            OriginalMessage=str(refused),
            OriginalStatusCode=refused.status,
        ) from refused
    finally:
        spare_s = fault.service_time_s(request.body, settings.service_time_s) - (
            time.perf_counter() - request.received_s
        )
        if spare_s > 0:
            time.sleep(spare_s)


def _check_signature(desk: Desk, request: Request) -> None:
    credential = sigv4.Credential(
        region=REGION,
        service="sagemaker",
        secret_of=lambda key_id, token: aws_credentials.secret_of(desk.settings, key_id, token),
    )
    try:
        sigv4.check(request, credential, now=datetime.now(UTC))
    except sigv4.Denied as denied:
        raise _Refused(denied.status, denied.code, str(denied)) from denied


def _check_addressee(members: dict[str, str], containers: Mapping[str, Container]) -> None:
    """What the service says of a name that it cannot serve."""
    name = members["EndpointName"]
    if name not in containers:
        raise _Refused(400, "ValidationError", f"Endpoint {name} of account {ACCOUNT} not found.")
    if members.get("TargetVariant", VARIANT) != VARIANT:
        raise _Refused(400, "ValidationError", f"Variant {members['TargetVariant']} not found for endpoint {name}.")
    for member in ("TargetModel", "TargetContainerHostname", "InferenceComponentName", "SessionId"):
        if member in members:
            raise _Refused(400, "ValidationError", f"{member} is not supported by endpoint {name}.")


def _error(refused: _Refused) -> Reply:
    document = {"Message": str(refused)} | refused.members
    headers = {
        "x-amzn-RequestId": str(uuid.uuid4()),
        "x-amzn-ErrorType": f"{refused.code}:http://internal.amazon.com/coral/com.amazon.sagemaker/",
        "Content-Type": "application/json",
    }
    return Reply(status=refused.status, body=json.dumps(document).encode(), headers=headers)
