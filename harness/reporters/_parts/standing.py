"""What has changed since the run before, who answers for what, and what of the estate is covered."""

from __future__ import annotations

from harness.core.report import Change, EstateLine, ParityReport, WaiverSummary
from harness.reporters._parts.markup import Markup, fragment, tag
from harness.reporters._parts.tables import table
from harness.reporters._parts.text import cut
from harness.reporters._parts.words import count

_ORDER = ("version", "configuration", "new failure", "recovered")
_HEADS = {
    "version": "Versions",
    "configuration": "Configuration",
    "new failure": "New failures",
    "recovered": "Recovered",
}
_MOST = 100


def changes(report: ParityReport) -> Markup:
    """By kind: versions first, as they open a new epoch."""
    if not report.previous:
        return tag("p", "There is no earlier run of this suite to compare with.")
    against = fragment("Against run ", tag("code", cut(report.previous, 100)), ". ")
    if not report.changes:
        return tag("p", against, "Nothing has changed: the same versions, settings and failing cases.")
    kinds = [(kind, [one for one in report.changes if one.what == kind]) for kind in _ORDER]
    return fragment(tag("p", against, class_="soft"), [_kind(kind, found) for kind, found in kinds if found])


def _kind(kind: str, found: list[Change]) -> Markup:
    left = len(found) - _MOST
    return fragment(
        tag("h3", f"{_HEADS[kind]} ({count(len(found))})"),
        tag("ul", [_change(one) for one in found[:_MOST]], tag("li", f"{count(left)} more") if left > 0 else None),
    )


def _change(one: Change) -> Markup:
    was = tag("code", cut(one.before, 300)) if one.before else None
    now = tag("code", cut(one.after, 300)) if one.after else None
    if was and now:
        return tag("li", cut(one.text, 300), ": ", was, " → ", now)
    return tag("li", cut(one.text, 300), ": " if was or now else None, was or now)


def waivers(found: tuple[WaiverSummary, ...]) -> Markup:
    """Who answers for a known difference, and until when."""
    if not found:
        return tag("p", "No known difference is waived.")
    rows = [
        tag(
            "tr",
            tag("th", cut(one.criterion, 200), tag("span", cut(one.covers, 200), class_="sub"), scope="row"),
            tag("td", cut(one.owner, 200)),
            tag("td", cut(one.reason, 600)),
            tag("td", one.expires, tag("span", "in force" if one.in_force else "expired", class_="sub")),
        )
        for one in found
    ]
    return table("Waivers", ("Criterion", "Who answers for it", "Reason", "Last day"), rows, left=4)


def estate(found: tuple[EstateLine, ...]) -> Markup:
    """Which endpoints of the migration a suite covers."""
    bare = [one for one in found if not one.suites and not one.out_of_scope]
    rows = [
        tag(
            "tr",
            tag("th", cut(one.name, 200), scope="row"),
            tag("td", cut(one.service, 100)),
            tag("td", _covered(one)),
        )
        for one in sorted(found, key=lambda one: (bool(one.suites or one.out_of_scope), one.name))
    ]
    said = (
        "Every endpoint is covered by a suite or out of scope."
        if not bare
        else (f"{count(len(bare))} of {count(len(found))} endpoints are covered by no suite.")
    )
    return fragment(tag("p", said), table("Estate", ("Endpoint", "Service", "Covered by"), rows, left=3))


def _covered(one: EstateLine) -> Markup | str:
    if one.suites:
        return cut(", ".join(one.suites), 300)
    return f"out of scope: {cut(one.out_of_scope, 300)}" if one.out_of_scope else tag("strong", "no suite")
