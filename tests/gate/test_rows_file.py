"""Rows from files of any tool: what is read, what is refused, and how a fault is told."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from harness.core.verdict import Row, RowStatus
from harness.errors import RowsError
from harness.gate import rows_lines
from harness.gate.rows_file import open_rows, read_rows, write_rows

BASE = {"case": "a", "metric": "sim"}


@pytest.fixture(params=["with Arrow", "line by line"])
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both readers of JSON Lines must give the same answer."""
    if request.param == "line by line":
        monkeypatch.setattr(rows_lines, "plain_lines", lambda _: None)
    return str(request.param)


def lines(folder: Path, *records: dict[str, Any] | str) -> Path:
    path = folder / "rows.jsonl"
    texts = [record if isinstance(record, str) else json.dumps(record) for record in records]
    path.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    return path


def columns(folder: Path, **values: Any) -> Path:
    path = folder / "rows.parquet"
    n = len(next(iter(values.values())))
    table = {"case": [f"c{i}" for i in range(n)], "metric": ["sim"] * n} | values
    parquet.write_table(pa.table(table), path)
    return path


def told(path: Path) -> str:
    with pytest.raises(RowsError) as caught:
        read_rows(path)
    return str(caught.value)


def same(a: Row, b: Row) -> bool:
    """Equal, with NaN equal to NaN."""
    return repr(a) == repr(b)


@pytest.mark.usefixtures("reader")
class TestLines:
    def test_defaults(self, tmp_path: Path) -> None:
        (row,) = read_rows(lines(tmp_path, BASE))
        assert row == Row(case="a", metric="sim", cluster="a")

    def test_every_field(self, tmp_path: Path) -> None:
        full = BASE | {
            "cluster": "k",
            "value_target": 0.25,
            "value_noise": 1,
            "status_target": "timeout",
            "status_source": "unscored",
            "slices": {"region": "eu", "day": "2026-01-01"},
            "repeat": 3,
            "run": "night-1",
            "unknown": {"of": ["another", "tool"]},
        }
        (row,) = read_rows(lines(tmp_path, full))
        assert row == Row(
            case="a",
            metric="sim",
            cluster="k",
            repeat=3,
            run="night-1",
            slices={"region": "eu", "day": "2026-01-01"},
            value_target=0.25,
            value_noise=1.0,
            status_target=RowStatus.TIMEOUT,
            status_source=RowStatus.UNSCORED,
        )

    @pytest.mark.parametrize(
        "text, value",
        [
            ("NaN", math.nan),
            ("Infinity", math.inf),
            ("-Infinity", -math.inf),
            ('"NaN"', math.nan),
            ('"Infinity"', math.inf),
            ('"-Infinity"', -math.inf),
            ("1", 1.0),
            ("-0.0", -0.0),
            ("true", 1.0),
            ("1e999", math.inf),
            ("1" + "0" * 400, math.inf),
            ("null", None),
        ],
    )
    def test_values(self, tmp_path: Path, text: str, value: float | None) -> None:
        (row,) = read_rows(lines(tmp_path, f'{{"case": "a", "metric": "sim", "value_target": {text}}}'))
        assert repr(row.value_target) == repr(value)

    @pytest.mark.parametrize(
        "slices, read",
        [
            (None, {}),
            ({}, {}),
            ("", {}),
            ("eu", {"slice": "eu"}),
            ("region=eu", {"region": "eu"}),
            ('{"region": "eu"}', {"region": "eu"}),
            ({"region": "eu", "tier": None}, {"region": "eu"}),
            ({"region": ""}, {}),
        ],
    )
    def test_slices(self, tmp_path: Path, slices: Any, read: dict[str, str]) -> None:
        (row,) = read_rows(lines(tmp_path, BASE | {"slices": slices}))
        assert row.slices == read

    def test_nulls_are_defaults(self, tmp_path: Path) -> None:
        nulls = dict.fromkeys(("cluster", "value_target", "status_target", "status_source", "slices", "repeat", "run"))
        (row,) = read_rows(lines(tmp_path, BASE | nulls))
        assert row == Row(case="a", metric="sim", cluster="a")

    def test_blank_lines_line_ends_and_marks_are_no_rows(self, tmp_path: Path) -> None:
        path = tmp_path / "rows.jsonl"
        path.write_bytes(b'\xef\xbb\xbf{"case":"a","metric":"sim"}\r\n\r\n{"case":"b","metric":"sim"}  \n\n')
        assert [row.case for row in read_rows(path)] == ["a", "b"]

    @pytest.mark.parametrize("content", ["", "\n", "\n\n \n"])
    def test_an_empty_file_has_no_rows(self, tmp_path: Path, content: str) -> None:
        path = tmp_path / "rows.jsonl"
        path.write_text(content)
        assert len(read_rows(path)) == 0

    @pytest.mark.parametrize(
        "record, said",
        [
            ({"metric": "sim"}, 'line 2: field "case" is missing'),
            ({"case": "a"}, 'line 2: field "metric" is missing'),
            (BASE | {"case": ""}, 'field "case" must not be empty'),
            (BASE | {"case": 7}, 'field "case" must be text, not a number'),
            (BASE | {"cluster": 7}, 'field "cluster" must be text, not a number'),
            (
                BASE | {"value_target": "high"},
                'field "value_target" must be a number, null, NaN, Infinity or -Infinity',
            ),
            (BASE | {"value_noise": [1]}, 'field "value_noise" must be a number'),
            (BASE | {"status_target": "failed"}, 'must be one of ok, error, timeout, unscored, not "failed"'),
            (BASE | {"status_source": 1}, 'field "status_source" must be one of ok'),
            (BASE | {"repeat": 1.5}, 'field "repeat" must be a whole number, not 1.5'),
            (BASE | {"repeat": 2**70}, 'line 2: field "repeat" must be a whole number of at most 64 bits'),
            (BASE | {"repeat": "1"}, 'field "repeat" must be a whole number, not text'),
            (BASE | {"slices": {"a": 1}}, 'field "slices" must be an object of texts, and "a" is a number'),
            (BASE | {"slices": ["a"]}, 'field "slices" must be an object of texts or one text, not a list'),
            (BASE | {"run": 3}, 'field "run" must be text'),
            ("[1]", "line 2: is a list"),
            ('{"case": "a"', "line 2: is not JSON"),
            ('{"case":"b","metric":"m"}{"case":"c","metric":"m"}', "line 2: is not JSON: Extra data"),
            ('{"case":"b","metric":"m","value_target":Inf}', "line 2: is not JSON"),
            ('{"case":"b",\n"metric":"m"}', "line 2: is not JSON"),
        ],
    )
    def test_a_fault_is_told_with_file_line_and_field(
        self, tmp_path: Path, record: dict[str, Any] | str, said: str
    ) -> None:
        path = lines(tmp_path, BASE, record)
        assert said in told(path)
        assert told(path).startswith(f"{path}, line 2: ")

    def test_text_that_is_not_utf8_is_told_with_its_line(self, tmp_path: Path) -> None:
        path = tmp_path / "rows.jsonl"
        path.write_bytes(b'{"case":"a","metric":"sim"}\n{"case":"\xff","metric":"sim"}\n')
        assert "line 2: is not UTF-8" in told(path)


