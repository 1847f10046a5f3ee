"""Rows and a policy become one decision. Pure: no clock, no file, no randomness.

GO needs every gating question answered GO at alpha_go, without correction: an intersection-union test (R. L. Berger
1982, Technometrics 24(4), 295-300). NO-GO needs Holm's procedure over all gating questions to reject one at
alpha_no_go. NO-GO beats INCONCLUSIVE beats GO. In anytime mode runs are looks in order, and a question's first
crossing is final for the epoch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np

from harness.core.rows import Flags, Rows
from harness.core.verdict import Decision, Evidence, Finding, Verdict
from harness.errors import PolicyError
from harness.gate import remainder, words
from harness.gate.answers import Answer, answer, settle
from harness.gate.coverage import labels_replayed
from harness.gate.nights import Nights, in_order
from harness.gate.policy import Criterion, Policy
from harness.gate.questions import Question, questions
from harness.gate.remainder import Cover, Taken
from harness.gate.waivers import Waiver
from harness.stats.anytime import units_at_this_pace
from harness.stats.forecast import settled_at
from harness.stats.measure import Kind
from harness.stats.paired import Readings, census, clean
from harness.stats.units import Estimate


def decide(
    rows: Rows,
    policy: Policy,
    *,
    decided_at: datetime,
    history: Sequence[Rows] = (),
    started: Mapping[str, datetime] | None = None,
    signature_parts: Mapping[str, str] | None = None,
    signature: str | None = None,
    findings: Sequence[Finding] = (),
    notes: Sequence[str] = (),
) -> Decision:
    """Judge rows, and the earlier nights of the same epoch, by a policy.

    decided_at: UTC. history: rows of earlier nights, any order. started: run -> when it began. signature: the line
    that says what was decided on; without one it is made of signature_parts. findings: what others found (coverage, a
    run cut short); they vote like any other. notes: put before the gate's own.
    Raises PolicyError when a fixed sample is given a history: it is one look, planned in advance.
    """
    if history and policy.mode == "fixed":
        raise PolicyError(
            f'{policy.where or "policy"}, [gate]: mode "fixed" is one look planned in advance and takes no history. '
            'Use mode = "anytime", or decide on one rows file.'
        )
    nights = in_order(rows, history, started)
    tonight = rows if history and len(rows) > 0 else None
    judged = judge(nights, policy, tonight=tonight)
    found, waived = judged.findings, Judged()
    if in_force := [waiver for waiver in policy.waivers if waiver.in_force(decided_at)]:
        waived = judge(nights, policy, tonight=tonight, waivers=in_force)
        found = remainder.combined(found, waived.findings, waived.taken)
    waivers = remainder.notes(policy.waivers, waived.covers, found, decided_at)
    found += labels_replayed(policy, nights.rows)
    found += findings
    if history and len(rows) == 0:
        found.append(_empty_tonight())
    verdict = _combined(found)
    said = words.headline(verdict, found, alpha_go=policy.alpha_go, alpha_no_go=policy.alpha_no_go, mode=policy.mode)
    told = " ".join((*(f"{word}: {what}" for word, what in policy.conditions.told(policy.criteria)), said))
    return Decision(
        verdict=verdict,
        findings=tuple(found),
        policy_sha256=policy.sha256,
        signature=signature if signature is not None else _signature(signature_parts or {}, policy),
        decided_at=decided_at,
        epoch=policy.epoch_id,
        headline=remainder.headline(told, found),
        notes=(
            *notes,
            *waivers,
            *judged.notices,
            *_unjudged(rows, policy),
            *_partly(nights.rows, policy),
            *_later(judged.answers, nights),
        ),
    )


@dataclass(slots=True, kw_only=True)
class Judged:
    """Every question answered once. findings, taken: one each a question, in the same order; see `remainder`."""

    findings: list[Finding] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    covers: list[Cover] = field(default_factory=list)
    taken: list[Taken | None] = field(default_factory=list)


def judge(nights: Nights, policy: Policy, *, tonight: Rows | None, waivers: Sequence[Waiver] = ()) -> Judged:
    """Ask everything of the rows that the waivers leave. tonight: the last night's rows; None without earlier ones."""
    judged = Judged()
    asked: list[Answer | Finding] = []
    for criterion in policy.criteria:
        # Rows that should not be there are judged all the same: an edited run.json must not hide a loss.
        if not policy.conditions.judges(criterion) and not nights.rows.metric.has(criterion.metric).any():
            judged.taken.append(None)
            asked.append(policy.conditions.not_judged(criterion))
            continue
        readings = _readings(nights, criterion, policy)
        judged.notices += _notices(readings, criterion)
        names = (criterion.name, criterion.severe_name)
        held = remainder.covers(readings, nights.rows, [one for one in waivers if one.criterion in names])
        judged.covers += held
        absent = tonight is not None and not tonight.metric.has(criterion.metric).any()
        earlier = len(readings) == 0 and bool(nights.rows.metric.has(criterion.metric).any())
        for whole in questions(criterion, readings, policy):
            question, taken = remainder.without(whole, readings, held)
            judged.taken.append(taken)
            if criterion.kind is Kind.CHECK:
                asked.append(_checked(question, readings, earlier=earlier))
            else:
                asked.append(answer(question, readings, policy, absent=absent))
    judged.answers = [one for one in asked if isinstance(one, Answer)]
    settle(judged.answers, policy)
    voting = sum(one.votes for one in judged.answers)
    judged.findings = [
        one if isinstance(one, Finding) else _finding(one, policy, metrics=max(voting, 1)) for one in asked
    ]
    return judged


