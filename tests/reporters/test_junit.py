"""JUnit XML: nothing is green that the gate does not call GO."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from harness.core.report import ParityReport
from harness.core.verdict import Verdict
from harness.reporters import junit
from tests.reporters import sample
from tests.reporters.reading import HOSTILE


def suite(report: ParityReport) -> ET.Element:
    root = ET.fromstring(junit.build().render(report))  # noqa: S314  our own output, made a line above
    (found,) = root
    return found


def outcome(case: ET.Element) -> str:
    return next((child.tag for child in case if child.tag in {"failure", "error", "skipped"}), "passed")


def test_a_finding_is_a_test_case_and_so_is_the_decision():
    names = [case.get("name") for case in suite(sample.no_go()).iter("testcase")]
    assert names == [
        "decision",
        "labels agree",
        "labels agree [source_label=other]",
        "labels agree [source_label=frequent]",
        "scores agree",
        "median latency",
    ]


def test_go_passes_no_go_and_inconclusive_fail_and_what_does_not_vote_is_skipped():
    assert [outcome(case) for case in suite(sample.no_go()).iter("testcase")] == [
        "failure",
        "failure",
        "passed",
        "failure",
        "skipped",
        "passed",
    ]
    assert [outcome(case) for case in suite(sample.inconclusive()).iter("testcase")] == [
        "failure",
        "failure",
        "failure",
        "passed",
    ]


def test_a_clean_run_is_green():
    assert {outcome(case) for case in suite(sample.go()).iter("testcase")} == {"passed"}


def test_the_counts_are_those_of_the_cases():
    found = suite(sample.no_go())
    assert [found.get(word) for word in ("tests", "failures", "errors", "skipped")] == ["6", "3", "0", "1"]


@pytest.mark.parametrize(
    "report", [sample.partial(), replace(sample.go(), partial=True), replace(sample.go(), decision=None)]
)
def test_a_run_without_a_decision_is_never_green(report: ParityReport):
    assert [outcome(case) for case in suite(report).iter("testcase")] == ["error"]


@pytest.mark.parametrize("verdict", [Verdict.NO_GO, Verdict.INCONCLUSIVE])
def test_a_decision_that_is_not_go_is_red_even_where_every_finding_is_go(verdict: Verdict):
    report = sample.go()
    assert report.decision is not None
    turned = replace(report, decision=replace(report.decision, verdict=verdict))
    assert outcome(next(suite(turned).iter("testcase"))) == "failure"


def test_hostile_text_is_valid_xml_1_0():
    report = sample.no_go()
    assert report.decision is not None
    findings = tuple(replace(one, reason=HOSTILE, slice=HOSTILE, metric=HOSTILE) for one in report.decision.findings)
    report = replace(report, suite=HOSTILE, signature=HOSTILE, decision=replace(report.decision, findings=findings))
    (first, *_) = suite(report).iter("failure")
    assert "<script>" in "".join(suite(report).itertext())
    assert first.get("type") == "NO-GO"
