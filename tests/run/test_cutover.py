from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from harness.core.traffic import ALL_SOURCE, Shares
from harness.core.verdict import Verdict
from harness.errors import LedgerError, SwitchBusy, SwitchError, Throttled
from harness.gate.cutover import Judged
from harness.gate.cutover_entries import Intent, Outcome, Phase
from harness.run.cutover import Did, watch
from harness.run.cutover_journal import Journal
from tests.run.routed import STAGES, Router, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "router")


def test_a_cutover_goes_through_every_stage_and_each_move_is_written_before_and_after(world):
    world.to_stage(4)
    world.bake()
    assert world.driver().step(apply=True).did is Did.COMPLETE
    assert world.router.ever == [stage.shares for stage in STAGES]
    entries = Journal(world.folder).read().entries
    assert [one.after for one in entries if isinstance(one, Intent)] == world.router.ever
    assert [one.found for one in entries if isinstance(one, Outcome)] == world.router.ever


def test_a_dry_run_touches_nothing(world):
    told = world.driver().start(apply=False)
    assert (told.did, told.applied) == (Did.MOVED, False)
    assert world.router.ever == []
    assert not world.folder.exists()


def test_a_dry_step_says_what_a_step_would_do(world):
    world.to_stage(1)
    world.bake()
    assert world.driver().step(apply=False).did is Did.MOVED
    assert world.router.shares == STAGES[1].shares


@pytest.mark.parametrize("verdict", [Verdict.NO_GO, Verdict.INCONCLUSIVE])
def test_without_a_go_of_the_migration_nothing_moves_on(world, verdict):
    world.to_stage(1)
    world.bake()
    world.go = verdict
    told = world.driver().step(apply=True)
    assert (told.did, told.verdict) == (Did.HELD, verdict)
    assert world.router.shares == STAGES[1].shares


def test_the_bake_time_is_waited_for(world):
    world.to_stage(1)
    told = world.driver().step(apply=True)
    assert told.did is Did.HELD
    assert told.until == world.clock + timedelta(seconds=60)


def test_live_criteria_that_say_no_roll_back_and_say_why(world):
    world.to_stage(3)
    world.live = Verdict.NO_GO
    told = world.driver().step(apply=True)
    assert (told.did, told.verdict) == (Did.ROLLED_BACK, Verdict.NO_GO)
    assert "live criteria at stage 50 %" in told.reason
    assert world.router.shares == ALL_SOURCE
    assert Journal(world.folder).position().phase is Phase.ROLLED_BACK


def test_live_criteria_that_do_not_know_wait(world):
    world.to_stage(3)
    world.bake()
    world.live = Verdict.INCONCLUSIVE
    assert world.driver().step(apply=True).did is Did.HELD
    assert world.router.shares == STAGES[3].shares


def test_a_share_that_somebody_else_moved_stops_the_cutover(world):
    world.to_stage(1)
    world.bake()
    world.router.shares = Shares.of(37)
    told = world.driver().step(apply=True)
    assert told.did is Did.STOPPED
    assert "target 37 %" in told.reason
    assert world.router.shares == Shares.of(37), "what somebody else set is left alone"
    assert world.driver().step(apply=True).did is Did.ENDED


def test_a_rollback_needs_no_decision_and_can_be_asked_twice(world):
    world.to_stage(3)
    world.go = world.live = Verdict.NO_GO
    for _ in range(2):
        assert world.driver().rollback("a customer called", apply=True).did is Did.ROLLED_BACK
        assert world.router.shares == ALL_SOURCE
    assert "ada@here asked: a customer called" in Journal(world.folder).position().reason


def test_after_a_rollback_only_runs_from_after_it_give_a_go(world):
    world.to_stage(2)
    world.driver().rollback("enough", apply=True)
    world.bake()
    world.began = timedelta(hours=1)
    told = world.driver().start(apply=True)
    assert told.did is Did.HELD
    assert "Run the suites again" in told.reason
    assert Journal(world.folder).position().phase is Phase.ROLLED_BACK, "nothing was begun"
    world.began = timedelta(seconds=1)
    assert world.driver().start(apply=True).did is Did.MOVED


def test_a_cutover_starts_from_all_traffic_at_the_source(world):
    world.router.shares = Shares.of(10)
    with pytest.raises(SwitchError, match="begin at the source alone"):
        world.driver().start(apply=True)
    assert not Journal(world.folder).path.exists()


def test_a_plan_that_was_edited_does_not_go_forward(world):
    world.to_stage(1)
    world.bake()
    world.plan = replace(world.plan, sha256="b" * 64)
    told = world.driver().step(apply=True)
    assert told.did is Did.HELD
    assert "not the one that was begun" in told.reason


class Deaf(Router):
    """Says nothing and does nothing."""

    def set(self, shares: Shares) -> None:
        pass


def test_a_switch_that_does_nothing_is_found_out_by_reading_back(world):
    world.router = Deaf()
    with pytest.raises(SwitchError, match="still at source 100 %"):
        world.driver().start(apply=True)
    assert Journal(world.folder).position().stage == -1


def test_a_rollback_that_does_not_take_is_shouted(world):
    world.to_stage(1)
    world.router = Deaf(shares=world.router.shares)
    with pytest.raises(SwitchError, match="ROLLBACK NOT DONE: the traffic is at source 99 %"):
        world.driver().rollback("now", apply=True)
    world.router = Router(shares=world.router.shares)
    assert world.driver().step(apply=True).did is Did.ROLLED_BACK, "the next step takes it up"


