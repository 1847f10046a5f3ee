"""The way back from Foundry."""

from __future__ import annotations

import pytest

from harness.core import registry
from harness.core.chat import Conversation, Message, Text
from harness.pairs._parts.catalog import SERVICES, shipped
from tests.pairs.asked import asked, losses, translated

PAIR = "foundry_to_bedrock"


def test_claude_goes_back_to_the_same_claude():
    request = asked("claude-haiku-4-5", params={"max_tokens": 64, "temperature": 0, "top_k": 1})
    translation = translated(PAIR, request)
    assert translation.departures == ()
    assert translation.request.params["model"] == "anthropic.claude-haiku-4-5-20251001-v1:0"
    assert Conversation.of(translation.request) == Conversation.of(request)


def test_there_and_back_is_where_one_started():
    request = asked(
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0", Message("user", (Text("a"),)), params={"max_tokens": 9}
    )
    there = translated("bedrock_to_foundry", request)
    back = translated(PAIR, there.request, api="converse", profile="us")
    assert back.request.payload == request.payload
    assert back.request.params == {**request.params, "api": "converse"}


def test_llama_has_no_stop_texts_on_bedrock():
    translation = translated(PAIR, asked("Llama-3.3-70B-Instruct", params={"stop": ["x"], "seed": 1}))
    assert losses(translation).keys() == {"stop", "seed"}


@pytest.mark.parametrize("service", SERVICES)
def test_every_model_of_the_tables_has_a_follower_and_a_form(service: str):
    """A model without one would be an error in the middle of a suite."""
    catalog = shipped()
    targets = ("azure_openai",) if service == "bedrock" else ("bedrock",)
    for family in catalog.families[service].values():
        assert all(catalog.api(family, name).service == service for name in family.apis)
        assert catalog.family(service, family.call_name) is family
        for target in targets:
            assert catalog.follows(family, target).task == family.task


def test_every_table_has_a_source():
    catalog = shipped()
    assert all("20" in family.source for known in catalog.families.values() for family in known.values())
    assert all("20" in api.source for api in catalog.apis)


def test_the_tables_are_in_the_package():
    """flit packs every file of the module's folder; a wheel without them would fail at the first request."""
    assert registry.load("pairs", PAIR).catalog is shipped()
