"""What a policy costs before any call is paid for: units, cases, calls and tokens until an equal target gets GO.

The questions are the gate's own, and the tests are the gate's own; what is assumed is how equal systems differ
(`Assumptions`), and it is printed with every answer. GO needs every gating question, so each of M questions is sized
for power 1 - beta / M. Pure: the door hands in what is known of the golden set.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from math import ceil, floor, log10
from typing import Any

import numpy as np

from harness.core.rows import Rows
from harness.gate.faults import ERROR_METRICS
from harness.gate.policy import SLICE_MARGIN, SOURCE_LABEL, Criterion, Policy
from harness.gate.questions import Question, questions
from harness.stats import power
from harness.stats.forecast import BETA
from harness.stats.measure import SEVERE_BOUNDS, Kind
from harness.stats.minimum import LEAST_SLICE_UNITS, LEAST_UNITS, minimum_units
from harness.stats.paired import clean
from harness.stats.power import Design, Spread

SCHEMA = "parity-plan/1"
_LARGEST_RATIO = 20.0
LATENCY_DEGREES = 15.0
USUAL_QUANTILE = 0.95  # of latency where a criterion names none


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """How an equal target differs from the source. The defaults are GATE_STATS section 9's, where it names any.

    noise_sd: SD of D of a score. flip_rate: share of cases that differ; where the source is noisy, as many the other
    way round. severe_rate: the same of badly broken cases. latency_spread: scale of log latency, Student t with 15
    degrees of freedom; 0.48 puts half of all calls between 0.72 and 1.4 times the median.
    cost_of_cap, cost_spread: mean cost over cap_usd, and relative SD of the target's cost around the source's.
    changed_share: kind quality: share of cases on which two equal models differ, half of them either way.
    """

    noise_sd: float = 0.08
    flip_rate: float = 0.0
    severe_rate: float = 0.0
    latency_spread: float = 0.48
    cost_of_cap: float = 0.2
    cost_spread: float = 0.2
    changed_share: float = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What is known of the cases. None: not known.

    cases, clusters: of the golden set. shares: "key=value" -> share of the cases in that slice. calls_per_case: source,
    source again, target. extra_calls: besides (the proof that a source is deterministic). calibration: cases that
    latency is not judged on.
    """

    calls_per_case: int
    cases: int | None = None
    clusters: int | None = None
    shares: Mapping[str, float] = field(default_factory=dict)
    extra_calls: int = 0
    calibration: int = 0
    tokens_per_case: float | None = None

    @property
    def cluster_size(self) -> float:
        return self.cases / self.clusters if self.cases and self.clusters else 1.0

    def share(self, where: str | None) -> float | None:
        """Of the cases that lie in a slice; None where it is not known. No golden set tells labels of the source."""
        if where is None or where in self.shares:
            return 1.0 if where is None else self.shares[where]
        return None if self.cases is None or where.startswith(f"{SOURCE_LABEL}=") else 0.0

    def units_in(self, cases: int, where: str | None, kind: Kind) -> int | None:
        """Independent units of a question among so many cases."""
        share = self.share(where)
        judged = max(cases - (self.calibration if kind is Kind.EXCEED else 0), 0)
        return None if share is None else floor(judged * share / self.cluster_size + 1e-9)

    def cases_for(self, units: int, where: str | None, kind: Kind) -> int | None:
        """Cases that hold so many units; None where the slice's share is not known, or is 0."""
        share = self.share(where)
        if not share:
            return None
        return ceil(units * self.cluster_size / share - 1e-9) + (self.calibration if kind is Kind.EXCEED else 0)

    def calls(self, cases: int) -> int:
        return cases * self.calls_per_case + min(self.extra_calls, cases)


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One question of the policy, priced.

    units: until an equal target gets GO at the power asked for; None where no number would do, 0 for a census.
    clean: until GO where nothing differs at all. on_average: the mean until GO where one looks after every unit
    (anytime mode). at_one_event: units where one of them is lost altogether, for events.
    cases, calls, tokens: for `units`; None where they cannot be known.
    chance: of GO with the cases at hand. smallest: the smallest margin that these could settle, or ratio where
    `settles` says so.
    """

    criterion: str
    kind: str
    slice: str | None
    margin: float
    ratio: float | None
    gating: bool
    minimum: int
    settles: str
    units: int | None
    cases: int | None
    calls: int | None
    chance: float | None
    clean: int | None = None
    on_average: float | None = None
    at_one_event: int | None = None
    tokens: int | None = None
    smallest: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The answer. power: for all gating questions together; each_power: what each is sized for.

    cases: what all gating questions together need; None where one of them can never be settled. Slices whose share of
    the traffic is not known are left out of it and of chance, and named by `besides`. at_hand: cases that there are or
    may be; None: not asked. chance: of GO on all questions, at least. limits: what the numbers leave out, in words.
    """

    mode: str
    alpha_go: float
    power: float
    each_power: float
    metrics: int
    needs: tuple[Need, ...]
    cases: int | None
    calls: int | None
    tokens: int | None
    at_hand: int | None
    chance: float | None
    assumptions: Assumptions
    traffic: Traffic
    limits: tuple[str, ...]

    def document(self) -> dict[str, object]:
        """For machines."""
        return {"schema": SCHEMA, **asdict(self)}

    def besides(self) -> list[str]:
        """Slices whose share of the traffic is not known, with the units that they need."""
        most: dict[str, int] = {}
        for need in self.needs:
            if need.gating and need.slice and need.units is not None and self.traffic.share(need.slice) is None:
                most[need.slice] = max(most.get(need.slice, 0), need.units)
        return [f"{units:,} of {where}" for where, units in most.items()]

    def steps(self) -> Iterator[tuple[int, list[str]]]:
        """What a smaller budget can decide: (cases, questions that they settle besides those of fewer)."""
        gating = [need for need in self.needs if need.gating and need.cases is not None]
        for cases in sorted({need.cases or 0 for need in gating}):
            yield cases, [place(need) for need in gating if need.cases == cases]


