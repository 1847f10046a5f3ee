"""Parquet with a map of columns."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from harness.core import registry
from harness.core.case import Recording
from harness.recordings.formats import Record, Reject
from harness.recordings.formats import parquet as module
from tests.small.logs import PATIENT, MemoryLog, read, recordings


def written(columns: dict[str, Any], **options: Any) -> bytes:
    out = io.BytesIO()
    parquet.write_table(pa.table(columns), out, **options)
    return out.getvalue()


@PATIENT
@given(st.lists(st.tuples(st.floats(allow_nan=False), st.floats(allow_nan=False)), min_size=1, max_size=5))
def test_what_was_written_comes_back(rows):
    content = written({"x": [x for x, _ in rows], "y": [y for _, y in rows]}, row_group_size=2)
    found = recordings("parquet", content, features="x", answers="y")
    assert [(float(one.request_body), float(one.response_body or b"")) for one in found] == rows
    assert [one.provenance.origin.index for one in found if one.provenance.origin] == list(range(len(rows)))
    assert all(one.provenance.origin.line is None for one in found if one.provenance.origin)


def test_times_and_bytes_are_read():
    at = datetime(2026, 11, 1, 9, tzinfo=UTC)
    (one,) = recordings("parquet", written({"request": [b"\xff"], "response": ["2"], "t": [at]}), time="t")
    assert one.request_body == b"\xff"
    assert one.provenance.captured_at == at


def test_a_group_that_is_too_large_is_refused_and_the_next_is_read(monkeypatch: pytest.MonkeyPatch):
    content = written({"request": ["x" * 5000, "y"], "response": ["1", "2"]}, row_group_size=1, compression="none")
    monkeypatch.setattr(module, "LARGEST_GROUP", 1000)
    first, second = read("parquet", content)
    assert isinstance(first, Reject)
    assert "1 rows are lost" in first.reason
    assert isinstance(second, Record)


def test_a_column_that_is_not_there_is_named():
    (one,) = read("parquet", written({"x": [1]}), features="x,nowhere")
    assert isinstance(one, Reject)
    assert one.reason == "there is no column nowhere"


def test_a_text_that_a_group_holds_once_is_not_held_in_all_its_rows():
    """150 rows of 4 MiB, in a file of a few hundred kB."""
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 150, pa.int32()), pa.array(["x" * (4 << 20)]))
    content = written({"request": column})
    assert len(content) < 1 << 20
    tracemalloc.start()
    try:
        found = sum(len(one.request_body) for one in _each(content))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found == 150 * (4 << 20)
    assert peak < 64 << 20


def _each(content: bytes) -> Iterator[Recording]:
    built = registry.load("recordings.formats", "parquet", request="request")
    for one in built.read(MemoryLog({"log": content})):
        assert isinstance(one, Record)
        yield one.recording


def test_columns_of_one_name_are_refused():
    table = pa.Table.from_arrays([pa.array(["1"]), pa.array(["2"])], names=["request", "request"])
    out = io.BytesIO()
    parquet.write_table(table, out)
    (one,) = read("parquet", out.getvalue(), request="request")
    assert isinstance(one, Reject)
    assert "several columns request" in one.reason


def test_a_number_that_json_has_no_word_for_stays():
    content = written({"request": ["1"], "response": [[1.0, float("nan"), None]]})
    (one,) = recordings("parquet", content)
    assert one.response_body == b"[1.0,NaN,null]"


def test_a_status_that_pandas_left_empty_is_none():
    content = written({"request": ["1", "2"], "response": ["3", ""], "s": [float("nan"), 503.0]})
    found = recordings("parquet", content, request="request", response="response", status="s")
    assert [one.status for one in found] == [None, 503]
    assert [one.response_body for one in found] == [b"3", b""]