def _readings(nights: Nights, criterion: Criterion, policy: Policy) -> Readings:
    """The cleaned rows of one metric. A fixed sample is looked at once, whatever runs its rows name.

    A check gathers no evidence over nights: it is asked of the latest look alone, whatever an earlier one has read.
    """
    chosen = nights.rows.metric.has(criterion.metric)
    if criterion.kind is Kind.CHECK:
        if policy.mode == "fixed":  # all runs are one look, and where they disagree that is a conflict
            rows = nights.rows.take(chosen)
            return clean(rows, np.zeros(len(rows), dtype=np.int64), criterion.measure, looks=1)
        chosen &= nights.look == nights.looks - 1
    readings = clean(nights.rows.take(chosen), nights.look[chosen], criterion.measure, looks=nights.looks)
    if policy.mode == "fixed":
        return replace(readings, look=np.zeros_like(readings.look), looks=1)
    return readings


def _finding(answer: Answer, policy: Policy, *, metrics: int) -> Finding:
    question, tally, estimate = answer.question, answer.units.tally, answer.estimate
    shared: dict[str, Any] = {
        "criterion": question.name,
        "metric": question.criterion.metric,
        "slice": question.slice,
        "verdict": answer.verdict,
        "gating": answer.votes,
        "margin": question.margin,
        "excluded": int(tally.excluded[-1]),
        "unscored": int(tally.unscored[-1]),
    }
    if estimate is None:
        return Finding(**shared, reason=answer.fault or "")
    undecided = answer.verdict is Verdict.INCONCLUSIVE and answer.fault is None
    total = _units_needed(answer, estimate, policy, metrics=metrics) if undecided else None
    evidence = Evidence(
        criterion=question.name,
        estimate=estimate.estimate + 0.0,  # -0.0 means nothing to a reader
        low=estimate.low + 0.0,
        high=estimate.high + 0.0,
        margin=question.margin,
        p_go=estimate.p_go,
        p_no_go=estimate.p_no_go,
        units=len(answer.units),
        excluded=shared["excluded"],
        unscored=shared["unscored"],
        method=estimate.method,
        epoch=policy.epoch_id,
        more_units=None if total is None else total - len(answer.units),
    )
    return Finding(**shared, evidence=evidence, reason=_reason(answer, evidence, hopeless=undecided and total is None))


def _units_needed(answer: Answer, estimate: Estimate, policy: Policy, *, metrics: int) -> int | None:
    """Units in all that would settle an open question; None where more would not."""
    question, found = answer.question, answer.units
    if estimate.p_go <= policy.alpha_go and not answer.covered:
        return question.minimum
    total = settled_at(found, margin=question.margin, alpha=policy.alpha_go, metrics=metrics, minimum=question.minimum)
    if total is None:
        return None
    if policy.mode == "anytime":  # bets need more than the formula where events are rare
        pace = units_at_this_pace(found, margin=question.margin, alpha=policy.alpha_go, max_cluster=policy.max_cluster)
        total = max(total, pace or 0)
    return max(total, len(found) + 1)


def _reason(answer: Answer, evidence: Evidence, *, hopeless: bool) -> str:
    question, found = answer.question, answer.units
    if answer.fault is not None and answer.verdict is Verdict.INCONCLUSIVE:
        return answer.fault
    told = words.reason(
        words.Facts(
            criterion=question.criterion,
            severe=question.severe,
            slice=question.slice,
            # Once the evidence has turned, what it shows now is told, and not what it showed when it was GO.
            verdict=answer.verdict if answer.turned is None else Verdict.NO_GO,
            evidence=evidence,
            cases=found.cases,
            worse=found.worse,
            better=found.better,
            needed=question.minimum,
            covered=answer.covered,
            hopeless=hopeless,
        )
    )
    if answer.turned is not None:
        told = words.turned_since(told)
    if question.slice is not None and not answer.votes and not question.criterion.advisory:
        return words.not_covered(told)
    return told if answer.fault is None else f"{told} {answer.fault}"