def plan(
    policy: Policy, traffic: Traffic, assumptions: Assumptions | None = None, *, cases: int | None = None
) -> Budget:
    """cases: the budget; the golden set's size where None."""
    assumed = assumptions or Assumptions()
    at_hand = cases if cases is not None else traffic.cases
    asked = [question for criterion in policy.criteria for question in _questions(criterion, policy)]
    metrics = sum(not question.criterion.advisory for question in asked)
    each_power = power.share_of_power(BETA, metrics)
    needs = tuple(_Sized(policy, traffic, assumed, question, each_power).need(at_hand) for question in asked)
    gating = [need for need in needs if need.gating]
    known = [need for need in gating if traffic.share(need.slice) is not None]
    totals = [need.cases for need in known if need.cases is not None]
    total = max(totals) if totals and len(totals) == len(known) else None
    chances = [need.chance for need in known if need.chance is not None]
    return Budget(
        mode=policy.mode,
        alpha_go=policy.alpha_go,
        power=1 - BETA,
        each_power=each_power,
        metrics=metrics,
        needs=needs,
        cases=total,
        calls=None if total is None else traffic.calls(total),
        tokens=_tokens(traffic, total),
        at_hand=at_hand,
        chance=max(0.0, 1 - sum(1 - chance for chance in chances)) if chances else None,
        assumptions=assumed,
        traffic=traffic,
        limits=tuple(_limits(policy, traffic)),
    )


def place(need: Need) -> str:
    return need.criterion if need.slice is None else f"{need.criterion}, {need.slice}"


