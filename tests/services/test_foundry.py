"""Foundry: Claude by the Messages API, other makers' models by model inference."""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from harness.config import SideSettings
from harness.core.call import FailureKind, Reading, Side, Unreadable, Wire
from harness.core.case import Recording, Request, Task
from harness.core.output import Chat, StopReason
from harness.core.protocols import Codec, Service
from harness.errors import CodecError, Denied, Throttled, Unavailable, UnencodableRequest, UnknownName
from harness.services.foundry import build
from tests.services.clouds import Clouds, Internet, Reply, json_reply
from tests.services.contract import EndpointContract, lot, recording
from tests.services.conversations import TEXTS, conversations, params
from tests.services.test_azure_openai import ANSWER, BLOCKED, asked

MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5",
    "content": [{"type": "text", "text": "Hello."}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 8, "output_tokens": 2, "cache_read_input_tokens": 4},
}
EVENTS: list[dict[str, Any]] = [
    {"type": "message_start", "message": {**MESSAGE, "content": [], "stop_reason": None}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "ping"},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hel"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "lo."}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
    {"type": "message_stop"},
]
OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "m"}}
LIMITED = {"type": "error", "error": {"type": "rate_limit_error", "message": "m"}}


def side(internet: Internet | None = None, **more: Any) -> SideSettings:
    lab = {"foundry": internet.url} if internet is not None else {}
    given = {"cloud": "azure", "endpoint": "visits", "credential": "managed_identity", "lab": lab, "timeout_s": 5.0}
    return SideSettings(side=Side.TARGET, **{**given, **more})


def sse(*events: dict[str, Any]) -> Reply:
    body = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events).encode()
    return Reply(200, body, {"Content-Type": "text/event-stream; charset=utf-8"})


class MessagesContract(EndpointContract):
    request = asked(max_tokens=64)
    answered = json_reply(MESSAGE)
    body = MESSAGE  # type: ignore[assignment]
    throttled = json_reply(LIMITED, 429, Retry_After="3")
    unavailable = json_reply(OVERLOADED, 529)
    rejected = json_reply({"type": "error", "error": {"type": "invalid_request_error", "message": "m"}}, 400)
    denied = json_reply({"type": "error", "error": {"type": "permission_error", "message": "m"}}, 403)
    path = "/anthropic/v1/messages"
    api = "messages"

    @pytest.fixture(autouse=True)
    def model(self, clouds: Clouds) -> None:
        clouds.infer = lambda request: self.answered

    def service(self, internet: Internet, **more: Any) -> Service:
        return build(side(internet, **more), api=self.api)

    def calls(self, internet: Internet) -> list[Any]:
        return [one for one in internet.requests if one.path.startswith(self.path)]

    def sent(self, call: Any) -> Any:
        return json.loads(call.body)

    def expire(self, clouds: Clouds) -> None:
        clouds.token = secrets.token_hex(32)

    def renewals(self, internet: Internet) -> int:
        return sum(one.path.startswith("/msi/token") for one in internet.requests)


class TestMessages(MessagesContract):
    def test_the_headers_are_anthropics(self, opened, internet, clouds):
        endpoint, wire = opened
        endpoint.call(wire, timeout_s=5)
        (call,) = self.calls(internet)
        assert call.headers["anthropic-version"] == "2023-06-01"
        assert call.headers["authorization"] == f"Bearer {clouds.token}"
        assert self.sent(call)["model"] == "visits"


class TestModelInference(MessagesContract):
    request = asked(max_tokens=64)
    answered = json_reply(ANSWER)
    body = ANSWER  # type: ignore[assignment]
    path = "/models/chat/completions"
    api = "chat"

    def test_a_member_that_is_not_known_is_to_be_refused(self, opened, internet):
        endpoint, wire = opened
        endpoint.call(wire, timeout_s=5)
        (call,) = self.calls(internet)
        assert call.headers["extra-parameters"] == "error"
        assert call.path == "/models/chat/completions?api-version=2024-05-01-preview"
        assert self.sent(call)["max_tokens"] == 64


@pytest.mark.parametrize("api", ["messages", "chat"])
def test_a_key_goes_into_its_own_header(internet, clouds, monkeypatch, api):
    monkeypatch.setenv("RESOURCE_KEY", clouds.key)
    clouds.infer = lambda request: json_reply(MESSAGE if api == "messages" else ANSWER)
    service = build(side(internet, api_key_env="RESOURCE_KEY"), api=api)
    endpoint = service.open()
    endpoint.call(service.codec.next(lot(asked(max_tokens=5)), ()), timeout_s=5)
    clouds.key = secrets.token_hex(32)
    with pytest.raises(Denied):
        endpoint.call(service.codec.next(lot(asked(max_tokens=5)), ()), timeout_s=5)
    monkeypatch.setenv("RESOURCE_KEY", clouds.key)
    assert endpoint.refresh()
    endpoint.close()
    call = internet.requests[0]
    assert "authorization" not in call.headers
    assert call.headers["api-key"] != clouds.key


@pytest.fixture
def called(internet, clouds):
    def call(reply: Reply, **given_params: Any) -> Wire:
        clouds.infer = lambda request: reply
        service = build(side(internet))
        endpoint = service.open()
        try:
            return endpoint.call(service.codec.next(lot(asked(max_tokens=64, **given_params)), ()), timeout_s=5)
        finally:
            endpoint.close()

    return call


