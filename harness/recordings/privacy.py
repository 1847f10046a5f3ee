"""Redaction of a case before it touches disk: where rules are applied. What they find is `pseudonyms`' to say.

A redactor changes texts. Bodies that are JSON are walked and their texts changed, numbers never; of CSV the cells that
are numbers stay. A text that is base64 of a text is looked into. A body that is neither is text as a whole, in whatever
encoding where its type says text, or bytes, which stay as they are. An answer that came in
pieces cannot be changed piece by piece, because what is to be found may lie across two: `streamed` tells.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from harness.core.case import Json, Recording
from harness.errors import ConfigError
from harness.recordings import gaps
from harness.recordings.exposed import from_base64
from harness.recordings.lines import StoredCase
from harness.recordings.pseudonyms import Pseudonyms

_CREDENTIALS = frozenset(("authorization", "proxy-authorization", "cookie", "set-cookie"))
_STREAMS = ("application/vnd.amazon.eventstream", "text/event-stream")


class Redactor(Protocol):
    """rules: name and version of each rule, as the manifest keeps them. side: "request" or "response"."""

    @property
    def rules(self) -> tuple[str, ...]: ...

    def redact(self, text: str) -> str:
        """The text without what the rules find; the same text where they find nothing."""
        ...

    def picked(self, value: Json, side: str) -> Json:
        """A JSON body without what the rules name by its place."""
        ...

    def cell(self, text: str, column: int, side: str) -> str | None:
        """What stands for a CSV cell that a rule names by its column, counted from 0; None for any other."""
        ...


@runtime_checkable
class Foreseeing(Redactor, Protocol):
    """A redactor that can tell beforehand that it would change nothing, and what a name says of a text."""

    def untouched(self, text: str | bytes) -> bool:
        """True only where nothing would change in the text, nor in whatever it wraps: JSON, CSV, base64. It may be a
        line of a log; bodies that a format decodes, and answers in pieces, are asked for by themselves.
        """
        ...

    def untouched_lines(self, lines: Sequence[bytes]) -> list[bool]:
        """The same of each."""
        ...

    def named(self, name: str, text: str) -> str | None:
        """What stands for a text that is to go because of its name, a key of JSON or a header; None for any other."""
        ...


def redactor(word: str) -> Redactor | None:
    """The redactor of `--redact`: None for "none", the detectors for "default", else the rules of a file.

    Raises ConfigError for a file that is not there or says what no rule can.
    """
    if word == "none":
        return None
    if word == "default":
        return Pseudonyms()
    if not Path(word).is_file():
        raise ConfigError(f'--redact is "none", "default" or a file of rules; there is no file "{word}".')
    return Pseudonyms.from_file(Path(word))


def redacted(case: StoredCase, by: Redactor) -> StoredCase:
    """The case as it may be stored. Where the request was altered it says so."""
    recording = case.recording
    request = _body(recording.request_body, recording.request_headers, by, "request")
    response = recording.response_body
    flags = set(recording.provenance.flags)
    if request != recording.request_body:
        flags.add(gaps.REDACTED)
    provenance = replace(
        recording.provenance,
        captured_from=by.redact(recording.provenance.captured_from),
        origin=_origin(recording, by),
        flags=tuple(sorted(flags)),
        redaction=", ".join(by.rules),
        redacted=recording.provenance.redacted or request != recording.request_body,  # by a tap, before
    )
    return replace(
        case,
        recording=replace(
            recording,
            model=_maybe(recording.model, by),
            region=_maybe(recording.region, by),
            url=_maybe(recording.url, by),
            request_id=_maybe(recording.request_id, by),
            request_headers=_headers(recording.request_headers, by),
            request_body=request,
            response_headers=_headers(recording.response_headers, by),
            response_body=None if response is None else _body(response, recording.response_headers, by, "response"),
            provenance=provenance,
        ),
        cluster=case.cluster if case.cluster == recording.id else by.redact(case.cluster),
        slices=_texts(case.slices, by),
        expected=_walk(case.expected, by),
    )


def streamed(recording: Recording) -> bool:
    """Whether the recorded answer is one in pieces."""
    kind = _kind(recording.response_headers)
    return kind in _STREAMS or ("Stream" in recording.operation and (recording.response_body or b"")[:1] == b"[")


def _maybe(text: str | None, by: Redactor) -> str | None:
    return None if text is None else by.redact(text)


def _origin(recording: Recording, by: Redactor) -> Any:
    origin = recording.provenance.origin
    return None if origin is None else replace(origin, path=by.redact(origin.path))


def _texts(texts: Mapping[str, str], by: Redactor) -> dict[str, str]:
    return {name: by.redact(text) for name, text in texts.items()}


def _headers(headers: Mapping[str, str], by: Redactor) -> dict[str, str]:
    return {name: _header(name, text, by) for name, text in headers.items()}


def _header(name: str, text: str, by: Redactor) -> str:
    if (put := _named(name, text, by)) is not None:
        return put
    changed = by.redact(text)
    if changed == text and name.lower() in _CREDENTIALS:
        return _named("secret", text, by) or text
    return changed


def _kind(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _untouched(body: bytes, by: Redactor) -> bool:
    ask = getattr(by, "untouched", None)  # of `Foreseeing`; isinstance takes longer than the answer
    return ask is not None and ask(body)


def _body(body: bytes, headers: Mapping[str, str], by: Redactor, side: str) -> bytes:
    if _untouched(body, by):
        return body
    textual = _kind(headers).startswith("text/") or "json" in _kind(headers)
    if textual and (wide := _wide(body)) is not None:
        text = body.decode(wide)
        changed = by.redact(text)
        return body if changed == text else changed.encode(wide)
    try:
        text = body.decode()
    except UnicodeDecodeError:
        if not textual:
            return body
        return by.redact(body.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
    if _kind(headers) == "text/csv":
        return "".join(_cells(line, by, side) for line in text.splitlines(keepends=True)).encode()
    doubled = _Doubled()
    try:
        value = json.loads(text, object_pairs_hook=doubled.table)
    except (ValueError, RecursionError):
        return by.redact(text).encode()
    kept = _walk(by.picked(value, side), by)
    if kept == value and not doubled.found:
        return body
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode()


def _wide(body: bytes) -> str | None:
    """UTF-16 or UTF-32, where a body is a text of it (RFC 4627, section 3)."""
    found = json.detect_encoding(body)
    if found.startswith("utf-8"):
        return None
    try:
        body.decode(found)
    except UnicodeDecodeError:
        return None
    return found


class _Doubled:
    """Notes objects that have a key twice: what the first one holds is in the bytes, and in no value."""

    found = False

    def table(self, pairs: list[tuple[str, Json]]) -> dict[str, Json]:
        table = dict(pairs)
        self.found |= len(table) < len(pairs)
        return table


def _cells(line: str, by: Redactor, side: str) -> str:
    """A line of CSV, cell by cell; a number goes only where a rule names its column."""
    end = line[len(line.rstrip("\r\n")) :]
    cells = line[: len(line) - len(end)].split(",")
    named = [by.cell(cell, column, side) for column, cell in enumerate(cells)]
    if all(cell is None for cell in named) and all(_number(cell.strip()) for cell in cells):
        return line
    return (
        ",".join(
            put if put is not None else cell if _number(cell.strip()) else by.redact(cell)
            for put, cell in zip(named, cells, strict=True)
        )
        + end
    )


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return not text
    return True


def _walk(value: Json, by: Redactor, name: str = "") -> Json:
    """name: the key that the value, or the list it is in, stands under."""
    if isinstance(value, str):
        if name and (put := _named(name, value, by)) is not None:
            return put
        hidden = from_base64(value)
        if hidden is not None and (shown := by.redact(hidden)) != hidden:
            return base64.b64encode(shown.encode()).decode()
        return by.redact(value)
    if isinstance(value, list):
        return [_walk(inner, by, name) for inner in value]
    if isinstance(value, dict):
        return {by.redact(key): _walk(inner, by, key) for key, inner in value.items()}
    return value


def _named(name: str, value: str, by: Redactor) -> str | None:
    ask = getattr(by, "named", None)  # of `Foreseeing`
    put: str | None = None if ask is None else ask(name, value)
    return put
