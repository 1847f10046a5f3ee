"""Logging commands: a build can be made red and never green, and no answer becomes a command."""

from __future__ import annotations

from json import loads

import pytest
from hypothesis import given, settings

from harness.cli._json import json_line
from harness.reporters import azure_devops, json, terminal
from harness.reporters._parts.notices import Place
from tests.reporters import sample
from tests.reporters.commands import SMUGGLED, TEXT, Command, azure, github, lines
from tests.reporters.hostile import everywhere


def commands(log: bytes) -> list[Command]:
    return [found for line in lines(log) if (found := azure(line)) is not None]


def one(log: bytes, name: str) -> Command | None:
    found = [command for command in commands(log) if command.name == name]
    assert len(found) < 2
    return found[0] if found else None


@pytest.mark.parametrize(
    ("report", "verdict", "result"),
    [
        (sample.go(), "GO", None),
        (sample.no_go(), "NO-GO", "Failed"),
        (sample.inconclusive(), "INCONCLUSIVE", "Failed"),
        (sample.partial(), "PARTIAL", None),
    ],
)
def test_the_verdict_is_a_variable_and_the_task_fails_unless_go(report, verdict, result):
    """A partial run keeps pytest's own exit code, so its task is left alone."""
    log = azure_devops.build().render(report)
    variable, complete = one(log, "task.setvariable"), one(log, "task.complete")
    assert variable is not None and variable.data == verdict
    assert variable.properties == {"variable": "parityVerdict", "isOutput": "true"}
    assert (complete and complete.properties["result"]) == result


def test_the_worst_of_several_is_told_and_a_suite_that_could_not_run_is_worse_than_any():
    several = (sample.go(), sample.inconclusive(), sample.go())
    assert one(azure_devops.build().render_all(several), "task.setvariable").data == "INCONCLUSIVE"
    log = azure_devops.build().render_all((sample.go(),), failed=["chat"])
    assert one(log, "task.complete").properties == {"result": "Failed"}
    assert one(azure_devops.build().render_all(()), "task.complete") is not None


def test_a_verdict_of_more_than_tonight_is_taken_over():
    assert one(azure_devops.build().render_all((sample.go(),), verdict="NO-GO"), "task.setvariable").data == "NO-GO"


def test_findings_are_issues_with_file_and_line_and_the_summary_is_uploaded():
    place = Place(file="suites/a;b]/suite.toml", lines={"labels agree": 38})
    log = azure_devops.build().render_all((sample.no_go(),), places={"visits": place}, summary="/s/summary.md")
    issues = [command for command in commands(log) if command.name == "task.logissue"]
    assert [issue.properties["type"] for issue in issues] == ["error"] * 3
    assert issues[1].properties["sourcepath"] == "suites/a;b]/suite.toml"
    assert issues[1].properties["linenumber"] == "38"
    assert one(log, "task.uploadsummary").data == "/s/summary.md"


@pytest.mark.parametrize("text", SMUGGLED)
def test_no_text_is_a_command(text: str):
    found = commands(azure_devops.build().render(everywhere(text)))
    assert [command.name for command in found] == ["task.logissue"] * 3 + ["task.setvariable", "task.complete"]
    assert found[-1].properties == {"result": "Failed"}
    assert not commands(terminal.build().render(everywhere(text)))


@settings(max_examples=60)
@given(TEXT)
def test_no_text_at_all_is_a_command_of_either_build_system(text: str):
    log = azure_devops.build().render(everywhere(text))
    assert [command.name for command in commands(log)] == ["task.logissue"] * 3 + ["task.setvariable", "task.complete"]
    assert not [line for line in lines(log) if github(line)]
    assert not commands(json.build().render(everywhere(text)))
    document = {"said": text, text: [text]}
    said = json_line(document)
    assert loads(said) == document
    assert azure(said) is None and github(said) is None
    assert not commands(terminal.build().render(everywhere(text)))
