"""Hold a table read from a file against its shape, and say what is wrong in words a suite owner can act on.

A shape is a JSON Schema (draft 2020-12) of which this file understands: type, enum, pattern, minLength, minimum,
maximum, exclusiveMinimum, exclusiveMaximum, properties, required, additionalProperties, propertyNames.pattern, items,
minItems. The same object is printed for editors, so that what they complete and what is accepted cannot differ.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from harness.errors import ConfigError, UnknownName

Shape: TypeAlias = Mapping[str, Any]

_WORDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "a table",
    "array": "a list",
}
_LIMITS = {
    "minimum": (operator.ge, "at least"),
    "exclusiveMinimum": (operator.gt, "more than"),
    "maximum": (operator.le, "at most"),
    "exclusiveMaximum": (operator.lt, "less than"),
}


def check(value: object, shape: Shape, *, place: str, key: str = "") -> None:
    """Raise where `value` does not have the shape; `place` names file and table, `key` the key within it.

    Raises UnknownName for an unknown key or word, listing those that exist and the nearest; ConfigError for a missing
    key, a wrong type or a value out of range. Text values are never printed: one of them may be a secret by mistake.
    """
    kind = shape.get("type")
    if kind is not None and not _is(value, kind):
        raise ConfigError(f"{_at(place, key)} must be {_WORDS[kind]}, not {_word(value)}.")
    if "enum" in shape and value not in shape["enum"]:
        raise UnknownName(place, key or "word", str(value), shape["enum"])
    if isinstance(value, Mapping):
        _check_table(value, shape, place=place, key=key)
    elif isinstance(value, list):
        _check_list(value, shape, place=place, key=key)
    elif isinstance(value, str):
        _check_text(value, shape, place=place, key=key)
    elif isinstance(value, int | float):
        _check_number(value, shape, place=place, key=key)


def nested(place: str, key: str) -> str:
    """The place of a table within a place: "suite.toml" and "prices" make "suite.toml, [prices]"."""
    if not key:
        return place
    file, bracket, tables = place.partition(", [")
    return f"{file}, [{tables.rstrip(']')}.{key}]" if bracket else f"{file}, [{key}]"


def _check_table(table: Mapping[str, object], shape: Shape, *, place: str, key: str) -> None:
    here = nested(place, key)
    known: Mapping[str, Shape] = shape.get("properties", {})
    others = shape.get("additionalProperties", True)
    pattern = shape.get("propertyNames", {}).get("pattern")
    for name, inner in table.items():
        if name in known:
            check(inner, known[name], place=here, key=name)
        elif others is False:
            raise UnknownName(here, "key", name, known)
        elif pattern and not re.search(pattern, name):
            raise ConfigError(f'{here}: "{name}" cannot be a name here; names look like {pattern}.')
        elif isinstance(others, Mapping):
            check(inner, others, place=here, key=name)
    for name in shape.get("required", ()):
        if name not in table:
            raise ConfigError(f'{here}: key "{name}" is missing.')


def _check_list(values: Sequence[object], shape: Shape, *, place: str, key: str) -> None:
    if len(values) < shape.get("minItems", 0):
        raise ConfigError(f"{_at(place, key)} needs at least {shape['minItems']} entries, not {len(values)}.")
    for index, value in enumerate(values, start=1):
        check(value, shape.get("items", {}), place=place, key=f"{key}, entry {index}")


def _check_text(value: str, shape: Shape, *, place: str, key: str) -> None:
    if len(value) < shape.get("minLength", 0):
        raise ConfigError(f"{_at(place, key)} must not be empty.")
    pattern = shape.get("pattern")
    if pattern and not re.search(pattern, value):
        raise ConfigError(f"{_at(place, key)} must be {shape.get('description', pattern)}.")


def _check_number(value: float, shape: Shape, *, place: str, key: str) -> None:
    for word, (fits, text) in _LIMITS.items():
        if word in shape and not fits(value, shape[word]):
            raise ConfigError(f"{_at(place, key)} must be {text} {shape[word]}, not {value}.")


def _is(value: object, kind: str) -> bool:
    match kind:
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":  # inf and nan are TOML numbers and mean nothing in any table here
            return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        case "string":
            return isinstance(value, str)
        case "array":
            return isinstance(value, list)
        case _:
            return isinstance(value, Mapping)


def _word(value: object) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    for kind, word in _WORDS.items():
        if _is(value, kind):
            return word
    return type(value).__name__


def _at(place: str, key: str) -> str:
    return f'{place}: key "{key}"' if key else f"{place}: the value"
