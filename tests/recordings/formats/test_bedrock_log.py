"""Bedrock's invocation log, as S3 and CloudWatch deliver it."""

from __future__ import annotations

import gzip
import json
from datetime import datetime
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from harness.core import registry
from harness.core.call import CallFailure
from harness.recordings import gaps
from harness.recordings.formats import Record, Reject, Skip
from harness.recordings.store import GoldenSet
from harness.run import importing
from harness.run.importing import Options
from harness.run.recorded import recorded
from tests.small.logs import PATIENT, MemoryLog, read, recordings

ASKED: dict[str, Any] = {"messages": [{"role": "user", "content": [{"text": "2+2?"}]}]}
ANSWERED: dict[str, Any] = {"output": {"message": {"role": "assistant", "content": [{"text": "4"}]}}}


def record(**change: Any) -> dict[str, Any]:
    """The example of the wire contracts, section A.4, shortened."""
    return {
        "schemaType": "ModelInvocationLog",
        "timestamp": "2026-11-01T09:12:33Z",
        "region": "us-east-1",
        "requestId": "r-1",
        "operation": "Converse",
        "modelId": "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "input": {"inputContentType": "application/json", "inputBodyJson": ASKED, "inputTokenCount": 14},
        "output": {"outputContentType": "application/json", "outputBodyJson": ANSWERED, "outputTokenCount": 5},
    } | change


def line(**change: Any) -> bytes:
    return json.dumps(record(**change)).encode() + b"\n"


texts = st.text(max_size=8)
bodies = st.dictionaries(
    texts, st.none() | st.integers(-(2**60), 2**60) | texts | st.lists(texts, max_size=2), max_size=2
)
logged = st.builds(
    lambda operation, asked, answered, count, second: record(
        operation=operation,
        timestamp=f"2026-11-01T09:12:{second:02}Z",
        input={"inputBodyJson": asked, "inputTokenCount": count},
        output={"outputBodyJson": answered, "outputTokenCount": 3},
    ),
    st.sampled_from(["InvokeModel", "InvokeModelWithResponseStream", "Converse", "ConverseStream"]),
    bodies,
    bodies | st.lists(bodies, max_size=2),
    st.integers(0, 10**6),
    st.integers(0, 59),
)


@PATIENT
@given(st.lists(logged, max_size=3), st.sampled_from([bytes, gzip.compress, zstandard.compress]))
def test_what_was_logged_comes_back(written, packed):
    content = b"".join(json.dumps(one).encode() + b"\n" for one in written)
    found = recordings("bedrock_log", packed(content) if content else b"")
    assert len(found) == len(written)
    for number, (one, said) in enumerate(zip(found, written, strict=True), start=1):
        assert (one.operation, one.model, one.request_id) == (said["operation"], said["modelId"], said["requestId"])
        assert json.loads(one.request_body) == said["input"]["inputBodyJson"]
        assert one.response_body is not None
        assert json.loads(one.response_body) == said["output"]["outputBodyJson"]
        assert one.tokens == {"input": said["input"]["inputTokenCount"], "output": 3}
        assert one.provenance.captured_at == datetime.fromisoformat(said["timestamp"])
        assert one.provenance.origin is not None
        assert (one.provenance.origin.index, one.provenance.origin.line) == (number - 1, number)
        assert gaps.NOT_WIRE_BYTES in one.provenance.flags


def test_a_refused_call_is_a_case_with_its_status():
    (one,) = recordings("bedrock_log", line(errorCode="ThrottlingException", output={}))
    assert (one.status, one.response_headers["x-amzn-errortype"]) == (429, "ThrottlingException")
    assert one.response_body == b'{"message":"ThrottlingException"}'


@pytest.mark.parametrize(
    ("code", "status"), [("AccessDeniedException", 403), ("SomethingNew", None), ("503", 503), (424, 424)]
)
def test_a_refusal_nobody_knows_is_a_refusal(code, status):
    (one,) = recordings("bedrock_log", line(errorCode=code, output={}))
    assert one.status == status
    assert isinstance(recorded(one), CallFailure)


@pytest.mark.parametrize("operation", ["Converse", "InvokeModel", "ConverseStream", "InvokeModelWithResponseStream"])
@pytest.mark.parametrize("output", [{}, None])
@pytest.mark.parametrize(
    "said",
    [{"errorMessage": "no"}, {"status": "FAILED"}, {"status": "503"}, {"errorCode": "New"}, {"errorCode": 200}],
)
def test_whatever_tells_of_a_failure_makes_no_answer(operation, output, said, tmp_path):
    """Behind a good record of the same kind, by which the short way knows its form."""
    good, bad = record(operation=operation), record(operation=operation) | said
    if output is not None:
        bad |= {"output": output}
    content = b"".join(json.dumps(one).encode() + b"\n" for one in (good, good, bad))
    one = recordings("bedrock_log", content)[-1]
    assert isinstance(recorded(one), CallFailure)
    log = MemoryLog({"a.json": content})
    summary = importing.run(registry.load("recordings.formats", "bedrock_log"), log, tmp_path / "set", Options())
    assert summary.refused == 1
    with GoldenSet.open(tmp_path / "set") as golden:
        assert isinstance(recorded(list(golden)[-1].recording), CallFailure)


