"""The command `parity score embeddings`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.cli import main
from harness.gate.rows_file import read_rows

LINES = [
    {"id": "a", "kind": "document", "source": [1, 0], "target": [1, 0, 0]},
    {"id": "b", "kind": "document", "source": [0, 1], "target": [0, 1, 0]},
    {"id": "c", "kind": "document", "source": [1, 1], "target": [0, 0, 1]},
    {"id": "q1", "kind": "query", "source": [1, 0.1], "target": [0.1, 0, 1], "relevant": ["a"], "cluster": "u"},
    {"id": "q2", "kind": "query", "source": [0, 1], "target": [0, 1, 0], "relevant": {"b": 2}},
]


def write(folder: Path, lines: list[object]) -> str:
    file = folder / "vectors.jsonl"
    file.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
    return str(file)


def test_recall_of_both_sides_the_diagnosis_and_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    rows = tmp_path / "rows.jsonl"
    command = ["score", "embeddings", write(tmp_path, LINES), "--k", "1", "--cutoff", "0.9", "--rows", str(rows)]
    assert main([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["metrics"]["recall_at_1"] == {"source": 1.0, "target": 0.5, "queries": 2}
    assert found["cutoff"]["empty_source"] == 0
    assert len(read_rows(rows)) == 4
    assert main(command) == 0
    assert "recall_at_1    source 1.0000  target 0.5000  (2 queries)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([*LINES, "{"], "line 6: is not JSON"),
        ([*LINES, {"id": "x", "kind": "text"}], "line 6: kind must be"),
        ([*LINES, {**LINES[0], "id": "x", "target": [1, "2"]}], "line 6: target must be a list"),
        ([*LINES, {**LINES[0], "id": "x", "target": [1, 2]}], "vectors of the target differ in dimension"),
        ([*LINES, LINES[0]], 'document "a" was there before'),
        ([*LINES, {**LINES[3], "id": "x", "relevant": ["z"]}], 'calls "z" relevant'),
        (LINES[:3], "0 queries"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_printed(tmp_path: Path, capsys, lines, message):
    assert main(["score", "embeddings", write(tmp_path, lines)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert message in said.err
