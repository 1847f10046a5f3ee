"""A recorded answer is read by the service's own codec; what was not recorded is not made up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.core.call import Answer, CallFailure, FailureKind
from harness.core.case import Provenance, Recording
from harness.core.output import Chat, Scores
from harness.errors import UnknownName
from harness.run.recorded import recorded

KEPT = Recording(
    id="r1",
    service="sagemaker",
    operation="InvokeEndpoint",
    request_headers={"content-type": "text/csv"},
    request_body=b"1,2",
    status=200,
    response_headers={
        "Content-Type": "text/csv; charset=utf-8",
        "x-Amzn-Invoked-Production-Variant": "AllTraffic",
    },
    response_body=b"0.25\n",
    latency_s=0.012,
    provenance=Provenance(captured_at=None, captured_from="made for a test"),
)


def test_a_recorded_answer_is_an_answer_of_the_source():
    answer = recorded(KEPT)
    assert isinstance(answer, Answer)
    assert isinstance(answer.output, Scores)
    assert answer.output.values.tolist() == [[0.25]]
    assert (answer.side, answer.served_model, answer.latency_s, answer.attempts) == (
        "source",
        "AllTraffic",
        0.012,
        1,
    )


def test_the_same_bytes_have_the_same_hash_and_others_another():
    assert recorded(KEPT).raw_sha256 == recorded(replace(KEPT, id="r2")).raw_sha256
    assert recorded(KEPT).raw_sha256 != recorded(replace(KEPT, response_body=b"0.26\n")).raw_sha256


def test_a_request_alone_is_no_answer():
    assert recorded(replace(KEPT, response_body=None, status=None)) is None


@pytest.mark.parametrize(("status", "kind"), [(429, FailureKind.THROTTLED), (500, FailureKind.UNAVAILABLE)])
def test_a_refused_call_whose_body_was_not_kept_is_a_failure(status, kind):
    outcome = recorded(replace(KEPT, response_body=None, status=status))
    assert isinstance(outcome, CallFailure)
    assert outcome.kind is kind


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"oops", FailureKind.UNREADABLE),
        (None, b"oops", FailureKind.UNREADABLE),
        (429, b"slow down", FailureKind.THROTTLED),
        (403, b"no", FailureKind.DENIED),
        (408, b"", FailureKind.TIMEOUT),
        (503, b"busy", FailureKind.UNAVAILABLE),
        (400, b"bad", FailureKind.REJECTED),
        (503, b"503", FailureKind.UNAVAILABLE),  # an error page that would read as a score
    ],
)
def test_what_is_no_answer_is_a_failure_of_its_kind(status, body, kind):
    failure = recorded(replace(KEPT, status=status, response_body=body))
    assert isinstance(failure, CallFailure)
    assert (failure.kind, failure.side) == (kind, "source")


def test_a_call_that_failed_while_recording_stays_a_failure():
    provenance = replace(KEPT.provenance, flags=("failed:timeout",))
    failure = recorded(replace(KEPT, response_body=None, status=None, provenance=provenance))
    assert isinstance(failure, CallFailure)
    assert failure.kind is FailureKind.TIMEOUT


def test_a_request_that_cannot_be_read_is_no_answer_either():
    failure = recorded(replace(KEPT, request_body=b""))
    assert isinstance(failure, CallFailure)
    assert failure.kind is FailureKind.UNREADABLE


def test_an_unknown_service_is_an_error_with_the_nearest_name():
    with pytest.raises(UnknownName, match='Did you mean "sagemaker"'):
        recorded(replace(KEPT, service="sagemakr"))


def test_a_models_answer_is_read_also_behind_a_request_that_is_broken():
    body = b'{"type":"message","content":[{"type":"text","text":"Hello"}],"stop_reason":"end_turn","usage":{}}'
    broken = replace(
        KEPT,
        service="bedrock",
        operation="InvokeModel",
        model="anthropic.claude-sonnet-4-20250514-v1:0",
        request_body=b'{"anthropic_version": brok',
        response_headers={"content-type": "application/json"},
        response_body=body,
    )
    answer = recorded(broken)
    assert isinstance(answer, Answer)
    assert isinstance(answer.output, Chat)
    assert answer.output.text == "Hello"
    failure = recorded(replace(broken, response_body=b'{"embedding":[0.1]}'))
    assert isinstance(failure, CallFailure)
