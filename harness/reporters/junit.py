"""JUnit XML from the findings, for systems that show test results and nothing else.

One test case a finding, and one for the decision itself, so that no reader can be green where the gate is not: NO-GO
and INCONCLUSIVE are failures of their type, a missing decision is an error, and what does not vote is skipped when it
is not GO.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from datetime import UTC

from harness.core.report import ParityReport
from harness.core.verdict import Finding, Verdict
from harness.reporters._parts.text import cut, visible
from harness.reporters._parts.words import counts, decided, figures, headline, name, standing, verdict_word, warnings


@dataclass(frozen=True, slots=True)
class JunitReport:
    """One `<testsuite>`, the shape that GitHub, GitLab, Jenkins and Azure DevOps read."""

    @property
    def suffix(self) -> str:
        return ".xml"

    def render(self, report: ParityReport) -> bytes:
        cases = [_overall(report)]
        decision = decided(report)
        for finding in decision.findings if decision is not None else ():
            cases.append(_case(report, finding))
        suite = ET.Element("testsuite", _counts(cases), name=visible(f"parity {report.suite}"))
        suite.set("timestamp", report.started_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"))
        suite.set("time", f"{max(0.0, (report.finished_at - report.started_at).total_seconds()):.3f}")
        properties = ET.SubElement(suite, "properties")
        for key, value in _properties(report):
            ET.SubElement(properties, "property", name=key, value=visible(value))
        suite.extend(cases)
        root = ET.Element("testsuites", _counts(cases))
        root.append(suite)
        ET.indent(root)
        written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
        return written + b"\n"


def build() -> JunitReport:
    return JunitReport()


def _overall(report: ParityReport) -> ET.Element:
    case = ET.Element("testcase", classname=visible(f"parity.{report.suite}"), name="decision")
    decision = decided(report)
    said = " ".join([*(f"{word}: {why}" for word, why in warnings(report)), headline(report)])
    if decision is None:
        _outcome(case, "error", verdict_word(report), said)
    elif decision.verdict is not Verdict.GO:
        _outcome(case, "failure", decision.verdict.value, said)
    else:
        ET.SubElement(case, "system-out").text = visible(said)
    return case


def _case(report: ParityReport, finding: Finding) -> ET.Element:
    case = ET.Element("testcase", classname=visible(f"parity.{report.suite}"), name=visible(cut(name(finding), 300)))
    aside = standing(finding)
    if finding.verdict is Verdict.GO:
        ET.SubElement(case, "system-out").text = _detail(finding)
    elif aside is not None:
        ET.SubElement(case, "skipped", message=visible(f"{finding.verdict.value}, {aside}: {cut(finding.reason, 600)}"))
    else:
        _outcome(case, "failure", finding.verdict.value, finding.reason, _detail(finding))
    return case


def _outcome(case: ET.Element, kind: str, verdict: str, said: str, detail: str = "") -> None:
    ET.SubElement(case, kind, type=verdict, message=visible(f"{verdict}: {cut(said, 600)}")).text = detail or visible(
        said
    )


def _detail(finding: Finding) -> str:
    lines = [f"metric {finding.metric}", finding.reason]
    found = finding.evidence
    if found is not None:
        shown = figures(found)
        lines.append(f"estimate {shown.estimate}, interval {shown.interval}, margin {shown.margin}, {found.method}")
    units, excluded, unscored = counts(finding)
    lines.append(f"{units} units, {excluded} excluded, {unscored} unscored")
    return "\n".join(visible(line) for line in lines)


def _counts(cases: list[ET.Element]) -> dict[str, str]:
    kinds = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    counted = {word: str(sum(case.find(tag) is not None for case in cases)) for word, tag in kinds.items()}
    return {"tests": str(len(cases)), **counted}


def _properties(report: ParityReport) -> list[tuple[str, str]]:
    properties = [
        ("run", report.run),
        ("profile", report.profile),
        ("verdict", verdict_word(report)),
        ("signature", report.signature),
    ]
    return properties if report.planted is None else [*properties, ("planted", report.planted)]
