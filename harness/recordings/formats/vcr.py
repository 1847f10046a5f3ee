"""Cassettes of VCR.py and pytest-recording: YAML files of HTTP exchanges with Bedrock, SageMaker and OpenAI's API.

A call of a model is one case; everything else in a cassette is counted as skipped. A body is text, `!!binary`, or,
where a serializer of the project's own keeps it readable, a tree under `parsed_body`, which is no wire bytes. Of
headers the known ones are kept and of an address its path and API version, so that no credential comes along.

Source: vcrpy, `serializers/yamlserializer.py`, `serializers/compat.py`; wire contracts, "Seen in recordings".
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from harness.core.case import Json, Origin, Provenance, Recording
from harness.recordings import gaps
from harness.recordings.formats import Found, Log, LogFile, Record, Reject, Skip, case_id
from harness.recordings.formats._http import (
    Call,
    address,
    call_of,
    date,
    header,
    headers_of,
    latency_s,
    model_in,
    request_id,
    unpacked,
)
from harness.recordings.formats._json import parsed
from harness.recordings.formats._openai import status_in
from harness.recordings.formats._streams import BadFile, opened
from harness.recordings.formats._yaml import Refused, entries

NAME = "vcr"
SKEW = timedelta(minutes=5)  # AWS refuses a signature that is further from its own clock


def build() -> Vcr:
    return Vcr()


@dataclass(frozen=True, slots=True)
class Vcr:
    """The format."""

    name: str = NAME
    service: str = "bedrock"
    operation: str = "InvokeModel"
    sampled: bool = True  # of an application's tests, not of its traffic

    def read(self, log: Log) -> Iterator[Found]:
        """One `Found` an interaction; its index counts all of a cassette, skipped ones too."""
        for file in log:
            yield from self._cassette(file)

    def _cassette(self, file: LogFile) -> Iterator[Found]:
        index, line = 0, 1
        try:
            with opened(file) as stream:
                for line, entry in entries(stream, "interactions"):
                    yield _found(Origin(format=self.name, path=file.path, index=index, line=line), entry)
                    index += 1
        except (BadFile, OSError) as exc:
            reason = str(exc) if isinstance(exc, BadFile) else f"the file cannot be read on ({type(exc).__name__})"
            yield Reject(
                Origin(format=self.name, path=file.path, index=index, line=line), f"{reason}; what follows is lost"
            )


def _found(origin: Origin, entry: Any) -> Found:
    if isinstance(entry, Refused):
        return Reject(origin, str(entry))
    request, response = (
        (entry.get(name) for name in ("request", "response")) if isinstance(entry, Mapping) else ((), ())
    )
    if not isinstance(request, Mapping) or not isinstance(request.get("uri"), str):
        return Reject(origin, "no exchange: it has no request with an address")
    call = call_of(str(request.get("method", "POST")), request["uri"])
    if isinstance(call, str):
        return Skip(origin, call)
    try:
        return _record(origin, call, request, response if isinstance(response, Mapping) else {})
    except (ValueError, TypeError, RecursionError) as exc:
        told = isinstance(exc, ValueError) and not isinstance(exc, UnicodeError)
        return Reject(origin, str(exc) if told else "a body that neither JSON nor UTF-8 can say")


def _record(origin: Origin, call: Call, request: Mapping[str, Any], response: Mapping[str, Any]) -> Record:
    flags: list[str] = []
    asked, tree = _body(request, "body")
    answered, answer_tree = _body(response, "body")
    request_headers, headers = headers_of(request.get("headers")), headers_of(response.get("headers"))
    if tree or answer_tree:
        flags.append(gaps.NOT_WIRE_BYTES)
    for parsed_body, kept in ((tree, request_headers), (answer_tree, headers)):
        if parsed_body:
            kept["content-type"] = "application/json"
    status = response.get("status")
    code = status_in(status.get("code") if isinstance(status, Mapping) else status)
    if answered is None and code is not None and code >= 400:
        answered = b""
    if answered is None:
        flags.append(gaps.NO_ANSWER)
    sent, came = date(header(request.get("headers"), "x-amz-date")), date(headers.get("date"))
    if sent and came and abs(sent - came) > SKEW:
        flags.append(gaps.CLOCK_SKEW)
    recording = Recording(
        id=case_id(origin),
        service=call.service,
        operation=call.operation,
        model=call.model or model_in(parsed(asked)),
        region=call.region or headers.get("x-ms-region"),
        url=address(request["uri"]),
        request_headers=request_headers,
        request_body=asked or b"",
        status=code,
        response_headers=headers,
        response_body=answered,
        latency_s=latency_s(headers),
        request_id=request_id(headers),
        provenance=Provenance(captured_at=came or sent, origin=origin, flags=tuple(sorted(flags))),
    )
    names = (recording.request_id,) if recording.request_id else ()
    return Record(recording=recording, document=partial(_document, request, asked, response, answered), labels=names)


def _body(half: Mapping[str, Any], name: str) -> tuple[bytes | None, bool]:
    """The bytes of a body, and whether they were made of a tree. Raises ValueError for a tree that JSON cannot say, and
    for base64 that is none.
    """
    if half.get("parsed_body") is not None:
        return _tree(half["parsed_body"]), True
    body = half.get(name)
    if isinstance(body, Mapping):  # a response keeps its body one level down
        if body.get("parsed_body") is not None:
            return _tree(body["parsed_body"]), True
        packed = body.get("base64_string")
        body = body.get("string") if packed is None else _unbased(packed)
    if isinstance(body, str):
        body = body.encode()
    if not isinstance(body, bytes):
        return (None, False) if body is None else (_tree(body), True)
    return unpacked(body, header(half.get("headers"), "content-encoding")), False


def _tree(value: Any) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except ValueError:
        raise ValueError("a body with a number or text that JSON cannot say") from None


def _unbased(text: Any) -> bytes:
    try:
        return base64.b64decode("".join(text.split()) if isinstance(text, str) else bytes(text), validate=True)
    except (ValueError, TypeError):
        raise ValueError("a body in base64 that is none") from None


def _document(
    request: Mapping[str, Any], asked: bytes | None, response: Mapping[str, Any], answered: bytes | None
) -> Json:
    """The exchange as JMESPath sees it: known headers, and bodies parsed where they are JSON."""
    return {
        "request": {
            "method": str(request.get("method", "")),
            "uri": str(request["uri"]),
            "headers": dict(headers_of(request.get("headers"))),
            "body": parsed(asked),
        },
        "response": {"headers": dict(headers_of(response.get("headers"))), "body": parsed(answered)},
    }
