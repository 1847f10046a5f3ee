from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.cli import main
from tests.gate.sealed import CRITERION, RUN, Person, decided_run, edwards, elliptic, project, signoff_table

ADA, BOB, CI = edwards("ada"), elliptic("bob"), edwards("ci")


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> Path:
    """Signed off by two and sealed by a third; the run itself is gone afterwards."""
    monkeypatch.chdir(tmp_path)
    policy = CRITERION + signoff_table(engineering=ADA, risk=BOB)
    run = decided_run(project(tmp_path), cases=598, flipped=30, policy=policy)
    for person, role in ((ADA, "engineering"), (BOB, "risk")):
        assert main(["sign", RUN, "--role", role, "--key", str(person.pem(tmp_path))]) == 0
    path = tmp_path / "b.tar"
    assert main(["evidence", RUN, "--key", str(CI.pem(tmp_path)), "--output", str(path)]) == 0
    shutil.rmtree(run.path)
    capsys.readouterr()
    return path


@pytest.fixture
def trust(tmp_path: Path) -> Path:
    return listed(tmp_path, ("engineering", ADA), ("risk", BOB), ("evidence", CI))


def listed(folder: Path, *signers: tuple[str, Person]) -> Path:
    path = folder / "signers"
    path.write_text("".join(f"{role} {person.name} {person.line}\n" for role, person in signers))
    return path


def test_it_exits_0_whatever_was_decided_and_prints_the_decision(bundle: Path, capsys):
    assert main(["verify", str(bundle)]) == 0
    out = capsys.readouterr().out
    assert f"verifies: run {RUN}" in out
    assert "NO-GO. " in out
    assert "risk: not checked (bob, key " in out


def test_signers_come_from_the_verifier_s_own_list(bundle: Path, trust: Path, capsys):
    assert main(["verify", str(bundle), "--trust", str(trust)]) == 0
    out = capsys.readouterr().out
    assert "seal: valid, ci" in out
    assert "sign-off: complete" in out


def test_a_signer_who_is_not_on_the_list_is_refused(bundle: Path, tmp_path: Path, capsys):
    path = listed(tmp_path, ("engineering", ADA), ("evidence", CI))
    assert main(["verify", str(bundle), "--trust", str(path)]) == 1
    assert "risk: the key" in capsys.readouterr().out


def test_an_altered_bundle_exits_1_and_names_what(bundle: Path, capsys):
    content = bundle.read_bytes()
    bundle.write_bytes(content.replace(b'"value_target":1.0', b'"value_target":0.0', 1))
    assert main(["verify", str(bundle), "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["verifies"] is False
    assert document["altered"][0].startswith("rows.jsonl does not have the hash")


@pytest.mark.parametrize("content", [b"", b"{}\n"])
def test_what_is_no_bundle_exits_2(content: bytes, tmp_path: Path, capsys):
    path = tmp_path / "b.tar"
    path.write_bytes(content)
    assert main(["verify", str(path), "--json"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "is not a bundle" in captured.err


def test_a_bundle_that_is_cut_off_exits_2(bundle: Path, capsys):
    bundle.write_bytes(bundle.read_bytes()[:-600])
    assert main(["verify", str(bundle)]) == 2
    assert "is cut off" in capsys.readouterr().err


def test_a_list_of_signers_that_cannot_be_read_exits_2(bundle: Path, tmp_path: Path, capsys):
    (tmp_path / "signers").write_text("risk bob\n")
    assert main(["verify", str(bundle), "--trust", str(tmp_path / "signers")]) == 2
    assert "line 1" in capsys.readouterr().err


@pytest.mark.skipif(
    not all(map(shutil.which, ("openssl", "tar", "bash", "base64", "jq", "sha256sum"))),
    reason="common tools are missing",
)
@pytest.mark.parametrize(("member", "person"), [("statement.dsse.json", CI), ("signoff/risk.json", BOB)])
def test_openssl_checks_a_signature_by_hand_as_the_docs_say(member: str, person: Person, bundle: Path, tmp_path: Path):
    """The commands of docs/evidence.md, run as they stand there."""
    text = (Path(__file__).parents[2] / "docs" / "evidence.md").read_text()
    script = text.split("<!-- check by hand -->")[1].split("```")[1].removeprefix("bash\n")
    (tmp_path / "KEY.pem").write_bytes(person.public())
    script = script.replace("MEMBER", member).replace("BUNDLE", str(bundle))
    done = subprocess.run(
        [shutil.which("bash") or "", "-euc", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Verified" in done.stdout
