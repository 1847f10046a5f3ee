"""kill -9 in the middle of a step, and what the next one makes of it. `PARITY_KILLS=all` kills before every line."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

from harness.core import registry
from harness.core.traffic import ALL_SOURCE, Shares
from harness.core.verdict import Verdict
from harness.gate.cutover_entries import Intent, Phase
from harness.run.cutover import Did
from harness.run.cutover_journal import Journal
from tests.run.killing import killed, lines
from tests.run.routed import STAGES, World

KILLS = 40
FLAGS = {
    "flags": {
        "answers-from": {
            "state": "ENABLED",
            "variants": {"source": "source", "target": "target"},
            "defaultVariant": "source",
            "targeting": {"fractional": [{"var": "targetingKey"}, ["source", 100], ["target", 0]]},
        }
    }
}


def flagged(folder: Path) -> World:
    """A world at 1 %, whose router is a flag file in `folder`."""
    folder.mkdir()
    (folder / "flags.json").write_text(json.dumps(FLAGS))
    world = World(folder / "journal")
    world.plan = replace(world.plan, stages=STAGES[1:])
    reopen(world)
    world.driver().start(apply=True)
    world.bake()
    return world


def reopen(world: World) -> None:
    folder = world.folder.parent
    world.router = registry.load("switches", "flagd", folder=folder, file="flags.json", flag="answers-from")


def deaths(total: int) -> range:
    return range(0, total, 1 if os.environ.get("PARITY_KILLS") == "all" else max(1, total // KILLS))


def each_death(tmp_path: Path, prepare, act):
    """(world after the kill, where) for kills before lines all over `act`; each in a copy of the same world."""
    world = flagged(tmp_path / "as-it-was")
    prepare(world)
    saved = world.folder.parent
    trial = saved.with_name("trial")

    def again() -> World:
        shutil.rmtree(trial, ignore_errors=True)
        shutil.copytree(saved, trial)
        copy = replace(world, folder=trial / "journal")
        reopen(copy)
        return copy

    first = again()
    total = lines(lambda: act(first))
    assert total > 100
    for at in deaths(total):
        copy = again()
        assert killed(lambda copy=copy: act(copy), at=at)
        yield copy, at


def test_a_step_that_is_killed_anywhere_is_made_once_by_the_next_ones(tmp_path):
    before, after = Shares.of(1), Shares.of(10)
    for world, at in each_death(tmp_path, lambda _world: None, lambda world: world.driver().step(apply=True)):
        assert world.router.read() in (before, after), at
        told = world.driver().step(apply=True)
        assert told.did in (Did.MOVED, Did.HELD), at  # HELD: it was made, and bakes
        assert world.router.read() == after, at
        assert Journal(world.folder).position().shares == after, at
        assert world.driver().step(apply=True).did is Did.HELD, at


def no_go(world: World) -> None:
    world.driver().step(apply=True)
    world.live = Verdict.NO_GO


def test_a_rollback_of_its_own_that_is_killed_anywhere_is_finished_by_the_next_step(tmp_path):
    for world, at in each_death(tmp_path, no_go, lambda world: world.driver().step(apply=True)):
        assert world.router.read() in (Shares.of(10), ALL_SOURCE), at
        world.driver().step(apply=True)
        assert world.router.read() == ALL_SOURCE, at
        assert Journal(world.folder).position().phase is Phase.ROLLED_BACK, at


def test_a_rollback_by_hand_that_is_killed_after_it_was_written_down_is_finished_by_the_next_step(tmp_path):
    """Before that, nobody can know of it."""
    finished = 0
    for world, at in each_death(
        tmp_path, lambda _world: None, lambda world: world.driver().rollback("now", apply=True)
    ):
        asked = Journal(world.folder).asked() > 0
        world.live = Verdict.INCONCLUSIVE
        world.driver().step(apply=True)
        assert (world.router.read() == ALL_SOURCE) is asked, at
        finished += asked
    assert finished > 10


ROUTER = """
import sys, time
from pathlib import Path
share = Path("share")
if sys.argv[1] == "read":
    print(share.read_text())
else:
    Path("setting").touch()
    time.sleep(float(sys.argv[3]))
    share.write_text(sys.argv[2])
"""


def commanded(folder: Path, *, takes_s: float) -> World:
    (folder / "router.py").write_text(ROUTER)
    (folder / "share").write_text("0")
    world = World(folder / "journal")
    world.plan = replace(world.plan, stages=STAGES[1:])
    run = [sys.executable, "-S", "router.py"]
    world.router = registry.load(
        "switches", "command", folder=folder, read=[*run, "read"], set=[*run, "set", "{target}", str(takes_s)]
    )
    return world


def test_a_program_that_outlives_its_killed_starter_is_waited_for(tmp_path, monkeypatch):
    """It sets 1 % a second after the kill; a step in between must neither undo it nor believe that nothing happened."""
    monkeypatch.setattr("harness.run.cutover.LOCK_WAIT_S", 0.0)
    world = commanded(tmp_path, takes_s=1.0)
    child = os.fork()
    if child == 0:
        world.driver().start(apply=True)
        os._exit(0)
    while not (tmp_path / "setting").exists():
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    told = world.driver().step(apply=True)
    assert told.did is Did.HELD
    assert "or a program that it started, is moving this traffic" in told.reason
    monkeypatch.setattr("harness.run.cutover.LOCK_WAIT_S", 10.0)
    world.driver().step(apply=True)
    assert world.router.read() == Shares.of(1)
    assert Journal(world.folder).position().shares == Shares.of(1)
    assert sum(isinstance(one, Intent) for one in Journal(world.folder).read().entries) == 1
