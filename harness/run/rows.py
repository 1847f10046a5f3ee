"""Observations become rows: comparators score answers, and the harness adds what only it can measure.

Metrics of the harness: `error` (flip: 1 where a side failed), every criterion of kind `exceed` or `limit` on latency,
and `cost_usd`. A failed source call leaves a row with `status_source`, a failed target call one with `status_target`:
nothing is dropped here, the gate's cleaning rules decide.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from harness.config import Price
from harness.core.call import Answer, CallFailure, FailureKind, Mode, Observation, Outcome, Side, Tokens
from harness.core.case import Case
from harness.core.output import Output
from harness.core.protocols import Asker, Comparator
from harness.core.verdict import Comparison, Row, RowStatus, Status
from harness.gate.policy import Criterion
from harness.run.judging import NOBODY, Judged
from harness.run.observe import Observed
from harness.run.plan import Plan

OPERATIONAL = {"error", "cost_usd"}
_GOLDEN_RATIO = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One observation, its rows, and the comparisons behind them by metric: of the target, and of the noise."""

    observed: Observed
    rows: tuple[Row, ...]
    comparisons: dict[str, Comparison]
    noises: dict[str, Comparison]


def compare(plan: Plan, observed: Iterable[Observed], *, run: str, judged: Judged = NOBODY) -> Iterator[Compared]:
    """Rows of everything that needs no threshold from this run: comparators, errors, cost.

    judged: what judges said, for comparators that ask.
    """
    for item in observed:
        observation = item.observation
        base = Row(
            case=observation.case.id,
            metric="",
            cluster=observation.case.cluster,
            run=run,
            slices=observation.case.slices,
            status_target=status(observation.target),
            status_source=_source_status(observation),
        )
        rows, comparisons, noises = _compared_rows(plan, observation, _labelled(plan, base, observation), judged)
        if plan.mode is not Mode.GOLDEN:  # recordings know no errors and no costs of this run
            rows.append(_error_row(base, observation))
            rows.extend(_cost_rows(plan, base, observation))
        yield Compared(observed=item, rows=tuple(rows), comparisons=comparisons, noises=noises)


def status(outcome: Outcome | None) -> RowStatus:
    """ok, timeout or error."""
    if isinstance(outcome, CallFailure):
        return RowStatus.TIMEOUT if outcome.kind is FailureKind.TIMEOUT else RowStatus.ERROR
    return RowStatus.OK


def _source_status(observation: Observation) -> RowStatus:
    first = status(observation.source)
    return first if first is not RowStatus.OK else status(observation.source_again)


def _labelled(plan: Plan, base: Row, observation: Observation) -> Row:
    if plan.labeller is None or not isinstance(observation.source, Answer):
        return base
    label = plan.labeller.label(observation.source.output, case=observation.case)
    return base if label is None else replace(base, slices={**base.slices, "source_label": label})


def _compared_rows(
    plan: Plan, observation: Observation, base: Row, judged: Judged
) -> tuple[list[Row], dict[str, Comparison], dict[str, Comparison]]:
    rows: list[Row] = []
    comparisons: dict[str, Comparison] = {}
    noises: dict[str, Comparison] = {}
    source, again, target = observation.source, observation.source_again, observation.target
    for metric, comparator in plan.comparators:
        row = replace(base, metric=metric)
        if isinstance(source, Answer) and isinstance(target, Answer):
            comparison = _compare(metric, comparator, source.output, target.output, observation.case, judged)
            comparisons[metric] = comparison
            row = replace(row, value_target=comparison.value)
            if comparison.status is Status.INCOMPARABLE:
                row = replace(row, status_target=RowStatus.UNSCORED)
        if isinstance(source, Answer) and isinstance(again, Answer):
            noise = noises[metric] = _compare(metric, comparator, source.output, again.output, observation.case, judged)
            row = replace(row, value_noise=noise.value)
            if noise.status is Status.INCOMPARABLE and row.status_source is RowStatus.OK:
                row = replace(row, status_source=RowStatus.UNSCORED)
        rows.append(row)
    return rows, comparisons, noises


def _compare(
    metric: str, comparator: Comparator, source: Output, target: Output, case: Case, judged: Judged
) -> Comparison:
    if isinstance(comparator, Asker):
        answers = judged.answers(metric, comparator, source, target, case)
        return comparator.compare(source, target, case=case, answers=answers)
    return comparator.compare(source, target, case=case)


def _error_row(base: Row, observation: Observation) -> Row:
    """Errors are a flip metric; the first source call only, so that the source does not get two chances to fail."""
    return replace(
        base,
        metric="error",
        value_target=float(isinstance(observation.target, CallFailure)),
        value_noise=float(isinstance(observation.source, CallFailure)),
        status_target=RowStatus.OK,
        status_source=RowStatus.OK,
    )


def _cost_rows(plan: Plan, base: Row, observation: Observation) -> Iterator[Row]:
    prices = plan.prices
    if not prices:
        return
    yield replace(
        base,
        metric="cost_usd",
        value_target=cost_usd(observation.target, prices.get(Side.TARGET, Price())),
        value_noise=cost_usd(observation.source, prices.get(Side.SOURCE, Price())),
        status_source=status(observation.source),
    )


def cost_usd(outcome: Outcome, price: Price) -> float | None:
    """USD of one call at list price, every attempt paid.

    None where the call failed, its tokens are not known, or a price list is given and the served model is not on it.
    """
    if isinstance(outcome, CallFailure):
        return None
    own = price.of(outcome.served_model)
    if own is None:
        return None
    tokens_usd = own.tokens_usd(outcome.tokens or Tokens(input=outcome.tokens_in, output=outcome.tokens_out))
    return None if tokens_usd is None else outcome.attempts * own.per_call_usd + tokens_usd


