"""Finished nights on the disk: `reports/nights/NIGHT/night.json`, and `started.json` of those that have not ended.

A night.json is written once, whole, and never changed, so that any number of machines may add theirs; everything else
(the index, tables, what is newest) is read off them anew.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from harness.core.night import SCHEMA, Night, Nights, SuiteNight
from harness.errors import LedgerError
from harness.run.folder import write_whole

FOLDER = "nights"
NIGHT = "night.json"
STARTED = "started.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """What a night set out to do. suites: paths of suite.toml; units: see `[nightly]`; harness: its version."""

    name: str
    profile: str
    started_at: datetime
    suites: tuple[str, ...]
    units: int
    planted: str | None = None


def new_name(at: datetime) -> str:
    """By time (UTC) and eight random digits: two machines that begin in one second have two nights."""
    return f"{at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


def begin(reports: Path, started: Started) -> Path:
    """Leave word that a night has begun; returns its folder."""
    import msgspec

    folder = reports / FOLDER / started.name
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / STARTED, msgspec.json.format(msgspec.json.encode(started)) + b"\n")
    return folder


def find(reports: Path, name: str) -> Started:
    """A night that began and has not ended. Raises LedgerError naming those there are."""
    import msgspec

    open_ = [path.name for path, _ in _unfinished(reports)]
    path = reports / FOLDER / name / STARTED
    if name not in open_:
        raise LedgerError(f'no night "{name}" that is unfinished. Unfinished: {", ".join(open_[-5:]) or "none"}.')
    try:
        return msgspec.json.decode(path.read_bytes(), type=Started)
    except (OSError, msgspec.MsgspecError) as exc:
        raise LedgerError(f"{path}: cannot be read ({exc}).") from exc


def write(reports: Path, night: Night) -> Path:
    """Write a finished night. Raises LedgerError where there is one of this name: none is ever written over."""
    import msgspec

    path = reports / FOLDER / night.name / NIGHT
    if path.exists():
        raise LedgerError(f"{path}: this night is finished already.")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, msgspec.json.format(msgspec.json.encode(night)) + b"\n")
    return path


def read(path: Path) -> Night:
    """One night.json. Raises LedgerError saying what is wrong with it."""
    import msgspec

    try:
        night = msgspec.json.decode(path.read_bytes(), type=Night)
    except (OSError, ValueError, msgspec.MsgspecError) as exc:
        raise LedgerError(f"{path}: not what a night writes ({exc}). Restore it, or move it away.") from exc
    if night.schema != SCHEMA:
        raise LedgerError(f"{path}: schema {night.schema!r}, this version reads {SCHEMA!r}.")
    if night.started_at.tzinfo is None or night.name != path.parent.name:
        raise LedgerError(f"{path}: a time without a zone, or another night's name. Restore it, or move it away.")
    return night


def read_all(reports: Path) -> tuple[Night, ...]:
    """Every finished night, in the order in which they began. Raises LedgerError where one cannot be read: it may hold
    a NO-GO, and evidence without it would be better than it is."""
    return _ordered(read(path) for path in sorted((reports / FOLDER).glob(f"*/{NIGHT}")))


def overview(reports: Path, *, made_at: datetime) -> Nights:
    """All that the index shows, what is wrong with some included. made_at: UTC."""
    nights: list[Night] = []
    unreadable = []
    for path in sorted((reports / FOLDER).glob(f"*/{NIGHT}")):
        try:
            nights.append(read(path))
        except LedgerError as exc:
            unreadable.append((path.parent.name, str(exc).partition("(")[2].partition(")")[0] or "another schema"))
    return Nights(
        nights=_ordered(nights),
        made_at=made_at,
        unfinished=tuple((path.name, at) for path, at in _unfinished(reports)),
        unreadable=tuple(unreadable),
    )


def of_suite(nights: Sequence[Night], suite: str, profile: str) -> tuple[tuple[Night, SuiteNight], ...]:
    """A suite's nights under one profile, oldest first, rehearsals with a planted fault and failures included."""
    return tuple(
        (night, one) for night in nights if night.profile == profile for one in night.suites if one.suite == suite
    )


def newest(nights: Sequence[Night], suite: str, profile: str) -> tuple[Night, SuiteNight] | None:
    """The newest answer over all nights of a suite: what a cutover asks for. A night in which the suite could not be
    run is an answer too, INCONCLUSIVE; one with a planted fault is none."""
    fit = [found for found in of_suite(nights, suite, profile) if found[1].planted is None]
    return fit[-1] if fit else None


def _ordered(nights: Iterator[Night] | list[Night]) -> tuple[Night, ...]:
    return tuple(sorted(nights, key=lambda night: (night.started_at, night.name)))


def _unfinished(reports: Path) -> list[tuple[Path, datetime]]:
    """Folders of nights that began and have no answer, with when they began; named by that where they do not say."""
    import msgspec

    found = []
    for path in sorted((reports / FOLDER).glob(f"*/{STARTED}")):
        if (path.parent / NIGHT).exists():
            continue
        try:
            began = msgspec.json.decode(path.read_bytes(), type=Started).started_at
        except (OSError, ValueError, msgspec.MsgspecError):
            began = datetime.fromtimestamp(path.stat().st_mtime).astimezone()
        found.append((path.parent, began))
    return found
