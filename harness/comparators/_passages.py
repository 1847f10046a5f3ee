"""Which retrieved passages of two sides are the same, by document and stretch of text; ids of chunks are never read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from harness.core.output import Hit

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Passages:
    """Both rankings under common names, best first, each name once: chunks that hold the same passage have one name."""

    source: tuple[str, ...]
    target: tuple[str, ...]


def same(one: Hit, other: Hit, overlap: float) -> bool:
    """Whether two passages share at least `overlap` of the shorter one; passages of other documents never do.

    By spans where both sides tell them, else by words.
    """
    if one.document != other.document:
        return False
    if one.span is not None and other.span is not None:
        shared = min(one.span[1], other.span[1]) - max(one.span[0], other.span[0])
        shorter = min(one.span[1] - one.span[0], other.span[1] - other.span[0])
        return shared >= overlap * shorter if shorter > 0 else one.span == other.span
    left, right = _words(one.text), _words(other.text)
    shorter = min(len(left), len(right))
    return len(left & right) >= overlap * shorter if shorter else left == right


def named(source: Sequence[Hit], target: Sequence[Hit], overlap: float) -> Passages:
    """Passages that match across the sides, at any remove, get one name: a large chunk and the small ones inside it."""
    names = list(range(len(source) + len(target)))

    def root(at: int) -> int:
        while names[at] != at:
            at = names[at]
        return at

    for i, one in enumerate(source):
        for j, other in enumerate(target):
            if same(one, other, overlap):
                left, right = sorted((root(i), root(len(source) + j)))
                names[right] = left
    left_names = dict.fromkeys(str(root(at)) for at in range(len(source)))
    right_names = dict.fromkeys(str(root(len(source) + at)) for at in range(len(target)))
    return Passages(tuple(left_names), tuple(right_names))


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))
