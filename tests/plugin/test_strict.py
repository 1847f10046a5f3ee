"""`strict = true`: each case of a suite is a test, with a reason of its own."""

from __future__ import annotations

import pytest

from tests.small.project import Project, outcomes
from tests.small.server import Server, honest


@pytest.fixture
def strict(make_numbers, server: Server) -> Project:
    project = make_numbers(cases=70)
    project.edit(project.suite, "deterministic_source = true", "deterministic_source = true\nstrict = true")
    return project


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_each_case_fails_with_its_own_reason_beside_criteria_that_pass(strict: Project, server: Server, workers):
    server.target = lambda number: 1 - honest(number) if number == 3 else honest(number)
    done = strict.pytest("suites", *workers)
    assert done.code == 1
    assert "case n00003: label mismatch: " in done.out
    failed = [line for line in done.out.splitlines() if line.startswith("FAILED") and "::case " in line]
    assert len(failed) == 1 and "::case n00003" in failed[0]
    assert sum(server.counts().values()) == 70 + 60 + 70


def test_a_strict_suite_without_a_mismatch_passes_case_by_case(strict: Project):
    done = strict.pytest("suites", "--collect-only", "-q")
    assert done.out.count("::case n") == 70
    done = strict.pytest("suites")
    assert (done.code, outcomes(done)) == (0, {"passed": 72})


def test_a_target_that_fails_fails_its_case(strict: Project, server: Server):
    server.target = lambda number: 400 if number == 5 else honest(number)
    done = strict.pytest("suites", "-k", "n00005")
    assert outcomes(done)["failed"] == 1
    assert "case n00005: label not compared: target rejected" in done.out


def test_cases_outside_of_a_sample_are_skipped(strict: Project):
    done = strict.pytest("suites", "--parity-sample", "20")
    assert outcomes(done)["skipped"] == 50


def test_strict_changes_no_epoch(strict: Project):
    from harness.gate.policy import load_policy

    before = load_policy(strict.suite).epoch_id
    strict.edit(strict.suite, "\nstrict = true", "")
    assert load_policy(strict.suite).epoch_id == before
