"""Rules by path: how the values under a path of a JSON answer are held against each other.

A path names keys with dots between them and array elements with brackets: `order.items[].price`, `rows[0]`. `*` stands
for any one step, `**` for any number of them, `[]` for any element. A key that holds a dot or a bracket is written in
double quotes. Of several rules that fit a path the first in the file holds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.comparators import number, word
from harness.comparators._json.forms import parse_forms
from harness.errors import ConfigError, UnknownName

KEYS = ("ignore", "optional", "rtol", "atol", "array", "key", "pattern", "canonical")
ARRAYS = ("sequence", "set")

# A step is a key, or "[]" with the place of an element: ("[]", 3), ("[]", 'id="a"').
Path = tuple[str | tuple[str, object], ...]

_STEP = re.compile(r'"((?:[^"\\]|\\.)*)"|\[(\d*)\]|([^."\[\]]+)')


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """ignore: not compared. optional: absent or null on one side counts as equal. rtol, atol: numbers within
    atol + rtol * |source| are equal. array: `sequence`, or `set` where order says nothing. key: an array of objects is
    matched by the value of this key, order aside. pattern: a target's text that matches it whole is equal, whatever it
    says, where the source's does too. canonical: see `forms`; None for the comparator's own.
    """

    path: str
    ignore: bool = False
    optional: bool = False
    rtol: float = 0.0
    atol: float = 0.0
    array: str = "sequence"
    key: str | None = None
    pattern: re.Pattern[str] | None = None
    canonical: tuple[str, ...] | None = None

    def __str__(self) -> str:
        """As it stands in a signature: only what it sets."""
        said = [name for name in ("ignore", "optional") if getattr(self, name)]
        said += [f"{name}:{value!r}" for name, value in (("rtol", self.rtol), ("atol", self.atol)) if value]
        said += [self.array] if self.array != "sequence" else []
        said += [f"key:{word(self.key)}"] if self.key is not None else []
        said += [f"pattern:{word(self.pattern.pattern)}"] if self.pattern is not None else []
        said += [f"canonical:{'+'.join(self.canonical) or 'none'}"] if self.canonical is not None else []
        return f"{word(self.path)}({','.join(said)})"


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules in the order of the file, with their paths taken apart."""

    rules: tuple[tuple[tuple[str, ...], Rule], ...] = ()

    def of(self, path: Path) -> Rule:
        """The first that fits; a rule that says nothing where none does."""
        return next((rule for pattern, rule in self.rules if fits(pattern, path)), _NOTHING)

    def __str__(self) -> str:
        return "|".join(str(rule) for _, rule in self.rules)


_NOTHING = Rule(path="**")


def fits(pattern: tuple[str, ...], path: Path) -> bool:
    """Whether a pattern, taken apart, covers exactly this path."""
    if not pattern:
        return not path
    if pattern[0] == "**":
        return fits(pattern[1:], path) or (bool(path) and fits(pattern, path[1:]))
    return bool(path) and _step_fits(pattern[0], path[0]) and fits(pattern[1:], path[1:])


def covers(pattern: tuple[str, ...], path: Path) -> bool:
    """Whether a pattern covers this path or one above it."""
    return any(fits(pattern, path[:length]) for length in range(len(path) + 1))


def may_cover_below(pattern: tuple[str, ...], path: Path) -> bool:
    """Whether something under this path could be covered by the pattern."""
    if not path or not pattern or pattern[0] == "**":
        return True
    return _step_fits(pattern[0], path[0]) and may_cover_below(pattern[1:], path[1:])


def _step_fits(wanted: str, step: str | tuple[str, object]) -> bool:
    if wanted == "*":
        return True
    if isinstance(step, tuple):
        return wanted in ("[]", f"[{step[1]}]")
    return wanted == (f'"{step}"' if re.search(r'[."\[\]]', step) or step in ("*", "**") else step)


