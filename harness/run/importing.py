"""From a log to a golden set: read by a format, redacted, written, and linked to earlier calls of the same request.

Lines are made of some records at a time, here or in processes beside this one, and memory does not grow with their
number: what has to be known of each for finding those of the same request, and for proving the set, lies on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from harness.core.case import Json
from harness.errors import ConfigError
from harness.recordings import gaps
from harness.recordings.formats import Format, Log, Reject
from harness.recordings.gaps import Gap
from harness.recordings.manifest import Imported, Manifest
from harness.recordings.manifest import read as read_manifest
from harness.recordings.plain import BlockFormat
from harness.recordings.traffic import Traffic
from harness.recordings.writer import MANIFEST, Writer, vacant
from harness.run.import_pool import Piece, Pool
from harness.run.links import Links
from harness.run.making import COUNTS, Made, Maker, Options

REJECTS = "rejects.jsonl"
_EVERY = 1000  # records, where they do not come in blocks


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
    with Writer(into, service=form.service, operation=form.operation) as writer, closing(Links(into)) as links:
        work = _Import(writer, links, at)
        part = into / f"{REJECTS}.part"
        try:
            with part.open("w", encoding="utf-8") as rejects:
                watched = _Watched(log)
                for made in _made(form, watched, options, at):
                    work.take(made, rejects)
                    progress(work.total.records)
            work.link()
            made_of = writer.finish(work.words(form, into.name, options), zstd=options.zstd)
            kept = into / REJECTS
            kept.unlink(missing_ok=True)
            if work.rejected:
                part.replace(kept)
        finally:
            part.unlink(missing_ok=True)
    return Summary(
        manifest=made_of,
        files=watched.files,
        refused=work.total.refused,
        labelled=work.total.labelled,
        clusters_unknown=work.total.unclustered,
        rejects=kept if work.rejected else None,
    )


def _made(form: Format, log: Log, options: Options, at: datetime) -> Iterator[Made]:
    """What comes of all records, in their order."""
    maker = Maker(form, log, options, at)
    if isinstance(form, BlockFormat):
        with Pool(maker) as pool:
            yield from pool.made(_blocks(form, log))
        return
    for number, one in enumerate(form.read(log), start=1):
        maker.take(one)
        if number % _EVERY == 0:
            yield maker.made()
    yield maker.made()


def _blocks(form: BlockFormat, log: Log) -> Iterator[Piece | Reject]:
    for file in log:
        for block in form.blocks(file):
            yield block if isinstance(block, Reject) else Piece(file, block)


class _Import:
    """What an import knows while it goes on. total: of all that was made, without lines."""

    def __init__(self, writer: Writer, links: Links, at: datetime) -> None:
        self._writer = writer
        self._links = links
        self._at = at
        self.total = Made(Traffic(at))
        self.rejected = 0

    def take(self, made: Made, rejects: TextIO) -> None:
        """Write what was made, and count it."""
        starts = self._writer.put(made.text, made.lengths, made.names)
        self._links.add(made.rough, starts)
        rejects.writelines(made.rejects)
        self.rejected += len(made.rejects)
        total = self.total
        total.traffic.merge(made.traffic)
        total.skipped.update(made.skipped)
        for count in COUNTS:
            setattr(total, count, getattr(total, count) + getattr(made, count))

    def link(self) -> None:
        """Find which cases came before, and write it into their lines."""
        self._writer.link(self._links.found(self._writer))

    def words(self, form: Format, name: str, options: Options) -> dict[str, Any]:
        """What the manifest says."""
        total, traffic = self.total, self.total.traffic
        sampled = form.sampled and not options.whole
        cases = total.records - self.rejected - sum(total.skipped.values())
        first, last = traffic.first, traffic.last
        return {
            "name": name,
            "description": options.description or f"Recorded calls, imported from a log of the format {form.name}.",
            "licence": options.licence,
            "source": options.source or f"a log of the format {form.name}",
            "split": "every call of the log",
            "created_at": self._at,
            "redaction": None if options.redactor is None else options.redactor.rules,
            "sampled": sampled,
            "truncated": traffic.flags[gaps.TRUNCATED] > 0,
            "captured": (first, last) if first is not None and last is not None else None,
            "gaps": self._gaps(sampled=sampled, cases=cases),
            "imported": Imported(
                format=form.name, records=total.records, rejected=self.rejected, skipped=dict(total.skipped)
            ),
        }

    def _gaps(self, *, sampled: bool, cases: int) -> tuple[Gap, ...]:
        total = self.total
        counts = {
            gaps.SAMPLED: cases if sampled else 0,
            gaps.NO_REQUEST: total.without_request,
            gaps.REPEATS: self._writer.repeats,
            gaps.DUPLICATES: self._writer.duplicates,
            gaps.UNREAD: total.unread,
            gaps.REJECTED: self.rejected,
            gaps.SKIPPED: sum(total.skipped.values()) - total.without_request,
        }
        notes = {gaps.SAMPLED: "logs of this kind may be samples, and do not say so; --whole says that this one is not"}
        found = {gap.kind: gap for gap in total.traffic.gaps()}
        found |= {
            kind: Gap(kind=kind, count=count, note=notes.get(kind, "")) for kind, count in counts.items() if count
        }
        return tuple(found[kind] for kind in gaps.KINDS if kind in found)


class _Watched:
    """A log that counts the files it hands out."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.files = 0

    def __iter__(self) -> Iterator[Any]:
        for file in self._log:
            self.files += 1
            yield file

    @property
    def remote(self) -> bool:
        return bool(getattr(self._log, "remote", False))

    def find(self, uri: str, *, beside: str) -> Any:
        return self._log.find(uri, beside=beside)


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
