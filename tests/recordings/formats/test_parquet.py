"""Parquet with a map of columns."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from harness.recordings.formats import Record, Reject
from harness.recordings.formats import parquet as module
from tests.small.logs import PATIENT, read, recordings


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