class Lossy(Router):
    """Does what it is told; the answer is lost."""

    def set(self, shares: Shares) -> None:
        super().set(shares)
        raise Throttled("the connection broke", service="router")


def test_a_lost_answer_is_read_back_and_not_set_again(world):
    world.router = Lossy()
    told = world.driver().start(apply=True)
    assert told.did is Did.MOVED
    assert len(world.router.ever) == 1
    assert "connection broke" in Journal(world.folder).read().entries[-1].note


class Slow(Router):
    """A change is under way for two looks."""

    looks = 2

    def read(self) -> Shares:
        if self.ever and self.looks:
            self.looks -= 1
            raise SwitchBusy("updating")
        return super().read()


def test_a_change_that_is_under_way_is_waited_for(world):
    world.router = Slow()
    assert world.driver().start(apply=True).did is Did.MOVED


class Blind(Router):
    def read(self) -> Shares:
        raise SwitchError("no route to the router.")


def test_a_share_that_cannot_be_read_is_an_error_that_tells_the_last_one_and_what_to_do(world):
    world.to_stage(1)
    world.router = Blind(shares=world.router.shares)
    with pytest.raises(SwitchError, match=r"last word is source 99 %, target 1 %.*roll back"):
        world.driver().step(apply=True)


class Dumb(Router):
    """Can be set, and not read."""

    broken = False

    def read(self) -> Shares:
        if self.broken and self.shares != ALL_SOURCE:
            raise SwitchError("no route to the router.")
        return super().read()


def test_live_criteria_that_say_no_roll_back_a_share_that_cannot_be_read(world):
    world.router = Dumb()
    world.to_stage(2)
    world.router.broken = True
    world.live = Verdict.NO_GO
    assert world.driver().step(apply=True).did is Did.ROLLED_BACK
    assert world.router.shares == ALL_SOURCE


def test_a_rollback_works_with_a_damaged_journal_and_a_step_does_not(world):
    world.to_stage(2)
    path = Journal(world.folder).path
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"target":1,', b'"target":2,', 1))
    with pytest.raises(LedgerError, match="does not match its checksum"):
        world.driver().step(apply=True)
    told = world.driver().rollback("damaged", apply=True)
    assert world.router.shares == ALL_SOURCE
    assert "could not be written" in told.reason
    assert json.loads(Journal(world.folder).requests.read_bytes()[9:])["reason"] == "damaged"


def test_a_rollback_does_not_wait_for_a_step_that_hangs(world, monkeypatch):
    monkeypatch.setattr("harness.run.cutover.LOCK_WAIT_S", 0.1)
    world.to_stage(2)
    with (
        Journal(world.folder).held(0),
        pytest.raises(SwitchError, match="source has all traffic now, and may lose it again"),
    ):
        world.driver().rollback("it hangs", apply=True)
    assert world.router.shares == ALL_SOURCE
    assert world.driver().step(apply=True).did is Did.ROLLED_BACK, "and the next step writes it down"
    assert Journal(world.folder).position().phase is Phase.ROLLED_BACK


class Asked(Router):
    """Somebody asks to roll back while a share is being set."""

    journal: Journal

    def set(self, shares: Shares) -> None:
        super().set(shares)
        if shares.target == 10:
            self.journal.ask({"by": "bob@there", "reason": "stop it"})


def test_a_rollback_that_is_asked_in_mid_step_wins(world):
    world.router = Asked()
    world.router.journal = Journal(world.folder)
    world.driver().start(apply=True)
    for _ in range(2):
        world.bake()
        told = world.driver().step(apply=True)
    assert (told.did, told.reason) == (Did.ROLLED_BACK, "bob@there asked: stop it")
    assert world.router.shares == ALL_SOURCE


def test_two_who_step_at_once_make_one_move(world):
    """Each read the journal before the other moved; one of them finds that it has."""
    world.to_stage(1)
    world.bake()
    both = threading.Barrier(2)
    told = []

    def step() -> None:
        driver = world.driver()

        def live(since: datetime, now: datetime) -> Judged:
            both.wait()
            return driver.live(since, now)

        told.append(replace(driver, live=live).step(apply=True).did)

    threads = [threading.Thread(target=step) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == [Did.MOVED, Did.HELD]
    assert world.router.shares == STAGES[2].shares


def test_watching_goes_on_until_the_end(world):
    world.driver().start(apply=True)
    driver = replace(world.driver(), pause=lambda _seconds: world.bake())
    told = list(watch(driver, interval_s=1))
    assert told[-1].did is Did.COMPLETE
    assert world.router.shares == Shares.of(100)


class Dozing(Router):
    """Cannot be read once."""

    slept = False

    def read(self) -> Shares:
        if not self.slept:
            self.slept = True
            raise SwitchError("no route to the router.")
        return super().read()


def test_watching_tells_a_failure_and_goes_on(world):
    world.to_stage(1)
    world.router = Dozing(shares=world.router.shares)
    driver = replace(world.driver(), pause=lambda _seconds: world.bake())
    told = list(watch(driver, interval_s=1))
    assert isinstance(told[0], SwitchError)
    assert told[-1].did is Did.COMPLETE


def test_status_tells_what_is_in_force_and_what_is_wrong(world):
    world.to_stage(1)
    assert world.driver().status()[1:] == (STAGES[1].shares, "")
    world.router.shares = Shares.of(2)
    assert "somebody else moved" in world.driver().status()[2]
    world.driver().rollback("so be it", apply=True)
    assert world.driver().status()[2] == ""
    world.router.shares = Shares.of(50)
    assert "somebody else moved" in world.driver().status()[2], "what lands after a rollback is found when one looks"
