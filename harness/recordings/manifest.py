"""What is said of a golden set as a whole: `manifest.json` beside `cases.jsonl`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.core.shape import check
from harness.errors import ConfigError, GoldenError
from harness.recordings.gaps import KINDS, Gap

# The second schema has keys that the first has not. A set that needs none of them is written in the first, byte for
# byte as ever, so that a harness of before reads it.
SCHEMA, SCHEMA_2 = "golden/1", "golden/2"

_TEXT = {"type": "string", "minLength": 1}
_COUNT = {"type": "integer", "minimum": 0}
_TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT.*(Z|\+00:00)$", "description": "a time in UTC"}
SHAPE: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": [
        "schema",
        "name",
        "description",
        "service",
        "operation",
        "licence",
        "source",
        "split",
        "created_at",
        "cases",
        "sha256",
        "sampled",
        "truncated",
    ],
    "properties": {
        "schema": {"type": "string", "enum": [SCHEMA, SCHEMA_2]},
        "name": _TEXT,
        "description": _TEXT,
        "service": _TEXT,
        "operation": _TEXT,
        "licence": _TEXT,
        "source": _TEXT,
        "split": _TEXT,
        "created_at": _TIME,
        "cases": {"type": "integer", "minimum": 0},
        "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$", "description": "64 hex digits"},
        "redaction": {"type": "array", "items": _TEXT},
        "sampled": {"type": "boolean"},
        "truncated": {"type": "boolean"},
        "captured": {
            "type": "object",
            "additionalProperties": False,
            "required": ["from", "to"],
            "properties": {"from": _TIME, "to": _TIME},
        },
        "unpacked_bytes": _COUNT,
        "repeats": _COUNT,
        "duplicates": _COUNT,
        "gaps": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["kind", "count"],
                "properties": {
                    "kind": {"type": "string", "enum": list(KINDS)},
                    "count": {"type": "integer", "minimum": 1},
                    "note": {"type": "string"},
                },
            },
        },
        "imported": {
            "type": "object",
            "additionalProperties": False,
            "required": ["format", "records", "rejected", "skipped"],
            "properties": {
                "format": _TEXT,
                "records": _COUNT,
                "rejected": _COUNT,
                "skipped": {"type": "object", "additionalProperties": _COUNT},
            },
        },
    },
}
# Written as null where there is nothing to say, so that a reader sees that the question was asked.
_NULLABLE = ("redaction", "captured")


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import met. skipped: why -> records that are no call of a model. records: all of them, whatever became of
    them."""

    format: str
    records: int
    rejected: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A golden set in words.

    service, operation: of every case that does not name its own. source: where the data comes from, citation included.
    split: the rule that decided which records are in the set, fixed before anyone looked. created_at: UTC.
    cases, sha256: of `cases.jsonl`, where it is compressed of what comes out of it. unpacked_bytes: how many those
    are, so that no more is ever unpacked; None where it is not compressed. redaction: the rules that were applied;
    None: none were.
    sampled: a part of the recorded traffic. truncated: at least one body was cut by the log it was captured from.
    captured: first and last moment of the captured traffic, UTC; None where the data is not captured traffic.
    repeats, duplicates: cases that carry the request of an earlier one, and are not replayed. gaps: what the set is
    known not to hold. imported: what the import met; None for a set that was made otherwise.
    """

    name: str
    description: str
    service: str
    operation: str
    licence: str
    source: str
    split: str
    created_at: datetime
    cases: int
    sha256: str
    redaction: tuple[str, ...] | None = None
    sampled: bool = False
    truncated: bool = False
    captured: tuple[datetime, datetime] | None = None
    unpacked_bytes: int | None = None
    repeats: int = 0
    duplicates: int = 0
    gaps: tuple[Gap, ...] = ()
    imported: Imported | None = None

    @property
    def primaries(self) -> int:
        """Cases with a request of their own: those that are replayed."""
        return self.cases - self.repeats - self.duplicates

    def to_bytes(self) -> bytes:
        """`manifest.json`, the same bytes for the same manifest. Raises GoldenError when a time is not UTC."""
        captured = self.captured and {"from": to_time(self.captured[0]), "to": to_time(self.captured[1])}
        more = self._second()
        table = {
            "schema": SCHEMA_2 if more else SCHEMA,
            "name": self.name,
            "description": self.description,
            "service": self.service,
            "operation": self.operation,
            "licence": self.licence,
            "source": self.source,
            "split": self.split,
            "created_at": to_time(self.created_at),
            "cases": self.cases,
            "sha256": self.sha256,
            "redaction": None if self.redaction is None else list(self.redaction),
            "sampled": self.sampled,
            "truncated": self.truncated,
            "captured": captured,
            **more,
        }
        return (json.dumps(table, ensure_ascii=False, indent=2) + "\n").encode()

    def _second(self) -> dict[str, Any]:
        """What only the second schema can say; empty where there is nothing of it to say."""
        table: dict[str, Any] = {} if self.unpacked_bytes is None else {"unpacked_bytes": self.unpacked_bytes}
        table |= {name: count for name in ("repeats", "duplicates") if (count := getattr(self, name))}
        if self.gaps:
            table["gaps"] = [
                {"kind": gap.kind, "count": gap.count, **({"note": gap.note} if gap.note else {})} for gap in self.gaps
            ]
        if self.imported is not None:
            table["imported"] = asdict(self.imported) | {"skipped": dict(sorted(self.imported.skipped.items()))}
        return table


def read(path: Path) -> Manifest:
    """Raises GoldenError naming the file and the key when the manifest is missing, malformed or of another schema."""
    try:
        table = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError) as exc:
        raise GoldenError(
            f"{path}: there is no manifest. A golden set is a folder that parity import, record or golden wrote."
        ) from exc
    except (OSError, ValueError) as exc:
        raise GoldenError(f"{path}: cannot be read as JSON: {exc}.") from exc
    if isinstance(table, dict):
        table = {key: value for key, value in table.items() if not (key in _NULLABLE and value is None)}
    try:
        check(table, SHAPE, place=str(path))
        captured, imported = table.get("captured"), table.get("imported")
        return Manifest(
            **{key: table[key] for key in ("name", "description", "service", "operation", "licence", "source")},
            split=table["split"],
            created_at=from_time(table["created_at"]),
            cases=table["cases"],
            sha256=table["sha256"],
            redaction=tuple(table["redaction"]) if "redaction" in table else None,
            sampled=table["sampled"],
            truncated=table["truncated"],
            captured=(from_time(captured["from"]), from_time(captured["to"])) if captured else None,
            unpacked_bytes=table.get("unpacked_bytes"),
            repeats=table.get("repeats", 0),
            duplicates=table.get("duplicates", 0),
            gaps=tuple(Gap(**gap) for gap in table.get("gaps", ())),
            imported=None if imported is None else Imported(**imported),
        )
    except GoldenError:
        raise
    except (ConfigError, ValueError) as exc:
        raise GoldenError(f"{exc}" if isinstance(exc, ConfigError) else f"{path}: {exc}.") from exc


def to_time(moment: datetime) -> str:
    """ISO 8601 with an explicit offset. Raises GoldenError unless the time says that it is UTC."""
    offset = moment.utcoffset()
    if offset is None or offset:
        raise GoldenError(f"{moment.isoformat()}: times in a golden set are UTC and say so.")
    return moment.isoformat()


def from_time(text: str) -> datetime:
    """Raises ValueError for a text that is no time, or one without an offset."""
    moment = datetime.fromisoformat(text)
    if moment.utcoffset() is None:
        raise ValueError("a time without an offset from UTC")
    try:
        return moment.astimezone(UTC)
    except OverflowError as exc:
        raise ValueError("a time before the year 1 or after 9999") from exc
