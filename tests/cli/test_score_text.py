"""`parity score text`: a line out for each line in, or none at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.cli import main

PAIRS = [
    {"id": "b", "prompt": "who wrote dracula", "source": "Bram Stoker", "target": "Bram Stoker wrote Dracula."},
    {
        "id": "a",
        "prompt": "who wrote dracula",
        "source": "Bram Stoker",
        "target": "I'm sorry, I cannot help with that.",
    },
    {"id": 7, "prompt": "", "source": "", "target": "\u2028", "label": 1},
]


def written(folder: Path, *lines: object) -> str:
    path = folder / "pairs.jsonl"
    path.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
    return str(path)


def test_lines_come_out_in_order_with_four_keys(tmp_path, capsys):
    assert main(["score", "text", written(tmp_path, *PAIRS), "--json"]) == 0
    out, err = capsys.readouterr()
    found = [json.loads(line) for line in out.splitlines()]
    assert [one["id"] for one in found] == ["b", "a", 7]
    assert all(set(one) == {"id", "score", "verdict", "reasons"} for one in found)
    assert [one["verdict"] for one in found] == ["same", "different", "same"]
    assert found[1]["reasons"] == ["the target refuses"]
    assert err == ""


def test_without_json_a_summary_goes_to_stderr(tmp_path, capsys):
    assert main(["score", "text", written(tmp_path, *PAIRS)]) == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 3
    assert "2 same, 1 different" in err


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        ("{", "not JSON in UTF-8"),
        ("", "not JSON in UTF-8"),
        ("[]", "not an object"),
        ({**PAIRS[0], "target": None}, '"target" must be a text'),
        ({key: value for key, value in PAIRS[0].items() if key != "id"}, '"id" must be'),
    ],
)
def test_a_bad_line_is_named_before_any_output(tmp_path, capsys, bad, problem):
    assert main(["score", "text", written(tmp_path, PAIRS[0], bad)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert f"pairs.jsonl, line 2: {problem}" in err


def test_a_calibration_that_is_none_is_refused(tmp_path, capsys):
    path = tmp_path / "no.json"
    path.write_text("{}")
    assert main(["score", "text", written(tmp_path, *PAIRS), "--calibration", str(path)]) == 2
    assert "not a calibration" in capsys.readouterr().err
