"""Recorded Bedrock traffic of others: our codec and boto3 read the same text, calls, stop reasons and counts from it.

boto3 gets the recorded status, headers and bytes in place of the network and parses them as shipped. What its objects
say is picked out below, family by family, without our codec.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import boto3
import pytest
import yaml
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from urllib3 import HTTPResponse

from harness.config import SideSettings
from harness.core.call import Reading, Side
from harness.core.case import Lot, Provenance, Recording
from harness.services.bedrock import build

DATA = Path(__file__).parents[3] / "shared" / "data" / "bedrock_http"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="recordings of others are not here")

OPERATIONS = {
    "converse": "Converse",
    "converse-stream": "ConverseStream",
    "invoke": "InvokeModel",
    "invoke-with-response-stream": "InvokeModelWithResponseStream",
}
METHODS = {
    "Converse": "converse",
    "ConverseStream": "converse_stream",
    "InvokeModel": "invoke_model",
    "InvokeModelWithResponseStream": "invoke_model_with_response_stream",
}
CODEC = build(SideSettings(side=Side.SOURCE, cloud="", endpoint="")).codec


@dataclass(frozen=True)
class Told:
    """What an answer says. calls: (name, arguments)."""

    text: str
    calls: tuple[tuple[str, Any], ...]
    stop: str | None
    tokens_in: int | None
    tokens_out: int | None


def exchanges() -> Iterator[Recording]:
    for path in sorted(DATA.glob("*.yaml")):
        for number, one in enumerate(yaml.safe_load(path.read_text())["interactions"]):
            request, response = one["request"], one["response"]
            model, _, tail = request["uri"].partition("/model/")[2].rpartition("/")
            yield Recording(
                id=f"{path.stem}-{number}",
                service="bedrock",
                operation=OPERATIONS[tail],
                model=unquote(model),
                request_headers=flat(request["headers"]),
                request_body=as_bytes(request["body"]),
                status=response["status"]["code"],
                response_headers=flat(response["headers"]),
                response_body=as_bytes(response["body"]["string"]),
                provenance=Provenance(captured_at=None, captured_from=path.name),
            )


def flat(headers: dict[str, list[str | bytes]]) -> dict[str, str]:
    return {name: as_bytes(values[0]).decode() for name, values in headers.items()}


def as_bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value


RECORDINGS = list(exchanges()) if DATA.is_dir() else []


def by_boto3(recording: Recording) -> dict[str, Any]:
    """What boto3 makes of the recorded response."""
    client = boto3.Session(aws_access_key_id="x", aws_secret_access_key="y", region_name="us-east-1").client(
        "bedrock-runtime", config=Config(retries={"total_max_attempts": 1})
    )

    def answer(request: Any, **_: Any) -> AWSResponse:
        body = HTTPResponse(io.BytesIO(recording.response_body or b""), preload_content=False)
        headers = {name: value for name, value in recording.response_headers.items() if name != "Content-Length"}
        return AWSResponse(request.url, recording.status, headers, body)

    client.meta.events.register("before-send.bedrock-runtime", answer)
    asked = {"messages": []} if recording.operation.startswith("Converse") else {"body": b"{}"}
    return getattr(client, METHODS[recording.operation])(modelId=recording.model, **asked)


def told_by_boto3(recording: Recording) -> Told:
    reply = by_boto3(recording)
    match recording.operation:
        case "Converse":
            return of_converse(reply["output"]["message"]["content"], reply["stopReason"], reply["usage"])
        case "ConverseStream":
            return of_converse_stream(list(reply["stream"]))
        case "InvokeModel":
            body = json.loads(reply["body"].read())
            return with_headers(of_body(body), reply["ResponseMetadata"]["HTTPHeaders"])
    return of_chunks([json.loads(event["chunk"]["bytes"]) for event in reply["body"]])


def of_converse(content: list[dict[str, Any]], stop: str, usage: dict[str, int]) -> Told:
    calls = tuple((block["toolUse"]["name"], block["toolUse"]["input"]) for block in content if "toolUse" in block)
    text = "".join(block.get("text", "") for block in content)
    outside = usage.get("cacheReadInputTokens", 0) + usage.get("cacheWriteInputTokens", 0)
    return Told(text, calls, stop, usage["inputTokens"] + outside, usage["outputTokens"])


def of_converse_stream(events: list[dict[str, Any]]) -> Told:
    text, names, inputs, stop, usage = "", {}, {}, None, {}
    for event in events:
        ((kind, data),) = event.items()
        if kind == "contentBlockStart" and "toolUse" in data["start"]:
            names[data["contentBlockIndex"]] = data["start"]["toolUse"]["name"]
        if kind == "contentBlockDelta":
            text += data["delta"].get("text", "")
            piece = data["delta"].get("toolUse", {}).get("input", "")
            inputs[data["contentBlockIndex"]] = inputs.get(data["contentBlockIndex"], "") + piece
        stop = data["stopReason"] if kind == "messageStop" else stop
        usage = data["usage"] if kind == "metadata" else usage
    calls = tuple((name, json.loads(inputs[index])) for index, name in names.items())
    return Told(text, calls, stop, usage["inputTokens"], usage["outputTokens"])


def of_body(body: dict[str, Any]) -> Told:
    usage = body.get("usage", {})
    match body:
        case {"content": [{"text": text}], "stop_reason": stop}:
            read = sum(usage.get(f"{name}input_tokens", 0) for name in ("", "cache_read_", "cache_creation_"))
            return Told(text, (), stop, read, usage["output_tokens"])
        case {"output": {"message": {"content": [{"text": text}]}}, "stopReason": stop}:
            return Told(text, (), stop, usage.get("inputTokens"), usage.get("outputTokens"))
        case {"results": [{"outputText": text, "completionReason": stop, "tokenCount": written}]}:
            return Told(text, (), stop, int(body["inputTextTokenCount"]), int(written))
        case {"generation": text, "stop_reason": stop}:
            return Told(text, (), stop, body["prompt_token_count"], body["generation_token_count"])
        case {"completion": text, "stop_reason": stop}:
            return Told(text, (), stop, None, None)
        case {"generations": [{"text": text, "finish_reason": stop}]}:
            return Told(text, (), stop, None, None)
        case {"completions": [{"data": {"text": text}, "finishReason": {"reason": stop}}]}:
            return Told(text, (), stop, None, None)
        case {"choices": [{"text": text, "finish_reason": stop}]}:
            return Told(text, (), stop, usage["prompt_tokens"], usage["completion_tokens"])
    raise AssertionError(f"no rule for {list(body)}")


def with_headers(told: Told, headers: dict[str, str]) -> Told:
    """Counts that the body leaves out."""
    read, written = (int(headers[f"x-amzn-bedrock-{name}-token-count"]) for name in ("input", "output"))
    return replace(
        told,
        tokens_in=read if told.tokens_in is None else told.tokens_in,
        tokens_out=written if told.tokens_out is None else told.tokens_out,
    )


def of_chunks(chunks: list[dict[str, Any]]) -> Told:
    text, stop, counts = "", None, {}
    for one in chunks:
        text += one.get("outputText", "") + one.get("contentBlockDelta", {}).get("delta", {}).get("text", "")
        if one.get("type") == "content_block_delta":
            text += one["delta"]["text"]
        stop = (
            one.get("completionReason")
            or one.get("messageStop", {}).get("stopReason")
            or one.get("delta", {}).get("stop_reason")
            or stop
        )
        counts |= {name: one[name] for name in ("inputTextTokenCount", "totalOutputTextTokenCount") if name in one}
        counts |= one.get("amazon-bedrock-invocationMetrics", {})
    read = counts.get("inputTokenCount", counts.get("inputTextTokenCount"))
    written = counts.get("outputTokenCount", counts.get("totalOutputTextTokenCount"))
    return Told(text, (), stop, int(read), int(written))


def told_by_us(recording: Recording) -> Told:
    request = CODEC.read_request(recording)
    found = CODEC.decode(Lot("l", {"c": request}), (CODEC.from_http(recording),))["c"]
    assert isinstance(found, Reading), found
    chat = found.output
    calls = tuple((call.name, call.arguments) for call in chat.tool_calls)
    return Told(chat.text, calls, chat.stop_raw, found.tokens_in, found.tokens_out)


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda one: one.id)
def test_we_read_what_boto3_reads(recording):
    assert told_by_us(recording) == told_by_boto3(recording)


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda one: one.id)
def test_a_recorded_request_goes_out_as_it_came(recording):
    """But for four: text in place of a list of blocks, an empty member, a schema version that Nova takes unsaid."""
    sent = CODEC.next(Lot("l", {"c": CODEC.read_request(recording)}), ())
    body = json.loads(sent.body) if isinstance(sent.body, bytes) else sent.body
    expected = json.loads(recording.request_body)
    if expected.get("additionalModelRequestFields") == {}:
        del expected["additionalModelRequestFields"]
    if "nova" in (recording.model or "") and recording.operation.startswith("Invoke"):
        expected["schemaVersion"] = "messages-v1"
    for message in expected.get("messages", []):
        if isinstance(message["content"], str):
            message["content"] = [{"type": "text", "text": message["content"]}]
    assert body == expected


def test_the_recordings_hold_what_is_claimed_of_them():
    """Otherwise an empty folder would agree with everything."""
    assert len(RECORDINGS) >= 37
    assert set(Counter(one.operation for one in RECORDINGS)) == set(METHODS)
    assert any(told_by_us(one).calls for one in RECORDINGS)


@pytest.mark.parametrize("recording", [one for one in RECORDINGS if "Stream" in one.operation], ids=lambda one: one.id)
def test_no_cut_of_a_recorded_stream_passes_for_a_whole_answer(recording):
    """Every cut before the message that ends the answer is told from it."""
    body = recording.response_body or b""
    for end in range(0, len(body) * 3 // 4, max(1, len(body) // 40)):
        short = replace(recording, response_body=body[:end])
        lot = Lot("l", {"c": CODEC.read_request(recording)})
        assert not isinstance(CODEC.decode(lot, (CODEC.from_http(short),))["c"], Reading)
