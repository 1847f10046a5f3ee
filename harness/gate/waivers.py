"""Known differences that a named person answers for until a date: the `[[waiver]]` tables of a policy.

A waiver is bound to one criterion and to one class of difference: the rows of a slice, or the rows whose target timed
out, failed, could not be scored, or broke badly. It says nothing of any other row, so the criterion is judged again
without that class (`remainder`). It is part of the policy's hash, and opens no new epoch: what is promised and what was
measured stay the same, only who answers for a part of it changes.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from harness.core.shape import check
from harness.errors import ConfigError, PolicyError
from harness.stats.measure import Kind

if TYPE_CHECKING:
    from harness.gate.policy import Criterion

DIFFERENCES = {
    "timeout": "the target timed out",
    "error": "the target failed",
    "unscored": "no comparator could score the answers",
    "severe": "the answer broke badly",
}

WAIVER: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["criterion", "owner", "reason", "expires"],
    "description": "A known difference that someone answers for until a date. Give slice or difference, one of them.",
    "properties": {
        "criterion": {"type": "string", "minLength": 1, "description": "The criterion's name; NAME severe is its own."},
        "owner": {"type": "string", "minLength": 1, "description": "Who answers for it; shown on every report."},
        "reason": {"type": "string", "minLength": 1, "description": "Why it is accepted; shown on every report."},
        "expires": {
            "type": "string",
            "pattern": r"^\d{4}-\d\d-\d\d$",
            "description": "a date such as 2026-12-31, the last day (UTC) on which it counts",
        },
        "slice": {
            "type": "string",
            "pattern": "^[^=]+=.+$",
            "description": 'a slice such as "region=eu", whose rows it covers',
        },
        "difference": {
            "type": "string",
            "enum": list(DIFFERENCES),
            "description": "The kind of difference it covers, wherever it appears.",
        },
        "at_most": {
            "type": "number",
            "exclusiveMinimum": 0,
            "maximum": 1,
            "description": "Share of the criterion's rows it may cover; past it, it no longer counts.",
        },
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """criterion: the name of a finding. slice: "key=value", or difference: a word of DIFFERENCES; one of them is None.

    expires: the last day, in UTC, on which it counts. at_most: share of the criterion's rows that it may cover.
    """

    criterion: str
    owner: str
    reason: str
    expires: date
    slice: str | None = None
    difference: str | None = None
    at_most: float | None = None

    @property
    def what(self) -> str:
        """The class of difference in a word."""
        return self.slice or self.difference or ""

    def in_force(self, at: datetime) -> bool:
        """at: with a time zone."""
        return at.astimezone(UTC).date() <= self.expires

    def canonical(self) -> dict[str, Any]:
        """As plain JSON values, for the policy's hash."""
        return {**asdict(self), "expires": self.expires.isoformat()}


def parse_waivers(entries: Any, criteria: Sequence[Criterion], where: str) -> tuple[Waiver, ...]:
    """The `[[waiver]]` tables. Raises PolicyError for an unknown criterion or key, and for a class that is none."""
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        raise PolicyError(f"{where}: waivers are written as [[waiver]] tables.")
    return tuple(_waiver(entry, criteria, f"{where}, waiver {at}") for at, entry in enumerate(entries, start=1))


def _waiver(entry: Mapping[str, Any], criteria: Sequence[Criterion], where: str) -> Waiver:
    table = dict(entry)
    expires = table.get("expires")
    if isinstance(expires, date) and not isinstance(expires, datetime):  # a datetime is a date, and no day
        table["expires"] = expires.isoformat()
    try:
        check(table, WAIVER, place=where)
        day = date.fromisoformat(table["expires"])
    except ConfigError as exc:
        raise PolicyError(str(exc)) from exc
    except ValueError as exc:
        raise PolicyError(f'{where}: "expires" {table["expires"]} is no day of the calendar.') from exc
    if ("slice" in table) == ("difference" in table):
        raise PolicyError(
            f'{where}: a waiver covers one class of difference: give slice = "key=value" or difference = '
            f'"{next(iter(DIFFERENCES))}" ({", ".join(DIFFERENCES)}), one of them.'
        )
    for key in ("owner", "reason"):
        if not table[key].strip():
            raise PolicyError(f'{where}: "{key}" must not be empty.')
    kind = _kind(table["criterion"], criteria, where)
    if table.get("difference") == "severe" and kind is not Kind.SCORE:
        raise PolicyError(f'{where}: only a criterion of kind score breaks "severe", and this one is of kind {kind}.')
    at_most = table.get("at_most")
    return Waiver(**{**table, "expires": day, "at_most": None if at_most is None else float(at_most)})


def _kind(name: str, criteria: Sequence[Criterion], where: str) -> Kind:
    kinds = {criterion.name: criterion.kind for criterion in criteria}
    kinds |= {criterion.severe_name: criterion.kind for criterion in criteria if criterion.severe is not None}
    if name not in kinds:
        near = difflib.get_close_matches(name, kinds, n=1)
        hint = f' Did you mean "{near[0]}"?' if near else ""
        raise PolicyError(f'{where}: unknown criterion "{name}". Known criteria: {", ".join(sorted(kinds))}.{hint}')
    return kinds[name]
