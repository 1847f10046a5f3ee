"""What a night's report shows beside its decision: evidence, distributions, slices, changes, waivers, estate, pace."""

from __future__ import annotations

import re
from dataclasses import replace

from harness.core.report import Look
from harness.reporters import html
from tests.reporters import sample
from tests.reporters.reading import Page


def page(**changes: object) -> Page:
    return Page(html.build().render(sample.told(**changes)).decode())


def label(read: Page, kind: str, at: int = 0) -> str:
    drawings = [one for one in read.all("svg") if one.attributes.get("class") == kind]
    return drawings[at].attributes["aria-label"] or ""


def text_of(read: Page, anchor: str) -> str:
    return next(one.text for one in read.all("section") if one.attributes.get("id") == anchor)


def test_a_run_alone_has_no_empty_sections():
    anchors = {one.attributes.get("id") for one in Page(html.build().render(sample.go()).decode()).all("section")}
    assert not anchors & {"nights", "changes", "waivers", "estate"}


def test_evidence_is_told_against_the_lines_of_the_policy():
    """GO at 1 / alpha; NO-GO at the first step of Holm over the 4 findings that vote."""
    looks = tuple(replace(look, alpha_go=0.01) for look in sample.told().looks)
    voting = sum(finding.gating for finding in sample.told().decision.findings)  # type: ignore[union-attr]
    said = label(page(looks=looks), "nights")
    assert f"open after 5 runs and 150 units: for GO 31 of 100, for NO-GO 1 of {voting * 20}" in said


def test_no_go_is_not_said_before_its_own_line_is_reached():
    """p = 0.02 is below alpha, and not below alpha over the number of criteria that were asked."""
    looks = tuple(replace(look, p_go=1.0, p_no_go=0.02) for look in sample.told().looks)
    assert "open after" in label(page(looks=looks), "nights")


def test_a_new_epoch_breaks_the_line():
    read = page()
    lines = [one.attributes["d"] for one in read.all("path") if "line" in (one.attributes.get("class") or "")]
    assert [(line or "").count("M") for line in lines] == [2] * 4
    assert len([one for one in read.all("line") if one.attributes.get("class") == "epoch"]) == 2


def test_evidence_beyond_all_measure_stays_in_the_picture():
    looks = tuple(replace(look, p_go=0.0) for look in sample.told().looks)
    assert "over a million" in label(page(looks=looks), "nights")


def test_one_look_without_units_is_drawn():
    look: Look = replace(sample.told().looks[0], units=0, p_go=1.0)
    assert "0 units" in label(page(looks=(look,)), "nights")


def test_distributions_tell_their_zeros_and_extremes():
    said = label(page(), "latencies", 1)
    assert said.startswith("score, distance in probability; exactly 0 in 564 of 1,619")
    assert said.endswith("target 1055 rows between 1e-9 and 0.001; noise none.".replace("1055", "1,055"))


def test_exact_zeros_have_a_bar_of_their_own():
    """12 bins, 9 of them with rows, and one bar for the zeros."""
    drawing = page().source.split('class="latencies"')[2]
    assert drawing.split("</svg>")[0].count('class="target"') == 10


def test_one_row_of_many_is_drawn_high_enough_to_be_seen():
    drawing = page().source.split('class="latencies"')[2].split("</svg>")[0]
    assert min(float(height) for height in re.findall(r'height="([\d.]+)"', drawing)) >= 2.0


def test_a_slice_that_is_judged_shows_its_verdict():
    rows = [one.text for one in page().all("tr")]
    row = next(text for text in rows if text.startswith("label") and "source_label = frequent" in text)
    assert "NO-GO" in row


def test_what_changed_is_told_by_kind():
    text = text_of(page(), "changes")
    assert text.index("Versions (1)") < text.index("New failures (1)") < text.index("Recovered (1)")
    assert "onnxruntime 1.22" in text


def test_a_night_like_the_last_says_so():
    assert "Nothing has changed" in text_of(page(changes=()), "changes")


def test_an_expired_waiver_is_said_to_be_expired():
    text = text_of(page(), "waivers")
    assert "2026-10-31expired" in text
    assert "2026-12-31in force" in text


def test_what_nothing_covers_is_listed_first():
    text = text_of(page(), "estate")
    assert text.index("fraud-prod") < text.index("visits-prod")


def test_cost_that_is_not_known_says_why():
    row = next(one.text for one in page().all("tr") if one.text.startswith("Cost of 1,000 calls"))
    assert "no price is stated" in row
    assert "$0.42" in row


def test_rates_stand_beside_counts():
    row = next(one.text for one in page().all("tr") if one.text.startswith("Throttled attempts"))
    assert "0.55%" in row
