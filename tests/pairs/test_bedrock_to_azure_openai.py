"""Bedrock's requests for Azure OpenAI: each loss by name, and nothing lost without one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.core.case import Request, Task
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
from harness.errors import ConfigError, ForbiddenDeparture, UnencodableRequest, UnknownName
from tests.pairs.asked import CLAUDE, asked, losses, of, translated

PAIR = "bedrock_to_azure_openai"
STRICT = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
LOOSE = {"type": "object", "properties": {"city": {"type": "string"}}}


def test_what_both_sides_know_goes_over_unchanged():
    request = asked(CLAUDE, system=(Text("Be brief."),), params={"temperature": 0.2, "max_tokens": 64, "stop": ["END"]})
    translation = translated(PAIR, request)
    assert translation.departures == ()
    assert Conversation.of(translation.request) == Conversation.of(request)
    assert translation.request.params == {
        "model": "gpt-4o",
        "api": "chat",
        "temperature": 0.2,
        "max_tokens": 64,
        "stop": ["END"],
    }


@pytest.mark.parametrize(
    ("param", "value"),
    [
        ("top_k", 40),
        ("latency", "optimized"),
        ("guardrail", {"id": "g", "version": "1"}),
        ("service_tier", "reserved"),
        ("extra", {"anthropic_beta": ["x"]}),
    ],
)
def test_what_the_target_has_no_place_for_is_dropped_by_name(param: str, value: Any):
    translation = translated(PAIR, asked(CLAUDE, params={param: value}))
    assert param not in translation.request.params
    assert losses(translation)[param][1] is None


def test_a_known_field_in_a_foreign_form_is_dropped_by_its_own_name_so_that_a_suite_can_forbid_it():
    extra = {"tool_choice": {"type": "allowed_tools"}, "toolConfig": {"tools": [{"systemTool": {"name": "g"}}]}, "x": 1}
    request = asked(CLAUDE, params={"extra": extra})
    assert losses(translated(PAIR, request)) == {
        "tool_choice": ("tool_choice", None),
        "tools": ("toolConfig", None),
        "extra": ("x", None),
    }
    with pytest.raises(ForbiddenDeparture, match="tools"):
        translated(PAIR, request, forbid=["tools"])


@pytest.mark.parametrize(("param", "value"), [("n", 1), ("latency", "standard"), ("stop", []), ("stream", False)])
def test_what_the_target_does_by_itself_is_no_loss(param: str, value: Any):
    assert translated(PAIR, asked(CLAUDE, params={param: value})).departures == ()


def test_more_than_four_stop_sequences_are_cut():
    translation = translated(PAIR, asked(CLAUDE, params={"stop": ["a", "b", "c", "d", "e", "f"]}))
    assert translation.request.params["stop"] == ["a", "b", "c", "d"]
    assert losses(translation) == {"stop": ("6 texts", "the first 4")}


@pytest.mark.parametrize("param", ["temperature", "top_p"])
def test_a_reasoning_model_is_not_told_how_to_sample(param: str):
    translation = translated(PAIR, asked(CLAUDE, params={param: 0.5}), target_model="gpt-5")
    assert param not in translation.request.params
    assert losses(translation)[param] == ("0.5", None)


def test_a_reasoning_model_counts_its_thinking_in_the_limit():
    translation = translated(PAIR, asked(CLAUDE, params={"max_tokens": 64}), target_model="o4-mini")
    assert translation.request.params["max_tokens"] == 64
    assert "reasoning" in of(translation, "max_tokens")[0].reason


def test_a_source_that_does_not_reason_asks_a_target_that_does_for_the_least():
    translation = translated(PAIR, asked(CLAUDE), target_model="gpt-5")
    assert translation.request.params["reasoning"] == {"effort": "minimal"}
    assert losses(translation)["reasoning"] == ("off", "effort minimal")


@pytest.mark.parametrize(
    ("budget", "effort"), [(1024, "low"), (4095, "low"), (4096, "medium"), (16384, "high"), (60000, "high")]
)
def test_a_thinking_budget_becomes_an_effort(budget: int, effort: str):
    request = asked("anthropic.claude-3-7-sonnet", params={"reasoning": {"budget_tokens": budget}})
    translation = translated(PAIR, request, target_model="o4-mini")
    assert translation.request.params["reasoning"] == {"effort": effort}
    assert losses(translation)["reasoning"] == (f"budget of {budget} tokens", f"effort {effort}")


def test_a_limit_beyond_the_models_own_is_lowered():
    translation = translated(
        PAIR, asked("anthropic.claude-sonnet-4-5", params={"max_tokens": 50000}), target_model="gpt-4o"
    )
    assert translation.request.params["max_tokens"] == 16384
    assert losses(translation)["max_tokens"] == ("50000", "16384")


def test_defaults_that_differ_are_said_outright():
    translation = translated(PAIR, asked("meta.llama3-8b-instruct-v1:0"))
    assert {name: translation.request.params[name] for name in ("temperature", "top_p", "max_tokens")} == {
        "temperature": 0.5,
        "top_p": 0.9,
        "max_tokens": 512,
    }
    assert {one.field for one in translation.departures} == {"temperature", "top_p", "max_tokens"}


def test_a_prefilled_turn_is_kept_and_told_as_a_turn_that_is_over():
    turns = (Message("user", (Text("JSON"),)), Message("assistant", (Text("{"),)))
    translation = translated(PAIR, asked(CLAUDE, *turns))
    assert Conversation.of(translation.request).messages == turns
    assert losses(translation)["prefill"] == ("the answer's beginning", "a finished turn")


def test_a_tools_failure_is_told_in_its_text():
    turns = (
        Message("user", (Text("Weather?"),)),
        Message("assistant", (Call(id="a", name="f", arguments={}),)),
        Message("user", (Result(id="a", content=(Value({"code": 5}),), error=True),)),
    )
    translation = translated(PAIR, asked(CLAUDE, *turns, tools=(Tool(name="f", schema=LOOSE),)))
    (result,) = Conversation.of(translation.request).messages[2].content
    assert result == Result(id="a", content=(Text("[tool error]"), Text('{"code": 5}')), error=False)
    assert {one.source_value for one in of(translation, "tool_result")} == {"marked as failed", "JSON"}


@pytest.mark.parametrize("kind", ["auto", "any", "none"])
def test_a_tool_choice_goes_over(kind: str):
    tools = (Tool(name="f", schema=LOOSE),)
    translation = translated(PAIR, asked(CLAUDE, tools=tools, tool_choice=ToolChoice(kind)))
    assert Conversation.of(translation.request).tool_choice == ToolChoice(kind)
    assert translation.departures == ()


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        (LOOSE, "additionalProperties"),
        ({**STRICT, "required": []}, "not required"),
        ({**STRICT, "properties": {"city": {"type": "string", "pattern": "x"}}}, "keyword pattern"),
        ({**STRICT, "properties": {"city": {"type": "array", "items": {"type": "object"}}}}, "additionalProperties"),
    ],
)
def test_a_strict_schema_that_openai_refuses_is_sent_unchanged_and_not_as_strict(schema: dict[str, Any], problem: str):
    request = asked("anthropic.claude-sonnet-4-5", tools=(Tool(name="f", schema=schema, strict=True),))
    translation = translated(PAIR, request, target_model="gpt-4o")
    (tool,) = Conversation.of(translation.request).tools
    assert (tool.schema, tool.strict) == (schema, None)
    assert problem in of(translation, "tool_schema")[0].reason


def test_a_schema_that_is_no_object_is_told_before_it_fails():
    schema = {"anyOf": [STRICT, STRICT]}
    translation = translated(PAIR, asked(CLAUDE, tools=(Tool(name="f", schema=schema),)))
    assert Conversation.of(translation.request).tools[0].schema == schema
    assert losses(translation)["tool_schema"] == ("anyOf at the root", "the same")


def test_the_responses_api_is_told_that_a_schema_is_not_strict():
    translation = translated(PAIR, asked(CLAUDE, tools=(Tool(name="f", schema=LOOSE),)), api="responses")
    assert Conversation.of(translation.request).tools[0].strict is False
    assert translation.request.params["api"] == "responses"


def test_a_schema_for_the_answer_is_strict_where_it_can_be():
    request = asked("anthropic.claude-sonnet-4-5", format=Format(kind="schema", name="r", schema=STRICT))
    held = Conversation.of(translated(PAIR, request, target_model="gpt-4o").request).format
    assert held is not None and held.strict is True
    request = asked("anthropic.claude-sonnet-4-5", format=Format(kind="schema", name="r", schema=LOOSE))
    hint = Conversation.of(translated(PAIR, request, target_model="gpt-4o").request).format
    assert hint is not None and hint.strict is False


def test_thinking_of_earlier_turns_and_cache_points_are_dropped():
    turns = (
        Message("user", (Text("a"), CachePoint())),
        Message("assistant", (Reasoning(text="hm", signature="s"), Text("b"))),
        Message("user", (Text("c"), Foreign(field="guard_content", value={"guardContent": {}}))),
    )
    translation = translated(PAIR, asked(CLAUDE, *turns))
    assert [message.content for message in Conversation.of(translation.request).messages] == [
        (Text("a"),),
        (Text("b"),),
        (Text("c"),),
    ]
    assert losses(translation).keys() == {"cache_point", "reasoning_content", "guard_content"}


@pytest.mark.parametrize(
    ("field", "block", "text"),
    [
        ("guard_content", {"guardContent": {"text": {"text": "the question"}}}, "the question"),
        ("citations", {"citationsContent": {"content": [{"text": "a"}, {"text": "b"}]}}, "a\n\nb"),
        ("citations", {"type": "text", "text": "quoted", "citations": [{}]}, "quoted"),
        ("search_result", {"searchResult": {"source": "s", "title": "t", "content": [{"text": "x"}]}}, "t\n\ns\n\nx"),
    ],
)
def test_what_a_foreign_block_says_is_still_read(field: str, block: dict[str, Any], text: str):
    """A question that was marked for the guardrail is the question all the same."""
    translation = translated(PAIR, asked(CLAUDE, Message("user", (Foreign(field=field, value=block),))))
    assert Conversation.of(translation.request).messages == (Message("user", (Text(text),)),)
    assert losses(translation) == {field: ("a block of the source's own", "its text, where it stands")}


def test_an_image_in_s3_is_dropped_and_told():
    turn = Message("user", (Image(media_type="image/png", url="s3://bucket/key"), Text("what?")))
    translation = translated(PAIR, asked(CLAUDE, turn))
    assert Conversation.of(translation.request).messages == (Message("user", (Text("what?"),)),)
    assert losses(translation)["image"] == ("an image by its address", None)


def test_documents_that_are_text_are_read_out_and_others_dropped():
    plain = File(kind="document", format="csv", name="prices", data=b"a,b")
    table = File(kind="document", format="xlsx", name="prices", data=b"PK")
    translation = translated(PAIR, asked(CLAUDE, Message("user", (plain, table, Text("sum?")))))
    (message,) = Conversation.of(translation.request).messages
    assert message.content == (Text("Document: prices\na,b"), Text("sum?"))
    assert [(one.source_value, one.target_value) for one in of(translation, "document")] == [
        ("csv", "its text, in the turn"),
        ("xlsx", None),
    ]


def test_text_after_a_call_is_moved_before_it():
    turns = (
        Message("user", (Text("Weather?"),)),
        Message("assistant", (Call(id="a", name="f", arguments={}), Text("wait"))),
        Message("user", (Text("please"), Result(id="a", content=(Text("4"),)))),
    )
    translation = translated(PAIR, asked(CLAUDE, *turns, tools=(Tool(name="f", schema=LOOSE),)))
    _, assistant, user = Conversation.of(translation.request).messages
    assert [type(part) for part in assistant.content] == [Text, Call]
    assert [type(part) for part in user.content] == [Result, Text]
    assert "message_order" in losses(translation)


def test_a_prompt_that_does_not_fit_is_a_departure_before_it_is_a_failure():
    """3 bytes a token: 384,003 bytes are more than gpt-4o's 128,000 tokens; 383,000 are not."""
    for size, told in ((384_003, True), (383_000, False)):
        translation = translated(PAIR, asked(CLAUDE, Message("user", (Text("x" * size),))))
        assert ("context_length" in losses(translation)) is told


