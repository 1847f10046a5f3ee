"""Whether a text can hold anything at all that a detector finds: told many times faster than by looking for it.

Each question here is a detector's pattern without what surrounds it, so that it says yes wherever the detector finds
something, and now and then where it does not. The answer holds for the text and for whatever it wraps: texts of JSON,
and of JSON within JSON, however they are escaped, cells of CSV, lines, and texts in base64.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from harness.recordings.exposed import from_base64

_LEVELS = 5  # of JSON within JSON whose letters are escaped by number; beyond, everything is suspect


def suspect(text: bytes) -> bool:
    """Whether `detectors.scrub` could change the text or a part of it; False only where it would change none.

    text: UTF-8; anything else is suspect, and so is what says BASE64, which is how Data Capture marks a body that may
    be short, or of bytes.
    """
    if len(text) < 20 and text.isalpha():  # of letters alone are only long keys
        return False
    for _ in range(_LEVELS):
        if _suspect(text):
            return True
        if b"\\u" not in text and b"\\/" not in text:
            return False
        text = _ESCAPED.sub(_letter, text)
    return True


def suspects(lines: Sequence[bytes]) -> list[bool]:
    """`suspect` of each: one pass over all of them, and a second look at the few that it stops at.

    A call takes a millisecond, and then some 200 MB/s; lines are to be handed over by the thousand.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    stopped = pc.match_substring_regex(pa.array(lines, pa.binary()), _ANY).to_pylist()
    return [suspect(line) if stop else _foreign(line) for line, stop in zip(lines, stopped, strict=True)]


_ESCAPED = re.compile(rb"(?:\\u[0-9a-fA-F]{4})+|\\([^u])", re.S)
_LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def _letter(escaped: re.Match[bytes]) -> bytes:
    if escaped[1] is not None:
        return _LETTERS.get(escaped[1], escaped[1])
    letters: str = json.loads(b'"%b"' % escaped[0])
    return letters.encode("utf-8", "surrogatepass")


def _table(classes: dict[str, str], rest: str) -> bytes:
    """For bytes.translate: each letter of a key becomes the key's value."""
    table = bytearray(rest.encode() * 256)
    for letters, one in classes.items():
        for letter in letters.encode():
            table[letter] = ord(one)
    return bytes(table)


_DIGITS, _LOWER = "0123456789", "abcdefghijklmnopqrstuvwxyz"
_SHAPE = _table({_DIGITS: "0", _LOWER: "a", _LOWER.upper(): "A", " -/": "-", ".": "."}, ",")
_BASE64 = _table({f"{_DIGITS}{_LOWER}{_LOWER.upper()}+/": "x"}, " ")
_ASCII = bytes(range(128))
# Python's \d knows digits of other scripts, and its (?i) takes these four letters for i, s and k.
_FOREIGN = re.compile("[\\d\u0130\u0131\u017f\u212a]")

# What may stand between a name and its sign, in JSON within JSON too. Bytes above 127: white space of other scripts.
_BETWEEN = rb"""(?:\\[nrtfb]?|["'\s\x1c-\x1f\x80-\xff])*[:=]"""
_NAMED = tuple(
    (word, re.compile(word + more + _BETWEEN))
    for word, more in (
        (b"pass", rb"(?:word|wd|phrase)?s?"),
        (b"pwd", b"s?"),
        (b"secret", b"s?"),
        (b"key", rb"(?:(?<=[tsin]key)|(?<=[_-]key))s?"),
        (b"token", b""),
        (b"sig", b""),
    )
) + tuple((word, re.compile(word + rb"(?:[ \t]|\\t)+[^\s\d]*\d")) for word in (b"bearer", b"basic"))
_SIGNS = (b"@", b"-----BEGIN", b"AIza", b"ya29.", b"xox", b"Q~", b"AKIA", b"ASIA", b"AROA", b"AIDA", b"BASE64", b"\0")
# A sign that is not rare, and what has to follow. A pattern that begins with a letter of its own is found fast.
_BEGUN = (
    (b"eyJ", re.compile(rb"eyJ[\w\x80-\xff-]{6,}+\.")),
    (b"sk-", re.compile(rb"sk-[\w-]{20}")),
    (b"_", re.compile(rb"_(?:(?<=gh[opusr]_)|(?<=pat_)|(?<=live_)|(?<=hf_)|(?<=npm_))\w{16}")),
    (b"::", re.compile(rb"::")),
    (b":", re.compile(rb":(?:[0-9A-Fa-f]{1,4}:){6}")),
    (b"+", re.compile(rb"\+[1-9](?:[ ().-]{0,2}\d){6}")),
    (b"(", re.compile(rb"\(\d{2,6}\)[ -]?\d\d")),
    (b"00", re.compile(rb"00(?:(?<![\w.+]00)|(?<=\\[nrtbf]00))[1-9](?:[ ().-]{0,2}\d){6}")),
)
# Stretches of a text's shape: digits as 0, letters as A and a, any of blank, hyphen and stroke as a hyphen.
_GROUPS = (b"0000-0000-0000", b"0000-000000-0000", b"000-00-0000", b"000-000-000", b"00-00-00-A")
_LETTERED = (b"AA000000A", b"00000000A", b"A0000000A", b"AAAAAA00A00A000A")
_INSEE = (b"0" * 15, b"A00000000")
# No letter, digit or point before it, unless it is the letter of an escaped line feed.
_START = rb"(?:(?<![\w.])|(?<=\\[nrtbf]))"
_DOTTED = re.compile(rb"0\.0{1,3}\.0{1,3}\.0|000\.000\.000")
_LONG = re.compile(_START + rb"(?:[2-6]\d{12,18}|[12]\d{14})(?!\d)")
_LOCAL = re.compile(_START + rb"(?<![+-])0\d{1,4}[ /-]\d{2,4}[ -]?\d{2,4}")
_TWO = re.compile(rb"00-(?=00)")
_IBAN = re.compile(rb"(?:(?<![A-Za-z0-9])|(?<=\\[nrtbf]))[A-Za-z]{2}\d\d(?: ?[A-Za-z0-9]){11}")
_RUN = re.compile(rb"[A-Za-z0-9+/]{22,}={0,2}")
# Runs that are a key by their length; one letter more where an escaped line feed stands before.
_KEYS = frozenset((32, 33, 43, 44, 84, 85, 86, 87))
_MIXED_KEYS = frozenset((40, 41))


