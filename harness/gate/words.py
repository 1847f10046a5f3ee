"""What the gate found, in words that a reader without statistics can act on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from harness.core.verdict import Evidence, Finding, Verdict
from harness.gate.policy import ERROR_METRICS, Criterion
from harness.stats.measure import Kind

CLOSE = (
    "The loss is close to the agreed margin or beyond it; more calls will not settle this cheaply; decide on the "
    "margin or fix the target."
)
_NAMED = 6  # findings that a headline tells; the others are in the list below it
COVERS = "This covers traffic like the recorded sample, and nothing else."


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that a reason is made of. verdict is of the test; cases stand behind evidence.units.

    worse, better: cases with D below and above 0. fault: why no verdict is possible, in words, or None.
    covered: enough units for GO to be possible. needed: units of the minimum. hopeless: no number of units helps.
    """

    criterion: Criterion
    severe: bool
    slice: str | None
    verdict: Verdict
    evidence: Evidence
    cases: int
    worse: int
    better: int
    needed: int
    covered: bool
    hopeless: bool = False


def reason(facts: Facts) -> str:
    """One finding on a sample, with its numbers."""
    seen = _seen(facts)
    if facts.verdict is Verdict.INCONCLUSIVE:
        return f"{seen} {_open_end(facts)}".strip()
    return seen


@dataclass(frozen=True, slots=True)
class _Event:
    """What happened to a case: flipped, they flip; and where, when the source's own events are counted against it."""

    did: str
    does: str
    target_alone: str = " on the target alone"
    source_alone: str = " on the source alone"


_SEVERE = _Event("broke badly", "break badly", " where the source's own second answer did not", " the other way round")
_FLIP = _Event("flipped", "flip", " where the source's own second answer did not", " the other way round")
_ERROR = _Event("failed", "fail")
_SLOW = _Event("were slow", "are slow")
_OVER = _Event("were over the contractual limit", "are over the contractual limit")


def _seen(facts: Facts) -> str:
    kind = facts.criterion.kind
    if facts.severe:
        return _rate(facts, _SEVERE)
    match kind:
        case Kind.SCORE:
            than = " to the source's answers than the source is to itself"
            return _mean(facts, ("less similar", "more similar"), than, " points")
        case Kind.QUALITY:
            return _mean(facts, ("worse", "better"), " than the source", " points")
        case Kind.COST:
            than = f" than {facts.criterion.ratio:g} times what the source costs"
            return _mean(facts, ("dearer", "cheaper"), than, " USD", scale=facts.criterion.cap_usd or 1.0)
        case Kind.EXCEED:
            return _rate(facts, _SLOW)
        case Kind.LIMIT:
            return _rate(facts, _OVER)
        case _:
            return _rate(facts, _ERROR if facts.criterion.metric in ERROR_METRICS else _FLIP)


def _rate(facts: Facts, event: _Event) -> str:
    """Events. Where the source has its own, they count against the target's, and what is judged is how many more."""
    evidence, accepted = facts.evidence, facts.evidence.margin
    paired = facts.severe or facts.criterion.measure.bounds[1] > 0
    told = f"{count(facts.worse)} of {_cases(facts)} {event.did}"
    if paired:
        told += f"{event.target_alone}, and {count(facts.better)}{event.source_alone}"
    limit = f"{percent(accepted)} is accepted" if accepted else "no more are accepted"

    def share(value: float, *, up: bool) -> str:
        amount = percent(abs(value), up=up, apart=accepted)
        return f"{amount} {'more' if value >= 0 else 'fewer'} {event.does}" if paired else f"{amount} {event.does}"

    if facts.verdict is Verdict.GO:
        return f"{told}. At worst {share(-evidence.low, up=evidence.low < 0)}, and {limit}."
    if facts.verdict is Verdict.NO_GO:
        return f"{told}. Even allowing for luck at least {share(-evidence.high, up=False)}, and {limit}."
    at_worst = percent(-evidence.low, up=True, apart=accepted)
    if facts.worse == 0 and facts.better == 0:
        return f"Nothing bad was found, but {_cases(facts)} only rule out a rate above {at_worst}, and {limit}."
    return f"{told}. It may be that {share(-evidence.low, up=True)}, and {limit}."


