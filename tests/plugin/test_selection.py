"""Deselecting a criterion makes a run partial: pytest's own code, PARTIAL in the summary, no decision, no gate."""

from __future__ import annotations

import pytest

from tests.small.project import Project, outcomes
from tests.small.server import Server, honest


@pytest.mark.parametrize(
    "options",
    [
        ("suites", "-k", "labels"),
        ("suites", "--deselect", "suites/numbers/suite.toml::calls succeed"),
        ("suites/numbers/suite.toml::labels agree",),
    ],
    ids=["-k", "--deselect", "node id"],
)
def test_a_run_of_some_criteria_is_partial(numbers: Project, options):
    numbers.edit(numbers.suite, "margin = 0.05\ndeterministic", "margin = 0.05\ndeterministic")
    done = numbers.pytest(*options)
    assert (done.code, outcomes(done)["passed"]) == (0, 1)
    assert "\nPARTIAL: criteria were deselected" in done.out
    (run,) = numbers.runs
    assert not (run / "decision.json").exists()
    refused = numbers.parity("gate", run.name)
    assert refused.code == 2
    assert "PARTIAL" in refused.err
    assert "PARTIAL" in (run / "report.html").read_text()


def test_a_criterion_that_fails_fails_in_a_partial_run_too(numbers: Project, server: Server):
    server.target = lambda number: 1.0 - honest(number)
    done = numbers.pytest("suites", "-k", "labels")
    assert (done.code, outcomes(done)) == (1, {"failed": 1, "deselected": 1})


def test_an_open_criterion_that_was_deselected_does_not_fail_a_partial_run(numbers: Project):
    numbers.edit(numbers.suite, "margin = 0.05\ndeterministic", "margin = 0.005\ndeterministic")
    assert numbers.pytest("suites", "-k", "calls").code == 0


def test_last_failed_reruns_the_failed_criterion_alone_and_is_partial(numbers: Project, server: Server):
    server.target = lambda number: 1.0 - honest(number)
    assert outcomes(numbers.pytest("suites")) == {"failed": 1, "passed": 1}
    server.reset()
    done = numbers.pytest("suites", "--lf")
    assert (done.code, outcomes(done)["passed"]) == (0, 1)
    assert "PARTIAL" in done.out
    whole = numbers.pytest("suites", "--lf")  # nothing failed last: everything runs, and is decided
    assert (whole.code, outcomes(whole)) == (0, {"passed": 2})
    assert "\nGO   1 suite(s)\n" in whole.out


def test_stopping_at_the_first_failure_leaves_a_whole_run(numbers: Project, server: Server):
    """`-x` skips items, not cases: everything was replayed, and the decision stands."""
    server.target = lambda number: 1.0 - honest(number)
    done = numbers.pytest("suites", "-x")
    assert done.code == 1
    assert (numbers.runs[0] / "decision.json").exists()


def test_nothing_selected_replays_nothing(numbers: Project, server: Server):
    assert numbers.pytest("suites", "-k", "nosuch").code == 5
    assert not server.counts()
