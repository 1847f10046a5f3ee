"""Two texts laid sentence against sentence: what one substitutes, leaves out or adds.

Says something only of texts that are rewordings of each other. Between two answers that were written independently,
a fact more or less is natural, and a list of what differs would be a list of everything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from harness.comparators._text.matching import Lexicon, lexicon, lexicon_of
from harness.comparators._text.words import CACHED_TEXTS, Kind, Token, Words, negators, read

ALIGNED = 0.5  # a sentence's partner shares at least this much of the weight of the lighter of the two
ALIKE = 0.6  # a sentence and its partners that share this much of both weights say one thing, or one thing changed
CLOSE = 0.8  # rewordings: this much of the lighter text's weight stands in such sentences
COVERED = 0.5  # a sentence of which the whole other text holds this much is not missing
LEAST_WEIGHT = 2.5  # a sentence lighter than this ("Sure!") is no claim
LEAST_TEXT = 4.0  # texts lighter than this are names and numbers, not sentences
COMMON = 50  # a word in more sentences than this aligns nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that differs. kind: number | name | negation | omission | addition. source, target: the words."""

    kind: str
    source: str | None
    target: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """close: the texts are rewordings of each other, and `changes` says what is not.

    missing, extra: shares in [0, 1] of the source's weight that the target leaves out, of the target's that it adds.
    weight: of the lighter text. tightness: how alike, in [0, 1], the aligned sentences are.
    """

    close: bool
    changes: tuple[Change, ...]
    missing: float
    extra: float
    weight: float
    tightness: float

    def of(self, *kinds: str) -> tuple[Change, ...]:
        """The changes of some kinds."""
        return tuple(change for change in self.changes if change.kind in kinds)


def align(source: str, target: str) -> Alignment:
    """Time grows with the product of sentences that share a word, never of all."""
    ours, theirs = _weighed(source), _weighed(target)
    weight = min(ours.weight, theirs.weight)
    apart = Alignment(close=False, changes=(), missing=0.0, extra=0.0, weight=weight, tightness=0.0)
    if weight < LEAST_TEXT:
        return apart
    here, there = _best(ours, theirs), _best(theirs, ours)
    mine, yours = _partners(here, there), _partners(there, here)
    our_likeness, their_likeness = _likeness(ours, theirs, mine), _likeness(theirs, ours, yours)
    lighter, likeness = (ours, our_likeness) if ours.weight <= theirs.weight else (theirs, their_likeness)
    alike = [(weight, like) for weight, like in zip(lighter.weights, likeness, strict=True) if like >= ALIKE]
    aligned = sum(weight for weight, _ in alike)
    if aligned < CLOSE * lighter.weight:
        return apart
    omitted, added = _uncovered(ours, mine, lexicon(target)), _uncovered(theirs, yours, lexicon(source))
    changes: list[Change] = []
    for index, others in sorted(mine.items()):
        if our_likeness[index] >= ALIKE:
            sentences = [theirs.words.sentence(other) for other in sorted(others)]
            changes += _changed(ours.words.sentence(index), sentences, source, target)
    changes += [Change(kind="omission", source=ours.words.shown(index), target=None) for index in omitted]
    changes += [Change(kind="addition", source=None, target=theirs.words.shown(index)) for index in added]
    return Alignment(
        close=True,
        changes=tuple(changes),
        missing=sum(ours.weights[index] for index in omitted) / ours.weight,
        extra=sum(theirs.weights[index] for index in added) / theirs.weight,
        weight=weight,
        tightness=sum(weight * like for weight, like in alike) / aligned,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Weighed:
    """Sentences as bags: stem -> weight; weights: of each sentence; where: stem -> sentences that hold it."""

    words: Words
    bags: tuple[dict[str, float], ...]
    weights: tuple[float, ...]
    where: dict[str, list[int]]
    weight: float


@lru_cache(maxsize=CACHED_TEXTS)
def _weighed(text: str) -> _Weighed:
    words = read(text)
    bags: list[dict[str, float]] = []
    where: dict[str, list[int]] = defaultdict(list)
    for index in range(len(words.sentences)):
        bag = {token.stem: token.weight for token in words.sentence(index) if token.kind is not Kind.FUNCTION}
        bags.append(bag)
        for stem in bag:
            where[stem].append(index)
    weights = tuple(sum(bag.values()) for bag in bags)
    return _Weighed(words, tuple(bags), weights, where, sum(weights))


def _best(ours: _Weighed, theirs: _Weighed) -> list[int | None]:
    """For each of our sentences, theirs that shares most of both weights, where that is enough."""
    found: list[int | None] = []
    for bag, weight in zip(ours.bags, ours.weights, strict=True):
        shared: dict[int, float] = defaultdict(float)
        for stem, stem_weight in bag.items():
            others = theirs.where.get(stem, ())
            if len(others) <= COMMON:
                for other in others:
                    shared[other] += stem_weight
        best, most = None, 0.0
        for other, common in shared.items():
            alike = common / min(weight, theirs.weights[other]) * (common / max(weight, theirs.weights[other])) ** 0.5
            if alike > most:
                best, most = other, alike
        found.append(best if most >= ALIGNED else None)
    return found


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


def _likeness(ours: _Weighed, theirs: _Weighed, partners: dict[int, set[int]]) -> list[float]:
    """How much of both weights a sentence and its partners share, in [0, 1]; 0 without a partner."""
    found = [0.0] * len(ours.bags)
    for index, others in partners.items():
        bag = ours.bags[index]
        together = {stem: weight for other in others for stem, weight in theirs.bags[other].items()}
        weight = ours.weights[index] + sum(together.values())
        found[index] = 2 * sum(weight for stem, weight in bag.items() if stem in together) / weight if weight else 0.0
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


def _changed(mine: tuple[Token, ...], others: list[tuple[Token, ...]], source: str, target: str) -> list[Change]:
    """Typed substitutions within aligned sentences: a number for a number, a name for a name, yes for no."""
    theirs = tuple(token for sentence in others for token in sentence)
    their_lexicon, my_lexicon = lexicon_of(theirs), lexicon_of(mine)
    changes = []
    gone = [token for token in mine if token.kind is Kind.NUMBER and not their_lexicon.has(token)]
    come = [token for token in theirs if token.kind is Kind.NUMBER and not my_lexicon.has(token)]
    if gone and come:
        changes.append(Change(kind="number", source=_listed(gone), target=_listed(come)))
    gone = [token for token in mine if token.kind is Kind.NAME and not lexicon(target).has(token)]
    come = [token for token in theirs if token.kind is Kind.NAME and not lexicon(source).has(token)]
    if gone and come:
        changes.append(Change(kind="name", source=_listed(gone), target=_listed(come)))
    if negators(mine) % 2 != negators(theirs) % 2:
        changes.append(Change(kind="negation", source=_sentence(mine), target=_sentence(theirs)))
    return changes


def _listed(tokens: list[Token]) -> str:
    return " ".join(token.shown for token in tokens[:6])


def _sentence(tokens: tuple[Token, ...]) -> str:
    return " ".join(token.shown for token in tokens)
