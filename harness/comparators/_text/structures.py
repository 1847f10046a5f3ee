"""Answers that are no running prose: JSON by its values, tables cell by cell, lists item by item, citations by number.

What is asked for ("as JSON", "in a table", "rank") is read from the question: there another form, or another order, is
another answer. Elsewhere it only keeps two answers from being called the same.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html.parser import HTMLParser

from harness.comparators._text.items import Sort, items
from harness.comparators._text.near_copies import Found, Turn, compare_near

LONGEST = 200_000  # characters; a longer text is compared as prose
MOST_ITEMS = 2_000  # of a list or rows of a table
MOST_CITED = 200
_FENCED = re.compile(r"\s*(?:```|~~~)[ \t]*(?:json)?[ \t]*\n(.*)\n[ \t]*(?:```|~~~)\s*", re.S | re.I)
_RULE = re.compile(r"\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\s*")
_NUMBERED = re.compile(r"(?:^|(?<=[.;!?\n] ))[ \t]*\(?(\d{1,3})[.)][ \t]+", re.M)
_BULLETED = re.compile(r"^[ \t]*[-*•+][ \t]+", re.M)
_CITED = re.compile(r"\[(\d{1,3}(?:\s?[,;-]\s?\d{1,3}){0,9})\]")
_RANKED = re.compile(
    r"\b(?:rank\w*|order|ordered|sort\w*|top|steps?|sequence|first|priorit\w+|how (?:do|can|should|would|to)|"
    r"instructions?|procedure|timeline|chronolog\w+|ascending|descending)\b",
    re.I,
)
_WANTS_JSON = re.compile(r"\bjson\b", re.I)
_WANTS_TABLE = re.compile(r"\b(?:table|csv|spreadsheet)\b", re.I)
_NO_HEADER = re.compile(r"[\d.,%$€£ -]+")


@dataclass(frozen=True, slots=True)
class Table:
    """header: column names. rows: each as long as the header. around: the text that is no table."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    around: str


def compare_structures(question: str, source: str, target: str) -> Found | None:
    """What the form of two answers settles; None where they are prose, or where their words must be compared."""
    if max(len(source), len(target)) > LONGEST:
        return None
    return (
        _compare_json(question, source, target)
        or _compare_tables(question, source, target)
        or _compare_lists(question, source, target)
    )


def compare_citations(source: str, target: str) -> Found | None:
    """Where both cite by number and do not cite the same; a text without citations cites in another way, or not."""
    ours, theirs = ({one[1] for one in _cited(text)} for text in (source, target))
    if not ours or not theirs or ours == theirs:
        return None
    return Found(Turn.SUSPECT, (f"target cites {_listed(theirs)}, source cites {_listed(ours)}",))


def _cited(text: str) -> list[re.Match[str]]:
    return [found for found, _ in zip(_CITED.finditer(text), range(MOST_CITED), strict=False)]


def _listed(cited: set[str]) -> str:
    return ", ".join(f"[{one}]" for one in sorted(cited)[:10])


def _compare_json(question: str, source: str, target: str) -> Found | None:
    ours, theirs = _json(source), _json(target)
    if ours is None and theirs is None:
        return None
    if ours is None or theirs is None:
        side, other = ("target", "source") if ours is not None else ("source", "target")
        turn = Turn.DIFFERENT if _WANTS_JSON.search(question) else Turn.SUSPECT
        return Found(turn, (f"the {side}'s answer is not JSON, the {other}'s is",))
    said = _apart("$", ours, theirs)
    return Found(Turn.ALIKE) if said is None else Found(Turn.DIFFERENT, (said,))


def _json(text: str) -> dict[str, object] | list[object] | None:
    """An object or an array that is the whole text, alone or in one fenced block."""
    fenced = _FENCED.fullmatch(text) if text.lstrip()[:3] in ("```", "~~~") else None
    text = (fenced[1] if fenced else text).strip()
    if text[:1] not in ("{", "[") or text[-1:] not in ("}", "]"):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) else None


