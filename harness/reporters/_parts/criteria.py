"""The table of criteria: one row a criterion, its slices below it."""

from __future__ import annotations

from harness.core.verdict import Evidence, Finding, Verdict
from harness.reporters._parts.markup import Markup, fragment, tag
from harness.reporters._parts.svg import VERDICT_CLASS, interval, interval_key, mark
from harness.reporters._parts.text import cut
from harness.reporters._parts.words import count, counts, figures, number, standing

_REASON_LENGTH = 600


def verdict_shown(verdict: Verdict) -> Markup:
    """The verdict's shape and word: neither needs the colour."""
    return tag("span", mark(verdict), verdict.value, class_=f"verdict {VERDICT_CLASS[verdict]}")


def criteria(findings: tuple[Finding, ...]) -> Markup:
    """One body a criterion, in policy order; the finding on the whole first, slices indented."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.criterion, []).append(finding)
    heads = ("Criterion", "Verdict", interval_key(), "Estimate and interval", "Units", "Excluded", "Unscored", "Reason")
    return fragment(
        tag(
            "p",
            "The estimate is in D, larger is better for the target: 0 means as good as the source is to itself. "
            "GO needs the whole interval right of the margin and NO-GO needs it left; either may need more besides.",
            class_="soft",
        ),
        tag(
            "div",
            tag(
                "table",
                tag("caption", "Criteria and their slices", class_="hide"),
                tag("thead", tag("tr", [_head(at, head) for at, head in enumerate(heads)])),
                [
                    tag("tbody", [_row(finding) for finding in sorted(group, key=lambda one: one.slice is not None)])
                    for group in groups.values()
                ],
                class_="criteria",
            ),
            class_="scroll",
            tabindex=0,
            role="group",
            aria_label="Criteria, a table that scrolls sideways on small screens",
        ),
        tag(
            "p",
            "Units are independent and count once. Excluded: the source itself failed. "
            "Unscored: a comparator could not score two answers; these count as the worst value.",
            class_="soft small",
        ),
    )


def _head(at: int, head: Markup | str) -> Markup:
    if isinstance(head, Markup):
        return tag("th", tag("span", "Interval against margin, drawn", class_="hide"), head, scope="col", class_="fit")
    return tag("th", head, scope="col", class_="n" if at in (4, 5, 6) else None)


def _row(finding: Finding) -> Markup:
    evidence = finding.evidence
    return tag(
        "tr",
        _name(finding),
        tag("td", verdict_shown(finding.verdict), tag("span", standing(finding) or "", class_="sub")),
        tag("td", interval(evidence, finding.verdict) if evidence is not None else None, class_="fit"),
        _numbers(finding),
        [tag("td", shown, class_="n") for shown in counts(finding)],
        tag("td", cut(finding.reason, _REASON_LENGTH), _more(evidence), class_="why"),
        class_="slice" if finding.slice is not None else None,
    )


def _name(finding: Finding) -> Markup:
    method = finding.evidence.method if finding.evidence is not None else None
    if finding.slice is not None:
        key, equals, value = cut(finding.slice, 200).partition("=")
        return tag("th", key, equals, tag("wbr"), value, tag("span", method, class_="sub"), scope="row", class_="name")
    metric = tag("code", finding.metric) if finding.metric != finding.criterion else None
    under = [metric, ", " if metric and method else None, method]
    return tag("th", finding.criterion, tag("span", under, class_="sub"), scope="row", class_="name")


def _numbers(finding: Finding) -> Markup:
    if finding.evidence is None:
        margin = None if finding.margin is None else tag("span", f"margin {number(finding.margin)}", class_="sub")
        return tag("td", tag("span", "no interval", class_="soft"), margin)
    shown = figures(finding.evidence)
    return tag(
        "td",
        tag("strong", _minus(shown.estimate)),
        tag("span", f"{_minus(shown.low)} to {_minus(shown.high)}", class_="sub"),
        tag("span", f"margin {shown.margin}", class_="sub"),
    )


def _more(evidence: Evidence | None) -> Markup | None:
    if evidence is None or not evidence.more_units:
        return None
    return tag("span", f"About {count(evidence.more_units)} more units would settle it.", class_="sub")


def _minus(shown: str) -> str:
    """A true minus sign: screen readers pass over a hyphen."""
    return shown.replace("-", "−")
