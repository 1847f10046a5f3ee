"""Blank out personal data and secrets in text that a report shows.

For the payload level "redacted": e-mail addresses, phone numbers, payment card numbers, IBANs, and keys and tokens of
the kinds that AWS and Azure hand out become placeholders that say what stood there. It works on shapes, so it finds
what has one: names, street addresses and account numbers of other kinds stay, and a report that must not hold those
is made at level "hash" or "none". It prefers to blank too much. Redacting golden sets before they are stored, with
rules that a manifest names, is not done here.

Card numbers are checked by the Luhn digit (ISO/IEC 7812-1, annex B), IBANs by their remainder of 1 modulo 97
(ISO 13616-1), so that measurements, times and counters in a payload survive. Every pattern takes time linear in the
text, which may be hostile: possessive quantifiers or bounded lengths throughout.
"""

from __future__ import annotations

import re
from collections.abc import Callable

EMAIL, PHONE, CARD, IBAN = "[email]", "[phone]", "[card]", "[iban]"
KEY, TOKEN, SECRET = "[key]", "[token]", "[secret]"

Rule = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]


def redact_text(text: str) -> str:
    """The text with typed placeholders; placeholders that stand in it already stay."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    text = _without_ibans(text)
    for pattern, replacement in _PERSONAL:
        text = pattern.sub(replacement, text)
    return text


def _card(match: re.Match[str]) -> str:
    digits = [int(letter) for letter in reversed(match[0]) if letter.isdigit()]
    doubled = [digit * (2 if index % 2 else 1) for index, digit in enumerate(digits)]
    valid = sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0
    return CARD if valid else match[0]


def _phone(fewest: int) -> Callable[[re.Match[str]], str]:
    """15 digits are the longest number (ITU-T E.164); `fewest` keeps dates and short codes out."""
    return lambda match: PHONE if fewest <= sum(letter.isdigit() for letter in match[0]) <= 15 else match[0]


def _mixed(match: re.Match[str]) -> str:
    """A key when it has letters of both cases and digits; of hexadecimal digits alone it is a hash."""
    found = match[0]
    kinds = (str.isupper, str.islower, str.isdigit)
    return KEY if all(any(kind(letter) for letter in found) for kind in kinds) else found


_IBAN_START = re.compile(r"(?<![^\W_])[A-Za-z]{2}\d{2}", re.ASCII)
_IBAN_BODY = re.compile(r"(?: ?[A-Za-z0-9]){11,30}", re.ASCII)


def _without_ibans(text: str) -> str:
    """Each possible start is tried by itself, as words that follow in capitals look like more of the number."""
    parts, done = [], 0
    for start in _IBAN_START.finditer(text):
        if start.start() >= done and (end := _iban_end(text, start)) is not None:
            parts += [text[done : start.start()], IBAN]
            done = end
    return "".join([*parts, text[done:]])


def _iban_end(text: str, start: re.Match[str]) -> int | None:
    body = _IBAN_BODY.match(text, start.end())
    for end in range(body.end() if body else 0, start.end() + 10, -1):
        if text[end - 1].isalnum() and not text[end : end + 1].isalnum():
            compact = text[start.start() : end].replace(" ", "")
            if len(compact) >= 15 and _mod97(compact) == 1:
                return end
    return None


def _mod97(compact: str) -> int:
    return int("".join(str(int(letter, 36)) for letter in compact[4:] + compact[:4])) % 97


_BLANK = r"\[(?:email|phone|card|iban|key|token|secret)\]"
_NAMES = (
    r"(?:pass(?:word|wd|phrase)?|pwd|secret(?:[_-]?access[_-]?key)?|client[_-]?secret|ocp-apim-subscription-key|"
    r"(?:account|shared[_-]?access|access|api|subscription)[_-]?key|token|(?<![a-z])sig)"
)
_PEM = r"PRIVATE KEY-----"

_SECRETS: tuple[Rule, ...] = (
    (
        re.compile(rf"-----BEGIN [A-Z ]{{0,40}}{_PEM}(?:(?!-----END ).)*+(?:-----END [A-Z ]{{0,40}}{_PEM})?", re.S),
        SECRET,
    ),
    # with a digit, or "basic understanding" would be a credential
    (re.compile(r"(?i)\b(bearer|basic)[ \t]++(?=[^\s\d]*+\d)[a-z0-9._~+/-]{8,}+=*+"), rf"\1 {TOKEN}"),
    (re.compile(r"\beyJ[\w-]{6,}+\.[\w-]{6,}+\.[\w-]*+"), TOKEN),
    # "name": "value" as it stands in JSON, in JSON inside JSON, and name=value or name: value; whatever stands before
    # the name (aws_, x-api-, AZURE_) stays
    (re.compile(rf"""(?i)({_NAMES}["']?\s?[:=]\s?(["']))(?!{_BLANK}\2)(?:\\.|(?!\2)[^\\])++"""), rf"\1{SECRET}"),
    (re.compile(rf"""(?i)({_NAMES}\\"\s?:\s?\\")(?!{_BLANK})[^"\\]++"""), rf"\1{SECRET}"),
    (re.compile(rf"""(?i)({_NAMES}["']?\s?[:=]\s?)(?!{_BLANK})[^\s"'\\,;&<>}}]{{6,}}+"""), rf"\1{SECRET}"),
    (re.compile(r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}\b"), KEY),
    (re.compile(r"(?<![\w~.-])[\w~.-]{3}[78]Q~[\w~.-]{31,34}(?![\w~.-])", re.ASCII), KEY),  # Entra ID client secret
    (re.compile(r"(?<![\w+/])[A-Za-z0-9+/]{86}=="), KEY),  # Azure Storage, Cosmos DB
    (re.compile(r"(?<![\w+/])[A-Za-z0-9+/]{43}=(?!=)"), KEY),  # Azure Service Bus, Event Hubs, IoT Hub
    (re.compile(r"(?<![\w+/=])[A-Za-z0-9]{84}(?![\w+/=])"), KEY),  # Azure AI services and Azure OpenAI, long form
    (re.compile(r"(?<![\w+/=-])[0-9a-f]{32}(?![\w+/=-])"), KEY),  # the same, short form
    (re.compile(r"(?<![\w+/=-])[A-Za-z0-9]{32}(?![\w+/=-])"), _mixed),  # Azure ML endpoint
    (re.compile(r"(?<![\w+/=])[A-Za-z0-9+/]{40}(?![\w+/=])"), _mixed),  # AWS secret access key
)

_END = r"(?!\w|\.\d)"  # a full stop may follow, decimals may not
_PERSONAL: tuple[Rule, ...] = (
    (re.compile(r"(?<![\w.+%-])[\w.+%-]++@(?:[\w-]{1,63}+\.){1,8}(?:xn--[\w-]{2,59}|[^\W\d_]{2,24})"), EMAIL),
    (re.compile(rf"(?<![\w.])[2-6]\d{{12,18}}{_END}"), _card),
    (re.compile(rf"(?<![\w.])[2-6]\d{{3}}([ -])\d{{4}}\1\d{{4}}\1\d{{1,4}}(?:\1\d{{1,3}})?{_END}"), _card),
    (re.compile(rf"(?<![\w.])[2-6]\d{{3}}([ -])\d{{4}}\1\d{{4}}\1\d{{4}}{_END}"), _card),
    (re.compile(rf"(?<![\w.])3\d{{3}}([ -])\d{{6}}\1\d{{4,5}}{_END}"), _card),
    # +1.25 is a number; +1.555.0123456 is not
    (
        re.compile(rf"(?<![\w.+])(?:\+(?!\d+\.\d+(?![\d.]))|00)[1-9](?:[ ().-]{{0,2}}\d){{6,14}}{_END}"),
        _phone(7),
    ),
    (re.compile(rf"(?<![\w.+-])\(0?\d{{2,5}}\)[ -]?\d{{2,4}}(?:[ -]\d{{2,5}}){{1,3}}{_END}"), _phone(7)),
    (re.compile(rf"(?<![\w.+-])\d{{3}}([ .-])\d{{3}}\1\d{{4}}(?!-){_END}"), PHONE),
    (re.compile(rf"(?<![\w.+-])0\d{{1,4}}[ /-]\d{{2,4}}(?:[ -]?\d{{2,4}}){{1,2}}(?!-){_END}"), _phone(9)),
)
