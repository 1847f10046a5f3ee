"""Whether the gate can refuse: known faults of stated size go into copies of a run's own rows, and each must be seen.

A fault is seen where a voting finding on the metrics it touches says NO-GO, or no longer says the GO that it says of
the same rows without the fault (the twin). Rows so few that a finding is open either way show nothing, and are told
apart from a gate that says GO to a broken target.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

import numpy as np

from harness.core.rows import OK, Floats, Rows
from harness.core.verdict import Decision, Finding, Verdict
from harness.errors import EXIT_GO, EXIT_INCONCLUSIVE, EXIT_NO_GO
from harness.gate.decide import decide
from harness.gate.faults import Fault, faults
from harness.gate.planner import LATENCY_DEGREES, USUAL_QUANTILE, Assumptions
from harness.gate.policy import Criterion, Policy
from harness.stats.measure import Kind
from harness.stats.power import slow_share

SCHEMA = "parity-selftest/1"
SEED = 7
OWN, EQUAL = "the run's own rows", "the run's rows with the source's own noise in place of the target"


class Outcome(StrEnum):
    """What the gate made of one fault. undecided: the rows are too few to tell it from no fault."""

    REFUSED = "refused"
    MISSED = "missed"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One fault. expected: the right answer with rows enough. decision: on the planted rows. by: who saw it."""

    fault: str
    planted_in: str
    size: str
    expected: Verdict
    decision: Verdict
    outcome: Outcome
    by: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTest:
    """twin: what the faults were planted into, and what the gate says of it unplanted. gating: criteria that vote."""

    twin: str
    twin_decision: Verdict
    twin_headline: str
    trials: tuple[Trial, ...]
    cases: int
    gating: int
    seed: int

    def count(self, outcome: Outcome) -> int:
        return sum(trial.outcome is outcome for trial in self.trials)

    @property
    def exit_code(self) -> int:
        """0: every fault is refused, and the twin is not. 1: the gate cannot be relied on. 3: too few rows to tell."""
        if self.gating == 0 or self.twin_decision is Verdict.NO_GO or self.count(Outcome.MISSED):
            return EXIT_NO_GO
        return EXIT_GO if self.trials and not self.count(Outcome.UNDECIDED) else EXIT_INCONCLUSIVE

    @property
    def conclusion(self) -> str:
        """In plain words."""
        total = len(self.trials)
        if self.gating == 0:
            return "This gate cannot refuse: every criterion is advisory, and nothing votes."
        if self.twin_decision is Verdict.NO_GO:
            return f"This gate refuses equal systems. {self.twin_headline}"
        if missed := self.count(Outcome.MISSED):
            return f"This gate cannot refuse {missed} of {total} faults. See the reasons; then change margins or rows."
        if undecided := self.count(Outcome.UNDECIDED):
            return (
                f"Not shown: {undecided} of {total} faults are open with these rows, and so are the rows without them. "
                "Where these are too few, `parity plan` says how many are needed."
            )
        twin = "the same rows without them are not"
        if self.twin_decision is Verdict.INCONCLUSIVE:
            twin = "the same rows without them are neither refused nor enough for GO"
        return f"This gate can refuse: all {total} faults are refused, and {twin}."

    def document(self) -> dict[str, Any]:
        """For machines."""
        return {
            "schema": SCHEMA,
            "conclusion": self.conclusion,
            "exit_code": self.exit_code,
            "twin": {"rows": self.twin, "decision": self.twin_decision.value, "headline": self.twin_headline},
            "trials": [
                {
                    "fault": trial.fault,
                    "planted_in": trial.planted_in,
                    "size": trial.size,
                    "expected": trial.expected.value,
                    "decision": trial.decision.value,
                    "outcome": trial.outcome.value,
                    "by": list(trial.by),
                    "reason": trial.reason,
                }
                for trial in self.trials
            ],
            "cases": self.cases,
            "seed": self.seed,
        }


def selftest(rows: Rows, policy: Policy, *, decided_at: datetime, seed: int = SEED) -> SelfTest:
    """Plant every fault that applies and see what the gate says. Pure: the same seed draws the same cases.

    What others find of a run (coverage, a run cut short) is left out: the statistics alone must refuse.
    decided_at: UTC, for waivers; a waiver that blinds the gate to a fault shows.
    """
    twin, told = rows, decide(rows, policy, decided_at=decided_at)
    own = told.verdict is Verdict.GO
    if not own:
        twin = equal_twin(rows, policy, np.random.default_rng(seed))
        told = decide(twin, policy, decided_at=decided_at)
    trials = [*_absent(rows, policy, told)]
    for number, fault in enumerate(faults(twin, policy)):
        planted = fault.plant(twin, np.random.default_rng([seed, number]))
        trials.append(_trial(fault, decide(planted, policy, decided_at=decided_at), told))
    return SelfTest(
        twin=OWN if own else EQUAL,
        twin_decision=told.verdict,
        twin_headline=told.headline,
        trials=tuple(trials),
        cases=len(rows.cases()),
        gating=sum(not criterion.advisory for criterion in policy.criteria),
        seed=seed,
    )


