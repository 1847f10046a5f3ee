from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from harness.cli import main
from harness.run.folder import RunFolder
from tests.gate.sealed import RUN, decided_run, edwards, project


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    monkeypatch.chdir(tmp_path)
    return decided_run(project(tmp_path))


def test_a_bundle_is_written_into_the_run_s_folder_and_its_path_printed(run: RunFolder, capsys):
    assert main(["evidence", RUN]) == 0
    path = Path(capsys.readouterr().out.strip())
    assert path.resolve() == (run.path / "evidence.tar").resolve()
    assert path.is_file()


def test_json_is_one_document_with_the_path_and_the_hashes(run: RunFolder, tmp_path: Path, capsys):
    assert main(["evidence", str(run.path), "--output", str(tmp_path / "b.tar"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["bundle"] == str(tmp_path / "b.tar")
    assert document["sha256"] == hashlib.sha256((tmp_path / "b.tar").read_bytes()).hexdigest()
    assert (document["decision"], document["sealed"]) == ("INCONCLUSIVE", False)


def test_a_key_seals_it(run: RunFolder, tmp_path: Path, capsys):
    key = edwards("ci").pem(tmp_path)
    assert main(["evidence", RUN, "--key", str(key), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sealed"] is True


def test_a_partial_run_has_no_evidence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.chdir(tmp_path)
    decided_run(project(tmp_path), partial=True)
    assert main(["evidence", RUN]) == 2
    assert "PARTIAL" in capsys.readouterr().err


def test_a_run_that_does_not_exist_names_the_latest(run: RunFolder, capsys):
    assert main(["evidence", "absent"]) == 2
    assert RUN in capsys.readouterr().err