def test_an_empty_error_code_is_none():
    (one,) = recordings("bedrock_log", line(errorCode="", errorMessage=""))
    assert one.status == 200


def test_a_status_alone_tells_a_refusal():
    assert [one.status for one in recordings("bedrock_log", line(status=503) + line(status=200))] == [503, 200]


def test_a_record_without_an_answer_is_a_case_and_says_so():
    content = record()
    del content["output"]
    (one,) = recordings("bedrock_log", json.dumps(content).encode())
    assert (one.status, one.response_body) == (None, None)
    assert gaps.NO_ANSWER in one.provenance.flags


def test_bodies_that_were_not_logged_are_not_replayable_and_no_fault():
    (one,) = read("bedrock_log", line(input={"inputTokenCount": 3}))
    assert isinstance(one, Skip)
    assert (one.why, one.no_request) == ("body not logged", True)


def test_a_large_body_is_followed_to_its_object():
    uri = "s3://bucket/AWSLogs/1/BedrockModelInvocationLogs/us-east-1/2026/11/01/09/data/r-1_input.json.gz"
    log = line(input={"inputBodyS3Path": uri})
    side = gzip.compress(json.dumps(ASKED).encode())
    files = {"2026/11/01/09/a.json.gz": gzip.compress(log), "2026/11/01/09/data/r-1_input.json.gz": side}
    (one,) = recordings("bedrock_log", files)
    assert json.loads(one.request_body) == ASKED
    (lost,) = read("bedrock_log", {"2026/11/01/09/a.json.gz": log})
    assert isinstance(lost, Skip)
    assert lost.why == "the object of a large body was not imported"


def test_a_large_body_that_ends_its_line_is_whole():
    log = line(input={"inputBodyS3Path": "s3://bucket/data/r-1_input.json"})
    (one,) = recordings("bedrock_log", {"a.json": log, "data/r-1_input.json": json.dumps(ASKED).encode() + b"\n"})
    assert gaps.TRUNCATED not in one.provenance.flags


@pytest.mark.parametrize("name", ["logEvents", "events"])
def test_each_event_of_cloudwatch_is_a_record(name):
    events = [{"id": "1", "message": json.dumps(record(requestId=one))} for one in ("r-1", "r-2")]
    found = recordings("bedrock_log", json.dumps({"messageType": "DATA_MESSAGE", name: events}).encode())
    assert [one.request_id for one in found] == ["r-1", "r-2"]
    assert len({one.id for one in found}) == 2


def test_the_permission_check_holds_no_record():
    assert read("bedrock_log", {"x/amazon-bedrock-logs-permission-check": b"any", "x/data/b_output.json": b"{}"}) == []


@pytest.mark.parametrize(
    "wrap",
    [
        lambda text: b"2026-11-01T09:12:33.000Z " + text,
        lambda text: json.dumps({"timestamp": 1793524353000, "message": text.decode()}).encode(),
    ],
    ids=["export to S3", "events"],
)
def test_what_cloudwatch_exports_is_read(wrap):
    (one,) = recordings("bedrock_log", wrap(line().strip()))
    assert (one.operation, one.request_id) == ("Converse", "r-1")


def test_a_cut_body_is_marked():
    (one,) = recordings("bedrock_log", line(input={"inputBodyJson": '{"messages": [{"ro'}))
    assert gaps.TRUNCATED in one.provenance.flags


@pytest.mark.parametrize("operation", ["ApplyGuardrail", "CountTokens"])
def test_another_operation_is_counted_and_not_read(operation):
    (one,) = read("bedrock_log", line(operation=operation))
    assert isinstance(one, Skip)
    assert one.why == operation


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"{", "not the JSON of a record"),
        (b"[]", "not the JSON of a record"),
        (b'{"operation": "Converse"}', "lacks operation or modelId"),
        (line(modelId=3), "not the JSON of a record"),
        (b'{"operation":"Converse","modelId":"m","input":{"inputBodyJson":{"a":NaN}}}', "not the JSON of a record"),
    ],
)
def test_what_is_no_record_is_refused_with_its_line(text, reason):
    first, second = read("bedrock_log", line() + b"\n" + text)
    assert isinstance(first, Record)
    assert isinstance(second, Reject)
    assert reason in second.reason
    assert (second.origin.index, second.origin.line) == (1, 3)
