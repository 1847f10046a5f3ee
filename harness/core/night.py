"""What one night came to: the content of `nights/NIGHT/night.json`, written once, whole, and never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from harness.core.report import Change
from harness.core.verdict import Verdict

SCHEMA = "night/1"
ALARM = "alarm: "  # begins the finding on a question that the newest nights refuse
EARLIER = "earlier alarm"  # the finding on what an earlier night of the epoch refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One finding of the answer over all nights of the epoch. Numbers as in `Evidence`; None where there are none."""

    criterion: str
    slice: str | None
    verdict: Verdict
    gating: bool
    reason: str
    units: int
    margin: float | None = None
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    p_go: float | None = None
    p_no_go: float | None = None
    more_units: int | None = None

    @property
    def question(self) -> str:
        """What it is about: a criterion, or a slice of one; an alarm is about the question that it refuses."""
        name = self.criterion.removeprefix(ALARM)
        return name if self.slice is None else f"{name}, {self.slice}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteNight:
    """One suite in one night.

    kind: "new": units that the epoch had not seen; "watch": payloads replayed again, the pool being exhausted; "whole":
    a fixed sample, decided alone; "failed": it could not be run, and `error` says why. verdict: the worst of the answer
    over all nights of the epoch, `over_nights`, and of what the newest nights refuse, `alarms`; also NO-GO where an
    earlier night of the epoch raised an alarm, `alarmed_in`. epoch: its name; epochs: how many this suite has had under
    this profile, this one included; opened: this night is its first. units: of tonight's portion; seen: of the epoch,
    tonight included; unseen: still to come. figures: log M of
    `gate.alarm`. planted: the fault of a rehearsal, which counts for nothing. calibration_s: source latencies that
    freeze the thresholds of later nights. made_by, versions, hashes: as in `run.json`.
    """

    suite: str
    title: str
    kind: str
    verdict: Verdict
    headline: str
    run: str | None = None
    over_nights: Verdict | None = None
    alarms: tuple[str, ...] = ()
    alarmed_in: str | None = None
    epoch: str = ""
    epochs: int = 0
    opened: bool = False
    changes: tuple[Change, ...] = ()
    findings: tuple[Told, ...] = ()
    units: int = 0
    seen: int = 0
    unseen: int = 0
    replayed: int = 0
    notes: tuple[str, ...] = ()
    planted: str | None = None
    error: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    figures: Mapping[str, float] = field(default_factory=dict)
    calibration_s: tuple[float, ...] = ()
    made_by: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    policy_sha256: str = ""
    suite_sha256: str = ""
    golden_sha256: str = ""
    rows_sha256: str = ""

    @property
    def counts(self) -> bool:
        """Whether its rows are evidence for later nights of the epoch."""
        return self.kind == "new" and self.planted is None and self.run is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """All suites of one night under one profile. verdict: the worst of them. Times are UTC."""

    name: str
    profile: str
    started_at: datetime
    finished_at: datetime
    verdict: Verdict
    suites: tuple[SuiteNight, ...]
    harness: str
    schema: str = SCHEMA


@dataclass(frozen=True, slots=True, kw_only=True)
class Nights:
    """What the index shows. nights: oldest first. unfinished: nights that began and have left no answer, with the
    moment they began. unreadable: files that are no night, with why. made_at: UTC.
    """

    nights: tuple[Night, ...]
    made_at: datetime
    unfinished: tuple[tuple[str, datetime], ...] = ()
    unreadable: tuple[tuple[str, str], ...] = ()
