"""The command `parity decide`: exit codes, streams, and what the document holds."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import main
from harness.core.verdict import Row
from harness.gate.policy import load_policy
from harness.gate.rows_file import write_rows
from tests.gate.making import flips, score, scores, write_policy
from tests.gate.making import write_rows as write_lines

COMMAND = "import sys; from harness.cli import main; sys.exit(main())"  # what the installed script holds
FIELDS = {
    "criterion",
    "slice",
    "verdict",
    "estimate",
    "low",
    "high",
    "margin",
    "p_go",
    "p_no_go",
    "units",
    "excluded",
    "unscored",
    "more_units",
    "reason",
}


@pytest.fixture
def policy(tmp_path: Path) -> str:
    return str(write_policy(tmp_path / "POLICY.toml", [score()]))


@pytest.mark.parametrize(
    "rows, code", [(scores(400), 0), (scores(400, drop=0.1), 1), ([], 3)], ids=["GO", "NO-GO", "INCONCLUSIVE"]
)
def test_exit_codes(tmp_path: Path, policy: str, rows: list[dict[str, object]], code: int) -> None:
    assert main(["decide", str(write_lines(tmp_path / "rows.jsonl", rows)), "--policy", policy]) == code


@pytest.mark.parametrize(
    "content, told",
    [
        ('{"case": "a"}\n', 'rows.jsonl, line 1: field "metric" is missing'),
        ('{"case": "a", "metric": "sim", "value_target": "x"}\n', 'rows.jsonl, line 1: field "value_target"'),
        ("nonsense\n", "rows.jsonl, line 1: is not JSON"),
    ],
)
def test_a_fault_in_the_rows_exits_2_and_is_told(
    tmp_path: Path, policy: str, capsys: pytest.CaptureFixture[str], content: str, told: str
) -> None:
    (tmp_path / "rows.jsonl").write_text(content)
    assert main(["decide", str(tmp_path / "rows.jsonl"), "--policy", policy, "--json"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert told in err


def test_a_fault_in_the_policy_exits_2_and_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = write_policy(tmp_path / "POLICY.toml", [score(margn=0.1)])
    assert main(["decide", str(write_lines(tmp_path / "rows.jsonl", [])), "--policy", str(policy)]) == 2
    assert 'Did you mean "margin"?' in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["nowhere.jsonl", "--policy", "nowhere.toml"], ["rows.jsonl"], []])
def test_wrong_usage_exits_2(arguments: list[str]) -> None:
    code: object
    try:
        code = main(["decide", *arguments])
    except SystemExit as exc:  # argparse leaves by itself
        code = exc.code
    assert code == 2


def test_an_unforeseen_failure_exits_2(tmp_path: Path, policy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python's own exit code of 1 would read as NO-GO."""
    monkeypatch.setattr("harness.gate.answers.holm", lambda *_, **__: 1 / 0)
    assert main(["decide", str(write_lines(tmp_path / "rows.jsonl", scores(40))), "--policy", policy]) == 2


def test_json_is_one_document_with_all_that_a_pipeline_needs(
    tmp_path: Path, policy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = write_lines(tmp_path / "rows.jsonl", scores(400))
    main(["decide", str(rows), "--policy", policy, "--json"])
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert document["decision"] == "GO"
    assert document["rows_sha256"] == hashlib.sha256(rows.read_bytes()).hexdigest()
    assert document["policy_sha256"] == load_policy(Path(policy)).sha256
    assert document["epoch"] == load_policy(Path(policy)).epoch_id
    assert document["rows_sha256"][:16] in document["signature"]
    assert all(set(finding) >= FIELDS for finding in document["findings"])
    assert "GO" in err


def test_the_same_rows_and_policy_give_the_same_document(
    tmp_path: Path, policy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = str(write_lines(tmp_path / "rows.jsonl", scores(400)))
    documents = []
    for _ in range(2):
        main(["decide", rows, "--policy", policy, "--json"])
        documents.append(capsys.readouterr().out)
    assert documents[0] == documents[1]


def test_without_json_the_answer_comes_first(tmp_path: Path, policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    rows = write_lines(tmp_path / "rows.jsonl", scores(400, drop=0.1))
    main(["decide", str(rows), "--policy", policy])
    out, err = capsys.readouterr()
    assert out.startswith("NO-GO. sim: 400 cases were on average 0.100 points less similar")
    assert err == ""


def test_json_lines_and_parquet_decide_the_same(
    tmp_path: Path, policy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [Row(**record) for record in scores(400)]
    findings = []
    for name in ("rows.jsonl", "rows.parquet"):
        write_rows(tmp_path / name, rows)
        main(["decide", str(tmp_path / name), "--policy", policy, "--json"])
        findings.append(json.loads(capsys.readouterr().out)["findings"])
    assert findings[0] == findings[1]


def test_the_command_itself(tmp_path: Path) -> None:
    """As a pipeline calls it, in a process of its own."""
    rows = write_lines(tmp_path / "rows.jsonl", flips(1000, 50, noise=None))
    policy = write_policy(tmp_path / "POLICY.toml", [{"metric": "label", "kind": "flip", "deterministic": True}])
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, "decide", str(rows), "--policy", str(policy), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert json.loads(done.stdout)["decision"] == "NO-GO"
