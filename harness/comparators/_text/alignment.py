"""Two texts laid sentence against sentence: what one substitutes, leaves out or adds.

Says something only of texts that are rewordings of each other. Between two answers that were written independently,
a fact more or less is natural, and a list of what differs would be a list of everything.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

from harness.comparators._text.matching import Lexicon, lexicon
from harness.comparators._text.near_copies import opposed
from harness.comparators._text.opposites import may_turn
from harness.comparators._text.vocabulary import DENIALS
from harness.comparators._text.words import CACHED_TEXTS, Kind, Token, Words, negators, read

ALIGNED = 0.5  # a sentence's partner shares at least this much of the weight of the lighter of the two
ALIKE = 0.6  # a sentence and its partners that share this much of both weights say one thing, or one thing changed
CLOSE = 0.8  # rewordings: this much of the lighter text's weight stands in such sentences
COVERED = 0.5  # a sentence of which the whole other text holds this much is not missing
LEAST_WEIGHT = 2.5  # a sentence lighter than this ("Sure!") is no claim
LEAST_TEXT = 4.0  # texts lighter than this are names and numbers, not sentences
ANCHORS = (0.0, 0.3, 1.0, 3.0, 3.0)  # by Kind: what aligns sentences that share few words
LEAST_TYPED = 4  # names and numbers of the text that has fewer
SAME_TYPED = 0.6  # share of them that both texts hold, where they tell of the same things
FEW_APART = 4  # words in one of two sentences alone: so few may change their sense by their places
COMMON = 50  # a word in more sentences than this aligns nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that differs. kind: number | name | negation | opposite | omission | addition.

    source, target: the words.
    """

    kind: str
    source: str | None
    target: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """close: the texts are rewordings of each other, and `changes` says what is not. Where they are none, `changes`
    holds numbers and names that contradict each other all the same.

    missing, extra: shares in [0, 1] of the source's weight that the target leaves out, of the target's that it adds.
    weight: of the lighter text.
    """

    close: bool
    changes: tuple[Change, ...]
    missing: float
    extra: float
    weight: float

    def of(self, *kinds: str) -> tuple[Change, ...]:
        """The changes of some kinds."""
        return tuple(change for change in self.changes if change.kind in kinds)


