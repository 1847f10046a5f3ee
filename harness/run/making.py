"""From a record to the line of its case, without a look at any other record: what may be done anywhere, in any order.

A record that is asked nothing but to be kept, and whose request the codec has a gist of, goes a short way; both ways
write the same line, and the long one takes some twenty times longer.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import cast

import numpy as np
from numpy.typing import NDArray

from harness.core.case import Json, Origin
from harness.errors import GoldenError
from harness.recordings import gaps
from harness.recordings.blocks import Block
from harness.recordings.formats import Format, Found, Log, LogFile, Record, Skip
from harness.recordings.lines import StoredCase, encode
from harness.recordings.plain import BlockFormat, Plain
from harness.recordings.privacy import Foreseeing, Redactor, redacted, streamed
from harness.recordings.traffic import Traffic
from harness.run.outcomes import answered, asked, gist_of, rough_key
from harness.run.quick import Quick


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What is asked of an import besides the log.

    cluster, slices: ask a record's document; None where it says nothing. labels: name -> truth. whole: the log holds
    all of the traffic, though logs of its kind may be samples.
    """

    cluster: Callable[[Json], str | None] | None = None
    slices: Mapping[str, Callable[[Json], str | None]] = field(default_factory=dict)
    labels: Mapping[str, Json] = field(default_factory=dict)
    redactor: Redactor | None = None
    whole: bool = False
    zstd: bool = False
    licence: str = "not stated"
    description: str = ""
    source: str = ""

    @property
    def plain(self) -> bool:
        """Whether a record is asked nothing but to be kept."""
        return not (self.cluster or self.slices or self.labels)


@dataclass(slots=True)
class Lines:
    """Of each case its line, the hash of its id, and its rough key."""

    lines: list[bytes] = field(default_factory=list)
    names: list[int] = field(default_factory=list)
    rough: list[int] = field(default_factory=list)

    def add(self, line: bytes, name: str, rough: int) -> None:
        self.lines.append(line)
        self.names.append(hash(name))
        self.rough.append(rough)


@dataclass(slots=True)
class Made:
    """What came of some records of a log, in their order.

    text: the lines of their n cases. lengths, names, rough: as in `Lines`, shape (n,). rejects: lines of the rejects
    file. refused: calls that the service answered with a failure. labelled: cases with a truth. unread: cases whose
    request no codec reads.
    """

    traffic: Traffic
    text: bytes = b""
    lengths: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, dtype=np.uint64))
    names: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    rough: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    rejects: list[str] = field(default_factory=list)
    records: int = 0
    refused: int = 0
    labelled: int = 0
    unclustered: int = 0
    unread: int = 0
    without_request: int = 0
    skipped: Counter[str] = field(default_factory=Counter)


COUNTS = ("records", "refused", "labelled", "unclustered", "unread", "without_request")


