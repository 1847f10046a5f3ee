"""`--parity-publish`, and the build system that a session runs in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reporters.commands import azure, github, lines
from tests.small.project import Done, Project
from tests.small.server import Server, honest


def github_step(project: Project, *options: str) -> tuple[Done, Path]:
    summary = project.folder / "step-summary"
    summary.touch()
    return project.pytest("suites", *options, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary)), summary


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "two workers"])
def test_a_session_in_github_actions_tells_its_decision_once(numbers: Project, server: Server, workers):
    server.target = lambda number: 1.0 - honest(number)
    done, summary = github_step(numbers, *workers)
    assert done.code == 1
    assert summary.read_text().count("# ✖ NO-GO: 1 suite, profile here") == 1
    found = [one for line in lines(done.out.encode()) if (one := github(line))]
    assert [one.properties["title"] for one in found[:2]] == [
        "parity numbers: NO-GO",
        "parity numbers: NO-GO labels agree",
    ]
    assert (found[1].properties["file"], found[1].properties["line"]) == ("suites/numbers/suite.toml", "22")


def test_a_session_in_azure_pipelines_tells_it_too_and_keeps_its_exit_code(numbers: Project):
    done = numbers.pytest("suites", TF_BUILD="True")
    assert done.code == 0
    found = [one for line in lines(done.out.encode()) if (one := azure(line))]
    assert [(one.name, one.data) for one in found][-1] == ("task.setvariable", "GO")
    assert (numbers.folder / "reports/published/numbers.xml").is_file()


def test_none_opts_out(numbers: Project):
    done, summary = github_step(numbers, "--parity-publish", "none")
    assert (done.code, summary.read_text()) == (0, "")
    assert not (numbers.folder / "reports/published").exists()


def test_a_channel_that_lacks_its_settings_stops_the_session_before_a_call(numbers: Project, server: Server):
    done = numbers.pytest("suites", "--parity-publish", "webhook")
    assert done.code == 1
    assert "ConfigError: publish: webhook needs [publish.webhook]" in done.out
    assert not server.counts()


def test_a_channel_that_fails_leaves_a_go_a_go(numbers: Project):
    numbers.edit(
        numbers.folder / "parity.toml", "[profiles.here]\n", '[publish.webhook]\nurl_env = "HOOK"\n\n[profiles.here]\n'
    )
    done = numbers.pytest("suites", "--parity-publish", "webhook", HOOK="http://hook.example/")
    assert done.code == 0
    assert "webhook was not told: the webhook's address must begin with https://" in done.err
