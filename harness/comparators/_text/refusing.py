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
    r"|\b(?:request|question|content|response) (?:was|has been|is) (?:blocked|filtered|declined)\b"
    r"|\b(?:dabei|das|damit) kann ich (?:\w+ ){0,3}nicht (?:helfen|beantworten|unterstützen)\b"
    r"|\bich kann (?:\w+ ){0,4}nicht (?:helfen|weiterhelfen|beantworten|unterstützen)\b"
    r"|\bje ne (?:peux|suis) (?:\w+ ){0,4}(?:aider|répondre|fournir|capable)\b"
    r"|\bno puedo (?:\w+ ){0,3}(?:ayudar\w*|responder|proporcionar|asistir\w*)\b"
    r"|\bnon posso (?:\w+ ){0,3}(?:aiutar\w*|rispondere|fornire)\b",
    re.IGNORECASE,
)
# Whoever speaks here says that they cannot do something; whether that is a refusal depends on the other answer.
_UNABLE = re.compile(
    rf"\b(?:i|we)(?:'m| am| are)? (?:sorry[, ]+(?:but )?)?(?:i )?{_CANNOT} \w+"
    r"|\b(?:i|we)(?:'m| am| are) (?:unable|not able|not allowed|not permitted|not qualified|not designed) to \w+"
    r"|^\s*(?:i'm |i am )?(?:very |so )?sorry\b",
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
    """Whether a text is a refusal and nothing else, in English or in the plainest words of four other languages."""
    return _short_one(text, _REFUSES)


def refusals(source: str, target: str) -> tuple[bool, bool]:
    """Which of two answers refuse. Beside a plain refusal, an answer that only says it is unable is one too: "not able
    to diagnose" beside "I cannot provide a diagnosis".
    """
    plain = refuses(source), refuses(target)
    if plain[0] is not plain[1] and all(refuses(text) or _short_one(text, _UNABLE) for text in (source, target)):
        return True, True
    return plain


def _short_one(text: str, pattern: re.Pattern[str]) -> bool:
    plain = text.replace("’", "'")
    if not plain.strip() or len(plain) > _LONGEST:
        return False
    return pattern.search(plain) is not None and _GOES_ON.search(plain) is None


@lru_cache(maxsize=CACHED_TEXTS)
def hedges(text: str) -> bool:
    """Whether a text says near its beginning that it does not know. English only."""
    return _HEDGES.search(text.replace("’", "'")[:_LONGEST]) is not None
