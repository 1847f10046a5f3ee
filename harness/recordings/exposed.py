"""What a stored case still shows: each place in it where a detector finds something, never the value."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from harness.recordings import detectors
from harness.recordings.lines import StoredCase

_Text: TypeAlias = tuple[str, str, str]  # place, text, name of the text


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """case: its id. place: "request.messages[0].content", "slices.region", ... kind: of `detectors.KINDS`."""

    case: str
    place: str
    kind: str


def exposures(case: StoredCase, *, off: frozenset[str] = frozenset()) -> Iterator[Exposure]:
    """Every place of a case where something is found, in the order of the case; one a place and kind."""
    made = _made_up(case)
    name = "(an id that shows something)" if not made and _kinds(case.id, off) else case.id
    for place, text, called in _texts(case):
        if made and text == case.id:
            continue
        secret = ["secret"] if "secret" not in off and detectors.is_secret(called, text) else []
        for kind in dict.fromkeys([*secret, *_kinds(text, off)]):
            yield Exposure(case=name, place=place, kind=kind)


def _made_up(case: StoredCase) -> bool:
    """Whether the id is the hash that an import gives (`run.quick`). Some 1 in 1,500 of those look like an IBAN."""
    origin = case.recording.provenance.origin
    if origin is None:
        return False
    whole = f"{origin.path}\0{origin.index}".encode("utf-8", "surrogateescape")
    return case.id == f"{origin.format}-{hashlib.sha256(whole).hexdigest()[:16]}"


def _kinds(text: str, off: frozenset[str]) -> list[str]:
    found: list[str] = []

    def put(kind: str, _: str) -> str:
        found.append(kind)
        return f"[{kind}]"

    detectors.scrub(text, put, off=off)
    return found


def _texts(case: StoredCase) -> Iterator[_Text]:
    recording = case.recording
    origin = recording.provenance.origin
    yield from (
        (place, text, "")
        for place, text in (
            ("id", case.id),
            ("cluster", case.cluster),
            ("model", recording.model),
            ("region", recording.region),
            ("url", recording.url),
            ("request_id", recording.request_id),
            ("provenance", recording.provenance.captured_from),
            ("provenance.path", None if origin is None else origin.path),
        )
        if text
    )
    for name, headers in (("request", recording.request_headers), ("response", recording.response_headers)):
        yield from _walk(f"{name}.headers", headers)
    yield from _body("request", recording.request_body, recording.request_headers)
    if recording.response_body is not None:
        yield from _body("response", recording.response_body, recording.response_headers)
    yield from _walk("slices", case.slices)
    yield from _walk("expected", case.expected)


def _body(place: str, body: bytes, headers: Mapping[str, str]) -> Iterator[_Text]:
    """The texts of a body. Numbers are no texts; bytes that are no text are looked at as far as they are ASCII."""
    text = body.decode("utf-8", "replace")
    if headers.get("content-type", "").startswith("text/csv"):
        yield from (
            (f"{place}, cell {number}", cell, "") for number, cell in enumerate(text.split(",")) if not _number(cell)
        )
        return
    try:
        yield from _walk(place, json.loads(text))
    except (ValueError, RecursionError):
        yield place, text, ""


def _walk(place: str, value: Any, name: str = "") -> Iterator[_Text]:
    """name: the key that the value, or the list it is in, stands under."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield f"{place}, a key", str(key), ""
            yield from _walk(f"{place}.{key}" if str(key).isidentifier() else f"{place}[...]", inner, str(key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _walk(f"{place}[{index}]", inner, name)
    elif isinstance(value, str):
        yield place, value, name
        if hidden := from_base64(value):
            yield f"{place}, decoded from base64", hidden, ""


def from_base64(text: str) -> str | None:
    """The text inside base64; None where it is none or holds other bytes."""
    if not 24 <= len(text) <= 1_000_000 or len(text) % 4 or any(letter.isspace() for letter in text[:80]):
        return None
    try:
        return base64.b64decode(text, validate=True).decode("utf-8")
    except ValueError:
        return None


def _number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return not cell.strip()
    return True
