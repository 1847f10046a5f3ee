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
from harness.comparators._text.meanings import COORDINATORS, DEGREES, EXCLUSIVE
from harness.comparators._text.opposites import degrees, flips, opposite
from harness.comparators._text.places import MOST, MOST_SAID, passive, swapped
from harness.comparators._text.quantities import agree
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


SPEAKERS = word_set("i we you")
BOUND = word_set("within to from by")
PARTICLES_YES = word_set("yes yeah yep ja oui si sim da да 是 はい")
PARTICLES_NO = word_set("no nope nein non nao nee нет 不 いいえ")


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
    """Whether one sentence says another thing than one that tells of the same.

    It does as a near copy that differs; or, in whatever words, by an opposite, or by one degree in place of another
    ("must" and "can"). Swapped sentences get the same answer.
    """
    ours, theirs = _counted(source), _counted(target)
    found = compare_items(ours, theirs)
    if found is not None and found.turn is Turn.DIFFERENT:
        return True
    gone, come = _cancelled(_left(ours, theirs), _left(theirs, ours))
    # "within 5 days" may become "5 days after": an opposite only where the words around it stay. So with "to" and "by".
    turned = [pair for pair in flips(gone, come) if BOUND.isdisjoint((pair[0].form, pair[1].form))]
    negations = sum(item.negates for item in (*gone, *come))
    if turned:
        return len(turned) == 1 and negations % 2 == 0
    return negations == 0 and bool(degrees(gone, come, apart=True))


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
    facts += 2 * len(degrees(gone, come))
    alike = 1 - (len(gone) + len(come) - facts - 2 * len(flips(gone, come))) / total
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
    if not item.form.startswith(parts[0].form):
        return False
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
    if shorter < LEAST_SPELLED or opposite(item, other) or Sort.NAME in (item.sort, other.sort):
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
    turned = flips(gone, come)
    for item, other in turned:
        gone.remove(item)
        come.remove(other)
    negations = [item for item in (*gone, *come) if item.negates]
    contrast = len(negations) == 1 and _denies_news(negations[0], gone, ours) | _denies_news(negations[0], come, theirs)
    gone, come = ([item for item in side if not item.negates] for side in (gone, come))
    excused = len(negations) % 2 == 1 and (contrast or any(item.form in DENIALS for item in (*gone, *come)))
    gone, come, roles = passive(gone, come, ours.items, theirs.items)
    moved = swapped(ours.all, theirs.all, turned=bool(turned)) if not gone and not come and not negations else None
    places = roles or (moved.said if moved is not None and moved.harmful else None)
    turns = len(turned) + len(negations) % 2 + (places is not None)
    reasons: list[str] = []
    if turns % 2 and not excused:
        reasons += [f"target says {other.shown}, source says {item.shown}" for item, other in turned]
        if len(negations) % 2:
            reasons.append(f'the sense is turned around: target "{_said(theirs)}", source "{_said(ours)}"')
        if places is not None:
            reasons.append(places)
    whole = bool(reasons)
    typed, suspect, replaced = _typed(gone, come, _Places(ours.items, gone), _Places(theirs.items, come), alike)
    reasons += typed
    if reasons:
        unexplained = len(gone) + len(come) - 2 * len(typed)
        turn = Turn.DIFFERENT if unexplained <= UNEXPLAINED else Turn.REPLACED
        decisive = turn is Turn.DIFFERENT and (whole or unexplained <= 0)
        return Found(turn, tuple(reasons), decisive=decisive)
    if len(turned) > 1 or (turns and any(item.key in DEGREES for item in (*gone, *come))):
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
    out, new = ([item for item in side if item.sort in (Sort.QUANTITY, Sort.CODE)] for side in (gone, come))
    if not typed and out and new and _instead(out, new, ours, theirs):
        typed.append(f"target says {told(new)}, source says {told(out)}")
    typed += degrees(gone, come)
    told_to = [{item.form for item in side} & SPEAKERS for side in (gone, come)]
    if all(told_to) and ("you" in told_to[0]) is not ("you" in told_to[1]):
        suspect.append(f"target says {min(told_to[1])}, source says {min(told_to[0])}")
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
