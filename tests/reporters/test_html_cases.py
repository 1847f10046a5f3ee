"""Every listed case: on the page, or on pages beside it; found by outcome, reason, slice and words."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from harness.core.protocols import PagedReporter
from harness.core.report import CaseOutcome
from harness.reporters import html
from tests.reporters import sample
from tests.reporters.reading import HOSTILE, Page


def pages(number: int, **changes: object) -> dict[str, bytes]:
    return dict(html.build().pages(sample.told(replayed=number), sample.cases(number, **changes)))


def cases_in(content: bytes) -> int:
    return content.count(b'<details class="case"')


def test_the_reporter_is_one_that_pages():
    assert isinstance(html.build(), PagedReporter)


def test_a_thousand_cases_are_on_one_page_under_2_mb():
    long = "A long answer that says the same in other words. " * 60
    (made,) = pages(1000, source=long, target=long.replace("same", "like"), request=long).items()
    assert made[0] == "report.html"
    assert cases_in(made[1]) == 1000
    assert len(made[1]) < 2_000_000


def test_more_than_a_thousand_are_paged_and_none_is_lost():
    made = pages(1201)
    assert list(made) == ["report-cases-0001.html", "report-cases-0002.html", "report-cases-0003.html", "report.html"]
    assert [cases_in(content) for content in made.values()] == [500, 500, 201, 100]
    report = Page(made["report.html"].decode())
    links = [one.attributes["href"] for one in report.all("a")]
    assert {"report-cases-0001.html", "report-cases-0002.html", "report-cases-0003.html"} <= set(links)


@pytest.mark.parametrize("text", [HOSTILE, "<&>"], ids=["hostile", "markup"])
def test_every_page_stays_under_2_mb(text: str):
    made = pages(1001, source=text * 300, target=text * 299 + "!", request=text * 300, case_id=text)
    assert max(len(content) for content in made.values()) < 2_000_000


def test_every_page_is_well_formed_and_has_the_same_policy():
    made = [Page(content.decode()) for content in pages(1001).values()]
    assert [one.unbalanced for one in made] == [[]] * 4
    policies = {one.all("meta")[1].attributes["content"] for one in made}
    assert len(policies) == 1


def test_pages_lead_to_the_report_and_to_their_neighbours():
    made = Page(pages(1201)["report-cases-0002.html"].decode())
    links = {one.attributes["href"] for one in made.all("a")}
    assert links == {"report.html#decision", "report-cases-0001.html", "report-cases-0003.html"}


def test_the_index_counts_outcomes_and_is_found_by_them():
    (row, *_) = [one for one in Page(pages(1201)["report.html"].decode()).all("tr") if one.attributes.get("data-o")]
    assert row.text == "1 to 50012038000"
    assert row.attributes["data-o"] == "failed differs"


def test_a_case_is_found_by_its_outcome_reason_and_slice():
    read = Page(pages(30)["report.html"].decode())
    lists = {
        one.attributes["id"]: re.findall(
            r'<option value="([^"]*)">([^<]*)</option>',
            read.source[read.source.index(f'id="{one.attributes["id"]}"') :].split("</select>")[0],
        )
        for one in read.all("select")
    }
    assert [name for _, name in lists["find-s"]] == ["any", "region=apac", "region=eu", "region=us"]
    assert [name for _, name in lists["find-r"]] == ["any", "label", "target timeout"]
    first = next(one for one in read.all("details") if one.attributes.get("class") == "case")
    numbers = {name: value for options in lists.values() for value, name in options}
    assert (first.attributes["data-o"], first.attributes["data-r"], first.attributes["data-s"]) == (
        "failed",
        numbers["target timeout"],
        numbers["region=eu"],
    )


def test_controls_are_hidden_until_the_script_shows_them():
    box = next(one for one in Page(pages(30)["report.html"].decode()).elements if one.attributes.get("id") == "find")
    assert "hidden" in box.attributes


def test_a_hostile_slice_is_an_option_and_no_element():
    read = Page(pages(30, slices={HOSTILE: HOSTILE})["report.html"].decode())
    assert len(read.all("script")) == 1
    assert not read.all("img")
    assert read.unbalanced == []


def test_what_a_payload_rule_hides_is_not_shown_by_a_case():
    read = Page(pages(30, request=None, source=None, target=None)["report.html"].decode())
    case = next(one for one in read.all("details") if one.attributes.get("class") == "case")
    assert case.text.count("not shown") == 3


def test_a_case_that_matches_tells_how_far_it_is():
    matching = tuple(replace(one, outcome=CaseOutcome.MATCHES) for one in sample.cases(20)[-2:])
    ((_, content),) = html.build().pages(sample.told(replayed=2), matching)
    assert "matches" in content.decode()
    assert "distance 0.1 (labels)" in content.decode()
