"""A shape (`harness.core.shape`) as a decoder of msgspec: says of JSON text whether it has the shape, and fast.

It says only that; what is wrong, and in which words, is for `core.shape.check` to tell of the text that is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import msgspec

from harness.core.shape import Shape


def fits(shape: Shape) -> Callable[[bytes], bool]:
    """A test of JSON text in UTF-8. False for what lacks the shape, and for what only lenient parsers call JSON."""
    decoder = msgspec.json.Decoder(_type(shape, "Root"))

    def test(text: bytes) -> bool:
        try:
            decoder.decode(text)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return False
        return True

    return test


def _type(shape: Shape, name: str) -> Any:
    match shape.get("type"):
        case "string":
            return Annotated[str, msgspec.Meta(min_length=shape.get("minLength", 0))]
        case "integer":
            return Annotated[int, msgspec.Meta(ge=shape["minimum"])] if "minimum" in shape else int
        case "number":
            return Annotated[float, msgspec.Meta(ge=shape["minimum"])] if "minimum" in shape else float
        case "boolean":
            return bool
        case "array":
            return list[_type(shape["items"], name)]  # type: ignore[misc]
        case "object":
            return _object(shape, name)
        case _:
            return Any


def _object(shape: Shape, name: str) -> Any:
    inner = shape.get("additionalProperties")
    if "properties" not in shape:
        return dict[str, _type(inner or {}, name)]  # type: ignore[misc]
    required = set(shape.get("required", ()))
    fields: list[Any] = []
    for key, one in shape["properties"].items():
        kind = _type(one, f"{name}_{key}")
        fields.append((key, kind) if key in required else (key, kind | msgspec.UnsetType, msgspec.UNSET))
    return msgspec.defstruct(name, fields, forbid_unknown_fields=inner is False, kw_only=True)
