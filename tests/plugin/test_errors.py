"""What cannot be run is an error of its items, with what to do about it; what cannot be read is one of collection."""

from __future__ import annotations

import pytest

from tests.small.project import Project, outcomes
from tests.small.server import Server


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("margin = 0.05\ndet", "margn = 0.05\ndet", 'unknown key "margn"'),
        ("deterministic_source", "deterministic_sorce", 'Did you mean "deterministic_source"?'),
        ("[endpoints.here]", "[endpoints.her]", 'unknown profile "her". Known: here. Did you mean "here"?'),
        ('kind = "flip"\nmargin = 0.05\ndet', 'kind = "flop"\nmargin = 0.05\ndet', '"flop"'),
    ],
)
def test_an_unknown_word_in_a_suite_is_an_error_of_collection(numbers: Project, server: Server, old, new, said):
    numbers.edit(numbers.suite, old, new)
    done = numbers.pytest("suites")
    assert done.code == 2
    assert "ERROR suites/numbers/suite.toml" in done.out
    assert said in done.out
    assert "Traceback" not in done.out
    assert not server.counts()


def test_an_unknown_comparator_is_an_error_of_every_item_before_the_first_call(numbers: Project, server: Server):
    numbers.edit(numbers.suite, 'use = "class_label"', 'use = "class_lable"')
    done = numbers.pytest("suites")
    assert (done.code, outcomes(done)) == (1, {"error": 2})
    assert "UnknownName: " in done.out
    assert 'Did you mean "class_label"?' in done.out
    assert "no decision: a suite could not be run" in done.out
    assert "Traceback" not in done.out
    assert not server.counts()


def test_an_altered_golden_set_stops_the_run_before_the_first_call(numbers: Project, server: Server):
    cases = numbers.folder / "golden" / "numbers" / "cases.jsonl"
    cases.write_bytes(b"".join(cases.read_bytes().splitlines(keepends=True)[1:]))
    done = numbers.pytest("suites")
    assert (done.code, outcomes(done)) == (1, {"error": 2})
    assert "GoldenError: " in done.out and "altered" in done.out
    assert not server.counts()


def test_a_fault_of_the_harness_is_an_error_met_once(numbers: Project, server: Server):
    """A pair that breaks stands for any exception nobody expected."""
    checks = numbers.suite.parent / "checks.py"
    checks.write_text(checks.read_text().replace("return Translation(request)", "raise RuntimeError('broken pair')"))
    done = numbers.pytest("suites")
    assert (done.code, outcomes(done)) == (1, {"error": 2})
    assert "RuntimeError: broken pair" in done.out
    assert "This is a fault of the harness; nothing was decided." in done.out
    assert len(numbers.runs) <= 1


def test_a_source_that_always_fails_decides_nothing_about_the_target(numbers: Project, server: Server):
    server.source = lambda _number: 400
    done = numbers.pytest("suites")
    assert done.code == 1
    assert "INCONCLUSIVE   1 suite(s)" in done.out
