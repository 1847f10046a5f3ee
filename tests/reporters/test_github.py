"""Annotations: what is shown is the worst, and no answer becomes a command."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings

from harness.core.verdict import Verdict
from harness.reporters import github, json, terminal
from harness.reporters._parts.notices import Place
from tests.reporters import sample
from tests.reporters.commands import SMUGGLED, TEXT, Command, lines
from tests.reporters.commands import github as parsed
from tests.reporters.hostile import everywhere

OURS = {"error", "warning", "notice"}


def commands(log: bytes) -> list[Command]:
    return [found for line in lines(log) if (found := parsed(line)) is not None]


def test_each_finding_that_is_not_go_is_an_annotation_and_the_verdict_comes_first():
    found = commands(github.build().render(sample.no_go()))
    assert [one.name for one in found] == ["error", "error", "error", "notice"]
    assert found[0].properties["title"] == "parity visits: NO-GO"
    assert "labels agree" in found[1].properties["title"]
    assert "waived by claims-models" in found[-1].data


def test_a_go_is_a_notice_and_nothing_is_red():
    assert {one.name for one in commands(github.build().render(sample.go()))} == {"notice"}


def test_inconclusive_and_partial_are_warnings():
    assert commands(github.build().render(sample.inconclusive()))[0].name == "warning"
    assert [one.name for one in commands(github.build().render(sample.partial()))] == ["warning"]


def test_a_suite_that_could_not_be_run_is_an_error():
    (found,) = commands(github.build().render_all((), failed=["visits"]))
    assert (found.name, found.properties["title"]) == ("error", "parity visits")


def test_an_annotation_stands_at_the_line_of_its_criterion():
    place = Place(file="suites/visits/suite.toml", lines={"labels agree": 38})
    found = commands(github.build().render_all((sample.no_go(),), places={"visits": place}))
    assert [(one.properties.get("file"), one.properties.get("line")) for one in found[:2]] == [
        ("suites/visits/suite.toml", None),
        ("suites/visits/suite.toml", "38"),
    ]


def test_ten_of_a_level_are_shown_and_the_rest_is_counted():
    """GitHub shows ten of a level for a step and drops what follows."""
    report = sample.no_go()
    assert report.decision is not None
    failing = [replace(report.decision.findings[2], slice=f"region={at}") for at in range(40)]
    assert failing[0].verdict is Verdict.NO_GO
    report = replace(report, decision=replace(report.decision, findings=tuple(failing)))
    errors = [one for one in commands(github.build().render_all((report, report))) if one.name == "error"]
    assert len(errors) == 10
    assert [one.properties["title"] for one in errors[:2]] == ["parity visits: NO-GO"] * 2
    assert errors[-1].data == f"{2 * 41 - 9} more of this kind are in the report."


def test_properties_and_data_come_back_as_they_were():
    report = replace(sample.go(), suite="a:b,c%2Cd")
    assert commands(github.build().render(report))[0].properties["title"] == "parity a:b,c%2Cd: GO"


@pytest.mark.parametrize("text", SMUGGLED)
def test_no_text_is_a_command(text: str):
    found = commands(github.build().render(everywhere(text)))
    assert len(found) == 4 and {one.name for one in found} <= OURS
    assert {key for one in found for key in one.properties} == {"title"}
    assert not commands(terminal.build().render(everywhere(text)))


@settings(max_examples=60)
@given(TEXT)
def test_no_text_at_all_is_a_command(text: str):
    report = everywhere(text)
    assert [one.name for one in commands(github.build().render(report))] == ["error", "error", "error", "notice"]
    assert not commands(terminal.build().render(report))
    assert not commands(json.build().render(report))
