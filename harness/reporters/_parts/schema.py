"""JSON for the report types, and its JSON Schema: both follow the types, so neither can drift from them."""

from __future__ import annotations

import math
import numbers
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

from harness.core.case import Json

_SIMPLE: dict[type, dict[str, Json]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": ["number", "null"]},  # NaN and infinities have no form in JSON
    datetime: {"type": "string", "format": "date-time", "pattern": "Z$"},
    type(None): {"type": "null"},
}


def plain(value: object) -> Json:
    """A report, or any part of one, as JSON values.

    Fields keep their declared order and mappings are sorted. A float that is not finite becomes null, a time UTC with a
    Z, a lone surrogate U+FFFD, since strict JSON readers refuse it. Raises ValueError for a time without a zone,
    TypeError for a type that reports do not have.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, numbers.Integral):  # numpy's integers too: a count may come straight from an array
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, datetime):
        return _instant(value)
    if isinstance(value, Mapping):
        return {str(plain(str(key))): plain(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, tuple | list):
        return [plain(one) for one in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    raise TypeError(f"a report holds no {type(value).__name__}")


def schema_of(cls: type) -> dict[str, Json]:
    """Schema of a dataclass and of all it holds, as `$ref`s into `$defs`. Every field is required; more may come."""
    found: dict[str, Json] = {}
    _define(cls, found)
    return {"$ref": f"#/$defs/{cls.__name__}", "$defs": dict(sorted(found.items()))}


def _instant(value: datetime) -> str:
    if value.tzinfo is None:
        raise ValueError(f"{value.isoformat()} has no time zone")
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _define(cls: type, found: dict[str, Json]) -> None:
    if cls.__name__ in found:
        return
    found[cls.__name__] = None  # holds the place while its fields are walked
    hints = get_type_hints(cls)
    found[cls.__name__] = {
        "type": "object",
        "description": " ".join((cls.__doc__ or "").split()),
        "properties": {field.name: _of(hints[field.name], found) for field in fields(cls)},
        "required": [field.name for field in fields(cls)],
    }


def _of(hint: Any, found: dict[str, Json]) -> dict[str, Json]:
    if hint in _SIMPLE:
        return dict(_SIMPLE[hint])
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return {"anyOf": [_of(part, found) for part in parts]}
    if origin is tuple and len(parts) == 2 and parts[1] is Ellipsis:
        return {"type": "array", "items": _of(parts[0], found)}
    if origin is tuple:
        return {
            "type": "array",
            "prefixItems": [_of(part, found) for part in parts],
            "minItems": len(parts),
            "maxItems": len(parts),
        }
    if origin is Mapping:
        return {"type": "object", "additionalProperties": _of(parts[1], found)}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"enum": [str(member.value) for member in hint]}
    if isinstance(hint, type) and is_dataclass(hint):
        _define(hint, found)
        return {"$ref": f"#/$defs/{hint.__name__}"}
    raise TypeError(f"no JSON Schema for {hint!r}")
