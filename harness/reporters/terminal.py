"""Plain text: what a run prints at its end. Our own words are ASCII; what others wrote cannot move the cursor."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.report import MetricSummary, ParityReport, SideSummary
from harness.core.verdict import Finding, Verdict
from harness.reporters._parts.text import cut, visible
from harness.reporters._parts.words import (
    count,
    counts,
    decided,
    failures,
    figures,
    headline,
    name,
    number,
    repeated,
    seconds,
    standing,
    verdict_word,
    warnings,
)

_COLOURS = {Verdict.GO.value: "32", Verdict.NO_GO.value: "31", Verdict.INCONCLUSIVE.value: "33"}
_MOST_DEPARTURES = 20
_NAME_WIDTH = 44


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalReport:
    """colour: wrap verdicts in ANSI colour codes; the words alone say the same."""

    colour: bool = False

    @property
    def suffix(self) -> str:
        return ".txt"

    def render(self, report: ParityReport) -> bytes:
        sections = [
            self._criteria(report),
            ["noise floor", *(_metric(one) for one in report.metrics)],
            _departures(report),
            ["sides", *(_side(side) for side in report.sides)],
            self._decision(report),
        ]
        head = (
            f"parity {_safe(report.suite)}, run {_safe(report.run)}: "
            f"{count(report.replayed)} of {count(report.cases)} cases{repeated(report)}, "
            f"pair {_safe(report.pair)}, profile {_safe(report.profile)}"
        )
        text = "\n\n".join([head, *("\n".join(section) for section in sections)])
        return f"{text}\n".encode()

    def _criteria(self, report: ParityReport) -> list[str]:
        decision = decided(report)
        findings = decision.findings if decision is not None else ()
        if not findings:
            return ["criteria", "  none was judged"]
        width = min(_NAME_WIDTH, max(len(_label(finding)) for finding in findings))
        return ["criteria", *(line for finding in findings for line in self._finding(finding, width))]

    def _finding(self, finding: Finding, width: int) -> list[str]:
        verdict = self._painted(finding.verdict.value, 12)
        line = f"  {verdict}  {_label(finding):<{width}}  {_numbers(finding)}".rstrip()
        extra = [] if finding.verdict is Verdict.GO else [_safe(finding.reason)]
        aside = standing(finding)
        if aside is not None:
            extra.insert(0, _safe(aside))
        return [line, *(f"{'':16}{said}" for said in extra if said)]

    def _decision(self, report: ParityReport) -> list[str]:
        decision = decided(report)
        word = verdict_word(report)
        lines = [f"{_safe(spoken)}: {_safe(said)}" for spoken, said in warnings(report)]
        lines.append(f"decision: {self._painted(word, 0)}")
        lines.append(f"  {_safe(headline(report), 2000)}")
        lines += [f"  note: {_safe(note)}" for note in (decision.notes if decision is not None else ())]
        return [*lines, f"signature: {_safe(report.signature, 2000)}"]

    def _painted(self, word: str, width: int) -> str:
        padded = f"{word:<{width}}"
        return f"\x1b[1;{_COLOURS[word]}m{padded}\x1b[0m" if self.colour and word in _COLOURS else padded


def build(*, colour: bool = False) -> TerminalReport:
    return TerminalReport(colour=colour)


def _safe(text: str, limit: int = 600) -> str:
    return visible(cut(text, limit))


def _label(finding: Finding) -> str:
    """One word group a line; a slice is indented below its criterion."""
    shown = name(finding) if finding.slice is None else f"  {finding.slice}"
    return visible(shown if len(shown) <= _NAME_WIDTH else f"{shown[: _NAME_WIDTH - 2]}..")


def _numbers(finding: Finding) -> str:
    units, excluded, unscored = counts(finding)
    found = finding.evidence
    if found is not None:
        shown = figures(found)
        numbers = f"{shown.estimate} {shown.interval} margin {shown.margin}"
    else:
        numbers = "no interval" + ("" if finding.margin is None else f", margin {number(finding.margin)}")
    return f"{numbers}; {units} units, {excluded} excluded, {unscored} unscored"


def _metric(one: MetricSummary) -> str:
    again = "source against itself not measured"
    if one.noise_mean is not None:
        again = f"source against itself {number(one.noise_mean)} ({count(one.noise_rows)} rows)"
    return (
        f"  {_safe(one.metric)}: target {number(one.target_mean)} ({count(one.rows)} rows), {again}, "
        f"{count(one.incomparable)} incomparable; {_safe(one.comparator)}"
    )


def _departures(report: ParityReport) -> list[str]:
    lines = [f"departures, requests by {_safe(report.translation)}"]
    for one in report.departures[:_MOST_DEPARTURES]:
        departure = one.departure
        became = "dropped" if departure.target_value is None else f"became {_safe(departure.target_value, 80)}"
        field, was, why = _safe(departure.field, 80), _safe(departure.source_value, 80), _safe(departure.reason, 200)
        lines.append(f"  {field}: {was} {became}, {count(one.cases)} cases: {why}")
    left = len(report.departures) - _MOST_DEPARTURES
    if left > 0:
        lines.append(f"  and {count(left)} more")
    return lines if report.departures else [*lines, "  none"]


def _side(side: SideSummary) -> str:
    served = ", ".join(side.served) or "version not told"
    return (
        f"  {side.side.value}: {_safe(side.service)} {_safe(side.endpoint)}, {_safe(served)}\n"
        f"    {count(side.answered)} of {count(side.calls)} calls answered, failed {_safe(failures(side))}, "
        f"{count(side.throttled_attempts)} of {count(side.attempts)} attempts throttled; "
        f"p50 {seconds(side.p50_s)}, p95 {seconds(side.p95_s)}, p99 {seconds(side.p99_s)}"
    )