def align(source: str, target: str) -> Alignment:
    """Time grows with the product of sentences that share a word, never of all."""
    ours, theirs = _weighed(source), _weighed(target)
    weight = min(ours.weight, theirs.weight)
    apart = Alignment(close=False, changes=(), missing=0.0, extra=0.0, weight=weight)
    if weight < LEAST_TEXT:
        return apart
    here, there = _best(ours, theirs), _best(theirs, ours)
    mine, yours = _partners(here, there), _partners(there, here)
    our_likeness, their_likeness = _likeness(ours, theirs, mine), _likeness(theirs, ours, yours)
    lighter, likeness = (ours, our_likeness) if ours.weight <= theirs.weight else (theirs, their_likeness)
    aligned = math.fsum(of for of, like in zip(lighter.weights, likeness, strict=True) if max(like) >= ALIKE)
    if aligned < CLOSE * lighter.weight:
        told = _told_apart(ours.words.tokens, theirs.words.tokens, lexicon(source), lexicon(target))
        return replace(apart, changes=tuple(told))
    omitted, added = _uncovered(ours, mine, lexicon(target)), _uncovered(theirs, yours, lexicon(source))
    changes = _exchanged(ours.words.tokens, theirs.words.tokens, lexicon(source), lexicon(target))
    for index, others in sorted(mine.items()):
        if max(our_likeness[index]) >= ALIKE:
            sentences = [theirs.words.sentence(other) for other in sorted(others)]
            changes += _changed(ours.words.sentence(index), sentences)
            if len(others) == 1:
                changes += _opposed(ours.words, index, theirs.words, min(others))
    changes += [Change(kind="omission", source=ours.words.shown(index), target=None) for index in omitted]
    changes += [Change(kind="addition", source=None, target=theirs.words.shown(index)) for index in added]
    return Alignment(
        close=True,
        changes=tuple(dict.fromkeys(changes)),
        missing=math.fsum(ours.weights[index] for index in omitted) / ours.weight,
        extra=math.fsum(theirs.weights[index] for index in added) / theirs.weight,
        weight=weight,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Weighed:
    """Sentences as bags: stem -> (weight, weight as an anchor); weights: of each sentence; where: stem -> sentences."""

    words: Words
    bags: tuple[dict[str, tuple[float, float]], ...]
    weights: tuple[float, ...]
    anchors: tuple[float, ...]
    where: dict[str, list[int]]
    weight: float


@lru_cache(maxsize=CACHED_TEXTS)
def _weighed(text: str) -> _Weighed:
    words = read(text)
    bags: list[dict[str, tuple[float, float]]] = []
    where: dict[str, list[int]] = defaultdict(list)
    for index in range(len(words.sentences)):
        content = _content(words.sentence(index))
        bag = {token.stem: (token.weight, ANCHORS[token.kind]) for token in content}
        bags.append(bag)
        for stem in bag:
            where[stem].append(index)
    weights = tuple(math.fsum(weight for weight, _ in bag.values()) for bag in bags)
    anchors = tuple(math.fsum(anchor for _, anchor in bag.values()) for bag in bags)
    return _Weighed(words, tuple(bags), weights, anchors, where, math.fsum(weights))


def _best(ours: _Weighed, theirs: _Weighed) -> list[int | None]:
    """For each of our sentences, theirs that shares most of both weights, where that is enough."""
    found: list[int | None] = []
    for index, bag in enumerate(ours.bags):
        shared: dict[int, list[float]] = defaultdict(lambda: [0.0, 0.0])
        for stem, (weight, anchor) in bag.items():
            others = theirs.where.get(stem, ())
            if len(others) <= COMMON:
                for other in others:
                    sums = shared[other]
                    sums[0] += weight
                    sums[1] += anchor
        best, most = None, 0.0
        for other, (weight, anchor) in shared.items():
            alike = max(
                _alike(weight, ours.weights[index], theirs.weights[other]),
                _alike(anchor, ours.anchors[index], theirs.anchors[other]),
            )
            if alike > most:
                best, most = other, alike
        found.append(best if most >= ALIGNED else None)
    return found


def _alike(shared: float, ours: float, theirs: float) -> float:
    """Between the share of the lighter and the share of both: a sentence may have become a part of a longer one."""
    return float(shared / min(ours, theirs) * (shared / max(ours, theirs)) ** 0.5)


def _partners(best: list[int | None], back: list[int | None]) -> dict[int, set[int]]:
    """Sentence -> those of the other text that it found or that found it: one sentence may have become two."""
    partners: dict[int, set[int]] = defaultdict(set)
    for index, found in enumerate(best):
        if found is not None:
            partners[index].add(found)
    for other, found in enumerate(back):
        if found is not None:
            partners[found].add(other)
    return partners


def _likeness(ours: _Weighed, theirs: _Weighed, partners: dict[int, set[int]]) -> list[tuple[float, float]]:
    """How much of both weights, and of both weights as anchors, a sentence and its partners share, each in [0, 1]."""
    found = [(0.0, 0.0)] * len(ours.bags)
    for index, others in partners.items():
        together = {stem: weights for other in others for stem, weights in theirs.bags[other].items()}
        shared = [weights for stem, weights in ours.bags[index].items() if stem in together]
        both = [*ours.bags[index].values(), *together.values()]
        found[index] = (
            2 * math.fsum(weight for weight, _ in shared) / math.fsum(weight for weight, _ in both),
            2 * math.fsum(anchor for _, anchor in shared) / math.fsum(anchor for _, anchor in both),
        )
    return found


def _uncovered(ours: _Weighed, partners: dict[int, set[int]], other: Lexicon) -> list[int]:
    """Sentences that stand nowhere in the other text."""
    found = []
    for index, weight in enumerate(ours.weights):
        if index in partners or weight < LEAST_WEIGHT:
            continue
        content = _content(ours.words.sentence(index))
        held = sum(token.weight for token in content if other.has(token))
        if held < COVERED * sum(token.weight for token in content):
            found.append(index)
    return found


def _content(tokens: Iterable[Token]) -> list[Token]:
    return [token for token in tokens if token.kind is not Kind.FUNCTION]


def _exchanged(ours: Sequence[Token], theirs: Sequence[Token], source: Lexicon, target: Lexicon) -> list[Change]:
    """Numbers and names that stand in one text only, where both texts have such, wherever they stand."""
    changes = []
    for kind, word in ((Kind.NUMBER, "number"), (Kind.NAME, "name")):
        gone = [token for token in ours if token.kind is kind and not _same(token, target, source)]
        come = [token for token in theirs if token.kind is kind and not _same(token, source, target)]
        if kind is Kind.NAME and bool(gone) is not bool(come):
            # A name that begins a sentence looks like any word that does.
            gone = gone or [token for token in ours if _may_be_name(token) and not _same(token, target, source)]
            come = come or [token for token in theirs if _may_be_name(token) and not _same(token, source, target)]
        if gone and come:
            changes.append(Change(kind=word, source=_listed(gone), target=_listed(come)))
    return changes


def _told_apart(ours: Sequence[Token], theirs: Sequence[Token], source: Lexicon, target: Lexicon) -> list[Change]:
    """Between texts that are no rewordings: numbers of one unit that differ, and what is exchanged where both tell
    the same names and numbers otherwise.
    """
    typed = [{token.stem for token in tokens if token.kind >= Kind.NAME} for tokens in (ours, theirs)]
    fewest = min(len(one) for one in typed)
    if fewest >= LEAST_TYPED and len(typed[0] & typed[1]) >= SAME_TYPED * fewest:
        return _exchanged(ours, theirs, source, target)
    gone, come = _measured(ours, target), _measured(theirs, source)
    return [
        Change(kind="number", source=gone[unit].shown, target=come[unit].shown)
        for unit in sorted(set(gone) & set(come))
    ]


def _measured(tokens: Sequence[Token], other: Lexicon) -> dict[str, Token]:
    """Unit -> the number before it, of numbers that the other text lacks and units that it has."""
    return {
        unit.stem: number
        for number, unit in pairwise(tokens)
        if number.kind is Kind.NUMBER
        and unit.kind in (Kind.EVERYDAY, Kind.RARE)
        and number.stem not in other.stems
        and unit.stem in other.stems
    }


def _may_be_name(token: Token) -> bool:
    return token.leads and token.capital and token.kind is Kind.RARE


def _same(token: Token, other: Lexicon, own: Lexicon) -> bool:
    """Whether a text holds a number or name: another spelling of a name may be another name."""
    return token.stem in other.stems or (token.kind is not Kind.NUMBER and other.has_form(token, own))


def _changed(mine: tuple[Token, ...], others: list[tuple[Token, ...]]) -> list[Change]:
    """Within aligned sentences: a number for a number that stands elsewhere, a name for a name, yes for no."""
    theirs = tuple(token for sentence in others for token in sentence)
    changes = []
    gone, come = _numbers_beyond(mine, theirs), _numbers_beyond(theirs, mine)
    if gone and come:
        changes.append(Change(kind="number", source=_listed(gone), target=_listed(come)))
    if _turned(mine, theirs):
        changes.append(Change(kind="negation", source=_sentence(mine), target=_sentence(theirs)))
    return changes


def _opposed(ours: Words, index: int, theirs: Words, other: int) -> list[Change]:
    """Where one sentence says another thing than its partner: an opposite, a degree, who does it."""
    here, there = ({token.stem for token in words.sentence(at)} for words, at in ((ours, index), (theirs, other)))
    apart = here ^ there
    if len(apart) > FEW_APART and not any(map(may_turn, apart)):
        return []
    mine, yours = ours.shown(index), theirs.shown(other)
    return [Change(kind="opposite", source=mine, target=yours)] if mine != yours and opposed(mine, yours) else []


def _numbers_beyond(tokens: Sequence[Token], other: Sequence[Token]) -> list[Token]:
    """Numbers that the other does not hold."""
    stems = {token.stem for token in other}
    return [token for token in tokens if token.kind is Kind.NUMBER and token.stem not in stems]


def _turned(mine: Sequence[Token], theirs: Sequence[Token]) -> bool:
    """Whether one side negates and the other does not, nor says so in another way."""
    ours, others = negators(mine), negators(theirs)
    if ours % 2 == others % 2:
        return False
    return not any(token.form in DENIALS for token in (mine if ours < others else theirs))


def _listed(tokens: list[Token]) -> str:
    return " ".join(dict.fromkeys(token.shown for token in tokens[:6]))


def _sentence(tokens: tuple[Token, ...]) -> str:
    return " ".join(token.shown for token in tokens)
