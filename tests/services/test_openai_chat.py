"""Chat completions: the neutral conversation as a body, and back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from harness.core.chat import (
    CachePoint,
    Call,
    Conversation,
    File,
    Foreign,
    Format,
    Image,
    Message,
    Reasoning,
    Result,
    Text,
    Tool,
    ToolChoice,
    Value,
)
from harness.errors import CodecError, UnencodableRequest
from harness.services._openai_chat import NAMES, Dialect, read_body, write_body
from tests.services.conversations import conversations, params


@given(conversations(named=True), params())
def test_what_is_said_comes_back_as_it_went(conversation, given_params):
    body = write_body(conversation, given_params)
    assert read_body(json.loads(json.dumps(body))) == (conversation, given_params)


@given(conversations(), params("stream", "max_tokens"))
def test_the_request_of_a_body_survives_its_payload(conversation, given_params):
    request = conversation.request(given_params)
    assert write_body(Conversation.of(request), request.params) == write_body(conversation, given_params)


def user(*parts: Any, **more: Any) -> Conversation:
    return Conversation(messages=(Message("user", parts),), **more)


def said(*parts: Any) -> Conversation:
    return Conversation(messages=(Message("user", (Text("?"),)), Message("assistant", parts)))


@pytest.mark.parametrize(
    ("conversation", "field"),
    [
        (user(CachePoint()), "cache_point"),
        (user(Reasoning(text="hm")), "reasoning_content"),
        (said(Reasoning(text="hm")), "reasoning_content"),
        (user(Foreign(field="guard_content", value={"guardContent": {}})), "guard_content"),
        (user(File(kind="video", format="mp4", data=b"x")), "video"),
        (user(File(kind="document", format="docx", data=b"x")), "document"),
        (user(File(kind="document", format="pdf", data=b"x", citations=True)), "document"),
        (user(Image(data=b"x")), "image"),
        (user(Result(id="a", content=(), error=True)), "tool_result"),
        (user(Result(id="a", content=(Image(media_type="image/png", data=b"x"),))), "image"),
        (user(Text("a"), Result(id="a", content=())), "message_order"),
        (said(Call(id="a", name="f", arguments={}), Text("after")), "message_order"),
        (said(Call(id="a", name="f", arguments={}), Call(id=None, name="f", arguments={})), "tool_call"),
        (user(Text("a"), tools=(Tool(name="f", cache=True),)), "cache_point"),
        (user(Text("a"), format=Format(kind="schema", schema={})), "response_format"),
        (user(Text("a"), tool_choice=ToolChoice("some")), "tool_choice"),
        (said(Call(id="a", name="f", arguments=float("nan"))), "tool_call"),
        (Conversation(messages=(Message("system", (Text("a"),)),)), "message_order"),
    ],
)
def test_what_the_body_cannot_say_is_named(conversation, field):
    with pytest.raises(UnencodableRequest, match=f'"{field}"'):
        write_body(conversation, {})


@pytest.mark.parametrize(
    "given_params",
    [
        {"top_k": 5},
        {"min_p": 0.1},
        {"guardrail": {"id": "g"}},
        {"latency": "optimized"},
        {"reasoning": {"budget_tokens": 5}},
        {"reasoning": {"enabled": False}},
        {"prompt_form": "llama3"},
        {"extra": [1]},
    ],
)
def test_params_without_a_member_are_named(given_params):
    with pytest.raises(UnencodableRequest, match=f'"{next(iter(given_params))}"'):
        write_body(user(Text("a")), given_params)


def test_a_dialect_may_take_what_openai_does_not():
    mistral = Dialect(names={**NAMES, "top_k": "top_k", "max_tokens": "max_tokens"}, reasoning="reasoning_content")
    body = write_body(said(Reasoning(text="hm"), Text("a")), {"top_k": 5, "max_tokens": 7}, mistral)
    assert (body["top_k"], body["max_tokens"]) == (5, 7)
    assert body["messages"][1] == {"role": "assistant", "reasoning_content": "hm", "content": "a"}
    assert read_body(body, mistral) == (said(Reasoning(text="hm"), Text("a")), {"top_k": 5, "max_tokens": 7})


BODY = {"messages": [{"role": "user", "content": "Hello?"}]}


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([{"role": "developer", "content": "Be brief."}], Conversation(messages=(), system=(Text("Be brief."),))),
        ([{"role": "user", "content": ["a", {"type": "text", "text": "b"}]}], user(Text("a"), Text("b"))),
        ([{"role": "user", "content": None}], user()),
        (
            [{"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}}],
            Conversation(messages=(Message("assistant", (Call(id=None, name="f", arguments={}),)),)),
        ),
        (
            [{"role": "function", "name": "f", "content": "4"}],
            user(Result(id=None, name="f", content=(Text("4"),))),
        ),
        (
            [
                {"role": "tool", "tool_call_id": "a", "content": "1"},
                {"role": "tool", "tool_call_id": "b", "content": [{"type": "text", "text": "2"}]},
                {"role": "user", "content": "go on"},
            ],
            user(
                Result(id="a", content=(Text("1"),)),
                Result(id="b", content=(Text("2"),)),
                Text("go on"),
            ),
        ),
    ],
)
def test_messages_of_recordings(messages, expected):
    assert read_body({"messages": messages})[0] == expected


@pytest.mark.parametrize(
    "message",
    [
        {"role": "system", "content": "later", "name": "x"},
        {"role": "assistant", "content": None, "refusal": "No."},
        {"role": "assistant", "content": None, "audio": {"id": "a1"}},
        {"role": "user", "content": [{"type": "file", "file": {"file_id": "f1"}}]},
        {"role": "user", "content": [{"type": "video_url", "video_url": {"url": "https://example.org/v"}}]},
        {"role": "user", "content": [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,%%%"}}]},
        {"role": "user", "content": [{"type": "refusal", "refusal": "No."}]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "a", "type": "custom", "custom": {"name": "f", "input": "free text"}}],
        },
    ],
)
def test_what_has_no_neutral_form_goes_out_as_it_came(message):
    messages = [{"role": "user", "content": "?"}, message]
    conversation, given_params = read_body({"messages": messages})
    assert write_body(conversation, given_params) == {"messages": messages}


@pytest.mark.parametrize(
    "more",
    [
        {"tools": [{"type": "custom", "custom": {"name": "f"}}]},
        {"tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}}},
        {"response_format": {"type": "grammar", "grammar": "x"}},
        {"data_sources": [{"type": "azure_search", "parameters": {}}]},
        {"prediction": {"type": "content", "content": "x"}, "modalities": ["text"], "web_search_options": {}},
        {"stream": True, "stream_options": {"include_usage": False}},
        {"functions": [{"name": "f", "later": 1}], "function_call": {"name": "f", "later": 1}},
    ],
)
def test_members_without_a_neutral_name_go_out_as_they_came(more):
    conversation, given_params = read_body({**BODY, **more})
    assert write_body(conversation, given_params) == {**BODY, **more}


def test_functions_of_old_are_tools():
    function = {"name": "f", "parameters": {"type": "object"}}
    conversation, _ = read_body({**BODY, "functions": [function], "function_call": {"name": "f"}})
    assert conversation.tools == (Tool(name="f", schema={"type": "object"}),)
    assert conversation.tool_choice == ToolChoice("tool", "f")
    assert write_body(conversation, {})["tools"] == [{"type": "function", "function": function}]


def test_a_conversation_that_began_with_functions_goes_on_with_them():
    conversation = Conversation(
        messages=(
            Message("user", (Text("?"),)),
            Message("assistant", (Call(id=None, name="f", arguments={"a": 1}),)),
            Message("user", (Result(id=None, name="f", content=(Text("4"),)),)),
        ),
        tools=(Tool(name="f"),),
        tool_choice=ToolChoice("tool", "f"),
    )
    body = write_body(conversation, {})
    assert (body["functions"], body["function_call"]) == ([{"name": "f"}], {"name": "f"})
    assert body["messages"][1]["function_call"] == {"name": "f", "arguments": '{"a":1}'}
    assert read_body(body)[0] == conversation


def test_a_value_goes_as_json_text():
    conversation = user(Result(id="a", content=(Value({"tempC": 4}),)))
    assert write_body(conversation, {})["messages"][0]["content"] == '{"tempC":4}'


def test_either_word_for_the_limit_is_read():
    for word in ("max_tokens", "max_completion_tokens"):
        assert read_body({**BODY, word: 5})[1] == {"max_tokens": 5}
    both = read_body({**BODY, "max_tokens": 5, "max_completion_tokens": 7})[1]
    assert both == {"max_tokens": 7, "extra": {"max_tokens": 5}}


def test_null_says_nothing():
    assert read_body({**BODY, "temperature": None, "tools": None, "stop": "END"})[1] == {"stop": ["END"]}


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"messages": {}},
        {"messages": [1]},
        {"messages": [{"role": "user", "content": 1}]},
        {"messages": [{"role": "user", "content": [1]}]},
        {"messages": [{"role": "user", "content": "a", "name": 1}]},
        {"messages": [{"role": "assistant", "tool_calls": [1]}]},
        {"messages": [{"role": "assistant", "tool_calls": [{"id": "a", "function": {}}]}]},
        {"messages": [{"role": "tool", "tool_call_id": 1}]},
        {"messages": [], "tools": {"a": 1}},
    ],
)
def test_what_is_no_body_is_told(body):
    with pytest.raises(CodecError):
        read_body(body)
