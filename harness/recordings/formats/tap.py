"""What a tap in the application wrote (`harness.tap`): lines as of a golden set, and a line a call that it lost.

A line that names no service is `{"lost": "WHY"}`. What the tap redacted stays marked so, whatever the import redacts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from harness.core.case import Json, Origin, Recording
from harness.errors import GoldenError
from harness.recordings.formats import Found, Log, Record, Reject, Skip, case_id
from harness.recordings.formats._json import parsed, records
from harness.recordings.lines import decode

NAME = "tap"
_LOST = b'{"lost"'


def build() -> Tap:
    return Tap()


@dataclass(frozen=True, slots=True)
class Tap:
    """The format."""

    name: str = NAME
    service: str = "bedrock"
    operation: str = "Converse"
    sampled: bool = True  # a tap may take a share, and knows one client of one process

    def read(self, log: Log) -> Iterator[Found]:
        for file in log:
            for item in records(file, self.name):
                yield item if isinstance(item, Reject) else _found(*item)


def _found(origin: Origin, line: bytes) -> Found:
    if line.startswith(_LOST):
        return Skip(origin, "lost by the tap")
    try:
        stored = decode(line + b"\n", place="the line", service="", operation="").recording
    except (GoldenError, RecursionError):
        return Reject(origin, "no whole line of a tap: torn, altered or written by something else")
    if not stored.service or not stored.operation:
        return Reject(origin, "a line that names no service or no operation")
    recording = replace(
        stored,
        id=case_id(origin),
        provenance=replace(stored.provenance, origin=origin, captured_from=""),
    )
    names = (recording.request_id,) if recording.request_id else ()
    return Record(recording=recording, document=partial(_document, recording), labels=names)


def _document(recording: Recording) -> Json:
    """The call as JMESPath sees it: bodies parsed where they are JSON."""
    return {
        "service": recording.service,
        "operation": recording.operation,
        "model": recording.model,
        "request": {"headers": dict(recording.request_headers), "body": parsed(recording.request_body)},
        "response": {
            "status": recording.status,
            "headers": dict(recording.response_headers),
            "body": parsed(recording.response_body),
        },
    }
