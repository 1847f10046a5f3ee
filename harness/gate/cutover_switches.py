"""The shape of `[switches.NAME]` in a cutover.toml: what moves the traffic, in which stages, watched by what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.shape import check
from harness.errors import PolicyError, UnknownName

MIRROR = "mirror"
STAGES: tuple[str | int, ...] = (MIRROR, 1, 10, 50, 100)
BAKE_MINUTES = 60.0
MIRROR_PERCENT = 50
MAX_AGE_MINUTES = 15.0
RECENT_MINUTES = 10.0
OWN = ("use", "profile", "stages", "bake_minutes", "mirror_percent", "live")  # all other keys are the switch's options
SOURCES = ("rows", "command")

_TEXT = {"type": "string", "minLength": 1}
_MINUTES = {"type": "number", "exclusiveMinimum": 0, "maximum": 525_600}  # a year
LIVE: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["policy"],
    "description": "What is measured on live traffic, and by which criteria it is judged.",
    "properties": {
        "policy": {**_TEXT, "description": "Criteria, a file with [[criterion]] tables, from this file's folder."},
        "rows": {**_TEXT, "description": "File, folder or URL with rows as `parity decide` reads them, and `at`."},
        "command": {
            "type": "array",
            "minItems": 1,
            "items": _TEXT,
            "description": "Program and arguments that print such rows; {since} stands for the stage's begin, UTC.",
        },
        "timeout_s": {**_MINUTES, "default": 60.0, "description": "Longest that `command` may take."},
        "max_age_minutes": {
            **_MINUTES,
            "default": MAX_AGE_MINUTES,
            "description": "Oldest that the newest row may be; older rows decide nothing.",
        },
        "recent_minutes": {
            **_MINUTES,
            "default": RECENT_MINUTES,
            "description": "The last rows are judged by themselves too, and refuse for all: a fault that comes late is "
            "not outvoted by the good rows before it.",
        },
    },
}
TABLE: dict[str, Any] = {
    "type": "object",
    "required": ["use"],
    "description": "Other keys are options of the switch named by `use`.",
    "properties": {
        "use": {**_TEXT, "description": "Module of harness/switches that moves traffic."},
        "profile": {**_TEXT, "description": "Profile whose target side the switch signs in as, where it does."},
        "stages": {
            "type": "array",
            "minItems": 1,
            "description": 'Percents of live traffic in rising order, the last 100; "mirror" may come first.',
        },
        "bake_minutes": {
            "type": "number",
            "minimum": 0,
            "maximum": 525_600,
            "default": BAKE_MINUTES,
            "description": "Least time at each stage.",
        },
        "mirror_percent": {
            "type": "integer",
            "minimum": 1,
            "maximum": 100,
            "default": MIRROR_PERCENT,
            "description": 'Percent that is copied to the target in the stage "mirror".',
        },
        "live": LIVE,
    },
}
SWITCHES: dict[str, Any] = {
    "type": "object",
    "description": "What moves traffic, a table a switch.",
    "propertyNames": {"pattern": r"^[A-Za-z][A-Za-z0-9_.-]*$"},
    "additionalProperties": TABLE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSettings:
    """Where live rows come from: exactly one of rows and command is not None. policy: a path."""

    policy: Path
    rows: str | None = None
    command: tuple[str, ...] | None = None
    timeout_s: float = 60.0
    max_age_minutes: float = MAX_AGE_MINUTES
    recent_minutes: float = RECENT_MINUTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Mover:
    """What moves the traffic: all that a rollback needs. use: a module of harness/switches, options: its own.

    profile: whose target side it signs in as; None: it needs none. folder: of the cutover.toml.
    """

    name: str
    use: str
    options: Mapping[str, Any]
    profile: str | None
    folder: Path
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchSettings:
    """One `[switches.NAME]`. stages: "mirror" or a percent, rising to 100."""

    mover: Mover
    stages: tuple[str | int, ...]
    bake_minutes: float
    mirror_percent: int
    live: LiveSettings


def mover_of(switches: Mapping[str, Any], name: str, path: Path) -> Mover:
    """What moves the traffic of one table; the rest of it is not read. Raises UnknownName and ConfigError."""
    if name not in switches:
        raise UnknownName(f"{path}, [switches]", "switch", name, switches)
    where = f"{path}, [switches.{name}]"
    table = switches[name]
    properties = {key: TABLE["properties"][key] for key in ("use", "profile")}
    check(table, {"type": "object", "required": ["use"], "properties": properties}, place=where)
    return Mover(
        name=name,
        use=table["use"],
        options={key: value for key, value in table.items() if key not in OWN},
        profile=table.get("profile"),
        folder=path.absolute().parent,
        where=where,
    )


def switch_settings(switches: Mapping[str, Any], name: str, path: Path) -> SwitchSettings:
    """The table of one switch. path: the cutover.toml. Raises UnknownName and PolicyError."""
    mover = mover_of(switches, name, path)
    table = switches[name]
    check(table, TABLE, place=mover.where)
    if "live" not in table:
        raise PolicyError(
            f"{mover.where}: needs a table [switches.{name}.live]: without live criteria no stage is ever left for the "
            "next."
        )
    live = dict(table["live"])
    if sum(key in live for key in SOURCES) != 1:
        raise PolicyError(f'{mover.where}, live: needs exactly one of "rows" and "command", where live rows come from.')
    if "command" in live:
        live["command"] = tuple(live["command"])
    return SwitchSettings(
        mover=mover,
        stages=_stages(table.get("stages", list(STAGES)), mover.where),
        bake_minutes=float(table.get("bake_minutes", BAKE_MINUTES)),
        mirror_percent=table.get("mirror_percent", MIRROR_PERCENT),
        live=LiveSettings(**{**live, "policy": path.absolute().parent / live["policy"]}),
    )


def _stages(values: list[Any], where: str) -> tuple[str | int, ...]:
    percents = values[1:] if values[0] == MIRROR else values
    whole = all(type(value) is int and 1 <= value <= 100 for value in percents)
    if not percents or not whole or percents != sorted(set(percents)) or percents[-1] != 100:
        raise PolicyError(
            f'{where}: "stages" are whole percents in rising order, the last 100, such as ["mirror", 1, 10, 50, 100]; '
            '"mirror" may only come first.'
        )
    return tuple(values)
