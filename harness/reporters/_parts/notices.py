"""What a build system shows beside a build: a few lines, the worst first, and how many more there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from harness.core.report import ParityReport
from harness.core.verdict import Finding, Verdict
from harness.reporters._parts.text import cut, visible
from harness.reporters._parts.words import decided, figures, headline, name, standing, verdict_word, warnings

MOST_PER_LEVEL = 10  # GitHub shows ten of a level for a step and drops the rest without a word
_TITLE, _TEXT = 200, 1500


class Level(StrEnum):
    """error: NO-GO, or a suite that could not be run. warning: INCONCLUSIVE or PARTIAL. notice: the rest."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A suite's file as the repository names it, and the line of each criterion (from 1)."""

    file: str
    lines: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One line. title, text: what others wrote, visible and cut. file: None where it is not known; line likewise."""

    level: Level
    title: str
    text: str
    file: str | None = None
    line: int | None = None


def notices(
    reports: Iterable[ParityReport], *, failed: Iterable[str] = (), places: Mapping[str, Place] | None = None
) -> tuple[Notice, ...]:
    """Of all reports together: at most ten of a level, errors first, and within a level the worst first.

    failed: suites that could not be run. places: by suite.
    """
    found = [_failed(suite, places or {}) for suite in failed]
    ranked = sorted(
        ((rank, at, notice) for at, report in enumerate(reports) for rank, notice in _of(report, places or {})),
        key=lambda one: one[:2],
    )
    found += [notice for *_, notice in ranked]
    return tuple(notice for level in Level for notice in _few([one for one in found if one.level is level], level))


def _few(found: Sequence[Notice], level: Level) -> Sequence[Notice]:
    if len(found) <= MOST_PER_LEVEL:
        return found
    left = len(found) - MOST_PER_LEVEL + 1
    more = Notice(level=level, title="parity", text=f"{left:,} more of this kind are in the report.")
    return [*found[: MOST_PER_LEVEL - 1], more]


def _failed(suite: str, places: Mapping[str, Place]) -> Notice:
    return _notice(
        Level.ERROR, f"parity {suite}", "could not be run: nothing is known of it. The log says why.", places, suite
    )


def _of(report: ParityReport, places: Mapping[str, Place]) -> list[tuple[tuple[float, ...], Notice]]:
    """Each with its rank; smaller is worse."""
    word, decision = verdict_word(report), decided(report)
    level = {"GO": Level.NOTICE, "NO-GO": Level.ERROR}.get(word, Level.WARNING)
    said = " ".join([*(f"{warning}: {why}" for warning, why in warnings(report)), headline(report)])
    found: list[tuple[tuple[float, ...], Notice]] = [
        ((0.0,), _notice(level, f"parity {report.suite}: {word}", said, places, report.suite))
    ]
    for finding in decision.findings if decision is not None else ():
        if finding.verdict is not Verdict.GO:
            found.append((_rank(finding), _finding(report, finding, places)))
    return found


def _rank(finding: Finding) -> tuple[float, ...]:
    """The whole before its slices, then by how surely the loss is beyond the margin."""
    sure = finding.evidence.p_no_go if finding.evidence is not None else 1.0
    return (1.0, float(finding.slice is not None), sure)


def _finding(report: ParityReport, finding: Finding, places: Mapping[str, Place]) -> Notice:
    aside = standing(finding)
    level = Level.NOTICE if aside else Level.ERROR if finding.verdict is Verdict.NO_GO else Level.WARNING
    parts = [finding.reason, f"({aside})" if aside else ""]
    if finding.evidence is not None:
        shown = figures(finding.evidence)
        parts.append(f"Estimate {shown.estimate}, interval {shown.interval}, margin {shown.margin}.")
    title = f"parity {report.suite}: {finding.verdict.value} {name(finding)}"
    return _notice(level, title, " ".join(part for part in parts if part), places, report.suite, finding.criterion)


def _notice(
    level: Level, title: str, text: str, places: Mapping[str, Place], suite: str, criterion: str | None = None
) -> Notice:
    place = places.get(suite)
    return Notice(
        level=level,
        title=visible(cut(title, _TITLE)),
        text=visible(cut(text, _TEXT)),
        file=None if place is None else visible(place.file),
        line=None if place is None or criterion is None else place.lines.get(criterion),
    )