def equal_twin(rows: Rows, policy: Policy, rng: np.random.Generator) -> Rows:
    """The same cases with a target that is as good as the source, whatever the run's target was.

    Scores and flips take the source's own noise, shuffled over the cases, so that the target differs from the source
    as the source differs from itself; a source that repeats itself is repeated. Slow calls too, thinned out, as fewer
    calls exceed the threshold times the ratio than the threshold: how many fewer the rows do not tell, and the
    planner's shape of latencies stands for it. Costs and contributions are the source's. What is measured of the
    target alone lies within its limit.
    """
    values, nulls, statuses = rows.value_target.copy(), rows.null_target.copy(), rows.status_target.copy()
    for criterion in {one.metric: one for one in policy.criteria}.values():
        chosen = rows.metric.has(criterion.metric)
        values[chosen] = _equal_values(rows, criterion, rng)[chosen]
        nulls[chosen] = False
        statuses[chosen] = OK
    return replace(rows, value_target=values, null_target=nulls, status_target=statuses)


def _equal_values(rows: Rows, criterion: Criterion, rng: np.random.Generator) -> Floats:
    measure, n = criterion.measure, len(rows)
    known = rows.metric.has(criterion.metric) & ~rows.null_noise & np.isfinite(rows.value_noise)
    match criterion.kind:
        case Kind.LIMIT:
            return np.full(n, 0.0 if measure.limit is None else measure.limit)
        case Kind.CHECK:
            return np.full(n, measure.limit if measure.limit is not None else measure.lower_limit or 0.0)
        case Kind.COST | Kind.QUALITY:
            return np.where(known, rows.value_noise, measure.value_range[0])
    values = np.full(n, 1.0 if criterion.kind is Kind.SCORE else 0.0)
    if not criterion.deterministic:
        values[known] = rng.permutation(rows.value_noise[known])
    if criterion.kind is Kind.EXCEED:
        values[rng.random(n) >= _kept_slow(criterion)] = 0.0
    return values


def _kept_slow(criterion: Criterion) -> float:
    """Of the calls that exceed the threshold, the share that exceeds it times the ratio."""
    quantile = criterion.quantile or USUAL_QUANTILE
    spread = Assumptions().latency_spread
    return slow_share(quantile, criterion.ratio or 1.0, scale=spread, degrees=LATENCY_DEGREES) / (1 - quantile)


def _absent(rows: Rows, policy: Policy, told: Decision) -> Iterator[Trial]:
    """A criterion without rows has nothing to plant a fault into."""
    for criterion in policy.criteria:
        if not criterion.advisory and not rows.metric.has(criterion.metric).any():
            yield Trial(
                fault="none planted",
                planted_in=criterion.name,
                size="no row",
                expected=Verdict.INCONCLUSIVE,
                decision=told.verdict,
                outcome=Outcome.UNDECIDED,
                by=(),
                reason=f'No row carries the metric "{criterion.metric}".',
            )


def _trial(fault: Fault, planted: Decision, twin: Decision) -> Trial:
    before = {_key(finding): finding for finding in twin.findings}
    relevant = [finding for finding in planted.findings if finding.gating and finding.metric in fault.metrics]
    saw = [finding for finding in relevant if _sees(finding, before)]
    saw.sort(key=lambda finding: finding.verdict is not Verdict.NO_GO)
    if saw:
        outcome, reason = Outcome.REFUSED, saw[0].reason
    elif any(finding.verdict is Verdict.INCONCLUSIVE for finding in relevant):
        still = next(finding for finding in relevant if finding.verdict is Verdict.INCONCLUSIVE)
        outcome, reason = Outcome.UNDECIDED, still.reason
    else:
        said = " ".join(f"{_named(finding)}: {finding.reason}" for finding in relevant)
        outcome, reason = (
            Outcome.MISSED,
            said or "No finding on it votes: it is advisory, waived, or a slice too small.",
        )
    return Trial(
        fault=fault.name,
        planted_in=fault.criterion or "every metric",
        size=fault.size,
        expected=Verdict.INCONCLUSIVE if fault.open_end else Verdict.NO_GO,
        decision=planted.verdict,
        outcome=outcome,
        by=tuple(_named(finding) for finding in saw),
        reason=reason,
    )


def _sees(finding: Finding, before: Mapping[tuple[str, str | None], Finding]) -> bool:
    """The fault turned this finding into a refusal, or made it withhold a GO that it did not withhold before."""
    was = before.get(_key(finding))
    if finding.verdict is Verdict.GO:
        return False
    voted = was is not None and was.gating and was.verdict is not Verdict.GO
    return not voted or (was is not None and finding.verdict is Verdict.NO_GO and was.verdict is not Verdict.NO_GO)


def _key(finding: Finding) -> tuple[str, str | None]:
    return finding.criterion, finding.slice


def _named(finding: Finding) -> str:
    return finding.criterion if finding.slice is None else f"{finding.criterion}, {finding.slice}"
