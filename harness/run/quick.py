"""The short way from a record to its line, without a recording in between.

Taken by a record of which nothing is asked but to be kept, whose time is not wrong, and whose request the codec has a
gist of. The shortest way fills a record in between the parts of the line of one like it.
"""

from __future__ import annotations

import hashlib
import zlib
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from msgspec import UNSET, UnsetType

from harness.core.protocols import Gists
from harness.recordings import gaps
from harness.recordings.blocks import BLANK, Block
from harness.recordings.blocks import Line as Read
from harness.recordings.lines import Line, Message, Place, Written, seal
from harness.recordings.manifest import to_time
from harness.recordings.plain import Plain, Usual
from harness.recordings.shapes import Shape, shape_of
from harness.recordings.traffic import HEAD, Traffic, served
from harness.run.outcomes import rough_key
from harness.run.recorded import codec_of

if TYPE_CHECKING:
    from harness.run.making import Lines, Made

_MOST = 10_000  # of whatever is remembered of records
_ASIDE = ""  # in place of a time: not for the short way
_T = TypeVar("_T")


class Quick:
    """Takes records of a log, one file after the other.

    service, operation: of cases that do not name their own. redaction: the rules that changed nothing in the records.
    """

    def __init__(self, service: str, operation: str, *, redaction: str | None = None) -> None:
        self._redaction = redaction
        self._service, self._operation = service, operation
        codec = codec_of(service)
        self._gist = codec.gist if isinstance(codec, Gists) else None
        self._path: str | None = None
        self._place = b""
        self._times: dict[object, str | UnsetType] = {}
        self._shapes: dict[Hashable, Shape] = {}
        self._kinds: Counter[tuple[tuple[str, ...], str, str | None, str | None]] = Counter()
        self._traffic: Traffic | None = None
        self._timeless = 0

    def block(
        self,
        path: str,
        block: Block,
        lines: Sequence[bytes],
        usual: Callable[[bytes], Usual | None],
        clear: Sequence[bool] | None,
        made: Made,
        into: Lines,
    ) -> Iterator[tuple[Read, Hashable | None]]:
        """Take the lines of a block that are like one before; the others are handed out, each with its kind where it
        is of the usual form, to be taken before the next. The block is dense. clear: which lines may be taken.
        """
        self._enter(path, made.traffic)
        gist_of, shapes, times, service, place = self._gist, self._shapes, self._times, self._service, self._place
        add_line, add_name, add_rough = into.lines.append, into.names.append, into.rough.append
        crc32, sha256 = zlib.crc32, hashlib.sha256
        for index, line in enumerate(lines, start=block.index):
            kind: Hashable | None = None
            may = clear is None or clear[index - block.index]
            if may and gist_of is not None and (found := usual(line)) is not None:
                kind, request, request_text, response, response_text, request_id, time, tokens = found
                shape, at = shapes.get(kind), times.get(time)
                if shape is not None and at and isinstance(at, str):
                    gist = gist_of(shape.operation, shape.model, shape.request_type, request)
                    if gist is not None:
                        name = f"{shape.prefix}{sha256(b'%b%d' % (place, index)).hexdigest()[:16]}"
                        a, b, c, d, e, f, g, h = shape.pieces
                        number = index - block.index + block.number
                        text = (
                            f"{a}{name}{b}{request_text}{c}{response_text}{d}{request_id}{e}{tokens}{f}{at}{g}{index}"
                            f"{h}{number}{shape.end}"
                        ).encode()
                        add_line(b'%b,"crc32":"%08x"}\n' % (text, crc32(text)))
                        add_name(hash(name))
                        add_rough(hash((service, shape.operation, shape.model, gist)))
                        made.records += 1
                        if '"model"' in response[:HEAD]:
                            self._count(shape.flags, service, shape.model, response)
                        else:
                            shape.calls += 1
                        continue
            yield Read(index, index - block.index + block.number, line.strip(BLANK)), kind

    def learn(self, kind: Hashable, plain: Plain) -> None:
        """A record of the usual form that was not taken by its shape: the next ones of its kind may be."""
        at = self._times.get(plain.time)
        response = plain.response
        if not at or kind in self._shapes or not isinstance(response, str) or not isinstance(plain.request, str):
            return
        if plain.path != self._path or plain.status is None or plain.status >= 400 or plain.number or plain.failed:
            return
        if len(self._shapes) >= _MOST:
            self._told()
            self._shapes.clear()
        line, _ = self._line(plain, plain.request, response, at)
        shape = shape_of(
            line, operation=plain.operation, model=plain.model, prefix=f"{plain.format}-", flags=plain.flags
        )
        if shape is not None:
            self._shapes[kind] = shape

    def take(self, plain: Plain, made: Made, into: Lines) -> bool:
        """Make the record's line; False, and nothing done, where it has to go the long way."""
        request, response = plain.request, plain.response
        if isinstance(request, bytes) or isinstance(response, bytes) or plain.number or self._gist is None:
            return False
        self._enter(plain.path, made.traffic)
        at = self._times.get(plain.time)
        if at is None:
            at = self._time(plain, made.traffic)
        if at == _ASIDE:
            return False
        gist = self._gist(plain.operation, plain.model, plain.request_type, request)
        if gist is None:
            return False
        line, name = self._line(plain, request, response, at)
        into.add(seal(line), name, rough_key(plain.service, plain.operation, plain.model, gist))
        if at is UNSET:
            self._timeless += 1
        self._count(plain.flags, plain.service, plain.model, response)
        return True

    def _count(self, flags: tuple[str, ...], service: str, model: str | None, response: str | None) -> None:
        said = served(response.encode()) if response is not None and '"model"' in response[:HEAD] else None
        self._kinds[flags, service, model, said] += 1

    def tell(self, traffic: Traffic) -> None:
        """Tell the traffic what was counted since it was told last."""
        self._told()
        for kind, calls in self._kinds.items():
            traffic.count(*kind, calls=calls)
        self._kinds.clear()
        if self._timeless:
            traffic.flags[gaps.NO_TIME] += self._timeless
            self._timeless = 0

    def _told(self) -> None:
        """Count the calls of each shape."""
        for shape in self._shapes.values():
            if shape.calls:
                self._kinds[shape.flags, self._service, shape.model, None] += shape.calls
                shape.calls = 0

    def _line(self, plain: Plain, request: str, response: str | None, at: str | UnsetType) -> tuple[Line, str]:
        """The record's line and id. The id is `formats.case_id`."""
        name = f"{plain.format}-{hashlib.sha256(b'%b%d' % (self._place, plain.index)).hexdigest()[:16]}"
        line = Line(
            id=name,
            service=UNSET if plain.service == self._service else plain.service,
            operation=UNSET if plain.operation == self._operation else plain.operation,
            model=_said(plain.model),
            region=_said(plain.region),
            request=Message(headers={"content-type": plain.request_type}, body=request),
            response=_response(plain, response),
            provenance=Written(
                captured_at=at,
                origin=Place(plain.format, plain.path, plain.index, plain.line),
                flags=plain.flags,
                redaction=_said(self._redaction),
            ),
        )
        return line, name

    def _enter(self, path: str, traffic: Traffic) -> None:
        """Another file: ids are of a file, and whether a time is right. Another traffic has seen no times."""
        if path != self._path:
            self._told()
            self._shapes.clear()
            self._path = path
            self._place = f"{path}\0".encode("utf-8", "surrogateescape")
            self._times.clear()
        if traffic is not self._traffic:
            self._traffic = traffic
            self._times.clear()

    def _time(self, plain: Plain, traffic: Traffic) -> str | UnsetType:
        """A time as it is stored; _ASIDE where it cannot be right, or where UTF-8 cannot say the path of its file."""
        if len(self._times) >= _MOST:
            self._times.clear()
        at = plain.at
        if traffic.skewed(at, plain.path) or not plain.path.isprintable():
            shown: str | UnsetType = _ASIDE
        elif at is None:
            shown = UNSET
        else:
            shown = to_time(at)
            traffic.seen(at)
        self._times[plain.time] = shown
        return shown


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
