"""`--junitxml`: what CI systems read."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from tests.small.project import Project
from tests.small.server import Server, honest


def cases(project: Project, *options: str) -> dict[str, ET.Element]:
    project.pytest("suites", "--junitxml", "out.xml", *options)
    # Written by pytest a moment ago.
    root = ET.parse(project.folder / "out.xml").getroot()  # noqa: S314
    return {str(case.get("name")): case for case in root.iter("testcase")}


def properties(case: ET.Element) -> dict[str, str]:
    return {str(one.get("name")): str(one.get("value")) for one in case.iter("property")}


def test_criteria_are_test_cases_with_verdict_and_report(numbers: Project, server: Server):
    server.target = lambda number: 1.0 - honest(number)
    found = cases(numbers)
    assert set(found) == {"labels agree", "calls succeed"}
    assert found["labels agree"].get("classname") == "suites.numbers.suite.toml"
    failure = found["labels agree"].find("failure")
    assert failure is not None and failure.text is not None
    assert failure.text.startswith("NO-GO: 56 of 80 cases flipped")
    assert found["calls succeed"].find("failure") is None
    report = str(numbers.runs[0] / "report.html")
    assert properties(found["calls succeed"]) == {"verdict": "GO", "report": report}
    assert properties(found["labels agree"]) == {"verdict": "NO-GO", "report": report}


def test_a_suite_that_cannot_run_is_errors_not_failures(numbers: Project):
    numbers.edit(numbers.suite, 'use = "class_label"', 'use = "class_lable"')
    found = cases(numbers)
    assert all(case.find("error") is not None and case.find("failure") is None for case in found.values())


def test_workers_report_the_same(numbers: Project):
    found = cases(numbers, "-n", "2")
    assert {name: properties(case)["verdict"] for name, case in found.items()} == dict.fromkeys(
        ("labels agree", "calls succeed"), "GO"
    )