def _apart(path: str, ours: object, theirs: object) -> str | None:
    """The first place where two values differ, in words."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in (*ours, *(key for key in theirs if key not in ours)):
            if key not in theirs:
                return f"the target lacks {path}.{key}"
            if key not in ours:
                return f"the target adds {path}.{key}"
            if said := _apart(f"{path}.{key}", ours[key], theirs[key]):
                return said
        return None
    if isinstance(ours, list) and isinstance(theirs, list):
        if len(ours) != len(theirs):
            return f"at {path}, target has {len(theirs)} items, source {len(ours)}"
        for place, (mine, yours) in enumerate(zip(ours, theirs, strict=True)):
            if said := _apart(f"{path}[{place}]", mine, yours):
                return said
        return None
    if isinstance(ours, bool) is isinstance(theirs, bool) and ours == theirs:
        return None
    return f"at {path}, target says {json.dumps(theirs)[:60]}, source says {json.dumps(ours)[:60]}"


def _compare_tables(question: str, source: str, target: str) -> Found | None:
    ours, theirs = table(source), table(target)
    if ours is None and theirs is None:
        return None
    if ours is None or theirs is None:
        side, other = ("target", "source") if ours is not None else ("source", "target")
        turn = Turn.DIFFERENT if _WANTS_TABLE.search(question) else Turn.SUSPECT
        return Found(turn, (f"the {side}'s answer holds no table, the {other}'s does",))
    said = _rows_apart(ours, theirs, ranked=_RANKED.search(question) is not None)
    if said is not None:
        return Found(Turn.DIFFERENT, (said,))
    return Found(Turn.ALIKE) if not ours.around.strip() and not theirs.around.strip() else None


def _rows_apart(ours: Table, theirs: Table, *, ranked: bool) -> str | None:
    columns = {_plain(name): place for place, name in enumerate(theirs.header)}
    for name in ours.header:
        if _plain(name) not in columns:
            return f'the target\'s table has no column "{name}"'
    if len(theirs.header) > len(ours.header):
        extra = next((name for name in theirs.header if _plain(name) not in map(_plain, ours.header)), "")
        return f'the target\'s table has another column, "{extra}"'
    rows: dict[str, tuple[str, ...]] = {_plain(row[0]): row for row in theirs.rows}
    labels = [_plain(row[0]) for row in ours.rows]
    first = columns[_plain(ours.header[0])]
    if first != 0:
        rows = {_plain(row[first]): row for row in theirs.rows}
    for row in ours.rows:
        other = rows.get(_plain(row[0]))
        if other is None:
            return f'the target\'s table leaves out the row "{row[0]}"'
        for name, cell in zip(ours.header, row, strict=True):
            value = other[columns[_plain(name)]]
            if not _same(cell, value):
                said = f"target says {value or 'nothing'}, source says {cell or 'nothing'}"
                return f'in row "{row[0]}", column "{name}", {said}'
    added = next((label for label in rows if label not in labels), None)
    if added is not None:
        return f'the target\'s table adds the row "{rows[added][0]}"'
    if ranked and list(rows) != labels:
        return "the rows of the target's table stand in another order"
    return None


def _same(cell: str, other: str) -> bool:
    if _plain(cell) == _plain(other):
        return True
    near = compare_near(cell, other)
    return near is not None and near.turn is Turn.ALIKE


def _plain(text: str) -> str:
    return " ".join(text.replace("*", "").replace("`", "").split()).casefold()


def table(text: str) -> Table | None:
    """The first table of a text: Markdown, HTML, or lines that are all of them comma-separated values."""
    if "<table" in text[:LONGEST].lower():
        return _html(text)
    if "|" in text:
        return _markdown(text)
    return _csv(text)


def _markdown(text: str) -> Table | None:
    lines = text.splitlines()
    rule = next(
        (
            place
            for place in range(1, len(lines))
            if "|" in lines[place] and _RULE.fullmatch(lines[place].strip()[:500])
        ),
        None,
    )
    if rule is None:
        return None
    past = rule + 1
    while past < len(lines) and "|" in lines[past]:
        past += 1
    return _made(
        [_cells(line) for line in (lines[rule - 1], *lines[rule + 1 : past])],
        "\n".join((*lines[: rule - 1], *lines[past:])),
    )


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]


def _csv(text: str) -> Table | None:
    """At least three lines of as many commas each, and a first line that holds no numbers."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    commas = {line.count(",") for line in lines}
    if len(lines) < 3 or len(commas) != 1 or not 1 <= commas.pop() <= 50:
        return None
    rows = [[cell.strip() for cell in line.split(",")] for line in lines]
    if any(_NO_HEADER.fullmatch(cell) or (" " in cell and len(cell) > 30) for cell in rows[0]):
        return None
    return _made(rows, "")


