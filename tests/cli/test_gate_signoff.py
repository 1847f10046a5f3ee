"""`parity gate --require-signoff`: GO only for a decision that the required people signed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.cli import main
from harness.gate.coverage import GoldenFacts
from harness.run.folder import RunFolder
from tests.gate.sealed import CRITERION, DECIDED_AT, RUN, decided_run, edwards, elliptic, project, signoff_table

ADA, BOB = edwards("ada"), elliptic("bob")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    monkeypatch.chdir(tmp_path)
    golden = GoldenFacts(sha256="0" * 64, cases=598, sampled=False, truncated=False, taken_at=DECIDED_AT)
    policy = CRITERION + signoff_table(engineering=ADA, risk=BOB)
    return decided_run(project(tmp_path), cases=598, policy=policy, golden=golden)


def sign(role: str, key: Path) -> int:
    return main(["sign", RUN, "--role", role, "--key", str(key)])


def test_an_unsigned_go_is_inconclusive(run: RunFolder, capsys):
    assert main(["gate", RUN]) == 0
    assert main(["gate", RUN, "--require-signoff"]) == 3
    assert "not signed off" in capsys.readouterr().out


def test_one_of_two_roles_is_not_enough(run: RunFolder, tmp_path: Path):
    sign("engineering", ADA.pem(tmp_path))
    assert main(["gate", RUN, "--require-signoff"]) == 3


def test_both_roles_let_the_go_stand(run: RunFolder, tmp_path: Path, capsys):
    sign("engineering", ADA.pem(tmp_path))
    sign("risk", BOB.pem(tmp_path))
    capsys.readouterr()
    assert main(["gate", RUN, "--require-signoff", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["decision"], told["signoff"][RUN]["complete"]) == ("GO", True)


def test_two_folders_of_one_name_both_count(run: RunFolder, tmp_path: Path, capsys):
    """A refused run must not hide behind another of the same folder name."""
    golden = GoldenFacts(sha256="0" * 64, cases=598, sampled=False, truncated=False, taken_at=DECIDED_AT)
    bad, good = tmp_path / "bad", tmp_path / "good"
    decided_run(bad, cases=598, flipped=60, golden=golden, run="run")
    decided_run(good, cases=598, golden=golden, run="run")
    assert main(["gate", "good/run"]) == 0
    assert main(["gate", "bad/run", "good/run"]) == 1
    assert main(["gate", "good/run", "bad/run"]) == 1
    assert "bad/run" in capsys.readouterr().out
