"""What a report shows besides the decision: sides, noise floors, departures, the worst cases. Counts, no judgement."""

from __future__ import annotations

import heapq
import math
from array import array
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from harness.config import Price
from harness.core.call import CallFailure, Outcome, Side
from harness.core.case import Departure
from harness.core.report import DepartureCount, MetricSummary, SideSummary, WorstCase
from harness.core.verdict import Comparison, Row, RowStatus, Status
from harness.run.plan import Plan
from harness.run.rows import Compared, Latencies, cost_usd
from harness.run.shown import Shown, outcome_text
from harness.run.spreads import Spreads

WORST_PER_METRIC = 20
BINS = 40
UNPRICED = "no price is stated for this side ([prices] of the suite)"


@dataclass(slots=True)
class _SideTally:
    served: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    attempts: int = 0
    throttled: int = 0
    first_tokens_s: array[float] = field(default_factory=lambda: array("d"))
    cost_usd: float = 0.0
    priced: int = 0

    def add(self, outcome: Outcome, price: Price | None, *, called: bool) -> None:
        """called: false for a recorded answer, which is no call of this run."""
        self.calls += called
        if isinstance(outcome, CallFailure):
            if called:
                self.failures[outcome.kind.value] += 1
            return
        if outcome.first_token_s is not None:
            self.first_tokens_s.append(outcome.first_token_s)
        if price is not None and (usd := cost_usd(outcome, price)) is not None:
            self.cost_usd += usd
            self.priced += 1
        self.served[", ".join(part for part in (outcome.served_model, outcome.runtime) if part)] += 1


@dataclass(slots=True)
class _MetricTally:
    rows: int = 0
    target_sum: float = 0.0
    target_rows: int = 0
    noise_sum: float = 0.0
    noise_rows: int = 0
    incomparable: int = 0

    def add(self, row: Row) -> None:
        self.rows += 1
        self.incomparable += row.status_target is RowStatus.UNSCORED
        if row.value_target is not None and math.isfinite(row.value_target):
            self.target_sum += row.value_target
            self.target_rows += 1
        if row.value_noise is not None and math.isfinite(row.value_noise):
            self.noise_sum += row.value_noise
            self.noise_rows += 1


