"""A dozen readable numbers of a question and two answers, each with the sign that its coefficient must have."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from harness.comparators._text.alignment import Alignment, align
from harness.comparators._text.matching import Lexicon, lexicon, lexicon_of
from harness.comparators._text.refusing import hedges
from harness.comparators._text.salience import asks, weigh
from harness.comparators._text.words import CACHED_TEXTS, Kind, Token, Words, read

# name -> the sign of its coefficient: +1 speaks for equivalence, -1 against
FEATURES: Mapping[str, int] = {
    "answer_words_worse": 1,  # share of the answer's words, by salience squared, that the other holds; worse direction
    "answer_words_better": 1,  # the same by salience, better direction
    "news_better": 1,  # words that the question does not hold, by rarity, better direction
    "strongest_shared": 1,  # salience of the most salient word that is found, of the side where it is less
    "strongest_unshared": -1,  # salience of the most salient word that is not found, of the side where it is less
    "first_sentences": 1,  # answer words of one first informative sentence in the other's, better direction
    "slot": 1,  # -1 to 1: the first name, number or year that the question asks for is found
    "last_name": 1,  # -1 to 1: the last-named entity of each is found in the other
    "number_conflict": -1,  # both give numbers and share none
    "negation": -1,  # one negates, the other does not
    "refusal": -1,  # one says that it does not know, the other does not
    "changed": -1,  # aligned sentences differ by a number, a name or a negation
}


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One answer under a question, ready to be compared. news: rarity of each content token, 0 where it was asked."""

    words: Words
    tokens: tuple[Token, ...]
    salience: tuple[float, ...]
    news: tuple[float, ...]
    first: tuple[int, ...]
    first_lexicon: Lexicon
    lexicon: Lexicon
    hedges: bool


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """values: in the order of FEATURES. found: which content tokens of each side the other holds."""

    values: tuple[float, ...]
    alignment: Alignment
    source: Side
    target: Side
    source_found: tuple[bool, ...]
    target_found: tuple[bool, ...]


def side(question: str, text: str, salience: Mapping[str, float]) -> Side:
    """An answer under a question."""
    return _side(question, text, tuple(salience.items()))


@lru_cache(maxsize=CACHED_TEXTS)
def _side(question: str, text: str, salience: tuple[tuple[str, float], ...]) -> Side:
    weighed = weigh(question, text, dict(salience))
    asked = read(question).stems
    tokens = tuple(token for token, _ in weighed)
    news = tuple(0.0 if token.stem in asked else token.weight for token in tokens)
    first = _first_informative(tokens, news)
    return Side(
        words=read(text),
        tokens=tokens,
        salience=tuple(weight for _, weight in weighed),
        news=news,
        first=first,
        first_lexicon=lexicon_of([tokens[index] for index in first]),
        lexicon=lexicon(text),
        hedges=hedges(text),
    )


def _first_informative(tokens: Sequence[Token], news: Sequence[float]) -> tuple[int, ...]:
    """Places of the first sentence that says more than the question; of all tokens where none does."""
    by_sentence: dict[int, list[int]] = {}
    for place, token in enumerate(tokens):
        by_sentence.setdefault(token.sentence, []).append(place)
    for places in by_sentence.values():
        if sum(news[place] for place in places) >= 0.9:
            return tuple(places)
    return tuple(range(len(tokens)))


def pair(question: str, source: str, target: str, salience: Mapping[str, float]) -> Pair:
    """Symmetric: source and target may be swapped."""
    ours, theirs = side(question, source, salience), side(question, target, salience)
    here = tuple(theirs.lexicon.has(token, ours.lexicon) for token in ours.tokens)
    there = tuple(ours.lexicon.has(token, theirs.lexicon) for token in theirs.tokens)
    squared = [
        _share([weight * weight for weight in one.salience], found) for one, found in ((ours, here), (theirs, there))
    ]
    plain = [_share(ours.salience, here), _share(theirs.salience, there)]
    news = [_share(ours.news, here), _share(theirs.news, there)]
    firsts = [_first_share(ours, theirs), _first_share(theirs, ours)]
    shared = min(_strongest(ours.salience, here, True), _strongest(theirs.salience, there, True))
    unshared = min(_strongest(ours.salience, here, False), _strongest(theirs.salience, there, False))
    aligned = align(source, target)
    values = {
        "answer_words_worse": min(squared),
        "answer_words_better": max(plain),
        "news_better": max(news),
        "strongest_shared": shared,
        "strongest_unshared": unshared,
        "first_sentences": max(firsts),
        "slot": (_slot(question, ours, here) + _slot(question, theirs, there)) / 2,
        "last_name": (_placed(ours, here, Kind.NAME, -1) + _placed(theirs, there, Kind.NAME, -1)) / 2,
        "number_conflict": float(_number_conflict(ours, here, theirs, there)),
        "negation": float((ours.words.negators > 0) != (theirs.words.negators > 0)),
        "refusal": float(ours.hedges != theirs.hedges),
        "changed": float(bool(aligned.of("number", "name", "negation"))),
    }
    return Pair(tuple(values[name] for name in FEATURES), aligned, ours, theirs, here, there)


def _share(weights: Sequence[float], found: Sequence[bool]) -> float:
    """Share of the weight that is found, in [0, 1]; 0.5 where nothing weighs anything."""
    total = math.fsum(weights)
    if total < 1e-9:
        return 0.5
    return math.fsum(weight for weight, is_found in zip(weights, found, strict=True) if is_found) / total


def _strongest(weights: Sequence[float], found: Sequence[bool], wanted: bool) -> float:  # noqa: FBT001
    return max((weight for weight, is_found in zip(weights, found, strict=True) if is_found is wanted), default=0.0)


def _first_share(one: Side, other: Side) -> float:
    weights = [one.salience[place] for place in one.first]
    return _share(weights, [other.first_lexicon.has(one.tokens[place]) for place in one.first])


def _placed(one: Side, found: Sequence[bool], kind: Kind, place: int) -> float:
    """1 where the first (0) or last (-1) new token of a kind is found, -1 where not, 0 where there is none."""
    places = [index for index, token in enumerate(one.tokens) if token.kind is kind and one.news[index] > 0]
    return 0.0 if not places else 1.0 if found[places[place]] else -1.0


def _slot(question: str, one: Side, found: Sequence[bool]) -> float:
    match asks(question):
        case "who" | "where":
            return _placed(one, found, Kind.NAME, 0)
        case "number":
            return _placed(one, found, Kind.NUMBER, 0)
        case "when":
            years = [found[index] for index, token in enumerate(one.tokens) if one.news[index] > 0 and is_year(token)]
            return 0.0 if not years else 1.0 if years[0] else -1.0
        case _:
            return 0.0


def is_year(token: Token) -> bool:
    """Four digits from 1000 to 2100."""
    return token.value is not None and 1000 <= token.value <= 2100 and len(token.shown) == 4


def _number_conflict(ours: Side, here: Sequence[bool], theirs: Side, there: Sequence[bool]) -> bool:
    mine = [found for index, found in enumerate(here) if ours.tokens[index].value is not None and ours.news[index] > 0]
    yours = [
        found for index, found in enumerate(there) if theirs.tokens[index].value is not None and theirs.news[index] > 0
    ]
    return bool(mine and yours) and not any(mine) and not any(yours)
