"""The estate: everything that answers today, what it moves to, and which suites cover it. `estate.toml`.

`parity inventory` writes it and keeps what people wrote in it; the cutover gate reads it. It is made for review in a
pull request: one table a thing, in a fixed order.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from harness.core.inventory import EVERYTHING, KINDS, SERVING, Found, Unlisted
from harness.core.secrets import refuse_secrets
from harness.core.shape import check
from harness.errors import ConfigError, PolicyError
from harness.gate.canonical import canonical_json

SCHEMA = "estate/1"
ESTATE = "estate.toml"  # beside parity.toml, where no other is named

_DAY = r"^\d{4}-\d\d-\d\d$"
_TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"


def _text(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "description": description, **more}


_TEXTS = {"type": "array", "items": {"type": "string", "minLength": 1}}
_SEEN: dict[str, Any] = {
    "service": _text("Module of harness/services."),
    "kind": {"enum": list(KINDS), "description": "What it is."},
    "name": _text("As a suite's [endpoints] names it."),
    "model": _text("What answers."),
    "version": _text("Version of what answers."),
    "account": _text("Account, or subscription and resource."),
    "region": _text("Region."),
    "changed_at": _text("a time with a zone, the last change of its configuration", pattern=_TIME),
}
_TARGET_KEYS: dict[str, Any] = {
    "auto_upgrade": {"type": "boolean", "description": "The cloud may put another model version in its place."},
    "owned": {"type": "boolean", "description": "A model of one's own, which no vendor upgrades or retires."},
    "retires": _text("a day such as 2027-06-30, from which it no longer answers", pattern=_DAY),
}


def _table(required: tuple[str, ...], properties: Mapping[str, Any]) -> dict[str, Any]:
    closed = {"type": "object", "additionalProperties": False, "properties": dict(properties)}
    return {**closed, "required": list(required)}


_COUNTERPART = _table(
    ("service", "name"), {key: _SEEN[key] for key in ("service", "name", "model", "version")} | _TARGET_KEYS
)
_ENDPOINT = _table(
    ("name", "service", "kind"),
    {
        **_SEEN,
        "variants": {**_TEXTS, "description": "What stands behind it."},
        "counterpart": _COUNTERPART,
        "suites": {**_TEXTS, "description": "Suites whose source it is."},
        "covered": {"type": "boolean", "description": "Whether a suite covers it."},
        "covered_by": {**_TEXTS, "description": "Written by people: suites that cover it under another name."},
        "owner": _text("Written by people: who answers for it."),
        "out_of_scope": _text("Written by people: why it does not move. Needs an owner."),
        "note": _text("Written by people."),
    },
)
_TARGET = _table(
    ("name", "service", "kind"),
    {**_SEEN, **_TARGET_KEYS, "share": {"type": "number", "minimum": 0, "maximum": 1, "description": "Of traffic."}},
)
_UNLISTED = _table(
    ("service", "kind", "reason", "needs"),
    {
        "service": _SEEN["service"],
        "kind": {"enum": [*KINDS, EVERYTHING], "description": "What could not be listed."},
        "reason": _text("Why it could not be listed."),
        "needs": _text("What would help."),
    },
)
SHAPE: dict[str, Any] = {
    **_table(
        ("schema", "read_at"),
        {
            "schema": {"enum": [SCHEMA], "description": "Version of this file's shape."},
            "read_at": _text("a time with a zone, when it was read", pattern=_TIME),
            "profile": _text("Profile it was read with."),
            "endpoint": {"type": "array", "items": _ENDPOINT, "description": "What answers at the source."},
            "target": {"type": "array", "items": _TARGET, "description": "What answers at the target."},
            "unlisted": {"type": "array", "items": _UNLISTED, "description": "What could not be listed."},
        },
    ),
    "title": "estate.toml: what answers today, and what it moves to",
}


@dataclass(frozen=True, slots=True)
class Called:
    """What a suite calls on one side: a service, and the endpoint's name as the suite writes it."""

    service: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing at the source. suites: those whose source it is. covered_by, owner, out_of_scope, note: by people."""

    found: Found
    suites: tuple[str, ...] = ()
    covered_by: tuple[str, ...] = ()
    owner: str | None = None
    out_of_scope: str | None = None
    note: str | None = None
    counterpart: Found | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        return self.found.service, self.found.kind, self.found.name

    @property
    def asked(self) -> bool:
        """Whether a suite must cover it: it answers requests, and nobody put it out of scope."""
        return self.found.kind in SERVING and self.out_of_scope is None

    @property
    def standing(self) -> str:
        """What covers it, or why nothing need to, in a word for a table."""
        if self.out_of_scope is not None:
            return "out of scope"
        covered = ", ".join(dict.fromkeys((*self.suites, *self.covered_by)))
        return covered or ("nothing" if self.asked else "-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Estate:
    """read_at: UTC. targets: what answers at the target. unlisted: what no listing was allowed to show."""

    read_at: datetime
    profile: str | None = None
    entries: tuple[Entry, ...] = ()
    targets: tuple[Found, ...] = ()
    unlisted: tuple[Unlisted, ...] = ()

    @property
    def sha256(self) -> str:
        """Hash of what stands in it. When it was read does not matter, nor which share of the traffic a deployment has:
        a refresh that found nothing new leaves sign-offs as they are, and so does moving traffic on them."""
        content = {
            "entries": [_plain(asdict(entry)) for entry in self.entries],
            "targets": [_plain(asdict(replace(target, share=None))) for target in self.targets],
            "unlisted": [asdict(one) for one in self.unlisted],
        }
        return hashlib.sha256(canonical_json(content)).hexdigest()

    @property
    def uncovered(self) -> tuple[Entry, ...]:
        """What is in scope and has no suite."""
        return tuple(entry for entry in self.entries if entry.asked and not (entry.suites or entry.covered_by))

    def sources(self, call: Called) -> tuple[Found, ...]:
        """What stands at the source under the name that a suite calls."""
        return tuple(one.found for one in self.entries if one.found.kind in SERVING and called(one.found, call))

    def behind(self, call: Called) -> tuple[Found, ...]:
        """What answers at the target under the name that a suite calls.

        Counterparts stand in where the file lists no target at all, as one written by hand may.
        The name of an Azure ML endpoint stands for its deployments that have traffic, or for all where none has.
        """
        by_hand = [one.counterpart for one in self.entries if one.counterpart is not None]
        told = [one for one in self.targets or by_hand if one.kind in SERVING and called(one, call)]
        exact = tuple(one for one in told if one.name == call.name)
        under = [one for one in told if one.name != call.name]
        return exact or tuple(one for one in under if one.share) or tuple(under)


def called(found: Found, call: Called) -> bool:
    """Whether a suite's call goes to this: by its name, by its ARN, by its model through a profile, or by the endpoint
    that a deployment stands behind.

    An inference profile of several regions is the model's id with a group of regions before it: "us.anthropic...".
    """
    name = call.name
    if _API.get(found.service, found.service) != _API.get(call.service, call.service):
        return False
    if found.kind in _BEHIND_ENDPOINTS and "/" not in name:
        return name in (found.name, found.name.partition("/")[0])
    return _plain_name(found.name) == _plain_name(name)


# One resource, and each of its deployments may be called through either.
_API = {"foundry": "azure_openai"}
_BEHIND_ENDPOINTS = ("deployment", "batch endpoint")
_REGIONS = re.compile(r"^(us|us-gov|eu|apac|jp|au|ca|global)\.")


def _plain_name(name: str) -> str:
    return _REGIONS.sub("", name.rpartition("/")[2] if name.startswith("arn:") else name)


def load_estate(path: Path) -> Estate:
    """Read an estate file. Raises PolicyError or UnknownName saying what is wrong, where, and what to do."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise PolicyError(f"{path}: the estate cannot be read ({exc.strerror}). Write it: parity inventory") from exc
    except UnicodeDecodeError as exc:
        raise PolicyError(f"{path}: is not UTF-8 text (byte {exc.start}).") from exc
    except tomllib.TOMLDecodeError as exc:
        raise PolicyError(f"{path}: is not TOML: {exc}.") from exc
    return parse_estate(document, str(path))


