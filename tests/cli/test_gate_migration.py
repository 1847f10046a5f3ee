"""`parity gate --policy`: the newest evidence of every required suite, and what is missing for a whole migration."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness.cli.schema import schema
from tests.gate.sealed import Person, edwards, elliptic, signoff_table
from tests.small import project as small
from tests.small.project import Done, Project
from tests.small.server import Server, honest, serving

ADA, BOB = edwards("ada"), elliptic("bob")


@dataclass(frozen=True)
class Migration:
    """A project with a run each way, a self-test, an estate and a cutover.toml: only the sign-off is missing."""

    project: Project

    @property
    def folder(self) -> Path:
        return self.project.folder

    def ask(self) -> tuple[Done, dict[str, Any]]:
        done = self.project.parity("gate", "--policy", "cutover.toml", "--json")
        assert done.err == "", done.err
        return done, done.document

    def status(self, requirement: str) -> str:
        """The worst of this requirement, and what it says."""
        _, document = self.ask()
        found = [one for one in document["requirements"] if one["requirement"] == requirement]
        one = max(found, key=lambda one: ("ok", "missing", "refused").index(one["status"]))
        return f"{one['status']}: {one['says']}"

    def forwards(self) -> list[Path]:
        """Runs of the way forward, oldest first."""
        records = {run: json.loads((run / "run.json").read_text()) for run in self.project.runs}
        return sorted(
            (run for run in records if not records[run]["reverse"]), key=lambda run: records[run]["started_at"]
        )

    def forward(self) -> Path:
        """The newest of them."""
        return self.forwards()[-1]

    def sign(self, person: Person, role: str) -> Done:
        return self.project.parity(
            "sign", "--policy", "cutover.toml", "--role", role, "--key", str(person.pem(self.folder))
        )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Migration, Server]]:
    with serving() as server:
        suite = small.SUITE + '\n[reverse]\npair = "checks:Straight"\n'
        project = small.make(tmp_path_factory.mktemp("migration"), server, cases=120, suite=suite)
        assert project.parity("run", "suites/numbers").code == 0
        assert project.parity("run", "suites/numbers", "--reverse").code == 0
        migration = Migration(project)
        assert project.parity("selftest", migration.forward().name).code == 0
        source, target = (server.endpoint(side) for side in ("source", "target"))
        (project.folder / "estate.toml").write_text(
            f"""schema = "estate/1"
read_at = {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}
[[endpoint]]
name = "{source}"
service = "plainhttp"
kind = "endpoint"
[[target]]
name = "{target}"
service = "plainhttp"
kind = "deployment"
owned = true
changed_at = 2026-01-01T00:00:00Z
"""
        )
        (project.folder / "cutover.toml").write_text(
            f"""schema = "cutover/1"
