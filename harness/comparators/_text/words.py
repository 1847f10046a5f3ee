"""A text as tokens and sentences: folded, stemmed, numbers by value, foot-note marks and glued words undone.

Everything here is one pass over the text with regular expressions that cannot backtrack, so its time grows with the
length of the text and with nothing else.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import lru_cache

from harness.comparators._text.spelling import stem
from harness.comparators._text.vocabulary import (
    ABBREVIATIONS,
    CURRENCIES,
    EVERYDAY,
    FUNCTION,
    MONTHS,
    NEGATORS,
    NUMBERS,
    ORDINALS,
    SCALES,
)

CACHED_TEXTS = 2048
_GLUED = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])|(?<=[a-z]{4})[.](?=[A-Z][a-z])")
_FOOT_NOTES = re.compile(r"\[\^?\d{1,3}\^?\]|(?<=[a-z]{4})\d{1,2}(?=[\s.,;:]|$)|[\u00b9\u00b2\u00b3\u2070-\u2079]+")
_TOKEN = re.compile(
    r"(?:[A-Z]\.){2,}[A-Z]?|\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|[^\W\d_]+(?:['’][^\W\d_]+)*|[$€£¥₹%]"
)
_UNSPACED = re.compile(  # scripts that write no spaces between words
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"
)
_STOP = re.compile(r"[.!?。！？।][\"'”’)\]]*(?:\s|$)|[。！？]|\n")
_ORDINAL_ENDINGS = ("st", "nd", "rd", "th")
_ROMAN = re.compile(r"(?=[IVXL]{2})(?:XL|L?X{0,3})(?:IX|IV|V?I{0,3})$")
_NUMERALS = {"I": 1, "V": 5, "X": 10, "L": 50}
_LARGEST = 1e30
# Numbers by form, and by use often something else; they compare as numbers and count as words.
_OFTEN_NO_NUMBER = {"one": "#1", "first": "#1", "second": "#2", "half": "#0.5"}


_MONTH_NAMES = {month: name for name, month in MONTHS.items() if len(name) > 4 or name in ("may", "june", "july")}


class Kind(IntEnum):
    """What a token is. everyday: a common word that seldom is the answer; rare: any other word."""

    FUNCTION = 0
    EVERYDAY = 1
    RARE = 2
    NAME = 3
    NUMBER = 4


# What a token weighs where nothing better is known: a stand-in for its rarity.
WEIGHTS = (0.05, 0.45, 1.0, 1.4, 1.4)


@dataclass(frozen=True, slots=True)
class Token:
    """form: folded, lower case. stem: what is compared; a number is "#" and its value. shown: as written.

    sentence: its number. value: of a number, else None. leads: the first word of its sentence, whose capital says
    nothing.
    """

    form: str
    stem: str
    shown: str
    kind: Kind
    sentence: int
    leads: bool
    capital: bool
    value: float | None
    start: int
    end: int

    @property
    def weight(self) -> float:
        return WEIGHTS[self.kind]


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """A text taken apart. sentences: (first, past the last) token of each. stems: those of content tokens.

    first: stem -> where it first stands. latin: the share of letters in the Latin script, 1 for none.
    """

    text: str
    tokens: tuple[Token, ...]
    sentences: tuple[tuple[int, int], ...]
    stems: frozenset[str]
    negators: int
    latin: float

    def sentence(self, index: int) -> tuple[Token, ...]:
        first, past = self.sentences[index]
        return self.tokens[first:past]

    def shown(self, index: int) -> str:
        """A sentence as written."""
        tokens = self.sentence(index)
        return self.text[tokens[0].start : tokens[-1].end]


@lru_cache(maxsize=CACHED_TEXTS)
def read(text: str) -> Words:
    """Tokens and sentences of any text, the empty one included."""
    clean = _clean(text)
    tokens: list[Token] = []
    sentences: list[tuple[int, int]] = []
    first, last_end, number = 0, 0, 0
    for start, end in _spans(clean):
        if tokens and _ends(clean, tokens[-1], last_end, start):
            sentences.append((first, len(tokens)))
            first, number = len(tokens), number + 1
        leads = len(tokens) == first
        tokens.append(_token(clean[start:end], number, leads, start, end))
        last_end = end
    if tokens:
        sentences.append((first, len(tokens)))
    joined = _joined(_dated(tokens))
    if len(joined) != len(tokens):
        sentences = _recounted(joined)
    return Words(
        text=clean,
        tokens=tuple(joined),
        sentences=tuple(sentences),
        stems=frozenset(token.stem for token in joined if token.kind is not Kind.FUNCTION),
        negators=negators(joined),
        latin=_latin(clean),
    )


def negators(tokens: Sequence[Token]) -> int:
    """How many tokens turn the sense around."""
    return len([token for token in tokens if token.form in NEGATORS or token.form[-3:] == "n't"])


def _latin(text: str) -> float:
    if text.isascii():
        return 1.0
    letters = [char for char in text[:2000] if char.isalpha()]
    return sum(char < "\u0250" for char in letters) / len(letters) if letters else 1.0


def _clean(text: str) -> str:
    """Compatibility forms and diacritics folded, foot-note marks taken out, glued words set apart."""
    if not text.isascii():
        text = _FOOT_NOTES.sub(" ", text)
        folded = unicodedata.normalize("NFKD", text.replace("’", "'").replace("‘", "'"))
        text = "".join(char for char in folded if not unicodedata.combining(char) or char > "\u0900")
    else:
        text = _FOOT_NOTES.sub(" ", text)
    return _GLUED.sub(" ", text)


def _spans(text: str) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for found in _TOKEN.finditer(text):
        start, end = found.span()
        if not text[start:end].isascii() and _UNSPACED.search(text, start, end):
            spans.extend((place, place + 1) for place in range(start, end))
        else:
            spans.append((start, end))
    return spans


def _ends(text: str, before: Token, end: int, start: int) -> bool:
    """Whether a sentence ends in the gap between two tokens."""
    gap = text[end:start]
    if gap in (" ", ", ", "-", "'"):
        return False
    if "\n" in gap:
        return True
    if _STOP.search(gap) is None:
        return False
    short = len(before.form) == 1 or before.form in ABBREVIATIONS
    return not (gap.startswith(".") and short and before.value is None)


@lru_cache(maxsize=65536)
def _word(shown: str) -> tuple[str, str, Kind, float | None]:
    """(form, stem, kind, value) of a token away from its place."""
    form = shown.lower().replace("’", "'")
    if shown[0].isdigit():
        return form, *_numeral(form)
    if "." in form:
        form = form.replace(".", "")
        return form, form, Kind.RARE, None
    if form.endswith("'s"):
        form = form[:-2]
    if form in _OFTEN_NO_NUMBER:
        return form, _OFTEN_NO_NUMBER[form], Kind.FUNCTION if form == "one" else Kind.EVERYDAY, None
    if form in NUMBERS:
        return form, f"#{NUMBERS[form]:g}", Kind.NUMBER, NUMBERS[form]
    if form in ORDINALS:
        return form, f"#{ORDINALS[form]:g}", Kind.NUMBER, ORDINALS[form]
    if _ROMAN.match(shown) and shown not in ("XX", "XXX"):
        value = float(_roman(shown))
        return form, f"#{value:g}", Kind.NUMBER, value
    if form in MONTHS and len(form) <= 4 and shown[0].isupper() and form != "june":
        form = _MONTH_NAMES[MONTHS[form]]
    if form in CURRENCIES or form in ("%", "percent", "pct"):
        return form, CURRENCIES.get(form, "percent"), Kind.EVERYDAY, None
    if form in FUNCTION or form.endswith("n't"):
        return form, form, Kind.FUNCTION, None
    return form, stem(form), Kind.EVERYDAY if form in EVERYDAY else Kind.RARE, None


def _numeral(form: str) -> tuple[str, Kind, float]:
    value = float(form.replace(",", "")[:300])
    return f"#{value:.12g}", Kind.NUMBER, value


def _roman(shown: str) -> int:
    values = [_NUMERALS[char] for char in shown]
    return sum(-value if value < after else value for value, after in zip(values, [*values[1:], 0], strict=True))


def _token(shown: str, sentence: int, leads: bool, start: int, end: int) -> Token:  # noqa: FBT001
    form, stemmed, kind, value = _word(shown)
    capital = shown[0].isupper()
    if capital and kind in (Kind.RARE, Kind.EVERYDAY) and not leads:
        kind = Kind.NAME
    return Token(form, stemmed, shown, kind, sentence, leads, capital, value, start, end)


def _dated(tokens: list[Token]) -> list[Token]:
    """Months by name in dates such as 2024-03-14."""
    for place in range(2, len(tokens)):
        year, month, day = tokens[place - 2 : place + 1]
        together = year.end + 1 == month.start and month.end + 1 == day.start
        if together and len(year.shown) == 4 and len(month.shown) == 2 and month.shown.isdecimal() and day.value:
            name = _MONTH_NAMES.get(int(month.shown))
            if name is not None and year.value is not None:
                tokens[place - 1] = replace(month, form=name, stem=stem(name), kind=Kind.NAME, value=None)
    return tokens


def _joined(tokens: list[Token]) -> list[Token]:
    """Number words and scale words made one number: "2.5 million", "twenty-one", "three hundred", "21st"."""
    made: list[Token] = []
    for token in tokens:
        before = made[-1] if made else None
        if before is not None and before.value is not None and before.sentence == token.sentence:
            value = _together(before.value, before, token)
            if value is not None:
                shown = f"{before.shown} {token.shown}" if token.form not in _ORDINAL_ENDINGS else before.shown
                made[-1] = Token(
                    before.form,
                    f"#{value:.12g}",
                    shown,
                    Kind.NUMBER,
                    before.sentence,
                    before.leads,
                    before.capital,
                    value,
                    before.start,
                    token.end,
                )
                continue
        made.append(token)
    return made


def _together(value: float, before: Token, token: Token) -> float | None:
    """The number that a number of this value and the token behind it are together; None where they are two things."""
    if value > _LARGEST:
        return None
    if token.form in SCALES:
        return value * SCALES[token.form]
    if token.form in _ORDINAL_ENDINGS and token.start == before.end:
        return value
    ones = NUMBERS.get(token.form)
    if before.form in NUMBERS and ones is not None and ones != 0.5:
        tens_and_ones = 20 <= value < 100 and value % 10 == 0 and ones < 10
        hundreds = value >= 100 and value % 100 == 0 and ones < 100
        if tens_and_ones or hundreds:
            return value + ones
    return None


def _recounted(tokens: list[Token]) -> list[tuple[int, int]]:
    starts = [place for place, token in enumerate(tokens) if place == 0 or token.sentence != tokens[place - 1].sentence]
    return list(zip(starts, [*starts[1:], len(tokens)], strict=True))