class Latencies:
    """Latencies of every observation by place in the order; some of the source's own freeze the thresholds.

    The calibration is spread evenly over the run. Taken from its beginning, it would hold whatever the first calls
    cost (cold caches, a busy minute) against the rest. It is chosen by place, never by what was measured, and no case
    of it is judged on latency, so the judged cases know nothing of it.
    """

    def __init__(self, plan: Plan) -> None:
        size = len(plan.order)
        self._plan = plan
        self.source_s = np.full(size, math.nan)
        self.target_s = np.full(size, math.nan)
        self._seen = np.zeros(size, dtype=bool)

    def add(self, observed: Observed) -> None:
        rank = int(self._plan.rank[observed.index])
        self._seen[rank] = True
        for side, outcome in (
            (self.source_s, observed.observation.source),
            (self.target_s, observed.observation.target),
        ):
            if isinstance(outcome, Answer) and outcome.latency_s is not None:
                side[rank] = outcome.latency_s

    @property
    def _earlier_s(self) -> tuple[float, ...]:
        """Source latencies of earlier nights of the epoch, by which the thresholds were frozen, or will be."""
        return () if self._plan.portion is None else self._plan.portion.calibration_s

    def _frozen(self) -> tuple[NDArray[np.float64], NDArray[np.bool_]] | None:
        """Source latencies that set the thresholds, and which cases they are of; None while there are too few.

        Where earlier nights set them no case of tonight is spared.
        """
        earlier_s = self._earlier_s
        if len(earlier_s) >= self._plan.suite.calibration:
            return np.array(earlier_s), np.zeros(len(self.source_s), dtype=bool)
        held_back = None if earlier_s else self.calibration()
        return None if held_back is None else (self.source_s[held_back], held_back)

    def calibrated_s(self) -> tuple[float, ...]:
        """What tonight adds to the latencies that freeze the thresholds of the nights to come."""
        exceed = any(criterion.kind == "exceed" for criterion in self._plan.policy.criteria)
        if not exceed or len(self._earlier_s) >= self._plan.suite.calibration:
            return ()
        frozen = self._frozen()
        chosen = self.source_s if frozen is None else frozen[0]
        return tuple(chosen[np.isfinite(chosen)].tolist())

    def calibration(self) -> NDArray[np.bool_] | None:
        """By place in the order: the suite's number of answered source calls; None when there were fewer."""
        size = self._plan.suite.calibration
        # Multiples of the golden ratio, modulo 1, sorted: any beginning of that sequence is spread evenly over the run.
        spread = np.argsort(np.arange(len(self.source_s)) * _GOLDEN_RATIO % 1.0, kind="stable")
        chosen = spread[np.isfinite(self.source_s[spread])][:size]
        if len(chosen) < size:
            return None
        held_back = np.zeros(len(self.source_s), dtype=bool)
        held_back[chosen] = True
        return held_back

    def rows(self, *, run: str) -> Iterator[Row]:
        """Rows of the criteria on latency.

        `exceed`: x is the source's quantile over the calibration; 1 where the target took longer than ratio * x
        (value_target) and where the source took longer than x (value_noise), of all cases outside the calibration.
        `limit`: 1 where the target took longer than the contract allows, of all cases. A failed target call counts as
        infinitely slow.
        """
        frozen = self._frozen()
        usual, held_back = (None, None) if frozen is None else frozen
        none = np.zeros(len(self._seen), dtype=bool)
        judged = [
            (none if criterion.kind == "limit" else held_back, criterion.metric, *thresholds)
            for criterion in self._plan.policy.criteria
            if self._plan.policy.conditions.judges(criterion)
            and (thresholds := _thresholds_s(criterion, usual)) is not None
        ]
        for rank in np.flatnonzero(self._seen).tolist() if judged else ():
            base = self._base(rank, run)
            for spared, metric, slow_s, usual_s in judged:
                if spared is not None and not spared[rank]:
                    yield self._row(base, metric, rank, slow_s, usual_s)

    def _base(self, rank: int, run: str) -> Row:
        stored = self._plan.golden.recording(int(self._plan.order[rank]))
        return Row(
            case=stored.recording.id,
            metric="",
            cluster=stored.cluster or stored.recording.id,
            run=run,
            slices=stored.row_slices,
            status_source=RowStatus.ERROR if math.isnan(self.source_s[rank]) else RowStatus.OK,
        )

    def _row(self, base: Row, metric: str, rank: int, slow_s: float, usual_s: float | None) -> Row:
        source_s, target_s = self.source_s[rank], self.target_s[rank]
        return replace(
            base,
            metric=metric,
            value_target=float(math.isnan(target_s) or target_s > slow_s),
            value_noise=None if usual_s is None or math.isnan(source_s) else float(source_s > usual_s),
        )


def _thresholds_s(criterion: Criterion, source_s: NDArray[np.float64] | None) -> tuple[float, float | None] | None:
    """(slow for the target, slow for the source) in seconds; None where the criterion judges no latency, or not yet."""
    if criterion.kind == "limit":
        return None if criterion.limit_s is None else (criterion.limit_s, None)
    if criterion.kind != "exceed" or criterion.quantile is None or source_s is None:
        return None
    usual_s = float(np.quantile(source_s, criterion.quantile, method="higher"))
    return usual_s * (criterion.ratio or 1.0), usual_s
