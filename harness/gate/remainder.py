"""Criteria judged again without what was waived: a waiver for one slice must not hide a loss in another.

Every question is answered twice, on all rows and on the rows that no waiver covers. What passes on all rows needs no
waiver. What does not, and passes without the covered rows, is shown with its owner and does not vote. What fails on the
rest too votes as the rest does. A waiver never makes an answer worse, and a finding that it takes the vote from never
becomes a vote for GO.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from harness.core.rows import ERROR, TIMEOUT, Flags, Rows
from harness.core.verdict import Finding, Verdict
from harness.gate.questions import Question, in_slice
from harness.gate.waivers import Waiver
from harness.stats.measure import SEVERE_DROP
from harness.stats.paired import Readings

NOTHING_VOTES = "Every criterion is waived or advisory: nothing votes, and so nothing is decided."


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cover:
    """A waiver in force, held against the readings of its criterion. flags: bool, shape (n,), those it covers."""

    waiver: Waiver
    flags: Flags

    @property
    def share(self) -> float:
        return float(self.flags.mean()) if len(self.flags) else 0.0

    @property
    def beyond(self) -> bool:
        """The difference has grown past what was waived, so that the waiver no longer counts."""
        return self.waiver.at_most is not None and self.share > self.waiver.at_most


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What waivers take out of one question: `rows` of its `of` rows."""

    by: tuple[Waiver, ...]
    rows: int
    of: int

    @property
    def accepts_slice(self) -> bool:
        """Nothing is left, because somebody answers for just that slice. Failures that fill one up do not count."""
        return self.rows == self.of and all(waiver.slice is not None for waiver in self.by)

    @property
    def owners(self) -> str:
        return "; ".join(dict.fromkeys(waiver.owner for waiver in self.by))

    @property
    def told(self) -> str:
        return " ".join(
            f"Waived by {one.owner} until {one.expires.isoformat()} for {one.what}: {one.reason.rstrip('.')}."
            for one in self.by
        )


def covers(readings: Readings, rows: Rows, waivers: Iterable[Waiver]) -> list[Cover]:
    """rows: of all metrics and nights, as a failed call is told by the case's other metrics too."""
    return [Cover(waiver=waiver, flags=_covered(readings, rows, waiver)) for waiver in waivers]


def without(question: Question, readings: Readings, found: Iterable[Cover]) -> tuple[Question, Taken | None]:
    """The question about what is left, and what was taken out of it; None where no waiver touches it."""
    named = [cover for cover in found if cover.waiver.criterion == question.name and not cover.beyond]
    if not named:
        return question, None
    part = np.ones(len(readings), dtype=np.bool_) if question.part is None else question.part
    touching = [cover for cover in named if bool((cover.flags & part).any())]
    if not touching:
        return question, None
    left = part & ~np.logical_or.reduce([cover.flags for cover in touching])
    of = int(part.sum())
    taken = Taken(by=tuple(cover.waiver for cover in touching), rows=of - int(left.sum()), of=of)
    return replace(question, part=left), taken


def combined(found: Sequence[Finding], rest: Sequence[Finding], taken: Sequence[Taken | None]) -> list[Finding]:
    """Findings on all rows, on what is left, and what was taken: one finding a question."""
    return [_combined(*each) for each in zip(found, rest, taken, strict=True)]


def _combined(whole: Finding, rest: Finding, taken: Taken | None) -> Finding:
    if taken is None or not whole.gating or whole.verdict is Verdict.GO:
        return whole
    counts = f"{taken.rows:,} of {taken.of:,} rows"
    if taken.accepts_slice and whole.slice is not None:
        reason = f"{whole.reason} {taken.told} This covers {counts}."
        return replace(whole, gating=False, waived_by=taken.owners, reason=reason)
    if rest.verdict is Verdict.GO:
        reason = f"{whole.reason} {taken.told} This covers {counts}; without these: {rest.reason}"
        return replace(whole, gating=False, waived_by=taken.owners, reason=reason)
    aside = f"{taken.told} This covers {counts}, and the rest does not pass either."
    if rest.verdict is Verdict.NO_GO and whole.verdict is not Verdict.NO_GO:
        return replace(whole, reason=f"{whole.reason} {aside}")
    return replace(rest, gating=True, reason=f"{rest.reason} {aside}")  # a slice that is now too small votes still


def notes(
    waivers: Iterable[Waiver], found: Iterable[Cover], findings: Iterable[Finding], at: datetime
) -> Iterator[str]:
    """Every waiver of the policy, whether it counts and what it did: nothing is waived in silence."""
    by_waiver = {id(cover.waiver): cover for cover in found}
    waived = [finding for finding in findings if finding.waived_by is not None]
    for waiver in waivers:
        named = f'Waiver by {waiver.owner}, "{waiver.criterion}", {waiver.what}'
        day = waiver.expires.isoformat()
        cover = by_waiver.get(id(waiver))
        if not waiver.in_force(at) or cover is None:
            yield f"{named}: expired after {day} and no longer counts."
            continue
        rows = int(cover.flags.sum())
        share = f"{rows:,} of {len(cover.flags):,} rows"
        if cover.beyond:
            yield f"{named}: covers {share}, more than the {waiver.at_most:g} it may, and so does not count."
            continue
        lifted = [_place(finding) for finding in waived if finding.criterion == waiver.criterion]
        effect = f"takes the vote of {'; '.join(lifted)}" if rows and lifted else "takes no vote"
        yield f"{named}: until {day}, covers {share} and {effect}. {waiver.reason.rstrip('.')}."


def headline(told: str, findings: Sequence[Finding]) -> str:
    """The decision's paragraph with what was waived at its end."""
    waived = [f"{_place(one)} ({one.waived_by})" for one in findings if one.waived_by is not None]
    if not waived:
        return told
    start = told if any(finding.gating for finding in findings) else NOTHING_VOTES
    return f"{start} Waived, and no part of this answer: {'; '.join(waived)}."


def _place(finding: Finding) -> str:
    return finding.criterion if finding.slice is None else f"{finding.criterion}, {finding.slice}"


def _covered(readings: Readings, rows: Rows, waiver: Waiver) -> Flags:
    if waiver.slice is not None:
        key, _, value = waiver.slice.partition("=")
        return in_slice(readings, key, value)
    match waiver.difference:
        case "unscored":
            return readings.unscored
        case "severe":
            return np.asarray((readings.target - readings.noise < -SEVERE_DROP) & ~readings.excluded)
        case "timeout":
            return _target_was(readings, rows, TIMEOUT)
        case _:
            return _target_was(readings, rows, ERROR)


def _target_was(readings: Readings, rows: Rows, status: int) -> Flags:
    """Readings of a call that any row of the same run, case and repeat reports with this status of the target.

    The row of the metric `error` itself says ok and 1, whatever befell the call.
    """
    failed = rows.take(rows.status_target == status)
    keys = set(_keys(failed))
    flags = np.isin(readings.rows.case.codes, failed.case.codes)
    near = np.flatnonzero(flags)
    flags[near] = [key in keys for key in _keys(readings.rows.take(near))]
    return np.asarray(flags)


def _keys(rows: Rows) -> Iterator[tuple[int, int, int]]:
    return zip(rows.run.codes.tolist(), rows.case.codes.tolist(), rows.repeat.tolist(), strict=True)