[cutover]
title = "Numbers"
estate = "estate.toml"
retires_after = {datetime.now(UTC).year + 2}-01-01
criteria = ["errors"]
[[require]]
suite = "numbers"
"""
            + signoff_table(engineering=ADA, risk=BOB)
        )
        yield migration, server


@pytest.fixture
def migration(made: tuple[Migration, Server]) -> Iterator[Migration]:
    """The same, put back as it was afterwards."""
    kept = made[0].folder
    saved = kept.with_name(f"{kept.name}-saved")
    shutil.copytree(kept, saved)
    yield made[0]
    made[1].reset()
    shutil.rmtree(kept)
    saved.rename(kept)


def test_two_signatures_make_a_migration_go(migration: Migration):
    done, document = migration.ask()
    jsonschema.validate(document, schema("migration"))
    assert [one["requirement"] for one in document["requirements"] if one["status"] != "ok"] == ["sign-off"]
    assert (done.code, document["decision"], document["measured"]) == (3, "INCONCLUSIVE", "GO")
    assert "still missing: risk" in migration.sign(ADA, "engineering").out
    assert migration.ask()[0].code == 3
    assert "sign-off is complete." in migration.sign(BOB, "risk").out
    done, document = migration.ask()
    assert (done.code, document["decision"]) == (0, "GO")
    told = migration.project.parity("gate", "--policy", "cutover.toml").out
    assert told.splitlines()[-1].startswith("GO. Numbers: ")


def test_one_person_does_not_sign_twice(migration: Migration):
    migration.sign(ADA, "engineering")
    refused = migration.sign(ADA, "risk")
    assert refused.code == 2
    assert "listed for the role engineering, not for risk" in refused.err


def test_an_older_go_never_hides_a_newer_refusal(migration: Migration, made: tuple[Migration, Server]):
    made[1].target = lambda number: 1.0 - honest(number)
    assert migration.project.parity("run", "suites/numbers").code == 1
    assert migration.ask()[0].code == 1
    assert migration.status("decision").startswith("refused: NO-GO: labels agree")
    signed = migration.sign(ADA, "engineering")
    assert (signed.code, "Only a GO is signed" in signed.err) == (2, True)


def test_runs_that_stand_for_nothing_hide_nothing_and_help_nothing(migration: Migration):
    assert migration.project.parity("run", "suites/numbers", "--sample", "70").code == 3
    assert migration.status("evidence").startswith("ok")
    shutil.rmtree(migration.forwards()[0])
    assert "Passed over" in migration.status("evidence")
    assert "(a sample)" in migration.status("evidence")


def test_a_newer_refusal_from_recordings_takes_the_go_back(migration: Migration, made: tuple[Migration, Server]):
    made[1].target = lambda number: 1.0 - honest(number)
    assert migration.project.parity("run", "suites/numbers").code == 1
    path = migration.forward() / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "mode": "golden"}))
    said = migration.status("decision")
    assert said.startswith("refused: GO, and a newer run says otherwise") and "(mode golden) says NO-GO" in said


def test_a_damaged_ledger_is_found_here(migration: Migration):
    segment = migration.forward() / "ledger" / "000001.jsonl"
    content = segment.read_bytes()
    segment.write_bytes(content.replace(b'"attempts":1', b'"attempts":2', 1))
    assert "does not match its checksum" in migration.status("evidence")
    assert migration.ask()[0].code == 1
    assert migration.project.parity("gate", migration.forward().name).code == 0, "which decides on rows alone"


@pytest.mark.parametrize("cut", [1, 30])
def test_a_ledger_that_lost_its_end_is_found(migration: Migration, cut: int):
    segment = migration.forward() / "ledger" / "000001.jsonl"
    segment.write_bytes(segment.read_bytes()[:-cut])
    assert migration.status("evidence").startswith("refused")


def test_a_ledger_that_lost_whole_entries_is_found(migration: Migration):
    segment = migration.forward() / "ledger" / "000001.jsonl"
    lines = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(b"".join(lines[: len(lines) // 2]))
    assert "rows of 120 cases, and the ledger holds the target's answers to" in migration.status("evidence")


def test_an_edited_decision_is_not_believed(migration: Migration):
    path = migration.forward() / "decision.json"
    path.write_text(path.read_text().replace('"decision": "GO"', '"decision": "NO-GO"'))
    assert "its rows and policy give another decision" in migration.status("evidence")


def test_a_run_that_was_killed_is_the_newest_and_not_ended(migration: Migration):
    path = migration.forward() / "run.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "finished_at": None}))
    assert migration.status("evidence") == f"missing: {record['run']} has not ended."


def test_a_record_that_cannot_be_read_could_be_the_one_that_counts(migration: Migration):
    (migration.forward() / "run.json").write_text("{")
    done = migration.project.parity("gate", "--policy", "cutover.toml")
    assert done.code == 2
    assert "run.json cannot be read" in done.err


def test_a_changed_suite_asks_for_a_new_run(migration: Migration):
    migration.project.edit(migration.project.suite, "margin = 0.05\ndeterministic", "margin = 0.04\ndeterministic")
    assert migration.status("suite as today").startswith("missing: The policy has changed")


def test_changed_code_beside_the_suite_and_another_account_ask_for_a_new_run(migration: Migration):
    checks = migration.project.suite.parent / "checks.py"
    kept = checks.read_text()
    checks.write_text(kept + "\n# other words\n")
    assert migration.status("suite as today").startswith("missing: The suite's own code has changed")
    checks.write_text(kept)
    assert migration.status("suite as today").startswith("ok")
    source = '[profiles.here.source]\ncloud = "aws"\n'
    migration.project.edit(migration.folder / "parity.toml", source, source + 'region = "eu-west-1"\n')
    assert migration.status("suite as today").startswith("missing: Clouds, accounts, endpoints")


def test_without_a_self_test_nothing_shows_that_the_gate_refuses(migration: Migration):
    (migration.forward() / "selftest.json").unlink()
    assert migration.status("self-test") == "missing: Nothing shows that this gate can refuse."


def test_a_self_test_with_a_seed_of_ones_choice_leaves_no_record(migration: Migration):
    (migration.forward() / "selftest.json").unlink()
    migration.project.parity("selftest", migration.forward().name, "--seed", "8")
    assert migration.status("self-test").startswith("missing")


def test_runs_and_a_policy_exclude_each_other(migration: Migration):
    for words in (["gate"], ["gate", "R", "--policy", "cutover.toml"], ["sign", "--role", "risk", "--key", "k.pem"]):
        done = migration.project.parity(*words)
        assert (done.code, "one of the two" in done.err) == (2, True)


def test_an_unknown_suite_names_those_there_are(migration: Migration):
    migration.project.edit(migration.folder / "cutover.toml", '"numbers"', '"number"')
    done = migration.project.parity("gate", "--policy", "cutover.toml")
    assert (done.code, 'Did you mean "numbers"?' in done.err) == (2, True)
