"""`parity gate`: stored runs decided again from rows and policy; one refusal refuses all."""

from __future__ import annotations

import json

import pytest

from tests.small.project import Project
from tests.small.server import Server, honest


@pytest.fixture
def two(numbers: Project, server: Server) -> tuple[Project, str, str]:
    """(project, a run that was GO, one that was NO-GO)."""
    numbers.parity("run", "suites/numbers")
    (good,) = numbers.runs
    server.target = lambda number: 1.0 - honest(number)
    numbers.parity("run", "suites/numbers")
    (bad,) = set(numbers.runs) - {good}
    return numbers, good.name, bad.name


def test_it_decides_as_the_run_did_and_combines(two):
    project, good, bad = two
    assert project.parity("gate", good).code == 0
    assert project.parity("gate", bad).code == 1
    both = project.parity("gate", good, bad)
    assert both.code == 1
    assert both.out.splitlines()[-1] == "NO-GO"


def test_json_is_one_document(two):
    project, good, bad = two
    done = project.parity("gate", good, bad, "--json")
    assert (done.code, done.err) == (1, "")
    assert done.document["decision"] == "NO-GO"
    assert {name: one["decision"] for name, one in done.document["runs"].items()} == {good: "GO", bad: "NO-GO"}


def test_altered_rows_are_not_what_was_decided(two):
    project, good, _ = two
    (project.folder / "reports" / good / "rows.parquet").write_bytes(b"PAR1 is not enough")
    done = project.parity("gate", good)
    assert done.code == 2
    assert "rows.parquet" in done.err
    assert "Traceback" not in done.err


def test_a_run_without_rows_is_finished_first(two):
    project, good, _ = two
    (project.folder / "reports" / good / "rows.parquet").unlink()
    done = project.parity("gate", good)
    assert done.code == 2
    assert f"parity run --resume {good}" in done.err


def test_a_partial_run_is_refused(numbers: Project):
    numbers.parity("run", "suites/numbers", "--sample", "70")
    done = numbers.parity("gate", numbers.runs[0].name)
    assert done.code == 2
    assert "is PARTIAL" in done.err


def test_a_run_that_ended_early_is_inconclusive(numbers: Project):
    numbers.edit(numbers.folder / "parity.toml", "attempts = 2", "attempts = 2\ncalls = 210")
    numbers.parity("run", "suites/numbers")
    done = numbers.parity("gate", numbers.runs[0].name, "--json")
    assert done.code == 3
    (run,) = done.document["runs"].values()
    assert "run complete" in [finding["criterion"] for finding in run["findings"]]


def test_an_unknown_run_names_the_latest(two):
    project, _, bad = two
    done = project.parity("gate", "2020")
    assert done.code == 2
    assert bad in done.err


def test_a_folder_that_is_no_run_is_refused(numbers: Project):
    folder = numbers.folder / "reports" / "strange"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({"schema": "run/99"}))
    done = numbers.parity("gate", "strange")
    assert done.code == 2
    assert "run/99" in done.err
