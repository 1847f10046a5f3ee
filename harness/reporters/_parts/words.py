"""The words and numbers that every format says alike."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from harness.core.report import ParityReport, SideSummary
from harness.core.verdict import Decision, Evidence, Finding, Verdict

NOT_SHOWN = "not shown"
NOT_MEASURED = "not measured"

_RULE = {
    Verdict.GO: "On every gating criterion the data rule out a loss as large as the margin.",
    Verdict.NO_GO: "On at least one gating criterion the data rule out that the loss is within the margin.",
    Verdict.INCONCLUSIVE: "The data settle it neither way. This is not a pass, and it moves no traffic.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The numbers of one evidence as text, all with the same count of decimals."""

    estimate: str
    low: str
    high: str
    margin: str

    @property
    def interval(self) -> str:
        return f"[{self.low}, {self.high}]"


def figures(evidence: Evidence) -> Figures:
    """The numbers in D, with enough decimals that no bound reads as equal to the margin when it is not."""
    digits = 4 if evidence.margin <= 0 else max(4, 1 - math.floor(math.log10(evidence.margin)))
    edge = -evidence.margin
    while digits < 12 and any(
        bound != edge and round(bound, digits) == round(edge, digits)
        for bound in (evidence.low, evidence.high)
        if math.isfinite(bound)
    ):
        digits += 1
    return Figures(
        estimate=number(evidence.estimate, digits),
        low=number(evidence.low, digits),
        high=number(evidence.high, digits),
        margin=number(evidence.margin, digits),
    )


def number(value: float | None, digits: int = 4) -> str:
    """Fixed decimals; never "-0.000"; small values that would show as zero in scientific form."""
    if value is None:
        return NOT_MEASURED
    if not math.isfinite(value):
        return "not a finite number"
    if value and abs(value) < 0.5 * 10.0**-digits:
        return f"{value:.1e}"
    return f"{value:.{digits}f}" if value else f"{0.0:.{digits}f}"


def count(value: int) -> str:
    return f"{value:,}"


def seconds(value: float | None) -> str:
    """A duration in the unit a reader expects: "0.82 ms", "12.3 ms", "1.20 s"."""
    if value is None:
        return NOT_MEASURED
    if not math.isfinite(value):
        return "longer"
    unit, shown = ("s", value) if value >= 1 else ("ms", value * 1000)
    digits = 0 if shown >= 100 else 1 if shown >= 10 else 2
    return f"{shown:.{digits}f} {unit}"


def moment(at: datetime) -> str:
    """Minutes in UTC. Raises ValueError for a time without a zone: it names no moment."""
    if at.tzinfo is None:
        raise ValueError(f"{at.isoformat()} has no time zone")
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def decided(report: ParityReport) -> Decision | None:
    """The decision, or None. A partial run has none, whatever it carries."""
    return None if report.partial else report.decision


def verdict_word(report: ParityReport) -> str:
    """GO, NO-GO, INCONCLUSIVE, PARTIAL, or NO DECISION."""
    decision = decided(report)
    if decision is not None:
        return decision.verdict.value
    return "PARTIAL" if report.partial else "NO DECISION"


def headline(report: ParityReport) -> str:
    """The decision in plain words, without the verdict's word in front."""
    decision = decided(report)
    if decision is None:
        return "Nothing was decided, and nothing here may be used as evidence for a cutover."
    said = decision.headline.strip()
    for prefix in (f"{decision.verdict.value}.", f"{decision.verdict.value}:"):
        said = said.removeprefix(prefix).lstrip()
    return said or _RULE[decision.verdict]


def told(report: ParityReport) -> tuple[str, tuple[tuple[str, str], ...], str]:
    """The headline taken apart: what it says first, the findings that it names as (name, reason), what it says last.

    A headline that quotes no finding is all "first".
    """
    said, decision = headline(report), decided(report)
    found: list[tuple[int, int, tuple[str, str]]] = []
    for finding in decision.findings if decision is not None else ():
        place = f"{finding.criterion}, {finding.slice}" if finding.slice else finding.criterion
        quote = f"{place}: {finding.reason}"
        at = said.find(quote)
        if at >= 0:
            found.append((at, at + len(quote), (place, finding.reason)))
    found.sort()
    between = "".join(said[end:start] for (_, end, _), (start, *_) in pairwise(found))
    if not found or between.strip():  # what is not understood is shown as it is, whole
        return said, (), ""
    return (
        said[: found[0][0]].strip(),
        tuple(named for *_, named in found),
        said[max(end for _, end, _ in found) :].strip(),
    )


def warnings(report: ParityReport) -> tuple[tuple[str, str], ...]:
    """What a reader must know before the verdict: (word, sentence)."""
    found = []
    if report.planted is not None:
        found.append(
            (
                "PLANTED FAULT",
                f"{report.planted}: a side was made to fail on purpose. This says nothing of a real system.",
            )
        )
    found.extend((word.upper(), sentence[:1].upper() + sentence[1:]) for word, sentence in report.conditions)
    if report.partial:
        found.append(("PARTIAL", "Only some items or cases were run. A partial run carries no decision."))
    if report.stopped is not None:
        found.append(("STOPPED EARLY", report.stopped))
    return tuple(found)


def coverage(report: ParityReport) -> str:
    """What the decision does not cover."""
    versions = "; ".join(f"{side.side.value} {', '.join(side.served) or 'of unknown version'}" for side in report.sides)
    return (
        f"It speaks of traffic like the {count(report.cases)} recorded cases of this golden set and of what served "
        f"them on this run ({versions or 'nothing'}), and of nothing else: not of traffic that the sample does not "
        "represent, not of other versions, regions or settings, and not of a defect that no comparator here can see."
    )


def repeated(report: ParityReport) -> str:
    """What the golden set holds besides its cases; "" where that is nothing."""
    return f" (and {count(report.repeats)} recorded repeats of them, not replayed)" if report.repeats else ""


def name(finding: Finding) -> str:
    """The criterion, and the slice where the finding is of one."""
    return finding.criterion if finding.slice is None else f"{finding.criterion} [{finding.slice}]"


def counts(finding: Finding) -> tuple[str, str, str]:
    """Units, excluded, unscored. Without evidence no unit was counted, and the other two say why."""
    found = finding.evidence
    if found is None:
        return "0", count(finding.excluded), count(finding.unscored)
    return count(found.units), count(found.excluded), count(found.unscored)


def standing(finding: Finding) -> str | None:
    """Why a finding does not vote as it stands, or None when it does."""
    if finding.waived_by is not None:
        return f"waived by {finding.waived_by}"
    return None if finding.gating else "reported, does not vote"


def failures(side: SideSummary) -> str:
    """ "none", or "3 timeout, 1 unavailable" in the order of the kinds' names."""
    kinds = [f"{count(calls)} {kind}" for kind, calls in sorted(side.failures.items()) if calls]
    return ", ".join(kinds) or "none"


def took(report: ParityReport) -> str:
    """How long the run took, as in "1 min 42 s"."""
    whole = max(0, round((report.finished_at - report.started_at).total_seconds()))
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    parts = ((hours, "h"), (minutes, "min"), (left, "s"))
    return " ".join(f"{value} {unit}" for value, unit in parts if value) or "under 1 s"
