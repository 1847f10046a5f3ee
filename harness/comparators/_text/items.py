"""A text as items: words by what they mean, quantities by value and unit, addresses and code as they are written.

Where `words` reads a text for what is likely to be its answer, this reads it for what must not change: a sign, a unit,
a comma's place, a flag. Work is linear in the text: it is split at white space first, and only short pieces are matched
against patterns.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import lru_cache
from itertools import zip_longest

from harness.comparators._text.meanings import NEGATORS, PHRASES
from harness.comparators._text.quantities import MONTH_NAMES, Quantity, is_unit, may_count, quantities_in
from harness.comparators._text.spelling import stem
from harness.comparators._text.vocabulary import word_set
from harness.comparators._text.words import CACHED_TEXTS

LONGEST_PIECE = 200  # characters without white space that may be one address or identifier


class Sort(IntEnum):
    """What an item is. mark: a comma, a colon or the like, which is compared only between items that moved."""

    MARK = 0
    ARTICLE = 1
    WORD = 2
    NAME = 3
    QUANTITY = 4
    CODE = 5


@dataclass(frozen=True, slots=True)
class Item:
    """key: what is compared. form: folded, lower case. shown: as written."""

    key: str
    form: str
    shown: str
    sort: Sort
    quantity: Quantity | None = None

    @property
    def negates(self) -> bool:
        return self.form in NEGATORS


_ARTICLES = word_set(
    """
    a an the that this these those it its there of to do does did s d ll ve re m am be been being
    der die das den dem des ein eine einen einem einer le la les l un une du el los las una il lo gli de het een
    """
)
_STRIPPED = "\"'“”‘’«»()[]{}*_`.,;:!?…|¿¡。，、！？；：（）「」।"
_OPENED = "\"'“”‘’«»([{*_`|¿¡（「"
_OPERATOR = re.compile(r"(?:[<>=!]=?|[+\-*/%^&|~≤≥≠±→]|==|!=|<>|&&|\|\||->|=>)+$")
_ADDRESS = re.compile(
    r"(?:[a-z][a-z0-9+.-]{1,20}://\S+|www\.\S+"  # URL
    r"|[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}"  # e-mail
    r"|[~.]{0,2}/[\w.~/-]+|[A-Za-z]:\\\S+"  # path
    r"|v?\d{1,6}(?:\.\d{1,6}){2,7}(?:/\d{1,3})?"  # IP address, version
    r"|v\d{1,6}(?:\.\d{1,6})?"
    r"|--?[A-Za-z][\w-]*(?:=\S*)?"  # flag
    r"|\w+(?:::|->|\(\)|~)\w*|[a-z]+(?:_[a-z0-9]+)+|\w+\(\S*\)"  # name in a program
    r"|[A-Za-z]{1,12}-?\d[\w-]{0,24}|\d{1,12}[A-Za-z]{1,3}-?\d[\w-]{0,24})$"  # identifier
)
_LETTER = "(?:[^\\W\\d_]|[\u0900-\u0963\u0970-\u0d7f])"
_PARTS = re.compile(rf"{_LETTER}+(?:'{_LETTER}+)*|\d+(?:[.,:]\d+)*|[<>=!]=|[<>=+*/%^&|~≤≥≠$€£¥₹-]")
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})$")
_FOOT_NOTED = re.compile(r"[A-Z][a-z]{3,30}\d{1,3}$")  # "Gleeson1", the mark of a foot-note glued to a name
_YEARS = re.compile(r"([12]\d{3})-(\d{2})$")
_FOOT_NOTE = re.compile(r"\[\^?\d{1,3}\^?\]")
_WIDE_THOUSANDS = re.compile(r"(?<=\d)[\u00a0\u202f](?=\d{3}\b)")
_EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf]")
_ELIDED = {"n": "ne", "l": "", "d": "", "j": "", "c": "", "m": "", "t": "", "s": "", "qu": "", "dell": "", "all": ""}


@lru_cache(maxsize=CACHED_TEXTS)
def items(text: str) -> tuple[Item, ...]:
    """Every item of a text, articles and marks included."""
    pieces: list[tuple[str, str]] = []  # (what kind, as written)
    for piece in _clean(text).split():
        pieces += _taken_apart(piece)
    return tuple(_read(pieces))


def told(of: Sequence[Item]) -> str:
    return " ".join(item.shown for item in of)


def _clean(text: str) -> str:
    text = _FOOT_NOTE.sub(" ", _WIDE_THOUSANDS.sub("", text))
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKD", text.replace("’", "'").replace("‘", "'").replace("−", "-"))
    text = re.sub(r"(?<=\d)[–—](?=\d)", "-", text).replace("⁄", "/")
    return "".join(char for char in text if not unicodedata.combining(char) or char > "\u0900")


def _taken_apart(piece: str) -> list[tuple[str, str]]:
    if piece.isalpha() and piece.isascii():
        return [("word", piece)]
    if _OPERATOR.match(piece):
        return [("mark" if piece in "-*|&/" else "code", piece)]
    core = piece.lstrip(_OPENED).rstrip(_STRIPPED)
    if not core:
        return [("mark", piece[0])]
    behind = piece[piece.rindex(core) + len(core) :]
    found = _core(core)
    mark = next((char for char in behind if char in ",;:.!?。，"), None)
    if mark is not None:
        found.append(("mark", "," if mark == "，" else mark))
    return found


def _core(core: str) -> list[tuple[str, str]]:
    if core.isalpha() and core.isascii():
        return [("word", core)]
    day = _DAY.match(core)
    if day is not None and 1 <= int(day[2]) <= 12:
        return [("number", str(int(day[3]))), ("word", MONTH_NAMES[int(day[2])]), ("number", day[1])]
    if "/" in core and is_unit(core):
        return [("word", core)]
    if _FOOT_NOTED.match(core):
        core = core.rstrip("0123456789")
    if len(core) <= LONGEST_PIECE and _ADDRESS.match(core) and not quantities_in([core]):
        return [("code", core.rstrip("/"))]
    years = _YEARS.match(core)
    if years is not None:
        return [("number", years[1]), ("mark", "-"), ("number", years[1][:2] + years[2])]
    numeric = core[0] in "+-" or any(char.isdigit() for char in core)
    if numeric and len(core) <= LONGEST_PIECE and quantities_in([core]):
        return [("number", core)]
    found: list[tuple[str, str]] = []
    for part in _PARTS.findall(core):
        if part[0].isdigit():
            found.append(("number", part))
        elif part[0].isalpha() or part[0] > "\u0900":
            if _UNSPACED.search(part):
                found += [("word", char) for char in part]
            else:
                found += [("word", word) for word in _without_apostrophe(part)]
        elif part in "-/":
            found.append(("mark", part))
        else:
            found.append(("code", part))
    found += [("code", char) for char in _EMOJI.findall(core)]
    return found


def _without_apostrophe(word: str) -> list[str]:
    """ "can't" -> can not; "Eiffel's" -> Eiffel; "n'est" -> ne est; "O'Neill" as it is."""
    if "'" not in word:
        return [word]
    low = word.lower()
    if low.endswith("n't"):
        return [{"ca": "can", "wo": "will", "sha": "shall"}.get(low[:-3], word[:-3]), "not"]
    before, after = word.split("'", 1)
    if after.lower() in ("s", "re", "ve", "ll", "d", "m"):
        return [before]
    if before.lower() in _ELIDED:
        elided = _ELIDED[before.lower()]
        return [elided, after] if elided else [after]
    return [before + after.replace("'", "")]


def _read(pieces: list[tuple[str, str]]) -> list[Item]:
    pieces = _phrased(pieces)
    found: list[Item] = []
    place = 0
    while place < len(pieces):
        what, shown = pieces[place]
        quantity = None
        if what == "number" or shown in "$€£¥₹" or (what == "word" and may_count(shown)):
            before = pieces[place - 1][1] if place else ""
            near = [one for _, one in pieces[place : place + 8]]
            quantity = quantities_in(near, before)
        if quantity is not None:
            found.append(_quantity(quantity, pieces, place))
            place += quantity.pieces
            continue
        found.append(_item(what, shown, leads=not found or found[-1].form in ".!?"))
        place += 1
    return _directed(found)


def _directed(found: list[Item]) -> list[Item]:
    """With "to" as a word of its own before a name or a number: to Milan is not from Milan."""
    return [
        replace(item, sort=Sort.WORD) if item.form == "to" and behind is not None and behind.sort >= Sort.NAME else item
        for item, behind in zip_longest(found, found[1:])
    ]


def _quantity(quantity: Quantity, pieces: list[tuple[str, str]], place: int) -> Item:
    shown = " ".join(one for _, one in pieces[place : place + quantity.pieces])
    return Item(quantity.key, shown.lower(), shown, Sort.QUANTITY, quantity)


def _phrased(pieces: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Several words that are one made one."""
    lows = [shown.lower() for _, shown in pieces]
    found: list[tuple[str, str]] = []
    place = 0
    while place < len(pieces):
        for phrase, instead in PHRASES.get(lows[place], ()):
            if tuple(lows[place : place + len(phrase)]) == phrase:
                found += [("word", word) for word in instead]
                place += len(phrase)
                break
        else:
            found.append(pieces[place])
            place += 1
    return found


def _item(what: str, shown: str, *, leads: bool) -> Item:
    if what == "mark":
        return Item(shown, shown, shown, Sort.MARK)
    if what in ("code", "number"):
        form = shown if "/" in shown or shown[0] in "-." else shown.casefold()  # -d and -D are two options
        return Item(form, form, shown, Sort.CODE)
    form = shown.lower()
    if form in _ARTICLES and not (shown.isupper() and len(shown) > 1):
        return Item(stem(form), form, shown, Sort.ARTICLE)
    named = shown[0].isupper() and (not leads or shown.isupper()) and form not in NEGATORS
    return Item(stem(form), form, shown, Sort.NAME if named else Sort.WORD)