def read(wire: Wire) -> Reading | Unreadable:
    (reading,) = build(side()).codec.decode(lot(asked()), (wire,)).values()
    return reading


def test_it_is_a_service():
    for api in ("messages", "chat"):
        assert isinstance(build(side(), api=api), Service)
        assert isinstance(build(side(), api=api).codec, Codec)


def test_an_unknown_api_names_the_nearest():
    with pytest.raises(UnknownName, match='Did you mean "messages"'):
        build(side(), api="message")


@pytest.mark.parametrize("reply", [json_reply(MESSAGE), sse(*EVENTS)], ids=["whole", "stream"])
def test_an_answer_is_read(called, reply):
    reading = read(called(reply, stream=True))
    assert reading.output == Chat(text="Hello.", stop_raw="end_turn")
    assert (reading.served_model, reading.runtime) == ("claude-sonnet-4-5", "api 2023-06-01")
    assert (reading.tokens_in, reading.tokens_out, reading.tokens.cache_read) == (12, 2, 4)


@pytest.mark.parametrize(
    ("events", "kind"),
    [
        (EVENTS[:4], Unavailable),
        ([*EVENTS[:4], OVERLOADED], Unavailable),
        ([*EVENTS[:4], LIMITED], Throttled),
    ],
)
def test_a_stream_that_breaks_off_keeps_what_came(called, events, kind):
    with pytest.raises(kind) as caught:
        called(sse(*events), stream=True)
    reading = read(caught.value.partial)
    assert (reading.partial.text, reading.kind.value) == ("Hel", kind.kind)


def test_a_connection_that_is_lost_keeps_what_came(called):
    reply = sse(*EVENTS[:4])
    with pytest.raises(Unavailable) as caught:
        called(replace(reply, headers={**reply.headers, "Content-Length": "5000"}), stream=True)
    assert read(caught.value.partial).partial.text == "Hel"


def test_a_blocked_prompt_is_an_answer(called):
    chat = read(called(json_reply(BLOCKED, 400))).output
    assert (chat.stop, chat.filter.where) == (StopReason.FILTER, "prompt")


def kept(body: Any, response: Any = None, **more: Any) -> Recording:
    content = None if response is None else response if isinstance(response, bytes) else json.dumps(response).encode()
    kind = "text/event-stream" if isinstance(response, bytes) else "application/json"
    made = recording(json.dumps(body).encode(), "application/json", response_body=content, **{"status": 200, **more})
    return replace(made, response_headers={"Content-Type": kind}, operation="messages")


def test_recordings_of_all_forms_read_alike():
    codec = build(side()).codec
    wires = [codec.from_http(kept({}, one)) for one in (MESSAGE, sse(*EVENTS).body, EVENTS)]
    readings = [read(wire) for wire in wires]
    assert [reading.output for reading in readings] == [Chat(text="Hello.", stop_raw="end_turn")] * 3
    assert {reading.tokens_in for reading in readings} == {12}


def test_a_recorded_failure_says_what_it_was():
    reading = read(build(side()).codec.from_http(kept({}, OVERLOADED, status=529)))
    assert (reading.kind, reading.status, reading.code) == (FailureKind.UNAVAILABLE, 529, "overloaded_error")


@given(
    conversations(st.lists(TEXTS, min_size=1, max_size=2).map(tuple)).map(lambda one: replace(one, format=None)),
    params("max_tokens", "temperature", "stream"),
)
def test_what_is_said_comes_back_as_it_went(conversation, given_params):
    codec = build(side()).codec
    request = conversation.request({**given_params, "model": "visits", "api": "messages"})
    try:
        body = codec.next(lot(request), ()).body
    except UnencodableRequest:  # a call cut off in mid-JSON has no place in Anthropic's blocks
        reject()
    if given_params.get("stream") is False:
        request = conversation.request({name: value for name, value in request.params.items() if name != "stream"})
    assert codec.read_request(kept(body)) == request


def test_beta_features_travel_in_a_header():
    codec = build(side()).codec
    wire = codec.next(lot(asked(max_tokens=5, extra={"anthropic_beta": ["a", "b"]})), ())
    assert (wire.headers, "anthropic_beta" in wire.body) == ({"anthropic-beta": "a,b"}, False)
    read_back = codec.read_request(replace(kept(wire.body), request_headers={"Anthropic-Beta": "a,b"}))
    assert read_back.params["extra"] == {"anthropic_beta": ["a", "b"]}


def test_embeddings_of_model_inference_say_what_they_are_for():
    codec = build(side(), api="chat").codec
    request = Request(Task.EMBEDDING, {"texts": ["a"], "images": []}, {"input_type": "search_query"})
    assert codec.next(lot(request), ()).body == {"input": ["a"], "model": "visits", "input_type": "query"}


@pytest.mark.parametrize("task", [Task.IMAGE, Task.EMBEDDING, Task.TABULAR])
def test_messages_are_chat_alone(task):
    with pytest.raises(UnencodableRequest):
        build(side()).codec.next(lot(Request(task, {"texts": ["a"]})), ())


def test_an_unreadable_recording_is_refused_by_id():
    with pytest.raises(CodecError, match="recording r1"):
        build(side()).codec.read_request(recording(b"\xff", "application/json"))
