"""A line of a golden set read as far as opening, splitting and sampling need, some ten times faster than its case.

`head` says yes to nothing that `lines.decode` refuses. What it says no to is for `lines.decode` to look at: that one
knows the words for what is wrong, and reads the few lines that are whole and out of the ordinary.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, BinaryIO

import msgspec
from msgspec import UNSET, Meta, UnsetType

from harness.core.case import Json
from harness.errors import GoldenError
from harness.recordings.lines import RESTORE, decode
from harness.recordings.manifest import from_time

CHUNK = 64 << 10
_TAIL = len(b',"crc32":"00000000"}')
_Name = Annotated[str, Meta(min_length=1)]
_Whole = Annotated[int, Meta(ge=0)]


class Request(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """`request` of a line."""

    headers: dict[str, str] = {}
    body: str | UnsetType = UNSET
    body_base64: str | UnsetType = UNSET


class Response(Request, forbid_unknown_fields=True, gc=False):
    """`response` of a line."""

    status: int | UnsetType = UNSET
    latency_s: Annotated[float, Meta(ge=0)] | UnsetType = UNSET
    request_id: str = ""
    tokens: dict[str, _Whole] = {}


class Place(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """`origin` of a provenance."""

    format: _Name
    path: str
    index: _Whole
    line: Annotated[int, Meta(ge=1)] | UnsetType = UNSET


class Written(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """`provenance` of a line."""

    captured_at: str | UnsetType = UNSET
    captured_from: str | UnsetType = UNSET
    origin: Place | UnsetType = UNSET
    flags: list[str] = []
    redaction: str | UnsetType = UNSET
    redacted: bool = False
    sha256: str = ""


class Head(msgspec.Struct, forbid_unknown_fields=True, gc=False, kw_only=True):
    """All that a line says, as it says it: a key that is not there is UNSET, or empty where that means the same."""

    id: _Name
    service: _Name | UnsetType = UNSET
    operation: _Name | UnsetType = UNSET
    model: str | UnsetType = UNSET
    region: str | UnsetType = UNSET
    url: str | UnsetType = UNSET
    request: Request
    response: Response | UnsetType = UNSET
    cluster: str = ""
    slices: dict[str, str] = {}
    slices_only: bool = False
    expected: msgspec.Raw | UnsetType = UNSET
    repeat_of: _Name | UnsetType = UNSET
    duplicate_of: _Name | UnsetType = UNSET
    provenance: Written
    crc32: str

    @property
    def earlier(self) -> str:
        """The id of the earlier case that this one repeats or duplicates; "" for a primary case."""
        return self.repeat_of or self.duplicate_of or ""

    @property
    def call(self) -> str:
        """The service's own name for the call; "" where the log does not tell."""
        return self.response.request_id if self.response else ""


_decode = msgspec.json.Decoder(Head).decode


def head(line: bytes) -> Head | None:
    """Of a line without its line feed; None where only `lines.decode` can tell what it is."""
    if line[-_TAIL:] != b',"crc32":"%08x"}' % zlib.crc32(line[:-_TAIL]):
        return None
    try:
        found = _decode(line)
        written = found.provenance
        if written.captured_at is not UNSET:
            from_time(written.captured_at)
        whole = written.captured_from is not UNSET or written.origin is not UNSET
        linked = found.repeat_of is not UNSET and found.duplicate_of is not UNSET
        bodies = _whole(found.request) and (not found.response or _whole(found.response))
        if found.expected is not UNSET:
            _expected(bytes(found.expected))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return found if whole and bodies and not linked else None


def heads(
    stream: BinaryIO, path: Path, *, service: str, operation: str, longest: int
) -> Iterator[tuple[bytes, list[Head]]]:
    """Whole lines, about 64 KiB at a time, and what each of them says. longest: bytes of a line.

    Raises GoldenError naming the first line that is wrong: torn, altered, malformed, or longer than a case can be.
    """
    number = 0
    while chunk := stream.read(CHUNK):
        if not chunk.endswith(b"\n"):
            torn = len(chunk) - 1 - chunk.rfind(b"\n")
            chunk += stream.readline(longest + 1 - min(torn, longest))
        found = []
        for line in _split(chunk):
            number += 1
            if len(line) > longest:
                raise GoldenError(f"{place(path, number)}: longer than {longest:,} bytes, and so no case. {RESTORE}")
            one = head(line[:-1]) if line.endswith(b"\n") else None
            found.append(one or _look_closer(line, place(path, number), service, operation))
        yield chunk, found


def place(path: Path, number: int) -> str:
    return f"{path}, line {number}"


def _split(chunk: bytes) -> list[bytes]:
    """Lines with their line feeds; no other byte ends a line."""
    lines = [line + b"\n" for line in chunk.split(b"\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def _look_closer(line: bytes, where: str, service: str, operation: str) -> Head:
    case = decode(line, place=where, service=service, operation=operation)
    return Head(
        id=case.id,
        request=Request(),
        response=Response(request_id=case.recording.request_id or ""),
        cluster="" if case.cluster == case.id else case.cluster,
        slices=dict(case.slices),
        slices_only=case.slices_only,
        expected=UNSET if case.expected is None else msgspec.Raw(json.dumps(case.expected).encode()),
        repeat_of=case.repeat_of or UNSET,
        duplicate_of=case.duplicate_of or UNSET,
        provenance=Written(flags=list(case.recording.provenance.flags)),
        crc32="",
    )


def _whole(message: Request) -> bool:
    if message.body_base64 is not UNSET:
        base64.b64decode(message.body_base64, validate=True)
        return message.body is UNSET
    return True


def _expected(text: bytes) -> Json:
    if b"\\u" in text:
        raise ValueError("it may be half a surrogate pair")
    value: Json = json.loads(text, parse_constant=_no_constant)
    return value


def _no_constant(name: str) -> Json:
    raise ValueError(f"{name} is not JSON")
