"""Every fault that the lab can plant, against the shipped suite as it is: each is refused, and by the right criterion.

Real servers, the clouds' own SDKs, the whole golden set. Only what a failing call may cost is shortened, and the
service time where latency is not the point.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness import config, lab
from harness.core.verdict import Verdict
from harness.lab.plants import PLANTS
from harness.run import plan, session
from harness.run.lab import opened
from harness.run.session import Finished
from tests.conftest import SharedLab
from tests.small.project import ROOT

SUITE = ROOT / "suites" / "visits" / "suite.toml"
USUAL_S = 0.03  # the lab's own service time: the latencies of both sides are alike
# Which criterion must say what the whole run says. More of them may, and none has to save the day for another.
REFUSES = {
    "label_flips": "labels agree",
    "bias": "scores agree",
    "rare_label_lost": "labels agree",
    "broken_subgroup": "scores agree",
    "slow_tail": "tail latency",
    "throttle_burst": "calls succeed",
    "server_errors": "calls succeed",
    "timeouts": "calls succeed",
    "malformed_json": "calls succeed",
    "nan_scores": "scores agree",
    "source_errors": "labels agree",
    "source_noisy": "scores agree",
}
VISITS = {name: plant for name, plant in PLANTS.items() if plant.suite == "visits"}
LATENCY_COUNTS = {name for name, plant in VISITS.items() if plant.expected != "NO-GO"} | {"slow_tail"}


@pytest.fixture
def run(shared_lab: SharedLab, tmp_path: Path) -> Iterator[object]:
    """Replays the shipped suite with a fault in the lab, and judges it."""

    def replay(plant: str | None, *, service_time_s: float) -> Finished:
        shared_lab.lab.set_service_time(service_time_s)
        profile = config.profile(config.load_project(ROOT), "lab")
        profile = replace(profile, limits=replace(profile.limits, timeout_s=0.7, attempts=2))
        state = shared_lab.state_file
        made = plan.make(SUITE, profile)
        with opened(profile, plant=plant, start=lambda plant: lab.use(plant, state_file=state)) as addresses:
            return session.run(plan.in_lab(made, addresses), reports=tmp_path, planted=plant)

    return replay


def verdicts(finished: Finished) -> dict[str, set[Verdict]]:
    """criterion -> what its findings that vote say."""
    said: dict[str, set[Verdict]] = {}
    for finding in finished.findings:
        if finding.gating:
            said.setdefault(finding.criterion, set()).add(finding.verdict)
    return said


def test_every_fault_has_its_criterion():
    assert set(REFUSES) == set(VISITS)
    assert {plant.expected for plant in VISITS.values()} == {"NO-GO", "INCONCLUSIVE"}


def test_the_untouched_twin_is_go(run):
    finished = run(None, service_time_s=USUAL_S)
    assert finished.decision.verdict is Verdict.GO, finished.decision.headline
    assert set().union(*verdicts(finished).values()) == {Verdict.GO}


@pytest.mark.parametrize("name", VISITS)
def test_a_planted_fault_gives_what_it_should(run, name: str):
    finished = run(name, service_time_s=USUAL_S if name in LATENCY_COUNTS else 0.0)
    expected = Verdict(VISITS[name].expected)
    assert finished.decision.verdict is expected, finished.decision.headline
    assert expected in verdicts(finished)[REFUSES[name]]
    assert finished.report.planted == name
