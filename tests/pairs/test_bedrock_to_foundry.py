"""Claude to Claude: what two clouds that serve one model tell differently, and what they do not."""

from __future__ import annotations

import pytest

from harness.core import registry
from harness.core.chat import CachePoint, Conversation, Foreign, Message, Reasoning, Text
from harness.errors import ConfigError
from tests.pairs.asked import asked, losses, translated

PAIR = "bedrock_to_foundry"
SONNET = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"


def test_claude_on_foundry_takes_what_claude_on_bedrock_takes():
    turns = (
        Message("user", (Text("a"), CachePoint(ttl="1h"))),
        Message("assistant", (Reasoning(text="hm", signature="s"), Text("b"))),
        Message("user", (Text("c"),)),
    )
    params = {"top_k": 5, "max_tokens": 4096, "reasoning": {"budget_tokens": 2048}, "stream": True}
    request = asked(SONNET, *turns, system=(Text("Be brief."),), params={**params, "api": "invoke", "top_k": None})
    translation = translated(PAIR, request)
    assert translation.departures == ()
    assert Conversation.of(translation.request) == Conversation.of(request)
    assert translation.request.params["model"] == "claude-sonnet-4-5"
    assert translation.request.params["api"] == "messages"


def test_fields_without_a_name_go_over_between_two_bodies_of_anthropics_words_alone():
    block = Foreign(field="search_result", value={"type": "search_result", "source": "s"})
    request = asked(SONNET, Message("user", (Text("a"), block)), params={"max_tokens": 9, "extra": {"context": 1}})
    invoked = request.params | {"api": "invoke"}
    same = translated(PAIR, Conversation.of(request).request(invoked))
    assert same.departures == ()
    assert same.request.params["extra"] == {"context": 1}
    converse = translated(PAIR, Conversation.of(request).request({**request.params, "api": "converse"}))
    assert losses(converse).keys() == {"extra", "search_result"}


@pytest.mark.parametrize(
    ("model", "follows"),
    [
        ("meta.llama3-3-70b-instruct-v1:0", "Llama-3.3-70B-Instruct"),
        ("mistral.mistral-large-2407-v1:0", "Mistral-Large-3"),
        ("cohere.command-r-plus-v1:0", "cohere-command-a"),
        ("anthropic.claude-3-5-sonnet-20240620-v1:0", "claude-sonnet-4-6"),
    ],
)
def test_each_vendors_models_are_followed_by_its_own(model: str, follows: str):
    assert translated(PAIR, asked(model)).request.params["model"] == follows


def test_a_prefilled_turn_is_dropped_where_the_model_refuses_it():
    turns = (Message("user", (Text("JSON"),)), Message("assistant", (Text("{"),)))
    translation = translated(PAIR, asked(SONNET, *turns), target_model="claude-opus-4-7")
    assert Conversation.of(translation.request).messages == turns[:1]
    assert losses(translation)["prefill"] == ("the answer's beginning", None)


def test_a_thinking_budget_is_the_models_own_affair_after_opus_4_6():
    request = asked(SONNET, params={"reasoning": {"budget_tokens": 5000}, "max_tokens": 9000})
    translation = translated(PAIR, request, target_model="claude-opus-4-7")
    assert translation.request.params["reasoning"] == {"effort": "medium"}


def test_claude_is_not_in_azure_government():
    pair = registry.load("pairs", PAIR, target_model="claude-sonnet-4-5")
    with pytest.raises(ConfigError, match="azure-us-gov"):
        pair.checked("aws-us-gov-fips", "azure-us-gov")
