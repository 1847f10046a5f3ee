"""`parity gate --policy` over a suite that is replayed in portions: its evidence is the epoch over nights."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.small.migration import asked, require
from tests.small.project import Project
from tests.small.server import Server, honest


@pytest.fixture
def nightly(make_numbers: Callable[..., Project]) -> Project:
    """240 numbers in anytime mode, 60 a night: GO in the second. Asked for its evidence and nothing else."""
    project = make_numbers(cases=240)
    project.edit(project.suite, 'mode = "fixed"', 'mode = "anytime"')
    project.edit(project.folder / "parity.toml", "[profiles.here]\n", "[nightly]\nunits = 60\n[profiles.here]\n")
    require(project)
    return project


def first_run(project: Project) -> Path:
    nights = sorted(project.folder.glob("reports/nights/*/night.json"))
    return project.folder / "reports" / str(json.loads(nights[0].read_bytes())["suites"][0]["run"])


def test_nights_add_up_and_a_broken_night_takes_the_go_back(nightly: Project, server: Server):
    nightly.parity("nightly")
    assert asked(nightly)["decision"].startswith("missing: INCONCLUSIVE")
    nightly.parity("nightly")
    said = asked(nightly)
    assert said["decision"] == "ok: GO."
    assert said["sign-off"].startswith("missing")
    assert {what for what, word in said.items() if not word.startswith("ok")} == {"sign-off"}
    server.target = lambda number: 1.0 - honest(number)
    nightly.parity("nightly")
    assert asked(nightly)["decision"].startswith("refused: NO-GO")


def test_damage_in_an_earlier_night_of_the_epoch_is_found(nightly: Project):
    nightly.parity("nightly")
    nightly.parity("nightly")
    segment = first_run(nightly) / "ledger" / "000001.jsonl"
    segment.write_bytes(segment.read_bytes().replace(b'"attempts":1', b'"attempts":2', 1))
    assert "does not match its checksum" in asked(nightly)["evidence"]
    assert asked(nightly)["evidence"].startswith("refused")


def test_a_night_in_which_the_suite_could_not_run_is_the_newest_answer(nightly: Project):
    nightly.parity("nightly")
    nightly.parity("nightly")
    checks = nightly.suite.parent / "checks.py"
    kept = checks.read_text()
    checks.write_text("raise ValueError('broken')\n")
    nightly.parity("nightly")
    checks.write_text(kept)
    said = asked(nightly)["evidence"]
    assert said.startswith("missing: night ") and "could not be run" in said


def test_a_night_without_its_answer_has_not_ended(nightly: Project):
    nightly.parity("nightly")
    (night,) = nightly.folder.glob("reports/nights/*/night.json")
    night.unlink()
    assert asked(nightly)["evidence"] == f"missing: night {night.parent.name} has not ended."


def test_a_night_that_cannot_be_read_stops_the_gate(nightly: Project):
    nightly.parity("nightly")
    (night,) = nightly.folder.glob("reports/nights/*/night.json")
    night.write_text("{")
    done = nightly.parity("gate", "--policy", "cutover.toml")
    assert (done.code, "not what a night writes" in done.err) == (2, True)
