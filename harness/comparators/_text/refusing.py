"""Answers that are none: a refusal in so many words, and an answer that says it does not know."""

from __future__ import annotations

import re
from functools import lru_cache

from harness.comparators._text.words import CACHED_TEXTS

_LONGEST = 400  # characters; a refusal is short, and a long text that begins with an apology goes on to answer
_CANNOT = r"(?:can ?not|can't|won't|will not|am unable to|am not able to|am not allowed to|could not|couldn't)"
_DO = (
    r"(?:help|assist|comply|provide|answer|discuss|share|fulfil|fulfill|continue|engage|create|generate|write|give|"
    r"offer|do that|do this|support|participate|respond|talk|disclose|process|complete)"
)
_REFUSES = re.compile(
    rf"\b(?:i|we)(?:'m| am| are)? (?:sorry[, ]+but )?(?:i )?{_CANNOT} (?:\w+ )?{_DO}\b"
    rf"|\b(?:i|we)(?:'m| am) (?:unable|not able) to (?:\w+ )?{_DO}\b"
    r"|\b(?:i|we) (?:must|have to|need to) (?:decline|refuse)\b"
    r"|\b(?:against|violates?) (?:my|our|the) (?:\w+ )?(?:guidelines|polic(?:y|ies)|programming)\b"
    r"|^\s*(?:i'm |i am )?(?:very )?sorry,? (?:but )?(?:i|we) (?:can't|cannot|can not)\b"
    r"|\b(?:request|question|content|response) (?:was|has been|is) (?:blocked|filtered|declined)\b",
    re.IGNORECASE,
)
_GOES_ON = re.compile(r"\b(?:however|but here|that said|instead, here|what i can)\b", re.IGNORECASE)
_HEDGES = re.compile(
    r"\b(?:i (?:do not|don't|did not|didn't|cannot|can't|could not|couldn't) (?:have|know|find|determine|confirm|see)"
    r"|no (?:\w+ )?(?:information|record|evidence)\b(?: \w+){0,2} (?:available|found|about|on|of)"
    r"|not (?:publicly )?(?:specified|known|available|mentioned)|unclear|(?:i'm|i am) not sure)\b",
    re.IGNORECASE,
)


@lru_cache(maxsize=CACHED_TEXTS)
def refuses(text: str) -> bool:
    """Whether a text is a refusal and nothing else. English only."""
    plain = text.replace("’", "'")
    if not plain.strip() or len(plain) > _LONGEST:
        return False
    return _REFUSES.search(plain) is not None and _GOES_ON.search(plain) is None


@lru_cache(maxsize=CACHED_TEXTS)
def hedges(text: str) -> bool:
    """Whether a text says near its beginning that it does not know. English only."""
    return _HEDGES.search(text.replace("’", "'")[:_LONGEST]) is not None
