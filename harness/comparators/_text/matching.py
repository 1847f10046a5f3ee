"""Which words of one text are found in another: by stem, by near spelling, by acronym, by initial."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz.distance import Indel

from harness.comparators._text.words import CACHED_TEXTS, Kind, Token, read

NEAR = 0.82  # normalised similarity of two spellings of one word ("Abidali", "Abid Ali"; "Hurtin", "Hurtin'")
LEAST_NEAR = 4  # letters; shorter words are near too many others
LEAST_START = 6  # letters that two forms of one name share at their beginning: Portugal, Portuguese
MOST_NEAR = 40  # words of one first letter that are looked at, so that time stays linear in the text


@dataclass(frozen=True, slots=True, eq=False)
class Lexicon:
    """What can be found in a text. initials: first letters of its names. acronyms: of its runs of names, with the
    stems that each stands for. shorts: words in capitals that may be such."""

    stems: frozenset[str]
    by_letter: Mapping[str, Sequence[str]]
    initials: frozenset[str]
    acronyms: Mapping[str, frozenset[str]]
    shorts: frozenset[str]

    def has(self, token: Token, own: Lexicon | None = None) -> bool:
        """Whether the text holds the same word, a near spelling, or what it abbreviates or is abbreviated to.

        own: the lexicon of the token's own text, which knows what runs of names it stands in.
        """
        if token.stem in self.stems or self.has_form(token, own):
            return True
        form = token.form
        if token.kind not in (Kind.RARE, Kind.NAME) or len(form) < LEAST_NEAR:
            return False
        return any(near(token.stem, other) for other in self.by_letter.get(form[0], ()))

    def has_form(self, token: Token, own: Lexicon | None = None) -> bool:
        """Whether the text holds a short form or the long form of a word: an acronym, an initial, an adjective."""
        if own is not None and token.capital and any(token.stem in own.acronyms.get(one, ()) for one in self.shorts):
            return True
        if token.kind not in (Kind.RARE, Kind.NAME) or not token.capital:
            return False
        form = token.form
        if len(form) == 1:
            return form in self.initials
        if len(form) <= 5 and form in self.acronyms:
            return True
        return len(form) >= LEAST_START and any(
            other.startswith(form[:LEAST_START]) for other in self.by_letter.get(form[0], ())
        )


@lru_cache(maxsize=CACHED_TEXTS)
def lexicon(text: str) -> Lexicon:
    """Of a whole text."""
    return lexicon_of(read(text).tokens)


def lexicon_of(tokens: Sequence[Token]) -> Lexicon:
    """Of some of its tokens."""
    by_letter: dict[str, list[str]] = defaultdict(list)
    stems = set()
    for token in tokens:
        if token.stem in stems:
            continue
        stems.add(token.stem)
        if token.kind in (Kind.RARE, Kind.NAME, Kind.EVERYDAY) and len(token.form) >= LEAST_NEAR:
            found = by_letter[token.form[0]]
            if len(found) < MOST_NEAR:
                found.append(token.stem)
    names = [token for token in tokens if token.capital]
    return Lexicon(
        stems=frozenset(stems),
        by_letter=by_letter,
        initials=frozenset(token.form[0] for token in names),
        acronyms=_acronyms(tokens),
        shorts=frozenset(token.form for token in names if 2 <= len(token.form) <= 5 and token.shown.isupper()),
    )


@lru_cache(maxsize=65536)
def near(stem: str, other: str) -> bool:
    """Two spellings of one word."""
    if min(len(stem), len(other)) < LEAST_NEAR or stem[0] == "#" or other[0] == "#":
        return False
    return bool(Indel.normalized_similarity(stem, other, score_cutoff=NEAR))


def _acronyms(tokens: Sequence[Token]) -> dict[str, frozenset[str]]:
    """First letters of every two to five capitalised words in a row, function words between them left out."""
    made: dict[str, frozenset[str]] = {}
    run: list[Token] = []
    for token in tokens:
        if token.capital and len(token.form) > 1:
            run = [*run[-4:], token]
            for length in range(2, len(run) + 1):
                part = run[-length:]
                made["".join(word.form[0] for word in part)] = frozenset(word.stem for word in part)
        elif token.kind is not Kind.FUNCTION:
            run = []
    return made
