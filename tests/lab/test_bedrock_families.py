"""InvokeModel in every family's own body, whole and streamed: one question, one truth, told in each family's words."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from harness.lab.bedrock_bodies import Asked, Malformed
from harness.lab.bedrock_families import FAMILIES, family_of
from harness.lab.chat import model
from tests.lab.bodies import families
from tests.lab.chatting import ARGUMENTS, FACTS, LOOK_UP, QUESTION, SYSTEM, TOOL

FUNCTION = {"type": "function", "function": {"name": TOOL["name"], "parameters": TOOL["schema"]}}
PARAMETERS = {name: {"type": "str", "required": True} for name in ARGUMENTS}
BODIES = families(SYSTEM, QUESTION)


def spoken(document: Any) -> str:
    """Every text in a document, in order: what any family's reader would put together, and more."""
    if isinstance(document, dict):
        return "".join(spoken(value) for value in document.values())
    if isinstance(document, list):
        return "".join(map(spoken, document))
    return document if isinstance(document, str) else ""


def served(name: str, body: dict[str, Any]) -> tuple[Any, list[Any]]:
    family = family_of(name)
    assert family is not None
    prompt = family.prompt(body)
    asked, said = Asked(prompt=prompt, id="0" * 32, model=name), model.answer(prompt, Random(1))
    return family.write(asked, said), family.stream(asked, said)


def test_every_family_is_asked_here():
    assert {id(family_of(name)) for name in BODIES} == {id(family) for family in FAMILIES.values()}
    assert family_of("arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0") is family_of(
        "us.amazon.nova-x"
    )
    assert family_of("acme.chat-v1") is None


@pytest.mark.parametrize("name", BODIES)
def test_the_question_is_found_in_the_body_and_answered(name):
    answer, chunks = served(name, BODIES[name])
    assert "49.90" in spoken(answer) and "20.10" not in spoken(answer)
    assert "49." in spoken(chunks) and len(chunks) > 3  # a piece may end within the number
    assert all(json.loads(json.dumps(chunk)) == chunk for chunk in chunks)


@pytest.mark.parametrize("name", BODIES)
def test_a_body_without_the_system_text_gets_another_answer(name):
    body = json.loads(json.dumps(BODIES[name]).replace(json.dumps(SYSTEM)[1:-1], "Hello."))
    assert "49.90" not in spoken(served(name, body)[0])


@pytest.mark.parametrize("name", BODIES)
def test_a_member_of_another_family_is_refused(name):
    with pytest.raises(Malformed, match=r"extraneous key \[colour\]"):
        served(name, BODIES[name] | {"colour": "red"})


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("mistral.mistral-large-2407-v1:0", {"messages": [{"role": "user", "content": LOOK_UP}], "tools": [FUNCTION]}),
        ("openai.gpt-oss-20b-1:0", {"messages": [{"role": "user", "content": LOOK_UP}], "tools": [FUNCTION]}),
        (
            "cohere.command-r-plus-v1:0",
            {
                "message": LOOK_UP,
                "tools": [{"name": "get_stock", "description": "in stock", "parameter_definitions": PARAMETERS}],
            },
        ),
    ],
)
def test_tools_are_called_in_the_familys_form(name, more):
    answer, chunks = served(name, BODIES[name] | more)
    assert "get_stock" in spoken(answer) and "get_stock" in spoken(chunks)
    assert ARGUMENTS["product"] in spoken(answer) and ARGUMENTS["city"] in spoken(chunks)


def test_a_text_without_marks_is_one_users_turn_with_the_instruction_first():
    answer, _ = served("mistral.mixtral-8x7b-instruct-v0:1", {"prompt": f"{SYSTEM}\n\n{QUESTION}", "max_tokens": 99})
    assert "49.90" in spoken(answer)
    assert "49.90" not in spoken(served("mistral.mixtral-8x7b", {"prompt": f"{FACTS}What is this?"})[0])
