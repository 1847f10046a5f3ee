"""One Markdown page of all suites of a night or a build: for a job's summary, and for a pull request's comment."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from harness.core import registry
from harness.core.report import ParityReport
from harness.reporters._parts.words import decided, headline, verdict_word
from harness.reporters.markdown import escape

COMMENT_LIMIT = 65_536  # characters that GitHub takes in a comment
SUMMARY_LIMIT = 1024 * 1024  # bytes that GitHub takes as the summary of a step
ERROR = "ERROR"
_ROOM = 400  # for what is said at the end
_WORST_FIRST = (ERROR, "NO DECISION", "NO-GO", "INCONCLUSIVE", "PARTIAL", "GO")
_SIGNS = {"GO": "✔", "NO-GO": "✖", "INCONCLUSIVE": "❓", ERROR: "✖"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulletin:
    """What is told of one night or build; reports are cleared already.

    failed: suites that could not be run. verdict: of all together: GO, NO-GO, INCONCLUSIVE, PARTIAL or ERROR. url:
    where the whole reports are, None where nobody knows.
    """

    reports: tuple[ParityReport, ...]
    verdict: str
    failed: tuple[str, ...] = ()
    url: str | None = None

    @property
    def profile(self) -> str:
        return self.reports[0].profile if self.reports else ""

    def worst_first(self) -> Sequence[ParityReport]:
        return sorted(self.reports, key=lambda report: _WORST_FIRST.index(verdict_word(report)))


def marker(bulletin: Bulletin) -> str:
    """The hidden first line by which the next comment of the same profile finds this one and takes its place."""
    return f"<!-- parity-harness {re.sub('[^A-Za-z0-9_.]+', '-', bulletin.profile)} -->"


def comment(bulletin: Bulletin) -> str:
    """Starts with the marker; under 65,536 characters."""
    return f"{marker(bulletin)}\n{page(bulletin, COMMENT_LIMIT - 200)}"


def page(bulletin: Bulletin, limit: int) -> str:
    """The verdict, a row a suite, then whole sections, worst first, while they fit in `limit` bytes, at least 2,000."""
    left = limit - _ROOM
    parts = []
    for part in (_head(bulletin), _table(bulletin, left // 2)):
        left -= len(part.encode()) + 2
        parts.append(part)
    missing = 0
    for report in bulletin.worst_first():
        section = registry.load("reporters", "markdown").render(report).decode().rstrip("\n")
        if left < len(section.encode()) + 2:
            missing += 1
            continue
        left -= len(section.encode()) + 2
        parts.append(section)
    if missing:
        parts.append(f"{missing:,} more suites did not fit here; their reports are with the build.")
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(bulletin: Bulletin) -> str:
    count = len(bulletin.reports) + len(bulletin.failed)
    sign = f"{_SIGNS[bulletin.verdict]} " if bulletin.verdict in _SIGNS else ""
    suites = "1 suite" if count == 1 else f"{count:,} suites"
    link = f"\n\n[All reports]({bulletin.url})" if bulletin.url is not None else ""
    return f"# {sign}{bulletin.verdict}: {suites}, profile {escape(bulletin.profile, 60) or 'unknown'}{link}"


def _table(bulletin: Bulletin, room: int) -> str:
    """A row a suite, where there are several; rows that do not fit are counted."""
    if len(bulletin.reports) + len(bulletin.failed) < 2 and not bulletin.failed:
        return ""
    rows = [f"| {escape(suite, 80)} | {_SIGNS[ERROR]} {ERROR} | could not be run |" for suite in bulletin.failed]
    for report in bulletin.worst_first():
        word = verdict_word(report)
        said = escape(headline(report), 250) if decided(report) is not None else "nothing was decided"
        rows.append(f"| {escape(report.suite, 80)} | {_SIGNS.get(word, '')} {word} | {said} |")
    lines = ["| Suite | Verdict | |", "|---|---|---|"]
    left = room - 200
    for at, row in enumerate(rows):
        left -= len(row.encode()) + 1
        if left < 0:
            lines.append(f"| | | and {len(rows) - at:,} more |")
            break
        lines.append(row)
    return "\n".join(lines)
