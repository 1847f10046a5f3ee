"""A session that would have ended 0 ends 1 unless the decision is GO; an error is never 0."""

from __future__ import annotations

import json

from tests.small.project import Project, outcomes
from tests.small.server import Server, honest


def test_go_ends_0_and_writes_the_decision(numbers: Project):
    done = numbers.pytest("suites")
    assert done.code == 0
    assert "\nGO   1 suite(s)\n" in done.out
    assert json.loads((numbers.runs[0] / "decision.json").read_bytes())["decision"] == "GO"


def test_no_go_ends_1(numbers: Project, server: Server):
    server.target = lambda number: 1.0 - honest(number)
    done = numbers.pytest("suites")
    assert done.code == 1
    assert "\nNO-GO   1 suite(s)\n" in done.out


def test_inconclusive_ends_1_and_fails_the_item_that_is_open(numbers: Project):
    """80 clean cases rule out 5 %, not 0.5 %."""
    numbers.edit(numbers.suite, "margin = 0.05\ndeterministic", "margin = 0.005\ndeterministic")
    done = numbers.pytest("suites")
    assert (done.code, outcomes(done)) == (1, {"failed": 1, "passed": 1})
    assert "INCONCLUSIVE: Nothing bad was found, but 80" in done.out
    assert "\nINCONCLUSIVE   1 suite(s)\n" in done.out


def test_a_run_cut_short_by_its_ceiling_ends_1_though_every_item_passed(numbers: Project):
    """At 210 calls 70 of the 80 cases are done: enough for each criterion, and still not the run that was agreed."""
    numbers.edit(numbers.folder / "parity.toml", "attempts = 2", "attempts = 2\ncalls = 210")
    done = numbers.pytest("suites")
    assert (done.code, outcomes(done)) == (1, {"passed": 2})
    assert "the ceiling of 210 calls was reached" in done.out
    assert "parity run --resume" in done.out


def test_one_suite_that_refuses_refuses_the_session(numbers: Project, server: Server):
    second = numbers.folder / "suites" / "other"
    second.mkdir()
    text = numbers.suite.read_text()
    assert server.endpoint("target") in text
    (second / "suite.toml").write_text(text.replace(server.endpoint("target"), server.endpoint("flipped")))
    (second / "checks.py").write_text((numbers.suite.parent / "checks.py").read_text())
    server.target = lambda number: 1.0 - honest(number)
    numbers.edit(numbers.suite, server.endpoint("target"), server.endpoint("source"))
    done = numbers.pytest("suites")
    assert done.code == 1
    assert "\nNO-GO   2 suite(s)\n" in done.out
    assert outcomes(done) == {"failed": 1, "passed": 3}


def test_other_tests_in_the_session_keep_their_own_results(numbers: Project):
    (numbers.folder / "suites" / "test_beside.py").write_text("def test_it():\n    assert False\n")
    done = numbers.pytest("suites")
    assert (done.code, outcomes(done)) == (1, {"failed": 1, "passed": 2})
    assert "\nGO   1 suite(s)\n" in done.out


def test_a_session_without_suites_is_left_alone(numbers: Project):
    (numbers.folder / "test_alone.py").write_text("def test_it():\n    pass\n")
    done = numbers.pytest("test_alone.py")
    assert done.code == 0
    assert "parity" not in done.out.partition("plugins:")[2].partition("\n")[2]
