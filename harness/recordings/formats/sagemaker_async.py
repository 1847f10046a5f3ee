"""SageMaker asynchronous inference: the notifications, which name the objects that went in and came out.

Notifications are JSON lines or files of one JSON document, bare or as SNS delivers them (`Message`, `Records`); which
files hold them is told by their name. Inputs and outputs are followed where they were imported too; objects that no
notification names are counted. A notification of a failure tells no HTTP status.

Source: SageMaker developer guide, "Check prediction results".
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from harness.core.call import FailureKind
from harness.core.case import Json, Origin, Provenance, Recording
from harness.recordings import gaps
from harness.recordings.formats import Found, Log, LogFile, Record, Reject, Skip, case_id
from harness.recordings.formats._join import key
from harness.recordings.formats._json import UNREADABLE, document, json_bytes, records, refused
from harness.recordings.formats._streams import LONGEST, BadFile
from harness.recordings.plain import moment
from harness.recordings.seen import Seen

NAME = "sagemaker_async"
_FAILED = f"{gaps.FAILED}{FailureKind.UNAVAILABLE.value}"


def build(*, notifications: str = "*.jsonl") -> SageMakerAsync:
    """notifications: a pattern of the paths that hold them; every other file is the body of a call."""
    return SageMakerAsync(notifications=notifications)


@dataclass(frozen=True, slots=True, kw_only=True)
class SageMakerAsync:
    """The format."""

    notifications: str = "*.jsonl"
    name: str = NAME
    service: str = "sagemaker"
    operation: str = "InvokeEndpoint"
    sampled: bool = False

    def read(self, log: Log) -> Iterator[Found]:
        named = Seen()
        for file in log:
            if not self._tells(file):
                continue
            for item in records(file, self.name):
                yield item if isinstance(item, Reject) else self._found(*item, log=log, file=file, named=named)
        for file in log:
            if not self._tells(file) and named.get(key(file.path)) is None:
                place = Origin(format=self.name, path=file.path, index=0, line=1)
                yield Skip(place, "an object that no notification names", no_request=True)

    def _tells(self, file: LogFile) -> bool:
        return fnmatch.fnmatchcase(file.path, self.notifications)

    def _found(self, origin: Origin, line: bytes, *, log: Log, file: LogFile, named: Seen) -> Found:
        try:
            told = _unwrapped(document(line))
        except (*UNREADABLE, KeyError, IndexError, TypeError) as exc:
            return Reject(origin, refused(exc) if isinstance(exc, ValueError | RecursionError) else "no notification")
        asked, answered = _table(told, "requestParameters"), _table(told, "responseParameters")
        if told.get("invocationStatus") not in ("Completed", "Failed"):
            return Reject(origin, "no notification: its invocationStatus is neither Completed nor Failed")
        failed = told["invocationStatus"] == "Failed"
        try:
            request = _object(asked.get("inputLocation"), log, file, named)
            response = _object(answered.get("outputLocation"), log, file, named)
        except BadFile as exc:
            return Reject(origin, str(exc))
        if request is None:
            return Skip(origin, "the input was not imported", no_request=True)
        if failed:
            response = json_bytes({"message": str(told.get("failureReason") or "the invocation failed")})
        elif response is None and told.get("responseBody") is not None:
            body = told["responseBody"]
            response = body.encode() if isinstance(body, str) else json_bytes(body)
        kind = "application/json" if failed else _text(answered.get("contentType"))
        began, ended = moment(told.get("receivedTime")), moment(told.get("eventTime"))
        took = (ended - began).total_seconds() if began is not None and ended is not None else -1.0
        identity = _text(told.get("inferenceId"))
        flags = ((gaps.NO_ANSWER,) if response is None else ()) + ((_FAILED,) if failed else ())
        recording = Recording(
            id=case_id(origin),
            service=self.service,
            operation=self.operation,
            model=_text(asked.get("endpointName")),
            region=_text(told.get("awsRegion")),
            request_headers=_typed(_text(asked.get("contentType"))),
            request_body=request,
            status=None if failed or response is None else 200,
            response_headers={} if response is None else _typed(kind),
            response_body=response,
            latency_s=took if took >= 0 else None,
            request_id=identity,
            provenance=Provenance(captured_at=began or ended, origin=origin, flags=flags),
        )
        return Record(
            recording=recording, document=partial(_as_json, told), labels=(identity,) if identity else (), failed=failed
        )


def _unwrapped(told: Any) -> dict[str, Any]:
    """The notification itself, out of what SNS and Lambda put around it."""
    if isinstance(told, dict) and "Records" in told:
        told = told["Records"][0]["Sns"]
    if isinstance(told, dict) and isinstance(told.get("Message"), str):
        told = document(told["Message"].encode())
    if not isinstance(told, dict):
        raise TypeError("no object")
    return told


def _object(uri: Any, log: Log, file: LogFile, named: Seen) -> bytes | None:
    found = log.find(uri, beside=file.path) if isinstance(uri, str) else None
    if found is None:
        return None
    named.put(key(found.path), 1)
    raw = found.open()  # as it lies there: a packed body is what was sent
    try:
        content = raw.read(LONGEST + 1)
    except OSError as exc:
        raise BadFile(f"an object of the call cannot be read ({type(exc).__name__})") from exc
    finally:
        raw.close()
    if len(content) > LONGEST:
        raise BadFile(f"the body of the call is longer than {LONGEST:,} bytes")
    return content


def _table(told: dict[str, Any], name: str) -> dict[str, Any]:
    inner = told.get(name)
    return inner if isinstance(inner, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _typed(kind: str | None) -> dict[str, str]:
    return {} if kind is None else {"content-type": kind}


def _as_json(told: dict[str, Any]) -> Json:
    return told
