"""The comment for a pull request, read back with a CommonMark parser."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from harness.core.verdict import Verdict
from harness.reporters import markdown
from tests.reporters import sample
from tests.reporters.reading import HOSTILE, Page

ATTACKS = [
    HOSTILE,
    "a | b `code` **bold** <b>x</b> ![i](http://x.example/i.png) [l](http://x.example) ~~s~~ $m$",
    "1. list", "- list", "# head", "> quote", "```", "    code", "=====", "|---|",
    "fixes #12 says @octo-org/everyone at https://x.example and www.x.example",
]  # fmt: skip


def rendered(text: str) -> Page:
    return Page(MarkdownIt("gfm-like", {"linkify": False}).enable("table").render(text))


def comment(**changes: object) -> str:
    return markdown.build().render(replace(sample.no_go(), **changes)).decode("utf-8")


@pytest.mark.parametrize("attack", ATTACKS)
def test_inserted_text_stays_text_in_a_table_cell(attack: str):
    page = rendered(f"| head |\n|---|\n| x {markdown.escape(attack)} |\n")
    assert {element.tag for element in page.elements} == {"table", "thead", "tbody", "tr", "th", "td"}
    assert len(page.all("td")) == 1


@given(st.text(st.characters(), max_size=80))
def test_any_text_stays_one_cell_without_markup(text: str):
    page = rendered(f"| head |\n|---|\n| x{markdown.escape(text)}x |\n")
    assert {element.tag for element in page.elements} == {"table", "thead", "tbody", "tr", "th", "td"}


def test_nobody_is_called_and_nothing_is_linked():
    escaped = markdown.escape(ATTACKS[-1])
    assert not re.search(r"@\w|#\d|https?://|www\.\w", escaped)


@pytest.mark.parametrize("builder", [sample.go, sample.no_go, sample.inconclusive, sample.partial])
def test_the_verdict_is_the_heading(builder):
    page = rendered(markdown.build().render(builder()).decode())
    word = re.split(r"[: ]", page.one("h2").text.lstrip("✔✖❓ "))[0]
    decision = builder().decision
    assert word == (decision.verdict.value if decision else "PARTIAL")


def test_every_finding_has_its_row():
    table = rendered(comment()).all("table")[0]
    for shown in ("labels agree", "source_label=frequent", "-0.2154 to -0.1820", "1,619", "waived by claims-models"):
        assert shown in table.text


def test_rows_keep_the_order_of_the_policy():
    rows = [row.text for row in rendered(comment()).all("table")[0:1]]
    places = [rows[0].index(name) for name in ("labels agree", "=other", "=frequent", "scores agree", "median latency")]
    assert places == sorted(places)


def test_the_worst_five_are_shown_and_no_sixth():
    worst = tuple(sample.worst_case(f"visits-{at:04}") for at in range(9))
    text = comment(worst=worst)
    assert "visits-0004" in text
    assert "visits-0005" not in text


def test_a_partial_run_is_said_to_be_partial():
    text = markdown.build().render(sample.partial()).decode()
    assert "PARTIAL" in text
    assert "GO" not in re.sub(r"golden|GOLDEN", "", text.split("Signature")[0])


@pytest.mark.parametrize(
    "text", ["word ", HOSTILE, "&", "#", "\U0001f600"], ids=["plain", "hostile", "amp", "hash", "astral"]
)
def test_a_comment_stays_under_60_kb(text: str):
    report = sample.no_go()
    assert report.decision is not None
    findings = tuple(
        replace(report.decision.findings[2], slice=f"label={at}{text * 60}", reason=text * 300) for at in range(900)
    )
    decision = replace(report.decision, findings=findings, headline=text * 2000, notes=(text * 500,) * 40)
    worst = (
        replace(report.worst[0], case_id=text * 90, reason=text * 900, source=text * 9000, target=text * 8999),
    ) * 9
    sides = tuple(replace(side, served=(text * 400,)) for side in report.sides)
    rendered = comment(
        decision=decision, worst=worst, sides=sides, title=text * 900, signature=text * 900, stopped=text * 900
    )
    assert len(rendered.encode()) < 60_000


def test_failed_findings_are_kept_where_not_all_fit():
    report = sample.no_go()
    assert report.decision is not None
    passed = [replace(report.decision.findings[1], slice=f"region={at}") for at in range(2000)]
    findings = (*passed, replace(report.decision.findings[2], slice="region=last"))
    assert findings[-1].verdict is Verdict.NO_GO
    text = comment(decision=replace(report.decision, findings=findings))
    assert "region=last" in text
    assert re.search(r"[\d,]+ more findings are in the full report", text)
