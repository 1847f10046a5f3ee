"""From one comparison to one decision: the types that the bench works on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Status(StrEnum):
    """What a comparator says of two answers. incomparable: it could not score them."""

    MATCH = "match"
    MISMATCH = "mismatch"
    INCOMPARABLE = "incomparable"


class RowStatus(StrEnum):
    """How one side of a row fared. unscored means only that a comparator could not score two answers."""

    OK = "ok"
    ERROR = "error"
    TIMEOUT = "timeout"
    UNSCORED = "unscored"


class Verdict(StrEnum):
    """The three answers of the gate. INCONCLUSIVE never moves traffic."""

    GO = "GO"
    NO_GO = "NO-GO"
    INCONCLUSIVE = "INCONCLUSIVE"


# The slice, with the value "yes", of a row whose case was drawn above its share of the traffic.
SLICES_ONLY = "slices_only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One case, one comparator, one pair of outputs.

    value: what goes into a row: a similarity in [0, 1], or 1 for a flip and 0 for none. None only when incomparable.
    distance: how far apart, in `unit`; limit: the distance that was allowed.
    """

    case_id: str
    comparator: str
    status: Status
    value: float | None
    distance: float | None = None
    unit: str = ""
    limit: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Exactly the columns of `parity decide`.

    value_target: compare(S, T). value_noise: compare(S, S'), source first; None where there was no second source call.
    """

    case: str
    metric: str
    cluster: str = ""
    repeat: int = 0
    run: str = ""
    slices: Mapping[str, str] = field(default_factory=dict)
    value_target: float | None = None
    value_noise: float | None = None
    status_target: RowStatus = RowStatus.OK
    status_source: RowStatus = RowStatus.OK


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Many rows, one criterion, as GATE_STATS defines them.

    estimate, low, high, margin are in D (larger is better for the target); low and high are one-sided bounds at
    1 - alpha each, so low > -margin exactly when the test passes. p_go is small when the data rule out a loss as
    large as the margin, p_no_go when they rule out that the loss is within it. units: independent units that count.
    more_units: how many more would settle it; None where more would not, or none are needed.
    """

    criterion: str
    estimate: float
    low: float
    high: float
    margin: float
    p_go: float
    p_no_go: float
    units: int
    excluded: int
    unscored: int
    method: str
    epoch: str = ""
    seed: int | None = None
    more_units: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What the gate says of one criterion, or of one declared slice of it.

    gating: whether it votes. slice: None for the whole, else "key=value". reason: plain words, with the numbers.
    waived_by: the owner of a waiver in force, None without one. margin, excluded, unscored: the same as in the
    evidence, and known where there is none (nothing was left to judge); margin is None where there is no margin.
    """

    criterion: str
    metric: str
    verdict: Verdict
    reason: str
    evidence: Evidence | None = None
    slice: str | None = None
    gating: bool = True
    waived_by: str | None = None
    margin: float | None = None
    excluded: int = 0
    unscored: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One answer, with every finding in policy order.

    decided_at: UTC, handed in by the door. signature: the one line that says what was decided on.
    notes: what a reader must know besides (metrics without a criterion, duplicates dropped, a new epoch).
    """

    verdict: Verdict
    findings: tuple[Finding, ...]
    policy_sha256: str
    signature: str
    decided_at: datetime
    epoch: str = ""
    headline: str = ""
    notes: tuple[str, ...] = ()
