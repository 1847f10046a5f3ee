"""What a target accepts of each field, and the list of what it did not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from harness.core.case import Departure
from harness.core.chat import FIELDS
from harness.pairs._parts.catalog import Api, Family


@dataclass(frozen=True, slots=True)
class Target:
    """A model behind a form of its service's API. same_words: the source's body is written in the same vocabulary."""

    family: Family
    api: Api
    same_words: bool = False

    def accepts(self, name: str) -> Any:
        """False, True, [low, high], {"one_of": [...]}, [words], a count, or a word of its own (prefill, system).

        The narrower of what the API has a place for and what the model takes.
        """
        place = self.api.accepts.get(name, False)
        own = self.family.accepts.get(name, True)
        if place is False or own is True:
            return place
        if place is True or own is False or isinstance(own, str | dict):
            return own
        if isinstance(place, int) and isinstance(own, int):
            return min(place, own)
        if _is_range(place) and _is_range(own):
            return [max(place[0], own[0]), min(place[1], own[1])]
        if isinstance(place, list) and isinstance(own, list):
            return [word for word in place if word in own]
        return own

    def allows(self, name: str, word: str) -> bool:
        """Whether a list of words holds one; a plain True holds every word."""
        accepted = self.accepts(name)
        return accepted is True or (isinstance(accepted, list) and word in accepted)

    def who(self, name: str) -> str:
        """Who has no place for a field, as the reason of a departure says it."""
        if self.api.accepts.get(name, False) is False:
            return f"{self.api.title} has no place for it"
        return f"model {self.family.name} refuses it"


@dataclass(slots=True)
class Losses:
    """Departures as they are found, each once, in the order they were met."""

    found: dict[Departure, None] = field(default_factory=dict)

    def drop(self, name: str, source: object, reason: str) -> None:
        self.change(name, source, None, reason)

    def change(self, name: str, source: object, target: object | None, reason: str) -> None:
        """`name` is one of FIELDS: a departure that nobody can forbid by name would be a silent one."""
        if name not in FIELDS:
            raise ValueError(f'"{name}" is no name of FIELDS')
        said = None if target is None else told(target)
        self.found[Departure(field=name, source_value=told(source), target_value=said, reason=reason)] = None


def told(value: object) -> str:
    """A setting as a report shows it: numbers as they are, true and false in JSON's words."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else f"{value}"


def listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _is_range(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(one, int | float) for one in value)


def within(accepted: Any, value: float) -> float | None:
    """The nearest number that is accepted; None where none is, or where but one is and it is another."""
    if isinstance(accepted, dict):
        choices: list[float] = accepted["one_of"]
        return min(choices, key=lambda one: abs(one - value))
    if not _is_range(accepted):
        return value
    low, high = accepted
    if low <= value <= high:
        return value
    return None if low == high else (low if value < low else high)
