"""Two texts side by side: where they part, marked; the rest, plain.

Words and numbers are compared whole. Two numbers of the same form are marked from the first digit in which they
differ, because that digit says how large the difference is; two very long words only where they differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher

# Possessive quantifiers: a long run of digits that ends in a letter must not be tried at every length.
_TOKEN = re.compile(
    r"(?<![\w.])[+-]?(?:\d++\.?\d*+|\.\d++)(?:[eE][+-]?\d++)?+(?![\w.])"  # a number, no part of a word or a version
    r"|\w+|\s+|[^\w\s]"
)
_NUMBER = re.compile(r"([+-]?)(\d*+)(\.?)(\d*+)(?:[eE]([+-]?\d+))?")
_HASH = "sha256:"
_LONG = 24  # characters; a longer word is an address, a hash or no word at all
_MOST_PAIRS = (
    60_000  # tokens of one text times tokens of the other; beyond it the search for a better alignment is not worth it
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one text. An empty piece that differs is a place where only the other text has something.

    head: the beginning of the same number, before the digit in which it differs; it belongs to the text.
    """

    text: str
    differs: bool = False
    head: str = ""


Pieces = tuple[Piece, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The part of a text that is shown, and how many characters stand before and after it."""

    text: str
    before: int
    after: int


def windows(source: str, target: str, limit: int) -> tuple[Window, Window]:
    """At most `limit` characters of each text, placed so that the first difference is among them."""
    longest = max(len(source), len(target))
    start = 0
    if longest > limit and source != target:
        start = max(0, min(_first_difference(source, target) - limit // 3, longest - limit))
    return _window(source, start, limit), _window(target, start, limit)


def differences(source: str, target: str) -> tuple[Pieces, Pieces]:
    """Both texts cut into pieces; the pieces of each, joined, are the text.

    Made for a few thousand characters a text. Hashes of payloads are equal or different as a whole.
    """
    if source == target:
        return (Piece(source),), (Piece(target),)
    if source.startswith(_HASH) and target.startswith(_HASH):
        return (Piece(source, differs=True),), (Piece(target, differs=True),)
    left, right = _TOKEN.findall(source), _TOKEN.findall(target)
    source_pieces: list[Piece] = []
    target_pieces: list[Piece] = []
    for action, i1, i2, j1, j2 in _steps(left, right):
        if action == "equal":
            source_pieces.append(Piece("".join(left[i1:i2])))
            target_pieces.append(Piece("".join(right[j1:j2])))
        elif i2 - i1 == j2 - j1:
            for one, other in zip(left[i1:i2], right[j1:j2], strict=True):
                here, there = _pair(one, other)
                source_pieces += here
                target_pieces += there
        else:
            source_pieces.append(Piece("".join(left[i1:i2]), differs=True))
            target_pieces.append(Piece("".join(right[j1:j2]), differs=True))
    return _joined(source_pieces), _joined(target_pieces)


def _steps(left: list[str], right: list[str]) -> Iterable[tuple[str, int, int, int, int]]:
    """difflib's opcodes between common beginning and end; one replacement there where long texts share little."""
    most = min(len(left), len(right))
    head = next((at for at in range(most) if left[at] != right[at]), most)
    tail = next((at for at in range(most - head) if left[-1 - at] != right[-1 - at]), most - head)
    ends = len(left) - tail, len(right) - tail
    steps: list[tuple[str, int, int, int, int]] = [("equal", 0, head, 0, head)]
    if (ends[0] - head) * (ends[1] - head) <= _MOST_PAIRS:
        middle = SequenceMatcher(None, left[head : ends[0]], right[head : ends[1]], autojunk=False)
        steps += [
            (action, i1 + head, i2 + head, j1 + head, j2 + head) for action, i1, i2, j1, j2 in middle.get_opcodes()
        ]
    else:
        steps.append(("replace", head, ends[0], head, ends[1]))
    return [*steps, ("equal", ends[0], len(left), ends[1], len(right))]


def _pair(one: str, other: str) -> tuple[Pieces, Pieces]:
    """Two tokens in the same place: equal ones plain, others marked as far as they differ."""
    if one == other:
        return (Piece(one),), (Piece(other),)
    at = _first_differing_digit(one, other)
    if at:
        return (Piece(one[at:], differs=True, head=one[:at]),), (Piece(other[at:], differs=True, head=other[:at]),)
    if min(len(one), len(other)) <= _LONG:
        return (Piece(one, differs=True),), (Piece(other, differs=True),)
    head = _first_difference(one, other)
    tail = _first_difference(one[head:][::-1], other[head:][::-1])
    return _middle(one, head, tail), _middle(other, head, tail)


def _middle(token: str, head: int, tail: int) -> Pieces:
    end = len(token) - tail
    return Piece(token[:head]), Piece(token[head:end], differs=True), Piece(token[end:])


def _first_differing_digit(one: str, other: str) -> int:
    """Where two numbers of one form part; 0 where the tokens are no numbers or of different magnitude or notation."""
    left, right = _NUMBER.fullmatch(one), _NUMBER.fullmatch(other)
    if left is None or right is None:
        return 0
    same_form = left[1] == right[1] and len(left[2]) == len(right[2]) and left[5] == right[5]
    return _first_difference(one, other) if same_form else 0


def _joined(pieces: list[Piece]) -> Pieces:
    """Neighbours of one kind become one piece; a mark that is empty beside another mark is dropped."""
    joined: list[Piece] = []
    for piece in pieces:
        last = joined[-1] if joined else None
        if last is not None and last.differs == piece.differs and not piece.head:
            joined[-1] = Piece(last.text + piece.text, last.differs, last.head)
        elif piece.text or piece.differs:
            joined.append(piece)
    return tuple(joined)


def _first_difference(source: str, target: str) -> int:
    """Length of the common beginning, by halving: comparing slices is far faster than comparing characters."""
    low, high = 0, min(len(source), len(target))
    while low < high:
        middle = (low + high + 1) // 2
        if source[low:middle] == target[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _window(text: str, start: int, limit: int) -> Window:
    shown = text[start : start + limit]
    return Window(text=shown, before=min(start, len(text)), after=max(0, len(text) - start - limit))
