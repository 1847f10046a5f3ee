"""From a log to a golden set: read by a format, redacted, linked to earlier calls of the same request, written.

One record is in memory at a time. What grows with the number of records is some 50 bytes each: for finding requests
that came before, and then for proving the set.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from harness.core.case import Json, Origin
from harness.errors import ConfigError, GoldenError
from harness.recordings import gaps
from harness.recordings.formats import Format, Found, Log, Record, Skip
from harness.recordings.gaps import Gap
from harness.recordings.lines import StoredCase
from harness.recordings.manifest import Imported, Manifest
from harness.recordings.manifest import read as read_manifest
from harness.recordings.plain import Plain, PlainFormat
from harness.recordings.privacy import Redactor, redacted, streamed
from harness.recordings.traffic import Traffic
from harness.recordings.writer import MANIFEST, Writer, vacant
from harness.run.links import Links
from harness.run.outcomes import answered
from harness.run.quick import Quick

REJECTS = "rejects.jsonl"
_EVERY = 10_000


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What came of an import. refused: calls that the service answered with a failure. labelled: cases with a truth."""

    manifest: Manifest
    files: int
    refused: int
    labelled: int
    clusters_unknown: int
    rejects: Path | None

    def document(self) -> dict[str, Any]:
        """As `--json` prints it."""
        made = self.manifest
        imported = made.imported or Imported(format="", records=0)
        return {
            "name": made.name,
            "format": imported.format,
            "files": self.files,
            "records": imported.records,
            "cases": made.cases,
            "primaries": made.primaries,
            "repeats": made.repeats,
            "duplicates": made.duplicates,
            "refused": self.refused,
            "labelled": self.labelled,
            "clusters_unknown": self.clusters_unknown,
            "rejected": imported.rejected,
            "skipped": dict(imported.skipped),
            "gaps": [{"kind": gap.kind, "count": gap.count, "note": gap.note} for gap in made.gaps],
            "redaction": None if made.redaction is None else list(made.redaction),
            "sampled": made.sampled,
            "truncated": made.truncated,
            "captured": [moment.isoformat() for moment in made.captured] if made.captured else None,
            "sha256": made.sha256,
            "rejects": None if self.rejects is None else self.rejects.name,
        }


def utc_now() -> datetime:
    return datetime.now(UTC)


def run(
    form: Format,
    log: Log,
    into: Path,
    options: Options,
    *,
    now: Callable[[], datetime] = utc_now,
    progress: Callable[[int], None] = lambda _records: None,
) -> Summary:
    """Write the golden set, and `rejects.jsonl` beside it where there are any; an older import into that folder is
    replaced.

    Raises ConfigError and GoldenError, also for a set of that folder that was recorded, sampled, split or merged; the
    older set is then as it was.
    """
    if (into / MANIFEST).exists() and read_manifest(into / MANIFEST).imported is None:
        vacant(into)
    at = now().replace(microsecond=0)
    with Writer(into, service=form.service, operation=form.operation) as writer:
        work = _Import(writer, options, at)
        part = into / f"{REJECTS}.part"
        try:
            with part.open("w", encoding="utf-8") as rejects:
                for found in work.read(form, work.watched(log)):
                    work.take(found, rejects)
                    if work.records % _EVERY == 0:
                        progress(work.records)
            words = work.words(form, into.name, at)
            work.forget()  # proving the set needs the room
            made = writer.finish(words, zstd=options.zstd)
            kept = into / REJECTS
            kept.unlink(missing_ok=True)
            if work.rejected:
                part.replace(kept)
        finally:
            part.unlink(missing_ok=True)
    return Summary(
        manifest=made,
        files=work.files,
        refused=work.refused,
        labelled=work.labelled,
        clusters_unknown=work.unclustered,
        rejects=kept if work.rejected else None,
    )


