"""Numbers in any form, with their units, currencies and scale words; times of day; what two of them have in common.

A quantity is its value in the base unit of what it measures: 5 km and 5,000 metres are both 5000 of length. Conversions
are exact factors (International System of Units, 9th edition; international yard and pound of 1959).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from harness.comparators._text.vocabulary import (
    CURRENCIES,
    FUNCTION,
    MONTHS,
    NUMBERS,
    ORDINALS,
    SCALES,
    UNITS,
    word_set,
)

LARGEST = 1e30
_NUMBER = re.compile(
    r"[+-]?(?:\d{1,3}(?:[,.]\d{3})+(?:[.,]\d{1,9})?|\d{1,15}(?:[.,]\d{1,9})?)(?:e[+-]?\d{1,2})?$", re.I
)
_FRACTION = re.compile(r"(\d{1,3})/(\d{1,3})$")
_WITH_UNIT = re.compile(r"([+-]?[\d.,]{1,24})(%|°[cf]|°|[a-zµ]{1,5}(?:/[a-z]{1,3})?|[a-z]{1,2}\d)$", re.I)
_MONEY = re.compile(r"([+-]?)(?:us|a|c|au|ca)?([$€£¥₹])([+-]?[\d.,]{1,24})(k|m|bn|b|mn|tn)?$", re.I)
_MONEY_BEHIND = re.compile(r"([+-]?[\d.,]{1,24})([$€£¥₹])$")
_CLOCK = re.compile(r"(\d{1,2})[:.h](\d{2})(?::(\d{2}))?(am|pm)?$", re.I)
_HALF_DAY = re.compile(r"(\d{1,2})(am|pm)$", re.I)
_ORDINAL = re.compile(r"(\d{1,9})(?:st|nd|rd|th)$", re.I)
_RANGE = re.compile(r"(\d{1,9}(?:\.\d{1,4})?)-(\d{1,9}(?:\.\d{1,4})?)$")
_ROMAN = re.compile(r"(?=[IVX]{2})(?:X{0,3})(?:IX|IV|V?I{0,3})$")
_SHORT_SCALES = {"k": 1e3, "m": 1e6, "mn": 1e6, "b": 1e9, "bn": 1e9, "tn": 1e12}
MONTH_NAMES = {number: name for name, number in MONTHS.items() if len(name) > 4 or name in ("may", "june", "july")}
_FRACTIONS = {
    "half": 0.5,
    "quarter": 0.25,
    "quarters": 0.25,
    "third": 1 / 3,
    "thirds": 1 / 3,
    "fifth": 0.2,
    "tenth": 0.1,
}
_FOREIGN: Mapping[str, float] = MappingProxyType(
    {
        word: float(value)
        for words in (
            "zwei=2 drei=3 vier=4 funf=5 sechs=6 sieben=7 acht=8 neun=9 zehn=10 zwolf=12 zwanzig=20 hundert=100",
            "tausend=1000 deux=2 trois=3 quatre=4 cinq=5 huit=8 neuf=9 dix=10 vingt=20",
            "dos=2 tres=3 cuatro=4 cinco=5 seis=6 siete=7 ocho=8 nueve=9 diez=10 veinte=20 mil=1000",
            "due=2 tre=3 quattro=4 cinque=5 twee=2 drie=3 vijf=5",
            "一=1 二=2 两=2 三=3 四=4 五=5 六=6 七=7 八=8 九=9 十=10",
        )
        for word, value in (pair.split("=") for pair in words.split())
    }
)
_MORE_UNITS: Mapping[str, tuple[str, float]] = MappingProxyType(
    {
        "km/h": ("speed", 1 / 3.6),
        "kmh": ("speed", 1 / 3.6),
        "kph": ("speed", 1 / 3.6),
        "m/s": ("speed", 1.0),
        "mph": ("speed", 0.44704),
        "µg": ("mass", 1e-9),
        "μg": ("mass", 1e-9),
        "mcg": ("mass", 1e-9),
        "microgram": ("mass", 1e-9),
        "micrograms": ("mass", 1e-9),
        "stunden": ("time", 3600.0),
        "stunde": ("time", 3600.0),
        "minuten": ("time", 60.0),
        "tage": ("time", 86400.0),
        "tagen": ("time", 86400.0),
        "heures": ("time", 3600.0),
        "jours": ("time", 86400.0),
        "horas": ("time", 3600.0),
        "dias": ("time", 86400.0),
        "cl": ("volume", 0.01),
        "dl": ("volume", 0.1),
        "m2": ("area", 1.0),
        "km2": ("area", 1e6),
        "hectare": ("area", 1e4),
        "hectares": ("area", 1e4),
        "ha": ("area", 1e4),
        "acre": ("area", 4046.8564224),
        "acres": ("area", 4046.8564224),
        "kw": ("power", 1e3),
        "mw": ("power", 1e6),
        "watt": ("power", 1.0),
        "watts": ("power", 1.0),
        "kwh": ("energy", 3.6e6),
        "mwh": ("energy", 3.6e9),
        "kcal": ("energy", 4184.0),
        "kj": ("energy", 1e3),
        "hz": ("frequency", 1.0),
        "khz": ("frequency", 1e3),
        "mhz": ("frequency", 1e6),
        "ghz": ("frequency", 1e9),
        "percentage_points": ("percentage points", 1.0),
        "pp": ("percentage points", 1.0),
        "bps": ("percentage points", 0.01),
        "inches": ("length", 0.0254),
        "yd": ("length", 0.9144),
        "nm": ("length", 1e-9),
        "°": ("degrees", 1.0),
        "degree": ("degrees", 1.0),
        "degrees": ("degrees", 1.0),
        "bit": ("bits", 1.0),
        "bits": ("bits", 1.0),
        "byte": ("data", 1.0),
        "bytes": ("data", 1.0),
    }
)
_BEGINNINGS = frozenset((*NUMBERS, *ORDINALS, *_FOREIGN, *MONTHS, *CURRENCIES)) | word_set(
    "minus negative a an half noon midday midnight"
)
_HALF = ["and", "a", "half"]
_LONE = word_set("c f h l m g s")  # words that are units only behind a number that is one


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """value: in the base unit of `of` ("" for a bare number). factor: from the unit as written to the base. step: the
    size of the last digit, in the unit as written. weak: a word that often is no number. ordinal: it counts places and
    takes no unit. literal: what is compared instead of the value, None where the value is.

    other: a second reading ("1.250" may be 1250), None where there is none. pieces: how many it was read from.
    """

    value: float
    of: str = ""
    factor: float = 1.0
    step: float = 1.0
    weak: bool = False
    ordinal: bool = False
    literal: str | None = None
    other: float | None = None
    pieces: int = 1

    @property
    def key(self) -> str:
        return self.literal or f"#{self.of}:{self.value:.9g}"


def agree(one: Quantity, other: Quantity) -> bool:
    """Whether two quantities are one: the same value of the same thing, within rounding where units were converted."""
    if one.literal or other.literal:
        return one.literal == other.literal
    if {one.of, other.of} == {"", "time of day"}:
        hour, clock = (one, other) if not one.of else (other, one)
        return 0 <= hour.value <= 24 and hour.value * 3600 == clock.value
    if one.of != other.of and {one.of, other.of} != {"", "share"}:
        return False
    if any(
        math.isclose(a, b, rel_tol=1e-9)
        for a in (one.value, one.other)
        for b in (other.value, other.other)
        if a is not None and b is not None
    ):
        return True
    if one.factor == other.factor or one.of == "time of day":
        return False
    return _rounds_to(one, other) and _rounds_to(other, one)


def _rounds_to(one: Quantity, other: Quantity) -> bool:
    return abs(one.value - other.value) <= 0.5001 * other.step * other.factor


def may_count(word: str) -> bool:
    """Whether a quantity may begin with a word: a quick look before a long one."""
    return word.lower() in _BEGINNINGS or (word[0] in "IVX" and len(word) > 1)


def quantities_in(pieces: Sequence[str], before: str = "") -> Quantity | None:
    """The quantity that a list of pieces begins with; None where it begins with none. before: the piece ahead of it."""
    number = _number(pieces, before)
    if number is None or number.ordinal:
        return number
    number = _and_half(number, pieces)
    return _measured(number, pieces) if not number.of and number.literal is None else _longer(number, pieces)


def _and_half(number: Quantity, pieces: Sequence[str]) -> Quantity:
    """With the half behind it: two and a half."""
    if number.of or number.literal or [piece.lower() for piece in pieces[number.pieces : number.pieces + 3]] != _HALF:
        return number
    return Quantity(value=number.value + 0.5, step=0.5, pieces=number.pieces + 3)


def _number(pieces: Sequence[str], before: str) -> Quantity | None:
    first = pieces[0]
    low = first.lower()
    if not low[0].isdigit() and low[0] not in "+-$€£¥₹" and not first.isalpha():
        return _money(low)
    if first.isalpha():
        return _from_words(pieces, before)
    if low in "$€£¥₹" and len(pieces) > 1:
        after = _plain(pieces[1])
        if after is None:
            return None
        scale = SCALES.get(pieces[2].lower()) if len(pieces) > 2 else None
        return Quantity(value=after.value * (scale or 1), of=f"money {CURRENCIES[low]}", pieces=3 if scale else 2)
    return (
        _clock(low, pieces)
        or _money(low, pieces)
        or _ordinal(low)
        or _fraction(low)
        or _scaled(_plain(first, before if _may_be_versioned(before, pieces[1:2]) else ""), pieces)
        or _attached(first)
    )


def _plain(written: str, before: str = "") -> Quantity | None:
    if not _NUMBER.match(written):
        return None
    return _plainly(written, before)


@lru_cache(maxsize=16384)
def _plainly(written: str, before: str) -> Quantity:
    digits, _, power = written.lower().partition("e")
    other = None
    dot, comma = digits.rfind("."), digits.rfind(",")
    if dot >= 0 and comma >= 0:
        thousands, mark = (",", ".") if dot > comma else (".", ",")
        digits = digits.replace(thousands, "").replace(mark, ".")
    elif comma >= 0:
        behind = len(digits) - comma - 1
        if behind == 3 and not digits.lstrip("+-").startswith("0"):
            other = float(digits.replace(",", ".")) if digits.count(",") == 1 else None
            digits = digits.replace(",", "")
        else:
            digits = digits.replace(",", ".")
    elif digits.count(".") > 1:
        digits = digits.replace(".", "")
    elif dot >= 0 and len(digits) - dot - 1 == 3 and not digits.lstrip("+-").startswith("0"):
        other = float(digits.replace(".", ""))
    try:
        value = float(digits) * (10.0 ** int(power or 0))
    except (ValueError, OverflowError):
        return Quantity(value=0.0, literal=written)
    decimals = len(digits.partition(".")[2])
    literal = None
    if before and "." in written and not power:
        literal = f"version {written}"  # Python 3.1 is not Python 3.10
    return Quantity(value=value, step=10.0**-decimals, literal=literal, other=other)


def _may_be_versioned(before: str, behind: Sequence[str]) -> bool:
    """Whether a number behind this word may be a version: "Python 3.1", not "About 1.5 million"."""
    low = before.lower()
    if low == "version":
        return True
    if not (before[:1].isupper() and before[1:2].islower()) or low in FUNCTION or low in CURRENCIES:
        return False
    return not behind or not (behind[0].lower() in SCALES or is_unit(behind[0]) or behind[0] in "$€£¥₹%")


def _scaled(number: Quantity | None, pieces: Sequence[str]) -> Quantity | None:
    """With a scale word behind it: 2.5 million."""
    if number is None or number.literal or len(pieces) < 2:
        return number
    scale = SCALES.get(pieces[1].lower())
    if scale is None:
        return number
    return Quantity(value=number.value * scale, step=number.step * scale, pieces=2)


def _from_words(pieces: Sequence[str], before: str) -> Quantity | None:
    """Number words: "one hundred and five", "a third of", "half an hour", "minus 5", "XIV"."""
    low = pieces[0].lower()
    if low in ("minus", "negative") and len(pieces) > 1:
        after = _plain(pieces[1])
        return None if after is None else Quantity(value=-after.value, step=after.step, pieces=2)
    if low in CURRENCIES and len(low) == 3 and len(pieces) > 1 and low != "yen":
        after = _scaled(_plain(pieces[1]), pieces[1:])
        if after is not None and not after.literal:
            return Quantity(value=after.value, of=f"money {CURRENCIES[low]}", step=after.step, pieces=1 + after.pieces)
    if low in ("a", "an", "one", "two", "three") and len(pieces) > 1:
        part = _FRACTIONS.get(pieces[1].lower())
        times = NUMBERS.get(low, 1.0)
        behind = pieces[2].lower() if len(pieces) > 2 else ""
        if part is not None and (behind == "of" or low != "a" or part == 0.5) and behind not in ("time", "party"):
            return Quantity(value=times * part, pieces=2, step=1e-6)
        if low in ("a", "an") and pieces[1].lower() in ("hundred", "thousand", "million", "billion", "dozen"):
            value = SCALES.get(pieces[1].lower(), 12.0)
            return Quantity(value=value, pieces=2, step=value)
        if low in ("a", "an"):
            return _hour_and_half(pieces)
    if low == "half":
        more = 1 if len(pieces) > 1 and pieces[1].lower() in ("a", "an") else 0
        return Quantity(value=0.5, pieces=1 + more, step=0.5)
    if low in ("noon", "midday", "midnight"):
        return Quantity(value=0.0 if low == "midnight" else 43200.0, of="time of day")
    if low in NUMBERS:
        return _counted(pieces)
    if low in ORDINALS:
        return Quantity(value=ORDINALS[low], weak=low in ("first", "second"), ordinal=True)
    if low in _FOREIGN:
        return Quantity(value=float(_FOREIGN[low]))
    if _ROMAN.match(pieces[0]) and len(pieces[0]) > 1:
        digits = [{"I": 1, "V": 5, "X": 10}[char] for char in pieces[0]]
        value = sum(-a if a < b else a for a, b in zip(digits, [*digits[1:], 0], strict=True))
        return Quantity(value=float(value))
    if low in MONTHS and (len(low) > 3 or pieces[0][0].isupper()) and (low != "may" or pieces[0] == "May"):
        dated = before[:1].isdigit() or (len(pieces) > 1 and pieces[1][:1].isdigit())
        return Quantity(value=float(MONTHS[low]), literal=f"month {MONTHS[low]}") if dated or len(low) > 4 else None
    return None


def _hour_and_half(pieces: Sequence[str]) -> Quantity | None:
    low = [piece.lower() for piece in pieces[:5]]
    unit = UNITS.get(low[1]) if len(low) > 1 else None
    if unit is not None and low[2:5] == ["and", "a", "half"]:
        return Quantity(value=1.5 * unit[1], of=unit[0], factor=unit[1], step=0.5, pieces=5)
    return None


def _counted(pieces: Sequence[str]) -> Quantity:
    total, current, used, place = 0.0, 0.0, 0, 0
    last = math.inf
    while place < len(pieces):
        low = pieces[place].lower()
        ahead = pieces[place + 1].lower() if place + 1 < len(pieces) else ""
        if low == "-" and used and (ahead in NUMBERS or ahead in ORDINALS):
            place += 1
            continue
        if used and 20 <= last <= 90 and ORDINALS.get(low, 10) < 10:  # twenty-first
            return Quantity(value=total + current + ORDINALS[low], pieces=place + 1, ordinal=True)
        if low == "and" and used and last >= 100 and ahead in NUMBERS:
            place += 1
            continue
        if low in NUMBERS and NUMBERS[low] < last and not (used and last < 20) and NUMBERS[low] != 0.5:
            if used and last < 100 and NUMBERS[low] >= 10:
                break
            current += NUMBERS[low]
            last = NUMBERS[low]
        elif low in SCALES and used:
            if SCALES[low] == 100:
                current *= 100
            else:
                total += current * SCALES[low]
                current = 0.0
            last = SCALES[low]
        else:
            break
        place += 1
        used = place
    value = total + current
    return Quantity(value=value, weak=pieces[0].lower() == "one" and used == 1, pieces=used or 1)


def _clock(low: str, pieces: Sequence[str]) -> Quantity | None:
    after = pieces[1].lower().replace(".", "") if len(pieces) > 1 else ""
    found = _CLOCK.match(low)
    half = found[4] if found else None
    if found and ("." not in low or half or after in ("am", "pm", "uhr")):
        hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
        if hour > 24 or minute > 59:
            return None
    else:
        found = _HALF_DAY.match(low)
        if found:
            half = found[2]
        elif not (low.isdecimal() and len(low) <= 2 and after in ("am", "pm", "uhr", "o'clock", "oclock")):
            return None
        hour, minute, second = int(found[1] if found else low), 0, 0
    more = 0
    if half is None and after in ("am", "pm", "uhr"):
        half, more = after, 1
    elif after in ("o'clock", "oclock"):
        more = 1
    if half == "pm" and hour < 12:
        hour += 12
    elif half == "am" and hour == 12:
        hour = 0
    return Quantity(value=3600.0 * hour + 60 * minute + second, of="time of day", pieces=1 + more)


def _money(low: str, pieces: Sequence[str] = ()) -> Quantity | None:
    found = _MONEY.match(low)
    if found:
        number = _plain(found[1] + found[3])
        if number is None:
            return None
        currency = "usd" if low.startswith("us$") else CURRENCIES[found[2]]
        if low[0] in "ac" and found[2] == "$":
            currency = "aud" if low[0] == "a" else "cad"
        scale = _SHORT_SCALES.get(found[4] or "", 1.0)
        more = SCALES.get(pieces[1].lower()) if len(pieces) > 1 and not found[4] else None
        scale *= more or 1.0
        value, step = number.value * scale, number.step * scale
        return Quantity(value=value, of=f"money {currency}", step=step, other=number.other, pieces=2 if more else 1)
    found = _MONEY_BEHIND.match(low)
    number = _plain(found[1]) if found else None
    if found is None or number is None:
        return None
    return Quantity(value=number.value, of=f"money {CURRENCIES[found[2]]}", step=number.step, other=number.other)


def _ordinal(low: str) -> Quantity | None:
    found = _ORDINAL.match(low)
    return Quantity(value=float(found[1]), ordinal=True) if found else None


def _fraction(low: str) -> Quantity | None:
    found = _FRACTION.match(low)
    if found is None or int(found[2]) == 0 or int(found[1]) >= int(found[2]):
        return None
    return Quantity(value=int(found[1]) / int(found[2]), step=1e-6)


def _attached(written: str) -> Quantity | None:
    """A unit that touches its number: 5km, 10%, 1.5M, 20MB."""
    found = _WITH_UNIT.match(written)
    number = _plain(found[1]) if found else None
    if found is None or number is None:
        return None
    if found[2] == "%":
        return Quantity(value=number.value / 100, of="share", factor=0.01, step=number.step)
    unit = _unit(found[2].lower()) if found[2] != "M" else None
    if unit is not None:
        return _in_unit(number, unit, 1)
    scale = _SHORT_SCALES.get(found[2].lower())
    return Quantity(value=number.value * scale, step=number.step * scale) if scale else None


def _unit(word: str) -> tuple[str, float] | None:
    return UNITS.get(word) or _MORE_UNITS.get(word)


def is_unit(word: str) -> bool:
    return _unit(word.lower()) is not None


def _measured(number: Quantity, pieces: Sequence[str]) -> Quantity:
    """With the unit, the currency or the per cent behind it."""
    at = number.pieces
    behind = [piece.lower() for piece in pieces[at : at + 4]]
    if not behind:
        return number
    if behind[0] == "-" and len(behind) > 1 and _unit(behind[1]) is not None:  # a 5-mile walk
        at, behind = at + 1, behind[1:]
    if (
        behind[0] in ("degrees", "degree", "°", "deg")
        and len(behind) > 1
        and behind[1] in ("celsius", "fahrenheit", "c", "f")
    ):
        at, behind = at + 1, behind[1:]
    if behind[0] in CURRENCIES:
        return _money_of(number, CURRENCIES[behind[0]], at + 1)
    if behind[0] == "us" and behind[1:2] in (["dollars"], ["dollar"]):
        return _money_of(number, "usd", at + 2)
    if behind[0] in ("%", "percent", "pct", "prozent"):
        return _share(number, at + 1)
    if behind[:2] == ["per", "cent"]:
        return _share(number, at + 2)
    unit = _unit(behind[0])
    if unit is None or (number.weak and behind[0] in _LONE):
        return number
    if unit[0] == "length" and behind[1:3] in (["per", "hour"], ["an", "hour"], ["per", "second"]):
        seconds = 3600.0 if behind[2] == "hour" else 1.0
        return _in_unit(number, ("speed", unit[1] / seconds), at + 3)
    return _longer(_in_unit(number, unit, at + 1), pieces)


def _money_of(number: Quantity, currency: str, pieces: int) -> Quantity:
    cents = currency == "usd_cent"
    value = number.value / 100 if cents else number.value
    of = "money usd" if cents else f"money {currency}"
    return Quantity(value=value, of=of, step=number.step, other=number.other, pieces=pieces)


def _share(number: Quantity, pieces: int) -> Quantity:
    return Quantity(value=number.value / 100, of="share", factor=0.01, step=number.step, pieces=pieces)


def _in_unit(number: Quantity, unit: tuple[str, float], pieces: int) -> Quantity:
    of, factor = unit
    if of == "percent":
        return _share(number, pieces)
    if of == "fahrenheit":
        value, of, factor = (number.value - 32) / 1.8, "temperature", 1 / 1.8
    elif of == "celsius":
        value, of = number.value, "temperature"
    else:
        value = number.value * factor
    other = number.other * factor if number.other is not None and of != "temperature" else None
    return Quantity(value=value, of=of, factor=factor, step=number.step, other=other, pieces=pieces)


def _longer(number: Quantity, pieces: Sequence[str]) -> Quantity:
    """With a smaller unit of the same kind behind it: 1 h 30 min, 5 ft 3 in."""
    at = number.pieces
    if number.of not in ("time", "length", "months", "mass") or len(pieces) < at + 2:
        return number
    more = 1 if pieces[at].lower() in ("and", ",") else 0
    rest = pieces[at + more :]
    if len(rest) < 1 or not rest[0][:1].isdigit():
        return number
    after = quantities_in(rest[:2])
    if after is None or after.of != number.of or after.factor >= number.factor:
        return number
    value, used = number.value + after.value, at + more + after.pieces
    return Quantity(value=value, of=number.of, factor=after.factor, step=after.step, pieces=used)
