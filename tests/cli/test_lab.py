"""`parity lab`: a lab that outlives its command, and that runs can use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.lab.plants import PLANTS
from tests.small.project import Project


@pytest.fixture
def state(numbers: Project):
    """A state file; whatever runs under it is stopped in the end."""
    path = numbers.folder / "lab.json"
    yield path
    numbers.parity("lab", "down", "--state", str(path))


def test_up_status_down(numbers: Project, state: Path):
    up = numbers.parity("lab", "up", "--state", str(state), "--plant", "bias", "--seed", "3", "--service-time", "0.001")
    assert up.code == 0
    assert (up.document["plant"], up.document["seed"], up.document["service_time_s"]) == ("bias", 3, 0.001)
    assert state.stat().st_mode & 0o077 == 0  # it holds credentials
    status = numbers.parity("lab", "status", PARITY_LAB_STATE=str(state))
    assert (status.code, status.document) == (0, up.document)
    again = numbers.parity("lab", "up", "--state", str(state))
    assert again.code == 2
    assert "a lab is running already" in again.err
    down = numbers.parity("lab", "down", "--state", str(state))
    assert (down.code, down.out) == (0, "stopped\n")
    assert not state.exists()
    gone = numbers.parity("lab", "status", "--state", str(state))
    assert (gone.code, gone.out) == (2, "")
    assert "no lab is running; start one with: parity lab up" in gone.err


def test_down_without_a_lab_is_no_error(numbers: Project, state: Path):
    down = numbers.parity("lab", "down", "--state", str(state))
    assert (down.code, down.out) == (0, "no lab was running\n")


def test_a_file_that_is_no_state_file_is_named(numbers: Project, state: Path):
    state.write_text("{")
    told = numbers.parity("lab", "status", "--state", str(state))
    assert told.code == 2
    assert "this is not a lab's state file" in told.err
    state.unlink()


def test_an_unknown_plant_starts_nothing(numbers: Project, state: Path):
    told = numbers.parity("lab", "up", "--state", str(state), "--plant", "slow_tale")
    assert told.code == 2
    assert 'Did you mean "slow_tail"?' in told.err
    assert not state.exists()


def test_faults_are_listed_with_what_must_become_of_them(numbers: Project):
    lines = {line.split()[0]: line for line in numbers.parity("lab", "faults").out.splitlines()}
    assert list(lines) == list(PLANTS)
    assert all(PLANTS[name].expected in line for name, line in lines.items())


def test_the_state_is_json_that_other_tools_can_read(numbers: Project, state: Path):
    numbers.parity("lab", "up", "--state", str(state))
    assert {"addresses", "environment", "pid"} <= set(json.loads(state.read_text()))
