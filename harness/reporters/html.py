"""Self-contained pages: they open from a file, and ask the network for nothing.

Their own policy (`Content-Security-Policy` in a meta element) allows one stylesheet and one script, each by its hash,
and nothing else: no picture, no font, no frame, no form. The script only shows and hides listed cases.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.report import ParityReport, WorstCase
from harness.reporters._parts.criteria import criteria
from harness.reporters._parts.markup import Child, Markup, code_block, fragment, sheet, tag
from harness.reporters._parts.measures import departures, noise_floor, sides
from harness.reporters._parts.nights import nights
from harness.reporters._parts.script import SCRIPT
from harness.reporters._parts.spreads import slices, spreads
from harness.reporters._parts.standing import changes, estate, waivers
from harness.reporters._parts.style import CSS, POLICY
from harness.reporters._parts.svg import VERDICT_CLASS, mark
from harness.reporters._parts.text import cut, visible
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
from harness.reporters._parts.worst import listing, pages, worst


@dataclass(frozen=True, slots=True)
class HtmlReport:
    """The report as one HTML file in UTF-8, under 2 MB for 1,000 worst cases."""

    @property
    def suffix(self) -> str:
        return ".html"

    def render(self, report: ParityReport) -> bytes:
        return _page(_title(report), _body(report))

    def page_name(self, number: int | str) -> str:
        return f"report-cases-{number}.html"

    def page(self, report: ParityReport, number: int, cases: tuple[WorstCase, ...], *, first: int) -> bytes:
        """More cases of the same report, beside it. number: from 2 on. first: place of the first case among all."""
        return _page(f"Cases, page {number}: {_title(report)}", _cases_body(report, number, cases, first))


def build() -> HtmlReport:
    return HtmlReport()


def _page(title: str, body: Markup) -> bytes:
    page = tag(
        "html",
        tag(
            "head",
            tag("meta", charset="utf-8"),
            tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", name="color-scheme", content="light dark"),
            tag("meta", name="referrer", content="no-referrer"),
            tag("title", visible(title)),
            sheet(CSS),
        ),
        tag("body", body, code_block(SCRIPT)),
        lang="en",
    )
    return f"<!doctype html>\n{page.html}\n".encode()


def _name_of(number: int) -> str:
    return "report.html" if number == 1 else build().page_name(number)


def _cases_body(report: ParityReport, number: int, cases: tuple[WorstCase, ...], first: int) -> Markup:
    return fragment(
        tag("a", "Skip to the cases", href="#cases", class_="skip"),
        tag(
            "header",
            tag("p", f"Parity report · suite {report.suite} · run {report.run}", class_="eyebrow"),
            tag("h1", report.title or report.suite),
        ),
        tag(
            "main",
            tag("p", verdict_word(report), ": ", tag("a", "the decision", href=_name_of(1)), "."),
            tag(
                "section",
                tag("h2", f"Cases from number {count(first)} on", id="cases-title"),
                pages(report, number, _name_of),
                listing(cases, first=first),
                id="cases",
                tabindex=-1,
                aria_labelledby="cases-title",
            ),
        ),
    )


def _body(report: ParityReport) -> Markup:
    looked_at_more = bool(report.looks or report.previous)
    sections = [
        ("criteria", "Criteria", _criteria(report)),
        ("changes", "Since the last run", changes(report)) if looked_at_more else None,
        ("nights", "Evidence over the nights", nights(report.looks)) if looked_at_more else None,
        ("noise", "Noise floor", fragment(noise_floor(report.metrics), spreads(report.distributions), slices(report))),
        ("departures", "Departures", departures(report)),
        ("sides", "Both sides", sides(report)),
        ("waivers", "Waivers", waivers(report.waivers)) if report.waivers else None,
        ("estate", "Coverage of the estate", estate(report.estate)) if report.estate else None,
        ("cases", "Cases that differ", worst(report, _name_of)),
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


def _title(report: ParityReport) -> str:
    """Plain text: a title element shows entities and no markup, so hidden characters go first."""
    return f"{verdict_word(report)}: {report.title or report.suite}"


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
