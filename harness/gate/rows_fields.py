"""What one field of a row may say, whatever the file. Each raises Unfit with the end of a sentence about the field."""

from __future__ import annotations

import json
import math
from typing import Any

from harness.core.rows import STATUSES
from harness.gate.policy import UNNAMED_SLICE

FIELDS = (
    "case",
    "metric",
    "cluster",
    "value_target",
    "value_noise",
    "status_target",
    "status_source",
    "slices",
    "repeat",
    "run",
)
STATUS_CODES = {status.value: code for code, status in enumerate(STATUSES)}
_WORDS = {"nan": math.nan, "infinity": math.inf, "-infinity": -math.inf, "inf": math.inf, "-inf": -math.inf}


class Unfit(Exception):
    """What a field says, and must not."""


def name_of(value: Any) -> str:
    if isinstance(value, str) and value:
        return value
    if value is None:
        raise Unfit("is missing; every row names its case and its metric")
    raise Unfit("must not be empty" if value == "" else f"must be text, not {kind_of(value)}")


def optional_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value or None
    raise Unfit(f"must be text, not {kind_of(value)}")


def run_of(value: Any) -> str:
    return optional_text(value) or ""


def value_of(value: Any) -> float | None:
    if value is None or isinstance(value, float):
        return value
    if isinstance(value, int):  # true and false are 1 and 0
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    if isinstance(value, str) and value.strip().lower().removeprefix("+") in _WORDS:
        return _WORDS[value.strip().lower().removeprefix("+")]
    what = f'the text "{value[:20]}"' if isinstance(value, str) else kind_of(value)
    raise Unfit(f"must be a number, null, NaN, Infinity or -Infinity, not {what}")


def repeat_of(value: Any) -> int:
    if value is None:
        return 0
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not whole:
        raise Unfit(f"must be a whole number, not {value if isinstance(value, float) else kind_of(value)}")
    if not -(2**63) <= value < 2**63:
        raise Unfit("must be a whole number of at most 64 bits")
    return int(value)


def status_of(value: Any) -> int:
    if value is None:
        return 0
    if isinstance(value, str) and value in STATUS_CODES:
        return STATUS_CODES[value]
    what = f'"{value[:20]}"' if isinstance(value, str) else kind_of(value)
    raise Unfit(f"must be one of {', '.join(STATUS_CODES)}, not {what}")


def slices_of(value: Any) -> dict[str, str]:
    """An object of texts, or one text: "eu", "region=eu", or such an object written as text."""
    if value is None or value == "":
        return {}
    if isinstance(value, str):
        return _slices_in_text(value)
    if isinstance(value, list) and all(isinstance(pair, tuple) and len(pair) == 2 for pair in value):
        value = dict(value)  # a Parquet map
    if not isinstance(value, dict):
        raise Unfit(f"must be an object of texts or one text, not {kind_of(value)}")
    for key, inner in value.items():
        if inner is not None and not isinstance(inner, str):
            raise Unfit(f'must be an object of texts, and "{key}" is {kind_of(inner)}')
    return {key: inner for key, inner in value.items() if inner}


def _slices_in_text(text: str) -> dict[str, str]:
    if text.startswith("{"):
        try:
            inner = json.loads(text)
        except ValueError as exc:
            raise Unfit("begins like an object and is not JSON") from exc
        return slices_of(inner)
    key, equals, value = text.partition("=")
    return {key.strip(): value.strip()} if equals and key.strip() else {UNNAMED_SLICE: text}


def kind_of(value: Any) -> str:
    words = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list", dict: "an object"}
    return "null" if value is None else words.get(type(value), f"of type {type(value).__name__}")
