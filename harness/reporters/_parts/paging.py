"""Listed cases on one page or on many: a run of up to a thousand stands whole in the report, a larger one beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from harness.core.report import CaseOutcome, Cases, CaseSummary, ParityReport
from harness.reporters._parts.cases import drawn, keys_of
from harness.reporters._parts.find import OUTCOMES, Keys, controls, keys, reasons, slices
from harness.reporters._parts.markup import Markup, fragment, tag
from harness.reporters._parts.page import page
from harness.reporters._parts.words import count, verdict_word

WHOLE = 1000  # cases that one page takes in
ON_A_PAGE = 500  # of a run with more
AHEAD = 100  # of those, shown in the report itself


@dataclass(slots=True)
class Leaf:
    """What one page of cases holds."""

    name: str
    first: int
    last: int
    outcomes: Counter[CaseOutcome]
    found: frozenset[str]


@dataclass(slots=True)
class Leaves:
    """What all pages hold, counted while they are made."""

    pages: list[Leaf] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    slices: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[CaseOutcome] = field(default_factory=Counter)

    def add(self, name: str, first: int, shown: tuple[CaseSummary, ...]) -> None:
        why = Counter(reason for case in shown for reason in reasons(case))
        where = Counter(one for case in shown for one in slices(case))
        how = Counter(case.outcome for case in shown)
        self.reasons += why
        self.slices += where
        self.outcomes += how
        self.pages.append(Leaf(name, first, first + len(shown) - 1, how, frozenset((*why, *where))))

    @property
    def keys(self) -> Keys:
        return keys(self.reasons, self.slices)


def section(report: ParityReport, shown: list[CaseSummary], leaves: Leaves | None) -> Markup:
    """The cases in the report itself; leaves: of a run that has more pages."""
    if not shown:
        return tag("p", "No case is listed: none was worse than another.")
    found = leaves.keys if leaves is not None else keys_of(shown)
    outcomes = leaves.outcomes if leaves is not None else Counter(case.outcome for case in shown)
    listed = outcomes.total()
    return fragment(
        _intro(report, listed, outcomes),
        controls(found, paged=leaves is not None),
        tag("p", f"The {count(len(shown))} worst of {count(listed)}; all of them are on the pages below.")
        if leaves is not None
        else None,
        drawn(shown, found),
        _index(leaves, found) if leaves is not None else None,
    )


def leaf_pages(report: ParityReport, cases: Cases, leaves: Leaves) -> Iterator[tuple[str, bytes]]:
    """report-cases-0001.html and on, one at a time; `leaves` is filled on the way."""
    last = -(-len(cases) // ON_A_PAGE)
    first = 1
    for at, shown in enumerate(_batches(cases), start=1):
        name = page_name(at)
        leaves.add(name, first, shown)
        yield name, page(f"{verdict_word(report)}: {report.suite}, cases {at}", _leaf(report, shown, at, last, first))
        first += len(shown)


def page_name(at: int) -> str:
    """at: from 1."""
    return f"report-cases-{at:04d}.html"


def _batches(cases: Cases) -> Iterator[tuple[CaseSummary, ...]]:
    rest = iter(cases)
    while batch := tuple(islice(rest, ON_A_PAGE)):
        yield batch


def ahead(cases: Cases) -> list[CaseSummary]:
    """The cases that the report itself shows."""
    return list(cases) if len(cases) <= WHOLE else list(islice(iter(cases), AHEAD))


def _leaf(report: ParityReport, shown: tuple[CaseSummary, ...], at: int, last: int, first: int) -> Markup:
    found = keys_of(shown)
    steps = [
        tag("li", tag("a", "Report", href="report.html#decision")),
        tag("li", tag("a", "Worse cases", href=page_name(at - 1))) if at > 1 else None,
        tag("li", tag("a", "Further cases", href=page_name(at + 1))) if at < last else None,
    ]
    return fragment(
        tag(
            "header",
            tag("p", f"Parity report · suite {report.suite} · run {report.run}", class_="eyebrow"),
            tag("h1", f"Cases {count(first)} to {count(first + len(shown) - 1)}, page {at} of {last}"),
        ),
        tag(
            "main",
            tag("nav", tag("ul", steps), aria_label="Pages of cases"),
            tag(
                "section",
                tag("h2", "Cases", id="cases-title"),
                _intro(report, len(shown), Counter(case.outcome for case in shown)),
                controls(found, paged=False),
                drawn(shown, found, first=first, opened=0),
                aria_labelledby="cases-title",
            ),
        ),
    )


def _intro(report: ParityReport, listed: int, outcomes: Counter[CaseOutcome]) -> Markup:
    how = ", ".join(f"{count(outcomes[one])} {_verb(one)}" for one in OUTCOMES if outcomes[one])
    return tag(
        "p",
        f"{count(listed)} of {count(report.replayed)} cases, worst first: {how}. Payloads are shown at the level ",
        tag("code", report.payloads.value),
        " of this profile. Differences are underlined; numbers from the first digit that differs.",
        class_="soft",
    )


def _verb(outcome: CaseOutcome) -> str:
    return {
        CaseOutcome.FAILED: "where a side failed",
        CaseOutcome.DIFFERS: "that differ",
        CaseOutcome.UNSCORED: "that could not be scored",
        CaseOutcome.MATCHES: "that match",
    }[outcome]


def _index(leaves: Leaves, found: Keys) -> Markup:
    rows = [
        tag(
            "tr",
            tag("th", tag("a", f"{count(one.first)} to {count(one.last)}", href=one.name), scope="row"),
            [tag("td", count(one.outcomes[outcome]), class_="n") for outcome in OUTCOMES],
            **found.of_page(one.outcomes, one.found),
        )
        for one in leaves.pages
    ]
    heads = [tag("th", "Cases", scope="col"), *(tag("th", word, scope="col", class_="n") for word in OUTCOMES.values())]
    return tag(
        "div",
        tag("table", tag("caption", "Pages of cases"), tag("thead", tag("tr", heads)), tag("tbody", rows)),
        class_="scroll",
        tabindex=0,
        role="group",
        aria_label="Pages of cases, a table that scrolls sideways on small screens",
    )
