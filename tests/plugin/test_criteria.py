"""Each criterion is a test item; one that is not GO says why, and where to read on."""

from __future__ import annotations

from tests.small.project import Project, outcomes
from tests.small.server import Server, honest

SCORE = """
[comparators.near]
use = "numeric_close"
rtol = 0.01

[[criterion]]
name = "scores stay close"
metric = "near"
kind = "score"
margin = 0.20
deterministic = true
"""


def test_each_criterion_is_an_item_named_as_in_the_file(numbers: Project):
    done = numbers.pytest("suites", "-v")
    assert (done.code, outcomes(done)) == (0, {"passed": 2})
    assert "suites/numbers/suite.toml::labels agree PASSED" in done.out
    assert "suites/numbers/suite.toml::calls succeed PASSED" in done.out


def test_a_suite_is_replayed_once_for_all_its_items(numbers: Project, server: Server):
    numbers.pytest("suites")
    assert sum(server.counts().values()) == 80 + 60 + 80
    assert len(numbers.runs) == 1


def test_a_failure_tells_interval_margin_counts_worst_cases_and_report(numbers: Project, server: Server):
    server.target = lambda number: 1.0 - honest(number) if number < 20 else honest(number)
    done = numbers.pytest("suites")
    told = done.out[done.out.index("= FAILURES =") : done.out.index("parity numbers, run")]
    assert "NO-GO: 15 of 80 cases flipped" in told
    assert "estimate -0.1875, interval [-0.27" in told
    assert "margin 0.05; 80 units, 0 excluded, 0 unscored" in told
    assert told.count("  worst: case n000") == 3
    assert 'source "high"' in told
    (run,) = numbers.runs
    assert f"report: {run / 'report.html'}" in told
    assert (run / "report.html").is_file()
    assert "Traceback" not in done.out


def test_a_slice_that_fails_is_told_by_its_criterion(numbers: Project, server: Server):
    server.target = lambda number: min(honest(number), 0.2)
    done = numbers.pytest("suites")
    assert "NO-GO [source_label=high]: 52 of 52 cases flipped" in done.out


def test_severe_drops_fail_the_item_of_their_criterion(numbers: Project, server: Server):
    """Ten of eighty similarities fall to 0: too few to move the mean past 0.20, too many to rule severe drops out."""
    numbers.edit(numbers.suite, "[gate]", SCORE.partition("[[")[0] + "[gate]")
    numbers.suite.write_text(numbers.suite.read_text() + "[[" + SCORE.partition("[[")[2])
    checks = numbers.suite.parent / "checks.py"
    checks.write_text(checks.read_text() + SIMILAR)
    numbers.edit(numbers.suite, 'use = "numeric_close"\nrtol = 0.01', 'use = "checks:Similar"')
    server.target = lambda number: 0.0 if number % 8 == 5 else honest(number)
    done = numbers.pytest("suites", "-v")
    assert "::scores stay close FAILED" in done.out
    assert "INCONCLUSIVE: scores stay close severe, 10 of 80 cases broke badly" in done.out


SIMILAR = '''

class Similar:
    """1 for equal scores, 0 for others."""

    name = "similar"

    def signature(self):
        return "similar"

    def compare(self, source, target, *, case):
        from harness.core.verdict import Comparison, Status

        same = float(source.values[0, 0] == target.values[0, 0])
        status = Status.MATCH if same else Status.MISMATCH
        return Comparison(case_id=case.id, comparator="similar", status=status, value=same)
'''


def test_an_advisory_criterion_passes_whatever_it_finds(numbers: Project, server: Server):
    numbers.edit(numbers.suite, 'name = "labels agree"', 'name = "labels agree"\nadvisory = true')
    server.target = lambda number: 1.0 - honest(number)
    done = numbers.pytest("suites", "-v")
    assert "::labels agree PASSED" in done.out
    assert done.code == 0
