"""The index: how each suite stands, since when, what broke it, what is missing; safe and small."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser

import pytest

from harness.core.night import Nights
from harness.core.report import Change
from harness.reporters.index import build
from tests.reporters.nights import BEGAN, GO, NO_GO, OPEN, night, nights, part


def page(report: Nights) -> str:
    return build().render(report).decode()


def text(report: Nights) -> str:
    return re.sub(r"<[^>]+>", "", re.sub(r"<style>.*?</style>", "", page(report), flags=re.S))


def test_it_tells_how_a_suite_stands_and_since_when() -> None:
    shown = text(nights(OPEN, OPEN, GO, GO, GO))
    assert "GO: Title of visits" in shown
    assert "GO since 2026-01-03 (3 nights)." in shown


def test_it_tells_what_broke_a_suite() -> None:
    report = nights(GO, GO, NO_GO, NO_GO)
    changed = Change(what="version", text="what serves the target", before="1", after="2")
    broken = night(2, part(NO_GO, 2, changes=[changed]))
    report = replace(report, nights=(*report.nights[:2], broken, report.nights[3]))
    shown = text(report)
    assert "NO-GO since 2026-01-03 (2 nights)." in shown
    assert "Broken by: labels agree; changed that night: what serves the target" in shown


def test_a_planted_night_is_shown_and_changes_nothing() -> None:
    report = nights(GO, GO)
    planted = replace(part(NO_GO, 2), planted="label_flips")
    shown = text(replace(report, nights=(*report.nights, night(2, planted))))
    assert "GO since 2026-01-01 (2 nights)." in shown
    assert "planted fault label_flips: no evidence" in shown


def test_missing_nights_are_told() -> None:
    assert "None since 2026-01-02: 4 days" in text(nights(GO, GO, made_after=timedelta(days=4)))
    assert "None since" not in text(nights(GO, GO, made_after=timedelta(hours=20)))
    report = nights(GO, GO, GO)
    late = night(3, part(GO, 3), day=9)
    report = replace(report, nights=(*report.nights, late), made_at=late.finished_at)
    assert "None from 2026-01-03 to 2026-01-10: 7 days." in text(report)


def test_nights_that_never_ended_or_cannot_be_read_are_told() -> None:
    shown = text(nights(GO, unfinished=(("night-x", BEGAN),), unreadable=(("night-y", "no JSON"),)))
    assert "parity nightly --resume night-x" in shown
    assert "Night night-y could not be read (no JSON)" in shown


def test_no_night_is_no_answer() -> None:
    assert "No night has ended yet" in text(nights())


def test_each_verdict_has_a_shape_and_a_word_of_its_own() -> None:
    found = page(nights(OPEN, GO, NO_GO))
    strip = found[found.index('class="strip"') : found.index("</svg>", found.index('class="strip"'))]
    assert len(set(re.findall(r'<path d="([^"]+)" class="shape">', strip))) == 3
    assert re.findall(r"<title>2026-01-0\d: ([A-Z-]+)", strip) == ["INCONCLUSIVE, new epoch"[:12], "GO", "NO-GO"]


def test_evidence_is_drawn_with_its_lines_and_told_in_words() -> None:
    found = page(nights(OPEN, OPEN, OPEN))
    assert "GO line" in found and "NO-GO line" in found
    assert "After 3 nights of this epoch: 1 in 8 against a loss beyond the margin (GO needs 1 in 20)" in found


def test_links_lead_to_reports_beside_it_and_nowhere_else() -> None:
    found = page(nights(GO, GO))
    links = set(re.findall(r'href="([^"]*)"', found))
    assert {"run-0-visits/report.html", "run-1-visits/report.html"} <= links
    assert all(link.startswith("#") or link.endswith("/report.html") for link in links)


@pytest.mark.parametrize("run", ["../../etc", "..", "javascript:alert(1)", "<script>"])
def test_a_hostile_name_leads_nowhere(run: str) -> None:
    hostile = replace(part(GO, 0), run=run, headline="<script>alert(1)</script>")
    found = page(Nights(nights=(night(0, hostile),), made_at=BEGAN))
    assert "<script" not in found
    assert not re.search(r'href="(\.|javascript:)', found)


def test_a_thousand_nights_of_three_suites_are_folded_by_month_and_stay_small() -> None:
    listed = tuple(
        night(place, *(part(GO, place, suite=suite) for suite in ("chat", "usage", "visits"))) for place in range(1000)
    )
    found = build().render(Nights(nights=listed, made_at=listed[-1].finished_at))
    assert len(found) < 2_000_000
    assert found.count(b"<summary>202") > 30


def test_every_element_is_closed() -> None:
    open_: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag not in ("meta", "br", "hr", "wbr"):
                open_.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert open_.pop() == tag

    Reader().feed(page(nights(OPEN, GO, NO_GO)))
    assert open_ == []
