"""One redactor: detectors and rules find values, and each becomes a pseudonym that is the same within one import.

A pseudonym is "[kind:abcdefgh]", eight letters of an HMAC-SHA256 of the value under a key that is made for the import
and never stored, so that whoever appears twice still does, and nobody can look a name up. An e-mail address keeps its
shape, abcdefgh@example.invalid, and a number that a rule picks stays a number of as many digits: what validates its
input must still take it. Pseudonyms of different imports have nothing in common.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from harness.core.case import Json
from harness.recordings import detectors
from harness.recordings.rules import Rule, Rules, load
from harness.recordings.suspects import suspect, suspects

VERSION = "detectors/2"
_LETTERS = "abcdefghijklmnop"


class Pseudonyms:
    """A Redactor (see `privacy`). key: 32 random bytes where none is given; two with one key agree."""

    def __init__(self, rules: Rules | None = None, *, key: bytes | None = None, source: str = "") -> None:
        self._rules = rules or Rules()
        self._key = key or secrets.token_bytes(32)
        off = [f"off:{kind}" for kind in sorted(self._rules.off)]
        own = [f"rule:{rule.name}" for rule in self._rules.own]
        self.rules: tuple[str, ...] = (VERSION, *off, *own, *([source] if source else []))

    @classmethod
    def from_file(cls, path: Path) -> Pseudonyms:
        """Raises ConfigError naming the rule that is wrong."""
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16] if path.is_file() else ""
        return cls(load(path), source=f"sha256:{digest}")

    def untouched(self, text: str | bytes) -> bool:
        """True only where redaction would change nothing in the text or in what it wraps: see `suspects`.

        A rule of the user's may find anything anywhere, so with one every text may be touched.
        """
        if self._rules.own:
            return False
        return not suspect(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))

    def untouched_lines(self, lines: Sequence[bytes]) -> list[bool]:
        """`untouched` of each, many times faster where they are handed over by the thousand."""
        return [False] * len(lines) if self._rules.own else [not found for found in suspects(lines)]

    def redact(self, text: str) -> str:
        """The text without what detectors, patterns and finders find; the same text where they find nothing."""
        if self.untouched(text):
            return text
        for rule in self._rules.own:
            if rule.pattern is not None:
                text = rule.pattern.sub(partial(self._matched, rule.name), text)
            elif rule.finder is not None:
                text = self._found(rule, text)
        return detectors.scrub(text, self._put, off=self._rules.off)

    def named(self, name: str, text: str) -> str | None:
        """What stands for a value that is a credential by its name; None for any other."""
        if "secret" in self._rules.off or not detectors.is_secret(name, text):
            return None
        return self._put("secret", text)

    def picked(self, value: Json, side: str) -> Json:
        """A JSON body with what the rules' paths select in it replaced. side: "request" or "response"."""
        paths = [(rule.name, rule.path) for rule in self._rules.own if rule.path and side in rule.sides]
        if not paths:
            return value
        import jmespath
        from jmespath.exceptions import JMESPathError

        for name, path in paths:
            try:
                found = jmespath.search(path, _marked(value, ()))
            except JMESPathError:
                continue  # a body of another shape
            for place in {leaf.place for leaf in _leaves(found)}:
                value = _replaced(value, place, partial(self._leaf, name))
        return value

    def cell(self, text: str, column: int, side: str) -> str | None:
        """What stands in place of a CSV cell; None where no rule speaks of its column."""
        for rule in self._rules.own:
            if column in rule.columns and side in rule.sides:
                return self._number(rule.name, text) if _is_number(text) else self._own(rule.name, text)
        return None

    def _put(self, kind: str, value: str) -> str:
        if not self._rules.pseudonyms:
            return f"[{kind}]"
        tag = self._tag(kind, _normal(kind, value))
        return f"{tag}@{detectors.NOBODY}" if kind == "email" else f"[{kind}:{tag}]"

    def _matched(self, name: str, match: re.Match[str]) -> str:
        return self._own(name, match[0])

    def _own(self, name: str, value: str) -> str:
        return f"[{name}:{self._tag(name, value)}]" if self._rules.pseudonyms else f"[{name}]"

    def _found(self, rule: Rule, text: str) -> str:
        parts, done = [], 0
        for start, end in rule.finder.find(text) if rule.finder is not None else ():
            if start >= done and end > start:
                parts += [text[done:start], self._own(rule.name, text[start:end])]
                done = end
        return "".join([*parts, text[done:]])

    def _leaf(self, name: str, old: Json) -> Json:
        if isinstance(old, str):
            return self._own(name, old)
        number: Json = json.loads(self._number(name, json.dumps(old)))
        return number

    def _number(self, name: str, text: str) -> str:
        """A number of the same digits' count, sign and point. An exponent stays."""
        mantissa, mark, exponent = text.partition("e") if "e" in text else text.partition("E")
        drawn = self._digest(name, text)
        digits = iter(str(int.from_bytes(drawn, "big")))
        leading = True
        out = []
        for letter in mantissa:
            if letter.isdigit():
                digit = next(digits, "7")
                out.append("1" if leading and digit == "0" and len(mantissa) > 1 else digit)
                leading = False
            else:
                out.append(letter)
        return "".join(out) + mark + exponent

    def _tag(self, kind: str, value: str) -> str:
        drawn = int.from_bytes(self._digest(kind, value)[:4], "big")
        return "".join(_LETTERS[drawn >> 4 * place & 15] for place in range(8))

    def _digest(self, kind: str, value: str) -> bytes:
        return hmac.new(self._key, f"{kind}\0{value}".encode("utf-8", "surrogatepass"), hashlib.sha256).digest()


def _normal(kind: str, value: str) -> str:
    """One value however it is written: an address in either case, a number with any separators."""
    if kind == "email":
        return value.casefold()
    if kind in ("card", "phone", "ssn", "iban", "national_id"):
        return "".join(letter for letter in value.upper() if letter.isalnum())
    return value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return any(letter.isdigit() for letter in text)


class _MarkedText(str):
    """A text of a body that knows where it stands."""

    __slots__ = ("place",)
    place: tuple[Any, ...]


class _MarkedInt(int):
    place: tuple[Any, ...]


class _MarkedFloat(float):
    place: tuple[Any, ...]


def _marked(value: Json, place: tuple[Any, ...]) -> Any:
    """The value with its texts and numbers marked: JMESPath gives back what it selects, not where it was."""
    if isinstance(value, dict):
        return {key: _marked(inner, (*place, key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [_marked(inner, (*place, index)) for index, inner in enumerate(value)]
    if value is None or isinstance(value, bool):
        return value
    kind = _MarkedText if isinstance(value, str) else _MarkedInt if isinstance(value, int) else _MarkedFloat
    leaf = kind(value)
    leaf.place = place
    return leaf


def _leaves(found: Any) -> Iterator[Any]:
    if isinstance(found, dict):
        found = list(found.values())
    if isinstance(found, list):
        for inner in found:
            yield from _leaves(inner)
    elif isinstance(found, _MarkedText | _MarkedInt | _MarkedFloat):
        yield found


def _replaced(value: Any, place: tuple[Any, ...], change: Callable[[Json], Json]) -> Any:
    if not place:
        return change(value)
    step, rest = place[0], place[1:]
    if isinstance(value, dict):
        return {key: _replaced(inner, rest, change) if key == step else inner for key, inner in value.items()}
    return [_replaced(inner, rest, change) if index == step else inner for index, inner in enumerate(value)]
