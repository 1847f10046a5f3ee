from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.core.verdict import Verdict
from harness.errors import EvidenceError
from harness.gate import decided, evidence, signoff
from harness.gate.keys import load_private_key
from harness.gate.rows_file import write_rows
from tests.gate.sealed import CRITERION, RUN, decided_run, edwards, elliptic, label_rows, signoff_table

ADA, BOB = edwards("ada"), elliptic("bob")
MEMBERS = [
    "bundle.json",
    "decision.json",
    "policy.toml",
    "rows.jsonl",
    "run.json",
    "ledger.sha256",
    "report.json",
    "report.html",
    "statement.dsse.json",
    "SHA256SUMS",
]


def opened(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as bundle:
        return {one.name: bundle.extractfile(one).read() for one in bundle.getmembers()}  # type: ignore[union-attr]


def test_a_bundle_holds_all_that_the_decision_was_made_from(tmp_path: Path):
    folder = decided_run(tmp_path)
    made = evidence.write(folder, tmp_path / "b.tar")
    held = opened(made.path)
    assert list(held) == MEMBERS
    assert made.verdict is Verdict.INCONCLUSIVE
    assert made.sha256 == hashlib.sha256(made.path.read_bytes()).hexdigest()
    assert held["policy.toml"] == folder.policy.read_bytes()
    assert held["report.html"] == folder.report(".html").read_bytes()
    assert len(held["rows.jsonl"].splitlines()) == 12
    head = json.loads(held["bundle.json"])
    assert (head["schema"], head["run"], head["decision"]) == ("bundle/1", RUN, "INCONCLUSIVE")
    assert {"parity-harness", "numpy", "scipy", "python"} <= set(head["versions"])


def test_the_hash_that_is_signed_is_the_hash_of_a_file_in_it(tmp_path: Path):
    made = evidence.write(decided_run(tmp_path), tmp_path / "b.tar")
    assert hashlib.sha256(opened(made.path)["decision.json"]).hexdigest() == made.decision_sha256


def test_the_same_run_gives_the_same_bytes(tmp_path: Path):
    folder = decided_run(tmp_path)
    one, other = evidence.write(folder, tmp_path / "1.tar"), evidence.write(folder, tmp_path / "2.tar")
    assert one.sha256 == other.sha256


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="sha256sum is not installed")
def test_common_tools_check_the_hashes_of_members_and_of_recorded_answers(tmp_path: Path):
    folder = decided_run(tmp_path)
    path = evidence.write(folder, tmp_path / "b.tar").path
    out = tmp_path / "out"
    out.mkdir()
    assert subprocess.run([shutil.which("tar") or "", "-xf", str(path)], cwd=out).returncode == 0
    tool = shutil.which("sha256sum") or ""
    assert subprocess.run([tool, "--strict", "-c", "SHA256SUMS"], cwd=out, capture_output=True).returncode == 0
    ledger = [tool, "--strict", "-c", str(out / "ledger.sha256")]
    assert subprocess.run(ledger, cwd=folder.path, capture_output=True).returncode == 0
    (folder.ledger / "000001.jsonl").write_bytes(b"other answers\n")
    assert subprocess.run(ledger, cwd=folder.path, capture_output=True).returncode == 1


def test_bodies_beside_the_ledger_are_hashed_and_its_lock_is_not(tmp_path: Path):
    folder = decided_run(tmp_path)
    (folder.ledger / "lock").touch()
    (folder.ledger / "bodies").mkdir()
    (folder.ledger / "bodies" / "ab12").write_bytes(b"large")
    lines = opened(evidence.write(folder, tmp_path / "b.tar").path)["ledger.sha256"].decode().splitlines()
    assert [line.split("  ")[1] for line in lines] == ["ledger/000001.jsonl", "ledger/bodies/ab12"]
    assert lines[1].startswith(hashlib.sha256(b"large").hexdigest())


def test_sign_offs_are_part_of_it(tmp_path: Path):
    folder = decided_run(tmp_path, policy=CRITERION + signoff_table(engineering=ADA, risk=BOB))
    made = decided.load(folder)
    key = load_private_key(ADA.pem(tmp_path))
    one = signoff.sign(made, ADA.signs("engineering"), key, at=datetime(2026, 11, 20, tzinfo=UTC))
    path = signoff.store(folder.path, one)
    assert opened(evidence.write(folder, tmp_path / "b.tar").path)["signoff/engineering.json"] == path.read_bytes()


def test_a_sign_off_of_an_earlier_decision_is_not_sealed_in(tmp_path: Path):
    policy = CRITERION + signoff_table(engineering=ADA, risk=BOB)
    earlier = decided.load(decided_run(tmp_path / "earlier", policy=policy, flipped=1))
    folder = decided_run(tmp_path, policy=policy)
    key = load_private_key(ADA.pem(tmp_path))
    signoff.store(folder.path, signoff.sign(earlier, ADA.signs("engineering"), key, at=datetime.now(UTC)))
    with pytest.raises(EvidenceError, match="ada signed another decision of this run"):
        evidence.write(folder, tmp_path / "b.tar")


@pytest.mark.parametrize("missing", ["report.json", "report.html", "run.json", "policy.toml", "ledger/000001.jsonl"])
def test_a_part_that_is_missing_is_named_and_no_half_bundle_is_left(missing: str, tmp_path: Path):
    folder = decided_run(tmp_path)
    (folder.path / missing).unlink()
    before = set(tmp_path.iterdir())
    with pytest.raises(EvidenceError, match=missing.partition("/")[0]):
        evidence.write(folder, tmp_path / "b.tar")
    assert set(tmp_path.iterdir()) == before


def test_a_decision_that_its_rows_do_not_give_is_not_sealed(tmp_path: Path):
    folder = decided_run(tmp_path, cases=598, flipped=9)
    write_rows(folder.rows, label_rows(598))
    with pytest.raises(EvidenceError, match="is not the file that was decided on"):
        evidence.write(folder, tmp_path / "b.tar")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path):
    with pytest.raises(EvidenceError, match=r"absent/b\.tar: cannot be written"):
        evidence.write(decided_run(tmp_path), tmp_path / "absent" / "b.tar")
