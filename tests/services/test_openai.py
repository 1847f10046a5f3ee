"""Answers of OpenAI-shaped services: outcomes, streams, filters, counts, vectors, images, recordings of all kinds."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.call import FailureKind, Reading, Tokens, Unreadable
from harness.core.case import Recording, Request, Task
from harness.core.chat import Format
from harness.core.output import Chat, Filter, Images, StopReason, ToolCall
from harness.errors import CodecError, UnencodableRequest
from harness.services import _sse, foundry
from harness.services._openai import chat_of, completion_of
from harness.services.azure_openai import build
from tests.services.contract import lot, recording
from tests.services.conversations import JSON, TEXT
from tests.services.test_azure_openai import ANSWER, BLOCKED, HELLO, asked, chunk, side, sse

CODEC = build(side()).codec


def kept(response: Any, *, operation: str = "chat.completions", body: Any = None, **more: Any) -> Recording:
    content = response if isinstance(response, bytes) else json.dumps(response).encode()
    sent = json.dumps(body).encode()
    kind = "text/event-stream" if isinstance(response, bytes) else "application/json"
    headers = {"Content-Type": kind}
    made = recording(sent, "application/json", **{"status": 200, "response_headers": headers, **more})
    return replace(made, operation=operation, response_body=content)


def read(response: Any, request: Request | None = None, **more: Any) -> Reading | Unreadable:
    (reading,) = CODEC.decode(lot(request or asked()), (CODEC.from_http(kept(response, **more)),)).values()
    return reading


def answer(message: Any = None, finish: Any = "stop", **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": finish, **({} if message is None else {"message": message})}
    return {"model": "m", "choices": [choice], **more}


def said(content: Any, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content, **more}


CALL = {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (answer(said("4"), "length"), Chat(text="4", stop=StopReason.LENGTH, stop_raw="length")),
        (answer(said(""), "length"), Chat(text="", stop=StopReason.LENGTH, stop_raw="length")),
        (answer(said(None)), Chat(text="", stop_raw="stop")),
        (answer(said("4"), "weary"), Chat(text="4", stop=StopReason.OTHER, stop_raw="weary")),
        (answer(said("4"), None), Chat(text="4", stop=StopReason.OTHER)),
        (
            answer(said([{"type": "thinking", "thinking": [{"text": "hm"}]}, {"type": "text", "text": "4"}, "!"])),
            Chat(text="4!", reasoning="hm", stop_raw="stop"),
        ),
        (answer(said("4", reasoning_content="hm")), Chat(text="4", reasoning="hm", stop_raw="stop")),
        (
            answer(said(None, refusal="No.")),
            Chat(text="", refusal="No.", stop=StopReason.REFUSAL, stop_raw="stop"),
        ),
        (
            answer(said(None, tool_calls=[CALL, {**CALL, "id": "b"}])),
            Chat(
                text="",
                tool_calls=(
                    ToolCall(name="f", arguments={"x": 1}, id="a"),
                    ToolCall(name="f", arguments={"x": 1}, id="b"),
                ),
                stop=StopReason.TOOL,
                stop_raw="stop",
            ),
        ),
        (
            answer(said(None, tool_calls=[{"id": "a", "function": {"name": "f", "arguments": '{"x'}}]), "length"),
            Chat(
                text="",
                tool_calls=(ToolCall(name="f", arguments=None, id="a", raw='{"x'),),
                stop=StopReason.LENGTH,
                stop_raw="length",
            ),
        ),
        (
            answer(said(None, function_call={"name": "f", "arguments": "{}"}), "function_call"),
            Chat(
                text="",
                tool_calls=(ToolCall(name="f", arguments={}),),
                stop=StopReason.TOOL,
                stop_raw="function_call",
            ),
        ),
        (
            answer(said(None, tool_calls=[{"id": "a", "type": "custom", "custom": {"name": "f", "input": "free"}}])),
            Chat(
                text="",
                tool_calls=(ToolCall(name="f", arguments=None, id="a", raw="free"),),
                stop=StopReason.TOOL,
                stop_raw="stop",
            ),
        ),
        (
            answer(None, "content_filter"),
            Chat(
                text="",
                stop=StopReason.FILTER,
                stop_raw="content_filter",
                filter=Filter(blocked=True, where="completion"),
            ),
        ),
    ],
)
def test_outcomes(body, expected):
    assert read(body).output == expected


def test_audio_annotations_and_citations_are_passed_over():
    message = said("4", annotations=[{"type": "url_citation"}], audio={"id": "x"}, context={"citations": []}, new=1)
    assert read(answer(message)).output == Chat(text="4", stop_raw="stop")


def test_the_first_of_several_answers_is_read():
    body = {
        "choices": [{"index": 1, "message": said("b")}, {"index": 0, "message": said("a"), "finish_reason": "stop"}]
    }
    assert read(body).output.text == "a"


def results(**found: Any) -> dict[str, Any]:
    safe = {"filtered": False, "severity": "safe"}
    return {"hate": safe, "self_harm": safe, "jailbreak": {"filtered": False, "detected": False}, **found}


LOW = {"filtered": False, "severity": "low"}
HIGH = {"filtered": True, "severity": "high"}
FOUND = {"filtered": False, "detected": True}


@pytest.mark.parametrize(
    ("prompt", "completion", "finish", "expected"),
    [
        (results(), results(), "stop", None),
        (results(violence=LOW), results(), "stop", Filter(blocked=False, categories={"violence": "low"})),
        (results(), results(protected_material_text=FOUND), "stop",
         Filter(blocked=False, categories={"protected_material_text": "detected"})),
        (results(), results(hate=HIGH), "content_filter",
         Filter(blocked=True, where="completion", categories={"hate": "high"})),
        (results(violence=LOW), results(hate=HIGH), "stop",
         Filter(blocked=True, where="completion", categories={"violence": "low", "hate": "high"})),
        (results(hate=HIGH), {}, "content_filter", Filter(blocked=True, where="prompt", categories={"hate": "high"})),
        ({"self-harm": LOW}, {}, "stop", Filter(blocked=False, categories={"self_harm": "low"})),
        ({"custom_blocklists": {"filtered": True, "details": [{"id": "x", "filtered": True}]}}, {}, "stop",
         Filter(blocked=True, where="prompt", categories={"custom_blocklists": "detected"})),
        ({"custom_blocklists": [{"id": "x", "filtered": False}]}, {"error": {"code": "content_filter_error"}}, "stop",
         None),
    ],
)  # fmt: skip
def test_findings_of_the_filter(prompt, completion, finish, expected):
    body = answer(said("4"), finish, prompt_filter_results=[{"prompt_index": 0, "content_filter_results": prompt}])
    body["choices"][0]["content_filter_results"] = completion
    assert read(body).output.filter == expected


def test_a_blocked_prompt_is_an_answer_whatever_its_status():
    for status in (200, 400):
        reading = read(BLOCKED, status=status)
        assert reading.output.filter.where == "prompt"
    listed = {"error": {"code": "content_filter", "content_filters": [{"content_filter_results": {"hate": HIGH}}]}}
    assert read(listed, status=400).output.filter.categories == {"hate": "high"}


def test_json_that_was_asked_for_is_parsed():
    request = replace(HELLO, format=Format(kind="json")).request({})
    assert read(answer(said('{"a":1}')), request).output.value == {"a": 1}
    assert not read(answer(said('{"a":')), request).output.has_value
    assert not read(answer(said('{"a":1}'))).output.has_value


def test_counts():
    usage = {
        "prompt_tokens": 12.0,
        "completion_tokens": 9,
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 5},
    }
    reading = read(answer(said("4"), usage=usage))
    assert reading.tokens == Tokens(input=12, output=9, cache_read=4, reasoning=5, cached_inside=True)
    assert reading.tokens_in == 12
    assert read(answer(said("4"))).tokens is None
    assert read(answer(said("4"), usage={"prompt_tokens": None})).tokens is None


# Streams


def events(*chunks: Any) -> list[bytes | list[Any]]:
    """A stream as bytes, as bytes whose end a log has trimmed, and as the list of chunks that a log keeps."""
    body = sse(*chunks).body
    return [body, body.rstrip(), b"\xef\xbb\xbf" + body.replace(b"\n", b"\r\n"), list(chunks)]


@pytest.mark.parametrize("form", range(4))
def test_a_stream_reads_as_the_whole(form):
    lead = {"model": "", "choices": [], "prompt_filter_results": [{"content_filter_results": results(violence=LOW)}]}
    pieces = [
        chunk(""),
        chunk("Hel"),
        chunk("lo."),
        {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f"}}]}}]},
        {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": '{"x"'}}]}}]},
        {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 1, "id": "b", "function": {"name": "g"}}]}}]},
        {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]}}]},
        chunk(finish="tool_calls"),
        {"choices": [], "usage": {"prompt_tokens": 8, "completion_tokens": 2}},
    ]
    reading = read(events(lead, *pieces)[form])
    assert reading.output == Chat(
        text="Hello.",
        tool_calls=(ToolCall(name="f", arguments={"x": 1}, id="a"), ToolCall(name="g", arguments=None, id="b", raw="")),
        filter=Filter(blocked=False, categories={"violence": "low"}),
        stop=StopReason.TOOL,
        stop_raw="tool_calls",
    )
    assert (reading.served_model, reading.tokens_in, reading.first_token_s) == ("m", 8, None)


def test_a_filter_that_speaks_late_is_heard():
    """With the asynchronous filter, findings and their finish_reason may come after "stop"."""
    late = chunk(finish="content_filter")
    late["choices"][0]["content_filter_results"] = results(hate=HIGH)
    body = events(chunk("Hello."), chunk(finish="stop"), late, chunk(finish="stop"))[0]
    chat = read(body).output
    assert (chat.stop, chat.filter.where, chat.filter.categories) == (
        StopReason.FILTER,
        "completion",
        {"hate": "high"},
    )


def test_calls_without_an_index_are_told_apart_by_id():
    def piece(**call: Any) -> dict[str, Any]:
        return {"choices": [{"delta": {"tool_calls": [call]}}]}

    pieces = [
        piece(id="a", function={"name": "f", "arguments": "{"}),
        piece(function={"arguments": "}"}),
        piece(id="b", function={"name": "g", "arguments": "[]"}),
    ]
    assert [call.arguments for call in chat_of(completion_of(pieces)).tool_calls] == [{}, []]


def test_legacy_calls_and_refusals_come_in_pieces_too():
    deltas = [{"function_call": {"name": "f", "arguments": "{"}}, {"function_call": {"arguments": "}"}}]
    chunks = [{"choices": [{"delta": delta}]} for delta in [*deltas, {"refusal": "N"}, {"refusal": "o."}]]
    chat = chat_of(completion_of(chunks))
    assert (chat.tool_calls, chat.refusal) == ((ToolCall(name="f", arguments={}),), "No.")


@pytest.mark.parametrize(
    ("last", "kind", "code"),
    [
        ({"error": {"code": "429", "message": "m"}}, FailureKind.THROTTLED, "429"),
        ({"error": {"type": "server_error"}}, FailureKind.UNAVAILABLE, "server_error"),
        ({"error": "out of luck"}, FailureKind.UNAVAILABLE, None),
        ({"statusCode": 408, "message": "m"}, FailureKind.TIMEOUT, "408"),
        (None, FailureKind.UNAVAILABLE, "broken_off"),
    ],
)
def test_a_recorded_stream_that_failed_keeps_what_came(last, kind, code):
    reading = read([chunk("Hel"), *([last] if last else [])])
    assert (reading.kind, reading.code, reading.partial.text) == (kind, code, "Hel")


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, "rejected"), (401, "denied"), (404, "rejected"), (408, "timeout"), (429, "throttled"), (503, "unavailable")],
)
def test_a_recorded_failure_says_what_it_was(status, kind):
    reading = read({"error": {"code": "Word", "message": "patient 4711"}}, status=status)
    assert (reading.kind.value, reading.status, reading.code) == (kind, status, "Word")
    assert "4711" not in reading.message
    assert read(b"<html>", status=status).kind.value == kind


# Embeddings and images


def embedded(*vectors: Any, **more: Any) -> dict[str, Any]:
    return {"model": "m", "data": [{"index": place, "embedding": one} for place, one in enumerate(vectors)], **more}


TEXTS = Request(Task.EMBEDDING, {"texts": ["a", "b"]})


@given(st.lists(TEXT, min_size=1, max_size=3), st.sampled_from(["float", "base64"]), st.integers(1, 3072))
def test_embedding_requests_come_back_as_they_went(texts, encoding, dimensions):
    params = {"model": "visits", "encoding": encoding, "dimensions": dimensions, "user": "u", "extra": {"new": 1}}
    request = Request(Task.EMBEDDING, {"texts": texts}, params)
    body = CODEC.next(lot(request), ()).body
    assert CODEC.read_request(kept({}, operation="embeddings", body=body)) == request


def test_vectors_are_the_same_in_both_encodings_and_in_the_order_of_the_texts():
    rows = np.array([[0.25, -1.5], [3.0, 0.1]], dtype="<f4")
    coded = [base64.b64encode(row.tobytes()).decode() for row in rows]
    plain = embedded(*rows.astype(float).tolist())
    for body in (plain, embedded(*coded), {**plain, "data": plain["data"][::-1]}):
        vectors = read(body, TEXTS, operation="embeddings").output.vectors
        assert vectors.tolist() == rows.astype(float).tolist()


@pytest.mark.parametrize(
    "body",
    [
        embedded(),
        embedded([0.1]),
        embedded([0.1], [0.1, 0.2]),
        embedded([0.1], ["x"]),
        embedded([0.1], None),
        embedded("AAAA", "AAA"),
        embedded("AAAAAA==", "%%"),
        embedded([10**400], [0.1]),
        {"data": [{"index": 0, "embedding": [0.1]}, {"index": 0, "embedding": [0.1]}]},
        {"data": "x"},
    ],
)
def test_missing_and_broken_vectors_are_unreadable(body):
    assert isinstance(read(body, TEXTS, operation="embeddings"), Unreadable)


def test_texts_sent_as_token_numbers_stay_as_they_are():
    request = CODEC.read_request(kept({}, operation="embeddings", body={"input": [[1, 2]], "model": "visits"}))
    assert CODEC.next(lot(request), ()).body == {"input": [[1, 2]], "model": "visits"}
    assert isinstance(read(embedded([0.1]), request, operation="embeddings"), Reading)


@pytest.mark.parametrize(
    ("payload", "params", "field"),
    [
        ({"texts": ["a"], "images": ["x"]}, {}, "image"),
        ({"texts": ["a"]}, {"encoding": "int8"}, "encoding"),
        ({"texts": ["a"]}, {"truncate": "end"}, "truncate"),
    ],
)
def test_what_embeddings_cannot_say_is_named(payload, params, field):
    with pytest.raises(UnencodableRequest, match=f'"{field}"'):
        CODEC.next(lot(Request(Task.EMBEDDING, payload, params)), ())


@given(TEXT, st.sampled_from(["1024x1024", "auto"]), st.integers(1, 4))
def test_image_requests_come_back_as_they_went(prompt, size, n):
    params = {"model": "visits", "size": size, "n": n, "quality": "high", "image_format": "png", "extra": {"new": 1}}
    request = Request(Task.IMAGE, {"prompt": prompt, "negative_prompt": None, "image": None}, params)
    body = CODEC.next(lot(request), ()).body
    assert CODEC.read_request(kept({}, operation="images.generations", body=body)) == request


def test_images_are_bytes():
    request = Request(Task.IMAGE, {"prompt": "a"}, {"n": 2})
    picture = {"b64_json": base64.b64encode(b"png").decode(), "revised_prompt": "a cat"}
    more = {"operation": "images.generations"}
    body = {"data": [picture, {"content_filter_results": {}}]}
    assert read(body, request, **more).output == Images(images=(b"png",), filtered=1, revised_prompt="a cat")
    assert isinstance(read({"data": [{"url": "https://x"}]}, request, **more), Unreadable)
    assert isinstance(read({"data": [{"b64_json": "%"}]}, request, **more), Unreadable)
    refused = {"error": {"code": "content_policy_violation", "message": "m"}}
    assert read(refused, request, status=400, **more).output == Images(images=(), filtered=2)


def test_what_images_cannot_say_is_named():
    for name in ("negative_prompt", "image"):
        with pytest.raises(UnencodableRequest, match=f'"{name}"'):
            CODEC.next(lot(Request(Task.IMAGE, {"prompt": "a", name: "x"})), ())


# Recordings


@pytest.mark.parametrize(
    ("url", "operation", "model", "api"),
    [
        ("https://a.example/openai/deployments/my%20dep/chat/completions?api-version=2024-02-01", "x", "my dep", None),
        ("https://r.openai.azure.com/openai/v1/chat/completions", "x", "m", None),
        ("https://gateway.example/prefix/responses/", "x", "m", "responses"),
        (None, "chat.completions", "m", None),
        (None, "chat.completions.create", "m", None),
        (None, "responses", "m", "responses"),
    ],
)
def test_an_exchange_is_known_by_its_address_or_the_logs_word(url, operation, model, api):
    body = {"model": "m", "messages": [], "input": []}
    request = CODEC.read_request(kept(ANSWER, operation=operation, body=body, url=url))
    assert (request.params["model"], request.params.get("api")) == (model, api)


def test_an_unknown_operation_is_refused_by_id():
    with pytest.raises(CodecError, match="recording r1"):
        CODEC.from_http(kept(ANSWER, operation="fine_tuning"))
    with pytest.raises(CodecError, match="recording r1"):
        CODEC.read_request(kept(ANSWER, operation="fine_tuning", body={}))


def test_the_version_in_an_address_is_told():
    url = "https://a.example/openai/deployments/d/chat/completions?api-version=2024-02-01"
    assert read(answer(said("4"), system_fingerprint="fp"), url=url).runtime == "fp; api 2024-02-01"


def test_a_request_without_an_answer_is_unreadable():
    made = replace(kept(ANSWER), response_body=None, status=None)
    (reading,) = CODEC.decode(lot(asked()), (CODEC.from_http(made),)).values()
    assert reading == Unreadable("no answer was recorded")


# Nothing that comes from outside makes a codec raise anything but its own error.

CODECS = [build(side()).codec, foundry.build(side()).codec, foundry.build(side(), api="chat").codec]
OPERATIONS = ["chat.completions", "responses", "embeddings", "images.generations"]
WORDS = """choices delta message content tool_calls function index finish_reason usage error code data embedding
b64_json
output type item response text model messages input role tools parameters content_block name prompt_filter_results
content_filter_results logprobs system arguments id status stream max_tokens output_index"""
SHAPED = st.recursive(
    JSON,
    lambda inner: st.dictionaries(
        st.sampled_from(WORDS.split()),
        inner | st.lists(inner, max_size=2) | st.sampled_from(["message", "text", "tool", "user", "function", "error"]),
        max_size=5,
    ),
    max_leaves=20,
)
BODIES = (
    st.binary(max_size=60)
    | SHAPED.map(lambda value: json.dumps(value).encode())
    | st.lists(SHAPED, max_size=4).map(lambda chunks: json.dumps(chunks).encode())
    | st.lists(SHAPED, max_size=4).map(
        lambda chunks: b"".join(b"data: %s\n\n" % json.dumps(c).encode() for c in chunks)
    )
)


@given(BODIES, st.sampled_from(OPERATIONS), st.sampled_from([None, 200, 400, 500]))
def test_no_bytes_make_reading_raise(body, operation, status):
    for codec in CODECS:
        made = replace(kept(body, operation=operation, status=status), response_headers={})
        wire = codec.from_http(made)
        (reading,) = codec.decode(lot(TEXTS if operation == "embeddings" else asked()), (wire,)).values()
        assert isinstance(reading, Reading | Unreadable)


@given(BODIES, st.sampled_from(OPERATIONS))
def test_no_request_makes_reading_raise_anything_but_codec_error(body, operation):
    for codec in CODECS:
        made = replace(kept(b"", operation=operation), request_body=body)
        try:
            request = codec.read_request(made)
        except CodecError:
            continue
        assert isinstance(request, Request)


def test_an_address_that_is_none_is_passed_over():
    assert CODEC.from_http(kept(ANSWER, url="https://[")).operation == "chat.completions"


# Server-sent events


@given(st.lists(st.tuples(TEXT, TEXT), max_size=4), st.integers(1, 7))
def test_events_are_the_same_however_the_stream_is_cut(sent, size):
    def plain(text: str) -> str:
        return text.replace("\r", "").replace("\n", "")

    expected = [_sse.Sent(plain(kind), plain(data)) for kind, data in sent]
    body = "".join(f"event:{' ' if one.kind[:1] == ' ' else ''}{one.kind}\ndata: {one.data}\n\n" for one in expected)
    raw = body.encode()
    pieces = [raw[start : start + size] for start in range(0, len(raw), size)]
    assert list(_sse.events(pieces)) == expected


def test_comments_ids_and_data_of_several_lines():
    body = b": hello\nid: 7\nretry: 5\ndata: a\ndata: b\n\n:\n\nevent: x\n\ndata: cut off"
    assert list(_sse.events([body])) == [_sse.Sent("", "a\nb")]
