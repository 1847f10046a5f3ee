"""Bedrock's answers: each family's own shape, whole and streamed, as text, calls, stop reason and counts."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.call import FailureKind, Reading, Tokens, Unreadable
from harness.core.case import Request, Task
from harness.core.output import Chat, Filter, Images, StopReason, ToolCall
from harness.errors import CodecError
from tests.services.event_stream import chunk, event, exception
from tests.services.test_bedrock import EVENTS, STREAM, ask, codec, lot, read, recorded
from tests.services.test_bedrock_bodies import BODIES, CONVERSE, MODELS

METRICS = {
    "amazon-bedrock-invocationMetrics": {
        "inputTokenCount": 12,
        "outputTokenCount": 5,
        "invocationLatency": 420,
        "firstByteLatency": 310,
    }
}
HEADERS = {
    "Content-Type": "application/json",
    "X-Amzn-Bedrock-Input-Token-Count": "12",
    "X-Amzn-Bedrock-Output-Token-Count": "5",
    "X-Amzn-Bedrock-Invocation-Latency": "420",
}
OSLO = (ToolCall(name="f", arguments={"city": "Oslo"}),)


def whole(body: Any, **more: Any) -> Reading | Unreadable:
    return read(recorded("InvokeModel", json.dumps(body).encode(), response_headers=HEADERS, **more))


def streamed(*chunks: Any) -> Reading | Unreadable:
    return read(recorded("InvokeModelWithResponseStream", b"".join(map(chunk, chunks))))


def chat(found: Reading | Unreadable) -> Chat:
    assert isinstance(found, Reading), found
    assert isinstance(found.output, Chat)
    return found.output


@pytest.mark.parametrize(
    ("body", "text", "stop", "raw"),
    [
        (
            {"type": "message", "content": [{"type": "text", "text": "A "}, {"type": "text", "text": "cat."}]},
            "A cat.",
            StopReason.OTHER,
            None,
        ),
        ({"content": [], "stop_reason": "refusal"}, "", StopReason.REFUSAL, "refusal"),
        ({"content": [], "stop_reason": "pause_turn"}, "", StopReason.OTHER, "pause_turn"),
        (
            {"completion": " A cat.", "stop_reason": "stop_sequence", "stop": "\n\nHuman:"},
            " A cat.",
            StopReason.END,
            "stop_sequence",
        ),
        (
            {"completion": "A", "stop_reason": "stop_sequence", "stop": "END"},
            "A",
            StopReason.STOP_SEQUENCE,
            "stop_sequence",
        ),
        ({"completion": "A", "stop_reason": "max_tokens", "stop": None}, "A", StopReason.LENGTH, "max_tokens"),
        ({"results": [{"outputText": "A", "completionReason": "FINISH"}]}, "A", StopReason.END, "FINISH"),
        ({"results": [{"outputText": "A", "completionReason": "FINISHED"}]}, "A", StopReason.END, "FINISHED"),
        ({"results": [{"outputText": "A", "completionReason": "LENGTH"}]}, "A", StopReason.LENGTH, "LENGTH"),
        (
            {"results": [{"outputText": "", "completionReason": "CONTENT_FILTERED"}]},
            "",
            StopReason.FILTER,
            "CONTENT_FILTERED",
        ),
        ({"generation": "A", "stop_reason": "length"}, "A", StopReason.LENGTH, "length"),
        ({"outputs": [{"text": "A", "stop_reason": "stop"}]}, "A", StopReason.END, "stop"),
        ({"generations": [{"text": "A", "finish_reason": "COMPLETE"}], "prompt": "p"}, "A", StopReason.END, "COMPLETE"),
        ({"generations": [{"text": "", "finish_reason": "ERROR_TOXIC"}]}, "", StopReason.FILTER, "ERROR_TOXIC"),
        (
            {"completions": [{"data": {"text": "A"}, "finishReason": {"reason": "stop"}}]},
            "A",
            StopReason.STOP_SEQUENCE,
            "stop",
        ),
        (
            {"completions": [{"data": {"text": "A"}, "finishReason": {"reason": "endoftext"}}]},
            "A",
            StopReason.END,
            "endoftext",
        ),
        ({"text": "A", "finish_reason": "MAX_TOKENS", "chat_history": []}, "A", StopReason.LENGTH, "MAX_TOKENS"),
        ({"choices": [{"text": "A", "stop_reason": "stop"}]}, "A", StopReason.END, "stop"),
        ({"choices": [{"message": {"content": "A"}, "stop_reason": "length"}]}, "A", StopReason.LENGTH, "length"),
        ({"choices": [{"message": {"content": "A"}, "finish_reason": "stop"}]}, "A", StopReason.END, "stop"),
        (
            {"output": {"message": {"content": "nothing"}}, "stopReason": "max_tokens"},
            "",
            StopReason.LENGTH,
            "max_tokens",
        ),
    ],
)
def test_answers_of_every_family(body, text, stop, raw):
    found = whole(body)
    assert (chat(found).text, chat(found).stop, chat(found).stop_raw) == (text, stop, raw)
    assert (found.tokens_in, found.tokens_out, found.service_s) == (12, 5, 0.42), "headers tell what the body does not"


@pytest.mark.parametrize(
    ("chunks", "text", "stop"),
    [
        (
            [
                {"outputText": "A ", "index": 0, "inputTextTokenCount": 12.0},
                {"outputText": "cat.", "completionReason": "FINISH"},
            ],
            "A cat.",
            StopReason.END,
        ),
        (
            [
                {"generation": "A ", "prompt_token_count": 12, "stop_reason": None},
                {"generation": "cat.", "stop_reason": "stop"},
            ],
            "A cat.",
            StopReason.END,
        ),
        (
            [{"completion": "A ", "stop_reason": None}, {"completion": "cat.", "stop_reason": "max_tokens"}],
            "A cat.",
            StopReason.LENGTH,
        ),
        (
            [
                {"outputs": [{"text": "A ", "stop_reason": None}]},
                {"outputs": [{"text": "cat.", "stop_reason": "length"}]},
            ],
            "A cat.",
            StopReason.LENGTH,
        ),
        (
            [
                {"choices": [{"text": "A ", "stop_reason": None}]},
                {"choices": [{"text": "cat.", "stop_reason": "stop"}]},
            ],
            "A cat.",
            StopReason.END,
        ),
        (
            [
                {"choices": [{"delta": {"content": "A "}}]},
                {"choices": [{"delta": {"content": "cat."}, "finish_reason": "stop"}]},
            ],
            "A cat.",
            StopReason.END,
        ),
        (
            [
                {"choices": [{"message": {"content": "A "}}]},
                {"choices": [{"message": {"content": "cat."}, "stop_reason": "stop"}]},
            ],
            "A cat.",
            StopReason.END,
        ),
        (
            [
                {"event_type": "text-generation", "text": "A ", "is_finished": False},
                {"event_type": "text-generation", "text": "cat.", "is_finished": False},
                {
                    "event_type": "stream-end",
                    "is_finished": True,
                    "finish_reason": "COMPLETE",
                    "response": {"text": "A cat."},
                },
            ],
            "A cat.",
            StopReason.END,
        ),
        (
            [{"text": "A cat.", "is_finished": False}, {"is_finished": True, "finish_reason": "MAX_TOKENS"}],
            "A cat.",
            StopReason.LENGTH,
        ),
        ([{name: members} for name, members in EVENTS[:-1]], "A cat.", StopReason.END),
    ],
)
def test_streams_of_every_family(chunks, text, stop):
    found = streamed(*chunks[:-1], {**chunks[-1], **METRICS})
    assert (chat(found).text, chat(found).stop) == (text, stop)
    assert (found.tokens_in, found.service_s) == (12, 0.42)
    listed = json.dumps([*chunks[:-1], {**chunks[-1], **METRICS}]).encode()
    again = read(
        recorded("InvokeModelWithResponseStream", listed, response_headers={"content-type": "application/json"})
    )
    assert again == found
    cut = streamed(*chunks[:-1])
    assert isinstance(cut, Unreadable)
    assert cut.partial is not None
    assert "A" in cut.partial.text


def test_a_stream_of_claude_with_everything_in_it():
    found = streamed(
        {
            "type": "message_start",
            "message": {
                "model": "claude-x",
                "content": [],
                "stop_reason": None,
                "usage": {"input_tokens": 9, "cache_read_input_tokens": 3, "output_tokens": 1},
            },
        },
        {"type": "ping"},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "s"}},
        {"type": "content_block_stop", "index": 0},
        {
            "type": "content_block_start",
            "index": 1,
            "content_block": {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
        },
        {
            "type": "content_block_delta",
            "index": 1,
            "delta": {"type": "input_json_delta", "partial_json": '{"query":"q"}'},
        },
        {"type": "content_block_start", "index": 2, "content_block": {"type": "web_search_tool_result", "content": []}},
        {"type": "content_block_start", "index": 3, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 3, "delta": {"type": "text_delta", "text": "A cat."}},
        {
            "type": "content_block_start",
            "index": 4,
            "content_block": {"type": "tool_use", "id": "t", "name": "f", "input": {}},
        },
        {"type": "content_block_delta", "index": 4, "delta": {"type": "input_json_delta", "partial_json": '{"city":'}},
        {"type": "content_block_delta", "index": 4, "delta": {"type": "input_json_delta", "partial_json": '"Oslo"}'}},
        {"type": "content_block_start", "index": 5, "content_block": {"type": "tool_use", "id": "u", "name": "g"}},
        {
            "type": "content_block_start",
            "index": 6,
            "content_block": {"type": "tool_use", "id": "v", "name": "h", "input": {}},
        },
        {"type": "content_block_delta", "index": 6, "delta": {"type": "input_json_delta", "partial_json": "{oops"}},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "tool_use", "stop_sequence": None},
            "usage": {"output_tokens": 41},
        },
        {"type": "message_stop", **METRICS},
    )
    said = chat(found)
    assert (said.text, said.reasoning, said.stop) == ("A cat.", "hm", StopReason.TOOL)
    assert said.server_tool_calls == (ToolCall(id="s", name="web_search", arguments={"query": "q"}),)
    assert said.tool_calls == (
        ToolCall(id="t", name="f", arguments={"city": "Oslo"}),
        ToolCall(id="u", name="g", arguments={}),
        ToolCall(id="v", name="h", arguments=None, raw="{oops"),
    )
    assert found.tokens == Tokens(input=9, output=41, cache_read=3)
    assert (found.tokens_in, found.served_model) == (12, "claude-x")


def test_calls_of_every_family():
    use = {"toolUse": {"toolUseId": "t", "name": "f", "input": {"city": "Oslo"}}}
    function = {"id": "t", "type": "function", "function": {"name": "f", "arguments": '{"city": "Oslo"}'}}
    bodies: list[dict[str, Any]] = [
        {"output": {"message": {"content": [use]}}, "stopReason": "tool_use"},
        {
            "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {"city": "Oslo"}}],
            "stop_reason": "tool_use",
        },
        {"text": "", "tool_calls": [{"name": "f", "parameters": {"city": "Oslo"}}], "finish_reason": "COMPLETE"},
        {"choices": [{"message": {"content": None, "tool_calls": [function]}, "finish_reason": "tool_calls"}]},
        {"choices": [{"message": {"content": "", "tool_calls": [function]}, "stop_reason": "tool_calls"}]},
    ]
    for body in bodies:
        said = chat(whole(body))
        assert [(one.name, one.arguments) for one in said.tool_calls] == [("f", {"city": "Oslo"})]
        assert said.stop is StopReason.TOOL


def test_the_providers_own_counts_come_before_headers():
    found = whole({"inputTextTokenCount": 5.0, "results": [{"tokenCount": 3.0, "outputText": "A"}]})
    assert found.tokens == Tokens(input=5, output=3)
    found = whole({"choices": [{"message": {"content": "A"}}], "usage": {"prompt_tokens": 7, "completion_tokens": 2}})
    assert (found.tokens_in, found.tokens_out, found.tokens.cached_inside) == (7, 2, True)
    cached = {**HEADERS, "X-Amzn-Bedrock-Cache-Read-Input-Token-Count": "100"}
    body = json.dumps({"outputs": [{"text": "A"}]}).encode()
    found = read(recorded("InvokeModel", body, response_headers=cached))
    assert (found.tokens.cache_read, found.tokens_in) == (100, 112)


def test_a_guardrail_of_invoke_model_is_told():
    topic = {"topicPolicy": {"topics": [{"name": "money", "type": "DENY", "action": "BLOCKED"}]}}
    base = {"results": [{"tokenCount": 3, "outputText": "No.", "completionReason": "FINISH"}]}
    said = chat(whole({**base, "amazon-bedrock-guardrailAction": "NONE"}))
    assert (said.filter, said.stop) == (None, StopReason.END)
    trace = {"guardrail": {"input": {"g1": topic}}}
    said = chat(whole({**base, "amazon-bedrock-guardrailAction": "INTERVENED", "amazon-bedrock-trace": trace}))
    assert said.filter == Filter(blocked=True, where="prompt", categories={"money": "BLOCKED"})
    assert said.stop is StopReason.FILTER
    trace = {"guardrail": {"outputs": [{"g1": topic}]}}
    said = chat(whole({**base, "amazon-bedrock-guardrailAction": "INTERVENED", "amazon-bedrock-trace": trace}))
    assert said.filter.where == "completion"


def test_a_stream_whose_prompt_was_blocked_is_whole():
    """One chunk, no metrics, no reason; counts are written as floats."""
    found = streamed(
        {
            "outputText": "No.",
            "inputTextTokenCount": 6.0,
            "totalOutputTextTokenCount": 3.0,
            "amazon-bedrock-guardrailAction": "INTERVENED",
        }
    )
    assert (chat(found).filter, chat(found).stop, found.tokens_in) == (Filter(blocked=True), StopReason.FILTER, 6)


def test_an_exception_within_a_stream_keeps_what_came():
    frames = chunk({"generation": "A "}) + exception("throttlingException", {"message": "x"})
    found = read(recorded("InvokeModelWithResponseStream", frames))
    assert isinstance(found, Unreadable)
    assert (found.kind, found.partial.text) == (FailureKind.THROTTLED, "A ")


def test_a_chunk_that_is_no_json_is_damage():
    found = read(recorded("InvokeModelWithResponseStream", chunk({"generation": "A "}) + chunk(b"{oops")))
    assert isinstance(found, Unreadable)
    assert ("damaged" in found.message, found.partial.text) == (True, "A ")


def test_the_openai_route_is_read_as_it_was_recorded():
    pieces = [{"choices": [{"delta": {"content": text}}]} for text in ("A ", "cat.")]
    last = {"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 7, "completion_tokens": 2}}
    body = b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in [*pieces, last]) + b"data: [DONE]\n\n"
    found = read(recorded("chat.completions", body, response_headers={"content-type": "text/event-stream"}))
    assert (chat(found).text, chat(found).stop, found.tokens_in) == ("A cat.", StopReason.END, 7)
    one = {"choices": [{"message": {"content": "A cat."}, "finish_reason": "stop"}], "model": "openai.gpt-oss-20b-1:0"}
    found = read(recorded("chat.completions", json.dumps(one).encode()))
    assert (chat(found).text, found.served_model) == ("A cat.", "openai.gpt-oss-20b-1:0")


def embedded(*bodies: Any, texts: int = 1) -> Reading | Unreadable:
    request = Request(Task.EMBEDDING, {"texts": ["a"] * texts}, {"model": "m"})
    replies = tuple(codec().from_http(recorded("InvokeModel", json.dumps(body).encode())) for body in bodies)
    return codec().decode(lot(request), replies)["c1"]


@pytest.mark.parametrize(
    "body",
    [
        {"embedding": [1, 0.5], "inputTextTokenCount": 1},
        {"embeddingsByType": {"binary": [1, 0], "float": [1, 0.5]}, "embedding": [1, 0.5]},
        {"embeddings": [[1, 0.5]], "response_type": "embeddings_floats", "id": "e"},
        {"embeddings": {"int8": [[1, 0]], "float": [[1, 0.5]]}},
        {"float": [[1, 0.5]]},
        {"embeddings": [{"embedding": [1, 0.5]}]},
    ],
)
def test_vectors_of_every_family(body):
    found = embedded(body)
    assert isinstance(found, Reading)
    assert found.output.vectors.tolist() == [[1.0, 0.5]]


def test_vectors_of_several_calls_stand_in_order():
    found = embedded(
        {"embedding": [1, 2], "inputTextTokenCount": 3}, {"embedding": [3, 4], "inputTextTokenCount": 4}, texts=2
    )
    assert found.output.vectors.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert found.tokens_in == 7
    assert isinstance(embedded({"embedding": [1]}, {"embedding": [1]}, texts=3), Unreadable)


@pytest.mark.parametrize(
    "body", [{}, {"embedding": []}, {"embedding": ["x"]}, {"embedding": [True]}, {"embeddings": [[1], [1, 2]]}]
)
def test_what_is_no_vector_is_unreadable(body):
    assert isinstance(embedded(body), Unreadable)


@pytest.mark.parametrize(
    ("body", "images", "filtered"),
    [
        ({"images": ["aGk="], "error": None}, 1, 0),
        ({"images": [], "error": "This request has been blocked by our content filters."}, 0, 1),
        ({"result": "success", "artifacts": [{"base64": "aGk=", "finishReason": "SUCCESS"}]}, 1, 0),
        ({"artifacts": [{"base64": "aGk=", "finishReason": "CONTENT_FILTERED"}]}, 0, 1),
        ({"seeds": [1], "finish_reasons": [None], "images": ["aGk="]}, 1, 0),
        ({"finish_reasons": ["Filter reason: prompt"]}, 0, 1),
    ],
)
def test_images_of_every_family(body, images, filtered):
    request = Request(Task.IMAGE, {"prompt": "a cat"}, {"model": "m"})
    found = codec().decode(lot(request), (codec().from_http(recorded("InvokeModel", json.dumps(body).encode())),))["c1"]
    assert isinstance(found, Reading)
    assert found.output == Images(images=(b"hi",) * images, filtered=filtered)


SHAPES = [
    {
        "output": {"message": {"content": [{"text": "A", "toolUse": {"name": "f", "input": {}}}]}},
        "stopReason": "x",
        "usage": {"inputTokens": 1},
        "metrics": {"latencyMs": 1},
        "trace": {
            "guardrail": {"inputAssessment": {"g": {"topicPolicy": {"topics": [{"name": "x"}]}}}},
            "promptRouter": {"invokedModelId": "x"},
        },
    },
    {
        "type": "message",
        "model": "m",
        "content": [
            {"type": "text", "text": "A"},
            {"type": "tool_use", "name": "f", "input": {}},
            {"type": "thinking", "thinking": "x"},
        ],
        "stop_reason": "x",
        "usage": {"input_tokens": 1},
    },
    {
        "inputTextTokenCount": 1,
        "results": [{"tokenCount": 1, "outputText": "A", "completionReason": "x"}],
        "amazon-bedrock-trace": {"guardrail": {"outputs": [{"g": {}}]}},
        "amazon-bedrock-guardrailAction": "INTERVENED",
        **METRICS,
    },
    {"generation": "A", "prompt_token_count": 1, "generation_token_count": 1, "stop_reason": "x"},
    {"completion": "A", "stop_reason": "x", "stop": "x"},
    {"outputs": [{"text": "A", "stop_reason": "x"}]},
    {"generations": [{"text": "A", "finish_reason": "x"}]},
    {"completions": [{"data": {"text": "A"}, "finishReason": {"reason": "x"}}]},
    {
        "text": "A",
        "finish_reason": "x",
        "tool_calls": [{"name": "f", "parameters": {}}],
        "meta": {"tokens": {"input_tokens": 1}},
    },
    {
        "choices": [
            {
                "index": 0,
                "message": {"content": "A", "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]},
                "finish_reason": "x",
            }
        ],
        "usage": {"prompt_tokens": 1},
    },
    {"choices": [{"text": "A", "stop_reason": "x"}]},
    {"embedding": [1.0], "inputTextTokenCount": 1, "embeddingsByType": {"float": [1.0]}},
    {"embeddings": {"float": [[1.0]]}},
    {
        "images": ["aGk="],
        "error": None,
        "finish_reasons": [None],
        "artifacts": [{"base64": "aGk=", "finishReason": "x"}],
    },
    {
        "type": "content_block_start",
        "index": 0,
        "content_block": {"type": "tool_use", "name": "f"},
        "delta": {"type": "input_json_delta", "partial_json": "{", "stop_reason": "x"},
        "message": {"usage": {"input_tokens": 1}},
    },
    {
        "type": "message_delta",
        "index": 0,
        "delta": {"type": "text_delta", "text": "A", "stop_reason": "x"},
        "usage": {"output_tokens": 1},
    },
    {
        "event_type": "stream-end",
        "text": "A",
        "is_finished": True,
        "response": {"text": "A"},
        "finish_reason": "x",
        "tool_calls": [{}],
    },
    *({name: members} for name, members in EVENTS),
]
WRONG = st.sampled_from(
    [None, True, -1, 1e400, float("nan"), "x", "\ud800", [], [None], ["x"], {}, {"x": 1}, [[1]], 10**400]
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, one in inner for place in places(one, (*path, key)))]


def spoiled(value: Any, path: tuple[Any, ...], wrong: Any) -> Any:
    if not path:
        return wrong
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = spoiled(value[path[0]], path[1:], wrong)
    return copy


PLACES = [(shape, path) for shape in SHAPES for path in places(shape)]
TASKS = [ask(), Request(Task.EMBEDDING, {"texts": ["a"]}, {}), Request(Task.IMAGE, {"prompt": "a"}, {})]
OPERATIONS = ["Converse", "ConverseStream", "InvokeModel", "InvokeModelWithResponseStream", "chat.completions"]


def decoded(operation: str, body: bytes, request: Request, kind: str = "application/json", status: int = 200) -> None:
    one = codec()
    wire = one.from_http(recorded(operation, body, response_headers={"content-type": kind}, status=status))
    (found,) = one.decode(lot(request), (wire,)).values()
    assert isinstance(found, Reading | Unreadable)


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(PLACES), WRONG, st.sampled_from(OPERATIONS), st.sampled_from(TASKS), st.booleans())
def test_a_wrong_type_in_any_place_of_an_answer_does_not_raise(place, wrong, operation, request_, listed):
    shape, path = place
    body = spoiled(shape, path, wrong)
    decoded(operation, json.dumps([body, shape] if listed else body).encode(), request_)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(PLACES), WRONG, st.sampled_from(OPERATIONS))
def test_a_wrong_type_in_any_place_of_a_stream_does_not_raise(place, wrong, operation):
    shape, path = place
    body = spoiled(shape, path, wrong)
    if operation == "ConverseStream":
        name, members = next(iter(shape.items()))
        frames = event(str(name), body if isinstance(body, dict) else {"x": body}) + event(str(name), {"x": members})
    else:
        frames = chunk(shape) + chunk(body) + chunk(shape)
    decoded(operation, frames, ask(), STREAM)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60), st.sampled_from(OPERATIONS), st.sampled_from(TASKS), st.sampled_from([200, 400, 500]))
def test_no_bytes_make_it_raise(body, operation, request_, status):
    for kind in ("application/json", STREAM, "text/event-stream"):
        decoded(operation, body, request_, kind, status)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_no_damage_to_a_stream_makes_it_raise(data):
    frames = bytearray(b"".join(event(name, members) for name, members in EVENTS))
    for _ in range(data.draw(st.integers(1, 3))):
        frames[data.draw(st.integers(0, len(frames) - 1))] = data.draw(st.integers(0, 255))
    decoded("ConverseStream", bytes(frames[: data.draw(st.integers(0, len(frames)))]), ask(), STREAM)


@settings(max_examples=250, deadline=None)
@given(st.data())
def test_a_wrong_type_in_any_place_of_a_request_is_refused_or_kept(data):
    family, body = data.draw(st.sampled_from([*BODIES, ("converse", CONVERSE)]))
    bad = spoiled(body, data.draw(st.sampled_from(places(body))), data.draw(WRONG))
    operation = "Converse" if family == "converse" else "InvokeModel"
    raw = json.dumps(bad).encode()
    with suppress(CodecError):
        request = codec().read_request(recorded(operation, body=raw, model=MODELS.get(family, MODELS["anthropic"])))
        codec().next(lot(request), ())


def test_deep_json_is_no_crash():
    for depth in (500, 900, 5000):
        deep = b'{"output":{"message":{"content":' + b"[" * depth + b"]" * depth + b'}},"stopReason":"x"}'
        trace = (
            b'{"stopReason":"guardrail_intervened","trace":{"guardrail":{"inputAssessment":'
            + b'{"a":' * depth
            + b"1"
            + b"}" * depth
            + b"}}}"
        )
        for body in (deep, trace):
            for operation in OPERATIONS:
                decoded(operation, body, ask())
        request = (
            b'{"messages":[{"role":"user","content":[{"toolResult":' + b'{"a":' * depth + b"1" + b"}" * depth + b"}]}]}"
        )
        with suppress(CodecError):
            codec().next(lot(codec().read_request(recorded("Converse", body=request))), ())


def test_base64_of_a_chunk_is_checked():
    frames = event("chunk", {"bytes": base64.b64encode(b"{}").decode() + "!"})
    found = read(recorded("InvokeModelWithResponseStream", frames))
    assert isinstance(found, Unreadable)
