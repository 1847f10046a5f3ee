"""Canonical forms: when two JSON scalars written differently are the same value.

Numbers are equal by value whatever their notation (4 and 4.0); the order of an object's keys never matters. What goes
further is named by the suite: `number` ("4" is 4), `date` ("May 20, 2024" is 2024-05-20), `whitespace`, `case`.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, date, datetime

from harness.core.case import Json
from harness.errors import ConfigError, UnknownName

FORMS = ("number", "date", "whitespace", "case")

# A leading zero makes an identifier of a text of digits, so that "007" is no number.
_NUMBER = re.compile(r"[+-]?(0|[1-9]\d{0,40})(\.\d{1,40})?([eE][+-]?\d{1,3})?")
_NAMES = "january february march april may june july august september october november december"
_MONTHS = {
    name[:length]: month
    for month, name in enumerate(_NAMES.split(), start=1)
    for length in {3, 4 if month == 9 else 3, len(name)}
}
_DAY_MONTH = re.compile(r"(\d{1,2})(?:st|nd|rd|th)? ([a-z]+)\.?,? (\d{4})")
_MONTH_DAY = re.compile(r"([a-z]+)\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})")
_YEAR_FIRST = re.compile(r"(\d{4})[/.](\d{1,2})[/.](\d{1,2})")


def parse_forms(where: str, value: object) -> tuple[str, ...]:
    """The option `canonical`, in the order of FORMS. Raises ConfigError, UnknownName."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise ConfigError(f"{where}: canonical must be a list of {', '.join(FORMS)}, not {value!r}.")
    for name in value:
        if name not in FORMS:
            raise UnknownName(where, "canonical form", str(name), FORMS)
    return tuple(form for form in FORMS if form in value)


def canonical(value: Json, forms: tuple[str, ...]) -> object:
    """A scalar in its canonical form, comparable with ==; see the head of this file.

    Booleans stay apart from numbers (True == 1 in Python), hence the pair.
    """
    if isinstance(value, bool) or value is None:
        return ("constant", value)
    if isinstance(value, int | float):
        return ("number", "nan" if value != value else value)
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} is no scalar")
    text = unicodedata.normalize("NFC", value)
    if "number" in forms and (number := _number(text.strip())) is not None:
        return ("number", number)
    if "date" in forms and (when := _date(text.strip())) is not None:
        return ("date", when)
    if "whitespace" in forms:
        text = " ".join(text.split())
    return ("text", text.casefold() if "case" in forms else text)


def key_of(value: Json) -> str:
    """A text that is the same for equal JSON values without any form: order of keys and 4 against 4.0 aside."""
    return json.dumps(_plain(value), sort_keys=True, ensure_ascii=False)


def _plain(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return unicodedata.normalize("NFC", value) if isinstance(value, str) else value


def _number(text: str) -> int | float | None:
    """Equal to the JSON number of the same notation: 0.1 as text and 0.1 as number are one float."""
    if not _NUMBER.fullmatch(text):
        return None
    return int(text) if text.lstrip("+-").isdigit() else float(text)


def _date(text: str) -> str | None:
    """ISO 8601, in UTC where it has an offset; None for what is no date or could be two (05/06/2024)."""
    if len(text) < 8 or text.isdigit():
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return _written_date(text.lower())
    if len(text) <= 10:
        return when.date().isoformat()
    try:
        return (when.astimezone(UTC) if when.tzinfo is not None else when).isoformat()
    except OverflowError:
        return None


def _written_date(text: str) -> str | None:
    if found := _DAY_MONTH.fullmatch(text):
        day, month, year = found[1], _MONTHS.get(found[2]), found[3]
    elif found := _MONTH_DAY.fullmatch(text):
        day, month, year = found[2], _MONTHS.get(found[1]), found[3]
    elif found := _YEAR_FIRST.fullmatch(text):
        day, month, year = found[3], int(found[2]), found[1]
    else:
        return None
    try:
        return None if month is None else date(int(year), month, int(day)).isoformat()
    except ValueError:
        return None
