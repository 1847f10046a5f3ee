"""The page: complete, self-contained, deaf to what models say, readable without colour."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from harness.core.report import ParityReport
from harness.core.verdict import Verdict
from harness.reporters import html
from harness.reporters._parts.script import SCRIPT
from harness.reporters._parts.style import PALETTE
from tests.reporters import sample
from tests.reporters.reading import HOSTILE, Page

BUILDERS = [sample.go, sample.no_go, sample.inconclusive, sample.partial]


def page(report: ParityReport) -> Page:
    return Page(html.build().render(report).decode("utf-8"))


def hostile(report: ParityReport) -> ParityReport:
    """The same report with hostile text wherever text comes from outside."""
    assert report.decision is not None
    worst = tuple(
        replace(
            one, case_id=HOSTILE, metric=HOSTILE, reason=HOSTILE, unit=HOSTILE, source=HOSTILE, target=HOSTILE[::-1]
        )
        for one in report.worst
    )
    findings = tuple(replace(one, reason=HOSTILE, slice=f"label={HOSTILE}") for one in report.decision.findings)
    return replace(
        report,
        title=HOSTILE,
        suite=HOSTILE,
        signature=HOSTILE,
        clients={HOSTILE: HOSTILE},
        worst=tuple(replace(one, request=HOSTILE, slices={HOSTILE: HOSTILE}) for one in worst),
        sides=tuple(replace(side, served=(HOSTILE,), endpoint=HOSTILE, failures={HOSTILE: 1}) for side in report.sides),
        departures=tuple(
            replace(one, departure=replace(one.departure, field=HOSTILE, source_value=HOSTILE, reason=HOSTILE))
            for one in report.departures
        ),
        decision=replace(report.decision, findings=findings, headline=HOSTILE, notes=(HOSTILE,)),
    )


@pytest.mark.parametrize("builder", BUILDERS)
def test_the_page_is_well_formed(builder: Callable[[], ParityReport]):
    read = page(builder())
    assert (read.doctype, read.unbalanced) == ("doctype html", [])


@pytest.mark.parametrize("builder", BUILDERS)
def test_the_page_runs_one_script_of_its_own_and_loads_nothing(builder: Callable[[], ParityReport]):
    read = page(builder())
    assert read.one("script").text == SCRIPT
    assert read.one("script").attributes == {}
    assert not {element.tag for element in read.elements} & {
        "img",
        "link",
        "iframe",
        "object",
        "base",
        "form",
    }
    assert not re.search(r"url\(|@import|https?:|//\w", read.source)
    assert all(link.attributes["href"].startswith("#") for link in read.all("a"))


def test_the_script_neither_writes_markup_nor_calls_out():
    powers = r"innerHTML|outerHTML|insertAdjacent|eval|Function|fetch|XMLHttp|import|setTimeout|torage|document\.write"
    assert not re.search(powers, SCRIPT)


def test_the_policy_admits_the_one_stylesheet_and_the_one_script_and_nothing_else():
    read = page(sample.go())
    (policy,) = [one for one in read.all("meta") if one.attributes.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(part.strip().split(" ", 1) for part in policy.attributes["content"].split(";"))
    for name in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256(read.one(name).text.encode()).digest()).decode()
        assert rules.pop(f"{name}-src") == f"'sha256-{digest}'"
    assert set(rules.values()) == {"'none'"}
    assert {"default-src", "img-src", "base-uri", "form-action"} == set(rules)


def test_the_policy_stands_before_anything_it_governs():
    tags = [element.tag for element in page(sample.go()).elements[:4]]
    assert tags == ["html", "head", "meta", "meta"]


def test_hostile_text_adds_no_element_and_no_attribute():
    calm, attacked = page(sample.no_go()), page(hostile(sample.no_go()))
    assert {element.tag for element in attacked.elements} <= {element.tag for element in calm.elements} | {"i"}
    assert {name for element in attacked.elements for name in element.attributes} <= {
        name for element in calm.elements for name in element.attributes
    }
    assert attacked.unbalanced == []


def test_hidden_characters_reach_nobody_unseen():
    source = html.build().render(hostile(sample.no_go())).decode("utf-8")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\ufeff\U000e0041]", source)
    assert "U+202E" in source
    assert "U+D800" in source


def test_a_very_long_answer_is_cut_with_a_note():
    long = replace(sample.worst_case(), source="x" * 3_000_000, target="x" * 2_999_999 + "y")
    source = html.build().render(replace(sample.go(), worst=(long,))).decode()
    assert len(source) < 100_000
    assert re.search(r"\([\d,]+ characters before\)", source)


@pytest.mark.parametrize(
    "text", ["plain words, 0.35 ", HOSTILE, "\u202e\u202d\x00", "<&>"], ids=["plain", "hostile", "hidden", "markup"]
)
def test_a_thousand_worst_cases_stay_under_2_mb(text: str):
    cases = tuple(
        sample.worst_case(
            f"{text}{at}", source=text * 300, target=text * 299 + "!", request=text * 300, reason=text * 30
        )
        for at in range(1000)
    )
    rendered = html.build().render(replace(sample.no_go(), worst=cases))
    assert len(rendered) < 2_000_000
    assert rendered.count(b"<details class=") == 1000


@pytest.mark.parametrize("builder", [sample.go, sample.no_go, sample.inconclusive])
def test_the_decision_comes_first_and_in_words(builder: Callable[[], ParityReport]):
    report = builder()
    assert report.decision is not None
    headings = [element.text for element in page(report).elements if element.tag == "h2"]
    assert headings[0] == f"Decision: {report.decision.verdict.value}"


def test_verdicts_differ_without_colour():
    shapes = {
        verdict: tuple(
            element.attributes["d"]
            for element in page(replace(sample.go(), decision=sample.decision(verdict, (), "x"))).all("path")
        )
        for verdict in Verdict
    }
    assert len(set(shapes.values())) == len(Verdict)


def test_a_partial_run_shows_its_banner_and_no_verdict():
    read = page(replace(sample.go(), partial=True))
    assert "A partial run carries no decision" in read.one("main").text
    assert read.one("title").text.startswith("PARTIAL")
    assert not [element for element in read.elements if "verdict" in (element.attributes.get("class") or "")]


def test_a_planted_fault_and_an_early_stop_are_said_before_the_decision():
    text = page(replace(sample.inconclusive(), planted="slow_tail")).one("main").text
    assert text.index("slow_tail") < text.index("Decision:")
    assert text.index("the ceiling of 600 calls was reached") < text.index("Decision:")


def test_every_row_of_a_criterion_has_its_numbers_and_reason():
    row = next(element for element in page(sample.no_go()).all("tr") if "scores agree" in element.text)
    for shown in (
        "INCONCLUSIVE",
        "waived by claims-models",
        "−0.0043",
        "−0.0080 to −0.0020",
        "0.0050",
        "1,619",
        "0.8 %",
    ):
        assert shown in row.text


def test_a_finding_without_evidence_still_counts_what_was_left_out():
    row = next(element for element in page(sample.inconclusive()).all("tr") if "scores agree" in element.text)
    for shown in ("no interval", "margin 0.0050", "200", "every row was excluded"):
        assert shown in row.text


def test_slices_stand_under_their_criterion():
    bodies = [body.text for body in page(sample.go()).all("tbody") if "labels agree" in body.text]
    assert len(bodies) == 1
    assert (
        bodies[0].index("labels agree")
        < bodies[0].index("source_label=other")
        < bodies[0].index("source_label=frequent")
    )


def test_an_interval_is_drawn_with_a_text_alternative():
    labels = [
        one.attributes["aria-label"] for one in page(sample.no_go()).all("svg") if one.attributes.get("role") == "img"
    ]
    assert labels[0] == (
        "Estimate -0.1983, interval -0.2154 to -0.1820, margin 0.0050: the interval lies beyond the margin."
    )
    assert labels[1].endswith("inside the margin.")
    assert labels[3].endswith("across the margin.")


def test_both_latency_distributions_are_drawn_and_told():
    (drawing,) = [one for one in page(sample.go()).all("svg") if one.attributes["class"] == "latencies"]
    assert drawing.attributes["aria-label"] == (
        "Latency of answered calls. Source: 1,619 answered, p50 9.70 ms, p95 27.6 ms, p99 48.1 ms. "
        "Target: 1,619 answered, p50 5.10 ms, p95 15.9 ms, p99 35.2 ms."
    )


def test_sides_without_a_single_answer_are_reported_all_the_same():
    report = sample.no_go()
    silent = replace(
        report.sides[1], answered=0, p50_s=None, p95_s=None, p99_s=None, histogram=(), failures={"denied": 1619}
    )
    read = page(replace(report, sides=(report.sides[0], silent)))
    assert "1,619 denied" in read.one("main").text
    assert "No latencies to draw" in read.one("main").text


def test_what_the_profile_hides_is_said_to_be_hidden():
    bare = replace(sample.worst_case(), request=None, source=None, target=None)
    read = page(replace(sample.go(), worst=(bare,)))
    (case,) = [one for one in read.all("details") if one.attributes.get("class") == "case"]
    assert case.text.count("not shown") == 3


def test_differences_are_marked_from_the_first_differing_digit():
    marks = [element.text for element in page(sample.go()).all("mark")]
    assert marks[:2] == ["502717018127441", "4999999403953552"]


def test_a_marked_number_keeps_its_digits_together_among_right_to_left_words():
    case = sample.worst_case(source="שלום 0.35", target="שלום 0.36")
    assert "<bdi>0.3<mark>5</mark></bdi>" in page(replace(sample.go(), worst=(case,))).source


def test_an_empty_report_is_still_a_page():
    report = replace(sample.partial(), sides=(), metrics=(), departures=(), worst=(), partial=False)
    read = page(report)
    assert read.unbalanced == []
    assert read.one("title").text.startswith("NO DECISION")


def test_the_page_can_be_walked_by_keyboard_and_heard():
    read = page(sample.no_go())
    assert read.one("html").attributes["lang"] == "en"
    assert [len(read.all(landmark)) for landmark in ("header", "nav", "main", "footer", "h1")] == [1, 1, 1, 1, 1]
    ids = [element.attributes["id"] for element in read.elements if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    assert {link.attributes["href"][1:] for link in read.all("a")} <= set(ids)
    assert read.all("a")[0].attributes["class"] == "skip"
    assert all(head.attributes.get("scope") in {"col", "row"} for head in read.all("th"))
    assert len(read.all("caption")) == len(read.all("table"))
    assert all("aria-label" in one.attributes or one.attributes.get("aria-hidden") == "true" for one in read.all("svg"))


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ink", ["ink", "soft", "go", "nogo", "open", "source", "target"])
@pytest.mark.parametrize("ground", ["paper", "panel"])
def test_text_has_a_contrast_of_4_5_to_1(ink: str, ground: str, mode: int):
    """WCAG 2.2, success criterion 1.4.3."""
    assert contrast(PALETTE[ink][mode], PALETTE[ground][mode]) >= 4.5


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
def test_marked_text_has_a_contrast_of_4_5_to_1(mode: int):
    assert contrast(PALETTE["ink"][mode], PALETTE["marked"][mode]) >= 4.5


def contrast(one: str, other: str) -> float:
    """Ratio of relative luminances, 1 to 21; WCAG 2.2 definitions."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
