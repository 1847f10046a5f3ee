"""Pages as a browser shows them: the script runs under the page's policy, finds cases, and nobody is shut out."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest

from harness.core.report import Change, Distribution, EstateLine, Look, ParityReport, SliceSummary, WaiverSummary
from harness.reporters import html
from tests.browser import loading as browser
from tests.reporters import sample
from tests.reporters.reading import HOSTILE

pytestmark = pytest.mark.skipif(browser.CHROMIUM is None, reason="no Chromium is installed (PARITY_CHROMIUM)")


def full(text: str = "") -> ParityReport:
    """A report in which every section has something to show."""
    report = sample.no_go()
    cases = tuple(
        sample.worst_case(
            f"case-{at}{text}",
            metric="label" if at % 2 else "score",
            slices={"region": "eu" if at % 3 else f"us{text}"},
            source=f"answer {at} of the source {text}",
            target=f"answer {at} of the target {text}",
            status="differs" if at % 5 else "failed",
        )
        for at in range(40)
    )
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
        worst=cases,
        differing=40,
        looks=looks,
        previous=f"night-0{text}",
        changes=(Change(what="version", text=f"target served by{text}", before=f"1{text}", after=f"2{text}"),),
        distributions=(spread,),
        slices=(region,),
        waivers=(waived,),
        estate=(EstateLine(name=f"visits{text}", service="sagemaker", suites=()),),
    )


def test_the_filter_finds_cases_by_text_metric_reason_and_slice(tmp_path: Path):
    script = """
    var found = {};
    function look(name, change) {
      change();
      found[name] = Array.from(document.querySelectorAll("details.case")).filter(function (one) {
        return !one.hidden && one.getClientRects().length;
      }).length;
    }
    function set(id, value) {
      var one = document.getElementById(id);
      one.value = value;
      one.dispatchEvent(new Event(id === "find" ? "input" : "change"));
    }
    look("all", function () {});
    look("score", function () { set("by-metric", "score"); });
    look("score, eu", function () { set("by-slice", "region=eu"); });
    look("score, eu, failed", function () { set("by-status", "failed"); });
    ["by-metric", "by-slice", "by-status"].forEach(function (id) { set(id, ""); });
    set("find", "ANSWER  Case-17");
    setTimeout(function () {
      look("text", function () {});
      found.said = document.getElementById("filtered").textContent;
      SAY
    }, 500);
    """.replace("SAY", browser.say("found"))
    found = browser.said(browser.loaded(tmp_path, html.build().render(full()), script))
    assert found == {
        "all": 40,
        "score": 20,
        "score, eu": 13,
        "score, eu, failed": 2,
        "text": 1,
        "said": "1 of 40 cases of this page shown",
    }


def test_hostile_text_stays_text_and_the_script_still_runs(tmp_path: Path):
    document = browser.loaded(tmp_path, html.build().render(full(HOSTILE)))
    assert 'data-ready="yes"' in document
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
    result = browser.said(browser.loaded(tmp_path, html.build().render(full()), axe, script, dark=dark))
    assert result["violations"] == []
    assert result["dark"] is dark
    assert result["passes"] > 20


def test_a_narrow_screen_shows_everything_without_scrolling_sideways(tmp_path: Path):
    script = browser.say("[document.documentElement.scrollWidth, window.innerWidth]")
    wide, window = browser.said(browser.loaded(tmp_path, html.build().render(full()), script, width=500))
    assert wide <= window
