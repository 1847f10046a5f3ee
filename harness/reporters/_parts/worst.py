"""The worst cases, source and target side by side, with the difference marked."""

from __future__ import annotations

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


def worst(report: ParityReport) -> Markup:
    """The first thousand cases; every text as long as an equal share of the page's size allows."""
    if not report.worst:
        return tag("p", "No case is listed: none was worse than another.")
    shown = report.worst[:MOST_CASES]
    share = min(_ONE_BYTES, _ALL_BYTES // len(shown))
    left = len(report.worst) - len(shown)
    more = tag("p", f"{count(left)} more cases are in the JSON report.", class_="soft") if left else None
    return fragment(
        tag(
            "p",
            f"{count(len(shown))} of {count(report.cases)} cases, worst first. Payloads are shown at the level ",
            tag("code", report.payloads.value),
            " of this profile. Differences are underlined; numbers from the first digit that differs.",
            class_="soft",
        ),
        [_fitted(at, case, share) for at, case in enumerate(shown, start=1)],
        more,
    )


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
