"""Self-contained pages: they open from a file, and ask the network for nothing.

Their own policy (`Content-Security-Policy` in a meta element) allows one stylesheet and one script, each by its hash,
and nothing else: no picture, no font, no frame, no form. The script only shows and hides listed cases.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.core.report import Cases, CaseSummary, ParityReport
from harness.reporters._parts.cases import from_worst
from harness.reporters._parts.criteria import criteria
from harness.reporters._parts.markup import Child, Markup, fragment, tag
from harness.reporters._parts.measures import departures, noise_floor, sides
from harness.reporters._parts.nights import nights
from harness.reporters._parts.page import page
from harness.reporters._parts.paging import WHOLE, Leaves, ahead, leaf_pages, section
from harness.reporters._parts.spreads import slices, spreads
from harness.reporters._parts.standing import changes, estate, waivers
from harness.reporters._parts.svg import VERDICT_CLASS, mark
from harness.reporters._parts.text import cut
from harness.reporters._parts.words import (
    count,
    coverage,
    decided,
    moment,
    repeated,
    told,
    took,
    verdict_word,
    warnings,
)


@dataclass(frozen=True, slots=True)
class HtmlReport:
    """HTML files in UTF-8, each under 2 MB: the report, and beside it the cases of a run that lists over a thousand."""

    @property
    def suffix(self) -> str:
        return ".html"

    def render(self, report: ParityReport) -> bytes:
        """The report alone, with the worst cases of each metric."""
        return self._report(report, from_worst(report.worst)[:WHOLE], None)

    def pages(self, report: ParityReport, cases: Cases) -> Iterator[tuple[str, bytes]]:
        """The report last: it says what the pages hold."""
        leaves = None
        if len(cases) > WHOLE:
            leaves = Leaves()
            yield from leaf_pages(report, cases, leaves)
        yield f"report{self.suffix}", self._report(report, ahead(cases), leaves)

    def _report(self, report: ParityReport, shown: list[CaseSummary], leaves: Leaves | None) -> bytes:
        return page(
            f"{verdict_word(report)}: {report.title or report.suite}", _body(report, section(report, shown, leaves))
        )


def build() -> HtmlReport:
    return HtmlReport()


def _body(report: ParityReport, cases: Markup) -> Markup:
    looked_at_more = bool(report.looks or report.previous)
    sections = [
        ("criteria", "Criteria", _criteria(report)),
        ("changes", "Since the last run", changes(report)) if looked_at_more else None,
        ("nights", "Evidence over the nights", nights(report.looks, _voting(report))) if looked_at_more else None,
        ("noise", "Noise floor", fragment(noise_floor(report.metrics), spreads(report.distributions), slices(report))),
        ("departures", "Departures", departures(report)),
        ("sides", "Both sides", sides(report)),
        ("waivers", "Waivers", waivers(report.waivers)) if report.waivers else None,
        ("estate", "Coverage of the estate", estate(report.estate)) if report.estate else None,
        ("cases", "Cases", cases),
        ("versions", "Versions and settings", _versions(report)),
    ]
    return _sections(report, [section for section in sections if section is not None])


def _sections(report: ParityReport, sections: list[tuple[str, str, Markup]]) -> Markup:
    links = [tag("li", tag("a", title, href=f"#{anchor}")) for anchor, title, _ in sections]
    return fragment(
        tag("a", "Skip to the decision", href="#decision", class_="skip"),
        tag(
            "header",
            tag("p", f"Parity report · suite {report.suite} · run {report.run}", class_="eyebrow"),
            tag("h1", report.title or report.suite),
        ),
        tag(
            "main",
            [
                tag("div", tag("strong", word), f": {cut(said, 1000)}", class_="banner")
                for word, said in warnings(report)
            ],
            _decision(report),
            _facts(report),
            tag("nav", tag("ul", links), aria_label="On this page"),
            [
                tag(
                    "section",
                    tag("h2", title, id=f"{anchor}-title"),
                    body,
                    id=anchor,
                    aria_labelledby=f"{anchor}-title",
                )
                for anchor, title, body in sections
            ],
        ),
        tag(
            "footer",
            tag("p", tag("span", "Signature ", class_="soft"), tag("code", report.signature), class_="signature small"),
        ),
    )


def _decision(report: ParityReport) -> Markup:
    decision = decided(report)
    notes = decision.notes if decision is not None else ()
    return tag(
        "section",
        tag(
            "h2",
            mark(decision.verdict, 36) if decision is not None else None,
            tag("span", tag("span", "Decision: ", class_="hide"), verdict_word(report)),
            id="decision-title",
        ),
        _said(report),
        tag("ul", [tag("li", note) for note in notes]) if notes else None,
        tag("p", tag("strong", "What this decision does not cover. "), coverage(report), class_="limits")
        if decision
        else None,
        class_=f"decision {VERDICT_CLASS[decision.verdict] if decision is not None else ''}".rstrip(),
        id="decision",
        tabindex=-1,
        aria_labelledby="decision-title",
    )


def _said(report: ParityReport) -> Markup:
    """The headline, the findings that it names as a list."""
    first, named, last = told(report)
    return tag(
        "div",
        tag("p", first) if first else None,
        tag("ul", [tag("li", tag("strong", f"{name}: "), reason) for name, reason in named]) if named else None,
        tag("p", last) if last else None,
        class_="said",
    )


def _facts(report: ParityReport) -> Markup:
    decision = decided(report)
    services = [side.service for side in report.sides]
    voting = [finding for finding in decision.findings if finding.gating] if decision is not None else []
    passed = sum(finding.verdict.value == "GO" for finding in voting)
    facts = (
        ("Cases replayed", count(report.replayed), f"of {count(report.cases)}{repeated(report)}"),
        ("Gating findings that are GO", count(passed), f"of {count(len(voting))}")
        if decision
        else ("Findings", "none", "no decision"),
        ("Source to target", " → ".join(services) or "none", f"pair {report.pair}"),
        ("Profile", report.profile, f"payloads: {report.payloads.value}"),
        ("Finished", moment(report.finished_at), f"took {took(report)}"),
    )
    return tag(
        "dl",
        [tag("div", tag("dt", word), tag("dd", value, tag("small", more))) for word, value, more in facts],
        class_="facts",
    )


def _voting(report: ParityReport) -> int:
    decision = decided(report)
    return sum(finding.gating for finding in decision.findings) if decision is not None else 0


def _criteria(report: ParityReport) -> Markup:
    decision = decided(report)
    if decision is None or not decision.findings:
        return tag("p", "No criterion was judged on this run.")
    return criteria(decision.findings)


def _versions(report: ParityReport) -> Markup:
    decision = decided(report)
    settings: list[tuple[str, Child]] = [
        ("Golden set", tag("code", report.golden_sha256)),
        ("Seed", str(report.seed)),
        ("Started", moment(report.started_at)),
        ("Pair", tag("code", report.pair)),
        ("Translation", tag("code", report.translation)),
    ]
    if decision is not None:
        settings.append(("Policy", tag("code", decision.policy_sha256)))
        settings.append(("Epoch", tag("code", decision.epoch or "none")))
        settings.append(("Decided", moment(decision.decided_at)))
    clients: list[tuple[str, Child]] = [
        (name, tag("code", version)) for name, version in sorted(report.clients.items())
    ]
    served: list[tuple[str, Child]] = [
        (side.side.value, [tag("div", tag("code", cut(one, 200))) for one in side.served] or "not told")
        for side in report.sides
    ]
    return tag(
        "div",
        tag("div", tag("h3", "What was decided on"), _pairs(settings)),
        tag("div", tag("h3", "What served"), _pairs(served), tag("h3", "What made the calls"), _pairs(clients)),
        class_="two",
    )


def _pairs(pairs: list[tuple[str, Child]]) -> Markup:
    return tag("dl", [fragment(tag("dt", word), tag("dd", value)) for word, value in pairs], class_="pairs")
