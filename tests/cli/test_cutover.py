"""`parity cutover`: a whole migration that is GO moves its traffic, and a fault in live answers takes it back."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.test_gate_migration import ADA, BOB, Migration, made, migration
from tests.run.test_cutover_killed import FLAGS
from tests.small.server import Server

__all__ = ["made", "migration"]  # fixtures

SWITCH = """
[switches.router]
use = "flagd"
file = "flags.json"
flag = "answers-from"
stages = [1, 10, 50, 100]
bake_minutes = 0
live = { policy = "live.toml", rows = "live.jsonl" }
"""
LIVE = """
[[criterion]]
name = "target answers"
metric = "error"
kind = "limit"
margin = 0.05
"""


class Cutover:
    """A migration with a flag file for a router."""

    def __init__(self, migration: Migration, signatures: Path) -> None:
        self.migration = migration
        self._signatures = signatures
        self.folder = migration.folder
        self.rows = 0
        (self.folder / "flags.json").write_text(json.dumps(FLAGS, indent=2))
        (self.folder / "live.toml").write_text(LIVE)
        self.policy = self.folder / "cutover.toml"
        self.policy.write_text(self.policy.read_text() + SWITCH)

    def __call__(self, action: str, *words: str):
        return self.migration.project.parity("cutover", action, "router", *words)

    def sign(self) -> None:
        """Now only the live criteria are missing."""
        shutil.copytree(self._signatures, self.policy.with_suffix(""))

    def target(self) -> int:
        flag = json.loads((self.folder / "flags.json").read_text())["flags"]["answers-from"]
        source, target = flag["targeting"]["fractional"][1:]
        assert source[1] + target[1] == 100
        return target[1]

    def answer(self, count: int, *, error: float = 0.0) -> None:
        """Live rows, as an application appends them."""
        with (self.folder / "live.jsonl").open("a") as file:
            for _ in range(count):
                self.rows += 1
                row = {"case": f"r{self.rows}", "metric": "error", "value_target": error}
                file.write(json.dumps(row | {"at": datetime.now(UTC).isoformat()}) + "\n")


@pytest.fixture(scope="module")
def signatures(made: tuple[Migration, Server], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both signatures: what they sign is the same in every test here."""
    migration, _ = made
    migration.sign(ADA, "engineering")
    assert "sign-off is complete." in migration.sign(BOB, "risk").out
    return (migration.folder / "cutover").rename(tmp_path_factory.mktemp("signed") / "cutover")


@pytest.fixture
def cutover(migration: Migration, signatures: Path) -> Cutover:
    return Cutover(migration, signatures)


def test_a_signed_go_moves_traffic_to_the_half_and_a_fault_takes_it_back(cutover: Cutover):
    unsigned = cutover("start", "--apply")
    assert (unsigned.code, cutover.target()) == (3, 0)
    assert "sign-off" in unsigned.out
    cutover.sign()
    dry = cutover("start")
    assert (dry.code, cutover.target()) == (0, 0)
    assert "dry run: moved" in dry.out and "--apply acts" in dry.err
    assert (cutover("start", "--apply").code, cutover.target()) == (0, 1)
    waits = cutover("step", "--apply")
    assert (waits.code, cutover.target()) == (3, 1)
    assert "live rows cannot be judged" in waits.out
    for share in (10, 50):
        cutover.answer(120)
        assert (cutover("step", "--apply").code, cutover.target()) == (0, share)
    cutover.answer(40, error=1.0)
    back = cutover("step", "--apply", "--json")
    assert (back.code, cutover.target()) == (1, 0)
    assert back.document["did"] == "rolled back"
    assert "live criteria at stage 50 %" in back.document["reason"]
    again = cutover("start", "--apply")
    assert (again.code, cutover.target()) == (3, 0)
    assert "Run the suites again" in again.out
    told = json.loads(cutover("status", "--json").out)
    assert (told["phase"], told["wrong"]) == ("rolled back", None)


def test_watching_ends_with_the_rollback_and_says_each_thing_once(cutover: Cutover):
    cutover.sign()
    cutover("start", "--apply")
    cutover.answer(40, error=1.0)
    watched = cutover("step", "--apply", "--watch", "--interval", "0.05", "--json")
    assert watched.code == 1
    assert [json.loads(line)["did"] for line in watched.out.splitlines()] == ["rolled back"]


def test_a_rollback_works_where_the_rest_of_the_file_does_not(cutover: Cutover):
    cutover.sign()
    cutover("start", "--apply")
    cutover.policy.write_text(cutover.policy.read_text().replace("[cutover]", "[cutovr]").replace("live.toml", "none"))
    assert cutover("step", "--apply").code == 2
    dry = cutover("rollback")
    assert (dry.code, cutover.target()) == (0, 1)
    done = cutover("rollback", "--apply", "--reason", "it smells")
    assert (done.code, cutover.target()) == (0, 0)
    assert "it smells" in done.out


def test_plan_shows_the_stages_and_what_is_missing(cutover: Cutover):
    planned = cutover("plan")
    assert planned.code == 3
    assert "2. 10 %" in planned.out
    assert "Not met: sign-off" in planned.out
    assert [one["target"] for one in json.loads(cutover("plan", "--json").out)["stages"]] == [1, 10, 50, 100]


def test_status_fails_where_somebody_else_moved_the_traffic(cutover: Cutover):
    cutover.sign()
    cutover("start", "--apply")
    flags = cutover.folder / "flags.json"
    flags.write_text(flags.read_text().replace("99", "63").replace("1\n", "37\n"))
    told = cutover("status")
    assert told.code == 2
    assert "somebody else moved the traffic" in told.err
    assert cutover("step", "--apply").code == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("step", "--watch"), "--watch acts, so it needs --apply"),
        (("step", "--apply", "--watch", "--interval", "0"), "more than 0 seconds"),
        (("plan", "--policy", "elsewhere.toml"), "elsewhere.toml: cannot be read"),
        (("rollback", "--policy", "elsewhere.toml"), "elsewhere.toml: cannot be read"),
    ],
)
def test_what_cannot_be_asked_is_an_error(cutover: Cutover, words: tuple[str, ...], said: str):
    done = cutover(*words)
    assert done.code == 2
    assert said in done.err


def test_an_unknown_switch_names_the_nearest(cutover: Cutover):
    for action in ("plan", "rollback"):
        done = cutover.migration.project.parity("cutover", action, "ruoter")
        assert done.code == 2
        assert 'Did you mean "router"' in done.err


def test_signatures_are_of_what_must_hold_and_stay_good_when_the_stages_change(cutover: Cutover):
    cutover.sign()
    cutover.policy.write_text(cutover.policy.read_text().replace("[1, 10, 50, 100]", "[5, 100]"))
    assert cutover("plan").code == 0
