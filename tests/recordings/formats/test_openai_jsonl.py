"""Chat logs of applications in the forms that gateways write."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.call import Answer, CallFailure
from harness.recordings import gaps
from harness.recordings.formats import Reject
from harness.run.recorded import recorded
from tests.small.logs import PATIENT, read, recordings

REQUEST: dict[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "2+2?"}]}
RESPONSE: dict[str, Any] = {
    "object": "chat.completion",
    "created": 1793000000,
    "model": "gpt-4o-2024-11-20",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "4"}}],
}


def lines(*tables: Any) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in tables)


texts = st.text(max_size=20)
messages = st.lists(st.fixed_dictionaries({"role": st.just("user"), "content": texts}), min_size=1, max_size=3)


@PATIENT
@given(st.lists(st.tuples(messages, texts, st.floats(0, 1e6)), max_size=4))
def test_what_was_logged_comes_back(written):
    content = lines(
        *(
            {"request": {"model": "m", "messages": asked}, "response": RESPONSE | {"id": said}, "latency_ms": took}
            for asked, said, took in written
        )
    )
    found = recordings("openai_jsonl", content)
    assert [json.loads(one.request_body)["messages"] for one in found] == [asked for asked, *_ in written]
    assert [json.loads(one.response_body or b"")["id"] for one in found] == [said for _, said, _ in written]
    assert [one.latency_s for one in found] == pytest.approx([took / 1000 for *_, took in written])
    assert {one.operation for one in found} <= {"chat.completions"}


def test_a_fine_tuning_line_ends_in_its_answer():
    (one,) = recordings(
        "openai_jsonl", lines({"messages": [*REQUEST["messages"], {"role": "assistant", "content": "4"}]})
    )
    assert json.loads(one.request_body) == {"messages": REQUEST["messages"]}
    assert json.loads(one.response_body or b"")["choices"][0]["message"]["content"] == "4"


@pytest.mark.parametrize("text", ["4", {"role": "assistant", "content": "4"}])
def test_a_text_alone_is_a_message(text):
    (one,) = recordings("openai_jsonl", lines({"request": REQUEST, "response": text}))
    assert json.loads(one.response_body or b"")["choices"][0]["message"]["content"] == "4"


def test_a_request_alone_has_no_answer():
    (one,) = recordings("openai_jsonl", lines(REQUEST))
    assert (one.model, one.status, one.response_body) == ("gpt-4o", None, None)
    assert gaps.NO_ANSWER in one.provenance.flags


def test_a_refused_call_keeps_status_and_code():
    error = {"code": "content_filter", "message": "filtered"}
    (one,) = recordings("openai_jsonl", lines({"request": REQUEST, "status": 400, "error": error}))
    assert one.status == 400
    assert json.loads(one.response_body or b"") == {"error": error}


ERROR = {"error": {"code": "429", "message": "Requests have exceeded the rate limit."}}
statuses = st.sampled_from([None, 200, "200", 429, "429", 500, "fine", True, 0, 9999])
spelt = st.sampled_from([lambda body: body, json.dumps, lambda body: {"status_code": 200, "body": body}])
errors = st.sampled_from([None, "", {}, "timeout", ERROR["error"]])


@PATIENT
@given(statuses, st.sampled_from([None, RESPONSE, ERROR]), spelt, errors, st.booleans())
def test_a_failure_is_never_read_as_an_answer_nor_an_answer_as_a_failure(status, body, spell, error, whole):
    """Answered is what has an answer, no status of a failure, and no error that no status of success outweighs."""
    said = None if body is None else spell(body)
    request = {"request": json.dumps(REQUEST)} if whole else REQUEST
    line = request | {"status": status, "response": said, "error": error}
    (one,) = recordings("openai_jsonl", lines(line))
    told = 200 if isinstance(said, dict) and "status_code" in said else int(status) if str(status).isdecimal() else None
    if told is not None and not 100 <= told < 600:
        told = None
    outcome = recorded(one)
    failed = (told or 0) >= 400 or body is ERROR or bool(error and (body is None or told is None))
    assert one.status == told
    assert isinstance(outcome, CallFailure if failed else type(None) if body is None else Answer)
    assert json.loads(one.request_body) == REQUEST


@pytest.mark.parametrize("word", ["failed", "Error", "TIMEOUT", "expired"])
@pytest.mark.parametrize("response", [None, RESPONSE, "The sum", {}])
@pytest.mark.parametrize("name", ["status", "status_code"])
def test_a_word_that_tells_of_a_failure_is_one(word, response, name):
    (one,) = recordings("openai_jsonl", lines({"request": REQUEST, "response": response, name: word}))
    assert one.status is None
    assert isinstance(recorded(one), CallFailure)


@pytest.mark.parametrize(
    "more", [{"status": 504}, {"status": "failed"}, {"error": "timeout"}, {"status": "429", "latency_ms": 3}]
)
def test_a_prefix_of_the_answer_in_a_refused_request_is_no_answer(more):
    asked = [*REQUEST["messages"], {"role": "assistant", "content": "The sum is"}]
    (one,) = recordings("openai_jsonl", lines({"messages": asked} | more))
    assert isinstance(recorded(one), CallFailure)
    assert json.loads(one.request_body) == {"messages": asked}


@pytest.mark.parametrize("ended", [True, False])
def test_a_streamed_answer_is_the_list_of_its_chunks(ended):
    pieces = [({"content": "4"}, None), ({"content": "2"}, None), ({}, "stop")][: 3 if ended else 2]
    chunks = [
        {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": stop}]}
        for delta, stop in pieces
    ]
    (one,) = recordings("openai_jsonl", lines({"request": REQUEST | {"stream": True}, "response": chunks}))
    outcome = recorded(one)
    assert isinstance(outcome, Answer if ended else CallFailure)
    assert not ended or outcome.output.text == "42"


@pytest.mark.parametrize("asked", [{"input": "2+2?"}, {"prompt": "a cat"}, {"input": ["a"]}])
def test_a_text_is_no_answer_of_what_is_no_chat(asked):
    (one,) = read("openai_jsonl", lines({"request": asked, "response": "4"}))
    assert isinstance(one, Reject)


@pytest.mark.parametrize(
    ("body", "operation"),
    [
        ({"model": "text-embedding-3-small", "input": "a"}, "embeddings"),
        ({"model": "deployment", "input": ["a", "b"]}, "embeddings"),
        ({"model": "gpt-4o", "input": "a"}, "responses"),
        ({"model": "gpt-4o", "input": [{"role": "user", "content": "a"}]}, "responses"),
        ({"prompt": "a cat"}, "images.generations"),
    ],
)
def test_the_operation_follows_from_the_body(body, operation):
    (one,) = recordings("openai_jsonl", lines({"request": body, "response": {}}))
    assert one.operation == operation


@pytest.mark.parametrize("text", [b"[]", b"3", b"{}", b'{"request": {"x": 1}}', b"{", b'{"messages": NaN}'])
def test_what_asks_nothing_is_refused(text):
    (one,) = read("openai_jsonl", text)
    assert isinstance(one, Reject)
