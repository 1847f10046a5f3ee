"""Batch files of Azure OpenAI: joined by custom_id, whatever the order."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.recordings import gaps
from harness.recordings.formats import Record, Reject, Skip
from tests.small.logs import PATIENT, read, recordings


def asked(name: str, content: str = "Hi") -> dict[str, Any]:
    """The example of the wire contracts, section E.5."""
    body = {"model": "gpt-4o-batch", "messages": [{"role": "user", "content": content}]}
    return {"custom_id": name, "method": "POST", "url": "/chat/completions", "body": body}


def answered(name: str, text: str = "Hello", **response: Any) -> dict[str, Any]:
    body = {"object": "chat.completion", "created": 1793000000, "choices": [{"message": {"content": text}}]}
    return {"custom_id": name, "response": {"status_code": 200, "request_id": "r", "body": body} | response}


def lines(*tables: Any) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in tables)


@PATIENT
@given(
    st.dictionaries(st.text(max_size=6), st.tuples(st.text(max_size=6), st.text(max_size=6)), max_size=5),
    st.randoms(use_true_random=False),
    st.sampled_from([bytes, gzip.compress]),
)
def test_every_answer_finds_its_request(calls, random, pack):
    order = list(calls)
    random.shuffle(order)
    files = {
        "a/in.jsonl": pack(lines(*(asked(name, calls[name][0]) for name in calls))),
        "b/out.jsonl": lines(*(answered(name, calls[name][1]) for name in order)),
    }
    found = recordings("azure_openai_batch", files)
    said = [
        (
            json.loads(one.request_body)["messages"][0]["content"],
            json.loads(one.response_body or b"")["choices"][0]["message"]["content"],
        )
        for one in found
    ]
    assert said == [calls[name] for name in order]
    assert all(one.provenance.origin is not None and one.provenance.origin.path == "b/out.jsonl" for one in found)


def test_halves_without_the_other():
    files = {"in": lines(asked("a"), asked("b")), "out": lines(answered("a"), answered("c"))}
    first, lost, left = read("azure_openai_batch", files)
    assert isinstance(first, Record)
    assert isinstance(lost, Skip)
    assert lost.no_request
    assert isinstance(left, Record)
    assert gaps.NO_ANSWER in left.recording.provenance.flags


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (answered("a", status_code=429, body={"error": {"code": "429"}}), 429),
        ({"custom_id": "a", "response": None, "error": {"code": "batch_expired", "message": "late"}}, 400),
    ],
)
def test_a_refused_request_is_a_case(answer, status):
    (one,) = recordings("azure_openai_batch", {"in": lines(asked("a")), "out": lines(answer)})
    assert one.status == status
    assert b"error" in (one.response_body or b"")


def test_a_name_used_twice_is_refused():
    found = read(
        "azure_openai_batch", {"in": lines(asked("a"), asked("a")), "out": lines(answered("a"), answered("a"))}
    )
    assert sorted(type(one).__name__ for one in found) == ["Record", "Reject", "Reject"]


@pytest.mark.parametrize("text", [b"{", b"[]", b'{"custom_id": 3, "body": {}}', b'{"custom_id": "a"}'])
def test_what_is_no_line_of_a_batch_is_refused_once(text):
    (one,) = read("azure_openai_batch", text)
    assert isinstance(one, Reject)
