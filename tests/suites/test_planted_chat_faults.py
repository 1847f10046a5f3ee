"""Every fault of a chat model that the lab can plant, against the shipped chat suite: refused, for the right reason.

Real servers, boto3 and openai, the whole golden set. Only the service time is left out: latency is not the point.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
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

SUITE = ROOT / "suites" / "chat" / "suite.toml"
CHAT = {name: plant for name, plant in PLANTS.items() if plant.suite == "chat"}
# What the reason of the worst case holds: one of these, since a refusal is told in the words of each kind's comparator.
REASONS = {
    "wrong_number": ("target says",),
    "dropped_fact": ("leaves out", "source says"),
    "invented_fact": ("adds",),
    "refusals": ("refuses", "not JSON", "names no label", "call"),
    "truncation": ("cut off", "not JSON"),
    "empty_text": ("empty",),
    "broken_json": ("not JSON",),
    "wrong_argument": ("argument",),
    "overeager_filter": ("blocked by a filter",),
}


@pytest.fixture
def run(shared_lab: SharedLab, tmp_path: Path) -> Iterator[Callable[..., Finished]]:
    """Replays the shipped suite with a fault in the lab, and judges it on what is said, not on how fast."""
    profile = config.profile(config.load_project(ROOT), "lab")

    def replay(plant: str | None, *, reverse: bool = False) -> Finished:
        made = plan.make(SUITE, profile, reverse=reverse)
        state = shared_lab.state_file
        with opened(profile, plant=plant, start=lambda plant: lab.use(plant, state_file=state)) as addresses:
            return session.run(plan.in_lab(made, addresses), reports=tmp_path, planted=plant)

    return replay


def test_every_fault_of_the_suite_has_its_reason():
    assert set(REASONS) == set(CHAT)
    assert {plant.expected for plant in CHAT.values()} == {"NO-GO"}


@pytest.mark.parametrize("name", CHAT)
def test_a_planted_fault_is_refused_and_the_worst_case_says_why(run, name: str):
    finished = run(name)
    refused = {finding.criterion for finding in finished.findings if finding.verdict is Verdict.NO_GO}
    worst = [case.reason for case in finished.report.worst if case.metric == "answer"]
    assert finished.decision.verdict is Verdict.NO_GO, finished.decision.headline
    assert refused & {"answers agree", "answers agree severe"}
    assert any(words in worst[0] for words in REASONS[name]), worst[:5]


def test_a_fault_of_the_old_source_is_refused_in_the_rehearsal_of_the_way_back(run):
    finished = run("source:broken_json", reverse=True)
    worst = [case.reason for case in finished.report.worst if case.metric == "answer"]
    assert finished.decision.verdict is Verdict.NO_GO, finished.decision.headline
    assert "not JSON" in worst[0]


def test_the_untouched_twin_is_refused_nowhere(run):
    finished = run(None)
    said = {finding.verdict for finding in finished.findings if finding.criterion != "median latency"}
    assert said == {Verdict.GO}, finished.decision.headline
