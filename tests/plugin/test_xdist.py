"""`-n 2`: one worker replays a suite, the others read its result, and only the controller decides."""

from __future__ import annotations

import json

from tests.small.project import Project, outcomes
from tests.small.server import Server, honest


def test_workers_replay_a_suite_once_and_leave_nothing_behind(numbers: Project, server: Server):
    scratch = numbers.folder / "scratch"
    scratch.mkdir()
    done = numbers.pytest("suites", "-n", "2", TMPDIR=str(scratch))
    assert (done.code, outcomes(done)) == (0, {"passed": 2})
    assert sum(server.counts().values()) == 80 + 60 + 80
    (run,) = numbers.runs
    assert json.loads((run / "decision.json").read_bytes())["decision"] == "GO"
    assert done.out.count("GO   1 suite(s)") == 1
    assert done.out.count("parity numbers, run") == 1
    assert not list(scratch.glob("parity*"))


def test_the_controller_ends_1_unless_the_decision_is_go(numbers: Project):
    numbers.edit(numbers.folder / "parity.toml", "attempts = 2", "attempts = 2\ncalls = 210")
    done = numbers.pytest("suites", "-n", "2")
    assert (done.code, outcomes(done)) == (1, {"passed": 2})
    assert "INCONCLUSIVE   1 suite(s)" in done.out


def test_failures_are_told_by_whichever_worker_has_the_item(numbers: Project, server: Server):
    server.target = lambda number: 1.0 - honest(number)
    done = numbers.pytest("suites", "-n", "2")
    assert (done.code, outcomes(done)) == (1, {"failed": 1, "passed": 1})
    assert "NO-GO: 56 of 80 cases flipped" in done.out
    assert f"report: {numbers.runs[0] / 'report.html'}" in done.out


def test_an_error_is_met_once_and_told_for_every_item(numbers: Project):
    numbers.edit(numbers.suite, 'use = "class_label"', 'use = "class_lable"')
    done = numbers.pytest("suites", "-n", "2")
    assert (done.code, outcomes(done)) == (1, {"error": 2})


def test_a_partial_run_is_partial_under_workers_too(numbers: Project):
    done = numbers.pytest("suites", "-n", "2", "-k", "labels")
    assert (done.code, outcomes(done)["passed"]) == (0, 1)
    assert "PARTIAL" in done.out
    assert not (numbers.runs[0] / "decision.json").exists()
