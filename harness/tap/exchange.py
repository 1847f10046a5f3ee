"""One call as the tap saw it, and its way to the process that writes it."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import msgspec

from harness.recordings.formats._http import headers_of

MOST = 6 << 20  # bytes that are copied of a body; SageMaker takes 6 MiB a call


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


def packed(exchange: Exchange) -> bytes:
    """The call for the writer's process, as msgpack. Of headers only those go that a recording may keep.

    Raises what msgspec raises for values that have no place in it.
    """
    asked = replace(exchange.asked, headers=headers_of(exchange.asked.headers))
    return _ENCODER.encode(replace(exchange, asked=asked, headers=_answered(exchange.headers)))


def unpacked(content: bytes) -> Exchange:
    """Raises msgspec.DecodeError for what `packed` did not make."""
    return _DECODER.decode(content)


def _answered(headers: Mapping[str, object]) -> dict[str, object]:
    """The headers that are kept, and how the body is packed."""
    packing = {name.lower(): value for name, value in headers.items() if name.lower() == "content-encoding"}
    return {**headers_of(headers), **{name: str(value) for name, value in packing.items()}}


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Exchange)
