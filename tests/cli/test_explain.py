"""`parity explain`: causes of a stored run, and of a file of pairs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from harness.cli import main
from tests.small.project import Project
from tests.small.server import Server


def write(folder: Path, lines: list[object]) -> str:
    file = folder / "pairs.jsonl"
    file.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
    return str(file)


def lines(change, n: int = 100) -> list[dict]:
    rng = np.random.default_rng(0)
    return [
        {"id": str(at), "source": value, "target": change(value), "inputs": {"city": "Oslo"}}
        for at, value in enumerate(rng.normal(size=n).tolist())
    ]


def test_a_file_of_pairs_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = write(tmp_path, lines(lambda value: value + 2))
    assert main(["explain", file]) == 0
    said = capsys.readouterr().out
    assert said.startswith(
        "100 rows\n1. every value is 2 too high\n   bias: explains 100.0% of the difference; 0.0% of"
    )
    assert 'differences of "0": 50% within 2, 90% within 2, 99% within 2, 100% within 2' in said
    assert main(["explain", file, "--json", "--most", "1"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [cause["name"] for cause in found["causes"]] == ["bias"]
    assert (found["rows"], found["left_out"], found["causes"][0]["after"]) == (100, 0, 1.0)


def test_rows_of_another_shape_are_left_out_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    odd = {"source": [1, 2], "target": {"a": 1, "b": 2}}
    assert main(["explain", write(tmp_path, [*lines(lambda value: -value), odd])]) == 0
    assert capsys.readouterr().out.startswith(
        "100 rows, 1 of another shape left out\n1. every value is multiplied by -1"
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 2: is not JSON"),
        ({"source": 1}, 'line 2: must be an object with "source" and "target"'),
        ({"source": 1, "target": "x"}, "line 2: target must be a number"),
        ({"source": 1, "target": 1, "inputs": []}, 'line 2: "inputs" must be an object'),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_printed(tmp_path: Path, capsys, line, message):
    assert main(["explain", write(tmp_path, [{"source": 1, "target": 1}, line])]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert message in said.err


def test_a_stored_run_is_explained_without_a_call(numbers: Project, server: Server):
    numbers.parity("run", "suites/numbers")
    server.reset()
    told = numbers.parity("explain", numbers.runs[0].name, "--json")
    assert told.code == 0
    assert told.document["rows"] > 0
    assert not server.counts()
