"""The regression suite: its untouched twin agrees, also where the source answers in CSV; its faults are refused.

Real servers, the clouds' own SDKs, the whole golden set. The service time is left out: latency is not the point here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
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

SUITE = ROOT / "suites" / "usage" / "suite.toml"
USAGE = {name: plant for name, plant in PLANTS.items() if plant.suite == "usage"}
# (the slice that must say NO-GO beside the whole, what the worst case's reason holds)
TOLD = {
    "nulls_as_zero": ("missing=number", "where"),
    "unseen_as_known": ("category=unseen", "where"),
    "outputs_swapped": (None, "visits_p"),
    "tail_in_other_units": (None, "visits_p90"),
}


@pytest.fixture
def run(shared_lab: SharedLab, tmp_path: Path) -> Iterator[Callable[..., Finished]]:
    """Replays a suite with a fault in the lab, and judges it."""

    def replay(plant: str | None, suite: Path = SUITE) -> Finished:
        profile = config.profile(config.load_project(ROOT), "lab")
        # The suite's own latency criterion is not asked about: with no service time it would measure the machine.
        profile = replace(profile, limits=replace(profile.limits, timeout_s=10.0))
        state = shared_lab.state_file
        made = plan.make(suite, profile)
        with opened(profile, plant=plant, start=lambda plant: lab.use(plant, state_file=state)) as addresses:
            return session.run(plan.in_lab(made, addresses), reports=tmp_path / "reports", planted=plant)

    return replay


def said(finished: Finished) -> dict[tuple[str, str | None], Verdict]:
    return {(finding.criterion, finding.slice): finding.verdict for finding in finished.findings if finding.gating}


def test_every_fault_is_asked_about():
    assert set(TOLD) == set(USAGE)


@pytest.mark.parametrize("accept", ["application/json", "text/csv"])
def test_the_untouched_twin_agrees_in_whatever_form_the_source_answers(run, tmp_path: Path, accept: str):
    """Its CSV holds nine digits and its JSON all of them; either is within tolerance of the target's float32."""
    suite = tmp_path / "suites" / "usage" / "suite.toml"
    suite.parent.mkdir(parents=True)
    text = SUITE.read_text().replace('golden = "usage"', f'golden = "{ROOT / "golden" / "usage"}"')
    suite.write_text(text.replace('accept = "application/json"', f'accept = "{accept}"'))
    verdicts = said(run(None, suite))
    assert {verdict for (name, _), verdict in verdicts.items() if name != "median latency"} == {Verdict.GO}


@pytest.mark.parametrize("name", USAGE)
def test_a_planted_fault_is_refused_where_it_lies(run, name: str):
    slice_, words = TOLD[name]
    finished = run(name)
    verdicts = said(finished)
    assert finished.decision.verdict is Verdict.NO_GO, finished.decision.headline
    assert verdicts["values agree", None] is Verdict.NO_GO
    if slice_ is not None:
        assert verdicts["values agree", slice_] is Verdict.NO_GO
    worst = [case.reason for case in finished.report.worst if case.metric == "value"]
    assert words in worst[0]
