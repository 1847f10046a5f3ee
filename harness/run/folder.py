"""The folder of one run: what lies where, and what it must agree with to be continued.

::

    reports/RUN/
      run.json        what was run: suite, profile, hashes, seed, versions; written before the first call
      policy.toml     the suite file as it was
      ledger/         every reply and every failed attempt
      rows.parquet    what was judged
      decision.json   what was decided
      report.html, report.json, report.md
      cases.jsonl     every case that the report lists, one a line; payloads as the profile shows them
      report-cases-0001.html and on, where the report has no room for them
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from harness.core.call import Mode
from harness.errors import LedgerError

SCHEMA = "run/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """run.json. `finished_at` and `stopped` are filled in at the end; times are UTC, ISO 8601."""

    run: str
    suite: str
    suite_path: str
    profile: str
    pair: str
    translation: str
    golden_sha256: str
    policy_sha256: str
    suite_sha256: str
    seed: int
    cases: int
    started_at: str
    versions: Mapping[str, str]
    sample: int | None = None
    partial: bool = False
    planted: str | None = None
    finished_at: str | None = None
    stopped: str | None = None
    schema: str = field(default=SCHEMA)
    mode: str = Mode.DUAL.value
    reverse: bool = False
    repeats: int = 1  # how often a run that records asks the source
    into: str | None = None  # the golden set that a run that records writes, from the project's root
    arrival: Mapping[str, Any] = field(default_factory=dict)  # speed and in_flight, where calls did not wait
    lateness: Mapping[str, Any] = field(default_factory=dict)  # run.arrival.Lateness, at the end
    compared_from: str | None = None  # the run whose answers were compared again
    changed: str = ""  # what else they were compared by, as a sentence after a space
    torn_bytes: int = 0  # of entries that a kill left half written; cut off, and their calls made again
    unrepeated: int = 0  # cases with one recorded answer where two are needed
    sides: str = ""  # hash of both sides' settings: cloud, region, account, endpoint
    made_by: Mapping[str, str] = field(default_factory=dict)  # run.provenance; filled in when the rows are made
    night: str = ""  # that the run is a part of
    portion: Mapping[str, Any] = field(default_factory=dict)  # run.portion.Portion, of a night that takes a part
    golden: Mapping[str, Any] = field(default_factory=dict)  # gate.coverage.GoldenFacts; empty in runs of before


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Paths inside `reports/RUN/`."""

    path: Path

    @property
    def ledger(self) -> Path:
        return self.path / "ledger"

    @property
    def judgements(self) -> Path:
        """A ledger of its own: what judges were asked and said."""
        return self.path / "judge"

    @property
    def policy(self) -> Path:
        return self.path / "policy.toml"

    @property
    def rows(self) -> Path:
        return self.path / "rows.parquet"

    @property
    def decision(self) -> Path:
        return self.path / "decision.json"

    @property
    def cases(self) -> Path:
        return self.path / "cases.jsonl"

    def report(self, suffix: str) -> Path:
        return self.path / f"report{suffix}"

    def write_record(self, record: RunRecord) -> None:
        document = asdict(record)
        write_whole(self.path / "run.json", json.dumps(document, indent=2).encode() + b"\n")

    def read_record(self) -> RunRecord:
        """Raises LedgerError when this is no run folder or one of a later version."""
        path = self.path / "run.json"
        try:
            document: dict[str, Any] = json.loads(path.read_bytes())
        except (OSError, ValueError) as exc:
            raise LedgerError(f"{self.path}: not a run folder ({path.name} cannot be read: {exc}).") from exc
        schema = document.get("schema") if isinstance(document, dict) else None
        if schema != SCHEMA:
            raise LedgerError(f"{path}: schema {schema!r}, this version reads {SCHEMA!r}.")
        try:
            record = RunRecord(**document)
        except TypeError as exc:
            raise LedgerError(f"{path}: not what a run writes ({exc}). Restore it, or start a new run.") from exc
        if not isinstance(record.partial, bool) or type(record.cases) is not int:
            raise LedgerError(f'{path}: "partial" must be true or false and "cases" a number: the file was edited.')
        return record


def new_run(reports: Path, suite: str, started_at: datetime) -> RunFolder:
    """Make the folder of a new run, named by time (UTC), suite and four random digits; readable by its owner only."""
    name = f"{started_at:%Y%m%dT%H%M%SZ}-{suite}-{secrets.token_hex(2)}"
    path = reports / name
    path.mkdir(parents=True, mode=0o700)
    return RunFolder(path)


def find_run(reports: Path, name: str) -> RunFolder:
    """A run by its path or its name under `reports`. Raises LedgerError naming the latest runs when there is none."""
    for path in (Path(name), reports / name):
        if (path / "run.json").is_file():
            return RunFolder(path)
    latest = sorted((path.parent.name for path in reports.glob("*/run.json")), reverse=True)[:3]
    raise LedgerError(f'no run "{name}" under {reports}. Latest: {", ".join(latest) or "none"}.')


def must_agree(old: RunRecord, new: RunRecord) -> None:
    """Refuse to continue a run whose promise or cases have changed. Raises LedgerError naming what changed."""
    for name in (
        "suite",
        "profile",
        "golden_sha256",
        "suite_sha256",
        "seed",
        "sample",
        "planted",
        "translation",
        "sides",
        "mode",
        "reverse",
        "repeats",
        "into",
        "arrival",
        "portion",
    ):
        before, now = getattr(old, name), getattr(new, name)
        if before != now:
            raise LedgerError(
                f"run {old.run} does not fit: {name} was {before!r} and is {now!r} now. "
                "Put it back, or start a new run."
            )


def finished(record: RunRecord, at: datetime, stopped: str | None, lateness: Mapping[str, Any]) -> RunRecord:
    return replace(record, finished_at=at.isoformat(), stopped=stopped, lateness=lateness)


def note_torn(folder: RunFolder, torn_bytes: int) -> None:
    """Keep that an entry of the ledger was cut off. For whoever holds the run's ledger."""
    record = folder.read_record()
    folder.write_record(replace(record, torn_bytes=record.torn_bytes + torn_bytes))


def sweep(folder: RunFolder) -> None:
    """Remove what `write_whole` left behind in processes that were killed. For whoever holds the run's ledger."""
    for path in folder.path.glob(".*.[0-9]*"):
        path.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees all of it or none."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_bytes(content)
    partial.replace(path)
