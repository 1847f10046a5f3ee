"""Whether a text supports a claim, lexically and by type: no model, no inference.

A claim is supported where the text holds enough of its words, every one of its numbers, and no negation that only one
of the two has. It tells a claim that has nothing to stand on; it does not tell a claim that follows by reasoning.
"""

from __future__ import annotations

import re
import unicodedata

# Sentences end at these before white space, not after a single letter or a number ("J. Doe", "3. item").
_ENDS = re.compile(r"(?<=[^\W\d_]{2}[.!?])\s+|(?<=[)\]\"'%\d][.!?])\s+(?=[A-Z])|\n\s*\n|\n(?=\s*[-*•])|(?<=[。！？])")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
# Scripts without spaces between words count by character.
_UNSPACED = r"\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_WORD = re.compile(rf"[{_UNSPACED}]|(?:(?![{_UNSPACED}])[^\W\d_])+")
_NEGATIONS = frozenset(
    re.findall(r"\w+", "not no never none neither nor cannot without nicht kein keine nie ne pas jamais non")
)
_COMMON = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be been by can do does for from had has have he her his i if in into is it its may more of "
        "on or our she so than that the their them then there these they this to was we were which who will with would "
        "you your",
    )
)


def sentences(text: str) -> list[tuple[int, int]]:
    """(start, end) of each sentence that says something, in characters of the text."""
    spans, start = [], 0
    for end in _ENDS.finditer(text):
        spans.append((start, end.start()))
        start = end.end()
    spans.append((start, len(text)))
    return [(start, end) for start, end in spans if _WORD.search(text, start, end) or _NUMBER.search(text, start, end)]


def supported(claim: str, text: str, share: float) -> bool:
    """Whether `text` holds at least `share` of the claim's words and all of its numbers, and denies as it does."""
    said, known = _words(claim), _words(text)
    if not _numbers(claim) <= _numbers(text):
        return False
    content = said - _COMMON - _NEGATIONS
    if content and len(content & known) / len(content) < share:
        return False
    # A negation that the text lacks altogether; the other way about the text may deny something else.
    return not (said & _NEGATIONS) or bool(known & _NEGATIONS)


def _words(text: str) -> set[str]:
    folded = unicodedata.normalize("NFKC", text).casefold().replace("n't", " not ").replace("n’t", " not ")
    return {_stem(word) for word in _WORD.findall(folded)}


def _stem(word: str) -> str:
    """The word without an English plural: enough to match "flights" with "flight"."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _numbers(text: str) -> set[str]:
    """Numbers without grouping: "1,200.50" and "1200.5" are one; a comma before one or two digits is a decimal."""
    return {_plain(found) for found in _NUMBER.findall(unicodedata.normalize("NFKC", text))}


def _plain(number: str) -> str:
    grouped = re.sub(r"[.,](?=\d{3}(?:\D|$))", "", number)
    whole, _, decimals = grouped.replace(",", ".").partition(".")
    decimals = decimals.rstrip("0")
    return (whole.lstrip("0") or "0") + (f".{decimals}" if decimals else "")
