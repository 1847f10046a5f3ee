"""`parity selftest` on a stored run and on bare rows: its table, its document, its exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from tests.gate.making import flip, flips, write_policy, write_rows
from tests.gate.sealed import CRITERION, RUN, decided_run, project


def files(folder: Path, cases: int, **keys: Any) -> list[str]:
    policy = write_policy(folder / "POLICY.toml", [flip(deterministic=True, **keys)], mode="fixed")
    rows = write_rows(folder / "rows.jsonl", flips(cases, 0, noise=None))
    return ["--rows", str(rows), "--policy", str(policy)]


def test_a_stored_run_is_tested_on_its_own_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    run = decided_run(project(tmp_path), cases=700, policy=CRITERION)
    assert main(["selftest", RUN]) == 0
    out = capsys.readouterr().out
    assert "planted into the run's own rows, of which the gate says GO" in out
    assert "flips             label         11 of 700 cases (1.6 %)" in out
    assert out.strip().endswith("and the same rows without them are not.")
    assert main(["selftest", str(run.path)]) == 0


def test_a_stored_run_can_be_tested_under_another_policy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """Before a margin is agreed, its self-test says what it would let through."""
    monkeypatch.chdir(tmp_path)
    decided_run(project(tmp_path), cases=700, policy=CRITERION)
    wide = write_policy(tmp_path / "wide.toml", [flip(deterministic=True, margin=0.05)], mode="fixed")
    assert main(["selftest", RUN, "--policy", str(wide)]) == 1
    assert "missed: broken subgroup, label" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("cases", "keys", "code"), [(700, {}, 0), (700, {"margin": 0.05}, 1), (700, {"advisory": True}, 1), (20, {}, 3)]
)
def test_the_exit_code_says_what_the_gate_can_do(
    tmp_path: Path, capsys: Any, cases: int, keys: dict[str, Any], code: int
) -> None:
    assert main(["selftest", *files(tmp_path, cases, **keys), "--json"]) == code
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert told["exit_code"] == code
    assert told["conclusion"] in err


def test_the_seed_is_told_and_the_rows_stay_as_they_were(tmp_path: Path, capsys: Any) -> None:
    arguments = files(tmp_path, 700)
    before = (tmp_path / "rows.jsonl").read_bytes()
    assert main(["selftest", *arguments, "--seed", "11"]) == 0
    assert "700 cases, seed 11" in capsys.readouterr().out
    assert (tmp_path / "rows.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "name a run, or --rows ROWS with --policy POLICY"),
        (["--rows", "rows.jsonl"], "name a run, or --rows ROWS with --policy POLICY"),
        (["RUN", "--rows", "rows.jsonl"], "one of the two"),
    ],
)
def test_what_to_test_must_be_named_once(arguments: list[str], said: str, capsys: Any) -> None:
    assert main(["selftest", *arguments]) == 2
    assert said in capsys.readouterr().err
