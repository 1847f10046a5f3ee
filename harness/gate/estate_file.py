"""Writes an estate file: what was listed anew, what people wrote kept, in an order that makes small diffs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from harness.core.inventory import EVERYTHING, SERVING, Found
from harness.gate.estate import SCHEMA, Entry, Estate

_HEAD = (
    "# Written by `parity inventory`. People write owner, out_of_scope (with an owner), covered_by and note of an\n"
    "# endpoint, and retires of a target that no API tells; these stay when it is written again.\n"
)
_SEEN = ("service", "kind", "name", "model", "version", "account", "region", "changed_at")


def refreshed(before: Estate | None, now: Estate) -> Estate:
    """What was listed now, with what people wrote in the file before.

    Where a listing was refused, what the file knew of that kind stays: not seen is not gone.
    """
    if before is None:
        return _ordered(now)
    known = {entry.key: entry for entry in before.entries}
    refused = {(one.service, one.kind) for one in now.unlisted}
    entries = [_kept(entry, known.get(entry.key)) for entry in now.entries]
    listed = {entry.key for entry in entries}
    entries += [entry for entry in before.entries if entry.key not in listed and _unseen(entry.key, refused)]
    told = {_key(target): target for target in before.targets}
    targets = [_retiring(target, told.get(_key(target))) for target in now.targets]
    at_target = {_key(target) for target in targets}
    targets += [one for one in before.targets if _key(one) not in at_target and _unseen(_key(one), refused)]
    return _ordered(replace(now, entries=tuple(entries), targets=tuple(targets)))


def render(estate: Estate) -> str:
    """The file. The same estate gives the same bytes."""
    return "\n".join(_lines(estate)) + "\n"


def _lines(estate: Estate) -> Iterator[str]:
    yield _HEAD
    yield f"schema = {_toml(SCHEMA)}"
    yield f"read_at = {_toml(estate.read_at)}"
    if estate.profile is not None:
        yield f"profile = {_toml(estate.profile)}"
    for one in estate.unlisted:
        table = {"service": one.service, "kind": one.kind, "reason": one.reason, "needs": one.needs}
        yield from _table("unlisted", table)
    for entry in estate.entries:
        yield from _table("endpoint", _entry(entry))
    for target in estate.targets:
        yield from _table("target", {**_seen(target), "share": target.share, **_target(target)})


def _table(name: str, table: dict[str, Any]) -> Iterator[str]:
    yield ""
    yield f"[[{name}]]"
    yield from (f"{key} = {_toml(value)}" for key, value in table.items() if value not in (None, ()))


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        **_seen(entry.found),
        "variants": entry.found.variants,
        "counterpart": None if entry.counterpart is None else _counterpart(entry.counterpart),
        "suites": entry.suites,
        "covered": bool(entry.suites or entry.covered_by) if entry.found.kind in SERVING else None,
        "covered_by": entry.covered_by,
        "owner": entry.owner,
        "out_of_scope": entry.out_of_scope,
        "note": entry.note,
    }


def _seen(found: Found) -> dict[str, Any]:
    return {key: getattr(found, key) for key in _SEEN}


def _target(found: Found) -> dict[str, Any]:
    return {"auto_upgrade": found.auto_upgrade, "owned": found.owned or None, "retires": found.retires}


def _counterpart(found: Found) -> dict[str, Any]:
    told = {**{key: getattr(found, key) for key in ("service", "name", "model", "version")}, **_target(found)}
    return {key: value for key, value in told.items() if value is not None}


def _kept(entry: Entry, before: Entry | None) -> Entry:
    if before is None:
        return entry
    return replace(
        entry,
        covered_by=before.covered_by,
        owner=before.owner,
        out_of_scope=before.out_of_scope,
        note=before.note,
    )


def _retiring(target: Found, before: Found | None) -> Found:
    """A day that a person looked up stands as long as the same version does, and no API tells one."""
    if before is None or target.retires is not None or (before.model, before.version) != (target.model, target.version):
        return target
    return replace(target, retires=before.retires)


def _unseen(key: tuple[str, str, str], refused: set[tuple[str, str]]) -> bool:
    service, kind, _ = key
    return (service, kind) in refused or (service, EVERYTHING) in refused


def _key(found: Found) -> tuple[str, str, str]:
    return found.service, found.kind, found.name


def _ordered(estate: Estate) -> Estate:
    return replace(
        estate,
        entries=tuple(sorted(estate.entries, key=lambda entry: entry.key)),
        targets=tuple(sorted(estate.targets, key=_key)),
        unlisted=tuple(sorted(estate.unlisted, key=lambda one: (one.service, one.kind, one.needs))),
    )


def _toml(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    # JSON's texts are TOML's basic strings but for DEL, which JSON leaves as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
