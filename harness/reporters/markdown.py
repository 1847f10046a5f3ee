"""A comment for a pull request: headline, criteria, the worst five, signature. Under 60,000 bytes.

GitHub turns plain text into more than it says: tables break at pipes, `@team` calls people, `#12` links a thread, an
address becomes a link. Every inserted value loses these powers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.core.report import ParityReport, WorstCase
from harness.core.verdict import Finding, Verdict
from harness.reporters._parts.text import cut, visible
from harness.reporters._parts.words import (
    NOT_SHOWN,
    count,
    counts,
    coverage,
    decided,
    figures,
    headline,
    number,
    standing,
    verdict_word,
    warnings,
)

_WORST = 5
_MOST_BYTES = 59_000
_SPECIAL = re.compile(r"[\\`*_{}\[\]#|~$]")
_LINKED = re.compile(r"(://|www\.)", re.IGNORECASE)
_WORD_JOINER = "\u2060"  # invisible, and enough to keep "@name" and "#12" from being read as a mention or a thread
_HEAD = (
    "| Criterion | Verdict | Estimate | Interval | Margin | Units | Excluded | Unscored | Reason |",
    "|---|---|--:|---|--:|--:|--:|--:|---|",
)
_SIGNS = {Verdict.GO: "✔", Verdict.NO_GO: "✖", Verdict.INCONCLUSIVE: "❓"}


@dataclass(frozen=True, slots=True)
class MarkdownReport:
    """GitHub-flavoured Markdown, UTF-8; GitHub refuses comments over 65,536 characters."""

    @property
    def suffix(self) -> str:
        return ".md"

    def render(self, report: ParityReport) -> bytes:
        decision = decided(report)
        findings = decision.findings if decision is not None else ()
        notes = decision.notes[:10] if decision is not None else ()
        word = verdict_word(report)
        sign = f"{_SIGNS[decision.verdict]} " if decision is not None else ""
        above = [
            f"## {sign}{word}: {escape(report.title or report.suite, 200)}",
            *(f"> **{warning}:** {escape(said, 600)}" for warning, said in warnings(report)),
            f"**{word}.** {escape(headline(report), 1500)}",
            "\n".join(f"- {escape(note, 150)}" for note in notes),
        ]
        below = [
            _worst(report),
            f"*What this does not cover:* {escape(coverage(report), 900)}" if decision is not None else "",
            f"<sub>Signature {code(report.signature, 900)}</sub>",
        ]
        room = _MOST_BYTES - sum(len(part.encode()) + 2 for part in (*above, *below))
        parts = [*above, _table(findings, room), *below]
        return ("\n\n".join(part for part in parts if part) + "\n").encode()


def build() -> MarkdownReport:
    return MarkdownReport()


def escape(text: str, limit: int = 400) -> str:
    """Plain text that Markdown, HTML and GitHub's own links leave alone; one line, at most 5 bytes a character."""
    safe = cut(visible(text), limit).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    safe = _SPECIAL.sub(r"\\\g<0>", safe)
    safe = _LINKED.sub(lambda found: f"{found[0][:-1]}{_WORD_JOINER}{found[0][-1]}", safe)
    return safe.replace("@", f"@{_WORD_JOINER}").replace(r"\#", rf"\#{_WORD_JOINER}")


def code(text: str, limit: int = 200) -> str:
    """Text in monospace. An HTML element and not backticks, which a payload could close."""
    return f"<code>{escape(text, limit)}</code>"


def _table(findings: tuple[Finding, ...], room: int) -> str:
    """One row a finding in policy order. Where `room` bytes do not hold them all, passed slices give way first."""
    if not findings:
        return "No criterion was judged on this run."
    by_need = sorted(range(len(findings)), key=lambda at: _need(findings[at]))
    rows: dict[int, str] = {}
    room -= len("\n".join(_HEAD).encode()) + 100
    for at in by_need:
        row = _row(findings[at])
        room -= len(row.encode()) + 1
        if room < 0:
            break
        rows[at] = row
    lines = [*_HEAD, *(rows[at] for at in sorted(rows))]
    left = len(findings) - len(rows)
    more = f"\n\n{count(left)} more findings are in the full report." if left else ""
    return "\n".join(lines) + more


def _need(finding: Finding) -> tuple[bool, bool]:
    return finding.verdict is Verdict.GO, finding.slice is not None


def _row(finding: Finding) -> str:
    aside = standing(finding)
    verdict = f"{_SIGNS[finding.verdict]} {finding.verdict.value}{f' ({escape(aside)})' if aside else ''}"
    named = escape(finding.criterion, 120) if finding.slice is None else f"↳ {code(finding.slice, 120)}"
    found = finding.evidence
    if found is None:
        numbers = ["no interval", "", "" if finding.margin is None else number(finding.margin)]
    else:
        shown = figures(found)
        numbers = [shown.estimate, f"{shown.low} to {shown.high}", shown.margin]
    return f"| {' | '.join([named, verdict, *numbers, *counts(finding), escape(finding.reason, 300)])} |"


def _worst(report: ParityReport) -> str:
    if not report.worst:
        return ""
    lines = ["| Case | Metric | Source | Target | Reason |", "|---|---|---|---|---|"]
    lines += [_case(case) for case in report.worst[:_WORST]]
    more = f"{count(min(_WORST, len(report.worst)))} worst of {count(report.cases)} cases"
    return f"<details><summary>{more}</summary>\n\n" + "\n".join(lines) + "\n\n</details>"


def _case(case: WorstCase) -> str:
    sides = [NOT_SHOWN if text is None else code(text, 160) if text else "empty" for text in (case.source, case.target)]
    return f"| {' | '.join([code(case.case_id, 80), escape(case.metric, 60), *sides, escape(case.reason, 200)])} |"
