from __future__ import annotations

import hashlib
import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.core.rows import Rows
from harness.core.verdict import Row, RowStatus
from harness.errors import EvidenceError
from harness.gate.canonical import canonical_json, parse_canonical, rows_lines, rows_sha256
from harness.gate.rows_file import read_rows, write_rows

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
values = st.none() | st.floats()
rows = st.builds(
    Row,
    case=names,
    metric=st.sampled_from(["label", "sim"]),
    cluster=names,
    repeat=st.integers(0, 3),
    run=st.sampled_from(["", "night-2"]),
    slices=st.dictionaries(st.sampled_from(["region", "slice", "a b"]), names, max_size=3),
    value_target=values,
    value_noise=values,
    status_target=st.sampled_from(RowStatus),
    status_source=st.sampled_from(RowStatus),
)


@given(listed=st.lists(rows, max_size=6), suffix=st.sampled_from([".jsonl", ".parquet"]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_read_back_from_any_file_are_written_to_the_same_bytes(listed, suffix, tmp_path: Path):
    """Whatever a run stored, its bundle can be re-serialised byte for byte."""
    stored = tmp_path / f"rows{suffix}"
    write_rows(stored, listed)
    lines = b"".join(rows_lines(read_rows(stored)))
    bundled = tmp_path / "bundled.jsonl"
    bundled.write_bytes(lines)
    assert b"".join(rows_lines(read_rows(bundled))) == lines


def test_every_column_of_a_row_is_in_its_line_and_every_number_keeps_its_last_bit():
    row = Row(case="ü", metric="m", value_target=0.1 + 0.2, value_noise=math.nan, slices={"b": "2", "a": "1"}, repeat=2)
    assert b"".join(rows_lines(Rows.from_rows([row]))) == (
        b'{"case":"\\u00fc","metric":"m","cluster":"\\u00fc","run":"","repeat":2,"slices":{"a":"1","b":"2"},'
        b'"value_target":0.30000000000000004,"value_noise":"NaN","status_target":"ok","status_source":"ok"}\n'
    )


def test_absence_not_a_number_and_infinity_stay_three_things(tmp_path: Path):
    told = [None, math.nan, math.inf, -math.inf, 0.0]
    path = tmp_path / "rows.jsonl"
    path.write_bytes(
        b"".join(rows_lines(Rows.from_rows(Row(case=str(n), metric="m", value_target=x) for n, x in enumerate(told))))
    )
    read = [row.value_target for row in read_rows(path)]
    assert [str(value) for value in read] == ["None", "nan", "inf", "-inf", "0.0"]


def test_the_hash_of_rows_is_that_of_their_lines_however_many_chunks_they_take(monkeypatch: pytest.MonkeyPatch):
    table = Rows.from_rows(Row(case=f"c{n}", metric="m") for n in range(25))
    whole = hashlib.sha256(b"".join(rows_lines(table))).hexdigest()
    monkeypatch.setattr("harness.gate.canonical.ROWS_A_CHUNK", 10)
    assert rows_sha256(table) == whole


@pytest.mark.parametrize(
    "text", [b'{"b":1,"a":2}\n', b'{"a": 2}\n', b'{"a":2}', b'{"a":1,"a":2}\n', b"[]\n", b"{", b"\xff"]
)
def test_json_in_any_other_form_is_refused(text: bytes):
    with pytest.raises(EvidenceError, match="thing"):
        parse_canonical(text, "thing")


def test_canonical_json_reads_back():
    content = {"b": [1, 0.1, None, "ü"], "a": {"z": True}}
    assert parse_canonical(canonical_json(content), "thing") == content
