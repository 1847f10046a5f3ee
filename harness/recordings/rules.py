"""Rules of the user's own for redaction, read from a TOML file that `--redact FILE` names.

[detectors]
off = ["phone"]          # built-in detectors that do not run
pseudonyms = true        # false: "[email]" in place of "[email:abcdefgh]"

[[rule]]
name = "customer number"
pattern = "C-[0-9]{6}"   # wherever it stands, in texts

[[rule]]
name = "names"
path = "messages[].content[].name"   # JMESPath into a JSON body; what it selects goes, numbers too
side = "request"         # or "response"; without it, both

[[rule]]
name = "age"
columns = [4]            # of CSV bodies, counted from 0

[[rule]]
name = "people"
use = "names:People"     # names.py beside this file: a class with find(text) -> list of (start, end)
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from harness.core import registry
from harness.core.shape import check
from harness.errors import ConfigError, UnknownName
from harness.recordings.detectors import KINDS

_TEXT = {"type": "string", "minLength": 1}
SHAPE: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "detectors": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "off": {"type": "array", "items": {"enum": list(KINDS)}},
                "pseudonyms": {"type": "boolean"},
            },
        },
        "rule": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["name"],
                "properties": {
                    "name": {"type": "string", "pattern": r"^[A-Za-z][\w -]{0,40}$", "description": "a short name"},
                    "pattern": _TEXT,
                    "path": _TEXT,
                    "columns": {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1},
                    "use": {"type": "string", "pattern": r"^[A-Za-z_]\w*:[A-Za-z_]\w*$", "description": '"file:Class"'},
                    "side": {"enum": ["request", "response"]},
                },
            },
        },
    },
}
_WAYS = ("pattern", "path", "columns", "use")


class Finder(Protocol):
    """What `use` names: built without arguments, asked for each text."""

    def find(self, text: str) -> Iterable[tuple[int, int]]:
        """The stretches of the text that are to go: (start, end) in characters, in order, none over another."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One way to find what is to go, of four: pattern, path, columns or finder. sides: which bodies it looks into."""

    name: str
    pattern: re.Pattern[str] | None = None
    path: str | None = None
    columns: frozenset[int] = frozenset()
    finder: Finder | None = None
    sides: frozenset[str] = frozenset({"request", "response"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """off: detectors that do not run. pseudonyms: one tag a value. own: the user's rules, in file order."""

    off: frozenset[str] = frozenset()
    pseudonyms: bool = True
    own: tuple[Rule, ...] = ()


def load(path: Path) -> Rules:
    """The rules of a file. Raises ConfigError naming the rule, and UnknownName for keys and words that do not exist."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise ConfigError(f"{path}: redaction rules cannot be read: {exc}.") from exc
    for kind in table.get("detectors", {}).get("off", ()) if isinstance(table.get("detectors"), dict) else ():
        if kind not in KINDS:
            raise UnknownName(f"{path}, [detectors]: off", "detector", str(kind), KINDS)
    check(table, SHAPE, place=str(path))
    settings = table.get("detectors", {})
    own = tuple(_rule(path, number, one) for number, one in enumerate(table.get("rule", ()), start=1))
    return Rules(off=frozenset(settings.get("off", ())), pseudonyms=settings.get("pseudonyms", True), own=own)


def _rule(path: Path, number: int, table: Mapping[str, Any]) -> Rule:
    where = f'{path}, rule {number} ("{table["name"]}")'
    given = [way for way in _WAYS if way in table]
    if len(given) != 1:
        raise ConfigError(f"{where}: say how it finds its values, with one of {', '.join(_WAYS)}.")
    if given == ["path"]:
        _check_path(where, table["path"])
    return Rule(
        name=table["name"],
        pattern=_pattern(where, table["pattern"]) if "pattern" in table else None,
        path=table.get("path"),
        columns=frozenset(table.get("columns", ())),
        finder=registry.attribute(table["use"], suite_folder=path.parent, where=where)() if "use" in table else None,
        sides=frozenset([table["side"]] if "side" in table else ("request", "response")),
    )


def _pattern(where: str, text: str) -> re.Pattern[str]:
    try:
        pattern = re.compile(text)
    except re.error as exc:
        raise ConfigError(f"{where}: pattern is not a regular expression: {exc}.") from exc
    if pattern.match(""):
        raise ConfigError(f"{where}: pattern matches where nothing stands.")
    return pattern


def _check_path(where: str, path: str) -> None:
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        jmespath.compile(path)
    except JMESPathError as exc:
        raise ConfigError(f"{where}: path is not JMESPath: {exc}.") from exc