def told(path: Path, *, folded: bool = False) -> str:
    """A path as it is written in rules and reasons; `folded`: every element as `[]`."""
    text = ""
    for step in path:
        if isinstance(step, tuple):
            text += "[]" if folded else f"[{step[1]}]"
        else:
            name = f'"{step}"' if re.search(r'[."\[\]]', step) or step in ("*", "**") else step
            text += f".{name}" if text else name
    return text or "the whole answer"


def written(pattern: tuple[str, ...]) -> str:
    """A pattern as it stood in the file."""
    return "".join(f".{step}" if at and not step.startswith("[") else step for at, step in enumerate(pattern))


def parse_path(where: str, text: object) -> tuple[str, ...]:
    """A path taken apart. Raises ConfigError where it is none."""
    if not isinstance(text, str) or not text.strip():
        raise ConfigError(f"{where}: a path is a text such as items[].price, not {text!r}.")
    steps: list[str] = []
    at = 0
    while at < len(text):
        if text[at] == "." and steps:
            at += 1
        found = _STEP.match(text, at)
        if found is None:
            raise ConfigError(f"{where}: {text!r} is no path (place {at}); write keys with dots, elements as [].")
        steps.append(found[0])
        at = found.end()
    return tuple(steps)


def parse_rules(where: str, value: object) -> Rules:
    """The option `rules`: {path: {key: value}}. Raises ConfigError, UnknownName naming path and key."""
    if not isinstance(value, Mapping):
        raise ConfigError(f"{where}: rules must be tables by path, not {value!r}.")
    return Rules(
        tuple((parse_path(f"{where}: rules", path), _rule(where, path, settings)) for path, settings in value.items())
    )


def parse_paths(where: str, name: str, value: object) -> tuple[tuple[str, ...], ...]:
    """An option that lists paths. Raises ConfigError."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise ConfigError(f"{where}: {name} must be a list of paths, not {value!r}.")
    return tuple(parse_path(f"{where}: {name}", path) for path in value)


def _rule(where: str, path: str, settings: object) -> Rule:
    place = f'{where}: rules: "{path}"'
    if not isinstance(settings, Mapping):
        raise ConfigError(f"{place}: must be a table, not {settings!r}.")
    for key in settings:
        if key not in KEYS:
            raise UnknownName(place, "key", key, KEYS)
    for flag in ("ignore", "optional"):
        if not isinstance(settings.get(flag, False), bool):
            raise ConfigError(f"{place}: {flag} must be true or false, not {settings[flag]!r}.")
    rtol, atol = (number(place, name, settings.get(name, 0.0)) for name in ("rtol", "atol"))
    if not 0 <= rtol < 1 or atol < 0:
        raise ConfigError(f"{place}: rtol must be at least 0 and below 1, atol at least 0.")
    array = settings.get("array", "sequence")
    if array not in ARRAYS:
        raise UnknownName(place, "array", str(array), ARRAYS)
    key = settings.get("key")
    if key is not None and (not isinstance(key, str) or not key):
        raise ConfigError(f"{place}: key must be the name of a key, not {key!r}.")
    return Rule(
        path=path,
        ignore=settings.get("ignore", False),
        optional=settings.get("optional", False),
        rtol=rtol,
        atol=atol,
        array=array,
        key=key,
        pattern=regex(place, "pattern", settings["pattern"]) if "pattern" in settings else None,
        canonical=parse_forms(place, settings["canonical"]) if "canonical" in settings else None,
    )


def regex(where: str, name: str, value: object) -> re.Pattern[str]:
    """A regular expression from a suite file. Raises ConfigError where it is none."""
    if not isinstance(value, str):
        raise ConfigError(f"{where}: {name} must be a regular expression, not {value!r}.")
    try:
        return re.compile(value)
    except re.error as exc:
        raise ConfigError(f"{where}: {name} {value!r} is no regular expression: {exc}.") from exc
