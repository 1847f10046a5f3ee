"""Two JSON values, field by field: every difference with its path, its class and both values."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from harness.comparators._json.forms import canonical, key_of
from harness.comparators._json.rules import Path, Rule, Rules, covers, may_cover_below, told
from harness.core.case import Json

MISSING, EXTRA, TYPE, VALUE, ORDER = "missing", "extra", "type", "value", "order"

# Deeper than any answer an application reads, and well inside what Python can walk.
DEEPEST = 60
# Elements of a set that have no equal are tried against each other, one by one, up to this many.
_TRIED = 200


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where two values differ. weight: how many fields are affected, 1 or more."""

    path: Path
    kind: str
    source: Json
    target: Json
    weight: int = 1

    def __str__(self) -> str:
        place = told(self.path)
        match self.kind:
            case "missing":
                return f"{place}: missing in the target, source {short(self.source)}"
            case "extra":
                return f"{place}: only in the target, {short(self.target)}"
            case "type":
                return (
                    f"{place}: source {short(self.source)} ({type_of(self.source)}), "
                    f"target {short(self.target)} ({type_of(self.target)})"
                )
            case "order":
                return f"{place}: the same elements in another order, source {short(self.source)}, " + (
                    f"target {short(self.target)}"
                )
        return f"{place}: source {short(self.source)}, target {short(self.target)}"


@dataclass(frozen=True, slots=True)
class Walk:
    """How two values are compared. forms: canonical forms wherever no rule names others. only: the paths that are
    compared with all that lies below them; () for everything.
    """

    rules: Rules = field(default_factory=Rules)
    forms: tuple[str, ...] = ()
    only: tuple[tuple[str, ...], ...] = ()

    def differences(self, source: Json, target: Json, path: Path = ()) -> list[Difference]:
        """In the order of the source's fields, then the target's own."""
        return list(self._value(source, target, path, self.rules.of(path)))

    def same(self, source: Json, target: Json, path: Path = ()) -> bool:
        return next(self._value(source, target, path, self.rules.of(path)), None) is None

    def fields(self, value: Json, path: Path = ()) -> int:
        """How many fields are compared: scalars and empty containers that no rule ignores."""
        if self._outside(path) or self.rules.of(path).ignore:
            return 0
        if isinstance(value, dict) and value:
            return sum(self.fields(inner, (*path, key)) for key, inner in value.items())
        if isinstance(value, list) and value:
            return sum(self.fields(inner, (*path, ("[]", at))) for at, inner in enumerate(value))
        return int(self._inside(path))

    def _outside(self, path: Path) -> bool:
        """Neither compared nor above something that may be."""
        return bool(self.only) and not any(covers(one, path) or may_cover_below(one, path) for one in self.only)

    def _inside(self, path: Path) -> bool:
        return not self.only or any(covers(one, path) for one in self.only)

    def _value(self, source: Json, target: Json, path: Path, rule: Rule) -> Iterator[Difference]:
        if rule.ignore or self._outside(path):
            return
        if isinstance(source, dict) and isinstance(target, dict):
            yield from self._object(source, target, path)
        elif isinstance(source, list) and isinstance(target, list):
            yield from self._array(source, target, path, rule)
        elif self._inside(path) or isinstance(source, dict | list) or isinstance(target, dict | list):
            yield from self._scalar(source, target, path, rule)

    def _scalar(self, source: Json, target: Json, path: Path, rule: Rule) -> Iterator[Difference]:
        weight = max(self.fields(source, path), self.fields(target, path))
        if not weight or (rule.optional and (source is None or target is None)):
            return
        if isinstance(source, dict | list) or isinstance(target, dict | list):
            yield Difference(path, TYPE, source, target, weight)
            return
        forms = self.forms if rule.canonical is None else rule.canonical
        was, now = canonical(source, forms), canonical(target, forms)
        if was == now or _within(was, now, rule) or _both_match(source, target, rule):
            return
        kind = VALUE if type_of(source) == type_of(target) else TYPE
        yield Difference(path, kind, source, target)

    def _object(self, source: dict[str, Json], target: dict[str, Json], path: Path) -> Iterator[Difference]:
        for key in [*source, *(key for key in target if key not in source)]:
            inner = (*path, key)
            rule = self.rules.of(inner)
            if key in source and key in target:
                yield from self._value(source[key], target[key], inner, rule)
            else:
                yield from self._alone(source.get(key), target.get(key), inner, rule, in_source=key in source)

    def _alone(self, source: Json, target: Json, path: Path, rule: Rule, *, in_source: bool) -> Iterator[Difference]:
        """A value that one side has and the other has not."""
        weight = self.fields(source if in_source else target, path)
        if weight and not rule.optional:
            yield Difference(path, MISSING if in_source else EXTRA, source, target, weight)

    def _array(self, source: list[Json], target: list[Json], path: Path, rule: Rule) -> Iterator[Difference]:
        if rule.key is not None:
            yield from self._keyed(source, target, path, rule.key)
        elif rule.array == "set":
            yield from self._set(source, target, path)
        else:
            yield from self._sequence(source, target, path)

    def _sequence(self, source: list[Json], target: list[Json], path: Path) -> Iterator[Difference]:
        """By place; where the lengths differ, what the beginnings and the ends share is taken off first."""
        head = tail = 0
        if len(source) != len(target):
            shorter = min(len(source), len(target))
            while head < shorter and self.same(source[head], target[head], (*path, ("[]", head))):
                head += 1
            while tail < shorter - head and self.same(source[-1 - tail], target[-1 - tail], (*path, ("[]", 0))):
                tail += 1
        found = list(self._pairwise(source, target, path, head, tail))
        if found and self._inside(path) and len(source) == len(target) and self._reordered(source, target):
            yield Difference(path, ORDER, source, target, sum(one.weight for one in found))
        else:
            yield from found

    def _pairwise(
        self, source: list[Json], target: list[Json], path: Path, head: int, tail: int
    ) -> Iterator[Difference]:
        left, right = source[head : len(source) - tail], target[head : len(target) - tail]
        for at in range(max(len(left), len(right))):
            inner = (*path, ("[]", head + at))
            rule = self.rules.of(inner)
            if at < len(left) and at < len(right):
                yield from self._value(left[at], right[at], inner, rule)
            elif at < len(left):
                yield from self._alone(left[at], None, inner, rule, in_source=True)
            else:
                yield from self._alone(None, right[at], inner, rule, in_source=False)

    @staticmethod
    def _reordered(source: list[Json], target: list[Json]) -> bool:
        return sorted(map(key_of, source)) == sorted(map(key_of, target))

    def _set(self, source: list[Json], target: list[Json], path: Path) -> Iterator[Difference]:
        """Equal elements are paired first; of what is left, elements that the rules call equal; the rest by place."""
        left, right = _without_equals(source, target)
        if len(left) <= _TRIED and len(right) <= _TRIED:
            for at, one in list(left):
                twin = next((pair for pair in right if self.same(one, pair[1], (*path, ("[]", at)))), None)
                if twin is not None:
                    left.remove((at, one))
                    right.remove(twin)
        for (at, one), (_, other) in zip(left, right, strict=False):
            inner = (*path, ("[]", at))
            yield from self._value(one, other, inner, self.rules.of(inner))
        for at, one in left[len(right) :]:
            inner = (*path, ("[]", at))
            yield from self._alone(one, None, inner, self.rules.of(inner), in_source=True)
        for at, other in right[len(left) :]:
            inner = (*path, ("[]", at))
            yield from self._alone(None, other, inner, self.rules.of(inner), in_source=False)

    def _keyed(self, source: list[Json], target: list[Json], path: Path, key: str) -> Iterator[Difference]:
        by_key: tuple[dict[str, list[Json]], dict[str, list[Json]]] = ({}, {})
        for table, elements in zip(by_key, (source, target), strict=True):
            for element in elements:
                table.setdefault(_key_value(element, key), []).append(element)
        for name in [*by_key[0], *(name for name in by_key[1] if name not in by_key[0])]:
            left, right = by_key[0].get(name, []), by_key[1].get(name, [])
            for at in range(max(len(left), len(right))):
                inner = (*path, ("[]", name))
                rule = self.rules.of(inner)
                if at < len(left) and at < len(right):
                    yield from self._value(left[at], right[at], inner, rule)
                elif at < len(left):
                    yield from self._alone(left[at], None, inner, rule, in_source=True)
                else:
                    yield from self._alone(None, right[at], inner, rule, in_source=False)