def test_images_go_over_to_a_model_that_sees_alone():
    turn = Message("user", (Image(media_type="image/png", data=b"\x89PNG"), Text("what?")))
    assert translated(PAIR, asked(CLAUDE, turn)).departures == ()
    blind = translated(PAIR, asked(CLAUDE, turn), target_model="o3-mini")
    assert losses(blind)["image"] == ("an image", None)


def test_a_departure_that_the_suite_forbids_stops_the_case():
    request = asked(CLAUDE, params={"top_k": 5})
    with pytest.raises(ForbiddenDeparture, match="top_k") as caught:
        translated(PAIR, request, forbid=["top_k"])
    assert [one.field for one in caught.value.departures] == ["top_k"]
    assert translated(PAIR, request, forbid=["seed"]).departures


def test_a_name_that_is_no_field_cannot_be_forbidden():
    with pytest.raises(UnknownName, match='Did you mean "top_k"'):
        translated(PAIR, asked(CLAUDE), forbid=["topk"])


@pytest.mark.parametrize(
    "model",
    [
        "anthropic.claude-3-haiku-20240307-v1:0",
        "us.anthropic.claude-3-haiku-20240307-v1:0",
        "us-gov.anthropic.claude-3-haiku-20240307-v1:0",
        "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0",
        "arn:aws-us-gov:bedrock:us-gov-west-1:123456789012:inference-profile/us-gov.anthropic.claude-3-haiku-20240307-v1:0",
        "claude-3-haiku",
    ],
)
def test_ids_arns_and_profiles_name_their_family(model: str):
    assert translated(PAIR, asked(model)).request.params["model"] == "gpt-4o-mini"


