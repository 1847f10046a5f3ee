"""Words and numbers that every format says alike."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime

import pytest

from harness.core.verdict import Verdict
from harness.reporters._parts import words
from tests.reporters import sample


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0.0000"),
        (-0.0, "0.0000"),
        (-0.00061, "-0.0006"),
        (1.2e-7, "1.2e-07"),
        (None, "not measured"),
        (math.nan, "not a finite number"),
        (-math.inf, "not a finite number"),
    ],
)
def test_numbers(value: float | None, shown: str):
    assert words.number(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.00082, "0.82 ms"),
        (0.0123, "12.3 ms"),
        (0.4128, "413 ms"),
        (1.2, "1.20 s"),
        (75.0, "75.0 s"),
        (None, "not measured"),
    ],
)
def test_durations(value: float | None, shown: str):
    assert words.seconds(value) == shown


def test_a_bound_never_reads_as_equal_to_the_margin_when_it_is_not():
    shown = words.figures(sample.evidence("labels agree", -0.001, -0.00499991, 0.0))
    assert (shown.low, shown.margin) == ("-0.0049999", "0.0050000")


def test_a_bound_on_the_margin_reads_as_equal():
    shown = words.figures(sample.evidence("labels agree", -0.001, -0.005, 0.0))
    assert (shown.low, shown.margin) == ("-0.0050", "0.0050")


def test_a_small_margin_keeps_two_digits():
    assert words.figures(sample.evidence("x", 0.0, -0.00001, 0.0, margin=0.00025)).margin == "0.00025"


def test_a_partial_run_has_no_decision_whatever_it_carries():
    report = replace(sample.go(), partial=True)
    assert words.decided(report) is None
    assert words.verdict_word(report) == "PARTIAL"


def test_the_verdict_is_not_said_twice():
    assert words.headline(sample.go()).startswith("We replayed 1,619")


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_decision_without_a_headline_says_what_its_verdict_means(verdict: Verdict):
    report = replace(sample.go(), decision=sample.decision(verdict, (), ""))
    assert len(words.headline(report)) > 40


def test_the_coverage_line_names_what_served():
    assert "onnxruntime 1.23.2" in words.coverage(sample.go())


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="no time zone"):
        words.moment(datetime(2026, 11, 20))  # noqa: DTZ001  the missing zone is the point


def test_how_long_a_run_took():
    assert words.took(sample.go()) == "1 min 42 s"


def quoting(said: str):
    report = sample.go()
    assert report.decision is not None
    return replace(report, decision=replace(report.decision, headline=said))


def test_a_headline_is_taken_apart_into_the_findings_that_it_names():
    one, two = sample.go().decision.findings[:2]
    names = [f"{item.criterion}, {item.slice}" if item.slice else item.criterion for item in (one, two)]
    quotes = [f"{name}: {item.reason}" for name, item in zip(names, (one, two), strict=True)]
    first, named, last = words.told(quoting(f"Well. {quotes[0]} {quotes[1]} That is all."))
    assert (first, last) == ("Well.", "That is all.")
    assert named == ((names[0], one.reason), (names[1], two.reason))


def test_a_headline_that_is_not_understood_is_shown_whole():
    one, *_, two = (item for item in sample.go().decision.findings if item.slice is None)
    said = f"{one.criterion}: {one.reason} and yet {two.criterion}: {two.reason}"
    assert words.told(quoting(said)) == (said, (), "")
    assert words.told(quoting("Plain words.")) == ("Plain words.", (), "")
