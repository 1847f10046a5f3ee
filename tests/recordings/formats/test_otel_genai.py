"""GenAI spans: messages become the call that they were of."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.call import Answer, CallFailure
from harness.recordings import gaps
from harness.recordings.formats import Reject, Skip
from harness.run.outcomes import answered, asked
from harness.run.recorded import recorded
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


PROVIDERS = st.sampled_from(["azure.ai.openai", "aws.bedrock"])
ENDS = st.sampled_from([None, {}, {"code": 1}, {"code": 2}, {"status_code": "ERROR"}, {"code": "STATUS_CODE_ERROR"}])


@PATIENT
@given(
    PROVIDERS,
    st.booleans(),
    ENDS,
    st.sampled_from([None, "429", "timeout", "ThrottlingException"]),
    st.sampled_from([None, 200, 503]),
    st.sampled_from(["stop", "error", "length"]),
)
def test_a_span_that_ended_in_an_error_is_no_answer_whatever_came_before(provider, said, end, kind, status, stop):
    told = attributes("?", "", **{"gen_ai.provider.name": provider})
    told["gen_ai.output.messages"] = [text("assistant", "The sum", finish_reason=stop)] if said else []
    told |= {name: value for name, value in [("error.type", kind), ("http.response.status_code", status)] if value}
    line = {"attributes": told} | ({} if end is None else {"status": end})
    (one,) = recordings("otel_genai", json.dumps(line).encode())
    failed = kind is not None or (end or {}) not in ({}, {"code": 1}) or (said and stop == "error") or status == 503
    outcome = recorded(one)
    assert isinstance(outcome, CallFailure if failed else Answer if said else type(None))
    refused = status == 503 or kind == "429"
    assert (one.status or 0) >= 400 if refused else one.status == (None if failed else status)


def test_a_call_refused_for_its_rate_is_told_so_without_a_status():
    said = attributes("?", "", **{"gen_ai.provider.name": "aws.bedrock", "error.type": "ThrottlingException"})
    (one,) = recordings("otel_genai", json.dumps({"attributes": said}).encode())
    assert (answered(one) or {})["failure"] == "throttled"
    assert one.status is None


def test_tool_calls_in_numbered_attributes_are_no_empty_text():
    """As OpenLLMetry writes them."""
    said = {
        "gen_ai.system": "OpenAI",
        "gen_ai.prompt.0.content": "Weather?",
        "gen_ai.prompt.1.role": "assistant",
        "gen_ai.prompt.1.tool_calls.0.id": "a",
        "gen_ai.prompt.1.tool_calls.0.name": "f",
        "gen_ai.prompt.1.tool_calls.0.arguments": '{"city": "Oslo"}',
        "gen_ai.prompt.2.role": "tool",
        "gen_ai.prompt.2.tool_call_id": "a",
        "gen_ai.prompt.2.content": "4",
        "llm.request.functions.0.name": "f",
        "llm.request.functions.0.parameters": '{"type": "object"}',
        "gen_ai.completion.0.finish_reason": "tool_calls",
        "gen_ai.completion.0.tool_calls.0.name": "f",
        "gen_ai.completion.0.tool_calls.0.arguments": '{"city": "Bergen"}',
    }
    for system in ("OpenAI", "AWS"):
        (one,) = recordings("otel_genai", json.dumps({"attributes": said | {"gen_ai.system": system}}).encode())
        request, outcome = asked(one) or {}, answered(one) or {}
        assert outcome["tool_calls"] == [{"name": "f", "arguments": {"city": "Bergen"}}]
        parts = [part["type"] for message in request["payload"]["messages"] for part in message["content"]]
        assert parts == ["text", "tool_call", "tool_result"]
        assert [tool["name"] for tool in request["payload"]["tools"]] == ["f"]
        assert gaps.TRUNCATED not in one.provenance.flags


def test_openai_messages_in_place_of_parts_are_read():
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    said = attributes("", "")
    said["gen_ai.input.messages"] = json.dumps([{"role": "user", "content": "2+2?"}])
    said["gen_ai.output.messages"] = json.dumps([{"role": "assistant", "content": None, "tool_calls": [call]}])
    (one,) = recordings("otel_genai", otlp(span(said)))
    assert (asked(one) or {})["payload"]["messages"][0]["content"] == [{"type": "text", "text": "2+2?"}]
    assert (answered(one) or {})["tool_calls"] == [{"name": "f", "arguments": {}}]


def test_messages_as_structured_attributes_are_read():
    def valued(value: Any) -> dict[str, Any]:
        if isinstance(value, list):
            return {"arrayValue": {"values": [valued(one) for one in value]}}
        if isinstance(value, dict):
            return {"kvlistValue": {"values": [{"key": name, "value": valued(one)} for name, one in value.items()]}}
        return {"stringValue": value}

    one = span({"gen_ai.operation.name": "chat"})
    for half, role, content in (("input", "user", "2+2?"), ("output", "assistant", "4")):
        one["attributes"].append({"key": f"gen_ai.{half}.messages", "value": valued([text(role, content)])})
    (found,) = recordings("otel_genai", otlp(one))
    assert (answered(found) or {})["text"] == "4"


TOOL = {"type": "tool_call", "id": "c", "name": "f", "arguments": {}}


@pytest.mark.parametrize(
    "parts",
    [
        [{"type": "text", "content": "?"}, {"type": "blob", "modality": "image", "content": "AA=="}],
        [{"type": "text", "content": None}],
        [{"type": "text", "content": "?"}, "lost"],
        "[{",
        [TOOL],
    ],
)
def test_what_was_asked_and_is_not_all_here_is_told(parts):
    said = attributes("", "4") | {"gen_ai.input.messages": [{"role": "user", "parts": parts}]}
    (one,) = recordings("otel_genai", json.dumps({"attributes": said}).encode())
    assert gaps.TRUNCATED in one.provenance.flags


def test_a_span_that_lost_attributes_says_so():
    (one,) = recordings("otel_genai", otlp(span(attributes("?", "4")) | {"droppedAttributesCount": 2}))
    assert gaps.TRUNCATED in one.provenance.flags


@pytest.mark.parametrize(
    "content",
    [
        {"resourceSpans": {}},
        {"resourceSpans": [3]},
        {"resourceSpans": [{"scopeSpans": "lost"}]},
        {"resourceSpans": [{"scopeSpans": [{"spans": [None]}]}]},
        {"resourceSpans": [{"instrumentationLibrarySpans": [{"spans": 3}]}]},
    ],
)
def test_what_stands_in_place_of_spans_is_counted(content):
    (one,) = read("otel_genai", json.dumps(content).encode())
    assert isinstance(one, Reject)


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
