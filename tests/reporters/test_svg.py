"""Drawings say what the numbers say."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from harness.core.verdict import Verdict
from harness.reporters._parts.svg import interval, interval_key, latencies
from tests.reporters import sample
from tests.reporters.reading import Element, Page


def drawn(estimate: float, low: float, high: float, margin: float) -> Page:
    return Page(interval(sample.evidence("x", estimate, low, high, margin), Verdict.GO).html)


def at(page: Page, kind: str) -> float:
    (found,) = [one for one in page.elements if one.attributes.get("class") == kind]
    return float(found.attributes["cx" if kind == "dot" else "x1"] or "nan")


def tips(page: Page) -> list[Element]:
    return [one for one in page.elements if one.attributes.get("class") == "tip"]


@pytest.mark.parametrize("margin", [0.0, 0.005, 0.03, 0.1])
def test_the_margin_stands_at_one_place_for_every_criterion(margin: float):
    assert at(drawn(0.0, -0.001, 0.001, margin), "edge") == at(Page(interval_key().html), "edge")


@pytest.mark.parametrize(
    ("low", "high", "place"),
    [
        (-0.0049, 0.01, "inside"),
        (-0.005, 0.01, "across"),  # a bound on the margin does not pass
        (-0.02, -0.005, "across"),
        (-0.02, -0.004, "across"),
        (-0.02, -0.0051, "beyond"),
    ],
)
def test_the_text_says_where_the_interval_lies(low: float, high: float, place: str):
    label = drawn((low + high) / 2, low, high, 0.005).one("svg").attributes["aria-label"]
    assert label is not None
    assert label.endswith(f"the interval lies {place} the margin.")


@pytest.mark.parametrize(("low", "high"), [(-0.0049, 0.0), (-0.01, -0.0051)])
def test_the_drawing_puts_the_interval_on_the_side_where_it_lies(low: float, high: float):
    page = drawn((low + high) / 2, low, high, 0.005)
    assert (at(page, "span") > at(page, "edge")) == (low > -0.005)
    assert (at(page, "dot") > at(page, "edge")) == (low > -0.005)


def test_what_does_not_fit_ends_in_an_arrowhead():
    assert [len(tips(drawn(-0.2, low, high, 0.005))) for low, high in ((-0.001, 0.001), (-0.3, 0.0), (-1.0, 1.0))] == [
        0,
        1,
        2,
    ]


@pytest.mark.parametrize("bound", [-math.inf, math.nan])
def test_a_bound_that_is_no_number_is_drawn_as_open(bound: float):
    assert len(tips(drawn(0.0, bound, 0.0, 0.005))) == 1


def test_latencies_share_one_scale():
    source, target = sample.go().sides
    page = Page(latencies(source, target).html)
    tallest = {
        side: max(float(bar.attributes["height"]) for bar in page.all("rect") if bar.attributes["class"] == side)
        for side in ("source", "target")
    }
    assert tallest["source"] / tallest["target"] == pytest.approx(588 / 640, rel=0.01)


def test_percentiles_stand_in_their_bin():
    """p50 of the source is 9.70 ms, between the edges 8 and 11 ms: in the fifth of the thirteen bins that are drawn."""
    source, target = sample.go().sides
    page = Page(latencies(source, target).html)
    first = next(one for one in page.all("line") if one.attributes["class"] == "percentile")
    step = (748 - 64) / 13
    assert 64 + 4 * step < float(first.attributes["x1"]) < 64 + 5 * step


def test_sides_with_other_edges_are_not_drawn_together():
    source, target = sample.go().sides
    assert latencies(source, replace(target, histogram=((0.5, 3),))) is None
