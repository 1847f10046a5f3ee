"""One case of a golden set as one line of `cases.jsonl`.

UTF-8, one JSON object a line, every line ended by a line feed::

    {"id": "visits-0f3a", "service": ..., "operation": ..., "model": ..., "region": ..., "url": ...,
     "request": {"headers": {"content-type": "text/csv"}, "body": "4.6,0,1.2"},
     "response": {"status": 200, "headers": {}, "body": "0.31", "latency_s": 0.012, "request_id": "...",
                  "tokens": {"input": 14, "output": 5}},
     "cluster": "customer-17", "slices": {"plan": "free"}, "slices_only": true, "expected": 1,
     "repeat_of": "visits-0a11", "duplicate_of": "visits-0a11",
     "provenance": {"captured_at": "2024-05-01T09:00:00+00:00", "captured_from": "...",
                    "origin": {"format": "bedrock_log", "path": "2024/05/a.json.gz", "index": 0, "line": 1},
                    "flags": [], "redaction": "...", "redacted": true, "sha256": "..."},
     "crc32": "1c291ca3"}

id, request, provenance (captured_from or origin) and crc32 are always there; what else has its default is left out:
service and operation those of the manifest, cluster the case itself, no response where only the request was kept. A
body is text where its bytes are UTF-8, else `body_base64`: either way the bytes come back as they were.

repeat_of and duplicate_of, never both, name an earlier case: repeat_of the first one with the same request, whose
answer was another; duplicate_of the first one with the same request and the same answer, which may be a repeat itself.
slices_only marks a case that was drawn above its share of the traffic.

crc32 is that of the line's bytes before `,"crc32"`. The manifest's SHA-256 proves the file; this names the line that
is wrong, and finds a file that somebody edits while a run reads from it.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from harness.core.case import Json, Origin, Provenance, Recording
from harness.core.shape import check
from harness.core.verdict import SLICES_ONLY
from harness.errors import ConfigError, GoldenError
from harness.recordings.manifest import from_time, to_time
from harness.recordings.strict import fits

_TEXT = {"type": "string"}
_NAME = {"type": "string", "minLength": 1}
_TEXTS = {"type": "object", "additionalProperties": _TEXT}
_MESSAGE = {"headers": _TEXTS, "body": _TEXT, "body_base64": _TEXT}
_OPTIONAL_TEXTS = ("model", "region", "url")
_LINKS = ("repeat_of", "duplicate_of")
_WHOLE = {"type": "integer", "minimum": 0}

SHAPE: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["id", "request", "provenance", "crc32"],
    "properties": {
        "id": _NAME,
        "service": _NAME,
        "operation": _NAME,
        **dict.fromkeys(_OPTIONAL_TEXTS, _TEXT),
        "request": {"type": "object", "additionalProperties": False, "properties": _MESSAGE},
        "response": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "status": {"type": "integer"},
                **_MESSAGE,
                "latency_s": {"type": "number", "minimum": 0},
                "request_id": _TEXT,
                "tokens": {"type": "object", "additionalProperties": _WHOLE},
            },
        },
        "cluster": _TEXT,
        "slices": _TEXTS,
        "slices_only": {"type": "boolean"},
        "expected": {},
        **dict.fromkeys(_LINKS, _NAME),
        "provenance": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "captured_at": _TEXT,
                "captured_from": _TEXT,
                "origin": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["format", "path", "index"],
                    "properties": {"format": _NAME, "path": _TEXT, "index": _WHOLE, "line": {**_WHOLE, "minimum": 1}},
                },
                "flags": {"type": "array", "items": _TEXT},
                "redaction": _TEXT,
                "redacted": {"type": "boolean"},
                "sha256": _TEXT,
            },
        },
        "crc32": _TEXT,
    },
}
_fits = fits(SHAPE)
_TAIL = len(b',"crc32":"00000000"}')
_T = TypeVar("_T")


class Message(msgspec.Struct, omit_defaults=True, gc=False, kw_only=True):
    """`request` or `response` of a line. latency_s: a number as JSON."""

    status: int | UnsetType = UNSET
    headers: dict[str, str] = {}
    body: str | UnsetType = UNSET
    body_base64: str | UnsetType = UNSET
    latency_s: msgspec.Raw | UnsetType = UNSET
    request_id: str | UnsetType = UNSET
    tokens: dict[str, int] = {}


class Place(msgspec.Struct, omit_defaults=True, gc=False):
    """`origin` of a provenance."""

    format: str
    path: str
    index: int
    line: int | UnsetType = UNSET


class Written(msgspec.Struct, omit_defaults=True, gc=False, kw_only=True):
    """`provenance` of a line."""

    captured_at: str | UnsetType = UNSET
    captured_from: str | UnsetType = UNSET
    origin: Place | UnsetType = UNSET
    flags: tuple[str, ...] = ()
    redaction: str | UnsetType = UNSET
    redacted: bool = False
    sha256: str = ""


class Line(msgspec.Struct, omit_defaults=True, gc=False, kw_only=True):
    """What a line says before its crc32, in the order in which it says it."""

    id: str
    service: str | UnsetType = UNSET
    operation: str | UnsetType = UNSET
    model: str | UnsetType = UNSET
    region: str | UnsetType = UNSET
    url: str | UnsetType = UNSET
    request: Message
    response: Message | UnsetType = UNSET
    cluster: str | UnsetType = UNSET
    slices: dict[str, str] = {}
    slices_only: bool = False
    expected: msgspec.Raw | UnsetType = UNSET
    repeat_of: str | UnsetType = UNSET
    duplicate_of: str | UnsetType = UNSET
    provenance: Written


class _Named(msgspec.Struct):
    id: str


_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCase:
    """One case as a golden set holds it: the recording, and what is known of it besides.

    cluster: cases that may share fate carry one name; "" becomes the case's own id.
    slices: group -> value. expected: the truth; None where it is not known. slices_only: drawn above its share of the
    traffic. repeat_of, duplicate_of: id of the earlier case with the same request, of which at most one is there.
    """

    recording: Recording
    cluster: str = ""
    slices: Mapping[str, str] = field(default_factory=dict)
    expected: Json = None
    slices_only: bool = False
    repeat_of: str | None = None
    duplicate_of: str | None = None

    def __post_init__(self) -> None:
        if not self.cluster:
            object.__setattr__(self, "cluster", self.recording.id)
        if self.repeat_of is not None and self.duplicate_of is not None:
            raise ValueError(f'case "{self.id}" is a repeat of one case and a duplicate of another')

    @property
    def id(self) -> str:
        return self.recording.id

    @property
    def row_slices(self) -> Mapping[str, str]:
        """The slices as rows carry them: with the mark of a case that was drawn above its share."""
        return {**self.slices, SLICES_ONLY: "yes"} if self.slices_only else self.slices

    @property
    def primary(self) -> bool:
        """Whether it is the first case with its request: the only ones that are replayed."""
        return self.repeat_of is None and self.duplicate_of is None


def encode(case: StoredCase, *, service: str, operation: str) -> bytes:
    """The line, line feed included; service and operation are the manifest's.

    Raises GoldenError naming the case for what JSON cannot say (NaN, half a surrogate pair, a time that is not UTC).
    """
    try:
        sealed = seal(_line(case, service=service, operation=operation))
        if not _fits(sealed):
            check(json.loads(sealed), SHAPE, place="the case")
    except (ConfigError, TypeError, ValueError) as exc:
        raise GoldenError(f'case "{case.id}" cannot be stored: {exc}.') from exc
    return sealed


def seal(line: Line) -> bytes:
    """The bytes of a line, its crc32 and line feed included."""
    text = unsealed(line)
    return b'%b,"crc32":"%08x"}\n' % (text, zlib.crc32(text))


def unsealed(line: Line) -> bytes:
    """What a line says before its crc32."""
    return _encode(line)[:-1]


def linked(line: bytes, earlier: str, *, repeats: bool) -> bytes:
    """A line that has no link with one to an earlier case: of which it is a repeat, or else a duplicate."""
    cut = line.rindex(b',"provenance":{')  # the quotes of a text are escaped, so it is no text
    key = b"repeat_of" if repeats else b"duplicate_of"
    text = b'%b,"%b":%b%b' % (line[:cut], key, _encode(earlier), line[cut : -_TAIL - 1])
    return b'%b,"crc32":"%08x"}\n' % (text, zlib.crc32(text))


def line_id(line: bytes) -> str:
    """The id of a sealed line, which is the first that it says."""
    return msgspec.json.decode(line, type=_Named).id


def decode(line: bytes, *, place: str, service: str, operation: str, proved: bool = False) -> StoredCase:
    """A line, line feed included, back to its case. Raises GoldenError naming `place` when it is torn or altered.

    proved: the line's shape was checked before, when the set was opened; its seal is checked all the same.
    """
    _check_seal(line, place)
    try:
        table = json.loads(line, parse_constant=_no_constant)
        if not proved:
            _check_shape(line, table, place)
        return _case(table, service=service, operation=operation)
    except ConfigError as exc:
        raise GoldenError(str(exc)) from exc
    except RecursionError as exc:
        raise GoldenError(f"{place}: cannot be read: nested too deeply. {RESTORE}") from exc
    except ValueError as exc:
        raise GoldenError(f"{place}: cannot be read: {exc}.") from exc


def _check_shape(line: bytes, table: Any, place: str) -> None:
    if not _fits(line):
        if b"\\u" in line:
            json.dumps(table, ensure_ascii=False).encode()  # half a surrogate pair is no text, and fails here
        check(table, SHAPE, place=place)


def _check_seal(line: bytes, place: str) -> None:
    if not line.endswith(b"\n"):
        raise GoldenError(f"{place}: the line is torn: no line feed ends it. {RESTORE}")
    sealed, seal = line[: -_TAIL - 1], line[-_TAIL - 1 : -1]
    if not (seal.startswith(b',"crc32":"') and seal.endswith(b'"}')):
        raise GoldenError(f"{place}: the line does not end in its crc32: torn, altered or written by hand. {RESTORE}")
    said, found = seal[10:18], b"%08x" % zlib.crc32(sealed)
    if said != found:
        raise GoldenError(
            f"{place}: the line was altered: its crc32 is {found.decode()}, it says {said.decode('latin-1')!a}. "
            f"{RESTORE}"
        )


RESTORE = "Restore the file from version control, or write the golden set again."


def _line(case: StoredCase, *, service: str, operation: str) -> Line:
    recording = case.recording
    return Line(
        id=recording.id,
        service=UNSET if recording.service == service else recording.service,
        operation=UNSET if recording.operation == operation else recording.operation,
        model=_said(recording.model),
        region=_said(recording.region),
        url=_said(recording.url),
        request=Message(headers=_sorted(recording.request_headers), **_body(recording.request_body)),
        response=_response(recording),
        cluster=UNSET if case.cluster == recording.id else case.cluster,
        slices=_sorted(case.slices),
        slices_only=case.slices_only,
        expected=UNSET if case.expected is None else _json(case.expected),
        repeat_of=_said(case.repeat_of),
        duplicate_of=_said(case.duplicate_of),
        provenance=_provenance(recording.provenance),
    )


def _response(recording: Recording) -> Message | UnsetType:
    message = Message(
        status=_said(recording.status),
        headers=_sorted(recording.response_headers),
        **({} if recording.response_body is None else _body(recording.response_body)),
        latency_s=UNSET if recording.latency_s is None else _json(recording.latency_s),
        request_id=_said(recording.request_id),
        tokens=_sorted(recording.tokens),
    )
    return UNSET if message == Message() else message


def _provenance(provenance: Provenance) -> Written:
    origin = provenance.origin
    return Written(
        captured_at=UNSET if provenance.captured_at is None else to_time(provenance.captured_at),
        captured_from=provenance.captured_from if provenance.captured_from or origin is None else UNSET,
        origin=UNSET if origin is None else Place(origin.format, origin.path, origin.index, _said(origin.line)),
        flags=provenance.flags,
        redaction=_said(provenance.redaction),
        redacted=provenance.redacted,
        sha256=provenance.sha256,
    )


def _said(value: _T | None) -> _T | UnsetType:
    return UNSET if value is None else value


def _sorted(table: Mapping[str, _T]) -> dict[str, _T]:
    return dict(sorted(table.items()))


def _json(value: Json) -> msgspec.Raw:
    """A value as the standard library spells it: numbers of any length, and no NaN."""
    return msgspec.Raw(json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode())


def _body(body: bytes) -> dict[str, Any]:
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body).decode("ascii")}


def _case(table: Mapping[str, Any], *, service: str, operation: str) -> StoredCase:
    request, response, provenance = table["request"], table.get("response", {}), table["provenance"]
    captured_at, origin = provenance.get("captured_at"), provenance.get("origin")
    if origin is None and "captured_from" not in provenance:
        raise ValueError("its provenance says neither captured_from nor origin")
    recording = Recording(
        id=table["id"],
        service=table.get("service", service),
        operation=table.get("operation", operation),
        **{key: table.get(key) for key in _OPTIONAL_TEXTS},
        request_headers=request.get("headers", {}),
        request_body=_bytes(request) or b"",
        status=response.get("status"),
        response_headers=response.get("headers", {}),
        response_body=_bytes(response),
        latency_s=response.get("latency_s"),
        request_id=response.get("request_id"),
        tokens=response.get("tokens", {}),
        provenance=Provenance(
            captured_at=None if captured_at is None else from_time(captured_at),
            captured_from=provenance.get("captured_from", ""),
            origin=None if origin is None else Origin(**origin),
            flags=tuple(provenance.get("flags", ())),
            redaction=provenance.get("redaction"),
            redacted=provenance.get("redacted", False),
            sha256=provenance.get("sha256", ""),
        ),
    )
    return StoredCase(
        recording=recording,
        cluster=table.get("cluster", ""),
        slices=table.get("slices", {}),
        expected=table.get("expected"),
        slices_only=table.get("slices_only", False),
        repeat_of=table.get("repeat_of"),
        duplicate_of=table.get("duplicate_of"),
    )


def _bytes(message: Mapping[str, Any]) -> bytes | None:
    if "body" in message and "body_base64" in message:
        raise ValueError("a message has either body or body_base64")
    if "body_base64" in message:
        return base64.b64decode(message["body_base64"], validate=True)
    text: str | None = message.get("body")
    return None if text is None else text.encode()


def _no_constant(name: str) -> Json:
    raise ValueError(f"{name} is not JSON")
