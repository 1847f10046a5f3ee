"""What personal data and credentials look like: one table of detectors, for reports, imports and scans alike.

They work on shapes, so they find what has one: names, street addresses and account numbers of other kinds are the
business of a rule of the user's own (`rules`). They prefer to find too much, and never change a number that stands on
its own in a table: that is for whoever calls them to spare.

Cards are checked by the Luhn digit (ISO/IEC 7812-1, annex B), IBANs by their remainder modulo 97 (ISO 13616-1) and
national numbers by the check digit that their issuer documents. Every pattern takes time linear in the text, which may
be hostile: possessive quantifiers of single characters, bounded lengths, and alternatives that exclude each other. (A
possessive quantifier of a group gives wrong answers in Python 3.11 before 3.11.5: CPython issue 106052.)
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from harness.recordings import national

Put: TypeAlias = Callable[[str, str], str]  # (kind, value) -> what is to stand there

# kind -> what it finds; the kind is the word of placeholders, of reports and of rules files.
KINDS = {
    "secret": "private keys, and values of names that say secret (password, api_key, AccountKey, sig)",
    "token": "bearer tokens and JSON Web Tokens",
    "key": "keys in the shapes of AWS, Azure, Google Cloud, GitHub, OpenAI, Slack and others",
    "iban": "international bank account numbers",
    "email": "e-mail addresses",
    "card": "payment card numbers",
    "ssn": "US social security numbers",
    "national_id": "national numbers of the UK, Spain, France, Italy, Germany, Brazil, India and Canada",
    "phone": "telephone numbers",
    "ip": "IPv4 and IPv6 addresses, except loopback",
}
# What stands for a value that was taken out: "[email]", or "[email:abcdefgh]" where the same value has the same tag.
TAG = "[a-p]{8}"
BLANK = rf"\[(?:{'|'.join(KINDS)})(?::{TAG})?\]"
NOBODY = "example.invalid"  # the domain of pseudonyms of addresses (RFC 2606: never anybody's)
DIGIT, RUN = "a digit", "a run"
_DIGIT = re.compile(r"\d")
_RUN = re.compile(r"[\w+/=~.-]{20}")


@dataclass(frozen=True, slots=True)
class Detector:
    """kind: of KINDS. group: the part of a match that is the value. check: whether a value of that shape is one.

    needs: what no match is without: a text that must occur, DIGIT, or RUN (20 letters, digits and signs of base64 on
    end). Most texts lack it, and looking for it is many times faster than looking for the pattern.
    """

    kind: str
    pattern: re.Pattern[str]
    group: int = 0
    check: Callable[[str], bool] | None = None
    needs: str = ""

    def scrub(self, text: str, put: Put) -> str:
        """The text with `put(kind, value)` for each value found."""

        def changed(match: re.Match[str]) -> str:
            value = match[self.group]
            if self.check is not None and not self.check(value):
                return match[0]
            start, end = (place - match.start() for place in match.span(self.group))
            return match[0][:start] + put(self.kind, value) + match[0][end:]

        return self.pattern.sub(changed, text)


def scrub(text: str, put: Put, *, off: frozenset[str] = frozenset()) -> str:
    """The text with `put(kind, value)` in place of every value that a detector finds, those of `off` left alone.

    What `put` gives stays: placeholders and pseudonyms of this room's making are not found again.
    """
    has = {DIGIT: _DIGIT.search(text) is not None, RUN: _RUN.search(text) is not None}
    for detector in SECRETS:
        if detector.kind not in off and has.get(detector.needs, detector.needs in text):
            text = detector.scrub(text, put)
    if "iban" not in off and has[DIGIT]:
        text = _without_ibans(text, put)
    for detector in PERSONAL:
        if detector.kind not in off and has.get(detector.needs, detector.needs in text):
            text = detector.scrub(text, put)
    return text


def _luhn(value: str) -> bool:
    return national.luhn([int(letter) for letter in value if letter.isdigit()])


def _digits(fewest: int) -> Callable[[str], bool]:
    """15 digits are the longest telephone number (ITU-T E.164); `fewest` keeps dates and short codes out."""
    return lambda value: fewest <= sum(letter.isdigit() for letter in value) <= 15


def _mixed(value: str) -> bool:
    """A key when it has letters of both cases and digits; of hexadecimal digits alone it is a hash."""
    return all(any(kind(letter) for letter in value) for kind in (str.isupper, str.islower, str.isdigit))


def _address(value: str) -> bool:
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return False
    plain = address.version == 4 or any(len(group) >= 3 for group in value.split(":"))  # std::map, a::b
    return plain and not (address.is_loopback or address.is_unspecified)


_IBAN_START = re.compile(r"(?<![^\W_])[A-Za-z]{2}\d{2}", re.ASCII)
_IBAN_BODY = re.compile(r"(?: ?[A-Za-z0-9]){11,30}", re.ASCII)


def _without_ibans(text: str, put: Put) -> str:
    """Each possible start is tried by itself, as words that follow in capitals look like more of the number."""
    parts, done = [], 0
    for start in _IBAN_START.finditer(text):
        if start.start() >= done and (end := _iban_end(text, start)) is not None:
            parts += [text[done : start.start()], put("iban", text[start.start() : end])]
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


_NAMES = (
    r"(?<!\[)(?:pass(?:word|wd|phrase)?|pwd|secret(?:[_-]?access[_-]?key)?|client[_-]?secret|ocp-apim-subscription-key|"
    r"(?:account|shared[_-]?access|access|api|subscription)[_-]?key|token|(?<![a-z])sig)"
)
_PEM = r"PRIVATE KEY-----"

# As names of a value that stands by itself, under a key of JSON or as a header. Of the second kind are also words of
# other trades ("token" in log probabilities), so a value must look like one.
_SAYS_SECRET = re.compile(
    r"(?i)(?:passw(?:or)?d|passphrase|pwd|secret|(?:account|access|api|subscription)[_-]?key)s?\Z", re.ASCII
)
_MAY_SAY_SECRET = re.compile(r"(?i)(?:token|(?<![a-z])(?:sig|pass))\Z", re.ASCII)
_CREDENTIAL = re.compile(r"(?=\D*\d)\S{8,}")
_BLANK = re.compile(BLANK)


def is_secret(name: str, value: str) -> bool:
    """Whether a value is a credential by its name: {"api_key": "..."}. A placeholder is none."""
    if _SAYS_SECRET.search(name) is None:
        return (
            _MAY_SAY_SECRET.search(name) is not None and _CREDENTIAL.fullmatch(value) is not None and not _blank(value)
        )
    return value != "" and not _blank(value)


def _blank(value: str) -> bool:
    return _BLANK.fullmatch(value) is not None


SECRETS = (
    Detector(
        "secret",
        re.compile(rf"-----BEGIN [A-Z ]{{0,40}}{_PEM}(?:(?!-----END ).)*(?:-----END [A-Z ]{{0,40}}{_PEM})?", re.S),
        needs="-----BEGIN",
    ),
    # with a digit, or "basic understanding" would be a credential
    Detector(
        "token", re.compile(r"(?i)\b(?:bearer|basic)[ \t]++(?=[^\s\d]*+\d)([a-z0-9._~+/-]{8,}+=*+)"), 1, needs=DIGIT
    ),
    Detector("token", re.compile(r"\beyJ[\w-]{6,}+\.[\w-]{6,}+\.[\w-]*+"), needs="eyJ"),
    # "name": "value" as it stands in JSON, in JSON inside JSON, and name=value or name: value; whatever stands before
    # the name (aws_, x-api-, AZURE_) stays
    Detector("secret", re.compile(rf'(?i){_NAMES}["\']?\s?[:=]\s?"(?!{BLANK}")([^"\\]*(?:\\.[^"\\]*)*)'), 1, bool),
    Detector("secret", re.compile(rf"(?i){_NAMES}[\"']?\s?[:=]\s?'(?!{BLANK}')([^'\\]*(?:\\.[^'\\]*)*)"), 1, bool),
    Detector("secret", re.compile(rf"""(?i){_NAMES}\\"\s?:\s?\\"(?!{BLANK})([^"\\]++)"""), 1),
    Detector("secret", re.compile(rf"""(?i){_NAMES}["']?\s?[:=]\s?(?!{BLANK})([^\s"'\\,;&<>}}]{{6,}}+)"""), 1),
    Detector("key", re.compile(r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}\b"), needs=RUN),
    Detector("key", re.compile(r"(?<![\w-])AIza[\w-]{35}(?![\w-])", re.ASCII), needs="AIza"),  # Google Cloud API key
    Detector(
        "key", re.compile(r"(?<![\w-])ya29\.[\w-]{20,400}+", re.ASCII), needs="ya29."
    ),  # Google OAuth access token
    Detector("key", re.compile(r"(?<!\w)(?:gh[opusr]_\w{36,255}|github_pat_\w{22,255})(?!\w)", re.ASCII), needs=RUN),
    Detector("key", re.compile(r"(?<![\w-])sk-(?=[\w-]*\d)[\w-]{20,200}+", re.ASCII), needs="sk-"),  # OpenAI, Anthropic
    Detector("key", re.compile(r"(?<![\w-])xox[abeprs]-[\w-]{10,200}+", re.ASCII), needs="xox"),  # Slack
    Detector("key", re.compile(r"(?<!\w)(?:[rs]k_live_\w{16,200}|hf_\w{30,60}|npm_\w{36})(?!\w)", re.ASCII), needs=RUN),
    Detector(
        "key", re.compile(r"(?<![\w~.-])[\w~.-]{3}[78]Q~[\w~.-]{31,34}(?![\w~.-])", re.ASCII), needs="Q~"
    ),  # Entra ID secret
    Detector("key", re.compile(r"(?<![\w+/])[A-Za-z0-9+/]{86}=="), needs=RUN),  # Azure Storage, Cosmos DB
    Detector(
        "key", re.compile(r"(?<![\w+/])[A-Za-z0-9+/]{43}=(?!=)"), needs=RUN
    ),  # Azure Service Bus, Event Hubs, IoT Hub
    Detector("key", re.compile(r"(?<![\w+/=])[A-Za-z0-9]{84}(?![\w+/=])"), needs=RUN),  # Azure AI services, long form
    Detector("key", re.compile(r"(?<![\w+/=-])[0-9a-f]{32}(?![\w+/=-])"), needs=RUN),  # the same, short form
    Detector("key", re.compile(r"(?<![\w+/=-])[A-Za-z0-9]{32}(?![\w+/=-])"), 0, _mixed, needs=RUN),  # Azure ML endpoint
    Detector(
        "key", re.compile(r"(?<![\w+/=])[A-Za-z0-9+/]{40}(?![\w+/=])"), 0, _mixed, needs=RUN
    ),  # AWS secret access key
)

