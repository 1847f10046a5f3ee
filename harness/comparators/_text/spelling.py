"""The stem that words are compared by: one for all forms of a word, for its spellings, and for words for the same."""

from __future__ import annotations

import re
import threading
from functools import lru_cache
from typing import Any

from harness.comparators._text.meanings import CANONICAL

LEAST_SPELLED = 5  # letters; "four" and "for" are two words
_BRITISH = (
    (re.compile(r"(?<=[a-z]{2})is(e|ed|es|er|ers|ing|ation|ations)$"), r"iz\1"),
    (re.compile(r"(?<=[a-z]{2})our(s|ed|ing|able|ful|ite|ites)?$"), r"or\1"),
    (re.compile(r"(?<=[a-z]{2})tre(s)?$"), r"ter\1"),
    (re.compile(r"(?<=[a-z]{2})ogue(s)?$"), r"og\1"),
    (re.compile(r"(?<=[a-z]{2})ll(ed|ing|er|ers)$"), r"l\1"),
    (re.compile(r"(?<=[a-z]{3})enc(e|es)$"), r"ens\1"),
    (re.compile(r"ramme(s)?$"), r"ram\1"),
    (re.compile(r"yse(d|s|r|rs)?$"), r"yze\1"),
)
_stemmer_lock = threading.Lock()


@lru_cache(maxsize=65536)
def stem(form: str) -> str:
    """Of a word in lower case, diacritics folded."""
    known = CANONICAL.get(form)
    if known is not None:
        return known
    spelled = form
    if len(form) >= LEAST_SPELLED:
        for pattern, instead in _BRITISH:
            spelled = pattern.sub(instead, spelled)
    base = _porter(spelled)
    return CANONICAL.get(spelled) or _by_stem().get(base, base)


@lru_cache(maxsize=1)
def _by_stem() -> dict[str, str]:
    """What the stems of listed words stand for, so that their other forms do too."""
    return {_porter(word): name for word, name in CANONICAL.items() if "_" not in word and len(word) > 3}


@lru_cache(maxsize=1)
def _stemmer() -> Any:
    import snowballstemmer

    return snowballstemmer.stemmer("english")


def _porter(form: str) -> str:
    """Porter 2. The stemmer keeps state while it works, hence the lock."""
    with _stemmer_lock:
        return str(_stemmer().stemWord(form)) if 3 < len(form) < 40 else form.rstrip("s") or form
