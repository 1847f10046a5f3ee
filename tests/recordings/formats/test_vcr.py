"""Cassettes: text, binary and trees as bodies; one call of a model a case, and nothing else."""

from __future__ import annotations

import gzip
import json
import time
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from harness.core.call import CallFailure, FailureKind
from harness.recordings import gaps
from harness.recordings.formats import Record, Reject, Skip
from harness.run.recorded import recorded
from tests.small.logs import PATIENT, read, recordings

BEDROCK = "https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude-v2%3A1/invoke"
AZURE = "https://r.openai.azure.com/openai/deployments/gpt/chat/completions?api-version=2024-10-21&sig=s"


def exchange(uri: str = BEDROCK, *, asked: Any = "{}", answered: Any = "{}", **change: Any) -> dict[str, Any]:
    return {
        "request": {"method": "POST", "uri": uri, "headers": {"Content-Type": ["application/json"]}, "body": asked},
        "response": {
            "status": {"code": 200, "message": "OK"},
            "headers": {"Date": ["Thu, 25 Apr 2024 09:22:53 GMT"], "X-Amzn-RequestId": ["r-1"]},
            "body": {"string": answered},
        },
    } | change


def cassette(*exchanges: dict[str, Any]) -> bytes:
    return yaml.safe_dump({"version": 1, "interactions": list(exchanges)}).encode()


bodies = st.text(max_size=40) | st.binary(max_size=40)


def plain(body: str | bytes) -> bytes:
    return body.encode() if isinstance(body, str) else body


printable = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=40) | st.binary(max_size=40)


@PATIENT
@given(st.lists(st.tuples(printable, printable), max_size=3))
def test_what_was_recorded_comes_back(written):
    content = cassette(*(exchange(asked=asked, answered=answered) for asked, answered in written))
    found = recordings("vcr", content)
    assert [(one.request_body, one.response_body) for one in found] == [(plain(a), plain(b)) for a, b in written]


def test_a_call_says_what_was_called():
    (one,) = recordings("vcr", cassette(exchange()))
    assert (one.service, one.operation, one.model) == ("bedrock", "InvokeModel", "anthropic.claude-v2:1")
    assert (one.region, one.request_id, one.status) == ("us-east-1", "r-1", 200)
    assert str(one.provenance.captured_at) == "2024-04-25 09:22:53+00:00"


@pytest.mark.parametrize(
    ("uri", "service", "operation", "model"),
    [
        (AZURE, "azure_openai", "chat.completions", "gpt"),
        ("https://r.openai.azure.com/openai/deployments/e/embeddings", "azure_openai", "embeddings", "e"),
        ("https://r.openai.azure.com/openai/responses?api-version=1", "azure_openai", "responses", "in-body"),
        ("https://bedrock-mantle.us-east-1.api.aws/v1/chat/completions", "azure_openai", "chat.completions", "in-body"),
        ("http://gateway:8080/openai/v1/images/generations", "azure_openai", "images.generations", "in-body"),
        ("https://r.services.ai.azure.com/anthropic/v1/messages", "foundry", "messages", "in-body"),
        ("https://runtime.sagemaker.eu-west-1.amazonaws.com/endpoints/ep/invocations", "sagemaker", None, "ep"),
        ("https://ep.westeurope.inference.ml.azure.com/score", "azureml", "score", "ep"),
        (BEDROCK.replace("invoke", "converse-stream"), "bedrock", "ConverseStream", "anthropic.claude-v2:1"),
        (
            "https://x/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fp/converse",
            "bedrock",
            "Converse",
            "arn:aws:bedrock:us-east-1:1:inference-profile/p",
        ),
    ],
)
def test_an_address_tells_service_operation_and_model(uri, service, operation, model):
    (one,) = recordings("vcr", cassette(exchange(uri, asked='{"model": "in-body"}')))
    assert (one.service, one.operation, one.model) == (service, operation or "InvokeEndpoint", model)


@pytest.mark.parametrize(
    ("uri", "method", "why"),
    [
        (BEDROCK.replace("invoke", "count-tokens"), "POST", "CountTokens"),
        ("https://bedrock-runtime.us-east-1.amazonaws.com/guardrail/g/version/1/apply", "POST", "ApplyGuardrail"),
        ("https://login.microsoftonline.com/t/oauth2/v2.0/token", "POST", "token"),
        (AZURE, "GET", "not a POST"),
        ("https://example.com/", "POST", "another call"),
    ],
)
def test_everything_else_is_counted_as_skipped(uri, method, why):
    other = exchange(uri)
    other["request"]["method"] = method
    skipped, kept = read("vcr", cassette(other, exchange()))
    assert isinstance(skipped, Skip)
    assert skipped.why == why
    assert isinstance(kept, Record)
    assert kept.recording.provenance.origin is not None
    assert kept.recording.provenance.origin.index == 1


def test_a_body_as_a_tree_is_no_wire_bytes():
    one = exchange()
    one["request"] = {"method": "POST", "uri": AZURE, "headers": {}, "parsed_body": {"messages": [], "n": 1.5}}
    one["response"] = {"status": {"code": 200}, "headers": {"content-type": ["text/html"]}, "parsed_body": [1, None]}
    (found,) = recordings("vcr", cassette(one))
    assert json.loads(found.request_body) == {"messages": [], "n": 1.5}
    assert found.response_body == b"[1,null]"
    assert found.response_headers["content-type"] == "application/json"
    assert found.provenance.flags == (gaps.NOT_WIRE_BYTES,)