def parse_estate(document: Mapping[str, Any], where: str) -> Estate:
    """The estate from parsed TOML. Raises as `load_estate` does."""
    plain = _plain(document)
    refuse_secrets(plain, place=where, names_only=False)
    try:
        check(plain, SHAPE, place=where)
    except ConfigError as exc:
        raise PolicyError(str(exc)) from exc
    entries = tuple(_entry(table, f"{where}, endpoint {at}") for at, table in enumerate(plain.get("endpoint", ()), 1))
    _once((entry.key for entry in entries), f"{where}, [[endpoint]]")
    targets = tuple(_found(table, where) for table in plain.get("target", ()))
    _once(((one.service, one.kind, one.name) for one in targets), f"{where}, [[target]]")
    return Estate(
        read_at=_time(plain["read_at"], where),
        profile=plain.get("profile"),
        entries=entries,
        targets=targets,
        unlisted=tuple(Unlisted(**table) for table in plain.get("unlisted", ())),
    )


def _entry(table: Mapping[str, Any], where: str) -> Entry:
    for key in ("out_of_scope", "owner"):
        if key in table and not table[key].strip():
            raise PolicyError(f'{where}: "{key}" must not be empty.')
    if "out_of_scope" in table and "owner" not in table:
        raise PolicyError(f'{where}: "out_of_scope" needs "owner" beside it: somebody answers for leaving it behind.')
    counterpart = table.get("counterpart")
    return Entry(
        found=_found(table, where),
        suites=tuple(table.get("suites", ())),
        covered_by=tuple(table.get("covered_by", ())),
        owner=table.get("owner"),
        out_of_scope=table.get("out_of_scope"),
        note=table.get("note"),
        counterpart=None if counterpart is None else _found({"kind": "deployment", **counterpart}, where),
    )


def _found(table: Mapping[str, Any], where: str) -> Found:
    fields = {key: table[key] for key in Found.__dataclass_fields__ if key in table}
    if "changed_at" in fields:
        fields["changed_at"] = _time(fields["changed_at"], where)
    if "retires" in fields:
        try:
            fields["retires"] = date.fromisoformat(fields["retires"])
        except ValueError as exc:
            raise PolicyError(f'{where}: "retires" {fields["retires"]} is no day of the calendar.') from exc
    return Found(**{**fields, "variants": tuple(fields.get("variants", ()))})


def _time(text: str, where: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError as exc:
        raise PolicyError(f"{where}: {text} is no time of the calendar.") from exc


def _once(keys: Iterable[tuple[str, ...]], where: str) -> None:
    seen: set[tuple[str, ...]] = set()
    for key in keys:
        if key in seen:
            raise PolicyError(f"{where}: {' '.join(key)} stands there twice; one table a thing.")
        seen.add(key)


def _plain(value: Any) -> Any:
    """Days and times as texts; either may be written with or without quotes."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, date) else value
