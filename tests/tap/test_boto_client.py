"""boto3 with a tap: the application sees what it would see without, and every call is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, EventStreamError

from harness import tap
from harness.errors import ConfigError
from harness.lab.loopback import HangUp, Reply, Request
from harness.recordings import gaps
from tests.services.event_stream import event, exception
from tests.tap.clients import REGION, boto, serving, written

MODEL = "anthropic.claude-3-haiku-20240307-v1:0"
JSON = {"content-type": "application/json", "x-amzn-RequestId": "r-1"}
FRAMES = {"content-type": "application/vnd.amazon.eventstream", "x-amzn-RequestId": "r-2"}
ANSWER = {
    "output": {"message": {"role": "assistant", "content": [{"text": "4"}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 14, "outputTokens": 5, "totalTokens": 19},
    "metrics": {"latencyMs": 41},
}
ASKED: dict[str, Any] = {"modelId": MODEL, "messages": [{"role": "user", "content": [{"text": "2+2?"}]}]}
DELTA = event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "4"}})
STREAM = [event("messageStart", {"role": "assistant"}), DELTA, event("messageStop", {"stopReason": "end_turn"})]
NATIVE = b'{"completion":"four"}'
REFUSED = {**JSON, "x-amzn-ErrorType": "ThrottlingException"}


def answer(request: Request) -> Reply | None:
    route = request.path.rsplit("/", 1)[-1]
    if b"refuse" in request.body:
        return Reply(status=429, headers=REFUSED, body=b'{"message":"slow down"}')
    if b"hang up" in request.body:
        return None
    match route:
        case "converse":
            return Reply(status=200, headers=JSON, body=json.dumps(ANSWER).encode())
        case "converse-stream" if b"break" in request.body:
            return Reply(status=200, headers=FRAMES, pieces=[*STREAM[:2], exception("throttlingException", {})])
        case "converse-stream" if b"torn" in request.body:
            return Reply(status=200, headers=FRAMES, pieces=torn())
        case "converse-stream":
            return Reply(status=200, headers=FRAMES, pieces=STREAM)
        case "invoke":
            return Reply(status=200, headers=JSON, body=NATIVE)
        case "invocations":
            return Reply(status=200, headers={"content-type": "text/csv"}, body=b"0.25\n")
        case "retrieve":
            return Reply(status=200, headers=JSON, body=b'{"retrievalResults":[]}')
    return Reply(status=404, headers=JSON, body=b"{}")


def torn() -> Iterator[bytes]:
    yield STREAM[0]
    raise HangUp


def asking(text: str) -> dict[str, Any]:
    return {**ASKED, "messages": [{"role": "user", "content": [{"text": text}]}]}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving(answer) as at:
        yield at


def compared(address: str, folder: Path, service: str, ask: Any) -> list[Any]:
    """What `ask` gives with a tap, proved to be what it gives without; then the recordings."""
    with closing(boto(service, address)) as plain, closing(boto(service, address)) as tapped:
        taken = tap.install(tapped, into=folder)
        assert seen(ask, tapped) == seen(ask, plain)
        status = taken.close()
    assert (status.lost, status.waiting, status.trouble) == ({}, 0, None)
    return list(written(folder))


def seen(ask: Any, client: Any) -> Any:
    """What comes of a call, exceptions too, without what differs between any two calls."""
    try:
        told = ask(client)
    except (ClientError, ConnectionClosedError) as exc:
        return type(exc).__name__, str(exc)
    if isinstance(told, dict):
        told.pop("ResponseMetadata", None)
    return told


def test_converse_is_kept_as_it_went_over_the_wire(address, tmp_path):
    (kept,) = compared(address, tmp_path, "bedrock-runtime", lambda client: client.converse(**ASKED))
    assert (kept.service, kept.operation, kept.model, kept.region) == ("bedrock", "Converse", MODEL, REGION)
    assert json.loads(kept.request_body) == {"messages": ASKED["messages"]}
    assert json.loads(kept.response_body) == ANSWER
    assert (kept.status, kept.request_id) == (200, "r-1")
    assert 0 < kept.latency_s < 5
    assert kept.provenance.captured_at is not None
    assert "authorization" not in {name.lower() for name in kept.request_headers}


def test_a_stream_is_passed_on_and_kept_whole(address, tmp_path):
    (kept,) = compared(
        address, tmp_path, "bedrock-runtime", lambda client: list(client.converse_stream(**ASKED)["stream"])
    )
    assert (kept.operation, kept.response_body) == ("ConverseStream", b"".join(STREAM))
    assert gaps.TRUNCATED not in kept.provenance.flags


def test_a_failure_inside_a_stream_reaches_the_application_and_the_recording(address, tmp_path):
    def ask(client: Any) -> Any:
        came = []
        stream = client.converse_stream(**asking("break"))["stream"]
        with closing(stream), pytest.raises(EventStreamError) as caught:
            for one in stream:
                came.append(one)
        return came, str(caught.value)

    # Redacted, a stream that no codec reads to its end is left out: what it holds cannot be looked through.
    (kept,) = compared(address, tmp_path, "bedrock-runtime", ask)
    assert kept.response_body is None and gaps.NO_ANSWER in kept.provenance.flags
    with closing(boto("bedrock-runtime", address)) as client:
        taken = tap.install(client, into=tmp_path / "as it was", redact="none")
        ask(client)
        assert taken.close().lost == {}
    (kept,) = written(tmp_path / "as it was")
    assert b"throttlingException" in kept.response_body


@pytest.mark.parametrize("text", ["torn", "left"])
def test_a_stream_that_stops_before_its_end_is_marked_as_cut(address, tmp_path, text):
    def ask(client: Any) -> Any:
        stream = client.converse_stream(**asking(text))["stream"]
        first = next(iter(stream))
        if text == "torn":
            with pytest.raises(Exception, match="prematurely"):
                list(stream)
        stream.close()
        return first

    with closing(boto("bedrock-runtime", address)) as client:
        taken = tap.install(client, into=tmp_path)
        assert ask(client) == {"messageStart": {"role": "assistant"}}
        assert taken.close().lost == {}
    (kept,) = written(tmp_path)
    if text == "torn":
        assert gaps.TRUNCATED in kept.provenance.flags or gaps.NO_ANSWER in kept.provenance.flags


@pytest.mark.parametrize(
    "read",
    [
        lambda body: body.read(),
        lambda body: b"".join(body.iter_chunks(4)),
        lambda body: json.dumps(json.load(body), separators=(",", ":")).encode(),
        lambda body: b"".join(body.iter_lines()),
        lambda body: body.read(4) + body.read(),
        lambda body: b"".join(body.readlines()),
    ],
)
def test_a_body_reads_the_same_however_it_is_read(address, tmp_path, read):
    def ask(client: Any) -> Any:
        return read(client.invoke_model(modelId=MODEL, body=b'{"prompt":"2+2?"}')["body"])

    (kept,) = compared(address, tmp_path, "bedrock-runtime", ask)
    assert kept.response_body == NATIVE
    assert kept.provenance.flags == ()


def test_a_refused_call_raises_as_ever_and_is_a_failure_in_the_recording(address, tmp_path):
    (kept,) = compared(address, tmp_path, "bedrock-runtime", lambda client: client.converse(**asking("refuse")))
    assert (kept.status, kept.response_body) == (429, b'{"message":"slow down"}')


def test_a_call_without_an_answer_is_kept_without_one(address, tmp_path):
    (kept,) = compared(address, tmp_path, "bedrock-runtime", lambda client: client.converse(**asking("hang up")))
    assert (kept.status, kept.response_body) == (None, None)
    assert gaps.NO_ANSWER in kept.provenance.flags


def test_sagemaker_calls_are_kept(address, tmp_path):
    def ask(client: Any) -> Any:
        return client.invoke_endpoint(EndpointName="visits", ContentType="text/csv", Body=b"1,2")["Body"].read()

    (kept,) = compared(address, tmp_path, "sagemaker-runtime", ask)
    assert (kept.service, kept.operation, kept.model) == ("sagemaker", "InvokeEndpoint", "visits")
    assert (kept.request_body, kept.response_body) == (b"1,2", b"0.25\n")


def test_a_retrieval_is_kept_which_no_cloud_logs(address, tmp_path):
    (kept,) = compared(
        address,
        tmp_path,
        "bedrock-agent-runtime",
        lambda client: client.retrieve(knowledgeBaseId="KB12345678", retrievalQuery={"text": "terms"}),
    )
    assert (kept.service, kept.operation, kept.model) == ("bedrock_agent", "Retrieve", "KB12345678")
    assert json.loads(kept.response_body) == {"retrievalResults": []}


def test_personal_data_is_gone_before_the_disk(address, tmp_path):
    mail = "jane.roe" + "@" + "example.org"
    with closing(boto("bedrock-runtime", address)) as client:
        taken = tap.install(client, into=tmp_path)
        client.converse(**asking(f"write to {mail}"))
        taken.close()
    (kept,) = written(tmp_path)
    assert kept.provenance.redacted
    assert all(mail.encode() not in path.read_bytes() for path in tmp_path.iterdir())


def test_a_share_draws_requests_and_takes_all_calls_of_one(address, tmp_path):
    with closing(boto("bedrock-runtime", address)) as client:
        taken = tap.install(client, into=tmp_path, share=0.5)
        for number in range(40):
            for _ in range(2):
                client.converse(**asking(f"{number}+1?"))
        status = taken.close()
    bodies = [one.request_body for one in written(tmp_path)]
    assert all(bodies.count(body) == 2 for body in bodies)
    assert (len(bodies), status.left_out) == (status.written, 80 - status.written)
    assert 0.2 < len(bodies) / 80 < 0.8


def test_one_tap_a_client(address, tmp_path):
    with closing(boto("bedrock-runtime", address)) as client:
        taken = tap.install(client, into=tmp_path)
        with pytest.raises(ConfigError, match="has a tap already"):
            tap.install(client, into=tmp_path)
        taken.close()
        client.converse(**ASKED)
        tap.install(client, into=tmp_path).close()
    assert written(tmp_path) == []


def test_other_clients_are_refused(address, tmp_path):
    with closing(boto("s3", address)) as client, pytest.raises(ConfigError, match="calls no models"):
        tap.install(client, into=tmp_path)
    with pytest.raises(ConfigError, match="no client of boto3 or openai"):
        tap.install(object(), into=tmp_path)
