"""`parity inventory` against the lab's control planes, and the walk from an empty folder to a migration that is GO."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.conftest import SharedLab
from tests.gate.sealed import edwards, elliptic, signoff_table
from tests.small import visits
from tests.small.project import Done, Project

CUTOVER = """schema = "cutover/1"

[cutover]
title = "Visits"
estate = "estate.toml"
retires_after = 2027-06-30
criteria = ["errors"]

[[require]]
suite = "visits"
"""


class InLab:
    """A project whose commands use the shared lab."""

    def __init__(self, project: Project, lab: SharedLab) -> None:
        self.project = project
        self._state = str(lab.state_file)

    def __call__(self, *words: str) -> Done:
        return self.project.parity(*words, PARITY_LAB_STATE=self._state)

    @property
    def estate(self) -> Path:
        return self.project.folder / "estate.toml"


@pytest.fixture
def parity(tmp_path: Path, shared_lab: SharedLab) -> InLab:
    return InLab(visits.make(tmp_path), shared_lab)


def out_of_scope(estate: Path) -> None:
    """A person says of everything but the visits endpoint that it stays behind."""
    text = estate.read_text()
    word = 'covered = false\nowner = "Dana Ito"\nout_of_scope = "switched off in May"'
    estate.write_text(text.replace("covered = false", word))


def test_the_lab_is_listed_and_what_no_suite_calls_fails_a_build(parity: InLab):
    done = parity("inventory", "--json", "--fail-uncovered")
    assert done.code == 1
    assert done.document["uncovered"] == ["sagemaker endpoint usage"]
    assert done.document["unlisted"] == []
    estate = tomllib.loads(parity.estate.read_text())
    (endpoint,) = [one for one in estate["endpoint"] if (one["kind"], one["name"]) == ("endpoint", "visits")]
    assert endpoint["suites"] == ["visits"] and endpoint["version"] == "1"
    assert endpoint["counterpart"]["name"] == "visits/blue"
    targets = {one["name"]: one for one in estate["target"]}
    assert len(targets) == 16 and targets["gpt-4o"]["auto_upgrade"] is False


def test_a_refresh_changes_the_time_alone_and_keeps_what_people_wrote(parity: InLab):
    parity("inventory")
    out_of_scope(parity.estate)
    before = parity.estate.read_text()
    assert parity("inventory", "--fail-uncovered").code == 0
    after = parity.estate.read_text()
    changed = [one for one in zip(before.splitlines(), after.splitlines(), strict=True) if one[0] != one[1]]
    assert {old.partition(" =")[0] for old, _ in changed} <= {"read_at"}
    assert 'owner = "Dana Ito"' in after


def test_a_side_without_credentials_is_told_and_never_silently_empty(parity: InLab):
    parity("inventory")
    parity.project.edit(parity.project.folder / "parity.toml", 'profile = "parity-lab"', 'profile = "nobody"')
    done = parity("inventory", "--json", "--fail-uncovered")
    assert done.code == 1
    assert {(one["service"], one["kind"]) for one in done.document["unlisted"]} == {
        ("bedrock", "everything"),
        ("sagemaker", "everything"),
    }
    assert 'name = "visits"' in parity.estate.read_text(), "what could not be listed is not gone"


def test_from_an_inventory_to_go(parity: InLab):
    ada, bob = edwards("ada"), elliptic("bob")
    folder = parity.project.folder
    (folder / "cutover.toml").write_text(CUTOVER + signoff_table(engineering=ada, risk=bob))
    assert parity("gate", "--policy", "cutover.toml").code == 2
    parity("inventory")
    asked = parity("gate", "--policy", "cutover.toml", "--json")
    assert asked.code == 3
    lacking = {one["requirement"] for one in asked.document["requirements"] if one["status"] != "ok"}
    assert lacking == {"covered", "evidence", "errors", "rehearsal", "self-test", "sign-off"}
    out_of_scope(parity.estate)
    for direction in ([], ["--reverse"]):
        assert parity("run", "suites/visits", *direction).code == 0
    forward = next(run.name for run in parity.project.runs)
    assert parity("selftest", forward).code == 0
    open_now = [
        one for one in parity("gate", "--policy", "cutover.toml", "--json").document["requirements"] if one["todo"]
    ]
    assert [one["requirement"] for one in open_now] == ["sign-off"], open_now
    for person, role in ((ada, "engineering"), (bob, "risk")):
        words = ["sign", "--policy", "cutover.toml", "--role", role, "--key", str(person.pem(folder))]
        assert parity(*words).code == 0
    done = parity("gate", "--policy", "cutover.toml")
    assert (done.code, done.out.splitlines()[-1].partition(":")[0]) == (0, "GO. Visits")