class Tally:
    """Accumulates over one pass; what it holds does not grow with the number of cases."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._sides = {side: _SideTally() for side in Side}
        self._metrics: dict[str, _MetricTally] = {}
        self._departures: Counter[tuple[str, str | None, str]] = Counter()
        self._samples: dict[tuple[str, str | None, str], Departure] = {}
        self._show = Shown(plan.profile.payloads)
        self._worst: dict[str, list[tuple[float, int, WorstCase]]] = {}
        self.spreads = Spreads()
        self.replayed = 0

    def add(self, compared: Compared) -> None:
        observation = compared.observed.observation
        self.replayed += 1
        for outcome in (observation.source, observation.source_again, observation.target):
            if outcome is not None:
                price = self._plan.prices.get(outcome.side)
                self._sides[outcome.side].add(outcome, price, called=outcome.side in self._plan.called)
        for role, effort in compared.observed.effort.items():
            self._sides[role.side].attempts += effort.attempts
            self._sides[role.side].throttled += effort.throttled
        for row in compared.rows:
            self.add_row(row)
        for departure in observation.departures:
            # Counted by place and reason: every case has its own value, and a report wants one line a cause.
            key = (departure.field, departure.target_value, departure.reason)
            self._departures[key] += 1
            self._samples.setdefault(key, departure)
        for metric in compared.comparisons | compared.noises:
            target, noise = compared.comparisons.get(metric), compared.noises.get(metric)
            self.spreads.add_distances(metric, target, noise)
        self._keep_worst(compared)

    def add_row(self, row: Row) -> None:
        self._metrics.setdefault(row.metric, _MetricTally()).add(row)
        self.spreads.add_row(row)

    def _keep_worst(self, compared: Compared) -> None:
        for metric, one in compared.comparisons.items():
            if one.status is not Status.MATCH:
                word = "differs" if one.status is Status.MISMATCH else "not scored"
                self._push(metric, _badness(one), compared, word, one.reason, one)
        target = compared.observed.observation.target
        if isinstance(target, CallFailure):
            self._push("error", math.inf, compared, "failed", f"target {target.kind.value}: {target.message}")

    def _push(
        self,
        metric: str,
        badness: float,
        compared: Compared,
        status: str,
        reason: str,
        comparison: Comparison | None = None,
    ) -> None:
        heap = self._worst.setdefault(metric, [])
        full = len(heap) >= WORST_PER_METRIC
        # The index breaks ties, so that the choice does not depend on the order of arrival.
        if full and (badness, -compared.observed.index) <= heap[0][:2]:
            return
        case = self._worst_case(metric, compared, status, reason, comparison)
        (heapq.heapreplace if full else heapq.heappush)(heap, (badness, -compared.observed.index, case))

    def _worst_case(
        self, metric: str, compared: Compared, status: str, reason: str, comparison: Comparison | None
    ) -> WorstCase:
        observation = compared.observed.observation
        return WorstCase(
            case_id=observation.case.id,
            metric=metric,
            reason=reason if comparison is None else self._show.reason(reason),
            distance=comparison.distance if comparison else None,
            unit=comparison.unit if comparison else "",
            slices=next((row.slices for row in compared.rows if row.metric == metric), observation.case.slices),
            request=self._show(observation.case.recording.request_body.decode("utf-8", "replace")),
            source=self._show(outcome_text(observation.source)),
            target=self._show(outcome_text(observation.target)),
            status=status,
        )

    def worst(self) -> tuple[WorstCase, ...]:
        return tuple(
            case for heap in self._worst.values() for *_, case in sorted(heap, key=lambda item: item[:2], reverse=True)
        )

    def sides(self, latencies: Latencies, took_s: float) -> tuple[SideSummary, ...]:
        """took_s: from the first call of the run to its last, in seconds."""
        answered = {Side.SOURCE: latencies.source_s, Side.TARGET: latencies.target_s}
        edges = _edges(np.concatenate([values[np.isfinite(values)] for values in answered.values()]))
        settings = {Side.SOURCE: self._plan.source_settings, Side.TARGET: self._plan.target_settings}
        names = {Side.SOURCE: self._plan.pair.source, Side.TARGET: self._plan.pair.target}
        summaries = []
        for side, tally in self._sides.items():
            values = answered[side][np.isfinite(answered[side])]
            p50, p95, p99 = (_quantile(values, p) for p in (0.5, 0.95, 0.99))
            first = np.frombuffer(tally.first_tokens_s, dtype=np.float64)
            answered_calls = tally.calls - tally.failures.total()
            summaries.append(
                SideSummary(
                    side=side,
                    service=names[side],
                    endpoint=settings[side].endpoint if side in self._plan.called else "recorded answers",
                    served=tuple(name or "not told" for name, _ in tally.served.most_common(5)),
                    calls=tally.calls,
                    answered=answered_calls,
                    attempts=tally.attempts,
                    throttled_attempts=tally.throttled,
                    failures=dict(sorted(tally.failures.items())),
                    p50_s=p50,
                    p95_s=p95,
                    p99_s=p99,
                    histogram=_histogram(values, edges),
                    first_token_p50_s=_quantile(first, 0.5),
                    first_token_p95_s=_quantile(first, 0.95),
                    calls_per_s=answered_calls / took_s if took_s > 0 and answered_calls else None,
                    cost_per_1000_usd=1000 * tally.cost_usd / tally.priced if tally.priced else None,
                    cost_note=self._cost_note(side, tally),
                )
            )
        return tuple(summaries)

    def metrics(self) -> tuple[MetricSummary, ...]:
        signatures = {metric: comparator.signature() for metric, comparator in self._plan.comparators}
        return tuple(
            MetricSummary(
                metric=metric,
                comparator=signatures.get(metric, "measured by the harness"),
                rows=tally.rows,
                target_mean=tally.target_sum / tally.target_rows if tally.target_rows else None,
                noise_mean=tally.noise_sum / tally.noise_rows if tally.noise_rows else None,
                noise_rows=tally.noise_rows,
                incomparable=tally.incomparable,
            )
            for metric, tally in self._metrics.items()
        )

    def departures(self) -> tuple[DepartureCount, ...]:
        return tuple(
            DepartureCount(departure=self._samples[key], cases=count) for key, count in self._departures.most_common()
        )

    def _cost_note(self, side: Side, tally: _SideTally) -> str:
        if side not in self._plan.prices:
            return UNPRICED
        answered = tally.served.total()
        if tally.priced == answered:
            return ""
        return f"{answered - tally.priced:,} of {answered:,} answers have no price: their tokens or model are not told"

    def served(self, side: Side) -> tuple[str, ...]:
        return tuple(sorted(name or "not told" for name in self._sides[side].served))


def _badness(comparison: Comparison) -> float:
    return math.inf if comparison.distance is None else comparison.distance


def _quantile(values: NDArray[np.float64], p: float) -> float | None:
    return float(np.quantile(values, p)) if len(values) else None


def _edges(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bin edges for both sides: from 0 to the slowest 99.5 % of calls; the rest goes into the last bin."""
    top = float(np.quantile(values, 0.995)) if len(values) else 1.0
    return np.linspace(0.0, max(top, 1e-6), BINS + 1)


def _histogram(values: NDArray[np.float64], edges: NDArray[np.float64]) -> tuple[tuple[float, int], ...]:
    counts, _ = np.histogram(np.minimum(values, edges[-1]), bins=edges)
    return tuple((float(edge), int(count)) for edge, count in zip(edges[1:], counts, strict=True))
