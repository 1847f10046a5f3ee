"""A JSON body held against a shape of AWS's own service model: members, types, ranges, lengths, unions.

Stricter than the cloud in one point: a member that the model does not know is refused everywhere, not only where the
cloud's own reader is strict. A request that we would not notice to be wrong is of no use to a test.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "blob": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
}


class Violation(Exception):
    """A request member breaks a constraint; the message is worded as AWS words it."""


def check(shapes: Mapping[str, Any], shape: Mapping[str, Any], value: Any, place: str, *, skip: frozenset[str]) -> None:
    """Raise Violation for the first constraint that `value` breaks. skip: members that travel outside the body."""
    if shape.get("document"):
        return
    kind = shape["type"]
    if not _fits(kind, value):
        raise Violation(f"STRING_VALUE can not be converted to {kind.capitalize()} at '{place or 'the body'}'")
    match kind:
        case "structure":
            _structure(shapes, shape, value, place, skip)
        case "list":
            _size(shape, len(value), value, place, "Member must have length")
            for index, item in enumerate(value, start=1):
                inner = shapes[shape["member"]["shape"]]
                check(shapes, inner, item, f"{place}.{index}.member", skip=frozenset())
        case "map":
            _size(shape, len(value), value, place, "Member must have length")
            for name, item in value.items():
                check(shapes, shapes[shape["value"]["shape"]], item, f"{place}.{name}", skip=frozenset())
        case "string":
            _size(shape, len(value), value, place, "Member must have length")
            if "enum" in shape and value not in shape["enum"]:
                raise worded(place, value, f"Member must satisfy enum value set: [{', '.join(shape['enum'])}]")
        case "integer" | "long" | "float" | "double":
            _size(shape, value, value, place, "Member must have value")


def _fits(kind: str, value: Any) -> bool:
    return isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def worded(place: str, value: Any, rule: str) -> Violation:
    """A refusal as AWS words it."""
    shown = str(value)[:200]
    return Violation(f"1 validation error detected: Value '{shown}' at '{place}' failed to satisfy constraint: {rule}")


def _structure(
    shapes: Mapping[str, Any], shape: Mapping[str, Any], value: dict[str, Any], place: str, skip: frozenset[str]
) -> None:
    members = {name: member for name, member in shape["members"].items() if name not in skip}
    here = f"{place}." if place else ""
    for name in shape.get("required", ()):
        if name in members and value.get(name) is None:
            raise worded(f"{here}{name}", "null", "Member must not be null")
    for name in value:
        if name not in members:
            raise Violation(
                f"Malformed input request: extraneous key [{name}] is not permitted at '{place or 'the body'}', please "
                "reformat your input and try again."
            )
    if shape.get("union") and len(value) != 1:
        raise Violation(f"The value at '{place}' is a union: exactly one member must be set, {len(value)} are.")
    for name, item in value.items():
        if item is not None:
            check(shapes, shapes[members[name]["shape"]], item, f"{here}{name}", skip=frozenset())


def _size(shape: Mapping[str, Any], size: float, value: Any, place: str, what: str) -> None:
    if "max" in shape and size > shape["max"]:
        raise worded(place, value, f"{what} less than or equal to {shape['max']}")
    if "min" in shape and size < shape["min"]:
        raise worded(place, value, f"{what} greater than or equal to {shape['min']}")
