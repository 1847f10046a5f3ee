"""What a run prints at its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from harness.core.report import ParityReport
from harness.reporters import terminal
from tests.reporters import sample
from tests.reporters.reading import HOSTILE


def lines(report: ParityReport, **options: bool) -> list[str]:
    return terminal.build(**options).render(report).decode("utf-8").splitlines()


def test_a_criterion_is_one_line_with_its_numbers():
    (line,) = [line for line in lines(sample.go()) if "scores agree" in line]
    assert line.split("  ")[1] == "GO"
    assert line.endswith("0.0000 [-0.0018, 0.0000] margin 0.0050; 1,619 units, 0 excluded, 0 unscored")


def test_a_finding_without_evidence_still_counts_what_was_left_out():
    (line,) = [line for line in lines(sample.inconclusive()) if "scores agree" in line]
    assert line.endswith("no interval, margin 0.0050; 0 units, 200 excluded, 0 unscored")


def test_what_is_not_go_says_why():
    text = "\n".join(lines(sample.no_go()))
    assert 'the target never says "frequent"' in text
    assert "waived by claims-models" in text


def test_noise_floor_departures_and_incomparable_counts_are_told():
    text = "\n".join(lines(sample.go()))
    assert "label: target 0.0000 (1,619 rows), source against itself 0.0000 (60 rows), 0 incomparable" in text
    assert "source against itself not measured, 3 incomparable" in text
    assert "CustomAttributes: tenant=blue dropped, 12 cases" in text


@pytest.mark.parametrize(
    ("builder", "word"),
    [(sample.go, "GO"), (sample.no_go, "NO-GO"), (sample.inconclusive, "INCONCLUSIVE"), (sample.partial, "PARTIAL")],
)
def test_the_end_is_the_decision_and_the_signature(builder: Callable[[], ParityReport], word: str):
    shown = lines(builder())
    assert f"decision: {word}" in shown
    assert shown[-1] == f"signature: {sample.SIGNATURE}"


def test_a_partial_run_judges_nothing_even_where_it_carries_findings():
    text = "\n".join(lines(replace(sample.go(), partial=True)))
    assert "none was judged" in text
    assert "decision: GO" not in text


def test_stops_and_planted_faults_stand_above_the_decision():
    shown = lines(replace(sample.inconclusive(), planted="slow_tail"))
    at = shown.index("decision: INCONCLUSIVE")
    assert shown[at - 2].startswith("PLANTED FAULT: slow_tail")
    assert shown[at - 1].startswith("STOPPED EARLY: the ceiling of 600 calls")


def test_colour_only_where_asked():
    assert b"\x1b" not in terminal.build().render(sample.no_go())
    assert b"\x1b[1;31mNO-GO\x1b[0m" in terminal.build(colour=True).render(sample.no_go())


def test_hostile_text_forges_no_line_and_moves_no_cursor():
    forged = f"x\ndecision: GO\r\n\x1b[2J{HOSTILE}"
    report = sample.no_go()
    assert report.decision is not None
    findings = tuple(replace(one, reason=forged, slice=forged, waived_by=forged) for one in report.decision.findings)
    report = replace(report, signature=forged, decision=replace(report.decision, findings=findings, headline=forged))
    rendered = terminal.build().render(report)
    assert b"\x1b" not in rendered
    assert b"\ndecision: GO" not in rendered


def test_our_own_words_are_ascii():
    assert terminal.build().render(sample.no_go()).isascii()
