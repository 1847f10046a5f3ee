"""A cutover in the lab, under load: to the half, and back by itself when a fault is planted."""

from __future__ import annotations

from pathlib import Path

import pytest
import urllib3

from harness import lab as lab_room
from harness.core import registry
from harness.core.traffic import ALL_SOURCE, Shares
from harness.core.verdict import Verdict
from harness.gate.cutover import Judged, Plan, Stage
from harness.gate.cutover_entries import Intent
from harness.gate.cutover_switches import LiveSettings
from harness.run.cutover import Did, Driver, watch
from harness.run.cutover_journal import Journal
from harness.run.cutover_live import Live, live_policy
from tests.lab.asking import frame
from tests.lab.crossing import SOURCE, Crossing

STAGES = tuple(Stage(name=f"{percent} %", shares=Shares.of(percent)) for percent in (20, 50, 100))


@pytest.fixture
def crossing(tmp_path: Path, ask_source, score, held_out) -> Crossing:
    """Requests to SageMaker through boto3, to Azure ML by its scoring URI."""

    def ask(side: str, number: int) -> float:
        row = held_out[number % len(held_out)]
        if side == SOURCE:
            return ask_source(row)
        reply = score(frame([row]))
        if reply.status != 200:
            raise OSError(f"status {reply.status}")
        return float(reply.json()[0])

    return Crossing(tmp_path, ask, margin=0.1)


def test_traffic_goes_to_the_half_and_a_planted_fault_takes_it_back(
    lab: lab_room.Lab, crossing: Crossing, http: urllib3.PoolManager
):
    live = LiveSettings(policy=crossing.folder / "live.toml", rows="live.jsonl")
    with crossing.under_load(clients=6):
        driver = Driver(
            plan=Plan(name="router", stages=STAGES, bake_s=1.0, sha256="a" * 64),
            switch=registry.load("switches", "flagd", folder=crossing.folder, file="flags.json", flag="answers-from"),
            journal=Journal(crossing.folder / "journal"),
            go=lambda now: Judged(
                verdict=Verdict.GO, reason="given here; tests/cli/test_cutover asks for it", oldest=now
            ),
            live=Live(live, live_policy(live), crossing.folder),
        )
        assert driver.start(apply=True).did is Did.MOVED
        seen = []
        for told in watch(driver, interval_s=0.2):
            seen.append(told)
            if told.did is Did.MOVED:
                assert told.stage == "50 %"
                assert crossing.split(0.6) == pytest.approx(50, abs=20)
                lab.plant("bias")
        assert seen[-1].did is Did.ROLLED_BACK
        assert "live criteria at stage 50 %" in seen[-1].reason
        assert "scores agree" in seen[-1].reason
        crossing.split(0.2)  # what was under way, and the router's next look at its file
        assert crossing.split(0.5) == 0
    assert crossing.lost == 0
    assert set(crossing.answered) == {"source", "target"}, "nobody's request is one that is lost"
    assert crossing.answered.total() == crossing.sent
    assert crossing.failed.total() == 0
    entries = Journal(crossing.folder / "journal").read().entries
    assert [one.after for one in entries if isinstance(one, Intent)] == [
        STAGES[0].shares,
        STAGES[1].shares,
        ALL_SOURCE,
    ]