def _mean(facts: Facts, words: tuple[str, str], than: str, unit: str, *, scale: float = 1.0) -> str:
    """Means: the loss is -D. words: for a loss and for a gain."""
    evidence = facts.evidence
    loss, most, least = (-scale * value for value in (evidence.estimate, evidence.low, evidence.high))
    accepted = scale * evidence.margin

    def told(value: float) -> str:
        size = number_apart(abs(value), accepted)
        return f"still {size}{unit} {words[1]}" if value < 0 else size

    start = f"{_cases(facts)} were on average {number(abs(loss))}{unit} {words[loss < 0]}{than}"
    limit = f"{accepted:g} is accepted" if accepted else "no more is accepted"
    if facts.verdict is Verdict.GO:
        return f"{start}; at worst {told(most)}, and {limit}."
    if facts.verdict is Verdict.NO_GO:
        return f"{start}; even allowing for luck at least {told(least)}, and {limit}."
    return f"{start}; it may be as much as {told(most)}, and {limit}."


def _open_end(facts: Facts) -> str:
    if facts.hopeless:
        return CLOSE
    more = facts.evidence.more_units
    least = "" if facts.covered else f"At least {count(facts.needed)} {_unit(facts)} are needed. "
    return f"{least}About {count(more)} more {_unit(facts)} would settle it." if more else least.strip()


def _cases(facts: Facts) -> str:
    if facts.cases == facts.evidence.units:
        return f"{count(facts.cases)} {'case' if facts.cases == 1 else 'cases'}"
    return f"{count(facts.cases)} cases in {count(facts.evidence.units)} clusters"


def _unit(facts: Facts) -> str:
    what = "cases" if facts.cases == facts.evidence.units else "clusters"
    return f"{what} of {facts.slice}" if facts.slice else what


def no_data(metric: str, where: str | None, *, rows: int, excluded: int) -> str:
    """Rule 5: nothing to judge."""
    if where is not None:
        return f'No usable row of metric "{metric}" lies in the slice {where}: it was never shown to work there.'
    if rows == 0:
        return f'No row carries the metric "{metric}": no data, and so no verdict.'
    why = "the source failed, or gave no second answer to tell its own noise by"
    return f"All {count(excluded)} rows are excluded, as {why}: no data, and so no verdict."


def conflicting(readings: int) -> str:
    return (
        f"{count(readings)} readings contradict another report of the same case (other values, or another cluster): a "
        "fault of the pipeline, and so no verdict. Report every case once."
    )


def contradicted(readings: int) -> str:
    return (
        f"The source differs from itself in {count(readings)} rows, but the criterion declares it deterministic. "
        "Remove the declaration and give value_noise for every row."
    )


def source_failures(excluded: int, rows: int) -> str:
    return (
        f"The source failed in {count(excluded)} of {count(rows)} rows, and 2 % is the most that may be left out: no "
        "verdict about the target. Repeat the run when the source is well; a row without value_noise counts as a "
        "failure unless the criterion is deterministic."
    )


def not_scored(unscored: int, rows: int) -> str:
    return (
        f"{count(unscored)} of {count(rows)} rows could not be scored, and 1 % is the most that may be guessed at: no "
        "verdict about the target. Look at the comparator first."
    )


def too_large(largest: int, declared: int) -> str:
    return (
        f"A cluster of {count(largest)} cases is larger than the {declared:,} that the policy declares as max_cluster: "
        "no verdict. Declare the largest there can be, before the next epoch."
    )


def outweighed(largest: int, cases: int, share: float) -> str:
    return (
        f"One cluster holds {count(largest)} of {count(cases)} cases ({percent(largest / cases, up=True)}), more than "
        f"{percent(share)}, and without max_cluster it weighs no more than any other: no verdict. Declare max_cluster, "
        "the most cases that a cluster can hold, before the next epoch, or sample fewer cases of it."
    )


def absent_tonight(metric: str) -> str:
    return f'This run has no row of metric "{metric}", though earlier ones do: no data tonight, and so no verdict.'


def census(rows: int, past: int, absent: int) -> str:
    """A check: every value counts."""
    if past:
        return f"{count(past)} of {count(rows)} values are past the limit."
    if absent:
        return (
            f"{count(absent)} of {count(rows)} values are absent or unreadable; none of the others is past the limit."
        )
    return f"{count(rows)} {'value is' if rows == 1 else 'values are'} within the limit."


EMPTY_TONIGHT = "The rows file of this run is empty: no data tonight, and so no GO, whatever earlier nights have shown."


def merged(name: str, rows: int) -> str:
    return f"{name}: {count(rows)} rows repeat another word for word and count once."


def replayed(name: str, rows: int) -> str:
    return f"{name}: {count(rows)} rows read a case, or a cluster, of an earlier night again; the first reading stands."


def without_criterion(metrics: Sequence[str]) -> str:
    return f"Metrics without a criterion, listed and not judged: {', '.join(metrics)}."


def partly(metric: str, held: int, whole: int) -> str:
    return f'Metric "{metric}" has rows of {count(held)} of {count(whole)} cases.'