def _questions(criterion: Criterion, policy: Policy) -> Iterator[Question]:
    """What the gate would ask; labels of the source that the policy demands are asked of flips like declared slices."""
    readings = clean(Rows.empty(), np.zeros(0, dtype=np.int64), criterion.measure, looks=1)
    labels = criterion.slices.get(SOURCE_LABEL, ())
    if criterion.kind is Kind.FLIP and criterion.metric not in ERROR_METRICS:
        labels = tuple(dict.fromkeys((*labels, *policy.coverage.labels)))
    slices = {**criterion.slices, SOURCE_LABEL: labels} if labels else criterion.slices
    yield from questions(replace(criterion, slices=slices), readings, policy)


@dataclass(frozen=True, slots=True)
class _Sized:
    """One question held against power, traffic and assumptions."""

    policy: Policy
    traffic: Traffic
    assumed: Assumptions
    question: Question
    each_power: float

    def need(self, at_hand: int | None) -> Need:
        question, criterion = self.question, self.question.criterion
        shared: dict[str, Any] = {
            "criterion": question.name,
            "kind": criterion.kind.value,
            "slice": question.slice,
            "margin": question.margin,
            "ratio": criterion.ratio,
            "gating": not criterion.advisory,
            "minimum": question.minimum,
            "settles": "ratio" if self.slack else "margin",
        }
        if criterion.kind is Kind.CHECK:
            return Need(**shared, units=0, cases=0, calls=0, chance=1.0)
        design, spread = self.design(question.margin), self.spread(criterion.ratio)
        units = power.units_needed(design, spread, power=self.each_power)
        cases = None if units is None else self.traffic.cases_for(units, question.slice, criterion.kind)
        in_hand = None if at_hand is None else self.traffic.units_in(at_hand, question.slice, criterion.kind)
        event = criterion.kind in (Kind.FLIP, Kind.LIMIT) or question.severe
        bets = design.anytime and units is not None
        return Need(
            **shared,
            units=units,
            clean=power.clean_units(design) if question.margin > 0 else None,
            on_average=power.average_units(design, spread, about=units or 1) if bets else None,
            at_one_event=power.units_with_events(design, 1) if event else None,
            cases=cases,
            calls=None if cases is None else self.traffic.calls(cases),
            tokens=_tokens(self.traffic, cases),
            chance=None if in_hand is None else power.chance_of_go(design, spread, in_hand),
            smallest=None if in_hand is None else self.smallest(in_hand),
        )

    @property
    def slack(self) -> bool:
        """The margin is 0 and a ratio takes its place."""
        return self.question.criterion.kind in (Kind.EXCEED, Kind.COST) and self.question.margin == 0

    def design(self, margin: float) -> Design:
        criterion, policy = self.question.criterion, self.policy
        low_end, high_end = SEVERE_BOUNDS if self.question.severe else criterion.measure.bounds
        event = criterion.kind is Kind.LIMIT or (criterion.kind is Kind.FLIP and criterion.deterministic)
        fixed = policy.mode == "fixed"
        small = self.question.slice is not None and not fixed
        return Design(
            margin=margin,
            low_end=low_end,
            high_end=high_end,
            alpha=policy.alpha_go,
            minimum=max(
                minimum_units(
                    margin=margin,
                    low_end=low_end,
                    alpha=policy.alpha_go,
                    quantile=criterion.quantile if self.question.slice is None and not self.question.severe else None,
                    least=LEAST_SLICE_UNITS if small else LEAST_UNITS,
                ),
                1,
            ),
            anytime=not fixed,
            exact=fixed and event and not self.question.severe and self.traffic.cluster_size == 1,
            fill=1.0 if policy.max_cluster is None else min(self.traffic.cluster_size / policy.max_cluster, 1.0),
        )

    def spread(self, ratio: float | None) -> Spread:
        criterion, assumed = self.question.criterion, self.assumed
        if self.question.severe:
            return power.events(assumed.severe_rate, assumed.severe_rate)
        match criterion.kind:
            case Kind.SCORE:
                # A source that repeats itself scores 1 against itself, and an equal target scores 1 as well.
                return power.never() if criterion.deterministic else power.normal(assumed.noise_sd)
            case Kind.EXCEED:
                quantile = criterion.quantile or USUAL_QUANTILE
                spread = assumed.latency_spread
                return power.slow_calls(quantile, ratio or 1.0, scale=spread, degrees=LATENCY_DEGREES)
            case Kind.COST:
                mean = ((ratio or 1.0) - 1) * assumed.cost_of_cap
                sd = assumed.cost_of_cap * assumed.cost_spread
                return power.normal(sd, mean=mean, clip=1.0)
            case Kind.QUALITY:
                each = power.events(assumed.changed_share / 2, assumed.changed_share / 2)
                return Spread(each.values * criterion.measure.width, each.shares)
            case _:
                one_way = criterion.deterministic or criterion.kind is Kind.LIMIT
                return power.events(assumed.flip_rate, 0.0 if one_way else assumed.flip_rate)

    def smallest(self, units: int) -> float | None:
        """The smallest margin, or ratio, that so many units could settle."""
        if units == 0:
            return None
        if self.slack:
            fixed = self.design(self.question.margin)

            def at_ratio(ratio: float) -> float:
                return power.chance_of_go(fixed, self.spread(ratio), units)

            return _up(power.smallest(at_ratio, power=self.each_power, low=1.0, high=_LARGEST_RATIO), digits=3)
        spread = self.spread(self.question.criterion.ratio)

        def at_margin(margin: float) -> float:
            return power.chance_of_go(self.design(margin), spread, units)

        most = -self.design(self.question.margin).low_end * 0.999
        return _up(power.smallest(at_margin, power=self.each_power, low=0.0, high=most), digits=2)


