"""Outputs: shapes are checked at birth, and every kind can be shown."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from harness.core.output import (
    Chat,
    Document,
    Embedding,
    Filter,
    Hit,
    Images,
    Output,
    Retrieved,
    SafetyAction,
    Scores,
    Step,
    StopReason,
    ToolCall,
    Trajectory,
    kind,
    told,
)

EACH = {
    "scores": (Scores(np.array([[0.5, 1.0]]), ("a", "b")), "a = 0.5, b = 1.0"),
    "embedding": (Embedding(np.zeros((2, 3))), "2 vectors of dimension 3"),
    "chat": (Chat(text="Oslo"), "Oslo"),
    "images": (Images(images=(b"x",), filtered=1), "1 image, 1 withheld"),
    "document": (Document(value={"b": 1}), '{\n  "b": 1\n}'),
    "retrieved": (Retrieved(hits=(Hit(document="d", text="t"),), answer=Chat(text="so")), "1. d: t\nso"),
    "safety_action": (SafetyAction(blocked=True, grades={"HATE": 2}), "blocked (HATE 2)"),
    "trajectory": (
        Trajectory(steps=(Step(kind="call", call=ToolCall(name="f", arguments={"a": 1})),)),
        'call: f({"a": 1})',
    ),
}


@pytest.mark.parametrize("name", EACH)
def test_every_kind_of_output_is_named_and_shown(name: str):
    output, text = EACH[name]
    assert (kind(output), told(output)) == (name, text)


def test_no_kind_is_left_out():
    assert {type(output) for output, _ in EACH.values()} == set(get_args(Output))


@pytest.mark.parametrize(
    ("chat", "text"),
    [
        (Chat(text=" "), " "),
        (Chat(text=""), "[empty]"),
        (Chat(text="", refusal="no"), "[refusal] no"),
        (
            Chat(text="", filter=Filter(blocked=True, where="prompt"), stop=StopReason.FILTER),
            "[blocked by a filter, prompt]\n[stopped: filter]",
        ),
        (Chat(text="", tool_calls=(ToolCall(name="f", arguments=None, raw='{"a'),)), 'f({"a)'),
    ],
)
def test_a_chat_tells_what_is_not_text(chat: Chat, text: str):
    assert told(chat) == text


@pytest.mark.parametrize(
    ("chat", "empty"),
    [
        (Chat(text=" \n", reasoning="long"), True),
        (Chat(text="", refusal="no"), False),
        (Chat(text="", tool_calls=(ToolCall(name="f", arguments={}),)), False),
    ],
)
def test_empty_is_an_outcome_of_its_own(chat: Chat, empty: bool):
    assert chat.empty is empty


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="do not fit"):
        Scores(np.zeros((1, 2)), ("a",))
    with pytest.raises(ValueError, match="dimension"):
        Embedding(np.zeros(3))
