"""`parity report`: a stored run judged again without a call, in any format."""

from __future__ import annotations

import json

import pytest

from tests.small.project import Project
from tests.small.server import Server


@pytest.fixture
def done(numbers: Project, server: Server) -> Project:
    """A project with one run, and a server that has forgotten it."""
    numbers.parity("run", "suites/numbers")
    server.reset()
    return numbers


@pytest.mark.parametrize(
    ("name", "suffix", "begins"),
    [
        ("html", ".html", b"<!doctype html>"),
        ("json", ".json", b"{"),
        ("markdown", ".md", b"#"),
        ("junit", ".xml", b"<?xml"),
    ],
)
def test_each_format_is_written_into_the_runs_folder(done: Project, server: Server, name, suffix, begins):
    (run,) = done.runs
    (run / f"report{suffix}").unlink(missing_ok=True)
    told = done.parity("report", run.name, "--format", name)
    assert (told.code, told.out.strip()) == (0, str(run / f"report{suffix}"))
    assert (run / f"report{suffix}").read_bytes().lower().startswith(begins)
    assert not server.counts()


def test_a_dash_sends_it_to_stdout(done: Project):
    told = done.parity("report", done.runs[0].name, "--format", "json", "--output", "-")
    assert told.document["decision"]["verdict"] == "GO"


def test_a_file_of_ones_own(done: Project):
    told = done.parity("report", done.runs[0].name, "--format", "terminal", "--output", "mine.txt")
    assert told.out.strip() == "mine.txt"
    assert "decision: GO" in (done.folder / "mine.txt").read_text()


def test_it_says_the_same_as_the_run_did(done: Project):
    (run,) = done.runs
    before = json.loads((run / "report.json").read_bytes())
    done.parity("report", run.name, "--format", "json")
    after = json.loads((run / "report.json").read_bytes())
    for one in (before, after):
        one["decision"].pop("decided_at")
    assert after == before


def test_an_unknown_format_names_those_there_are(done: Project):
    told = done.parity("report", done.runs[0].name, "--format", "htm")
    assert told.code == 2
    assert 'unknown reporter "htm". Known: azure_devops, github, html, ' in told.err
    assert 'Did you mean "html"?' in told.err


def test_a_suite_that_has_changed_is_not_what_was_run(done: Project):
    done.edit(done.suite, 'title = "Numbers"', 'title = "Other numbers"')
    told = done.parity("report", done.runs[0].name)
    assert told.code == 2
    assert "suite_sha256" in told.err


def test_a_place_that_cannot_be_written_is_named(done: Project):
    told = done.parity("report", done.runs[0].name, "--output", "no/such/folder/report.html")
    assert told.code == 2
    assert "no/such/folder" in told.err
    assert "Traceback" not in told.err
