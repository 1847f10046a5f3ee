"""The way back: what OpenAI's requests lose on Bedrock."""

from __future__ import annotations

from typing import Any

import pytest

from harness.core.case import Request, Task
from harness.core.chat import Call, Conversation, Foreign, Format, Image, Message, Result, Text, Tool, ToolChoice
from harness.errors import UnencodableRequest
from tests.pairs.asked import asked, losses, of, translated

PAIR = "azure_openai_to_bedrock"
TOOLS = (Tool(name="f", schema={"type": "object", "properties": {}}),)


@pytest.mark.parametrize(
    ("param", "value"),
    [
        ("seed", 7),
        ("n", 3),
        ("presence_penalty", 0.5),
        ("frequency_penalty", -1),
        ("logit_bias", {"5": 100}),
        ("logprobs", True),
        ("top_logprobs", 3),
        ("verbosity", "low"),
        ("cache_key", "k"),
        ("user", "u"),
        ("store", True),
        ("parallel_tool_calls", False),
    ],
)
def test_what_bedrock_has_no_place_for_is_dropped_by_name(param: str, value: Any):
    translation = translated(PAIR, asked("gpt-4o", tools=TOOLS, params={param: value, "max_tokens": 64}))
    assert param not in translation.request.params
    assert losses(translation)[param][1] is None


def test_a_temperature_beyond_one_is_lowered():
    translation = translated(PAIR, asked("gpt-4o", params={"temperature": 1.6}))
    assert translation.request.params["temperature"] == 1
    assert losses(translation)["temperature"] == ("1.6", "1")


def test_two_settings_that_claude_refuses_together_lose_the_second():
    translation = translated(PAIR, asked("gpt-4o", params={"temperature": 0.2, "top_p": 0.5}))
    assert translation.request.params["temperature"] == 0.2
    assert losses(translation)["top_p"] == ("0.5", None)


@pytest.mark.parametrize(("temperature", "kept"), [(1, 1), (0, None), (0.7, None)])
def test_claude_after_opus_4_6_takes_its_default_alone(temperature: float, kept: float | None):
    translation = translated(PAIR, asked("gpt-4o", params={"temperature": temperature}), target_model="claude-opus-4-7")
    assert translation.request.params.get("temperature") == kept
    assert ("temperature" in losses(translation)) is (kept is None)


def test_turns_of_one_speaker_become_one():
    turns = (Message("user", (Text("a"),)), Message("user", (Text("b"),)), Message("assistant", (Text("c"),)))
    translation = translated(PAIR, asked("gpt-4o", *turns, Message("user", (Text("d"),))))
    messages = Conversation.of(translation.request).messages
    assert [(message.role, message.content) for message in messages] == [
        ("user", (Text("a"), Text("b"))),
        ("assistant", (Text("c"),)),
        ("user", (Text("d"),)),
    ]
    assert losses(translation) == {"message_order": ("turns of one speaker in a row", "one turn")}


def test_a_users_turn_stands_before_an_assistant_that_speaks_first():
    turns = (Message("assistant", (Text("Hello, how can I help?"),)), Message("user", (Text("a"),)))
    translation = translated(PAIR, asked("gpt-4o", *turns))
    assert [message.role for message in Conversation.of(translation.request).messages] == ["user", "assistant", "user"]
    assert losses(translation)["message_order"] == ("the assistant speaks first", "a user's turn before it")


def test_a_system_message_among_the_turns_stays_where_it_stands_as_text():
    late = Foreign(field="system", value={"role": "system", "content": "From now on, rhyme."})
    turns = (Message("user", (Text("a"),)), Message("assistant", (Text("b"),)), Message("user", (late,)))
    translation = translated(PAIR, asked("gpt-4o", *turns))
    assert Conversation.of(translation.request).messages[2].content == (Text("From now on, rhyme."),)
    assert losses(translation)["system"][1] == "its text, where it stands"


