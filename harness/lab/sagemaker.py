"""SageMaker runtime: one real-time endpoint with the scikit-learn model as it was trained, in float64.

`POST /endpoints/visits/invocations`, `text/csv` in (rows of nine cells, no header) and out (one score a line). Refusals
come in the service's shape: an error name in `x-amzn-ErrorType`, `Message` in the body; what the container itself
refuses is a ModelError 424 around the container's own status.
Source: SageMaker runtime API reference, InvokeEndpoint; the service model for shapes, lengths and patterns.
"""

from __future__ import annotations

import json
import math
import platform
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from harness.lab import aws_credentials, service_model, sigv4, sts
from harness.lab.desk import PREFIX, Desk
from harness.lab.loopback import Handler, Reply, Request
from harness.lab.settings import ACCOUNT, CONTROL_HEADER, ENDPOINT, REGION, VARIANT
from harness.lab.visits import COLUMNS

LOG_STREAM = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/sagemaker/Endpoints/{ENDPOINT}"

Predict = Callable[[list[list[float]]], list[float]]


class _Refused(Exception):
    def __init__(self, status: int, code: str, message: str, **members: Any) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.members = members


class _ContainerRefused(Exception):
    """The model's container answered something else than 200."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def versions() -> dict[str, str]:
    """What runs the model, by library."""
    import numpy as np
    import sklearn

    return {"scikit-learn": sklearn.__version__, "numpy": np.__version__, "python": platform.python_version()}


def predictor(model: Any) -> Predict:
    """The positive class's probability of each row."""
    import numpy as np

    def predict(rows: list[list[float]]) -> list[float]:
        return [float(score) for score in model.predict_proba(np.array(rows, dtype=np.float64))[:, 1]]

    return predict


def application(desk: Desk, predict: Predict) -> Handler:
    """The handler of the runtime's server."""
    operation = service_model.load("sagemaker-runtime", "InvokeEndpoint")
    runtime = " ".join(f"{library}/{version}" for library, version in desk.versions.items())

    def handle(request: Request) -> Reply | None:
        if request.path.startswith(PREFIX):
            status, body = desk.answer(
                request.method, request.path, request.headers.get(CONTROL_HEADER, ""), request.body
            )
            return Reply(status=status, body=body)
        if request.path == "/":
            return sts.answer(desk.settings, request)
        try:
            scores = _invoke(desk, operation, predict, request)
        except _Refused as refused:
            return _error(refused)
        answer = desk.fault.answer(request.body, "".join(f"{score!r}\n" for score in scores).encode())
        headers = {
            "x-amzn-RequestId": str(uuid.uuid4()),
            "x-Amzn-Invoked-Production-Variant": VARIANT,
            "X-Amzn-SageMaker-Custom-Attributes": f"runtime={runtime}",
            "Content-Type": "text/csv; charset=utf-8",
        }
        return Reply(status=200, body=answer, headers=headers)

    return handle


def _invoke(desk: Desk, operation: service_model.Operation, predict: Predict, request: Request) -> list[float]:
    settings, fault = desk.settings, desk.fault
    if not operation.matches(request):
        raise _Refused(404, "UnknownOperationException", "The requested operation is not served.")
    credential = sigv4.Credential(
        region=REGION,
        service="sagemaker",
        secret_of=lambda key_id, token: aws_credentials.secret_of(settings, key_id, token),
    )
    try:
        sigv4.check(request, credential, now=datetime.now(UTC))
        members = operation.read(request)
    except sigv4.Denied as denied:
        raise _Refused(denied.status, denied.code, str(denied)) from denied
    except service_model.Violation as violation:
        raise _Refused(400, "ValidationError", str(violation)) from violation
    _check_addressee(members)
    interruption = fault.interrupts(request.body)
    if interruption is not None and interruption.kind == "platform":
        raise _Refused(500, "InternalFailure", "An internal failure occurred. Try again.")
    if interruption is not None and interruption.kind == "throttled":
        raise _Refused(429, "ThrottlingException", "Rate exceeded")
    try:
        if interruption is not None and interruption.kind == "silent":
            time.sleep(interruption.after_s)
            raise _ContainerRefused(0, "Your invocation timed out while waiting for a response from the container.")
        if interruption is not None:
            raise _ContainerRefused(500, "Internal Server Error")
        scores = _container(members, request.body, predict, fault.scores)
    except _ContainerRefused as refused:
        side = "client" if 400 <= refused.status < 500 else "server"
        raise _Refused(
            424,
            "ModelError",
            f'Received {side} error ({refused.status}) from primary with message "{refused}". '
            f"See the log group /aws/sagemaker/Endpoints/{ENDPOINT} in account {ACCOUNT} for more information.",
            ErrorCode=f"{side.upper()}_ERROR_FROM_MODEL",
            LogStreamArn=LOG_STREAM,
            OriginalMessage=str(refused),
            OriginalStatusCode=refused.status,
        ) from refused
    finally:
        spare_s = fault.service_time_s(request.body, settings.service_time_s) - (
            time.perf_counter() - request.received_s
        )
        if spare_s > 0:
            time.sleep(spare_s)
    return scores


def _check_addressee(members: dict[str, str]) -> None:
    """What the service says of a name that it cannot serve."""
    name = members["EndpointName"]
    if name != ENDPOINT:
        raise _Refused(400, "ValidationError", f"Endpoint {name} of account {ACCOUNT} not found.")
    if members.get("TargetVariant", VARIANT) != VARIANT:
        raise _Refused(400, "ValidationError", f"Variant {members['TargetVariant']} not found for endpoint {name}.")
    for member in ("TargetModel", "TargetContainerHostname", "InferenceComponentName", "SessionId"):
        if member in members:
            raise _Refused(400, "ValidationError", f"{member} is not supported by endpoint {name}.")


def _container(
    members: dict[str, str], body: bytes, predict: Predict, let_out: Callable[..., list[float]]
) -> list[float]:
    """The model's container: content types, CSV, scores."""
    content_type = members.get("ContentType", "").partition(";")[0].strip().lower()
    if content_type != "text/csv":
        raise _ContainerRefused(415, f"content type {content_type or 'none'!s} is not supported; send text/csv")
    accepted = [part.partition(";")[0].strip().lower() for part in members.get("Accept", "*/*").split(",")]
    if not {"text/csv", "text/*", "*/*"}.intersection(accepted):
        raise _ContainerRefused(406, "only text/csv can be returned")
    rows = _rows(body)
    return let_out(body, rows, predict(rows))


def _rows(body: bytes) -> list[list[float]]:
    try:
        rows = [[float(cell) for cell in line.split(",")] for line in body.decode().splitlines() if line.strip()]
    except ValueError as exc:  # not UTF-8, or not a number
        raise _ContainerRefused(400, f"could not read the CSV body: {exc}") from exc
    wrong = next((row for row in rows if len(row) != len(COLUMNS)), None)
    if not rows or wrong is not None:
        found = len(wrong) if wrong is not None else 0
        raise _ContainerRefused(400, f"expected rows of {len(COLUMNS)} columns, found {found}")
    if not all(math.isfinite(cell) for row in rows for cell in row):
        raise _ContainerRefused(400, "Input X contains NaN or infinity.")
    return rows


def _error(refused: _Refused) -> Reply:
    document = {"Message": str(refused)} | refused.members
    headers = {
        "x-amzn-RequestId": str(uuid.uuid4()),
        "x-amzn-ErrorType": f"{refused.code}:http://internal.amazon.com/coral/com.amazon.sagemaker/",
        "Content-Type": "application/json",
    }
    return Reply(status=refused.status, body=json.dumps(document).encode(), headers=headers)