def _suspect(text: bytes) -> bool:
    for sign in _SIGNS:
        if sign in text:
            return True
    for sign, pattern in _BEGUN:
        if sign in text and pattern.search(text):
            return True
    lower = text.lower()
    for word, pattern in _NAMED:
        if word in lower and pattern.search(lower):
            return True
    return _numbers(text) or _runs(text) or _foreign(text)


def _numbers(text: bytes) -> bool:
    shape = text.translate(_SHAPE)
    if b"0-0" in shape:
        if any(groups in shape for groups in _GROUPS) or _local(text, shape):
            return True
        compact = text.translate(_SHAPE, b" ")
        if any(number in compact for number in _INSEE):
            return True
    if b".0" in shape and _DOTTED.search(shape):
        return True
    if b"0" * 13 in shape and _LONG.search(text):
        return True
    if b"000A" in shape and any(number in shape for number in _LETTERED):
        return True
    return b"AA00" in shape.upper() and _IBAN.search(text) is not None


def _local(text: bytes, shape: bytes) -> bool:
    return any(_LOCAL.search(text, max(two.start() - 3, 0), two.end() + 8) for two in _TWO.finditer(shape))


def _runs(text: bytes) -> bool:
    if b"x" * 22 not in text.translate(_BASE64):
        return False
    for run in _RUN.finditer(text):
        size = len(run[0].rstrip(b"="))
        if size in _KEYS or (size in _MIXED_KEYS and not run[0].islower()):
            return True
        hidden = from_base64(run[0].decode())
        if hidden is not None and suspect(hidden.encode()):
            return True
    return False


def _foreign(text: bytes) -> bool:
    if text.isascii():
        return False
    try:
        return _FOREIGN.search(text.translate(None, _ASCII).decode()) is not None
    except UnicodeDecodeError:
        return True


_BETWEEN_ANY = r"""(?:\\[nrtfb]?|["'\s\x1c-\x1f]|[^\x00-\x7f])*[:=]"""
_START_ANY = r"(?:^|[^\w.]|\\[nrtbf])"
_NUMBERS_ANY = "|".join(
    (
        r"00[1-9](?:[ ().-]{0,2}\d){6}",
        r"\d{4}[ -]\d{4}[ -]\d{4}|\d{4}[ -]\d{6}[ -]\d{4}|\d{3}[ -]\d\d[ -]\d{4}|\d{2,3}[ .-]\d{3}[ .-]\d{3}",
        r"[A-Z]{2} \d\d \d\d \d\d [A-D]|[A-Z]{2}\d{6}[A-D]",
        r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d",
        r"(?:[2-6]\d{12,18}|[12]\d{14})(?:\D|$)",
        r"0\d{1,4}[ /-]\d{2,4}[ -]?\d{2,4}",
        r"(?:\d{8}|[XYZ]\d{7})[A-Z]|[A-Z]{6}\d\d[A-Z]\d\d[A-Z]\d{3}[A-Z]",
        r"[12] ?\d\d ?(?:0[1-9]|1[0-2]) ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d",
    )
)
# The same questions for RE2, which asks them all at once and knows no surroundings, and whatever needs a second look:
# letters escaped by number, and base64. The bytes are taken as Latin-1.
_ANY = "|".join(
    (
        "@|-----BEGIN|AIza|ya29\\.|xox|Q~|A(?:KI|SI|RO|ID)A|BASE64|::|\\x00",
        r"\\[u/]|[A-Za-z0-9+/]{22}",
        r"eyJ(?:[\w-]|[^\x00-\x7f]){6,}\.",
        r"sk-[\w-]{20}",
        r"(?:gh[opusr]|pat|live|hf|npm)_\w{16}",
        rf"(?i:pass(?:word|wd|phrase)?|pwd|secret|[tsin_-]key)(?i:s?){_BETWEEN_ANY}",
        rf"(?i:token|sig){_BETWEEN_ANY}",
        r"(?i:bearer|basic)(?:[ \t]|\\t)+[^\s\d]*\d",
        r":(?:[0-9A-Fa-f]{1,4}:){6}",
        r"\+[1-9](?:[ ().-]{0,2}\d){6}",
        r"\(\d{2,6}\)[ -]?\d\d",
        rf"{_START_ANY}(?:{_NUMBERS_ANY})",
        r"(?:^|[^A-Za-z0-9]|\\[nrtbf])[A-Za-z]{2}\d\d(?: ?[A-Za-z0-9]){11}",
    )
)
