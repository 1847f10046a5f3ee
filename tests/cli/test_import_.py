"""`parity import`, as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness import cli

LINE = json.dumps({"captureData": {"endpointInput": {"data": "1,2"}, "endpointOutput": {"data": "0.5"}}})


@pytest.fixture
def log(tmp_path: Path) -> Path:
    (tmp_path / "log" / "b").mkdir(parents=True)
    (tmp_path / "log" / "b" / "1.jsonl").write_text(LINE + "\n")
    (tmp_path / "log" / "a.jsonl").write_text(LINE.replace("1,2", "3,4") + "\n")
    (tmp_path / "log" / ".hidden").write_text("no record")
    return tmp_path / "log"


def test_a_folder_becomes_a_golden_set(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["import", "sagemaker_capture", str(log), "--into", str(tmp_path / "g"), "--json"]) == 0
    out = capsys.readouterr()
    told = json.loads(out.out)
    assert (told["files"], told["records"], told["cases"], told["rejected"]) == (2, 2, 2, 0)
    assert "cases" in out.err
    assert cli.main(["golden", "show", str(tmp_path / "g"), "--json"]) == 0
    shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["from"]["path"] for one in shown] == ["a.jsonl", "b/1.jsonl"]


@pytest.mark.parametrize(
    ("path", "files"), [("log/**/*.jsonl", 2), ("log/*.jsonl", 1), ("log/b", 1), ("log/a.jsonl", 1), ("log/[ab]*", 1)]
)
def test_a_path_is_a_file_a_folder_or_a_glob(log: Path, tmp_path: Path, path: str, files: int, capsys):
    assert cli.main(["import", "sagemaker_capture", str(tmp_path / path), "--into", str(tmp_path / "g"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["files"] == files


def test_files_of_one_name_from_two_paths_are_both_kept(log: Path, tmp_path: Path, capsys):
    words = [str(log / "a.jsonl"), str(log / "a.jsonl")]
    assert cli.main(["import", "sagemaker_capture", *words, "--into", str(tmp_path / "g"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["duplicates"] == 1


def test_more_rejects_than_allowed_end_in_2(log: Path, tmp_path: Path, capsys):
    (log / "a.jsonl").write_text("{\n" + LINE)
    words = ["import", "sagemaker_capture", str(log), "--into", str(tmp_path / "g")]
    assert cli.main(words) == 2
    assert "1 records could not be read" in capsys.readouterr().err
    assert json.loads((tmp_path / "g" / "rejects.jsonl").read_text())["line"] == 1
    assert cli.main([*words, "--max-rejects", "1"]) == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nothing", "LOG"], "unknown format"),
        (["bedrock_logs", "LOG"], 'Did you mean "bedrock_log"'),
        (["vcr", "nowhere"], "no such file or folder"),
        (["vcr", "LOG/*.yaml"], "there is no file like"),
        (["vcr", "LOG", "--slice", "x"], "--slice is written NAME=VALUE"),
        (["vcr", "LOG", "--cluster", "a["], "is no JMESPath"),
        (["vcr", "LOG", "--option", "x=1"], "does not take these options"),
        (["vcr", "LOG", "--redact", "much"], 'there is no file "much"'),
        (["vcr", "LOG", "--max-rejects", "-1"], "must not be negative"),
        (["vcr", "az://container/x"], "no storage account"),
        (["vcr", "LOG", "--labels", "LOG/a.jsonl"], "no label"),
    ],
)
def test_what_cannot_be_meant_is_named(log: Path, tmp_path: Path, words: list[str], message: str, capsys, monkeypatch):
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT", raising=False)
    words = [word.replace("LOG", str(log)) for word in words]
    assert cli.main(["import", *words, "--into", str(tmp_path / "g")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "g" / "manifest.json").exists()


def test_labels_are_joined(log: Path, tmp_path: Path, capsys):
    (log / "a.jsonl").write_text(LINE[:-1] + ', "eventMetadata": {"eventId": "e-1"}}')
    truth = {"groundTruthData": {"data": "1", "encoding": "CSV"}, "eventMetadata": {"eventId": "e-1"}}
    (tmp_path / "truth.jsonl").write_text(json.dumps(truth) + "\n" + json.dumps({"id": "other", "label": "x"}))
    words = [str(log / "a.jsonl"), "--labels", str(tmp_path / "truth.jsonl"), "--into", str(tmp_path / "g")]
    assert cli.main(["import", "sagemaker_capture", *words, "--json", "--zstd"]) == 0
    assert json.loads(capsys.readouterr().out)["labelled"] == 1
    assert (tmp_path / "g" / "cases.jsonl.zst").is_file()
