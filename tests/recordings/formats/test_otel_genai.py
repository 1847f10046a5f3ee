"""GenAI spans: messages become the call that they were of."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.recordings import gaps
from harness.recordings.formats import Reject, Skip
from harness.run.outcomes import answered, asked
from tests.small.logs import PATIENT, read, recordings


def text(role: str, content: str, **more: Any) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": content}], **more}


def attributes(said: str, back: str, **change: Any) -> dict[str, Any]:
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "azure.ai.openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.request.max_tokens": 64,
        "gen_ai.input.messages": json.dumps([text("user", said)]),
        "gen_ai.output.messages": json.dumps([text("assistant", back, finish_reason="stop")]),
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.output_tokens": 2,
    } | change


def span(said: dict[str, Any]) -> dict[str, Any]:
    """A span as a collector writes it in OTLP's JSON."""
    kinds = {str: "stringValue", int: "intValue", float: "doubleValue"}
    listed = [{"key": name, "value": {kinds[type(value)]: value}} for name, value in said.items()]
    return {
        "spanId": "s",
        "startTimeUnixNano": "1793524353000000000",
        "endTimeUnixNano": "1793524353500000000",
        "attributes": listed,
    }


def otlp(*spans: dict[str, Any]) -> bytes:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]}).encode() + b"\n"


@PATIENT
@given(
    st.lists(st.tuples(st.text(min_size=1, max_size=8), st.text(min_size=1, max_size=8)), min_size=1, max_size=3),
    st.sampled_from(["azure.ai.openai", "aws.bedrock"]),
)
def test_what_was_said_comes_back(calls, provider):
    spans = [span(attributes(said, back, **{"gen_ai.provider.name": provider})) for said, back in calls]
    found = recordings("otel_genai", otlp(*spans))
    assert [one.provenance.origin.index for one in found if one.provenance.origin] == list(range(len(calls)))
    for one, (said, back) in zip(found, calls, strict=True):
        request, outcome = asked(one), answered(one)
        assert request is not None
        assert request["payload"]["messages"] == [{"role": "user", "content": [{"type": "text", "text": said}]}]
        assert request["params"]["max_tokens"] == 64
        assert outcome is not None
        assert (outcome["text"], outcome["stop"]) == (back, "end")
        assert (outcome["tokens"]["input"], outcome["tokens"]["output"]) == (3, 2)
        assert one.latency_s == pytest.approx(0.5)


def test_numbered_attributes_of_earlier_instrumentations_are_read():
    said = {
        "gen_ai.system": "Azure",
        "gen_ai.prompt.0.role": "system",
        "gen_ai.prompt.0.content": "Be brief.",
        "gen_ai.prompt.1.role": "user",
        "gen_ai.prompt.1.content": "2+2?",
        "gen_ai.completion.0.content": "4",
        "gen_ai.completion.0.finish_reason": "stop",
    }
    (one,) = recordings("otel_genai", json.dumps({"attributes": said, "start_time": "2026-11-01T09:00:00Z"}).encode())
    assert [table["role"] for table in json.loads(one.request_body)["messages"]] == ["system", "user"]
    assert (answered(one) or {})["text"] == "4"


def test_a_tool_call_and_its_result_are_kept():
    call = {"type": "tool_call", "id": "c", "name": "f", "arguments": {"city": "Oslo"}}
    result = {"type": "tool_call_response", "id": "c", "response": "4"}
    messages = [text("user", "?"), {"role": "assistant", "parts": [call]}, {"role": "tool", "parts": [result]}]
    for provider in ("openai", "aws.bedrock"):
        said = attributes("", "", **{"gen_ai.input.messages": json.dumps(messages), "gen_ai.provider.name": provider})
        said["gen_ai.output.messages"] = json.dumps([{"role": "assistant", "parts": [call]}])
        (one,) = recordings("otel_genai", otlp(span(said)))
        outcome = answered(one) or {}
        assert outcome["tool_calls"] == [{"name": "f", "arguments": {"city": "Oslo"}}]
        parts = [part["type"] for message in (asked(one) or {})["payload"]["messages"] for part in message["content"]]
        assert parts == ["text", "tool_call", "tool_result"]


def test_a_failed_call_is_a_case():
    said = attributes("?", "", **{"error.type": "429"})
    del said["gen_ai.output.messages"]
    (one,) = recordings("otel_genai", otlp(span(said)))
    assert one.status == 429


def test_a_span_without_an_answer_says_so():
    said = attributes("?", "")
    del said["gen_ai.output.messages"]
    (one,) = recordings("otel_genai", otlp(span(said)))
    assert gaps.NO_ANSWER in one.provenance.flags


@pytest.mark.parametrize(
    ("said", "why", "lost"),
    [
        ({"http.method": "GET"}, "a span of something else", False),
        ({"gen_ai.operation.name": "execute_tool"}, "execute_tool", False),
        ({"gen_ai.operation.name": "chat"}, "the content was not captured", True),
    ],
)
def test_what_cannot_be_replayed_is_counted(said, why, lost):
    (one,) = read("otel_genai", otlp(span(said)))
    assert isinstance(one, Skip)
    assert (one.why, one.no_request) == (why, lost)


@pytest.mark.parametrize("content", [b"{", b"[]", b"{}"])
def test_what_is_no_span_is_refused(content):
    (one,) = read("otel_genai", content)
    assert isinstance(one, Reject)
