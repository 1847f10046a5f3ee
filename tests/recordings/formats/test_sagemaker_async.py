"""Asynchronous inference: notifications name the objects that went in and came out."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.call import CallFailure, FailureKind
from harness.recordings import gaps
from harness.recordings.formats import Record, Reject, Skip
from harness.run.recorded import recorded
from tests.small.logs import PATIENT, read, recordings


def told(name: str = "1", **change: Any) -> dict[str, Any]:
    """The example of the wire contracts, section A.3."""
    return {
        "awsRegion": "us-east-1",
        "eventTime": "2026-11-01T22:46:00.608Z",
        "receivedTime": "2026-11-01T22:46:00.455Z",
        "invocationStatus": "Completed",
        "requestParameters": {
            "contentType": "text/csv",
            "endpointName": "ep-async",
            "inputLocation": f"s3://bucket/in/{name}.csv",
        },
        "responseParameters": {"contentType": "text/csv", "outputLocation": f"s3://bucket/out/{name}.out"},
        "inferenceId": f"i-{name}",
    } | change


def log(*notifications: Any, **bodies: bytes) -> dict[str, bytes]:
    content = b"".join(json.dumps(one).encode() + b"\n" for one in notifications)
    return {"n.jsonl": content} | {path.replace("_", "/", 1).replace("__", "."): body for path, body in bodies.items()}


@PATIENT
@given(st.lists(st.tuples(st.binary(max_size=9), st.binary(max_size=9)), max_size=3))
def test_every_call_has_its_objects(calls):
    files = log(*(told(str(at)) for at in range(len(calls))))
    for at, (asked, answered) in enumerate(calls):
        files |= {f"in/{at}.csv": b"x" + asked, f"out/{at}.out": b"x" + answered}
    found = recordings("sagemaker_async", files)
    assert [(one.request_body, one.response_body) for one in found] == [(b"x" + a, b"x" + b) for a, b in calls]
    assert [one.request_id for one in found] == [f"i-{at}" for at in range(len(calls))]
    assert [one.latency_s for one in found] == pytest.approx([0.153] * len(calls))


@pytest.mark.parametrize(
    "wrap",
    [
        lambda one: one,
        lambda one: {"Type": "Notification", "Message": json.dumps(one)},
        lambda one: {"Records": [{"Sns": {"Message": json.dumps(one)}}]},
    ],
    ids=["bare", "SNS", "Lambda"],
)
def test_a_notification_is_read_as_it_was_delivered(wrap):
    (one,) = recordings("sagemaker_async", log(wrap(told()), in_1__csv=b"1", out_1__out=b"2"))
    assert (one.model, one.region, one.response_body) == ("ep-async", "us-east-1", b"2")


def test_a_failed_invocation_is_a_case():
    failed = told(invocationStatus="Failed", failureReason="no memory", responseParameters=None)
    (one,) = recordings("sagemaker_async", log(failed, in_1__csv=b"1"))
    assert (one.status, one.response_body) == (None, b'{"message":"no memory"}')
    outcome = recorded(one)
    assert isinstance(outcome, CallFailure)
    assert outcome.kind is FailureKind.UNAVAILABLE


def test_a_packed_body_is_what_was_sent():
    packed = gzip.compress(b"1")
    (one,) = recordings("sagemaker_async", log(told(), in_1__csv=packed, out_1__out=packed))
    assert (one.request_body, one.response_body) == (packed, packed)


def test_objects_that_no_notification_names_are_counted():
    record, lost = read("sagemaker_async", log(told(), in_1__csv=b"1", out_1__out=b"2", out_2__out=b"3"))
    assert isinstance(record, Record)
    assert isinstance(lost, Skip)
    assert lost.no_request


def test_objects_that_were_not_imported():
    (lost,) = read("sagemaker_async", log(told()))
    assert isinstance(lost, Skip)
    assert lost.no_request
    (one,) = recordings("sagemaker_async", log(told(), in_1__csv=b"1"))
    assert one.provenance.flags == (gaps.NO_ANSWER,)


@pytest.mark.parametrize("text", [b"{", b"[]", b"{}", b'{"Message": "{"}', b'{"Records": []}'])
def test_what_is_no_notification_is_refused(text):
    (one,) = read("sagemaker_async", {"n.jsonl": text})
    assert isinstance(one, Reject)