def test_plain_lines_take_the_fast_reader(tmp_path: Path) -> None:
    """Without it a million rows take a minute of somebody's time."""
    content = lines(tmp_path, BASE | {"value_target": float("nan"), "slices": {"a": "b"}}, BASE).read_bytes()
    assert rows_lines.plain_lines(content) is not None


def test_both_readers_agree_on_many_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    records = [
        BASE
        | {"case": f"c{rng.integers(50)}", "value_target": float(rng.choice([0.1, 1 / 3, math.nan, math.inf]))}
        | ({"slices": {"k": f"v{rng.integers(3)}"}} if rng.random() < 0.5 else {})
        | ({"run": "n1", "repeat": int(rng.integers(3))} if rng.random() < 0.5 else {})
        for _ in range(500)
    ]
    path = lines(tmp_path, *records)
    fast = list(read_rows(path))
    monkeypatch.setattr(rows_lines, "plain_lines", lambda _: None)
    assert all(map(same, fast, read_rows(path)))


def test_parquet_says_what_lines_say(tmp_path: Path) -> None:
    rows = [
        Row(case="a", metric="sim", cluster="k", value_target=0.5, slices={"region": "eu"}, run="n1", repeat=2),
        Row(case="b", metric="sim", cluster="b", value_target=math.nan, value_noise=math.inf),
        Row(case="c", metric="label", cluster="c", status_target=RowStatus.ERROR, status_source=RowStatus.TIMEOUT),
    ]
    write_rows(tmp_path / "rows.parquet", rows)
    write_rows(tmp_path / "rows.jsonl", rows)
    for path in (tmp_path / "rows.parquet", tmp_path / "rows.jsonl"):
        assert all(map(same, rows, read_rows(path)))


def test_parquet_needs_no_column_but_case_and_metric(tmp_path: Path) -> None:
    first, _ = read_rows(columns(tmp_path, case=["a", "b"]))
    assert first == Row(case="a", metric="sim", cluster="a")


