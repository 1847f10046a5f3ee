"""Any order of steps, rollbacks, verdicts, foreign hands and deaths: what may never happen does not."""

from __future__ import annotations

import contextlib
import os
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from harness.core.traffic import ALL_SOURCE, Shares
from harness.core.verdict import Verdict
from harness.errors import HarnessError
from harness.gate.cutover_entries import Entry, Intent, Phase
from harness.run.cutover import Did
from harness.run.cutover_journal import Journal
from tests.run.routed import STAGES, Router, World

VERDICTS = st.sampled_from(list(Verdict))
DEATHS = st.sampled_from(
    ["", "", "before set", "after set", "read 1", "read 2", "append 1", "append 2", "torn 1", "torn 2"]
)


class Killed(BaseException):
    """As SIGKILL: nothing that handles an Exception runs."""


@dataclass(frozen=True, slots=True)
class Mortal(Journal):
    """Dies before, or in the middle of, the nth entry that it is given."""

    deaths: list[str]
    counted: list[int]

    def append(self, entry: Entry) -> None:
        self.counted[0] += 1
        if f"append {self.counted[0]}" in self.deaths:
            raise Killed
        if f"torn {self.counted[0]}" in self.deaths:
            with self.path.open("ab") as file:
                file.write(b'0123abcd {"kind":"int')
            raise Killed
        Journal.append(self, entry)


class Watched(Router):
    """Holds each set against what a reader of the rules would allow, knowing nothing of the driver."""

    world: World
    deaths: list[str]
    reads = 0
    begun = False
    rung = -1  # place of the stage that is in force
    set_at = None  # when

    def read(self) -> Shares:
        self.reads += 1
        if f"read {self.reads}" in self.deaths:
            raise Killed
        return super().read()

    def set(self, shares: Shares) -> None:
        if "before set" in self.deaths:
            raise Killed
        self._judge(shares)
        super().set(shares)
        if "after set" in self.deaths:
            raise Killed

    def _judge(self, shares: Shares) -> None:
        last = Journal(self.world.folder).read().entries[-1]
        assert isinstance(last, Intent), "no set without an intent before it"
        assert last.after == shares
        if shares == ALL_SOURCE:
            self.rung, self.begun = -1, False
            return
        rung = [stage.shares for stage in STAGES].index(shares)
        assert self.world.go is Verdict.GO
        assert rung == self.rung + 1, "one stage at a time"
        if rung:
            assert self.world.live is Verdict.GO
            assert self.world.clock - self.set_at >= timedelta(seconds=60)
        self.rung, self.set_at = rung, self.world.clock


class Cutovers(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.world = World(Path(self.folder.name) / "router")
        self.router = Watched()
        self.router.world, self.router.deaths = self.world, []
        self.world.router = self.router

    def teardown(self) -> None:
        self.folder.cleanup()

    def _go(self, act, death: str):
        self.router.deaths, self.router.reads = [death], 0
        self.world.journal = Mortal(self.world.folder, [death], [0])
        with contextlib.suppress(HarnessError, Killed):
            return act(self.world.driver())

    @rule(go=VERDICTS, live=VERDICTS)
    def verdicts(self, go, live):
        self.world.go, self.world.live = go, live

    @rule()
    def all_is_well(self):
        self.world.go = self.world.live = Verdict.GO

    @rule(seconds=st.sampled_from([1, 59, 61, 61, 3600]))
    def time_passes(self, seconds):
        self.world.clock += timedelta(seconds=seconds)

    @rule(death=DEATHS)
    def start(self, death):
        self._go(lambda driver: driver.start(apply=True), death)

    @rule(death=DEATHS)
    def step(self, death):
        self._go(lambda driver: driver.step(apply=True), death)

    @rule(times=st.integers(1, 3))
    def bake_and_step(self, times):
        for _ in range(times):
            self.world.bake()
            self._go(lambda driver: driver.step(apply=True), "")

    @rule()
    def dry(self):
        before = self.router.shares, Journal(self.world.folder).read()
        self._go(lambda driver: driver.step(apply=False), "")
        assert (self.router.shares, Journal(self.world.folder).read()) == before

    @rule(death=DEATHS)
    def roll_back(self, death):
        told = self._go(lambda driver: driver.rollback("by hand", apply=True), death)
        if told is not None:
            assert self.router.shares == ALL_SOURCE

    @rule(percent=st.integers(0, 100))
    def somebody_moves_it(self, percent):
        """A share that no stage has, so that it cannot be mistaken for one."""
        if Shares.of(percent) not in [stage.shares for stage in STAGES] + [ALL_SOURCE]:
            before = self.router.shares
            self.router.shares = Shares.of(percent)
            told = self._go(lambda driver: driver.step(apply=True), "")
            assert told is None or told.did in (Did.STOPPED, Did.ENDED, Did.ROLLED_BACK)
            if self.router.shares == Shares.of(percent):
                self.router.shares = before

    @rule()
    def a_live_no_rolls_back(self):
        """Whatever died before: one step that is not killed ends with the source."""
        at = Journal(self.world.folder).position()
        if at.phase is Phase.RUNNING and at.intent is None and self.router.shares == at.shares and at.stage >= 0:
            self.world.live = Verdict.NO_GO
            assert self._go(lambda driver: driver.step(apply=True), "").did is Did.ROLLED_BACK
            assert self.router.shares == ALL_SOURCE

    @invariant()
    def the_journal_can_be_read(self):
        if hasattr(self, "world"):
            Journal(self.world.folder).position()


TestCutovers = Cutovers.TestCase
TestCutovers.settings = settings(
    max_examples=int(os.environ.get("PARITY_EXAMPLES", "25")),
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
