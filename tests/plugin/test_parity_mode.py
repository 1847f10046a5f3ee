"""`--parity-mode`, `--parity-reverse`, `--parity-arrival`, `--parity-speed`: the ways of running, under pytest."""

from __future__ import annotations

import json

import pytest

from tests.small.project import Project, outcomes
from tests.small.server import Server


def test_golden_skips_what_it_cannot_judge_and_decides_the_rest(numbers: Project, server: Server):
    numbers.parity("record", "suites/numbers", "--into", "golden/kept")
    numbers.edit(numbers.suite, 'golden = "numbers"', 'golden = "kept"')
    server.reset()
    done = numbers.pytest("suites", "--parity-mode", "golden")
    assert (done.code, outcomes(done)) == (0, {"passed": 1, "skipped": 1})
    assert "Not judged: the source's answers are recordings" in done.out
    assert {side for side, _ in server.counts()} == {"target"}


def test_reverse_swaps_the_sides(numbers: Project, server: Server):
    numbers.edit(numbers.suite, "[endpoints.here]", '[reverse]\npair = "checks:Straight"\n\n[endpoints.here]')
    done = numbers.pytest("suites", "--parity-reverse")
    assert done.code == 0
    assert json.loads((numbers.runs[0] / "run.json").read_bytes())["reverse"] is True
    assert sum(count for (side, _), count in server.counts().items() if side == "target") == 80 + 60


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--parity-arrival", "recorded"), "does not say when it was captured"),
        (("--parity-speed", "2"), "--parity-arrival recorded"),
        (("--parity-arrival", "recorded", "--parity-speed", "-1"), "a positive multiple"),
    ],
)
def test_arrivals_that_cannot_be_are_errors_before_the_first_call(numbers: Project, server: Server, words, said):
    done = numbers.pytest("suites", *words)
    assert outcomes(done) == {"error": 2}
    assert said in done.out
    assert not server.counts()
