"""Which items of two texts are opposites of each other, or another degree of one thing."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from harness.comparators._text.items import Item, Sort
from harness.comparators._text.meanings import DEGREES, NOT_OPPOSITE, OPPOSITE_PREFIXES, OPPOSITES
from harness.comparators._text.spelling import stem

LOOSE = frozenset(("period", "direction", "size", "colour"))
_PLACES = frozenset(("first", "last", "second"))


def flips(gone: Sequence[Item], come: Sequence[Item]) -> list[tuple[Item, Item]]:
    """Pairs of opposites, each item in one pair."""
    found = []
    left = list(come)
    for item in gone:
        other = next((one for one in left if opposite(item, one)), None)
        if other is not None:
            left.remove(other)
            found.append((item, other))
    return found


def opposite(item: Item, other: Item) -> bool:
    """Whether two items are opposites, in any form: "enabled" and "disabled", "safe" and "unsafe"."""
    if item.sort in (Sort.QUANTITY, Sort.CODE) and not {item.form, other.form} <= _PLACES:
        return False
    known = _opposites()
    for one in (item.form, item.key):
        others = known.get(one, ())
        if other.form in others or other.key in others:
            return True
    return _prefix_of(item.form, other.form) or _prefix_of(other.form, item.form)


@lru_cache(maxsize=1)
def _opposites() -> dict[str, frozenset[str]]:
    """OPPOSITES by every form. No stems: an employer and to employ share theirs."""
    found: dict[str, set[str]] = {}
    for word, others in OPPOSITES.items():
        for form in _forms(word):
            found.setdefault(form, set()).update(*map(_forms, others))
    return {form: frozenset(others) for form, others in found.items()}


def _forms(word: str) -> tuple[str, ...]:
    bare = word.removesuffix("e")
    return (word, f"{word}s", f"{bare}ed", f"{bare}ing")


def may_turn(key: str) -> bool:
    """Whether a word is listed as having an opposite or as a degree, or begins like the opposite of another one."""
    return key in _opposites() or key in DEGREES or (len(key) > 5 and key.startswith(OPPOSITE_PREFIXES))


def _prefix_of(form: str, base: str) -> bool:
    """Whether a word is another one with "un", "non" or the like before it, in any inflection."""
    if len(form) < 5 or len(base) < 3 or form in NOT_OPPOSITE:
        return False
    if form.startswith(OPPOSITE_PREFIXES):
        rests = [form[len(prefix) :] for prefix in OPPOSITE_PREFIXES if form.startswith(prefix)]
        return any(len(rest) > 2 and (rest == base or stem(rest) == stem(base)) for rest in rests)
    return base.endswith("ful") and form == base[:-3] + "less"


def degrees(gone: Sequence[Item], come: Sequence[Item], *, apart: bool = False) -> list[str]:
    """Another degree of one thing, in words: "must" and "should", "all" and "most", "Monday" and "Tuesday".

    apart: the texts are no near copies, in which "daily" may well stand beside "weekly".
    """
    said = []
    for item in gone:
        for other in come:
            mine = DEGREES.get(item.key) or DEGREES.get(item.form)
            yours = DEGREES.get(other.key) or DEGREES.get(other.form)
            if mine and yours and mine[0] == yours[0] and mine[1] != yours[1] and not (apart and mine[0] in LOOSE):
                said.append(f"target says {other.shown}, source says {item.shown}")
    return said
