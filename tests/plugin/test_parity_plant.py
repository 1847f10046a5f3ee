"""`--parity-plant FAULT` and `--parity-lab-state FILE`: the shipped suite, in miniature, against the embedded lab."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import SharedLab
from tests.small import visits
from tests.small.project import Project, outcomes


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return visits.make(tmp_path)


def test_a_running_lab_is_used_its_plant_told_and_put_back(project: Project, shared_lab: SharedLab):
    state = str(shared_lab.state_file)
    done = project.pytest("suites", "--parity-lab-state", state, "--parity-plant", "bias")
    assert (done.code, outcomes(done)["failed"]) == (1, 2)
    assert "PLANTED FAULT: bias" in done.out
    assert shared_lab.lab.status()["plant"] is None
    equal = project.pytest("suites", PARITY_LAB_STATE=state)
    assert equal.code == 0
    assert "PLANTED" not in equal.out


def test_a_fault_that_acts_in_the_running_lab_is_told_though_nobody_asked(project: Project, shared_lab: SharedLab):
    shared_lab.lab.plant("bias")
    done = project.pytest("suites", "--parity-lab-state", str(shared_lab.state_file))
    assert "PLANTED FAULT: bias" in done.out


def test_an_unknown_fault_names_the_nearest(project: Project, shared_lab: SharedLab):
    done = project.pytest("suites", "--parity-lab-state", str(shared_lab.state_file), "--parity-plant", "bais")
    assert outcomes(done) == {"error": 3}
    assert 'unknown plant "bais"' in done.out and 'Did you mean "bias"?' in done.out


def test_no_lab_under_the_file_says_how_to_start_one(project: Project, tmp_path: Path):
    done = project.pytest("suites", "--parity-lab-state", str(tmp_path / "nosuch.json"))
    assert outcomes(done) == {"error": 3}
    assert "no lab is running. Start one with `parity lab up`" in done.out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--parity-plant", "bias"), "faults are planted in the embedded lab only"),
        (("--parity-lab-state", "lab.json"), "there is no lab for it to use"),
    ],
)
def test_real_clouds_have_no_lab(numbers: Project, options, said):
    done = numbers.pytest("suites", *options)
    assert outcomes(done) == {"error": 2}
    assert 'profile "here" is not a lab' in done.out and said in done.out


def test_without_a_running_lab_one_is_started_and_stopped(project: Project, tmp_path: Path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    done = project.pytest("suites", TMPDIR=str(scratch))
    assert done.code == 0
    assert not list(scratch.glob("parity-lab-*"))  # the lab's folder goes with its last process