def crossed_before(where: str, verdict: Verdict, run: str) -> str:
    return f"{where}: {verdict.value} was reached in run {run or 'without a name'} and is final for this epoch."


def turned_since(reason: str) -> str:
    return f"GO was reached earlier and is final for this epoch, but the evidence has turned since: {reason}"


def turned(where: str, run: str) -> str:
    return (
        f"{where}: since then the evidence has turned, and in run {run or 'without a name'} it would have been NO-GO. "
        "Find out what changed before relying on the GO, and open a new epoch."
    )


def uncovered(slices: Sequence[str]) -> str:
    return f"Not covered, too few units: {'; '.join(slices)}."


def not_covered(facts_reason: str) -> str:
    return f"Not covered. {facts_reason}"


def headline(verdict: Verdict, findings: Sequence[Finding], *, alpha_go: float, alpha_no_go: float, mode: str) -> str:
    """The decision in one paragraph, the failing or undecided findings first."""
    voting = [finding for finding in findings if finding.gating]
    if verdict is Verdict.GO:
        whole = [finding for finding in voting if finding.slice is None]
        reasons = " ".join(_named(finding) for finding in whole[:_NAMED])
        reasons += f" {len(whole) - _NAMED} more are within their limits too." if len(whole) > _NAMED else ""
        slices = sum(finding.slice is not None for finding in voting)
        also = f" The same holds in {slices} slices, each within its own margin." if slices else ""
        looks = ", however often the report was opened" if mode == "anytime" else ", looked at once"
        risk = (
            " If the new system were in truth as bad as one of these limits, a result this good would appear in fewer "
            f"than {one_in(alpha_go)} such validations{looks}."
        )
        return f"{reasons}{also}{risk} {COVERS}"
    bad = [finding for finding in voting if finding.verdict is verdict]
    told = " ".join(_named(finding) for finding in bad[:_NAMED])
    rest = f" And {len(bad) - _NAMED} more." if len(bad) > _NAMED else ""
    if verdict is Verdict.NO_GO:
        undecided = [_place(finding) for finding in voting if finding.verdict is Verdict.INCONCLUSIVE]
        within = f" Undecided besides: {'; '.join(undecided[:_NAMED])}." if undecided else ""
        if not undecided and len(bad) < len(voting):
            within = " All other measures are inside their limits."
        return f"{told}{rest}{within} The risk that any of this is bad luck is below {one_in(alpha_no_go)}."
    if not voting:
        return "Every criterion is advisory: nothing votes, and so nothing is decided."
    needs = [f.evidence.more_units for f in bad if f.evidence is not None and f.evidence.more_units]
    largest = (
        f" In all, about {count(max(needs))} more would settle it." if len(needs) > 1 and len(needs) == len(bad) else ""
    )
    return f"{told}{rest}{largest}"


def _named(finding: Finding) -> str:
    return f"{_place(finding)}: {finding.reason}"


def _place(finding: Finding) -> str:
    return f"{finding.criterion}, {finding.slice}" if finding.slice else finding.criterion


def count(value: int | None) -> str:
    return f"{value or 0:,}"


def one_in(alpha: float) -> str:
    return f"1 of {1 / alpha:.0f}"


def number(value: float, digits: int = 3) -> str:
    """Three decimals, more where they would all be 0."""
    text = f"{value:.{digits}f}"
    if float(text) != 0:
        return text
    return number(value, digits + 1) if abs(value) >= 1e-7 and digits < 8 else "0.000"


def number_apart(value: float, limit: float) -> str:
    """The value with as many decimals as it takes to tell it from its limit."""
    shown = number(value)
    for digits in range(3, 9):
        shown = number(value, digits)
        if value == limit or float(shown) != float(f"{limit:.{digits}f}"):
            break
    return shown


def percent(share: float, *, up: bool | None = None, apart: float | None = None) -> str:
    """A share as a percentage: 0.0149 is "1.5 %".

    up: which way to round to two digits, so that nothing is claimed that was not shown; None: all digits there are.
    apart: a limit that the text must not be mistaken for, with as many digits as that takes.
    """
    exact = Decimal(repr(float(share))) * 100
    if up is None or exact == 0:
        return f"{_plain(exact)} %"
    limit = None if apart is None else Decimal(repr(float(apart))) * 100
    for digits in range(2, 9):
        place = Decimal(1).scaleb(exact.adjusted() - digits + 1)
        shown = exact.quantize(place, ROUND_CEILING if up else ROUND_FLOOR)
        if shown != limit or exact == limit:
            break
    return f"{_plain(shown)} %"


def _plain(value: Decimal) -> str:
    """No exponents, no trailing zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