def _up(value: float | None, *, digits: int) -> float | None:
    """Rounded up: what is named must be enough."""
    if value is None:
        return None
    step = 10.0 ** (floor(log10(value)) - digits + 1)
    return round(ceil(value / step - 1e-9) * step, 12)


def _tokens(traffic: Traffic, cases: int | None) -> int | None:
    known = cases is not None and traffic.tokens_per_case is not None
    return ceil((cases or 0) * (traffic.tokens_per_case or 0.0)) if known else None


def _limits(policy: Policy, traffic: Traffic) -> Iterator[str]:
    if policy.mode == "anytime":
        yield (
            "Units are for one look at the end of the run; nights that add up take no more. On average GO comes "
            "earlier where every unit is looked at."
        )
    if any(criterion.kind is Kind.FLIP for criterion in policy.criteria) and not policy.coverage.labels:
        yield (
            "Labels of the source are known only when it has answered; each that occurs gates every flip criterion "
            f"too, at a margin of {SLICE_MARGIN:g}. Name them under [coverage] labels to have them planned."
        )
    if any(criterion.kind is Kind.EXCEED for criterion in policy.criteria):
        calibrated = f"{traffic.calibration:,} cases set them" if traffic.calibration else "set by earlier source calls"
        yield f"Latency is held against frozen thresholds: {calibrated}, and no case is judged by its own."
    if traffic.cluster_size > 1:
        yield (
            f"Cases share fate in clusters of {traffic.cluster_size:.1f} on average, and only a cluster counts; cases "
            "of one cluster are taken to be all alike, which is the worst there is."
        )


def described(assumed: Assumptions) -> Sequence[str]:
    """The assumptions in words, each with the option that changes it."""
    return (
        f"score: D has SD {assumed.noise_sd:g} (--noise-sd)",
        f"flips and failures: {100 * assumed.flip_rate:g} % of cases (--flip-rate)",
        f"badly broken: {100 * assumed.severe_rate:g} % of cases (--severe-rate)",
        f"latency: its logarithm is Student t, 15 degrees of freedom, scale {assumed.latency_spread:g} "
        "(--latency-spread)",
        f"cost: {100 * assumed.cost_of_cap:g} % of the cap on average, the target's within "
        f"{100 * assumed.cost_spread:g} % of the source's (one SD)",
        f"quality: equal models differ on {100 * assumed.changed_share:g} % of cases (--changed-share)",
    )