_END = r"(?!\w|\.\d)"  # a full stop may follow, decimals may not
PERSONAL = (
    Detector(
        "email",
        re.compile(
            rf"(?<![\w.+%-])[\w.+%-]++@(?!{re.escape(NOBODY)}\b)(?:[\w-]{{1,63}}+\.){{1,8}}(?:xn--[\w-]{{2,59}}|[^\W\d_]{{2,24}})"
        ),
        needs="@",
    ),
    Detector("card", re.compile(rf"(?<![\w.])[2-6]\d{{12,18}}{_END}"), 0, _luhn, needs=DIGIT),
    Detector(
        "card",
        re.compile(rf"(?<![\w.])[2-6]\d{{3}}([ -])\d{{4}}\1\d{{4}}\1\d{{1,4}}(?:\1\d{{1,3}})?{_END}"),
        0,
        _luhn,
        needs=DIGIT,
    ),
    Detector(
        "card", re.compile(rf"(?<![\w.])[2-6]\d{{3}}([ -])\d{{4}}\1\d{{4}}\1\d{{4}}{_END}"), 0, _luhn, needs=DIGIT
    ),
    Detector("card", re.compile(rf"(?<![\w.])3\d{{3}}([ -])\d{{6}}\1\d{{4,5}}{_END}"), 0, _luhn, needs=DIGIT),
    Detector(
        "ssn",
        re.compile(rf"(?<![\w.-])(?!000|666|9)\d{{3}}([ -])(?!00)\d{{2}}\1(?!0000)\d{{4}}(?!-){_END}"),
        needs=DIGIT,
    ),
    *(
        Detector("national_id", re.compile(rf"(?<![\w.-]){shape}(?!-){_END}", re.ASCII), 0, check, needs=DIGIT)
        for shape, check in national.SHAPES
    ),
    # +1.25 is a number; +1.555.0123456 is not
    Detector(
        "phone",
        re.compile(rf"(?<![\w.+])(?:\+(?!\d+\.\d+(?![\d.]))|00)[1-9](?:[ ().-]{{0,2}}\d){{6,14}}{_END}"),
        0,
        _digits(7),
        needs=DIGIT,
    ),
    Detector(
        "phone",
        re.compile(rf"(?<![\w.+-])\(0?\d{{2,5}}\)[ -]?\d{{2,4}}(?:[ -]\d{{2,5}}){{1,3}}{_END}"),
        0,
        _digits(7),
        needs=DIGIT,
    ),
    Detector("phone", re.compile(rf"(?<![\w.+-])\d{{3}}([ .-])\d{{3}}\1\d{{4}}(?!-){_END}"), needs=DIGIT),
    Detector(
        "phone",
        re.compile(rf"(?<![\w.+-])0\d{{1,4}}[ /-]\d{{2,4}}(?:[ -]?\d{{2,4}}){{1,2}}(?!-){_END}"),
        0,
        _digits(9),
        needs=DIGIT,
    ),
    # a version says so: v1.2.3.4, version 1.2.3.4
    Detector(
        "ip", re.compile(r"(?i)(?<![\w.-])(?<!version )(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)"), 0, _address, needs=DIGIT
    ),
    Detector(
        "ip", re.compile(r"(?<![\w:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:.])"), 0, _address, needs=":"
    ),
)
