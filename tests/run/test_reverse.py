"""Rollback rehearsal: who is asked what when the sides are swapped, and what such a run may never be taken for."""

from __future__ import annotations

import json

import pytest

from harness import config
from harness.run import plan
from tests.conftest import SharedLab
from tests.small import visits
from tests.small.project import ROOT, Project
from tests.small.server import Server, honest

# The old source speaks of numbers, the old target of numbers with a letter before them. An odd number loses something
# on its way over, and every number on its way back.
CHECKS = """
from harness.core.case import Departure, Request, Translation
from tests.small import plainhttp


def _said(request):
    return request.payload["rows"][0][0]


def _request(request, text):
    return Request(request.task, {"columns": None, "rows": [[text]]})


def _lost(field):
    return (Departure(field=field, source_value="1", target_value=None, reason="there is no word for it"),)


class Over:
    name = "over"
    source = target = "plainhttp"

    def translate(self, request):
        number = int(_said(request))
        return Translation(_request(request, f"{number + 1000}"), _lost("over") if number % 2 else ())


class Back:
    name = "back"
    source = target = "plainhttp"

    def translate(self, request):
        return Translation(_request(request, f"{int(_said(request)) - 1000}"), _lost("back"))
"""


@pytest.fixture
def swapped(numbers: Project, server: Server) -> Project:
    """The numbers, said as n to the old source and as n + 1000 to the old target, which knows what is meant."""
    (numbers.suite.parent / "checks.py").write_text(CHECKS)
    numbers.edit(numbers.suite, 'pair = "checks:Straight"', 'pair = "checks:Over"')
    numbers.edit(numbers.suite, "[endpoints.here]", '[reverse]\npair = "checks:Back"\n\n[endpoints.here]')
    server.source = lambda number: honest(number) if number < 1000 else 400
    server.target = lambda number: honest(number - 1000) if number >= 1000 else 400
    return numbers


def test_each_side_is_asked_in_its_own_words_and_all_departures_are_told(swapped: Project, server: Server):
    done = swapped.parity("run", "suites/numbers", "--reverse", "--json")
    assert done.code == 0
    asked = server.counts()
    assert sum(count for (side, _), count in asked.items() if side == "target") == 80 + 60  # now the source
    assert sum(count for (side, _), count in asked.items() if side == "source") == 80
    told = {one["departure"]["field"]: one["cases"] for one in done.document["departures"]}
    assert told == {"over": 40, "back": 80}
    source, target = done.document["sides"]
    assert source["endpoint"].endswith("/target") and target["endpoint"].endswith("/source")


def test_the_run_says_reverse_everywhere(swapped: Project):
    done = swapped.parity("run", "suites/numbers", "--reverse")
    assert "REVERSE" in done.out
    decision = json.loads((swapped.runs[0] / "decision.json").read_bytes())
    assert decision["headline"].startswith("Reverse: the sides were swapped.")
    assert " direction=reverse " in decision["signature"]
    assert json.loads((swapped.runs[0] / "run.json").read_bytes())["reverse"] is True


def test_a_rehearsal_is_not_taken_for_the_way_forward(swapped: Project):
    swapped.edit(swapped.suite, 'mode = "fixed"', 'mode = "anytime"')
    back = swapped.parity("run", "suites/numbers", "--reverse").code
    forward = swapped.parity("run", "suites/numbers").code
    first, second = swapped.runs
    refused = swapped.parity("gate", first.name)
    assert refused.code == 2 and "says nothing of the way forward" in refused.err
    assert swapped.parity("gate", second.name, "--reverse").code == 2
    assert swapped.parity("gate", first.name, "--reverse").code == back
    assert swapped.parity("gate", second.name).code == forward
    policy = str(swapped.suite)
    done = swapped.parity(
        *("decide", str(second / "rows.parquet"), "--policy", policy, "--history", str(swapped.folder / "reports")),
        "--json",
    )
    assert any("New epoch" in note and first.name in note for note in done.document["notes"])
    assert {finding["units"] for finding in done.document["findings"] if finding["slice"] is None} == {80}


def test_a_rehearsal_is_resumed_and_judged_again_as_one(swapped: Project, server: Server):
    swapped.edit(swapped.folder / "parity.toml", "attempts = 2", "attempts = 2\ncalls = 100")
    assert swapped.parity("run", "suites/numbers", "--reverse").code == 3
    swapped.edit(swapped.folder / "parity.toml", "calls = 100", "calls = 1000")
    (run,) = swapped.runs
    assert swapped.parity("run", "--resume", run.name).code == 0
    assert sum(server.counts().values()) == 80 + 60 + 80
    assert swapped.parity("report", run.name).code == 0


def test_prices_go_with_their_side(swapped: Project):
    prices = "[prices.source]\nper_call_usd = 1.0\n[prices.target]\nper_call_usd = 2.0\n\n[gate]"
    swapped.edit(swapped.suite, "[gate]", prices)
    done = swapped.parity("run", "suites/numbers", "--reverse", "--json")
    (cost,) = [one for one in done.document["metrics"] if one["metric"] == "cost_usd"]
    assert (cost["target_mean"], cost["noise_mean"]) == (1.0, 2.0)


def test_a_way_back_that_leads_elsewhere_is_refused(numbers: Project, server: Server):
    numbers.edit(numbers.suite, "[endpoints.here]", '[reverse]\npair = "azureml_to_sagemaker"\n\n[endpoints.here]')
    done = numbers.parity("run", "suites/numbers", "--reverse")
    assert done.code == 2
    assert "the way back leads from plainhttp to plainhttp" in done.err
    assert not server.counts()


def test_the_shipped_pair_is_rehearsed_with_the_clouds_own_clients(tmp_path, shared_lab: SharedLab):
    project = visits.make(tmp_path)
    done = project.parity("run", "suites/visits", "--reverse", "--lab-state", str(shared_lab.state_file), "--json")
    assert done.code == 0
    assert done.document["pair"] == "azureml_to_sagemaker"
    assert [side["service"] for side in done.document["sides"]] == ["azureml", "sagemaker"]
    assert done.document["decision"]["verdict"] == "GO"


@pytest.mark.parametrize("suite", ["visits", "chat"])
def test_the_shipped_suites_can_be_said_on_the_way_back(suite: str):
    path = ROOT / "suites" / suite / "suite.toml"
    made = plan.make(path, config.profile(config.load_project(path), "lab"), sample=25, reverse=True)
    plan.preflight(made)
    forward = plan.make(path, config.profile(config.load_project(path), "lab"), sample=25)
    assert (made.pair.source, made.pair.target) == (forward.pair.target, forward.pair.source)
    assert made.source_settings.cloud == forward.target_settings.cloud == "azure"


def test_options_of_the_way_over_that_do_not_fit_the_way_back_are_named_with_the_way_out(tmp_path):
    project = visits.make(tmp_path)
    project.edit(project.suite, "[pair]\n", '[pair]\ntypes = { idp = "number" }\n')
    done = project.parity("run", "suites/visits", "--reverse")
    assert done.code == 2
    assert "azureml_to_sagemaker does not take the options of [pair]" in done.err and "[reverse]" in done.err
