"""A router that holds its split in memory, and a driver around it whose clock and verdicts a test sets."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from harness.core.traffic import ALL_SOURCE, Shares
from harness.core.verdict import Verdict
from harness.gate.cutover import Judged, Plan, Stage
from harness.run.cutover import Driver
from harness.run.cutover_journal import Journal

STAGES = (
    Stage(name="mirror", shares=Shares.of(0, mirror=50)),
    *(Stage(name=f"{percent} %", shares=Shares.of(percent)) for percent in (1, 10, 50, 100)),
)
PLAN = Plan(name="router", stages=STAGES, bake_s=60.0, sha256="a" * 64)


@dataclass
class Router:
    """Keeps every share that was ever in force."""

    shares: Shares = ALL_SOURCE
    ever: list[Shares] = field(default_factory=list)
    name: str = "router"
    mirror_limit: int = 100

    def read(self) -> Shares:
        return self.shares

    def set(self, shares: Shares) -> None:
        self.shares = shares
        self.ever.append(shares)


@dataclass
class World:
    """What surrounds a driver."""

    folder: Path
    router: Any = field(default_factory=Router)
    clock: datetime = datetime(2027, 1, 31, 12, tzinfo=UTC)
    go: Verdict = Verdict.GO
    live: Verdict = Verdict.GO
    began: timedelta = timedelta()  # how long before now the runs of the GO were started
    plan: Plan = PLAN
    journal: Any = None

    def driver(self) -> Driver:
        return Driver(
            plan=self.plan,
            switch=self.router,
            journal=self.journal or Journal(self.folder),
            go=lambda now: Judged(verdict=self.go, reason="as told", evidence={}, oldest=now - self.began),
            live=lambda _since, _now: Judged(verdict=self.live, reason="as told", evidence={}),
            now=lambda: self.clock,
            pause=lambda _seconds: None,
            by="ada@here",
        )

    def bake(self) -> None:
        self.clock += timedelta(seconds=61)

    def to_stage(self, index: int) -> None:
        """Start, and step on to the stage."""
        self.driver().start(apply=True)
        for _ in range(index):
            self.bake()
            self.driver().step(apply=True)
        assert self.router.shares == self.plan.stages[index].shares
