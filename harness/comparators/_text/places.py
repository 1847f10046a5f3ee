"""Two things that change places in a text: harmless in a list, another statement around a verb or a number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.comparators._text.items import Item, Sort, told
from harness.comparators._text.meanings import COORDINATORS, COPULAS, EXCLUSIVE
from harness.comparators._text.opposites import opposite
from harness.comparators._text.vocabulary import word_set

LONGEST_MOVE = 60  # items of a part in which things change places
MOST_SAID = 20  # items that a reason shows
MOST = 400  # items of a text that are looked at
DIRECTIONS = word_set("to of von nach de a da di van")
BE = word_set("is are was were be been being")


@dataclass(frozen=True, slots=True)
class Moved:
    """Two stretches of a text that changed places. harmful: what stands between them says which is which."""

    said: str
    harmful: bool
    doubtful: bool = False


def swapped(ours: Sequence[Item], theirs: Sequence[Item], *, turned: bool) -> Moved | None:
    """None where the texts are in the same order, or differ by more than one exchange of places.

    turned: words between the two may be opposites of each other.
    """
    mine, yours = _different_part(ours[:MOST], theirs[:MOST])
    size = len(mine)
    if size != len(yours) or not 2 <= size <= LONGEST_MOVE:
        return None
    for one in range(1, size):
        if not _all_same(mine[:one], yours[size - one :]):
            continue
        for other in range(1, size - one + 1):
            between, theirs_between = mine[one : size - other], yours[other : size - one]
            if not _all_same(mine[size - other :], yours[:other]):
                continue
            if _all_same(between, theirs_between) or (turned and _all_alike(between, theirs_between)):
                return _move(mine[:one], between, mine[size - other :], mine, yours)
    return None


def _different_part(mine: Sequence[Item], yours: Sequence[Item]) -> tuple[list[Item], list[Item]]:
    """Both without articles, and without the beginning and the end that they share."""
    first, last = (
        [item for item in side if item.sort is not Sort.ARTICLE or item.form in DIRECTIONS] for side in (mine, yours)
    )
    for side in (first, last):
        while side and side[-1].sort is Sort.MARK:
            side.pop()
    start = 0
    while start < min(len(first), len(last)) and _same(first[start], last[start]):
        start += 1
    first, last = first[start:], last[start:]
    while first and last and _same(first[-1], last[-1]):
        first.pop()
        last.pop()
    return first, last


def _move(
    one: Sequence[Item], between: Sequence[Item], other: Sequence[Item], mine: Sequence[Item], yours: Sequence[Item]
) -> Moved:
    said = (
        f'"{told(one)}" and "{told(other)}" have changed places: '
        f'target "{told(yours[:MOST_SAID])}", source "{told(mine[:MOST_SAID])}"'
    )
    small = any(len(part) == 1 and (part[0].negates or part[0].form in EXCLUSIVE) for part in (one, other))
    facts = one[-1].sort is Sort.QUANTITY and other[0].sort is Sort.QUANTITY
    harmless = _harmless(between, len(one), len(other)) and not (facts and between)
    return Moved(said, harmful=not harmless, doubtful=small)


def _same(item: Item, other: Item) -> bool:
    return item.key == other.key


def _all_same(mine: Sequence[Item], yours: Sequence[Item]) -> bool:
    return len(mine) == len(yours) and all(_same(a, b) for a, b in zip(mine, yours, strict=True))


def _all_alike(mine: Sequence[Item], yours: Sequence[Item]) -> bool:
    """The same words, or opposites of them."""
    return len(mine) == len(yours) and all(_same(a, b) or opposite(a, b) for a, b in zip(mine, yours, strict=True))


def _harmless(between: Sequence[Item], one: int, other: int) -> bool:
    """Whether things may change places around these words: a list, an equation, two clauses, a phrase put first."""
    forms = [item.form for item in between]
    if not forms or all(form in COPULAS for form in forms):
        return True
    if forms[0] in COORDINATORS and forms[-1] in COORDINATORS and "then" not in forms:
        return True
    return min(one, other) >= 3 and any(form in COORDINATORS or form in ".;" for form in forms)


def passive(
    gone: list[Item], come: list[Item], ours: Sequence[Item], theirs: Sequence[Item]
) -> tuple[list[Item], list[Item], str | None]:
    """What is left without the words that turn a sentence into the passive; and what is wrong where who does it and
    whom it is done to did not change places with it.

    gone, come: the items that one text alone holds. ours, theirs: all items but marks and articles.
    """
    ours_passive = any(item.form == "by" for item in gone)
    if not ours_passive and not any(item.form == "by" for item in come):
        return gone, come, None
    told_by, does = (ours, theirs) if ours_passive else (theirs, ours)
    forms = [item.form for item in told_by]
    at = forms.index("by")
    if any(item.form in BE for item in does) or not 0 < at < len(forms) - 1 or BE.isdisjoint(forms[:at]):
        return gone, come, None
    keys = [item.key for item in does]
    did, who, whom = (
        [place for place, key in enumerate(keys) if key == told_by[one].key] for one in (at - 1, at + 1, 0)
    )
    if not did or not who or not whom:
        return gone, come, None
    gone, come = ([item for item in side if item.form != "by" and item.form not in BE] for side in (gone, come))
    if max(whom) < min(did) and max(did) < min(who):
        said = f'target "{told(theirs[:MOST_SAID])}", source "{told(ours[:MOST_SAID])}"'
        return gone, come, f"who does it to whom is turned around: {said}"
    return gone, come, None
