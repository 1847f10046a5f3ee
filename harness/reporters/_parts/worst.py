"""The cases that differ, source and target side by side, with the difference marked; and what finds them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.core.report import ParityReport, WorstCase
from harness.reporters._parts.difference import Piece, Pieces, Window, differences, windows
from harness.reporters._parts.markup import Child, Markup, fragment, tag
from harness.reporters._parts.text import cut
from harness.reporters._parts.words import NOT_SHOWN, count

MOST_CASES = 1000
_ALL_BYTES = 1_700_000  # of a page that stays under 2 MB; the rest is for the tables
_ONE_BYTES = 48_000
_LENGTHS = (4000, 1600, 700, 300, 140, 70, 35, 16, 8)
_OPEN = 3
_MOST_CHOICES = 200  # of slices, in the filter


def worst(report: ParityReport, page_name: Callable[[int], str]) -> Markup:
    """The first thousand cases; every text as long as an equal share of the page's size allows."""
    if not report.worst:
        return tag("p", "No case is listed: none differs.")
    shown = report.worst[:MOST_CASES]
    listed = f"{count(len(shown))} of {count(report.differing)} that differ" if report.differing else count(len(shown))
    return fragment(
        tag(
            "p",
            f"{listed}, of {count(report.cases)} cases; the worst of each metric in turn. Payloads are shown at ",
            "the level ",
            tag("code", report.payloads.value),
            " of this profile. Differences are underlined; numbers from the first digit that differs.",
            class_="soft",
        ),
        pages(report, 1, page_name),
        listing(shown, first=1),
    )


def listing(cases: Sequence[WorstCase], *, first: int) -> Markup:
    """Filter and cases. first: the place of the first of them among all that are listed."""
    share = min(_ONE_BYTES, _ALL_BYTES // max(len(cases), 1))
    return fragment(_filter(cases), [_fitted(at, case, share) for at, case in enumerate(cases, start=first)])


def pages(report: ParityReport, here: int, page_name: Callable[[int], str]) -> Markup | None:
    """Links to the other pages of cases; None where there is one page."""
    if report.pages < 2:
        return None
    links = [
        tag(
            "li",
            str(at) if at == here else tag("a", str(at), href=f"{page_name(at)}#cases"),
            aria_current=_now(at, here),
        )
        for at in range(1, report.pages + 1)
    ]
    return tag("nav", tag("span", "Cases, page"), tag("ul", links), aria_label="Pages of cases", class_="pages")


def _now(at: int, here: int) -> str | None:
    return "page" if at == here else None


def _filter(cases: Sequence[WorstCase]) -> Markup:
    """Hidden until the page's script shows it, so that without the script nothing promises what it cannot do."""
    choices = {
        "metric": sorted({case.metric for case in cases}),
        "status": sorted({case.status for case in cases}),
        "slice": sorted({pair for case in cases for pair in _pairs(case)})[:_MOST_CHOICES],
    }
    words = {"metric": "Metric", "status": "Why listed", "slice": "Slice"}
    return tag(
        "div",
        tag(
            "label",
            tag("span", "Search id, reason and texts"),
            tag("input", type="search", id="find", autocomplete="off", spellcheck="false"),
        ),
        [
            tag(
                "label",
                tag("span", words[name]),
                tag(
                    "select",
                    tag("option", "all", value=""),
                    [tag("option", cut(value, 80), value=value) for value in found],
                    id=f"by-{name}",
                ),
            )
            for name, found in choices.items()
        ],
        tag("button", "Open or close those shown", type="button", id="unfold"),
        tag("output", f"{count(len(cases))} cases on this page", id="filtered", aria_live="polite"),
        id="filter",
        class_="filter",
        role="search",
        aria_label="Find cases on this page",
        hidden=True,
    )


def _pairs(case: WorstCase) -> list[str]:
    return [f"{key}={value}" for key, value in sorted(case.slices.items())]


def _fitted(at: int, case: WorstCase, share: int) -> Markup:
    """One case in at most `share` bytes: tried at ever shorter lengths. What is cut off says so."""
    for length in _LENGTHS:
        if length * 3 > share and length > _LENGTHS[-1]:
            continue
        drawn = _case(at, case, length)
        if len(drawn.html.encode()) <= share:
            break
    return drawn


def _case(at: int, case: WorstCase, length: int) -> Markup:
    line = min(length, 300)
    far = "" if case.distance is None else f", distance {case.distance:.6g} {cut(case.unit, line)}".rstrip()
    slices = ", ".join(f"{key} {value}" for key, value in sorted(case.slices.items()))
    return tag(
        "details",
        tag(
            "summary",
            tag("h3", f"{at}. ", tag("code", cut(case.case_id, line))),
            f"{cut(case.metric, line)}{far}: {cut(case.reason, line)}",
            tag("span", cut(slices, line), class_="sub") if slices else None,
        ),
        tag(
            "div",
            _both(case, length),
            tag("div", tag("h4", "request"), _plain(case.request, length), class_="asked"),
            class_="sides",
        ),
        class_="case",
        id=f"case-{at}",
        open=at <= _OPEN,
        data_metric=case.metric,
        data_status=case.status,
        data_slice="\n".join(cut(pair, 80) for pair in _pairs(case)),
    )


def _both(case: WorstCase, length: int) -> Markup:
    source, target = case.source, case.target
    if source is None or target is None:
        return fragment(_side("source", _plain(source, length)), _side("target", _plain(target, length)))
    here, there = windows(source, target, length)
    marked = differences(here.text, there.text)
    return fragment(_side("source", _marked(here, marked[0])), _side("target", _marked(there, marked[1])))


def _side(word: str, shown: Markup) -> Markup:
    return tag("div", tag("h4", word), shown)


def _plain(text: str | None, length: int) -> Markup:
    if text is None:
        return tag("p", NOT_SHOWN, class_="soft")
    return _block(cut(text, length)) if text else tag("p", "empty", class_="soft")


def _marked(window: Window, pieces: Pieces) -> Markup:
    before = f"({window.before:,} characters before) … " if window.before else None
    after = f" … ({window.after:,} more characters)" if window.after else None
    body = [_mark(piece) if piece.differs else piece.text for piece in pieces]
    if not (window.text or before):
        return fragment(tag("p", "empty", class_="soft"))
    return _block(before, body, after)


def _mark(piece: Piece) -> Markup:
    """A marked number is isolated: among right-to-left words its two parts would otherwise change places."""
    marked = tag("mark", piece.text)
    return tag("bdi", piece.head, marked) if piece.head else marked


def _block(*children: Child) -> Markup:
    """Kept line breaks, and the direction of its own first strong character."""
    return tag("pre", *children, dir="auto", tabindex=None)
