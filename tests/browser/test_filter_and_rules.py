"""Pages as a browser shows them: the script runs under the page's policy, finds cases, and nobody is shut out."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import replace
from pathlib import Path

import pytest

from harness.core.report import Change, Distribution, EstateLine, Look, ParityReport, SliceSummary, WaiverSummary
from harness.reporters import html
from tests.browser import loading as browser
from tests.reporters import sample
from tests.reporters.reading import HOSTILE, Page

pytestmark = pytest.mark.skipif(browser.CHROMIUM is None, reason="no Chromium is installed (PARITY_CHROMIUM)")


def full(text: str = "") -> ParityReport:
    """A report in which every section has something to show."""
    report = sample.no_go()
    served = tuple(replace(side, served=(f"gpt sha256:{'0f' * 32}{text}",)) for side in report.sides)
    looks = tuple(
        Look(
            run=f"night-{at}{text}",
            at=report.finished_at,
            criterion=f"labels agree{text}",
            epoch="e",
            units=50 * at + 50,
            estimate=-0.001,
            low=-0.004,
            high=0.001,
            margin=0.005,
            p_go=10.0**-at,
            p_no_go=1.0,
        )
        for at in range(4)
    )
    spread = Distribution(
        metric=f"score{text}",
        what="distance",
        unit=f"USD{text}",
        edges=(1e-6, 1e-5, 1e-4),
        target=(3, 9),
        noise=(4, 2),
        zeros=(5, 0),
        logarithmic=True,
    )
    region = SliceSummary(metric="label", name="region", value=f"eu{text}", rows=9, target_mean=0.1, noise_mean=0.0)
    waived = WaiverSummary(
        criterion=f"c{text}", owner=f"o{text}", reason=f"r{text}", expires="2026-12-31", in_force=True
    )
    return replace(
        report,
        sides=served,
        looks=looks,
        previous=f"night-0{text}",
        changes=(Change(what="version", text=f"target served by{text}", before=f"1{text}", after=f"2{text}"),),
        distributions=(spread,),
        slices=(region,),
        waivers=(waived,),
        estate=(EstateLine(name=f"visits{text}", service="sagemaker", suites=()),),
    )


def paged() -> bytes:
    """A report with everything, cases with their controls included."""
    ((_, page),) = html.build().pages(full(), sample.cases(40))
    return page


STEPS = """
    var found = {};
    function look(name) {
      found[name] = Array.from(document.querySelectorAll("WHAT")).filter(function (one) {
        return !one.hidden && one.getClientRects().length;
      }).length;
    }
    function set(id, word) {
      var one = document.getElementById(id);
      var option = Array.from(one.options || []).find(function (each) { return each.text === word; });
      one.value = option ? option.value : word;
      one.dispatchEvent(new Event(id === "find-words" ? "input" : "change"));
    }
"""


def test_cases_are_found_by_outcome_reason_slice_and_words(tmp_path: Path):
    """Of 40 cases 4 fail and 4 match; every third is of the region eu."""
    ((_, page),) = html.build().pages(full(), sample.cases(40))
    script = (
        STEPS.replace("WHAT", "details.case")
        + """
    look("all");
    set("find-r", "label"); look("label");
    set("find-s", "region=eu"); look("label, eu");
    set("find-r", "any"); set("find-o", "a side failed"); look("failed, eu");
    set("find-s", "any"); set("find-o", "any");
    set("find-words", "FREQUENT  Visits-000017"); look("words");
    found.said = document.getElementById("find-said").textContent;
    set("find-words", "no case says this"); look("nothing");
    """
        + browser.say("found")
    )
    assert browser.said(browser.loaded(tmp_path, page, script)) == {
        "all": 40,
        "label": 32,
        "label, eu": 10,
        "failed, eu": 2,
        "words": 1,
        "said": "1 of 40 cases on this page",
        "nothing": 0,
    }


def test_pages_that_hold_none_are_left_out_of_the_index(tmp_path: Path):
    """Of 1,201 cases the last 120 match: all on the third page."""
    page = dict(html.build().pages(full(), sample.cases(1201)))["report.html"]
    script = (
        STEPS.replace("WHAT", "tr[data-o]")
        + """
    look("all");
    set("find-o", "matches"); look("matches");
    found.said = document.getElementById("find-said").textContent;
    """
        + browser.say("found")
    )
    assert browser.said(browser.loaded(tmp_path, page, script)) == {
        "all": 3,
        "matches": 1,
        "said": "0 of 100 cases on this page; pages below that may hold more: 1",
    }


def test_without_scripts_every_case_is_there_and_no_control(tmp_path: Path):
    """Blocked by a policy as a strict viewer would; a style of the page still applies."""
    ((_, page),) = html.build().pages(full(), sample.cases(40))
    source = re.sub(r"script-src [^;]+;", "script-src &#x27;none&#x27;;", page.decode(), count=1)
    read = Page(browser.loaded(tmp_path, source.encode()))
    assert len([one for one in read.all("details") if one.attributes.get("class") == "case"]) == 40
    assert next("hidden" in one.attributes for one in read.elements if one.attributes.get("id") == "find")


def test_hostile_text_stays_text_and_the_script_still_runs(tmp_path: Path):
    attacked = sample.cases(9, case_id=HOSTILE, source=HOSTILE, target=HOSTILE[::-1], slices={HOSTILE: HOSTILE})
    ((_, page),) = html.build().pages(full(HOSTILE), attacked)
    document = browser.loaded(tmp_path, page)
    assert "9 of 9 cases on this page" in document
    assert "<title>owned" not in document
    assert "<img" not in document


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_no_rule_of_axe_is_broken(tmp_path: Path, dark: bool):
    found = importlib.util.find_spec("axe_core_python")
    assert found is not None
    assert found.origin is not None
    axe = (Path(found.origin).parent / "axe.min.js").read_text(encoding="utf-8").replace("</", "<\\/")
    script = """
    var dark = matchMedia("(prefers-color-scheme: dark)").matches;
    Array.from(document.querySelectorAll("details")).forEach(function (one) { one.open = true; });
    axe.run(document, {resultTypes: ["violations"]}).then(function (result) {
      SAY
    });
    """.replace(
        "SAY",
        browser.say(
            "{dark: dark, passes: result.passes.length, violations: result.violations.map(function (one) "
            "{ return one.id + ': ' + one.nodes[0].html + ' ' + one.nodes[0].failureSummary; })}"
        ),
    )
    result = browser.said(browser.loaded(tmp_path, paged(), axe, script, dark=dark))
    assert result["violations"] == []
    assert result["dark"] is dark
    assert result["passes"] > 20


def test_a_narrow_screen_shows_everything_without_scrolling_sideways(tmp_path: Path):
    script = """
    document.querySelectorAll("details").forEach(function (one) { one.open = true; });
    """ + browser.say("[document.documentElement.scrollWidth, window.innerWidth]")
    wide, window = browser.said(browser.loaded(tmp_path, paged(), script, width=500))
    assert wide <= window