def type_of(value: Json) -> str:
    """JSON's name of a type."""
    if isinstance(value, bool):
        return "boolean"
    names = {type(None): "null", int: "number", float: "number", str: "text", list: "array", dict: "object"}
    return names[type(value)]


def short(value: Json, limit: int = 60) -> str:
    """A value as JSON, cut where it is long; half characters, which no file can hold, are replaced."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True).encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def too_deep(value: Json) -> bool:
    """Whether a value is nested deeper than DEEPEST; walks no deeper than that itself."""
    level = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return False
    return True


def _within(source: object, target: object, rule: Rule) -> bool:
    """Both numbers, and no further apart than the rule allows."""
    if not (rule.rtol or rule.atol) or not (isinstance(source, tuple) and isinstance(target, tuple)):
        return False
    (kind, was), (other, now) = source, target
    if kind != "number" or other != "number" or "nan" in (was, now):
        return False
    try:
        return bool(abs(float(now) - float(was)) <= rule.atol + rule.rtol * abs(float(was)))
    except OverflowError:  # a whole number beyond every float
        return False


def _both_match(source: Json, target: Json, rule: Rule) -> bool:
    if rule.pattern is None or not isinstance(source, str) or not isinstance(target, str):
        return False
    return rule.pattern.fullmatch(source) is not None and rule.pattern.fullmatch(target) is not None


def _without_equals(source: list[Json], target: list[Json]) -> tuple[list[tuple[int, Json]], list[tuple[int, Json]]]:
    """The elements with their places that have no equal on the other side."""
    waiting: dict[str, list[int]] = {}
    for at, element in enumerate(target):
        waiting.setdefault(key_of(element), []).append(at)
    left, taken = [], set()
    for at, element in enumerate(source):
        places = waiting.get(key_of(element))
        if places:
            taken.add(places.pop())
        else:
            left.append((at, element))
    return left, [(at, element) for at, element in enumerate(target) if at not in taken]


def _key_value(element: Json, key: str) -> str:
    """How an element of a keyed array is named in paths."""
    if not isinstance(element, dict) or key not in element:
        return f"no {key}"
    return f"{key}={key_of(element[key])}"