def test_an_image_by_its_address_is_dropped_and_told():
    turn = Message("user", (Image(url="https://example.com/cat.png", detail="high"), Text("what?")))
    translation = translated(PAIR, asked("gpt-4o", turn))
    assert Conversation.of(translation.request).messages[0].content == (Text("what?"),)
    assert losses(translation)["image"] == ("an image by its address", None)


def test_a_body_of_one_text_loses_an_image_and_says_so():
    turn = Message("user", (Image(media_type="image/png", data=b"1"), Text("what?")))
    translation = translated(PAIR, asked("gpt-4o", turn), target_model="llama-4", api="invoke")
    assert Conversation.of(translation.request).messages[0].content == (Text("what?"),)
    assert losses(translation)["image"] == ("given", None)


def test_nothing_but_an_image_by_its_address_cannot_be_asked():
    turn = Message("user", (Image(url="https://example.com/cat.png"),))
    with pytest.raises(UnencodableRequest, match="nothing that the target can be asked"):
        translated(PAIR, asked("gpt-4o", turn))


def test_no_tool_choice_of_none_leaves_the_tools_out():
    translation = translated(PAIR, asked("gpt-4o", tools=TOOLS, tool_choice=ToolChoice("none")))
    assert Conversation.of(translation.request).tools == ()
    assert losses(translation) == {"tool_choice": ("none", "the tools are left out")}


def test_tools_stay_where_earlier_turns_called_them():
    turns = (
        Message("user", (Text("a"),)),
        Message("assistant", (Call(id="1", name="f", arguments={}),)),
        Message("user", (Result(id="1", content=(Text("4"),)),)),
    )
    translation = translated(PAIR, asked("gpt-4o", *turns, tools=TOOLS, tool_choice=ToolChoice("none")))
    assert Conversation.of(translation.request).tools == TOOLS
    assert losses(translation) == {"tool_choice": ("none", "auto")}


def test_calls_of_earlier_turns_are_read_as_text_by_a_model_without_tools():
    turns = (
        Message("user", (Text("a"),)),
        Message("assistant", (Call(id="1", name="f", arguments={"x": 1}),)),
        Message("user", (Result(id="1", content=(Text("4"),)), Text("and?"))),
    )
    translation = translated(PAIR, asked("gpt-4o", *turns, tools=TOOLS), target_model="llama-3")
    _, call, result = Conversation.of(translation.request).messages
    assert (call.content, result.content) == ((Text('f({"x": 1})'),), (Text("4"), Text("and?")))
    assert {"tools", "tool_call", "tool_result"} <= losses(translation).keys()


def test_arguments_that_are_no_json_become_an_object():
    turns = (
        Message("user", (Text("a"),)),
        Message("assistant", (Call(id="1", name="f", arguments=None, raw='{"city'),)),
        Message("user", (Result(id="1", content=(Text("4"),)),)),
    )
    translation = translated(PAIR, asked("gpt-4o", *turns, tools=TOOLS))
    (call,) = Conversation.of(translation.request).messages[1].content
    assert call == Call(id="1", name="f", arguments={"value": '{"city'})
    assert "tool_call" in losses(translation)


def test_calls_without_ids_are_numbered():
    turns = (
        Message("user", (Text("a"),)),
        Message("assistant", (Call(id=None, name="f", arguments={}),)),
        Message("user", (Result(id=None, content=(Text("4"),), name="f"),)),
    )
    messages = Conversation.of(translated(PAIR, asked("gpt-4o", *turns, tools=TOOLS)).request).messages
    assert messages[1].content == (Call(id="call_1", name="f", arguments={}),)
    assert messages[2].content == (Result(id="call_1", content=(Text("4"),)),)


def test_json_without_a_schema_has_no_twin():
    translation = translated(PAIR, asked("gpt-4o", format=Format(kind="json")))
    assert Conversation.of(translation.request).format is None
    assert losses(translation) == {"response_format": ("json", None)}


def test_a_schema_with_open_objects_is_sent_as_it_is_and_told():
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    translation = translated(PAIR, asked("gpt-4o", format=Format(kind="schema", name="r", schema=schema)))
    form = Conversation.of(translation.request).format
    assert form is not None and form.schema == schema
    assert losses(translation) == {"response_format": ("an object without additionalProperties false", "the same")}