class _Import:
    """What an import knows while it goes on."""

    def __init__(self, writer: Writer, options: Options, at: datetime) -> None:
        self._writer = writer
        self._options = options
        self._links = Links(writer)
        self._traffic = Traffic(at)
        self._quick: Quick | None = None
        self.files = self.records = self.rejected = self.refused = self.labelled = self.unclustered = 0
        self._without_request = 0
        self._skipped: Counter[str] = Counter()

    def watched(self, log: Log) -> Log:
        return _Watched(log, self)

    def read(self, form: Format, log: Log) -> Iterator[Plain | Found]:
        """What a format finds, plain where the short way may do."""
        options = self._options
        if not isinstance(form, PlainFormat) or options.cluster or options.slices or options.labels or options.redactor:
            return form.read(log)
        self._quick = Quick(form.service, self._writer, self._links, self._traffic)
        return form.plain(log)

    def take(self, found: Plain | Found, rejects: TextIO) -> None:
        """One record: a case, or counted where it is none, and written down where it could not be read."""
        self.records += 1
        if isinstance(found, Plain):
            self._take_plain(found, rejects)
        elif isinstance(found, Record):
            self._take(found, rejects)
        elif isinstance(found, Skip):
            self._skipped[found.why] += 1
            self._without_request += found.no_request
        else:
            self._reject(found.origin, found.reason, rejects)

    def _reject(self, origin: Origin, reason: str, rejects: TextIO) -> None:
        self.rejected += 1
        by = self._options.redactor
        path = origin.path if by is None else by.redact(origin.path)
        table = {"path": path, "index": origin.index, "line": origin.line, "reason": reason}
        rejects.write(json.dumps(table) + "\n")

    def _take_plain(self, plain: Plain, rejects: TextIO) -> None:
        """The short way where it leads to the end, else the long one."""
        if (quick := self._quick) is None:
            self._take(plain.record(), rejects)
            return
        if quick.take(plain):
            self.refused += plain.status is not None and plain.status >= 400
            return
        unread = self._links.unread
        case = self._take(plain.record(), rejects)
        if case is not None:
            quick.learn(plain, case, unread=self._links.unread > unread)

    def _take(self, record: Record, rejects: TextIO) -> StoredCase | None:
        """One call: flagged, redacted, linked and written; None where it cannot be."""
        case = self._case(record)
        if (by := self._options.redactor) is not None:
            case = redacted_whole(case, by)
        try:
            case = self._links.add(case)
        except GoldenError:  # half a surrogate pair in a text, say: its message would show some of it
            origin = record.recording.provenance.origin or Origin(format="", path="", index=0)
            self._reject(origin, "a text that UTF-8 cannot say", rejects)
            return None
        self._traffic.add(case.recording)
        status = case.recording.status
        self.refused += record.failed or (status is not None and status >= 400)
        return case

    def forget(self) -> None:
        """Let go of what linked the cases; nothing is taken afterwards."""
        del self._links, self._quick

    def words(self, form: Format, name: str, at: datetime) -> dict[str, Any]:
        """What the manifest says."""
        if self._quick is not None:
            self._quick.finish()
        options, traffic = self._options, self._traffic
        sampled = form.sampled and not options.whole
        cases = self.records - self.rejected - sum(self._skipped.values())
        first, last = traffic.first, traffic.last
        return {
            "name": name,
            "description": options.description or f"Recorded calls, imported from a log of the format {form.name}.",
            "licence": options.licence,
            "source": options.source or f"a log of the format {form.name}",
            "split": "every call of the log",
            "created_at": at,
            "redaction": None if options.redactor is None else options.redactor.rules,
            "sampled": sampled,
            "truncated": traffic.flags[gaps.TRUNCATED] > 0,
            "captured": (first, last) if first is not None and last is not None else None,
            "gaps": self._gaps(sampled=sampled, cases=cases),
            "imported": Imported(
                format=form.name, records=self.records, rejected=self.rejected, skipped=dict(self._skipped)
            ),
        }

    def _gaps(self, *, sampled: bool, cases: int) -> tuple[Gap, ...]:
        links = self._links
        counts = {
            gaps.SAMPLED: cases if sampled else 0,
            gaps.NO_REQUEST: self._without_request,
            gaps.REPEATS: links.repeats,
            gaps.DUPLICATES: links.duplicates,
            gaps.UNREAD: links.unread,
            gaps.REJECTED: self.rejected,
            gaps.SKIPPED: sum(self._skipped.values()) - self._without_request,
        }
        notes = {gaps.SAMPLED: "logs of this kind may be samples, and do not say so; --whole says that this one is not"}
        found = {gap.kind: gap for gap in self._traffic.gaps()}
        found |= {
            kind: Gap(kind=kind, count=count, note=notes.get(kind, "")) for kind, count in counts.items() if count
        }
        return tuple(found[kind] for kind in gaps.KINDS if kind in found)

    def _case(self, record: Record) -> StoredCase:
        options, recording = self._options, record.recording
        flags, origin = recording.provenance.flags, recording.provenance.origin
        skewed = self._traffic.skewed(recording.provenance.captured_at, None if origin is None else origin.path)
        if skewed and gaps.CLOCK_SKEW not in flags:
            provenance = replace(recording.provenance, flags=tuple(sorted((*flags, gaps.CLOCK_SKEW))))
            recording = replace(recording, provenance=provenance)
        document = record.document() if options.cluster or options.slices else None
        cluster = record.cluster if options.cluster is None else options.cluster(document)
        self.unclustered += options.cluster is not None and cluster is None
        said = {name: ask(document) for name, ask in options.slices.items()}
        expected = next((options.labels[name] for name in record.labels if name in options.labels), record.expected)
        self.labelled += expected is not None
        return StoredCase(
            recording=recording,
            cluster=cluster or "",
            slices={**record.slices, **{name: value for name, value in said.items() if value is not None}},
            expected=expected,
        )


class _Watched:
    """A log that counts the files it hands out."""

    def __init__(self, log: Log, work: _Import) -> None:
        self._log = log
        self._work = work

    def __iter__(self) -> Iterator[Any]:
        for file in self._log:
            self._work.files += 1
            yield file

    def find(self, uri: str, *, beside: str) -> Any:
        return self._log.find(uri, beside=beside)


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


def asking(expression: str, *, option: str) -> Callable[[Json], str | None]:
    """A JMESPath as a question to a record: text, or a number or truth value as text; None for anything else.

    Raises ConfigError where the expression is none.
    """
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        compiled = jmespath.compile(expression)
    except JMESPathError as exc:
        raise ConfigError(f'{option}: "{expression}" is no JMESPath: {exc}') from exc

    def ask(document: Json) -> str | None:
        try:
            found = compiled.search(document)
        except JMESPathError:
            return None
        if isinstance(found, bool):
            return "true" if found else "false"
        return str(found) if isinstance(found, str | int | float) and found != "" else None

    return ask
