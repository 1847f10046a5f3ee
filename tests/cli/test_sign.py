from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest

from harness.cli import main
from harness.gate import decided, signoff
from harness.run.folder import RunFolder
from tests.gate.sealed import CRITERION, RUN, decided_run, edwards, elliptic, project, signoff_table

ADA, BOB, EVE = edwards("ada"), elliptic("bob"), edwards("eve")
COMMAND = """
import sys
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
key = serialization.load_pem_private_key(open(sys.argv[1], "rb").read(), None)
sys.stdout.buffer.write(key.sign(sys.stdin.buffer.read(), ec.ECDSA(hashes.SHA256())))
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    monkeypatch.chdir(tmp_path)
    policy = CRITERION + signoff_table(engineering=ADA, risk=BOB)
    return decided_run(project(tmp_path), cases=598, policy=policy)


def test_two_people_sign_one_decision(run: RunFolder, tmp_path: Path, capsys):
    assert main(["sign", RUN, "--role", "engineering", "--key", str(ADA.pem(tmp_path))]) == 0
    first = capsys.readouterr().out
    assert "signed by ada as engineering (ed25519, key " in first
    assert "still missing: risk: has not signed this decision." in first
    assert main(["sign", RUN, "--role", "risk", "--key", str(BOB.pem(tmp_path)), "--name", "bob"]) == 0
    second = capsys.readouterr().out
    assert second.startswith("GO. ")
    assert "sign-off is complete." in second
    assert {one.decision_sha256 for one in signoff.read_all(run.path)} == {decided.load(run).sha256}


def test_a_command_signs_for_a_key_that_is_kept_elsewhere(run: RunFolder, tmp_path: Path):
    program = tmp_path / "vault.py"
    program.write_text(COMMAND)
    command = shlex.join([sys.executable, str(program), str(BOB.pem(tmp_path))])
    assert main(["sign", RUN, "--role", "risk", "--command", command]) == 0
    (one,) = signoff.read_all(run.path)
    assert (one.person, one.algorithm) == ("bob", "ecdsa-p256-sha256")


@pytest.mark.parametrize(
    ("person", "role", "more", "said"),
    [
        (EVE, "risk", [], "EvidenceError: the key"),
        (ADA, "risk", [], "is ada's and is listed for the role engineering, not for risk"),
        (BOB, "risk", ["--name", "the risk officer"], "Names are looked up, not given"),
        (BOB, "rsk", [], 'Did you mean "risk"'),
    ],
)
def test_who_may_not_sign_is_told_why_and_nothing_is_stored(person, role, more, said, run, tmp_path: Path, capsys):
    assert main(["sign", RUN, "--role", role, "--key", str(person.pem(tmp_path)), *more]) == 2
    assert said in capsys.readouterr().err
    assert not (run.path / "signoff").exists()


def test_a_role_that_has_signed_is_not_overwritten_unasked(run: RunFolder, tmp_path: Path, capsys):
    sign = ["sign", RUN, "--role", "risk", "--key", str(BOB.pem(tmp_path))]
    assert main(sign) == 0
    before = (run.path / "signoff" / "risk.json").read_bytes()
    assert main(sign) == 2
    assert "bob has signed this decision as risk" in capsys.readouterr().err
    assert (run.path / "signoff" / "risk.json").read_bytes() == before
    assert main([*sign, "--replace"]) == 0


def test_a_decision_that_its_rows_do_not_give_is_not_signed(run: RunFolder, tmp_path: Path, capsys):
    told = json.loads(run.decision.read_text())
    run.decision.write_text(json.dumps({**told, "decision": "NO-GO"}))
    assert main(["sign", RUN, "--role", "risk", "--key", str(BOB.pem(tmp_path))]) == 2
    assert "rows and policy give another decision" in capsys.readouterr().err


def test_a_policy_without_signers_says_what_to_add(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.chdir(tmp_path)
    decided_run(project(tmp_path))
    assert main(["sign", RUN, "--role", "risk", "--key", str(BOB.pem(tmp_path))]) == 2
    assert "Add a [signoff] table" in capsys.readouterr().err


def test_a_key_comes_from_one_place(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["sign", RUN, "--role", "risk", "--key", "k.pem", "--command", "c"])
    assert caught.value.code == 2


def test_no_word_of_a_key_or_passphrase_is_printed(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    path = BOB.pem(tmp_path, passphrase=b"correct horse")
    monkeypatch.setenv("SIGNING_PASSPHRASE", "correct horse")
    assert main(["sign", RUN, "--role", "risk", "--key", str(path), "--passphrase-env", "SIGNING_PASSPHRASE"]) == 0
    monkeypatch.setenv("SIGNING_PASSPHRASE", "wrong horse")
    assert main(["sign", RUN, "--role", "risk", "--key", str(path), "--passphrase-env", "SIGNING_PASSPHRASE"]) == 2
    printed = "".join(capsys.readouterr())
    assert "horse" not in printed
    assert path.read_text().splitlines()[1] not in printed
