"""The line of a file that a call becomes."""

from __future__ import annotations

import uuid

from harness.core.case import Provenance, Recording
from harness.recordings import gaps
from harness.recordings.formats._http import address, headers_of, latency_s, model_in, request_id, unpacked
from harness.recordings.formats._json import parsed
from harness.recordings.lines import StoredCase, encode
from harness.recordings.privacy import Redactor
from harness.run.making import redacted_whole
from harness.tap.exchange import Exchange

CAPTURED_FROM = "tap in the application"


def line_of(exchange: Exchange, by: Redactor | None) -> bytes:
    """The line, redacted, line feed included. Raises GoldenError and ValueError for what cannot be stored."""
    case = StoredCase(recording=_recording(exchange))
    if by is not None:
        case = redacted_whole(case, by)
    return encode(case, service="", operation="")  # a line names its own


def _recording(exchange: Exchange) -> Recording:
    asked, headers, body = exchange.asked, headers_of(exchange.headers), exchange.body
    if body is not None:
        encodings = {name.lower(): value for name, value in exchange.headers.items()}
        body = unpacked(body, str(encodings.get("content-encoding", "")))
    flags = ([gaps.NO_ANSWER] if body is None else []) + ([] if exchange.whole else [gaps.TRUNCATED])
    return Recording(
        id=uuid.uuid4().hex,
        service=asked.service,
        operation=asked.operation,
        model=asked.model or model_in(parsed(asked.body)),
        region=asked.region or headers.get("x-ms-region"),
        url=address(asked.url),
        request_headers=headers_of(asked.headers),
        request_body=asked.body,
        status=exchange.status,
        response_headers=headers,
        response_body=body,
        latency_s=exchange.latency_s if exchange.latency_s is not None else latency_s(headers),
        request_id=request_id(headers),
        provenance=Provenance(captured_at=asked.at, captured_from=CAPTURED_FROM, flags=tuple(flags)),
    )
