"""SageMaker Data Capture: what went in and came out, whatever its encoding."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.recordings import gaps
from harness.recordings.formats import Record, Reject, Skip
from tests.small.logs import PATIENT, read, recordings


def half(data: bytes, encoding: str, kind: str | None = None) -> dict[str, Any]:
    text = base64.b64encode(data).decode() if encoding == "BASE64" else data.decode()
    return {"data": text, "encoding": encoding} | ({} if kind is None else {"observedContentType": kind})


def line(data: dict[str, Any], **meta: Any) -> bytes:
    return json.dumps({"captureData": data, "eventMetadata": meta, "eventVersion": "0"}).encode() + b"\n"


encoded = st.one_of(
    st.tuples(st.text(max_size=30).map(str.encode), st.sampled_from(["CSV", "JSON"])),
    st.tuples(st.binary(max_size=30), st.just("BASE64")),
)


@PATIENT
@given(st.lists(st.tuples(encoded, encoded), max_size=4))
def test_what_was_captured_comes_back(written):
    content = b"".join(
        line({"endpointInput": half(*asked, "text/x"), "endpointOutput": half(*answered, "text/y")}, eventId=str(at))
        for at, (asked, answered) in enumerate(written)
    )
    found = recordings("sagemaker_capture", content)
    assert [(one.request_body, one.response_body) for one in found] == [(a[0], b[0]) for a, b in written]
    assert [one.request_id for one in found] == [str(at) for at in range(len(written))]
    assert all(one.request_headers == {"content-type": "text/x"} for one in found)
    assert all(one.response_headers == {"content-type": "text/y"} for one in found)


@pytest.mark.parametrize(
    ("encoding", "kind"), [("CSV", "text/csv"), ("JSON", "application/json"), ("BASE64", "application/octet-stream")]
)
def test_a_call_without_a_content_type_has_that_of_its_encoding(encoding, kind):
    (one,) = recordings("sagemaker_capture", line({"endpointInput": half(b"1", encoding)}))
    assert one.request_headers == {"content-type": kind}


def test_the_callers_own_name_of_a_call_comes_first():
    content = line({"endpointInput": half(b"1", "CSV")}, eventId="e", inferenceId="order-1")
    (one,) = read("sagemaker_capture", content)
    assert isinstance(one, Record)
    assert one.recording.request_id == "order-1"
    assert one.labels == ("order-1", "e")


def test_a_time_that_is_none_is_not_made_up():
    (one,) = recordings("sagemaker_capture", line({"endpointInput": half(b"1", "CSV")}, inferenceTime="{%s}"))
    assert one.provenance.captured_at is None


def test_the_endpoint_is_known_by_the_folder_or_told():
    content = line({"endpointInput": half(b"1", "CSV")})
    assert [one.model for one in recordings("sagemaker_capture", {"ep/AllTraffic/2026/11/01/09/a.jsonl": content})] == [
        "ep"
    ]
    assert [one.model for one in recordings("sagemaker_capture", content)] == [None]
    assert [one.model for one in recordings("sagemaker_capture", content, endpoint="mine")] == ["mine"]


def test_one_half_alone():
    """A request can be replayed without its answer; an answer cannot without its request."""
    asked, answered = read(
        "sagemaker_capture",
        line({"endpointInput": half(b"1", "CSV")}) + line({"endpointOutput": half(b"1", "CSV")}),
    )
    assert isinstance(asked, Record)
    assert asked.recording.provenance.flags == (gaps.NO_ANSWER,)
    assert isinstance(answered, Skip)
    assert answered.no_request


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b'{"captureData": {}}', "neither the input nor the output"),
        (line({"endpointInput": {"data": "???", "encoding": "BASE64"}}), "not the base64 that it says"),
        (line({"endpointInput": {"data": 3}}), "not the JSON of a record"),
        (b"\xff\xfe", "not the JSON of a record"),
    ],
)
def test_what_is_no_record_is_refused(text, reason):
    (one,) = read("sagemaker_capture", text)
    assert isinstance(one, Reject)
    assert reason in one.reason


def test_a_half_without_data_was_not_kept():
    half = {"encoding": "CSV", "data": "1,2"}
    first = json.dumps({"captureData": {"endpointInput": half, "endpointOutput": {"encoding": "CSV"}}})
    (one,) = recordings("sagemaker_capture", first.encode())
    assert (one.status, one.response_body) == (None, None)
    (other,) = read(
        "sagemaker_capture", json.dumps({"captureData": {"endpointInput": {}, "endpointOutput": half}}).encode()
    )
    assert isinstance(other, Skip)
    assert other.no_request


def test_base64_is_that_in_any_case():
    half = {"encoding": "base64", "data": "MSwy"}
    (one,) = recordings(
        "sagemaker_capture", json.dumps({"captureData": {"endpointInput": half, "endpointOutput": half}}).encode()
    )
    assert (one.request_body, one.response_body) == (b"1,2", b"1,2")
