"""SageMaker Data Capture of real-time endpoints: JSON lines under `endpoint/variant/yyyy/mm/dd/hh/`.

Bodies are text (CSV, JSON) or base64, as the endpoint's configuration decided; `observedContentType` says what they
are. The format keeps no status and no latency: an answer that was captured counts as one of status 200, and a record
without one as an answer that was not kept.

Source: SageMaker developer guide, "Capture data from real-time endpoint".
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec

from harness.recordings import gaps
from harness.recordings.blocks import Block, Line
from harness.recordings.formats import Found, Log, LogFile, Reject, Skip
from harness.recordings.formats._json import UNREADABLE, blocked, place, refused
from harness.recordings.formats._streams import TOO_LONG
from harness.recordings.plain import Plain, Usual, plain, read_plain

NAME = "sagemaker_capture"
_TYPES = {"CSV": "text/csv", "JSON": "application/json", "BASE64": "application/octet-stream"}
_TEXTS = {"CSV", "JSON"}
_HOUR = re.compile(r"(?:^|/)([^/]+)/[^/]+/\d{4}/\d\d/\d\d/\d\d/[^/]+$")


class Half(msgspec.Struct, rename="camel", gc=False):
    """One direction of a call. data: None where it was not kept."""

    data: str | None = None
    encoding: str = "CSV"
    observed_content_type: str | None = None


class Data(msgspec.Struct, rename="camel", gc=False):
    """Both directions."""

    endpoint_input: Half | None = None
    endpoint_output: Half | None = None


class Meta(msgspec.Struct, rename="camel", gc=False):
    """inference_id: the caller's own name for the call, which labels prefer."""

    event_id: str | None = None
    inference_id: str | None = None
    inference_time: str | None = None


class Captured(msgspec.Struct, rename="camel", gc=False):
    """One record, as far as it is read."""

    capture_data: Data
    event_metadata: Meta = msgspec.field(default_factory=Meta)


_DECODER = msgspec.json.Decoder(Captured)


def build(*, endpoint: str | None = None) -> SageMakerCapture:
    """endpoint: its name, where the folders of the capture do not say it."""
    return SageMakerCapture(endpoint=endpoint)


@dataclass(frozen=True, slots=True, kw_only=True)
class SageMakerCapture:
    """The format."""

    endpoint: str | None = None
    name: str = NAME
    service: str = "sagemaker"
    operation: str = "InvokeEndpoint"
    sampled: bool = True  # by InitialSamplingPercentage, which no record says

    def read(self, log: Log) -> Iterator[Found]:
        return read_plain(self, log)

    def plain(self, log: Log) -> Iterator[Plain | Reject | Skip]:
        return plain(self, log)

    def blocks(self, file: LogFile) -> Iterator[Block | Reject]:
        return blocked(file, self.name)

    def found(self, _log: Log, file: LogFile, line: Line, /) -> Iterable[Plain | Reject | Skip]:
        hour = _HOUR.search(file.path)
        return (_found(file, line, self.endpoint or (hour[1] if hour else None)),)

    @staticmethod
    def usual(line: bytes) -> Usual | None:
        """A call with its answer, both text, in a line without an escape: so its texts are JSON as they stand."""
        if b"\\" in line:
            return None
        try:
            captured = _DECODER.decode(line)
        except UNREADABLE:
            return None
        data, meta = captured.capture_data, captured.event_metadata
        asked, answered = data.endpoint_input, data.endpoint_output
        name, time = meta.inference_id or meta.event_id, meta.inference_time
        if asked is None or answered is None or name is None or time is None:
            return None
        if asked.data is None or answered.data is None or not {asked.encoding, answered.encoding} <= _TEXTS:
            return None
        kind = asked.observed_content_type, asked.encoding, answered.observed_content_type, answered.encoding
        return kind, asked.data, asked.data, answered.data, answered.data, name, time, ""


def _found(file: LogFile, line: Line, endpoint: str | None) -> Plain | Reject | Skip:
    if line.content is None:
        return Reject(place(file, NAME, line), TOO_LONG)
    text = line.content
    try:
        captured = _DECODER.decode(text)
        asked, answered = _kept(captured.capture_data.endpoint_input), _kept(captured.capture_data.endpoint_output)
        if asked is None and answered is None:
            return Reject(place(file, NAME, line), "neither the input nor the output of the call is there")
        if asked is None:
            return Skip(place(file, NAME, line), "only the output was captured", no_request=True)
        request, response = _body(asked), None if answered is None else _body(answered)
    except UNREADABLE as exc:
        return Reject(place(file, NAME, line), refused(exc))
    meta = captured.event_metadata
    return Plain(
        format=NAME,
        path=file.path,
        index=line.index,
        line=line.number,
        text=text,
        service="sagemaker",
        operation="InvokeEndpoint",
        model=endpoint,
        request_type=_type(asked),
        request=request,
        status=None if answered is None else 200,
        response_headers={} if answered is None else {"content-type": _type(answered)},
        response=response,
        request_id=meta.inference_id or meta.event_id,
        time=meta.inference_time,
        flags=(gaps.NO_ANSWER,) if answered is None else (),
        labels=tuple(name for name in (meta.inference_id, meta.event_id) if name),
    )


def _type(half: Half) -> str:
    return half.observed_content_type or _TYPES.get(half.encoding.upper(), "application/octet-stream")


def _kept(half: Half | None) -> Half | None:
    return None if half is None or half.data is None else half


def _body(half: Half) -> str | bytes:
    data = half.data or ""
    if half.encoding.upper() != "BASE64":
        return data
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error:
        raise ValueError("its data is not the base64 that it says") from None
