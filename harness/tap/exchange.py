"""One call as the tap saw it, and the line of the spool that it becomes."""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from harness.core.case import Provenance, Recording
from harness.recordings import gaps
from harness.recordings.formats._http import address, headers_of, latency_s, model_in, request_id, unpacked
from harness.recordings.formats._json import parsed
from harness.recordings.lines import StoredCase, encode
from harness.recordings.privacy import Redactor
from harness.run.importing import redacted_whole

MOST = 6 << 20  # bytes that are copied of a body; SageMaker takes 6 MiB a call
CAPTURED_FROM = "tap in the application"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request, copied before it left. started_s: `time.perf_counter()`. url: whole; its query is not kept."""

    service: str
    operation: str
    model: str | None
    region: str | None
    url: str
    headers: Mapping[str, object]
    body: bytes
    at: datetime
    started_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request and what came of it. body: None where no answer came. whole: the body was read to its end."""

    asked: Asked
    status: int | None = None
    headers: Mapping[str, object] = field(default_factory=dict)
    body: bytes | None = None
    latency_s: float | None = None
    whole: bool = True

    @property
    def size(self) -> int:
        """Bytes that it holds."""
        return len(self.asked.body) + len(self.body or b"")


@dataclass(frozen=True, slots=True)
class Sample:
    """A share of the requests: the same ones in every process, whoever asks."""

    share: float

    def takes(self, operation: str, model: str | None, body: bytes) -> bool:
        if self.share >= 1:
            return True
        return zlib.crc32(body, zlib.crc32(f"{operation}\0{model}\0".encode())) < self.share * 2**32


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