@pytest.mark.parametrize(
    "values, read",
    [
        (pa.array([1, 0], pa.int8()), [1.0, 0.0]),
        (pa.array([True, None]), [1.0, None]),
        (pa.array([2**60 + 1, None]), [float(2**60), None]),
        (pa.array([0.5, math.nan], pa.float32()), [0.5, math.nan]),
        (pa.array([None, None], pa.null()), [None, None]),
        (pa.array(["NaN", None]), [math.nan, None]),
        (np.array([0.5, -0.0], dtype=np.float16), [0.5, -0.0]),
    ],
)
def test_parquet_numbers_of_any_type(tmp_path: Path, values: Any, read: list[float | None]) -> None:
    rows = list(read_rows(columns(tmp_path, value_target=values)))
    assert repr([row.value_target for row in rows]) == repr(read)


@pytest.mark.parametrize(
    "slices",
    [
        pa.array([{"region": "eu"}, None]),
        pa.array([{"region": "eu", "tier": None}, {"region": None, "tier": None}]),
        pa.array([[("region", "eu")], []], pa.map_(pa.string(), pa.string())),
        pa.array(['{"region": "eu"}', None]),
        pa.array(["region=eu", ""]),
        pa.array([[("region", "eu")], [("region", "")]], pa.map_(pa.string(), pa.string())),
    ],
)
def test_parquet_slices_of_any_type(tmp_path: Path, slices: Any) -> None:
    first, second = read_rows(columns(tmp_path, slices=slices))
    assert (first.slices, second.slices) == ({"region": "eu"}, {})


def test_parquet_texts_of_any_type(tmp_path: Path) -> None:
    path = columns(
        tmp_path,
        case=pa.array(["a", "b"]).dictionary_encode(),
        cluster=pa.array(["k", None], pa.large_string()),
        status_target=pa.array(["timeout", None]).dictionary_encode(),
        repeat=pa.array([1.0, None]),
        run=pa.array([None, "n2"]),
    )
    first, second = read_rows(path)
    assert (first.cluster, second.cluster) == ("k", "b")
    assert (first.status_target, second.status_target) == (RowStatus.TIMEOUT, RowStatus.OK)
    assert (first.repeat, second.repeat, first.run, second.run) == (1, 0, "", "n2")


@pytest.mark.parametrize(
    "values, said",
    [
        ({"case": ["a", None]}, 'row 2: field "case" is missing'),
        ({"case": [1, 2]}, 'field "case" must be text, and the column holds int64'),
        ({"value_target": ["high", "low"]}, 'row 1: field "value_target" must be a number'),
        ({"status_target": ["ok", "failed"]}, 'row 2: field "status_target" must be one of'),
        ({"repeat": [0.5, 1.0]}, 'row 1: field "repeat" must be a whole number'),
        ({"slices": [{"a": 1}, {"a": 2}]}, 'field "slices" must be an object of texts, and "a" is not'),
        ({"slices": [[1], [2]]}, 'row 1: field "slices" must be an object'),
    ],
)
def test_a_fault_in_parquet_is_told_with_file_row_and_field(tmp_path: Path, values: Any, said: str) -> None:
    path = columns(tmp_path, **values)
    assert said in told(path)
    assert told(path).startswith(str(path))


def test_two_parquet_columns_of_one_name_are_told(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    parquet.write_table(pa.table([["a"], ["b"], ["sim"]], names=["case", "case", "metric"]), path)
    assert told(path) == f'{path}: field "case" has 2 columns. Keep one of them.'


def test_parquet_without_rows_is_empty(tmp_path: Path) -> None:
    parquet.write_table(pa.table({}), tmp_path / "rows.parquet")
    assert len(read_rows(tmp_path / "rows.parquet")) == 0


def test_a_torn_parquet_file_is_told(tmp_path: Path) -> None:
    path = columns(tmp_path, run=["n1"] * 10)
    path.write_bytes(path.read_bytes()[:-20])
    assert "cannot be read as Parquet" in told(path)


@pytest.mark.parametrize("name", ["nowhere.jsonl", "."])
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, name: str) -> None:
    assert "ROWS is a JSON Lines or Parquet file" in told(tmp_path / name)


def test_a_night_may_be_named_from_outside(tmp_path: Path) -> None:
    path = lines(tmp_path, BASE, BASE | {"case": "b", "run": "own"})
    assert [row.run for row in open_rows(path, run="night-3").rows] == ["night-3", "own"]


def test_the_hash_is_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("")
    assert open_rows(path).sha256 == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