def test_an_unknown_model_names_the_nearest():
    with pytest.raises(UnknownName, match='Did you mean "claude-3-haiku"'):
        translated(PAIR, asked("claude-3-haikou"))


def test_a_model_without_a_name_needs_the_suites_word():
    profile = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123"
    with pytest.raises(UnknownName, match="source_model"):
        translated(PAIR, asked(profile))
    assert translated(PAIR, asked(profile), source_model="claude-3-haiku").request.params["model"] == "gpt-4o-mini"
    assert translated(PAIR, asked(profile), target_model="gpt-4o").request.params["model"] == "gpt-4o"


def test_a_deployment_is_called_by_its_name_and_judged_by_its_model():
    request = asked(CLAUDE, params={"temperature": 0})
    translation = translated(PAIR, request, target_model={"deployment": "chat-prod", "model": "gpt-5"})
    assert translation.request.params["model"] == "chat-prod"
    assert "temperature" in losses(translation)


def test_a_suites_own_table_comes_first(tmp_path: Path):
    table = tmp_path / "models.toml"
    table.write_text(
        '[bedrock.claude-3-haiku]\nazure_openai = "tuned"\n'
        '[bedrock.my-import]\nlike = "llama-3-1"\nids = ["arn:aws:bedrock:us-east-1:1:imported-model/x", "x"]\n'
        'azure_openai = "tuned"\n[azure_openai.tuned]\nlike = "gpt-4o"\nids = ["ft-tuned"]\n'
        "[azure_openai.tuned.accepts]\nseed = false\n"
    )
    request = asked("anthropic.claude-3-haiku")
    assert translated(PAIR, request, models=str(table)).request.params["model"] == "ft-tuned"
    imported = asked("arn:aws:bedrock:us-east-1:123456789012:imported-model/x", params={"seed": 3})
    assert losses(translated(PAIR, imported, models=str(table)))["seed"] == ("3", None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[bedrok.x]\n", 'Did you mean "bedrock"'),
        ('[bedrock.claude-3-haiku]\nazure_openai = "gpt-4oo"\n', 'Did you mean "gpt-4o"'),
        ("[azure_openai.gpt-4o]\ninput_token = 5\n", 'Did you mean "input_tokens"'),
        ("[azure_openai.gpt-4o.accepts]\nsed = false\n", 'Did you mean "seed"'),
        ('[azure_openai.x]\nlike = "gpt-4oo"\n', 'Did you mean "gpt-4o"'),
    ],
)
def test_a_mistake_in_a_suites_table_names_the_nearest(tmp_path: Path, text: str, message: str):
    table = tmp_path / "models.toml"
    table.write_text(text)
    with pytest.raises(UnknownName, match=message):
        translated(PAIR, asked(CLAUDE), models=str(table))


