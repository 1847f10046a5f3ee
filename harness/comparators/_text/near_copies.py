"""Two texts of which one is nearly a copy of the other: the few words that differ decide, whatever the rest shares.

The texts are taken as bags of items. What both hold cancels, then what means the same cancels (a spelling, a synonym, a
quantity in another unit). What is left is typed: a number for a number, a name for a name, another degree of duty or
amount, code. Three things turn a statement around, and two of them turn it back: a negation, an opposite, and two
things that change places ("A is larger than B" is "B is smaller than A"; "not safe" is "unsafe").
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from rapidfuzz.distance import Indel

from harness.comparators._text.items import Item, Sort, items, told
from harness.comparators._text.meanings import (
    COORDINATORS,
    COPULAS,
    DEGREES,
    EXCLUSIVE,
    NOT_OPPOSITE,
    OPPOSITE_PREFIXES,
    OPPOSITES,
)
from harness.comparators._text.quantities import agree
from harness.comparators._text.spelling import stem
from harness.comparators._text.vocabulary import DENIALS, FUNCTION, word_set
from harness.comparators._text.words import CACHED_TEXTS, read

NEAR = 0.5  # share of both texts' items that must be shared, articles left out; what is typed needs no more
FEW = 6  # items of one text that may be left over
SPELLING = 0.8  # normalised similarity of two spellings of one word
LEAST_COUNTRY = 5  # letters
LEAST_SPELLED = 6  # letters
MOST_APART = 4 * FEW  # items that stand in one text only, before those cancel that mean the same
MOST_STEMS = 16  # words that stand in one text only, for a quick look
REPLACED = 0.6  # share that must be shared for a word in place of an unknown word to count
FEW_REPLACED = 2  # words in whose place others stand; where there are more, the texts say it otherwise
UNEXPLAINED = 2  # items left over beside a typed difference that still allow the word "different"
LONGEST_MOVE = 60  # items of a part in which things change places
MOST_SAID = 20  # items that a reason shows
MOST = 400  # items of a text that are looked at for places that changed


PARTICLES_YES = word_set("yes yeah yep ja oui si sim da да 是 はい")
PARTICLES_NO = word_set("no nope nein non nao nee нет 不 いいえ")
DIRECTIONS = word_set("to of von nach de a da di van")
_BE = word_set("is are was were be been being")


class Turn(IntEnum):
    """What the differences come to.

    alike: none is left. open: words more or less, or put otherwise. replaced: a word in place of one that may or
    may not mean the same. suspect: a name for a like name, "only" on one side. different: another
    fact, or the opposite.
    """

    ALIKE = 0
    OPEN = 1
    REPLACED = 2
    SUSPECT = 3
    DIFFERENT = 4


@dataclass(frozen=True, slots=True)
class Found:
    """What was found, and each reason in words.

    decisive: it counts whatever was asked, since the sense is turned around, or since nothing else differs.
    """

    turn: Turn
    reasons: tuple[str, ...] = ()
    decisive: bool = False


def compare_near(source: str, target: str) -> Found | None:
    """None where neither text is nearly a copy of the other. Swapped texts get the same turn."""
    ours, theirs = read(source).stems, read(target).stems
    if len(ours ^ theirs) > min(MOST_STEMS, 4 + (len(ours) + len(theirs)) / 2):
        return None
    return compare_items(_counted(source), _counted(target))


def opposed(source: str, target: str) -> bool:
    """Whether two sentences that tell the same, in whatever words, hold an odd number of opposites and negations, or
    one degree in place of another ("must" and "can"). Swapped sentences get the same answer.
    """
    ours, theirs = _counted(source), _counted(target)
    gone, come = _cancelled(_left(ours, theirs), _left(theirs, ours))
    # "within 5 days" may become "5 days after": an opposite only where the words around it stay.
    flips = [pair for pair in _flips(gone, come) if "within" not in (pair[0].form, pair[1].form)]
    negations = sum(item.negates for item in (*gone, *come))
    if flips:
        return len(flips) == 1 and negations % 2 == 0
    return negations == 0 and bool(_degrees(gone, come))


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """items without marks and articles; bag: how often each key stands among them; all: with marks."""

    items: tuple[Item, ...]
    bag: Counter[str]
    all: tuple[Item, ...]


@lru_cache(maxsize=CACHED_TEXTS)
def _counted(text: str) -> Counted:
    found = items(text)
    content = tuple(item for item in found if item.sort > Sort.ARTICLE)
    return Counted(content, Counter(item.key for item in content), found)


def compare_items(ours: Counted, theirs: Counted) -> Found | None:
    total = len(ours.items) + len(theirs.items)
    if not ours.items or not theirs.items:
        return None
    shared = sum((ours.bag & theirs.bag).values())
    if total - 2 * shared > MOST_APART:
        return None
    particles = _particles(ours, theirs)
    if particles is not None:
        return Found(Turn.DIFFERENT, (particles,), decisive=True)
    gone, come = _cancelled(_left(ours, theirs), _left(theirs, ours))
    if max(len(gone), len(come)) > FEW:
        return None
    # A number for a number says something even where the texts are nothing else.
    facts = 2 * sum(min(_count(gone, sort), _count(come, sort)) for sort in (Sort.QUANTITY, Sort.CODE))
    facts += 2 * len(_degrees(gone, come))
    alike = 1 - (len(gone) + len(come) - facts - 2 * len(_flips(gone, come))) / total
    return _judged(gone, come, ours, theirs, alike) if alike >= NEAR else None


def _count(of: Sequence[Item], sort: Sort) -> int:
    return sum(item.sort is sort for item in of)


def _particles(ours: Counted, theirs: Counted) -> str | None:
    """Where one begins with yes and the other with no."""
    mine, yours = _particle(ours), _particle(theirs)
    if mine is None or yours is None or mine == yours:
        return None
    return f"target says {theirs.all[0].shown}, source says {ours.all[0].shown}"


def _particle(of: Counted) -> bool | None:
    first = of.all[0].form
    if len(of.all) > 1 and of.all[1].sort is not Sort.MARK:
        return None
    return True if first in PARTICLES_YES else False if first in PARTICLES_NO else None


def _left(of: Counted, other: Counted) -> list[Item]:
    """Items beyond those that the other text holds too, the last ones of a kind."""
    spare = Counter(other.bag)
    left = []
    for item in of.items:
        if spare[item.key] > 0:
            spare[item.key] -= 1
        else:
            left.append(item)
    return left


def _cancelled(gone: list[Item], come: list[Item]) -> tuple[list[Item], list[Item]]:
    """Without what means the same: quantities in other units, spellings, words written together or apart."""
    come = list(come)
    kept = []
    for item in gone:
        match = next((other for other in come if _means(item, other)), None)
        if match is None:
            kept.append(item)
        else:
            come.remove(match)
    for ours, theirs in ((kept, come), (come, kept)):
        for item in list(theirs):
            for size in (2, 3):
                parts = next(
                    (ours[i : i + size] for i in range(len(ours) - size + 1) if _spells(ours[i : i + size], item)), None
                )
                if parts:
                    for part in parts:
                        ours.remove(part)
                    theirs.remove(item)
                    break
    return kept, come


def _spells(parts: Sequence[Item], item: Item) -> bool:
    """ "e mail" and "email"; "non refundable" and "nonrefundable"."""
    return len(parts) > 1 and "".join(part.form for part in parts) == item.form.replace("-", "")


def _means(item: Item, other: Item) -> bool:
    if item.quantity is not None and other.quantity is not None:
        return agree(item.quantity, other.quantity)
    if Sort.QUANTITY in (item.sort, other.sort) or Sort.CODE in (item.sort, other.sort):
        return False
    shorter = min(len(item.form), len(other.form))
    if shorter == 1 and item.form[0] == other.form[0] and item.shown[0].isupper() and other.shown[0].isupper():
        return True  # an initial and the name
    if Sort.NAME in (item.sort, other.sort) and _of_country(item.form, other.form):
        return True
    if shorter < LEAST_SPELLED or _opposite(item, other) or Sort.NAME in (item.sort, other.sort):
        return False
    start = max(LEAST_SPELLED - 1, shorter - 3)
    return item.form[:start] == other.form[:start] and _tail(item.form[start:]) and _tail(other.form[start:])


def _of_country(form: str, other: str) -> bool:
    """Germany and German, Japan and Japanese."""
    short, long = sorted((form, other), key=len)
    return len(short) >= LEAST_COUNTRY and long.startswith(short) and long[len(short) :] in ("n", "an", "y", "ese", "s")


def _tail(rest: str) -> bool:
    """Whether this may be an ending that changes the form of a word and not its sense."""
    return len(rest) <= 4 and not rest.endswith("less")


def _judged(gone: list[Item], come: list[Item], ours: Counted, theirs: Counted, alike: float) -> Found:
    flips = _flips(gone, come)
    for item, other in flips:
        gone.remove(item)
        come.remove(other)
    negations = [item for item in (*gone, *come) if item.negates]
    contrast = len(negations) == 1 and _denies_news(negations[0], gone, ours) | _denies_news(negations[0], come, theirs)
    gone, come = ([item for item in side if not item.negates] for side in (gone, come))
    excused = len(negations) % 2 == 1 and (contrast or any(item.form in DENIALS for item in (*gone, *come)))
    gone, come, roles = _passive(gone, come, ours, theirs)
    moved = _swapped(ours, theirs, turned=bool(flips)) if not gone and not come and not negations else None
    places = roles or (moved.said if moved is not None and moved.harmful else None)
    turns = len(flips) + len(negations) % 2 + (places is not None)
    reasons: list[str] = []
    if turns % 2 and not excused:
        reasons += [f"target says {other.shown}, source says {item.shown}" for item, other in flips]
        if len(negations) % 2:
            reasons.append(f'the sense is turned around: target "{_said(theirs)}", source "{_said(ours)}"')
        if places is not None:
            reasons.append(places)
    turned = bool(reasons)
    typed, suspect, replaced = _typed(gone, come, _Places(ours.items, gone), _Places(theirs.items, come), alike)
    reasons += typed
    if reasons:
        unexplained = len(gone) + len(come) - 2 * len(typed)
        turn = Turn.DIFFERENT if unexplained <= UNEXPLAINED else Turn.REPLACED
        decisive = turn is Turn.DIFFERENT and (turned or unexplained <= 0)
        return Found(turn, tuple(reasons), decisive=decisive)
    if len(flips) > 1 or (turns and any(item.key in DEGREES for item in (*gone, *come))):
        suspect.append(f'more than one thing is turned around: target "{_said(theirs)}", source "{_said(ours)}"')
    if moved is not None and moved.doubtful:
        suspect.append(moved.said)
    if suspect:
        few = min(len(gone), len(come)) <= FEW_REPLACED
        return Found(Turn.SUSPECT if few else Turn.REPLACED, tuple(suspect), decisive=max(len(gone), len(come)) <= 1)
    if replaced is not None:
        return Found(Turn.REPLACED, (replaced,))
    if not gone and not come and not excused and (moved is not None or turns or _in_order(ours, theirs)):
        return Found(Turn.ALIKE)
    return Found(Turn.OPEN, tuple(_more_and_less(gone, come)))


def _more_and_less(gone: Sequence[Item], come: Sequence[Item]) -> list[str]:
    """Names, numbers and code that one of the two gives alone."""
    ours, theirs = (
        [item for item in side if item.sort >= Sort.NAME and not _weak(item) and any(map(str.isalnum, item.shown))]
        for side in (gone, come)
    )
    said = [f'the target leaves out "{told(ours)}"'] if ours else []
    return [*said, f'the target adds "{told(theirs)}"'] if theirs else said


def added(question: str, source: str, target: str) -> str | None:
    """What one of two answers adds behind an "and" or a comma to all that the other says, and the question does not."""
    asked = _counted(question).bag
    for verb, one, other in (("leaves out", source, target), ("adds", target, source)):
        longer, shorter = _counted(one), _counted(other)
        if not shorter.items or any(item.key not in longer.bag for item in shorter.items):
            continue
        known = shorter.bag.keys() | asked.keys()
        for place, item in enumerate(longer.all[:MOST]):
            if not place or item.form not in COORDINATORS or longer.all[place - 1].key not in shorter.bag:
                continue
            behind = longer.all[place + 1 : MOST]
            news = behind[: next((at for at, one in enumerate(behind) if one.key in known), len(behind))]
            if any(one.sort > Sort.ARTICLE and one.form not in FUNCTION for one in news):
                return f'the target {verb} "{told([one for one in news if one.sort is not Sort.MARK])}"'
    return None


def _denies_news(negation: Item, left: Sequence[Item], of: Counted) -> bool:
    """Whether what is denied stands in this text alone: "..., not Europe" adds something and turns nothing around."""
    place = next((place for place, item in enumerate(of.items) if item is negation), None)
    if place is None or place + 1 >= len(of.items):
        return False
    return any(of.items[place + 1] is item for item in left)


def _said(of: Counted) -> str:
    return told(of.all[:MOST_SAID])


def _in_order(ours: Counted, theirs: Counted) -> bool:
    """Whether two texts that hold the same say it in the same order; a synonym or another unit stands in its place."""
    mine = [item.key for item in ours.items if item.key in theirs.bag]
    return mine == [item.key for item in theirs.items if item.key in ours.bag]


def _flips(gone: Sequence[Item], come: Sequence[Item]) -> list[tuple[Item, Item]]:
    """Pairs of opposites, each item in one pair."""
    found = []
    left = list(come)
    for item in gone:
        other = next((one for one in left if _opposite(item, one)), None)
        if other is not None:
            left.remove(other)
            found.append((item, other))
    return found


def _opposite(item: Item, other: Item) -> bool:
    if item.sort in (Sort.QUANTITY, Sort.CODE) and not {item.form, other.form} <= {"first", "last", "second"}:
        return False
    for one in (item.form, item.key):
        others = OPPOSITES.get(one, ())
        if other.form in others or other.key in others:
            return True
    return _prefix_of(item.form, other.form) or _prefix_of(other.form, item.form)


def _prefix_of(form: str, base: str) -> bool:
    """Whether a word is another one with "un", "non" or the like before it, in any inflection."""
    if form in NOT_OPPOSITE or len(base) < 3:
        return False
    for prefix in OPPOSITE_PREFIXES:
        if form.startswith(prefix) and len(form) > len(prefix) + 2:
            rest = form[len(prefix) :]
            if rest == base or stem(rest) == stem(base):
                return True
    return base.endswith("ful") and form == base[:-3] + "less"


class _Places:
    """Where items of one text stand that the other lacks: between which two that both hold."""

    def __init__(self, of: Sequence[Item], left: Sequence[Item]) -> None:
        self._of = of
        self._left = {id(item) for item in left}

    def gap(self, item: Item) -> tuple[str, str]:
        place = next(place for place, one in enumerate(self._of) if one is item)
        before, after = place - 1, place + 1
        while before >= 0 and id(self._of[before]) in self._left:
            before -= 1
        while after < len(self._of) and id(self._of[after]) in self._left:
            after += 1
        return (
            self._of[before].key if before >= 0 else "",
            self._of[after].key if after < len(self._of) else "",
        )


def _instead(out: Sequence[Item], new: Sequence[Item], ours: _Places, theirs: _Places) -> bool:
    """Whether one stands where the other did: behind, or ahead of, the same item."""
    mine = [ours.gap(item) for item in out]
    yours = [theirs.gap(item) for item in new]
    return any(a[0] == b[0] or a[1] == b[1] for a in mine for b in yours)


def _typed(
    gone: list[Item], come: list[Item], ours: _Places, theirs: _Places, alike: float
) -> tuple[list[str], list[str], str | None]:
    """(what is another fact, what may be one, which words stand in place of others), in words."""
    typed: list[str] = []
    suspect: list[str] = []
    for sort in (Sort.QUANTITY, Sort.CODE, Sort.NAME):
        out = [item for item in gone if item.sort is sort and not _weak(item)]
        new = [item for item in come if item.sort is sort and not _weak(item)]
        if out and new and (sort is not Sort.NAME or _instead(out, new, ours, theirs)):
            near_name = sort is Sort.NAME and _spelled(out, new)
            (suspect if near_name else typed).append(f"target says {told(new)}, source says {told(out)}")
    typed += _degrees(gone, come)
    exclusive = next((item for item in (*gone, *come) if item.form in EXCLUSIVE), None)
    if exclusive is not None:
        suspect.append(f'only one of the two says "{exclusive.shown}"')
    out, new = ([item for item in side if item.form not in FUNCTION and not _weak(item)] for side in (gone, come))
    few = 0 < len(out) <= FEW_REPLACED and 0 < len(new) <= FEW_REPLACED
    replaced = few and alike >= REPLACED and _instead(out, new, ours, theirs)
    return typed, suspect, f"target says {told(new)}, source says {told(out)}" if replaced else None


def _weak(item: Item) -> bool:
    return item.quantity is not None and item.quantity.weak


def _spelled(gone: Sequence[Item], come: Sequence[Item]) -> bool:
    ours, theirs = ("".join(item.form for item in side) for side in (gone, come))
    return Indel.normalized_similarity(ours, theirs) >= SPELLING


def _degrees(gone: Sequence[Item], come: Sequence[Item]) -> list[str]:
    said = []
    for item in gone:
        for other in come:
            mine, yours = (
                DEGREES.get(item.key) or DEGREES.get(item.form),
                DEGREES.get(other.key) or DEGREES.get(other.form),
            )
            if mine and yours and mine[0] == yours[0] and mine[1] != yours[1]:
                said.append(f"target says {other.shown}, source says {item.shown}")
    return said


@dataclass(frozen=True, slots=True)
class _Moved:
    """Two stretches of a text that changed places. harmful: what stands between them says which is which."""

    said: str
    harmful: bool
    doubtful: bool = False


def _swapped(ours: Counted, theirs: Counted, *, turned: bool) -> _Moved | None:
    """None where the texts are in the same order, or differ by more than one exchange of places.

    turned: words between the two may be opposites of each other.
    """
    mine, yours = _different_part(ours.all[:MOST], theirs.all[:MOST])
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
) -> _Moved:
    said = (
        f'"{told(one)}" and "{told(other)}" have changed places: '
        f'target "{told(yours[:MOST_SAID])}", source "{told(mine[:MOST_SAID])}"'
    )
    small = any(len(part) == 1 and (part[0].negates or part[0].form in EXCLUSIVE) for part in (one, other))
    facts = one[-1].sort is Sort.QUANTITY and other[0].sort is Sort.QUANTITY
    harmless = _harmless(between, len(one), len(other)) and not (facts and between)
    return _Moved(said, harmful=not harmless, doubtful=small)


def _same(item: Item, other: Item) -> bool:
    return item.key == other.key


def _all_same(mine: Sequence[Item], yours: Sequence[Item]) -> bool:
    return len(mine) == len(yours) and all(_same(a, b) for a, b in zip(mine, yours, strict=True))


def _all_alike(mine: Sequence[Item], yours: Sequence[Item]) -> bool:
    """The same words, or opposites of them."""
    return len(mine) == len(yours) and all(_same(a, b) or _opposite(a, b) for a, b in zip(mine, yours, strict=True))


def _harmless(between: Sequence[Item], one: int, other: int) -> bool:
    """Whether things may change places around these words: a list, an equation, two clauses, a phrase put first."""
    forms = [item.form for item in between]
    if not forms or all(form in COPULAS for form in forms):
        return True
    if forms[0] in COORDINATORS and forms[-1] in COORDINATORS and "then" not in forms:
        return True
    return min(one, other) >= 3 and any(form in COORDINATORS or form in ".;" for form in forms)


def _passive(
    gone: list[Item], come: list[Item], ours: Counted, theirs: Counted
) -> tuple[list[Item], list[Item], str | None]:
    """What is left without the words that turn a sentence into the passive; and what is wrong where who does it and
    whom it is done to did not change places with it.
    """
    if any(item.form == "by" for item in come):
        active, passive, left = ours, theirs, come
    elif any(item.form == "by" for item in gone):
        active, passive, left = theirs, ours, gone
    else:
        return gone, come, None
    forms = [item.form for item in passive.items]
    at = forms.index("by")
    verb = [item.key for item in active.items]
    plain = not any(item.form in _BE for item in active.items)
    if not plain or not 0 < at < len(forms) - 1 or not any(form in _BE for form in forms[:at]):
        return gone, come, None
    did, who, whom = (
        [place for place, key in enumerate(verb) if key == passive.items[one].key] for one in (at - 1, at + 1, 0)
    )
    if not did or not who or not whom:
        return gone, come, None
    left[:] = [item for item in left if item.form != "by" and item.form not in _BE]
    if max(whom) < min(did) and max(did) < min(who):
        return gone, come, f'who does it to whom is turned around: target "{_said(theirs)}", source "{_said(ours)}"'
    return gone, come, None
