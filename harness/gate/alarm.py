"""Whether the newest nights refuse, whatever the nights before them have shown.

Evidence over an epoch answers "is the loss within its margin", and its first crossing is final. A target that breaks
after GO was reached must be seen all the same, in the night it breaks or, where each night shows little, soon after.
So every question carries a second figure, a Shiryaev-Roberts e-detector over nights:

    M_t = E_t (1 + M_{t-1}),   E_t: a bet against "the loss is within the margin" (`stats.detector`), on the new units
                               of night t alone

Where every loss is within its margin, E_t has mean at most 1 given the nights before, so M_t - t is a supermartingale,
and an alarm at M_t >= N comes after N nights or more on average, at whatever night one begins to count. With m
questions the bound is N m: their mean is a detector as well, and it reaches N before any of them reaches N m.

Payloads that are replayed again are not new, and products over them are no bets. Of such a night E_t stands alone
against the same bound: by Markov's inequality it is passed in at most one of N such nights.

Source: J. Shin, A. Ramdas and A. Rinaldo (2024), "E-detectors: a nonparametric framework for sequential change
detection", New England Journal of Statistics in Data Science 2(2), 229-260.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from math import log

from harness.core.rows import Rows
from harness.gate.answers import Answer
from harness.gate.decide import judge
from harness.gate.nights import in_order
from harness.gate.policy import Policy
from harness.stats.detector import log_bet, log_carried
from harness.stats.minimum import LEAST_FOR_NO_GO

NIGHTS = 100  # at least so many to a false alarm on average, with every loss at its margin; measured: thousands


def log_bets(rows: Rows, policy: Policy, *, decided_at: datetime) -> dict[str, float]:
    """Question -> log E of these rows alone, without those that waivers cover; 0 where they may not be judged.

    A question is called as its finding is, with ", key=value" for a slice. Advisory criteria are not asked.
    """
    in_force = [waiver for waiver in policy.waivers if waiver.in_force(decided_at)]
    judged = judge(in_order(rows), policy, tonight=None, waivers=in_force)
    return {
        called(one.question.name, one.question.slice): _log_bet(one, policy)
        for one in judged.answers
        if not one.question.criterion.advisory
    }


def called(criterion: str, slice_: str | None) -> str:
    """What a question is called in a night's document."""
    return criterion if slice_ is None else f"{criterion}, {slice_}"


def carried(before: Mapping[str, float], tonight: Mapping[str, float]) -> dict[str, float]:
    """log M of every question after a night of new units. before: log M of the night before; empty in a new epoch."""
    grown = {name: log_carried(before.get(name), bet) for name, bet in tonight.items()}
    return {**before, **grown}


def refused(figures: Mapping[str, float], *, questions: int) -> tuple[str, ...]:
    """Questions whose figure has reached the bound, in the order in which they are asked.

    figures: log M, or log E of a night that replays. questions: how many are asked, at least those given.
    """
    bound = log(NIGHTS * max(questions, len(figures), 1))
    return tuple(name for name, figure in figures.items() if figure >= bound)


def _log_bet(one: Answer, policy: Policy) -> float:
    if len(one.units) < LEAST_FOR_NO_GO or not bool(one.sound[-1]):
        return 0.0
    return log_bet(one.units, margin=one.question.margin, max_cluster=policy.max_cluster)
