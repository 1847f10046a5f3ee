"""One page over all nights: how each suite stands, since when, what broke it, and the way to every report.

It opens from a file, loads nothing and runs nothing, like the report of a run; its links lead to reports beside it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from harness.core.night import Night, Nights, SuiteNight, Told
from harness.core.verdict import Verdict
from harness.reporters._parts.markup import Child, Markup, fragment, sheet, tag
from harness.reporters._parts.nights_story import Course, courses, gaps
from harness.reporters._parts.nights_svg import STRIP, growth, strip
from harness.reporters._parts.style import CSS
from harness.reporters._parts.svg import VERDICT_CLASS, mark
from harness.reporters._parts.text import cut, visible
from harness.reporters._parts.words import count, moment

_FOLDER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
OPEN = 31  # nights whose table is shown at once; older ones are folded by month
_CSS = f"""{CSS}
.cards{{display:grid;gap:1.5rem;margin:1.5rem 0 0}}
.card{{padding:1.25rem 1.5rem;background:var(--panel);border-radius:12px;border-left:8px solid var(--soft)}}
.card.go{{border-left-color:var(--go)}}.card.nogo{{border-left:8px double var(--nogo)}}
.card.open{{border-left:8px dashed var(--open)}}
.card.go,.card.nogo,.card.open{{color:var(--ink)}}
.card h2{{display:flex;align-items:center;gap:.6rem}}
.card .stand{{font-weight:600;margin:.2rem 0}}
.strip{{display:block;height:32px;max-width:none}}
.strip .shape{{fill:currentColor}}
.strip .sign{{fill:none;stroke:var(--paper);stroke-width:2.2;stroke-linecap:round;stroke-linejoin:round}}
.strip .epoch{{stroke:var(--ink);stroke-width:1.5}}
.strip .ring{{fill:none;stroke:var(--soft);stroke-width:1.5}}
.strip .struck{{stroke:var(--paper);stroke-width:3}}
.growths{{display:grid;grid-template-columns:repeat(auto-fit,minmax(20rem,1fr));gap:1rem 2rem}}
.growths figure{{margin:0}}
.growths figcaption{{font-size:.875rem;font-weight:600}}
.growth{{display:block;width:100%;height:auto}}
.growth .course{{fill:none;stroke:currentColor;stroke-width:2}}
.growth .course.nogo{{stroke-dasharray:5 3}}
.growth .tip{{fill:currentColor}}
.growth .level{{stroke:currentColor;stroke-width:1;stroke-dasharray:2 3}}
.growth .none{{color:var(--soft)}}
.growth .tick{{fill:var(--soft);font-size:11px}}
details summary{{cursor:pointer;padding:.5rem 0}}
"""
_POLICY = (
    "default-src 'none'; script-src 'none'; img-src 'none'; base-uri 'none'; form-action 'none'; "
    f"style-src 'sha256-{base64.b64encode(hashlib.sha256(_CSS.encode()).digest()).decode()}'"
)


@dataclass(frozen=True, slots=True)
class Index:
    """The index as one HTML file in UTF-8."""

    @property
    def suffix(self) -> str:
        return ".html"

    def render(self, report: Nights) -> bytes:
        page = tag(
            "html",
            tag(
                "head",
                tag("meta", charset="utf-8"),
                tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
                tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
                tag("meta", name="color-scheme", content="light dark"),
                tag("meta", name="referrer", content="no-referrer"),
                tag("title", visible(_title(report))),
                sheet(_CSS),
            ),
            tag("body", _body(report)),
            lang="en",
        )
        return f"<!doctype html>\n{page.html}\n".encode()


def build() -> Index:
    return Index()


def _title(report: Nights) -> str:
    standing = [course.last.verdict for course in courses(report)]
    told = [f"{standing.count(verdict)} {verdict.value}" for verdict in Verdict if verdict in standing]
    return f"Parity, {', '.join(told) or 'no night yet'}"


def _body(report: Nights) -> Markup:
    found = courses(report)
    return fragment(
        tag("a", "Skip to the suites", href="#suites", class_="skip"),
        tag(
            "header",
            tag("p", f"Parity over the nights · made {moment(report.made_at)}", class_="eyebrow"),
            tag("h1", _newest(report)),
        ),
        tag(
            "main",
            list(_warnings(report)),
            tag("section", [_card(course) for course in found], id="suites", class_="cards", aria_label="Suites"),
            tag("section", tag("h2", "Nights", id="nights-title"), _tables(report), aria_labelledby="nights-title"),
        ),
        tag("footer", tag("p", _legend(), class_="small soft")),
    )


def _newest(report: Nights) -> str:
    if not report.nights:
        return "No night has ended yet"
    night = report.nights[-1]
    return f"Newest night: {night.started_at:%A %Y-%m-%d}, {night.verdict.value}"


def _warnings(report: Nights) -> Iterator[Markup]:
    missing = gaps(report)
    told = [
        *(f"Night {name} could not be read ({why}): what it says is missing here." for name, why in report.unreadable),
        *missing[:1],
        *(
            f"Night {name} began {moment(at)} and has not ended. Finish it with: parity nightly --resume {name}"
            for name, at in report.unfinished[-3:]
        ),
    ]
    for line in told:
        yield tag("div", cut(line, 400), class_="banner")
    if len(missing) > 1:
        yield tag(
            "details",
            tag("summary", f"{len(missing) - 1} earlier gaps"),
            tag("ul", [tag("li", line) for line in missing[1:60]]),
        )


def _card(course: Course) -> Markup:
    one = course.last
    first, nights = course.since
    return tag(
        "article",
        tag(
            "h2",
            mark(one.verdict, 30),
            tag("span", f"{one.verdict.value}: {one.title}"),
            tag("small", f"{course.suite}, {course.profile}", class_="soft small"),
        ),
        tag("p", _since(first, nights, one), class_="stand"),
        _broken(course),
        tag("p", cut(one.headline, 700)),
        tag("div", strip(course.nights), class_="scroll", tabindex="0", role="group", aria_label="Verdicts by night"),
        tag("p", _evidence(course), class_="small soft"),
        _growths(course),
        tag("p", tag("a", "Report of the newest night", href=_link(one))) if one.run else None,
        class_=f"card {VERDICT_CLASS[one.verdict]}",
    )


def _since(first: Night, nights: int, one: SuiteNight) -> str:
    return f"{one.verdict.value} since {first.started_at:%Y-%m-%d} ({nights} {'night' if nights == 1 else 'nights'})."


def _broken(course: Course) -> Markup | None:
    if not course.broken_by:
        return None
    return tag("p", tag("strong", "Broken by: "), cut("; ".join(course.broken_by), 400))


def _evidence(course: Course) -> str:
    one = course.last
    if one.kind == "whole":
        return "A fixed sample: every night is decided alone."
    left = f"{count(one.unseen)} to come" if one.unseen else "none left: later nights watch"
    return f"Epoch {one.epoch}, number {one.epochs} of this suite. {count(one.seen)} units seen, {left}."


def _growths(course: Course) -> Markup | None:
    one = course.last
    voting = sum(told.gating for told in one.findings)
    figures = []
    for name in dict.fromkeys(told.criterion for told in one.findings if told.slice is None and told.p_go is not None):
        points = list(_points(course, name, one.epoch))
        if len(points) > 1:
            figures.append(tag("figure", tag("figcaption", name), growth(points, voting)))
    if not figures or one.kind == "whole":
        return None
    return tag(
        "details", tag("summary", "Evidence by night"), tag("div", figures, class_="growths"), open=len(figures) < 7
    )


def _points(course: Course, criterion: str, epoch: str) -> Iterator[tuple[Night, Told]]:
    for night, one in course.nights[-STRIP:]:
        if one.epoch != epoch or one.planted is not None:
            continue
        for told in one.findings:
            if told.criterion == criterion and told.slice is None and told.p_go is not None:
                yield night, told


def _tables(report: Nights) -> Markup:
    newest_first = list(reversed(report.nights))
    shown, older = newest_first[:OPEN], newest_first[OPEN:]
    months = [
        tag("details", tag("summary", f"{month}: {_tally(nights)}"), _table(nights))
        for month, nights in (
            (month, list(listed)) for month, listed in groupby(older, key=lambda night: f"{night.started_at:%Y-%m}")
        )
    ]
    return fragment(_table(shown) if shown else tag("p", "None yet."), months)


def _tally(nights: Sequence[Night]) -> str:
    counted = [(verdict, sum(night.verdict is verdict for night in nights)) for verdict in Verdict]
    return ", ".join(f"{number} {verdict.value}" for verdict, number in counted if number)


def _table(nights: Iterable[Night]) -> Markup:
    return tag(
        "div",
        tag(
            "table",
            tag("thead", tag("tr", [tag("th", word, scope="col") for word in ("Night", "Profile", "Suites")])),
            tag("tbody", [_row(night) for night in nights]),
        ),
        class_="scroll",
    )


def _row(night: Night) -> Markup:
    return tag(
        "tr",
        tag("th", moment(night.started_at), tag("span", night.name, class_="sub mono"), scope="row"),
        tag("td", night.profile),
        tag("td", tag("ul", [tag("li", _entry(one)) for one in night.suites])),
    )


def _entry(one: SuiteNight) -> list[Child]:
    name: Child = tag("a", one.suite, href=_link(one)) if one.run else one.suite
    told = [
        f"{count(one.units)} {'units watched' if one.kind == 'watch' else 'units'}" if one.run else "could not be run",
        *([f"new epoch, number {one.epochs}" if one.epochs > 1 else "first night"] if one.opened else []),
        *([f"planted fault {one.planted}: no evidence"] if one.planted else []),
        *([f"alarm: {'; '.join(one.alarms)}"] if one.alarms else []),
        *(f"{change.what}: {change.text}" for change in one.changes[:4] if change.text not in one.alarms),
    ]
    return [
        tag("span", mark(one.verdict, 14), one.verdict.value, class_=f"verdict {VERDICT_CLASS[one.verdict]}"),
        " ",
        name,
        tag("span", f" {_short(' · '.join(told))}", class_="small soft"),
    ]


def _short(text: str) -> str:
    return text if len(text) <= 300 else f"{text[:299]}…"


def _link(one: SuiteNight) -> str | None:
    """The report of a run beside the index; None for a run whose name no run has."""
    return f"{one.run}/report.html" if one.run and _FOLDER.fullmatch(one.run) else None


def _legend() -> str:
    return (
        "A circle with a tick is GO, a square with a cross NO-GO, a triangle INCONCLUSIVE. A line before a mark opens "
        "a new epoch; a ring below it is a watch, whose payloads were replayed before; a mark struck out had a planted "
        "fault. Evidence lines rise to GO and fall to NO-GO; a verdict stands once its line is reached."
    )