def _checked(question: Question, readings: Readings, *, earlier: bool) -> Finding:
    """A check is a census: one value past its limit refuses, one that is absent leaves it open.

    earlier: only runs before the latest have rows of it.
    """
    counted = census(readings, part=question.part)
    conflicts = int(readings.conflicting.sum())
    criterion = question.criterion
    if conflicts:
        verdict, reason = Verdict.INCONCLUSIVE, words.conflicting(conflicts)
    elif earlier:
        verdict, reason = Verdict.INCONCLUSIVE, words.absent_tonight(criterion.metric)
    elif counted.rows == 0:
        verdict, reason = Verdict.INCONCLUSIVE, words.no_data(criterion.metric, question.slice, rows=0, excluded=0)
    else:
        absent = Verdict.INCONCLUSIVE if counted.absent else Verdict.GO
        verdict = Verdict.NO_GO if counted.past else absent
        reason = words.census(counted.rows, counted.past, counted.absent)
    return Finding(
        criterion=question.name,
        metric=criterion.metric,
        slice=question.slice,
        verdict=verdict,
        reason=reason,
        gating=not criterion.advisory,
        margin=criterion.limit,
        unscored=counted.absent,
    )


def _empty_tonight() -> Finding:
    return Finding(criterion="rows", metric="", verdict=Verdict.INCONCLUSIVE, reason=words.EMPTY_TONIGHT)


def _combined(findings: Sequence[Finding]) -> Verdict:
    """NO-GO beats INCONCLUSIVE beats GO, and nothing at all is no GO."""
    voted = {finding.verdict for finding in findings if finding.gating}
    for verdict in (Verdict.NO_GO, Verdict.INCONCLUSIVE):
        if verdict in voted:
            return verdict
    return Verdict.GO if voted else Verdict.INCONCLUSIVE


def _notices(readings: Readings, criterion: Criterion) -> list[str]:
    notices = []
    if readings.duplicates:
        notices.append(words.merged(criterion.name, readings.duplicates))
    if readings.replays:
        notices.append(words.replayed(criterion.name, readings.replays))
    return notices


def _unjudged(rows: Rows, policy: Policy) -> list[str]:
    judged = {criterion.metric for criterion in policy.criteria}
    others = [metric for metric in rows.metric.present() if metric not in judged]
    return [words.without_criterion(others)] if others else []


def _partly(rows: Rows, policy: Policy) -> list[str]:
    """Gating metrics without rows of cases that other judged metrics have: not all that was replayed was judged.

    Checks are of artefacts, not cases; latency has no rows of the calls that froze its threshold.
    """
    judged = {one.metric for one in policy.criteria if one.kind is not Kind.CHECK}
    held = {metric: _cases(rows, metric) for metric in rows.metric.present() if metric in judged}
    if len(held) < 2:
        return []
    whole = int(np.logical_or.reduce(list(held.values())).sum())
    sampled = [one.metric for one in policy.criteria if not one.advisory and one.kind not in (Kind.CHECK, Kind.EXCEED)]
    counts = {metric: int(held[metric].sum()) for metric in sampled if metric in held}
    return [words.partly(metric, count, whole) for metric, count in counts.items() if count < whole]


def _cases(rows: Rows, metric: str) -> Flags:
    """Which of all cases have a row of the metric."""
    seen = np.zeros(len(rows.case.names), dtype=np.bool_)
    seen[rows.case.codes[rows.metric.has(metric)]] = True
    return seen


def _later(answers: Sequence[Answer], nights: Nights) -> list[str]:
    """What the latest look adds to crossings that are final, and which slices no verdict covers."""
    told = []
    for one in answers:
        where = one.question.name if one.question.slice is None else f"{one.question.name}, {one.question.slice}"
        if one.crossed is not None and one.crossed < one.units.looks - 1 and one.verdict is not Verdict.INCONCLUSIVE:
            told.append(words.crossed_before(where, one.verdict, nights.runs[one.crossed]))
        if one.turned is not None:
            told.append(words.turned(where, nights.runs[one.turned]))
    small = [
        f"{one.question.name}, {one.question.slice} ({len(one.units)} of at least {one.question.minimum})"
        for one in answers
        if one.question.slice is not None and not one.covered and len(one.units) > 0
    ]
    return [*told, words.uncovered(small)] if small else told


def _signature(parts: Mapping[str, str], policy: Policy) -> str:
    shown = {"policy": policy.sha256[:16], "mode": policy.mode, **parts}
    return " ".join(f"{name}={value}" for name, value in shown.items())
