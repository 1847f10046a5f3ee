"""The short way through an import: from a plain record to its line, without a recording in between.

Taken by a record of which nothing is asked but to be kept, whose time is not wrong, and whose request is like no
earlier one by the gist that the codec tells, or which equals one that went the long way byte for byte. Both ways write
the same line; the long one takes some twenty times longer.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TypeVar

from msgspec import UNSET, UnsetType

from harness.core.protocols import Gists
from harness.recordings import gaps
from harness.recordings.lines import Line, Message, Place, StoredCase, Written, seal
from harness.recordings.manifest import to_time
from harness.recordings.plain import Plain
from harness.recordings.traffic import HEAD, Traffic, served
from harness.recordings.writer import Writer
from harness.run.links import Links
from harness.run.outcomes import rough_key
from harness.run.recorded import codec_of

_MOST = 10_000  # of whatever is remembered of records
_ASIDE = ""  # in place of a time: not for the short way
_T = TypeVar("_T")


class Quick:
    """Takes plain records of one service, one after the other."""

    def __init__(self, service: str, writer: Writer, links: Links, traffic: Traffic) -> None:
        self._writer = writer
        self._links = links
        self._traffic = traffic
        codec = codec_of(service)
        self._gist = codec.gist if isinstance(codec, Gists) else None
        self._path: str | None = None
        self._place = hashlib.sha256()
        self._times: dict[object, str | UnsetType] = {}
        self._kinds: Counter[tuple[tuple[str, ...], str, str | None, str | None]] = Counter()
        self._timeless = 0
        self._same: dict[bytes, tuple[str, bool]] = {}

    def take(self, plain: Plain) -> bool:
        """Write the record's case; False, and nothing done, where it has to go the long way."""
        request, response = plain.request, plain.response
        if isinstance(request, bytes) or isinstance(response, bytes) or plain.number:
            return False
        if plain.path != self._path:
            self._enter(plain.path)
        at = self._times.get(plain.time)
        if at is None:
            at = self._time(plain)
        if at == _ASIDE:
            return False
        gist = self._gist(plain.operation, plain.model, plain.request_type, request) if self._gist else None
        if gist is None or not self._links.add_new(
            rough_key(plain.service, plain.operation, plain.model, gist), *self._line(plain, request, response, at)
        ):
            same = self._same.get(_whole(plain)) if self._same else None
            if same is None:
                return False
            line, name = self._line(plain, request, response, at, same[0])
            self._links.add_duplicate(line, name, of=same[0], unread=same[1])
        if at is UNSET:
            self._timeless += 1
        said = served(response.encode()) if response is not None and '"model"' in response[:HEAD] else None
        self._kinds[plain.flags, plain.service, plain.model, said] += 1
        if len(self._kinds) >= _MOST:
            self.finish()
        return True

    def learn(self, plain: Plain, case: StoredCase, *, unread: bool) -> None:
        """A record that went the long way, and its case: the next one with the same bytes is its duplicate."""
        if len(self._same) >= _MOST:
            self._same.clear()
        self._same[_whole(plain)] = case.duplicate_of or case.id, unread

    def finish(self) -> None:
        """Tell the traffic what was counted."""
        for kind, calls in self._kinds.items():
            self._traffic.count(*kind, calls=calls)
        self._kinds.clear()
        if self._timeless:
            self._traffic.flags[gaps.NO_TIME] += self._timeless
            self._timeless = 0

    def _line(
        self, plain: Plain, request: str, response: str | None, at: str | UnsetType, duplicate_of: str | None = None
    ) -> tuple[bytes, str]:
        """The record's line and id. The id is `formats.case_id`."""
        place = self._place.copy()
        place.update(b"%d" % plain.index)
        name = f"{plain.format}-{place.hexdigest()[:16]}"
        line = Line(
            id=name,
            service=UNSET if plain.service == self._writer.service else plain.service,
            operation=UNSET if plain.operation == self._writer.operation else plain.operation,
            model=_said(plain.model),
            region=_said(plain.region),
            request=Message(headers={"content-type": plain.request_type}, body=request),
            response=_response(plain, response),
            duplicate_of=_said(duplicate_of),
            provenance=Written(
                captured_at=at, origin=Place(plain.format, plain.path, plain.index, plain.line), flags=plain.flags
            ),
        )
        return seal(line), name

    def _enter(self, path: str) -> None:
        """Another file: ids are of a file, and whether a time is right."""
        self._path = path
        self._place = hashlib.sha256(f"{path}\0".encode("utf-8", "surrogateescape"))
        self._times.clear()

    def _time(self, plain: Plain) -> str | UnsetType:
        """A time as it is stored; _ASIDE where it cannot be right, or where UTF-8 cannot say the path of its file."""
        if len(self._times) >= _MOST:
            self._times.clear()
        at = plain.at
        if self._traffic.skewed(at, plain.path) or not plain.path.isprintable():
            shown: str | UnsetType = _ASIDE
        elif at is None:
            shown = UNSET
        else:
            shown = to_time(at)
            self._traffic.seen(at)
        self._times[plain.time] = shown
        return shown


def _whole(plain: Plain) -> bytes:
    """Equal for records of which nothing differs that says what was asked and answered."""
    kind = (plain.service, plain.operation, plain.model, plain.request_type, plain.status)
    headers = sorted(plain.response_headers.items())
    parts = repr((kind, headers, plain.response is None, len(plain.request))), plain.request, plain.response or ""
    return hashlib.blake2b("".join(map(str, parts)).encode(), digest_size=16).digest()


def _response(plain: Plain, body: str | None) -> Message | UnsetType:
    if plain.status is None and body is None and plain.request_id is None and not plain.tokens:
        return UNSET
    return Message(
        status=_said(plain.status),
        headers=plain.response_headers,
        body=_said(body),
        request_id=_said(plain.request_id),
        tokens=plain.tokens,
    )


def _said(value: _T | None) -> _T | UnsetType:
    return UNSET if value is None else value
