"""Batch files of Azure OpenAI: joined by custom_id, whatever the order."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.call import Answer, CallFailure
from harness.recordings import gaps
from harness.recordings.formats import Record, Reject, Skip
from harness.run.recorded import recorded
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


LATE = {"code": "batch_expired", "message": "late"}
LIMIT = {"error": {"code": "429", "message": "Requests have exceeded the rate limit."}}


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (answered("a", status_code=429, body=LIMIT), 429),
        (answered("a", status_code="429", body=LIMIT), 429),
        (answered("a", status_code=500, body=None), 500),
        ({"custom_id": "a", "response": {"status_code": 404}, "error": LATE}, 404),
        ({"custom_id": "a", "error": {"code": "context_length_exceeded", "status": 400}}, 400),
    ],
)
def test_a_refused_request_is_a_case(answer, status):
    (one,) = recordings("azure_openai_batch", {"in": lines(asked("a")), "out": lines(answer)})
    assert one.status == status
    outcome = recorded(one)
    assert isinstance(outcome, CallFailure)
    assert gaps.NO_ANSWER not in one.provenance.flags


@pytest.mark.parametrize(
    "answer",
    [
        {"custom_id": "a", "response": None, "error": LATE},
        {"custom_id": "a", "error": "the batch expired"},
        {"custom_id": "a", "response": {}, "error": LATE},
        {"custom_id": "a", "response": {"status_code": True, "body": LIMIT}},
        {"custom_id": "a", "response": {"status_code": 0, "body": LIMIT}},
        {"custom_id": "a", "response": {"body": LIMIT}},
        answered("a", status_code=None) | {"error": LATE},
    ],
)
def test_a_failure_that_tells_no_status_has_none_and_stays_a_failure(answer):
    (one,) = recordings("azure_openai_batch", {"in": lines(asked("a")), "out": lines(answer)})
    assert one.status is None
    assert isinstance(recorded(one), CallFailure)


@pytest.mark.parametrize("status", [None, "fine", 9999, -1, [200], True])
def test_an_answer_without_a_status_that_is_one_is_an_answer_of_none(status):
    answer = answered("a", status_code=status)
    answer["response"]["body"]["choices"][0] |= {"finish_reason": "stop"}
    (one,) = recordings("azure_openai_batch", {"in": lines(asked("a")), "out": lines(answer)})
    assert one.status is None
    assert isinstance(recorded(one), Answer)


def test_an_answer_that_says_nothing_was_not_kept():
    answer = {"custom_id": "a", "response": None, "error": None}
    (one,) = recordings("azure_openai_batch", {"in": lines(asked("a")), "out": lines(answer)})
    assert (one.status, recorded(one)) == (None, None)
    assert gaps.NO_ANSWER in one.provenance.flags


def test_a_response_that_is_no_object_is_refused():
    answer = {"custom_id": "a", "response": "Hello"}
    (one,) = read("azure_openai_batch", {"in": lines(asked("a")), "out": lines(answer)})
    assert isinstance(one, Reject)


def test_a_line_with_both_halves_is_a_call_by_itself():
    (one,) = recordings("azure_openai_batch", lines(asked("a") | answered("a", "Yes")))
    assert (one.status, b"Yes" in (one.response_body or b"")) == (200, True)


def test_a_name_used_twice_for_the_same_is_told_and_read_once():
    found = read(
        "azure_openai_batch", {"in": lines(asked("a"), asked("a")), "out": lines(answered("a"), answered("a"))}
    )
    assert sorted(type(one).__name__ for one in found) == ["Record", "Reject", "Reject"]


@PATIENT
@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from(["in", "out"]), st.sampled_from("xy"), st.integers(0, 3)),
        max_size=8,
    )
)
def test_what_several_share_a_name_is_never_joined_and_never_lost(said):
    """Two batches that count from 1: whichever order their files have, no answer gets the other's request."""
    files: dict[str, list[Any]] = {}
    for name, half, text, file in said:
        files.setdefault(f"{file}", []).append((asked if half == "in" else answered)(name, text))
    found = read("azure_openai_batch", {path: lines(*tables) for path, tables in files.items()})
    for name in "ab":
        halves = {
            half: {text for one, half_, text, _ in said if (one, half_) == (name, half)} for half in ("in", "out")
        }
        mine = [one for one in found if isinstance(one, Record) and one.labels == (name,)]
        unsure = any(len(texts) > 1 for texts in halves.values())
        assert len(mine) == (0 if unsure or not halves["in"] else 1)
        assert all((one.recording.response_body is not None) == bool(halves["out"]) for one in mine)
    counts = {"in": sum(half == "in" for _, half, *_ in said), "out": sum(half == "out" for _, half, *_ in said)}
    joined = sum(isinstance(one, Record) and one.recording.response_body is not None for one in found)
    assert len(found) + joined == counts["in"] + counts["out"]


@pytest.mark.parametrize("text", [b"{", b"[]", b'{"custom_id": 3, "body": {}}', b'{"custom_id": "a"}'])
def test_what_is_no_line_of_a_batch_is_refused_once(text):
    (one,) = read("azure_openai_batch", text)
    assert isinstance(one, Reject)
