"""Batch Transform: the order of records is the key, and a join puts the input before the answer."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ConfigError
from harness.recordings import gaps
from harness.recordings.formats import Record, Reject, Skip
from tests.small.logs import PATIENT, read, recordings

cells = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=5)


@PATIENT
@given(st.lists(st.tuples(cells, cells), max_size=5), st.booleans())
def test_every_record_has_its_answer(written, joined):
    outputs = [f"{asked},{said}" if joined else said for asked, said in written]
    files = {
        "in/a.csv": "".join(f"{asked}\n" for asked, _ in written).encode(),
        "in/a.csv.out": "".join(f"{said}\n" for said in outputs).encode(),
    }
    found = recordings("sagemaker_batch", files, join="Input" if joined else "None")
    assert [(one.request_body.decode(), (one.response_body or b"").decode()) for one in found] == written


@pytest.mark.parametrize(
    ("asked", "line", "answer"),
    [
        ({"key": 1}, {"key": 1, "SageMakerOutput": {"label": 1}}, {"label": 1}),
        ({"key": 1, "more": 2}, {"key": 1, "SageMakerOutput": {"label": 1}}, {"label": 1}),
        ([1, 2], {"SageMakerInput": [1, 2], "SageMakerOutput": [0.5]}, [0.5]),
    ],
)
def test_a_join_of_json_holds_the_answer_under_its_own_key(asked, line, answer):
    files = {"a.jsonl": json.dumps(asked).encode() + b"\n", "a.jsonl.out": json.dumps(line).encode() + b"\n"}
    (one,) = recordings("sagemaker_batch", files, join="Input", content_type="application/jsonlines")
    assert json.loads(one.response_body or b"") == answer


def test_the_files_ending_says_what_it_holds_where_the_job_is_not_told():
    (one,) = recordings("sagemaker_batch", {"a.jsonl.gz": gzip.compress(b'{"key": 1}\n')})
    assert one.request_headers["content-type"] == "application/jsonlines"


ID, TIME = "1f1d57b1-2e6f-488c-8c30-db4e6d757861", "2026-11-01T00:49:15Z"


@pytest.mark.parametrize("join", ["None", "Input"])
@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_generated_inference_id_is_no_part_of_the_answer(join, ending):
    if ending == "csv":
        asked, said = b"1,2", b"0.7"
        line = b",".join([*([asked] if join == "Input" else []), said, ID.encode(), TIME.encode()])
    else:
        asked, said = b'{"key":1}', b'{"label":1}'
        told = {"key": 1, "SageMakerOutput": {"label": 1}} if join == "Input" else {"label": 1}
        line = json.dumps(told | {"SageMakerInferenceId": ID, "SageMakerInferenceTime": TIME}).encode()
    (one,) = recordings("sagemaker_batch", {f"a.{ending}": asked + b"\n", f"a.{ending}.out": line + b"\n"}, join=join)
    assert (one.response_body, one.request_id) == (said, ID)
    assert one.provenance.captured_at == datetime(2026, 11, 1, 0, 49, 15, tzinfo=UTC)


def test_counts_that_differ_are_refused_whole():
    """One answer too few, and every one after it would be another record's."""
    (one,) = read("sagemaker_batch", {"a.csv": b"1\n2\n3\n", "a.csv.out": b"1\n2\n"})
    assert isinstance(one, Reject)
    assert "3 records went in and 2 came out" in one.reason


@pytest.mark.parametrize(
    ("asked", "said"),
    [(b"1\n\n2\n3\n", b"a\nb\nc\n"), (b"1\n2\n3\n", b"a\n\nb\nc\n"), (b"1\n\n2\n3\n", b"a\nb\n\nc\n")],
)
def test_an_empty_line_at_another_place_joins_nothing(asked, said):
    """An empty answer and an empty record leave the counts as they were, and shift what is between them."""
    (one,) = read("sagemaker_batch", {"a.csv": asked, "a.csv.out": said})
    assert isinstance(one, Reject)


def test_spaces_and_tabs_at_the_ends_of_a_row_are_its_content():
    """An empty last cell of a table with tabs, a text that begins with a space, an answer of a space."""
    files = {"a.tsv": b"1\t2\t\n a b\n\t\n", "a.tsv.out": b"x\t\r\n y\r\n \r\n"}
    found = recordings("sagemaker_batch", files)
    assert [(one.request_body, one.response_body) for one in found] == [
        (b"1\t2\t", b"x\t"),
        (b" a b", b" y"),
        (b"\t", b" "),
    ]


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\n\n\n"])
def test_the_end_of_a_file_may_be_of_any_kind(end):
    files = {"a.csv": b"\xef\xbb\xbf1\r\n\r\n2" + end, "a.csv.out": b"3\n\n4\n"}
    found = recordings("sagemaker_batch", files)
    assert [(one.request_body, one.response_body) for one in found] == [(b"1", b"3"), (b"2", b"4")]


@pytest.mark.parametrize(
    "line", [{"key": 2, "SageMakerOutput": 1}, {"SageMakerInput": [1], "SageMakerOutput": 1}, {"key": 1}, 3]
)
def test_a_join_with_another_input_is_refused(line):
    files = {"a.jsonl": b'{"key": 1}\n', "a.jsonl.out": json.dumps(line).encode() + b"\n"}
    (one,) = read("sagemaker_batch", files, join="Input")
    assert isinstance(one, Reject)


@pytest.mark.parametrize("join", ["None", "Input"])
def test_numbers_that_json_has_no_word_for_stay(join):
    said = '{"key":1,"SageMakerOutput":[NaN,-Infinity]}' if join == "Input" else '{"score":[NaN,-Infinity]}'
    line = f'{said[:-1]},"SageMakerInferenceId":"{ID}"' + "}\n"
    (one,) = recordings("sagemaker_batch", {"a.jsonl": b'{"key": 1}\n', "a.jsonl.out": line.encode()}, join=join)
    assert one.response_body == (b"[NaN,-Infinity]" if join == "Input" else said.encode())


def test_a_file_that_was_not_split_is_one_record():
    (one,) = recordings("sagemaker_batch", {"a.csv": b"1\n2\n", "a.csv.out": b"3\n4\n"}, split="None")
    assert (one.request_body, one.response_body) == (b"1\n2\n", b"3\n4\n")


def test_halves_without_the_other():
    asked, lost = read("sagemaker_batch", {"a.csv": b"1\n", "b.csv.out": b"2\n"})
    assert isinstance(asked, Record)
    assert asked.recording.provenance.flags == (gaps.NO_ANSWER,)
    assert isinstance(lost, Skip)
    assert lost.no_request


def test_an_output_that_is_no_join_is_refused():
    (one,) = read("sagemaker_batch", {"a.csv": b"1\n", "a.csv.out": b"2,3\n"}, join="Input")
    assert isinstance(one, Reject)


@pytest.mark.parametrize("options", [{"split": "RecordIO"}, {"join": "Output"}, {"assemble": "None"}])
def test_what_no_job_has_or_nothing_can_tell_is_named(options):
    with pytest.raises(ConfigError, match="sagemaker_batch"):
        read("sagemaker_batch", b"", **options)
