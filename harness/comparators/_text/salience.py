"""Which words of an answer are the answer: a logistic model of what a word looks like and where it stands.

It knows no word by name, so it travels between subjects. Its coefficients stand in `model.json` with the recipe.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

from harness.comparators._text.vocabulary import MONTHS, word_set
from harness.comparators._text.words import CACHED_TEXTS, Kind, Token, read

SIGNS = (
    "bias",
    "asked",  # the word stands in the question
    "everyday",
    "name",
    "number",
    "leading_capital",
    "first_sentence",
    "second_sentence",
    "late_in_sentence",  # 0 to 1
    "last_in_sentence",
    "first_news",  # the first word that the question does not hold
    "after_asked",
    "name_before",
    "name_after",
    "after_be_or_by",
    "bracketed",
    "repeated",
    "short_answer",  # at most five content words
    "long_answer",  # logarithm of the number of words over 20, 0 below
    "who_name",
    "when_date",
    "number_asked",
    "where_name",
    "name_first_sentence",
    "number_first_sentence",
    "asked_short_answer",
)
_BE_OR_BY = word_set("is was are were by be called named as")


@lru_cache(maxsize=CACHED_TEXTS)
def asks(question: str) -> str:
    """who, when, number, where, yes_no, or other: what the question wants."""
    words = [token.form for token in read(question).tokens]
    pairs = set(pairwise(words))
    if any(("how", amount) in pairs for amount in ("many", "much", "old", "long")):
        return "number"
    for word in words[:6]:
        if word in ("who", "whom", "whose", "when", "where"):
            return {"whom": "who", "whose": "who"}.get(word, word)
        if word in ("what", "which"):
            rest = set(words)
            if rest & {"year", "date", "day", "month"}:
                return "when"
            if rest & {"city", "country", "state", "place", "county"}:
                return "where"
            return "other"
    starts = {"is", "are", "was", "were", "do", "does", "did", "can", "could", "has", "have", "will", "should"}
    return "yes_no" if words and words[0] in starts else "other"


def signs(question: str, text: str) -> list[tuple[Token, list[int], float, float]]:
    """Each content token: (token, which signs it shows, how late in its sentence, how long the answer is)."""
    words = read(text)
    wanted = asks(question)
    asked = read(question).stems
    counts: dict[str, int] = {}
    content = 0
    for token in words.tokens:
        if token.kind is not Kind.FUNCTION:
            content += 1
            counts[token.stem] = counts.get(token.stem, 0) + 1
    long = math.log(max(len(words.tokens) / 20, 1.0))
    found = []
    news = False
    tokens = words.tokens
    last = {past - 1 for _, past in words.sentences}
    for place, token in enumerate(tokens):
        kind = token.kind
        if kind is Kind.FUNCTION:
            continue
        shows = [0]
        is_asked = token.stem in asked
        first_sentence = token.sentence == 0
        named = kind is Kind.NAME
        before = tokens[place - 1] if place and tokens[place - 1].sentence == token.sentence else None
        after = tokens[place + 1] if place + 1 < len(tokens) and tokens[place + 1].sentence == token.sentence else None
        if is_asked:
            shows.append(1)
            if content <= 5:
                shows.append(25)
        elif not news:
            news = True
            shows.append(10)
        if kind is Kind.EVERYDAY:
            shows.append(2)
        elif named:
            shows.append(3)
            if wanted == "who":
                shows.append(19)
            elif wanted == "where":
                shows.append(22)
            if first_sentence:
                shows.append(23)
        elif kind is Kind.NUMBER:
            shows.append(4)
            if wanted == "number":
                shows.append(21)
            elif wanted == "when":
                shows.append(20)
            if first_sentence:
                shows.append(24)
        if named and wanted == "when" and token.form in MONTHS:
            shows.append(20)
        if token.leads and token.capital:
            shows.append(5)
        if first_sentence:
            shows.append(6)
        elif token.sentence == 1:
            shows.append(7)
        if place in last:
            shows.append(9)
        if before is not None:
            if before.stem in asked:
                shows.append(11)
            if before.kind is Kind.NAME:
                shows.append(12)
            if before.form in _BE_OR_BY:
                shows.append(14)
            if token.start and words.text[token.start - 1] == "(":
                shows.append(15)
        if after is not None and after.kind is Kind.NAME:
            shows.append(13)
        if counts[token.stem] > 1:
            shows.append(16)
        if content <= 5:
            shows.append(17)
        first, past = words.sentences[token.sentence]
        late = (place - first) / max(past - first - 1, 1)
        found.append((token, shows, late, long))
    return found


def weigh(question: str, text: str, coefficients: Mapping[str, float]) -> tuple[tuple[Token, float], ...]:
    """Each content token with the probability that it belongs to the answer."""
    return _weigh(question, text, tuple(coefficients[sign] for sign in SIGNS))


@lru_cache(maxsize=CACHED_TEXTS)
def _weigh(question: str, text: str, betas: Sequence[float]) -> tuple[tuple[Token, float], ...]:
    late_beta, long_beta = betas[8], betas[18]
    weighed = []
    for token, shows, late, long in signs(question, text):
        z = late_beta * late + long_beta * long
        for sign in shows:
            z += betas[sign]
        weighed.append((token, 1.0 / (1.0 + math.exp(-z))))
    return tuple(weighed)