class Maker:
    """Makes lines of one import. at: when it is made."""

    def __init__(self, form: Format, log: Log, options: Options, at: datetime) -> None:
        self._form = form
        self._log = log
        self._options = options
        self._at = at
        by = options.redactor
        self._by = by if isinstance(by, Foreseeing) else None
        quick = options.plain and isinstance(form, BlockFormat)
        redaction = None if by is None else ", ".join(by.rules)
        usable = quick and (by is None or self._by is not None)
        self._quick = Quick(form.service, form.operation, redaction=redaction) if usable else None
        self._made = Made(Traffic(at))
        self._lines = Lines()

    def away(self) -> None:
        """It is used in a child process from now on, where no store can be reached."""
        if getattr(self._log, "remote", False):
            self._log = _Unreachable()

    def made(self) -> Made:
        """What was made since the last call."""
        if self._quick is not None:
            self._quick.tell(self._made.traffic)
        made, self._made = self._made, Made(Traffic(self._at))
        lines, self._lines = self._lines, Lines()
        made.text = b"".join(lines.lines)
        made.lengths = np.fromiter(map(len, lines.lines), dtype=np.uint64, count=len(lines.lines))
        made.names, made.rough = np.array(lines.names, dtype=np.int64), np.array(lines.rough, dtype=np.int64)
        return made

    def block(self, file: LogFile, block: Block) -> None:
        """Take the records of some lines of a file."""
        form, quick = cast(BlockFormat, self._form), self._quick
        if quick is None or not block.dense or block.content is None:
            for line in block.lines():
                for found in form.found(self._log, file, line):
                    self.take(found)
            return
        lines = block.content.removesuffix(b"\n").split(b"\n")
        clear = None if self._by is None else self._clear(self._by, file.path, lines)
        for line, kind in quick.block(file.path, block, lines, form.usual, clear, self._made, self._lines):
            for found in form.found(self._log, file, line):
                if self.take(found) and kind is not None and isinstance(found, Plain):
                    quick.learn(kind, found)

    def _clear(self, by: Foreseeing, path: str, lines: list[bytes]) -> list[bool]:
        """Of each line whether redaction changes nothing of its record."""
        return by.untouched_lines(lines) if by.untouched(path) else [False] * len(lines)

    def take(self, found: Plain | Found) -> bool:
        """One record: a case, or counted where it is none, and written down where it could not be read.

        Returns whether it went the short way.
        """
        made, quick = self._made, False
        made.records += 1
        if isinstance(found, Plain):
            quick = self._quick is not None and self._untouched(found) and self._quick.take(found, made, self._lines)
            if quick:
                made.refused += found.failed or (found.status is not None and found.status >= 400)
            else:
                self._take(found.record())
        elif isinstance(found, Record):
            self._take(found)
        elif isinstance(found, Skip):
            made.skipped[found.why] += 1
            made.without_request += found.no_request
        else:
            self._reject(found.origin, found.reason)
        return quick

    def _untouched(self, plain: Plain) -> bool:
        """Whether redaction, if any, changes nothing of a record; a streamed answer it has to see as a whole."""
        by, answer = self._by, plain.response
        if by is None:
            return True
        kind = plain.response_headers.get("content-type", "").partition(";")[0].strip().lower()
        if "Stream" in plain.operation or kind not in ("", "text/csv", "application/json"):
            return False
        said = (plain.path, plain.model, plain.region, plain.request_id, plain.request_type, plain.request, answer)
        return all(by.untouched(text) for text in (*said, *plain.response_headers.values()) if text is not None)

    def _reject(self, origin: Origin, reason: str) -> None:
        by = self._options.redactor
        path = origin.path if by is None else by.redact(origin.path)
        table = {"path": path, "index": origin.index, "line": origin.line, "reason": reason}
        self._made.rejects.append(json.dumps(table) + "\n")

    def _take(self, record: Record) -> None:
        """One call the long way: flagged, redacted and written; rejected where it cannot be."""
        made = self._made
        case = self._case(record)
        if (by := self._options.redactor) is not None:
            case = redacted_whole(case, by)
        try:
            line = encode(case, service=self._form.service, operation=self._form.operation)
        except GoldenError:  # half a surrogate pair in a text, say: its message would show some of it
            origin = record.recording.provenance.origin or Origin(format="", path="", index=0)
            self._reject(origin, "a text that UTF-8 cannot say")
            return
        recording = case.recording
        neutral = asked(recording)
        made.unread += neutral is None
        gist = gist_of(recording, neutral)
        rough = rough_key(recording.service, recording.operation, recording.model, gist)
        self._lines.add(line, case.id, rough)
        made.traffic.add(recording)
        made.refused += record.failed or (recording.status is not None and recording.status >= 400)

    def _case(self, record: Record) -> StoredCase:
        options, recording, made = self._options, record.recording, self._made
        flags, origin = recording.provenance.flags, recording.provenance.origin
        skewed = made.traffic.skewed(recording.provenance.captured_at, None if origin is None else origin.path)
        if skewed and gaps.CLOCK_SKEW not in flags:
            provenance = replace(recording.provenance, flags=tuple(sorted((*flags, gaps.CLOCK_SKEW))))
            recording = replace(recording, provenance=provenance)
        document = record.document() if options.cluster or options.slices else None
        cluster = record.cluster if options.cluster is None else options.cluster(document)
        made.unclustered += options.cluster is not None and cluster is None
        said = {name: ask(document) for name, ask in options.slices.items()}
        expected = next((options.labels[name] for name in record.labels if name in options.labels), record.expected)
        made.labelled += expected is not None
        return StoredCase(
            recording=recording,
            cluster=cluster or "",
            slices={**record.slices, **{name: value for name, value in said.items() if value is not None}},
            expected=expected,
        )


class _Unreachable:
    """A log of which no other file can be found."""

    def __iter__(self) -> Iterator[LogFile]:
        raise RuntimeError("the log is read by the parent")

    def find(self, uri: str, *, beside: str) -> LogFile | None:  # noqa: ARG002
        raise RuntimeError("the store is asked by the parent")


def redacted_whole(case: StoredCase, by: Redactor) -> StoredCase:
    """Redacted; a streamed answer of which anything would be, or that cannot be read, is left out and says so."""
    changed = redacted(case, by)
    recording = case.recording
    if recording.response_body is None or not streamed(recording):
        return changed
    outcome = answered(recording)
    text = json.dumps(outcome, ensure_ascii=False)
    lost = outcome is None or outcome["kind"] == "failure" or by.redact(text) != text
    body = None if lost or changed.recording.response_body != recording.response_body else recording.response_body
    provenance = changed.recording.provenance
    if body is None:
        provenance = replace(provenance, flags=tuple(sorted({*provenance.flags, gaps.NO_ANSWER, gaps.REDACTED})))
    return replace(changed, recording=replace(changed.recording, response_body=body, provenance=provenance))
