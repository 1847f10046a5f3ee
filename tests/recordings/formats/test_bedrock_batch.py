"""Bedrock batch inference: an output repeats its input, and alone can be replayed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.call import CallFailure, FailureKind
from harness.errors import ConfigError
from harness.recordings import gaps
from harness.recordings.formats import Record, Reject, Skip
from harness.run.recorded import recorded
from tests.small.logs import PATIENT, read, recordings


def lines(*tables: Any) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in tables)


bodies = st.dictionaries(st.text(max_size=6), st.integers(-9, 9) | st.text(max_size=6) | st.none(), max_size=3)


@PATIENT
@given(st.lists(st.tuples(bodies, bodies), max_size=4))
def test_what_was_written_comes_back(written):
    content = lines(*({"recordId": str(at), "modelInput": a, "modelOutput": b} for at, (a, b) in enumerate(written)))
    found = recordings("bedrock_batch", content, model="m", region="us-east-1")
    assert [(json.loads(one.request_body), json.loads(one.response_body or b"")) for one in found] == written
    assert [one.request_id for one in found] == [str(at) for at in range(len(written))]
    assert {(one.model, one.region, one.operation) for one in found} <= {("m", "us-east-1", "InvokeModel")}


def test_a_failed_record_is_a_case_with_its_status():
    (one,) = recordings("bedrock_batch", lines({"modelInput": {}, "error": {"errorCode": 424, "errorMessage": "no"}}))
    assert (one.status, one.response_body) == (424, b'{"message":"no"}')


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        ({"errorCode": 400, "errorMessage": "no"}, 400, FailureKind.REJECTED),
        ({"errorCode": "429"}, 429, FailureKind.THROTTLED),
        ({"errorCode": "ThrottlingException", "errorMessage": "slow down"}, None, FailureKind.THROTTLED),
        ({"errorCode": 7, "errorMessage": "no"}, None, FailureKind.UNAVAILABLE),
        ({"errorCode": 200, "errorMessage": "no"}, None, FailureKind.UNAVAILABLE),
        ({"errorMessage": "no"}, None, FailureKind.UNAVAILABLE),
        ({}, None, FailureKind.UNAVAILABLE),
    ],
)
@pytest.mark.parametrize("operation", ["InvokeModel", "Converse"])
def test_a_failure_stays_one_and_no_status_is_made_up(error, status, kind, operation):
    (one,) = recordings("bedrock_batch", lines({"modelInput": {}, "error": error}), operation=operation)
    outcome = recorded(one)
    assert isinstance(outcome, CallFailure)
    assert (one.status, outcome.kind) == (status, kind)


def test_an_error_that_says_nothing_beside_an_output_is_none():
    (one,) = recordings("bedrock_batch", lines({"modelInput": {}, "modelOutput": {"a": 1}, "error": {}}))
    assert (one.status, one.response_body) == (200, b'{"a": 1}')


def test_two_jobs_that_count_from_one_lose_no_input():
    """The second job's output is not there, so its input is a case without an answer."""
    files = {
        "a.jsonl": lines({"recordId": "1", "modelInput": {"a": 1}}),
        "b.jsonl": lines({"recordId": "1", "modelInput": {"a": 2}}),
        "job/a.jsonl.out": lines({"recordId": "1", "modelInput": {"a": 1.0}, "modelOutput": {}}),
    }
    first, second, answered = read("bedrock_batch", files)
    assert isinstance(first, Skip)
    assert isinstance(second, Record)
    assert (second.recording.request_body, second.recording.response_body) == (b'{"a": 2}', None)
    assert isinstance(answered, Record)


def test_an_id_that_bedrock_gave_does_not_count_an_input_twice():
    files = {
        "a.jsonl": lines({"modelInput": {"a": 1, "b": 2}}),
        "job/a.jsonl.out": lines({"recordId": "0a1", "modelInput": {"b": 2, "a": 1}, "modelOutput": {}}),
    }
    assert [type(one) for one in read("bedrock_batch", files)] == [Skip, Record]


def test_inputs_beside_their_outputs_are_not_counted_twice():
    files = {
        "a.jsonl": lines({"recordId": "1", "modelInput": {}}, {"recordId": "2", "modelInput": {}}),
        "job/a.jsonl.out": lines({"recordId": "1", "modelInput": {}, "modelOutput": {}}),
        "job/manifest.json.out": lines({"totalRecordCount": 2, "processedRecordCount": 1}),
    }
    first, left, answered, manifest = read("bedrock_batch", files)
    assert isinstance(first, Skip)
    assert isinstance(left, Record)
    assert gaps.NO_ANSWER in left.recording.provenance.flags
    assert isinstance(answered, Record)
    assert isinstance(manifest, Skip)


def test_the_jobs_type_is_one_of_two():
    with pytest.raises(ConfigError, match="operation is InvokeModel or Converse"):
        read("bedrock_batch", b"", operation="Stream")


@pytest.mark.parametrize("text", [b"{", b"{}", b'{"recordId": "1"}', b'{"modelInput": NaN}', b'{"recordId": 3}'])
def test_what_is_no_record_is_refused(text):
    (one,) = read("bedrock_batch", text)
    assert isinstance(one, Reject)
