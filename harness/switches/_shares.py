"""Shares of traffic as programs say them: a number, or a small object."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from harness.core.traffic import Shares
from harness.errors import SwitchError


def shares_of(printed: bytes, what: str) -> Shares:
    """The shares that a command printed. Raises SwitchError where it is neither a number nor the JSON object."""
    try:
        told: Any = json.loads(printed)
    except ValueError as exc:
        raise SwitchError(
            f'{what} printed no share: print the target\'s percent, or JSON such as {{"target": 10}}.'
        ) from exc
    return shares_in(told, what)


def shares_in(told: Any, what: str) -> Shares:
    """The shares of a number (the target's percent), or of a mapping with "target", and "source", "mirror" if known."""
    if isinstance(told, Mapping):
        target, mirror = _whole(told.get("target")), _whole(told.get("mirror", 0))
        source = _whole(told["source"]) if "source" in told else None if target is None else 100 - target
    else:
        target, mirror = _whole(told), 0
        source = None if target is None else 100 - target
    if target is None or source is None or mirror is None:
        raise SwitchError(f'{what} says no share: a whole percent, or {{"target": 10, "source": 90, "mirror": 0}}.')
    return Shares(source=source, target=target, mirror=mirror)


def _whole(value: Any) -> int | None:
    """The number where it is a whole one; True and False are none."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if type(value) is int else None