def test_a_cloud_without_the_model_is_refused():
    from harness.core import registry

    pair = registry.load("pairs", PAIR, target_model="gpt-5")
    pair.checked("aws", "azure")
    with pytest.raises(ConfigError, match="azure-us-gov"):
        pair.checked("aws", "azure-us-gov")


def test_a_model_for_another_task_is_refused():
    with pytest.raises(UnencodableRequest, match="is for embedding"):
        translated(PAIR, asked(CLAUDE), target_model="text-embedding-3-large")


def embedding(model: str, **params: Any) -> Request:
    return Request(Task.EMBEDDING, {"texts": ["a", "b"]}, {"model": model, **params})


def test_embeddings_tell_what_changes_the_vectors():
    request = embedding("cohere.embed-english-v3", input_type="search_query", truncate="end", encoding=["int8"])
    translation = translated(PAIR, request)
    assert translation.request.params == {"model": "text-embedding-3-large", "api": "embeddings"}
    assert losses(translation) == {
        "dimensions": ("1024 by default", "3072 by default"),
        "input_type": ("search_query", None),
        "truncate": ("end", None),
        "encoding": ("int8", "float"),
    }


def test_unit_length_is_no_loss_to_a_model_that_always_gives_it():
    request = embedding("amazon.titan-embed-text-v2:0", dimensions=256, normalize=True)
    translation = translated(PAIR, request)
    assert (translation.request.params["dimensions"], translation.departures) == (256, ())
    request = embedding("amazon.titan-embed-text-v2:0", dimensions=256, normalize=False)
    assert losses(translated(PAIR, request)) == {"normalize": ("False", None)}


def test_pictures_are_drawn_in_the_nearest_shape():
    payload = {"prompt": "a cat", "negative_prompt": "dogs"}
    params = {"model": "stability.stable-diffusion-xl-v1", "size": "1536x640", "seed": 1, "steps": 30, "guidance": 7}
    translation = translated(PAIR, Request(Task.IMAGE, payload, params))
    assert translation.request.payload == {"prompt": "a cat"}
    assert translation.request.params == {"model": "gpt-image-2", "api": "images", "size": "1536x1024"}
    assert losses(translation).keys() == {"size", "seed", "steps", "guidance", "negative_prompt"}


def test_a_table_is_no_request_for_a_model():
    with pytest.raises(UnencodableRequest, match="tabular"):
        translated(PAIR, Request(Task.TABULAR, {"columns": None, "rows": [[1]]}))
