"""`--parity-sample N`: a quick look that decides nothing."""

from __future__ import annotations

import pytest

from tests.small.project import Project, outcomes
from tests.small.server import Server


def test_a_sample_replays_that_many_cases_and_is_partial(numbers: Project, server: Server):
    done = numbers.pytest("suites", "--parity-sample", "65")
    assert {case for side, case in server.counts() if side == "target"} != set()
    assert sum(side == "target" for side, _ in server.counts()) == 65
    assert done.code == 0
    assert "PARTIAL" in done.out
    assert not (numbers.runs[0] / "decision.json").exists()
    assert numbers.parity("gate", numbers.runs[0].name).code == 2


def test_the_same_sample_is_drawn_every_time(numbers: Project, server: Server):
    numbers.pytest("suites", "--parity-sample", "5")
    first = set(server.counts())
    server.reset()
    numbers.pytest("suites", "--parity-sample", "5")
    assert set(server.counts()) == first


def test_a_sample_of_everything_is_a_whole_run(numbers: Project):
    done = numbers.pytest("suites", "--parity-sample", "80")
    assert "\nGO   1 suite(s)\n" in done.out


@pytest.mark.parametrize("size", ["0", "-5"])
def test_an_empty_sample_is_an_error(numbers: Project, server: Server, size):
    done = numbers.pytest("suites", f"--parity-sample={size}")
    assert (done.code, outcomes(done)) == (1, {"error": 2})
    assert "ask for 1 or more" in done.out
    assert not server.counts()
