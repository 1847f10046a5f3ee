"""Questions get their answers: evidence look by look, faults that forbid a verdict, which margin was crossed first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.core.rows import Flags, Floats, Ints
from harness.core.verdict import Verdict
from harness.gate import words
from harness.gate.policy import Policy
from harness.gate.questions import Question
from harness.stats.anytime import anytime
from harness.stats.fixed import fixed_sample
from harness.stats.holm import holm
from harness.stats.measure import Kind
from harness.stats.minimum import LEAST_FOR_NO_GO
from harness.stats.paired import Readings, units
from harness.stats.units import Estimate, Units


@dataclass(slots=True, kw_only=True)
class Answer:
    """A question and its evidence, look by look; arrays have shape (looks,).

    sound: no fault so far. enough: as many units as GO needs. p_go, p_no_go: as of that look, 1 without evidence.
    verdict, crossed: what was settled, and at which look. fault: why there is no verdict at the last look.
    """

    question: Question
    units: Units
    sound: Flags
    p_go: Floats
    p_no_go: Floats
    estimate: Estimate | None
    fault: str | None
    verdict: Verdict = Verdict.INCONCLUSIVE
    crossed: int | None = None
    turned: int | None = None

    @property
    def counts(self) -> Ints:
        return self.units.counts()

    @property
    def covered(self) -> bool:
        return len(self.units) >= self.question.minimum

    @property
    def votes(self) -> bool:
        """A slice that is too small to be judged does not vote, unless it is critical or shows a loss."""
        criterion = self.question.criterion
        if criterion.advisory:
            return False
        small = self.question.slice is not None and not self.covered and self._small_anyway
        return not small or criterion.critical or self.verdict is Verdict.NO_GO

    @property
    def _small_anyway(self) -> bool:
        """Too small even with the readings that a failing source took away; an empty slice is no small one."""
        return len(self.units) > 0 and (self.fault is None or int(self.units.tally.rows[-1]) < self.question.minimum)


def answer(question: Question, readings: Readings, policy: Policy, *, absent: bool) -> Answer:
    found = units(readings, part=question.part, severe=question.severe)
    sound = _sound(found, policy)
    answer = Answer(
        question=question,
        units=found,
        sound=sound,
        p_go=np.ones(found.looks),
        p_no_go=np.ones(found.looks),
        estimate=None,
        fault=_fault(question, found, policy, absent=absent),
    )
    if len(found) == 0:
        return answer
    if policy.mode == "fixed":
        criterion = question.criterion
        event = not question.severe and (
            criterion.kind is Kind.LIMIT or (criterion.kind is Kind.FLIP and criterion.deterministic)
        )
        answer.estimate = fixed_sample(
            found, margin=question.margin, alpha_go=policy.alpha_go, alpha_no_go=policy.alpha_no_go, exact=event
        )
        answer.p_go[:], answer.p_no_go[:] = answer.estimate.p_go, answer.estimate.p_no_go
    else:
        course = anytime(
            found,
            margin=question.margin,
            alpha_go=policy.alpha_go,
            alpha_no_go=policy.alpha_no_go,
            max_cluster=policy.max_cluster,
            counts=sound,
        )
        answer.estimate, answer.p_go, answer.p_no_go = course.estimate, course.p_go, course.p_no_go
    return answer


def _sound(found: Units, policy: Policy) -> Flags:
    """Looks at which the evidence may be judged at all."""
    tally = found.tally
    faulty = (tally.conflicts > 0) | (tally.contradicted > 0) | tally.too_many_excluded() | tally.too_many_unscored()
    if policy.max_cluster is not None:
        faulty |= tally.largest > policy.max_cluster
    return np.asarray(~faulty)


def _fault(question: Question, found: Units, policy: Policy, *, absent: bool) -> str | None:
    """Why there is no verdict, in the order of the cleaning rules; None where there may be one."""
    tally = found.tally
    rows, excluded, unscored = int(tally.rows[-1]), int(tally.excluded[-1]), int(tally.unscored[-1])
    if tally.conflicts[-1]:
        return words.conflicting(int(tally.conflicts[-1]))
    if tally.contradicted[-1]:
        return words.contradicted(int(tally.contradicted[-1]))
    if len(found) == 0:
        return words.no_data(question.criterion.metric, question.slice, rows=rows, excluded=excluded)
    if tally.too_many_excluded()[-1]:
        return words.source_failures(excluded, rows)
    if tally.too_many_unscored()[-1]:
        return words.not_scored(unscored, rows - excluded)
    if policy.max_cluster is not None and tally.largest[-1] > policy.max_cluster:
        return words.too_large(int(tally.largest[-1]), policy.max_cluster)
    if _outweighed(question, found, policy):
        return words.outweighed(int(tally.largest[-1]), found.cases, _largest_share(question))
    return words.absent_tonight(question.criterion.metric) if absent else None


def _outweighed(question: Question, found: Units, policy: Policy) -> bool:
    """A cluster holds so many of the cases that one vote for it, like any other cluster's, would hide them.

    Below the minimum of units there is no GO to withhold.
    """
    if policy.mode != "anytime" or policy.max_cluster is not None or len(found) < question.minimum:
        return False
    largest = int(found.tally.largest[-1])
    return largest > 1 and largest > _largest_share(question) * found.cases


def _largest_share(question: Question) -> float:
    """Of the cases, in one cluster whose size was not declared. A slice is small, and a quarter of it few cases."""
    return 0.05 if question.slice is None else 0.25


def settle(answers: Sequence[Answer], policy: Policy) -> None:
    """Go through the looks in order; what a question's evidence first crosses is final for the epoch."""
    looks = max((answer.units.looks for answer in answers), default=0)
    for look in range(looks):
        asked = [answer for answer in answers if answer.question.asked_from <= look]
        gating = [answer for answer in asked if not answer.question.criterion.advisory]
        p_values = np.array([_p_no_go(answer, look) for answer in gating])
        refused = dict(zip(map(id, gating), holm(p_values, alpha=policy.alpha_no_go).tolist(), strict=True))
        for answer in asked:
            alone = _p_no_go(answer, look) <= policy.alpha_no_go
            _cross(answer, look, refused=refused.get(id(answer), alone), policy=policy)
    for answer in answers:
        if answer.verdict is Verdict.GO and answer.fault is not None:
            answer.verdict = Verdict.INCONCLUSIVE


def _p_no_go(answer: Answer, look: int) -> float:
    usable = answer.sound[look] and answer.counts[look] >= LEAST_FOR_NO_GO
    return float(answer.p_no_go[look]) if usable else 1.0


def _cross(answer: Answer, look: int, *, refused: bool, policy: Policy) -> None:
    enough = answer.sound[look] and answer.counts[look] >= answer.question.minimum
    shown = enough and answer.p_go[look] <= policy.alpha_go
    if answer.crossed is None and (refused or shown):
        answer.crossed, answer.verdict = look, Verdict.NO_GO if refused else Verdict.GO
    elif answer.verdict is Verdict.GO and refused and answer.turned is None:
        answer.turned = look
