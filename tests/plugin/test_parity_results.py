"""The fixture `parity_results`: a suite's run as a table, for tests beside it."""

from __future__ import annotations

import pytest

from tests.small.project import Project, outcomes
from tests.small.server import Server, honest

TESTS = """
def test_every_case_is_there_once_a_metric(parity_results):
    assert len(parity_results) == 160
    assert set(parity_results.metric) == {"label", "error"}
    assert parity_results.case.nunique() == 80


def test_values_statuses_and_slices(parity_results):
    labels = parity_results[parity_results.metric == "label"].set_index("case")
    assert labels.value_target.sum() == 1
    assert labels.loc["n00003", "status"] == "mismatch"
    assert "high" in labels.loc["n00003", "reason"]
    assert labels.loc["n00004", "reason"] == ""
    assert set(labels["slice.source_label"].dropna()) == {"high", "low"}
    assert labels.loc["n00009", "status_target"] == "error"
    assert labels.loc["n00009", "reason"].startswith("target rejected: ")
    assert labels.value_noise.notna().sum() == 60


def test_a_table_is_ones_own(parity_results):
    parity_results.drop(parity_results.index, inplace=True)
    assert len(parity_results) == 0
"""


@pytest.fixture
def beside(numbers: Project, server: Server) -> Project:
    (numbers.suite.parent / "test_numbers.py").write_text(TESTS)
    server.target = lambda number: 400 if number == 9 else 1 - honest(number) if number == 3 else honest(number)
    return numbers


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_tests_beside_a_suite_share_its_run(beside: Project, server: Server, workers):
    done = beside.pytest("suites", *workers)
    assert outcomes(done)["passed"] >= 3, done.out
    assert "test_numbers" not in "".join(line for line in done.out.splitlines() if line.startswith("FAILED"))
    assert len(beside.runs) == 1
    assert sum(server.counts().values()) == 80 + 60 + 80


def test_a_test_by_itself_makes_a_partial_run(beside: Project):
    done = beside.pytest("suites/numbers/test_numbers.py")
    assert (done.code, outcomes(done)) == (0, {"passed": 3})
    assert "PARTIAL" in done.out
    assert not (beside.runs[0] / "decision.json").exists()


def test_a_suite_that_cannot_be_run_is_an_error_of_its_tests(beside: Project):
    beside.edit(beside.suite, 'use = "class_label"', 'use = "class_lable"')
    done = beside.pytest("suites/numbers/test_numbers.py")
    assert (done.code, outcomes(done)) == (1, {"error": 3})
    assert 'Did you mean "class_label"?' in done.out


def test_a_test_with_no_suite_beside_it_is_told_so(numbers: Project):
    (numbers.folder / "test_lonely.py").write_text("def test_it(parity_results):\n    pass\n")
    done = numbers.pytest("test_lonely.py")
    assert outcomes(done) == {"error": 1}
    assert "suite.toml is not there" in done.out
