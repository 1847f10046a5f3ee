"""`parity demo`: the main job without make, with the exit codes of everything that decides."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import SharedLab
from tests.small import visits
from tests.small.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return visits.make(tmp_path)


def test_it_runs_every_suite_and_ends_with_the_decision(project: Project, shared_lab: SharedLab):
    done = project.parity("demo", PARITY_LAB_STATE=str(shared_lab.state_file))
    assert done.code == 0
    assert "decision: GO" in done.out
    assert f"report: {project.runs[0] / 'report.html'}" in done.out


def test_a_planted_fault_is_refused(project: Project, shared_lab: SharedLab):
    done = project.parity("demo", "--lab-state", str(shared_lab.state_file), "--plant", "bias")
    assert done.code == 1
    assert "decision: NO-GO" in done.out


def test_without_suites_it_says_so(project: Project):
    project.suite.unlink()
    done = project.parity("demo")
    assert done.code == 2
    assert "there are no suites here" in done.err