class _Rows(HTMLParser):
    """Cells of the first table of a page, row by row, and the text around it."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.around: list[str] = []
        self._in_table = self._in_cell = self._past = False

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        if tag == "table" and not self._past:
            self._in_table = True
        elif self._in_table and tag == "tr":
            self.rows.append([])
        elif self._in_table and tag in ("td", "th"):
            self.rows = self.rows or [[]]
            self.rows[-1].append("")
            self._in_cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "table":
            self._past, self._in_table = self._past or self._in_table, False
        if tag in ("td", "th", "tr", "table"):
            self._in_cell = False

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.rows[-1][-1] += data
        elif not self._in_table:
            self.around.append(data)


def _html(text: str) -> Table | None:
    parser = _Rows()
    parser.feed(text)
    parser.close()
    return _made(parser.rows, " ".join(parser.around))


def _made(rows: list[list[str]], around: str) -> Table | None:
    rows = [row for row in rows if any(row)][:MOST_ITEMS]
    if len(rows) < 2 or not rows[0]:
        return None
    width = len(rows[0])
    padded = [tuple([*row, *[""] * width][:width]) for row in rows]
    return Table(padded[0], tuple(padded[1:]), around)


def _compare_lists(question: str, source: str, target: str) -> Found | None:
    ours, theirs = _list(source), _list(target)
    if ours is None or theirs is None:
        return None
    mine, yours = [_key(one) for one in ours.items], [_key(one) for one in theirs.items]
    if mine == yours or Counter(mine) != Counter(yours):
        return None
    place = next(place for place, (one, other) in enumerate(zip(mine, yours, strict=True)) if one != other)
    said = (
        f'the list stands in another order: at place {place + 1} target says "{_short(theirs.items[place])}", '
        f'source says "{_short(ours.items[place])}"'
    )
    if _RANKED.search(question):
        return Found(Turn.DIFFERENT, (said,))
    if ours.numbered and theirs.numbered:
        return Found(Turn.SUSPECT, (said,))
    return Found(Turn.ALIKE) if _key(ours.before) == _key(theirs.before) else None


@dataclass(frozen=True, slots=True)
class _List:
    items: tuple[str, ...]
    numbered: bool
    before: str


def _list(text: str) -> _List | None:
    """The items of a text that is a list, with or without words before it: numbered from 1, or bulleted."""
    numbers = [found for found, _ in zip(_NUMBERED.finditer(text), range(MOST_ITEMS), strict=False)]
    if len(numbers) >= 2 and [int(found[1]) for found in numbers] == list(range(1, len(numbers) + 1)):
        return _items_between(text, numbers, numbered=True)
    bullets = [found for found, _ in zip(_BULLETED.finditer(text), range(MOST_ITEMS), strict=False)]
    return _items_between(text, bullets, numbered=False) if len(bullets) >= 2 else None


def _items_between(text: str, marks: Sequence[re.Match[str]], *, numbered: bool) -> _List:
    ends = [*(found.start() for found in marks[1:]), len(text)]
    parts = tuple(text[found.end() : end].strip() for found, end in zip(marks, ends, strict=True))
    return _List(parts, numbered, text[: marks[0].start()].strip())


def _key(text: str) -> tuple[str, ...]:
    return tuple(item.key for item in items(text) if item.sort > Sort.ARTICLE)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else f"{text[:57]}..."