def test_a_compressed_body_is_unpacked_and_a_bomb_is_refused():
    answered = gzip.compress(b"x" * 100)
    one = exchange(answered=answered)
    one["response"]["headers"]["Content-Encoding"] = ["gzip"]
    (found,) = recordings("vcr", cassette(one))
    assert found.response_body == b"x" * 100
    one["response"]["body"]["string"] = gzip.compress(bytes(32 << 20))
    (refused,) = read("vcr", cassette(one))
    assert isinstance(refused, Reject)
    assert "unpacks to more than" in refused.reason


def test_no_credential_comes_along():
    one = exchange(AZURE)
    one["request"]["headers"] |= {"Authorization": ["Bearer s-e-c"], "api-key": ["s-e-c"], "Cookie": ["s-e-c"]}
    one["response"]["headers"] |= {"Set-Cookie": ["s-e-c"], "x-new": ["s-e-c"]}
    (found,) = recordings("vcr", cassette(one))
    assert "s-e-c" not in repr(found)
    assert found.url == "https://r.openai.azure.com/openai/deployments/gpt/chat/completions?api-version=2024-10-21"


def test_a_clock_that_is_off_is_flagged():
    one = exchange()
    one["request"]["headers"]["X-Amz-Date"] = [b"20240425T080000Z"]
    (found,) = recordings("vcr", cassette(one))
    assert found.provenance.flags == (gaps.CLOCK_SKEW,)


def test_a_cassettes_line_and_index_are_kept():
    found = recordings("vcr", cassette(exchange(), exchange()))
    text = cassette(exchange(), exchange()).decode().splitlines()
    assert [one.provenance.origin.index for one in found if one.provenance.origin] == [0, 1]
    lines = [one.provenance.origin.line for one in found if one.provenance.origin]
    assert all(text[line - 1].startswith("- request:") for line in lines if line)


def test_shared_nodes_are_read_and_a_bomb_of_them_is_not():
    """Dumpers write one header list of two exchanges as an alias; nine doublings of ten make a thousand million."""
    shared = yaml.safe_dump({"interactions": [one := exchange(), one]}).encode()
    assert b"*id001" in shared
    assert len(recordings("vcr", shared)) == 2
    levels = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    levels += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    bomb = "interactions:\n- request:\n    method: POST\n    uri: " + BEDROCK + "\n    parsed_body:\n"
    bomb += "".join(f"      {level}\n" for level in levels)
    started = time.monotonic()
    (refused,) = read("vcr", bomb.encode())
    assert isinstance(refused, Reject)
    assert "more than 500,000 nodes" in refused.reason
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("!!python/object/apply:os.system [x]", "a tag that is not plain YAML"),
        ("!mine x", "a tag that is not plain YAML"),
        ("!!binary '???'", "binary that is not base64"),
        ("*nowhere", "the file is no YAML"),
        ("[" * 300 + "]" * 300, "nested deeper than 200"),
    ],
)
def test_only_plain_yaml_is_loaded(value, reason):
    text = f"interactions:\n- request:\n    method: POST\n    uri: {BEDROCK}\n    body: {value}\n"
    found = read("vcr", text.encode())
    assert isinstance(found[0], Reject)
    assert reason in found[0].reason or "alias" in found[0].reason


def test_one_bad_exchange_does_not_cost_the_others():
    content = cassette(exchange(), exchange()).decode().replace("uri: " + BEDROCK, "uri: !mine x", 1)
    first, second = read("vcr", content.encode())
    assert isinstance(first, Reject)
    assert isinstance(second, Record)


def test_a_torn_cassette_keeps_what_came_before():
    content = cassette(exchange(), exchange())
    found = read("vcr", content + b"\n- {{{")
    assert [type(one) for one in found[:2]] == [Record, Record]
    assert isinstance(found[-1], Reject)


@pytest.mark.parametrize("status", [{"code": 429}, {"code": "429"}, 429])
@pytest.mark.parametrize("body", [None, {}, {"string": ""}, {"string": '{"message": "slow down"}'}])
def test_a_refused_call_is_a_failure_with_and_without_a_body(status, body):
    response = {"status": status, "headers": {}} | ({} if body is None else {"body": body})
    (one,) = recordings("vcr", cassette(exchange(response=response)))
    outcome = recorded(one)
    assert isinstance(outcome, CallFailure)
    assert (one.status, outcome.kind) == (429, FailureKind.THROTTLED)


def test_a_body_in_base64_is_its_bytes():
    """As VCR of Ruby keeps exact bodies."""
    response = {"status": {"code": 200}, "headers": {}, "body": {"base64_string": "eyJhIjog\nMX0=\n"}}
    (one,) = recordings("vcr", cassette(exchange(response=response)))
    assert one.response_body == b'{"a": 1}'


@pytest.mark.parametrize(
    "body",
    [{"base64_string": "e!"}, {"base64_string": 3}, {"parsed_body": [float("nan")]}, {"parsed_body": {"a": b"\xff"}}],
)
def test_a_body_that_cannot_be_said_is_refused(body):
    (one,) = read("vcr", cassette(exchange(response={"status": {"code": 200}, "headers": {}, "body": body})))
    assert isinstance(one, Reject)


@pytest.mark.parametrize(
    "content", [b"http_interactions:\n- a\n", b"a: 1\n", b"text", b"interactions:\n", b"version: 1"]
)
def test_a_file_that_is_no_cassette_is_no_silence(content):
    (one,) = read("vcr", content)
    assert isinstance(one, Reject)


def test_an_empty_cassette_holds_nothing():
    assert read("vcr", b"version: 1\ninteractions: []\n") == []
