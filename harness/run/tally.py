"""What a report shows besides the decision: sides, noise floors, departures, the worst cases. Counts, no judgement."""

from __future__ import annotations

import hashlib
import heapq
import math
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from harness.core.call import Answer, CallFailure, Outcome, Side
from harness.core.case import Departure
from harness.core.output import told
from harness.core.report import DepartureCount, MetricSummary, Payloads, SideSummary, WorstCase
from harness.core.verdict import Comparison, Row, RowStatus, Status
from harness.run.plan import Plan
from harness.run.rows import Compared, Latencies

WORST_PER_METRIC = 20
BINS = 40


@dataclass(slots=True)
class _SideTally:
    served: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    attempts: int = 0
    throttled: int = 0

    def add(self, outcome: Outcome, *, called: bool) -> None:
        """called: false for a recorded answer, which is no call of this run."""
        self.calls += called
        if isinstance(outcome, CallFailure):
            if called:
                self.failures[outcome.kind.value] += 1
            return
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
        self._worst: dict[str, list[tuple[float, int, WorstCase]]] = {}
        self.replayed = 0

    def add(self, compared: Compared) -> None:
        observation = compared.observed.observation
        self.replayed += 1
        for outcome in (observation.source, observation.source_again, observation.target):
            if outcome is not None:
                self._sides[outcome.side].add(outcome, called=outcome.side in self._plan.called)
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
        self._keep_worst(compared)

    def add_row(self, row: Row) -> None:
        self._metrics.setdefault(row.metric, _MetricTally()).add(row)

    def _keep_worst(self, compared: Compared) -> None:
        for metric, comparison in compared.comparisons.items():
            if comparison.status is not Status.MATCH:
                self._push(metric, _badness(comparison), comparison.reason, compared, comparison)
        target = compared.observed.observation.target
        if isinstance(target, CallFailure):
            self._push("error", math.inf, f"target {target.kind.value}: {target.message}", compared, None)

    def _push(
        self, metric: str, badness: float, reason: str, compared: Compared, comparison: Comparison | None
    ) -> None:
        heap = self._worst.setdefault(metric, [])
        if len(heap) >= WORST_PER_METRIC and badness <= heap[0][0]:
            return
        case = self._worst_case(metric, reason, compared, comparison)
        # The index breaks ties, so that the choice does not depend on the order of arrival.
        item = (badness, -compared.observed.index, case)
        (heapq.heappush if len(heap) < WORST_PER_METRIC else heapq.heapreplace)(heap, item)

    def _worst_case(self, metric: str, reason: str, compared: Compared, comparison: Comparison | None) -> WorstCase:
        observation = compared.observed.observation
        show = Shown(self._plan.profile.payloads)
        return WorstCase(
            case_id=observation.case.id,
            metric=metric,
            reason=reason if comparison is None else show.reason(reason),
            distance=comparison.distance if comparison else None,
            unit=comparison.unit if comparison else "",
            slices=next((row.slices for row in compared.rows if row.metric == metric), observation.case.slices),
            request=show(observation.case.recording.request_body.decode("utf-8", "replace")),
            source=show(_outcome_text(observation.source)),
            target=show(_outcome_text(observation.target)),
        )

    def sides(self, latencies: Latencies) -> tuple[SideSummary, ...]:
        answered = {Side.SOURCE: latencies.source_s, Side.TARGET: latencies.target_s}
        edges = _edges(np.concatenate([values[np.isfinite(values)] for values in answered.values()]))
        settings = {Side.SOURCE: self._plan.source_settings, Side.TARGET: self._plan.target_settings}
        names = {Side.SOURCE: self._plan.pair.source, Side.TARGET: self._plan.pair.target}
        summaries = []
        for side, tally in self._sides.items():
            values = answered[side][np.isfinite(answered[side])]
            p50, p95, p99 = (float(np.quantile(values, p)) if len(values) else None for p in (0.5, 0.95, 0.99))
            summaries.append(
                SideSummary(
                    side=side,
                    service=names[side],
                    endpoint=settings[side].endpoint if side in self._plan.called else "recorded answers",
                    served=tuple(name or "not told" for name, _ in tally.served.most_common(5)),
                    calls=tally.calls,
                    answered=tally.calls - tally.failures.total(),
                    attempts=tally.attempts,
                    throttled_attempts=tally.throttled,
                    failures=dict(sorted(tally.failures.items())),
                    p50_s=p50,
                    p95_s=p95,
                    p99_s=p99,
                    histogram=_histogram(values, edges),
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

    def worst(self) -> tuple[WorstCase, ...]:
        return tuple(
            case for heap in self._worst.values() for *_, case in sorted(heap, key=lambda item: item[:2], reverse=True)
        )

    def served(self, side: Side) -> tuple[str, ...]:
        return tuple(sorted(name or "not told" for name in self._sides[side].served))


class Shown:
    """Cuts a text to what the profile lets a report show."""

    def __init__(self, payloads: Payloads) -> None:
        self._payloads = payloads

    def __call__(self, text: str) -> str | None:
        from harness.recordings.redact import redact_text

        match self._payloads:
            case Payloads.NONE:
                return None
            case Payloads.HASH:
                return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
            case Payloads.REDACTED:
                return redact_text(text)
            case Payloads.FULL:
                return text

    def reason(self, text: str) -> str:
        """A comparator's reason quotes answers, so it is shown no more freely than they are."""
        if self._payloads in (Payloads.NONE, Payloads.HASH):
            return "not shown: this profile keeps payloads out of reports"
        return self(text) or ""


def _badness(comparison: Comparison) -> float:
    return math.inf if comparison.distance is None else comparison.distance


def _outcome_text(outcome: Outcome) -> str:
    return told(outcome.output) if isinstance(outcome, Answer) else f"{outcome.kind.value}: {outcome.message}"


def _edges(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bin edges for both sides: from 0 to the slowest 99.5 % of calls; the rest goes into the last bin."""
    top = float(np.quantile(values, 0.995)) if len(values) else 1.0
    return np.linspace(0.0, max(top, 1e-6), BINS + 1)


def _histogram(values: NDArray[np.float64], edges: NDArray[np.float64]) -> tuple[tuple[float, int], ...]:
    counts, _ = np.histogram(np.minimum(values, edges[-1]), bins=edges)
    return tuple((float(edge), int(count)) for edge, count in zip(edges[1:], counts, strict=True))
