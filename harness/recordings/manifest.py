"""What is said of a golden set as a whole: `manifest.json` beside `cases.jsonl`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.core.shape import check
from harness.errors import ConfigError, GoldenError

SCHEMA = "golden/1"

_TEXT = {"type": "string", "minLength": 1}
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
        "schema": {"type": "string", "enum": [SCHEMA]},
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
    },
}
# Written as null where there is nothing to say, so that a reader sees that the question was asked.
_NULLABLE = ("redaction", "captured")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A golden set in words.

    service, operation: of every case that does not name its own. source: where the data comes from, citation included.
    split: the rule that decided which records are in the set, fixed before anyone looked. created_at: UTC.
    cases, sha256: of `cases.jsonl`. redaction: the rules that were applied; None: none were.
    sampled: a part of the recorded traffic. truncated: at least one body was cut by the log it was captured from.
    captured: first and last moment of the captured traffic, UTC; None where the data is not captured traffic.
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

    def to_bytes(self) -> bytes:
        """`manifest.json`, the same bytes for the same manifest. Raises GoldenError when a time is not UTC."""
        captured = self.captured and {"from": to_time(self.captured[0]), "to": to_time(self.captured[1])}
        table = {
            "schema": SCHEMA,
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
        }
        return (json.dumps(table, ensure_ascii=False, indent=2) + "\n").encode()


def read(path: Path) -> Manifest:
    """Raises GoldenError naming the file and the key when the manifest is missing, malformed or of another schema."""
    try:
        table = json.loads(path.read_bytes())
    except FileNotFoundError as exc:
        raise GoldenError(f"{path}: there is no manifest. A golden set is a folder that `store.write` made.") from exc
    except (OSError, ValueError) as exc:
        raise GoldenError(f"{path}: cannot be read as JSON: {exc}.") from exc
    if isinstance(table, dict):
        table = {key: value for key, value in table.items() if not (key in _NULLABLE and value is None)}
    try:
        check(table, SHAPE, place=str(path))
        captured = table.get("captured")
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
    return moment.astimezone(UTC)
