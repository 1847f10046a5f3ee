"""CSV with a map of columns."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.recordings.formats import Record, Reject
from tests.small.logs import PATIENT, read, recordings

cells = st.text(
    st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=8
)


def table(*rows: tuple[str, ...]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([("q", "a"), *rows])
    return out.getvalue().encode()


@PATIENT
@given(st.lists(st.tuples(cells, cells), max_size=4))
def test_what_was_written_comes_back(rows):
    found = recordings("csv", table(*rows), request="q", response="a")
    assert [(one.request_body.decode(), (one.response_body or b"").decode()) for one in found] == rows


def test_features_make_a_row_and_a_cell_that_needs_quotes_has_them():
    (one,) = recordings("csv", b'x,y,z\n1,"a,b",0.5\n', features="x,y", answers="z")
    assert (one.request_body, one.response_body) == (b'1,"a,b"', b"0.5")


def test_lines_are_physical_ones():
    found = read("csv", b'q,a\n"1\n2",3\nshort\n4,5\n', request="q", response="a")
    assert [type(one) for one in found] == [Record, Reject, Record]
    origins = [one.recording.provenance.origin if isinstance(one, Record) else one.origin for one in found]
    assert [(one.index, one.line) for one in origins if one] == [(0, 2), (1, 4), (2, 5)]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"x\n1\n", "no column request"),
        (b"request,response,response\n1,2,3\n", "several columns response"),
        (b"\xff\xfer\0", "no CSV in UTF-8"),
        (b"request,response\n\xff,1\n", "no CSV in UTF-8"),
        (b'request,response\n"1\n', "not CSV"),
        (b"request,response\n" + b"1" * 200_000 + b",2\n", "not CSV"),
    ],
)
def test_what_is_no_row_is_refused(content, reason):
    first, *_ = read("csv", content)
    assert isinstance(first, Reject)
    assert reason in first.reason


@pytest.mark.parametrize("name", ["status", "time", "latency_s", "request_id", "model", "cluster", "expected"])
def test_a_column_of_the_map_that_is_not_there_is_no_silence(name):
    """A misspelt column of statuses would make an answer of every failure."""
    (one,) = read("csv", b"request,response\n1,2\n", **{"response": "response", "request": "request", name: "stauts"})
    assert isinstance(one, Reject)
    assert one.reason == "there is no column stauts"


def test_answers_that_are_all_empty_were_not_kept():
    found = recordings("csv", b"x,p,q\n1,,\n2,,0.5\n", features="x", answers="p,q")
    assert [one.response_body for one in found] == [None, b",0.5"]


def test_a_mark_at_the_start_and_any_line_end_are_no_content():
    found = recordings("csv", b"\xef\xbb\xbfrequest,response\r\n1,2\r\n3,4", request="request", response="response")
    assert [(one.request_body, one.response_body) for one in found] == [(b"1", b"2"), (b"3", b"4")]
