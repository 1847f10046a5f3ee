"""A conversation as JSON and back, whatever its parts."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core import chat
from harness.core.case import Request, Task
from harness.errors import UnencodableRequest

WORDS = st.text(max_size=12)
SOME = st.none() | WORDS
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=5,
)
TEXT = st.builds(chat.Text, WORDS)
VALUE = st.builds(chat.Value, JSON)
IMAGE = st.builds(chat.Image, media_type=SOME, data=st.none() | st.binary(max_size=8), url=SOME, detail=SOME)
FILE = st.builds(
    chat.File,
    kind=st.sampled_from(["document", "audio", "video"]),
    format=WORDS,
    name=SOME,
    data=st.none() | st.binary(max_size=8),
    text=SOME,
    citations=st.booleans(),
)
RESULT = st.builds(
    chat.Result,
    id=SOME,
    content=st.lists(TEXT | VALUE | IMAGE, max_size=2).map(tuple),
    error=st.booleans(),
    name=SOME,
)
PART = (
    TEXT
    | IMAGE
    | FILE
    | RESULT
    | st.builds(chat.Call, id=SOME, name=WORDS, arguments=JSON, raw=SOME)
    | st.builds(chat.Reasoning, text=SOME, signature=SOME, redacted=SOME)
    | st.builds(chat.CachePoint, ttl=SOME)
    | st.builds(chat.Foreign, field=st.sampled_from(sorted(chat.FIELDS)), value=JSON)
)
PARTS = st.lists(PART, max_size=3).map(tuple)
CONVERSATION = st.builds(
    chat.Conversation,
    messages=st.lists(
        st.builds(chat.Message, st.sampled_from(["user", "assistant"]), PARTS, SOME), min_size=1, max_size=3
    ).map(tuple),
    system=PARTS,
    tools=st.lists(
        st.builds(
            chat.Tool,
            name=WORDS,
            description=SOME,
            schema=st.dictionaries(WORDS, JSON, max_size=2),
            strict=st.none() | st.booleans(),
            cache=st.booleans(),
        ),
        max_size=2,
    ).map(tuple),
    tool_choice=st.none() | st.builds(chat.ToolChoice, WORDS, SOME),
    format=st.none()
    | st.builds(
        chat.Format,
        kind=WORDS,
        name=SOME,
        schema=st.none() | st.dictionaries(WORDS, JSON, max_size=2),
        strict=st.none() | st.booleans(),
    ),
)


@given(CONVERSATION)
def test_a_conversation_survives_json(conversation: chat.Conversation):
    request = conversation.request({"temperature": 0.5})
    again = Request(Task.CHAT, json.loads(json.dumps(request.payload)), request.params)
    assert chat.Conversation.of(again) == conversation


def test_an_unknown_param_is_refused():
    with pytest.raises(ValueError, match="temprature"):
        chat.Conversation(messages=()).request({"temprature": 0.5})


@pytest.mark.parametrize(
    "payload", [None, {"texts": []}, {"messages": [{}]}, {"messages": [{"role": "user", "content": [{"type": "x"}]}]}]
)
def test_what_is_no_conversation_is_refused(payload):
    with pytest.raises(UnencodableRequest):
        chat.Conversation.of(Request(Task.CHAT, payload))


def test_the_question_is_the_last_thing_the_user_said():
    said = [chat.Message(role, (chat.Text(text),)) for role, text in (("user", "a"), ("assistant", "b"), ("user", "c"))]
    assert chat.question(chat.Conversation(messages=tuple(said)).request({})) == "c"
    assert chat.question(Request(Task.TABULAR, {"columns": None, "rows": [["1"]]})) == ""