def test_a_speakers_name_is_dropped_and_told():
    translation = translated(PAIR, asked("gpt-4o", Message("user", (Text("a"),), "anna")))
    assert losses(translation) == {"message_name": ("given", None)}


def test_an_effort_becomes_a_budget_with_room_for_an_answer():
    request = asked("o4-mini", params={"reasoning": {"effort": "high"}, "max_tokens": 4000})
    translation = translated(PAIR, request, target_model="claude-sonnet-4-5")
    assert translation.request.params["reasoning"] == {"budget_tokens": 2000}
    assert translation.request.params["max_tokens"] == 4000
    assert losses(translation)["reasoning"] == ("effort high", "budget of 2000 tokens")


def test_a_model_that_thinks_is_not_told_how_to_sample():
    request = asked("gpt-4o", params={"reasoning": {"budget_tokens": 2048}, "temperature": 0, "max_tokens": 4096})
    translation = translated(PAIR, request, target_model="claude-sonnet-4-5")
    assert "temperature" not in translation.request.params
    assert "while it thinks" in of(translation, "temperature")[0].reason


def test_a_source_that_reasons_by_itself_loses_it_on_a_target_that_does_not():
    assert losses(translated(PAIR, asked("o4-mini")))["reasoning"] == ("on by default", None)


def test_invoke_insists_on_a_limit():
    translation = translated(PAIR, asked("gpt-4o"), api="invoke")
    assert (translation.request.params["api"], translation.request.params["max_tokens"]) == ("invoke", 4096)
    assert losses(translation)["max_tokens"] == ("not given", "4096")


def test_a_cross_region_profile_stands_before_the_models_id():
    translation = translated(PAIR, asked("gpt-4o"), profile="eu")
    assert translation.request.params["model"] == "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"


def test_system_text_goes_into_the_first_turn_of_a_model_without():
    request = asked("gpt-4o", Message("user", (Text("Hi"),)), system=(Text("Be brief."),))
    translation = translated(PAIR, request, target_model="titan-text-express")
    assert Conversation.of(translation.request).messages == (Message("user", (Text("Be brief."), Text("Hi"))),)
    assert losses(translation)["system"] == ("given", "in the first turn")


def test_cohere_insists_on_a_purpose_of_the_embedding():
    request = Request(Task.EMBEDDING, {"texts": ["a"]}, {"model": "text-embedding-3-small", "dimensions": 500})
    translation = translated(PAIR, request, target_model="cohere-embed-v4")
    assert translation.request.params["input_type"] == "search_document"
    assert losses(translation).keys() == {"input_type", "dimensions"}


def test_more_texts_than_a_call_takes_cannot_be_said():
    request = Request(Task.EMBEDDING, {"texts": ["a"] * 97}, {"model": "text-embedding-3-large"})
    with pytest.raises(UnencodableRequest, match="96 texts a call"):
        translated(PAIR, request, target_model="cohere-embed-v4")


def test_a_prompt_is_built_of_one_text_a_turn():
    turns = (Message("user", (Text("a"), Text("b"))), Message("assistant", (Text("c"),)), Message("user", (Text("d"),)))
    translation = translated(PAIR, asked("gpt-4o", *turns), target_model="llama-3-3", api="invoke")
    messages = Conversation.of(translation.request).messages
    assert [message.content for message in messages] == [(Text("a\n\nb"),), (Text("c"),), (Text("d"),)]
    assert losses(translation)["prompt_form"] == ("turns", "a prompt")


def test_a_size_becomes_the_nearest_aspect_ratio():
    request = Request(Task.IMAGE, {"prompt": "a cat"}, {"model": "gpt-image-1", "size": "1536x1024", "quality": "high"})
    translation = translated(PAIR, request)
    assert translation.request.params["aspect_ratio"] == "3:2"
    assert losses(translation) == {"size": ("1536x1024", "3:2"), "quality": ("high", None)}
