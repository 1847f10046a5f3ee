"""What a run reports, complete before any reporter sees it: reporters neither compute nor fetch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from harness.core.call import Side
from harness.core.case import Departure
from harness.core.verdict import Decision, Status

SCHEMA = "parity-report/1"


class Payloads(StrEnum):
    """How much of a payload a report may show."""

    NONE = "none"
    HASH = "hash"
    REDACTED = "redacted"
    FULL = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class SideSummary:
    """One side in numbers. Latencies are seconds over answered calls; None where none was answered.

    histogram: (upper edge in seconds, calls) with one set of edges for both sides; the last edge holds the rest.
    failures: kind -> calls after all attempts. throttled_attempts: attempts answered with "slow down", retried or not.
    first_token: of streamed answers, None where none streamed. calls_per_s: answered calls over the time from the first
    call of the run to its last. cost_per_1000_usd: of 1,000 calls; None where no price is stated; cost_note says why.
    """

    side: Side
    service: str
    endpoint: str
    served: tuple[str, ...]
    calls: int
    answered: int
    attempts: int
    throttled_attempts: int
    failures: Mapping[str, int]
    p50_s: float | None
    p95_s: float | None
    p99_s: float | None
    histogram: tuple[tuple[float, int], ...]
    first_token_p50_s: float | None = None
    first_token_p95_s: float | None = None
    calls_per_s: float | None = None
    cost_per_1000_usd: float | None = None
    cost_note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """What one metric's values, or distances, are spread over: the target beside the source's own noise.

    what: "value" or "distance"; unit: of the distance. edges: ascending, one more than there are bins. target, noise:
    rows in each bin; noise is empty where the source was not asked twice. zeros: (target, noise) rows whose distance is
    exactly 0, which lie in no bin. logarithmic: whether edges grow by a factor.
    """

    metric: str
    what: str
    unit: str
    edges: tuple[float, ...]
    target: tuple[int, ...]
    noise: tuple[int, ...] = ()
    zeros: tuple[int, int] = (0, 0)
    logarithmic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceSummary:
    """One metric in one slice: means as in MetricSummary, over `rows` rows of the slice `name`=`value`."""

    metric: str
    name: str
    value: str
    rows: int
    target_mean: float | None
    noise_mean: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one criterion's evidence had come to after one run: a point of the line over the nights.

    at: end of the run, UTC. units and the rest as in Evidence, over all rows of the epoch so far. alpha_go,
    alpha_no_go: what p_go and p_no_go must come to for a GO and, before Holm's correction, for a NO-GO.
    """

    run: str
    at: datetime
    criterion: str
    epoch: str
    units: int
    estimate: float
    low: float
    high: float
    margin: float
    p_go: float
    p_no_go: float
    alpha_go: float = 0.05
    alpha_no_go: float = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that is otherwise than in the run before.

    what: "version", "configuration", "new failure" or "recovered". text: which, in plain words; before, after: as it
    was and as it is, empty where there was or is none.
    """

    what: str
    text: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverSummary:
    """A waiver of the policy. expires: its last day, ISO 8601. in_force: whether it counted in this decision."""

    criterion: str
    owner: str
    reason: str
    expires: str
    in_force: bool
    covers: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EstateLine:
    """One endpoint of the estate. suites: those that cover it; out_of_scope: why none needs to, empty otherwise."""

    name: str
    service: str
    suites: tuple[str, ...]
    out_of_scope: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSummary:
    """One metric over all rows: the noise floor beside the target.

    target_mean and noise_mean are means of the comparator's value; noise_mean is None without a second source call.
    incomparable: rows that the comparator could not score.
    """

    metric: str
    comparator: str
    rows: int
    target_mean: float | None
    noise_mean: float | None
    noise_rows: int
    incomparable: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartureCount:
    """A departure and how many cases it touched."""

    departure: Departure
    cases: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstCase:
    """One case side by side, already cut to what the profile lets a report show.

    request, source and target are text or None (payloads = "none"); under "hash" they are "sha256:...".
    status: "differs", "failed" (the target gave no answer) or "not scored".
    """

    case_id: str
    metric: str
    reason: str
    distance: float | None
    unit: str
    slices: Mapping[str, str]
    request: str | None
    source: str | None
    target: str | None
    status: str = "differs"


class CaseOutcome(StrEnum):
    """How a case came out, the worst first: a side has no answer, a comparator says mismatch, one could not score."""

    FAILED = "failed"
    DIFFERS = "differs"
    UNSCORED = "unscored"
    MATCHES = "matches"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseScore:
    """What one comparator said of one case: distance in `unit`, None where it has none; reason cut as payloads are."""

    metric: str
    status: Status
    distance: float | None = None
    unit: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSummary:
    """One case with all that was said of it, already cut to what the profile lets a report show.

    failures: of a side, as in "target timeout: no answer in 30 s"; scores: in the order of the suite's comparators.
    request, source and target as in WorstCase. Not a part of ParityReport: a large run has too many to hold.
    """

    case_id: str
    outcome: CaseOutcome
    failures: tuple[str, ...]
    scores: tuple[CaseScore, ...]
    slices: Mapping[str, str]
    request: str | None
    source: str | None
    target: str | None


class Cases(Protocol):
    """The listed cases of a run, the worst first: every case that differs, failed or could not be scored, and others,
    the farthest first, as long as no more than a thousand are listed. May be walked many times, from the disk.
    """

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[CaseSummary]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ParityReport:
    """One run of one suite.

    translation: the pair's name, or "checks:build" where the application's own request builder was used.
    clients: versions of the harness and of the SDKs that made the calls. partial: deselected items or a sample; such a
    run carries no decision. cases: of the golden set, those with a request of their own; repeats: its others, which
    carry a request of those once more and are not replayed. stopped: why a run ended before its last case, None when
    it did not. mode, reverse: how the answers came about; conditions: (word, sentence) of what a reader must know of
    that before any number. looks: of this epoch, oldest first, this run's last; empty where evidence does not add up
    over runs. changes: since the run before, `previous`, which is empty where there was none. estate: empty where no
    estate file is known. worst: the worst few cases of each metric; every case that tells something is a CaseSummary,
    beside the report. outcomes: CaseOutcome -> cases.
    """

    run: str
    suite: str
    title: str
    pair: str
    translation: str
    profile: str
    payloads: Payloads
    started_at: datetime
    finished_at: datetime
    decision: Decision | None
    sides: tuple[SideSummary, ...]
    metrics: tuple[MetricSummary, ...]
    departures: tuple[DepartureCount, ...]
    worst: tuple[WorstCase, ...]
    cases: int
    replayed: int
    golden_sha256: str
    clients: Mapping[str, str]
    seed: int
    signature: str
    partial: bool = False
    stopped: str | None = None
    planted: str | None = None
    mode: str = "dual"
    reverse: bool = False
    conditions: tuple[tuple[str, str], ...] = ()
    repeats: int = 0
    distributions: tuple[Distribution, ...] = ()
    slices: tuple[SliceSummary, ...] = ()
    looks: tuple[Look, ...] = ()
    previous: str = ""
    changes: tuple[Change, ...] = ()
    waivers: tuple[WaiverSummary, ...] = ()
    estate: tuple[EstateLine, ...] = ()
    outcomes: Mapping[str, int] = field(default_factory=dict)
