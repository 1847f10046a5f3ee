"""The responses API: the neutral conversation as a body and back, and answers whole and in pieces."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.call import FailureKind, Reading, Unreadable
from harness.core.chat import (
    Call,
    Conversation,
    File,
    Format,
    Image,
    Message,
    Reasoning,
    Result,
    Text,
    Tool,
    ToolChoice,
)
from harness.core.output import Chat, Filter, StopReason, ToolCall
from harness.errors import CodecError, Throttled, Unavailable, UnencodableRequest
from harness.services._openai_responses import NAMES, read_body, write_body
from harness.services.azure_openai import build
from tests.services.clouds import Reply
from tests.services.contract import lot, recording
from tests.services.conversations import DOCUMENTS, IMAGES, TEXTS, conversations, params
from tests.services.test_azure_openai import BLOCKED, asked, side

SAID = st.lists(TEXTS | IMAGES | DOCUMENTS, min_size=1, max_size=3).map(tuple)
TAKEN = params(*(set(NAMES) | {"reasoning", "verbosity", "extra"}))


@given(conversations(SAID), TAKEN)
def test_what_is_said_comes_back_as_it_went(conversation, given_params):
    body = write_body(conversation, given_params)
    assert read_body(json.loads(json.dumps(body))) == (conversation, given_params)


def user(*parts: Any, **more: Any) -> Conversation:
    return Conversation(messages=(Message("user", parts),), **more)


@pytest.mark.parametrize(
    ("conversation", "given_params", "field"),
    [
        (user(Text("a")), {"seed": 7}, "seed"),
        (user(Text("a")), {"stop": ["END"]}, "stop"),
        (user(Text("a")), {"reasoning": {"budget_tokens": 5}}, "reasoning"),
        (user(Reasoning(text="hm")), {}, "reasoning_content"),
        (user(File(kind="audio", format="wav", data=b"x")), {}, "audio"),
        (user(Image(data=b"x")), {}, "image"),
        (user(Result(id="a", content=(), error=True)), {}, "tool_result"),
        (user(Call(id=None, name="f", arguments={})), {}, "tool_call"),
        (user(Text("a"), format=Format(kind="schema", schema={})), {}, "response_format"),
        (Conversation(messages=(Message("user", (Text("a"),), "Ann"),)), {}, "message_name"),
    ],
)
def test_what_the_body_cannot_say_is_named(conversation, given_params, field):
    with pytest.raises(UnencodableRequest, match=f'"{field}"'):
        write_body(conversation, given_params)


def test_strictness_is_always_said():
    """Left out, the responses API takes it as true and chat completions take it as false."""
    assert write_body(user(Text("a"), tools=(Tool(name="f"),)), {})["tools"] == [
        {"type": "function", "name": "f", "strict": None}
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"input": "Hello?"}, user(Text("Hello?"))),
        ({"input": [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "Hello?"}]},
         user(Text("Hello?"), system=(Text("Be brief."),))),
        ({"input": "Hello?", "tool_choice": {"type": "function", "name": "f"}},
         user(Text("Hello?"), tool_choice=ToolChoice("tool", "f"))),
        (
            {
                "input": [
                    {"type": "message", "id": "m", "role": "assistant", "status": "completed",
                     "content": [{"type": "output_text", "text": "4", "annotations": []}]},
                    {"type": "function_call", "id": "fc", "call_id": "a", "name": "f", "arguments": "{}"},
                    {"type": "function_call_output", "call_id": "a", "output": "5"},
                    {"role": "user", "content": "go on"},
                ]
            },
            Conversation(
                messages=(
                    Message("assistant", (Text("4"), Call(id="a", name="f", arguments={}))),
                    Message("user", (Result(id="a", content=(Text("5"),)), Text("go on"))),
                )
            ),
        ),
    ],
)  # fmt: skip
def test_bodies_of_recordings(body, expected):
    assert read_body(body)[0] == expected


@pytest.mark.parametrize(
    "body",
    [
        {"input": [{"type": "reasoning", "id": "r", "summary": [], "encrypted_content": "x"}]},
        {"input": [{"type": "item_reference", "id": "r"}]},
        {"input": [{"type": "web_search_call", "id": "w", "status": "completed"}]},
        {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}]},
        {"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]},
        {"input": [{"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}]},
        {"input": [], "tools": [{"type": "web_search"}], "tool_choice": {"type": "web_search"}},
        {"input": [], "previous_response_id": "resp_1", "include": ["reasoning.encrypted_content"], "background": True},
        {"input": [], "reasoning": {"effort": "low", "summary": "auto"}},
        {"input": [], "text": {"verbosity": "low", "format": {"type": "grammar"}}, "truncation": "auto"},
    ],
)
def test_what_has_no_neutral_form_goes_out_as_it_came(body):
    assert write_body(*read_body(body)) == body


@pytest.mark.parametrize(
    "body", [None, {}, {"input": 1}, {"input": [1]}, {"input": [], "text": 1}, {"instructions": 1}]
)
def test_what_is_no_body_is_told(body):
    with pytest.raises(CodecError):
        read_body(body)


def message(text: str) -> dict[str, Any]:
    return {"type": "message", "id": "m", "role": "assistant", "content": [{"type": "output_text", "text": text}]}


ITEMS = [
    {"type": "reasoning", "id": "r", "summary": [{"type": "summary_text", "text": "hm"}]},
    {"type": "web_search_call", "id": "w", "status": "completed"},
    message("4"),
    {"type": "function_call", "id": "fc", "call_id": "a", "name": "f", "arguments": '{"x":1}'},
]
USAGE = {
    "input_tokens": 12,
    "input_tokens_details": {"cached_tokens": 4},
    "output_tokens": 9,
    "output_tokens_details": {"reasoning_tokens": 5},
}


def response(output: list[Any], status: str = "completed", **more: Any) -> dict[str, Any]:
    return {"object": "response", "status": status, "model": "gpt-4o", "output": output, "error": None, **more}


def read(body: Any, content_type: str = "application/json", status: int = 200) -> Reading | Unreadable:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    codec = build(side(), api="responses").codec
    kept = recording(
        b"{}",
        "application/json",
        url="https://r.openai.azure.com/openai/v1/responses",
        status=status,
        response_body=content,
        response_headers={"Content-Type": content_type},
    )
    (reading,) = codec.decode(lot(asked(api="responses")), (codec.from_http(kept),)).values()
    return reading


def test_an_answer_is_text_calls_and_thinking_apart():
    reading = read(response(ITEMS, usage=USAGE))
    chat = reading.output
    assert (chat.text, chat.reasoning, chat.stop, chat.stop_raw) == ("4", "hm", StopReason.TOOL, "completed")
    assert chat.tool_calls == (ToolCall(name="f", arguments={"x": 1}, id="a"),)
    assert [call.name for call in chat.server_tool_calls] == ["web_search_call"]
    assert (reading.tokens_in, reading.tokens_out) == (12, 9)
    assert (reading.tokens.cache_read, reading.tokens.reasoning, reading.tokens.cached_inside) == (4, 5, True)
    assert reading.served_model == "gpt-4o"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (response([message("a")]), Chat(text="a", stop_raw="completed")),
        (
            response([message("a")], "incomplete", incomplete_details={"reason": "max_output_tokens"}),
            Chat(text="a", stop=StopReason.LENGTH, stop_raw="max_output_tokens"),
        ),
        (
            response([], "incomplete", incomplete_details={"reason": "max_output_tokens"}),
            Chat(text="", stop=StopReason.LENGTH, stop_raw="max_output_tokens"),
        ),
        (
            response([message("a")], "incomplete", incomplete_details={"reason": "content_filter"}),
            Chat(
                text="a",
                stop=StopReason.FILTER,
                stop_raw="content_filter",
                filter=Filter(blocked=True, where="completion"),
            ),
        ),
        (
            response([{"type": "message", "content": [{"type": "refusal", "refusal": "No."}]}]),
            Chat(text="", refusal="No.", stop=StopReason.REFUSAL, stop_raw="completed"),
        ),
    ],
)
def test_outcomes(body, expected):
    assert read(body).output == expected


def test_findings_of_the_filter_are_kept():
    found = [
        {
            "source_type": "prompt",
            "blocked": False,
            "content_filter_results": {"violence": {"filtered": False, "severity": "low"}},
        }
    ]
    chat = read(response([message("a")], content_filters=found)).output
    assert chat.filter == Filter(blocked=False, categories={"violence": "low"})


def test_a_blocked_prompt_is_an_answer():
    assert read(BLOCKED, status=400).output.filter.where == "prompt"


@pytest.mark.parametrize("status", ["failed", "in_progress", "queued", "cancelled"])
def test_a_response_without_an_end_is_unreadable(status):
    assert isinstance(read(response([message("a")], status)), Unreadable)


def test_a_failed_response_says_why():
    reading = read(response([], "failed", error=None) | {"error": {"code": "rate_limit_exceeded", "message": "m"}})
    assert (reading.kind, reading.code) == (FailureKind.THROTTLED, "rate_limit_exceeded")


DELTAS = [
    {"type": "response.created", "response": response([], "in_progress")},
    {"type": "response.output_item.added", "output_index": 0, "item": {"type": "message", "content": []}},
    {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "Hel"},
    {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "lo."},
    {
        "type": "response.output_item.added",
        "output_index": 1,
        "item": {"type": "function_call", "call_id": "a", "name": "f", "arguments": ""},
    },
    {"type": "response.function_call_arguments.delta", "output_index": 1, "delta": '{"x"'},
    {"type": "response.function_call_arguments.delta", "output_index": 1, "delta": ":1}"},
]
CALL = {"type": "function_call", "call_id": "a", "name": "f", "arguments": '{"x":1}'}
COMPLETED = {"type": "response.completed", "response": response([message("Hello."), CALL], usage=USAGE)}


def sse(*events: dict[str, Any]) -> bytes:
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events).encode()


def test_a_stream_reads_as_the_whole():
    whole = read(COMPLETED["response"])
    assert read(sse(*DELTAS, COMPLETED), "text/event-stream") == whole
    assert read([*DELTAS, COMPLETED]) == whole


def test_a_stream_that_breaks_off_keeps_what_came():
    reading = read(sse(*DELTAS), "text/event-stream")
    assert (reading.kind, reading.partial.text) == (FailureKind.UNAVAILABLE, "Hello.")
    assert reading.partial.tool_calls == (ToolCall(name="f", arguments={"x": 1}, id="a"),)


@pytest.fixture
def called(internet, clouds):
    def call(body: bytes) -> Any:
        clouds.infer = lambda request: Reply(200, body, {"Content-Type": "text/event-stream"})
        endpoint = build(side(internet), api="responses").open()
        wire = build(side(internet), api="responses").codec.next(lot(asked(stream=True)), ())
        try:
            return endpoint.call(wire, timeout_s=5)
        finally:
            endpoint.close()

    return call


def test_the_sdk_carries_it_to_its_end(called, internet):
    wire = called(sse(*DELTAS, COMPLETED))
    assert internet.requests[-1].path == "/openai/v1/responses"
    assert [event.kind for event in wire.events][-1] == "response.completed"


FAILED = {"type": "response.failed", "response": response([], "failed", error={"code": "rate_limit_exceeded"})}
ERROR = {"type": "error", "code": "rate_limit_exceeded", "message": "m"}


@pytest.mark.parametrize(("last", "kind"), [(FAILED, Throttled), (ERROR, Throttled), (None, Unavailable)])
def test_a_failure_inside_a_stream_is_raised(called, last, kind):
    with pytest.raises(kind) as caught:
        called(sse(*DELTAS, *([last] if last else [])))
    (reading,) = build(side()).codec.decode(lot(asked()), (caught.value.partial,)).values()
    assert reading.partial.text == "Hello."
