"""Bedrock: what every operation has in common, and the endpoint through boto3. Families: test_bedrock_*.py."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import pytest

from harness.config import SideSettings
from harness.core.call import FailureKind, Reading, Side, Tokens, Unreadable, Wire
from harness.core.case import Json, Lot, Provenance, Recording, Request, Task
from harness.core.chat import Conversation, Format, Image, Message, Text
from harness.core.output import Filter, StopReason, ToolCall
from harness.core.protocols import Codec, Endpoint, Service
from harness.errors import (
    CodecError,
    Denied,
    Rejected,
    ServiceError,
    Throttled,
    TimedOut,
    Unavailable,
    UnencodableRequest,
    UnknownName,
)
from harness.services.bedrock import build
from tests.services.clouds import Clouds, Internet, Reply, aws_side, json_reply
from tests.services.event_stream import chunk, error, event, exception

SETTINGS = SideSettings(side=Side.SOURCE, cloud="aws", endpoint="amazon.nova-lite-v1:0", region="us-east-1")
CLAUDE = "anthropic.claude-3-haiku-20240307-v1:0"
STREAM = "application/vnd.amazon.eventstream"
USAGE = {"inputTokens": 12, "outputTokens": 3, "totalTokens": 15}
ANSWER = {
    "output": {"message": {"role": "assistant", "content": [{"text": "A cat"}, {"text": "."}]}},
    "stopReason": "end_turn",
    "usage": USAGE,
    "metrics": {"latencyMs": 812},
}
EVENTS: list[tuple[str, dict[str, Any]]] = [
    ("messageStart", {"role": "assistant"}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "A "}}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "cat."}}),
    ("contentBlockStop", {"contentBlockIndex": 0}),
    ("messageStop", {"stopReason": "end_turn"}),
    ("metadata", {"usage": USAGE, "metrics": {"latencyMs": 99}}),
]
FRAMES = [event(name, members) for name, members in EVENTS]


def codec(**options: Any) -> Any:
    return build(SETTINGS, **options).codec


def ask(text: str = "Hi", **params: Json) -> Request:
    return Conversation(messages=(Message("user", (Text(text),)),)).request({"model": CLAUDE, **params})


def lot(request: Request) -> Lot:
    return Lot("run/source/c1", {"c1": request})


def recorded(
    operation: str, response: bytes | None = None, body: bytes = b"{}", *, model: str | None = CLAUDE, **more: Any
) -> Recording:
    kind = STREAM if "Stream" in operation else "application/json"
    given = {"status": 200, "response_headers": {"Content-Type": kind}, "response_body": response, **more}
    provenance = Provenance(captured_at=None, captured_from="test")
    return Recording(
        id="r1", service="bedrock", operation=operation, model=model, request_body=body, provenance=provenance, **given
    )


def read(recording: Recording, request: Request | None = None) -> Reading | Unreadable:
    one = codec()
    (found,) = one.decode(lot(request or ask()), (one.from_http(recording),)).values()
    return found


def streamed(*frames: bytes, operation: str = "ConverseStream") -> Reading | Unreadable:
    return read(recorded(operation, b"".join(frames)))


class TestRequests:
    def test_it_belongs_to_a_service(self):
        service = build(SETTINGS)
        assert isinstance(service, Service)
        assert isinstance(service.codec, Codec)

    def test_the_request_says_model_api_and_stream(self):
        sent = codec().next(lot(ask()), ())
        assert (sent.operation, sent.headers) == ("Converse", {"x-parity-model": CLAUDE})
        assert sent.body == {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}
        assert codec().next(lot(ask(stream=True)), ()).operation == "ConverseStream"
        assert codec().next(lot(ask(api="invoke", max_tokens=5)), ()).operation == "InvokeModel"
        assert codec().next(lot(ask(api="invoke", stream=True)), ()).operation == "InvokeModelWithResponseStream"

    def test_options_overrule_the_request(self):
        sent = codec(model="x.y", api="invoke", stream=True, family="nova").next(lot(ask()), ())
        assert sent.operation == "InvokeModelWithResponseStream"
        assert sent.headers["x-parity-model"] == "x.y"
        assert json.loads(sent.body)["schemaVersion"] == "messages-v1"

    def test_a_request_that_names_no_model_goes_to_the_endpoint(self):
        request = replace(ask(), params={})
        assert codec().next(lot(request), ()).headers["x-parity-model"] == "amazon.nova-lite-v1:0"

    def test_one_call_ends_the_conversation(self):
        assert codec().next(lot(ask()), (Wire(operation="Converse", status=200, body=ANSWER),)) is None

    def test_guardrail_latency_and_tier_are_headers_of_invoke_model(self):
        guardrail: Json = {"id": "g1", "version": "DRAFT", "trace": "enabled_full"}
        request = ask(api="invoke", guardrail=guardrail, latency="optimized", service_tier="flex", metadata={"a": "b"})
        sent = codec().next(lot(request), ())
        assert sent.headers == {
            "x-parity-model": CLAUDE,
            "content-type": "application/json",
            "accept": "application/json",
            "x-amzn-bedrock-guardrailidentifier": "g1",
            "x-amzn-bedrock-guardrailversion": "DRAFT",
            "x-amzn-bedrock-trace": "ENABLED_FULL",
            "x-amzn-bedrock-performanceconfig-latency": "optimized",
            "x-amzn-bedrock-service-tier": "flex",
            "x-amzn-bedrock-request-metadata": '{"a":"b"}',
        }
        again = codec().read_request(recorded("InvokeModel", body=sent.body, request_headers=sent.headers))
        assert again == request

    def test_a_body_of_the_applications_own_goes_out_as_it_is(self):
        own: Json = {"messages": [], "anything": 1}
        converse = codec().next(lot(Request(Task.CHAT, {"body": own}, {"api": "converse"})), ())
        invoke = codec().next(lot(Request(Task.CHAT, {"body": own}, {"api": "invoke"})), ())
        assert converse.body == own
        assert json.loads(invoke.body) == own

    def test_what_has_no_place_is_refused_by_name(self):
        with pytest.raises(UnencodableRequest, match="no place for dimensions, verbosity"):
            codec().next(lot(ask(verbosity="low", dimensions=3)), ())
        with pytest.raises(UnencodableRequest, match='no api "responses"'):
            codec().next(lot(ask(api="responses")), ())
        with pytest.raises(UnencodableRequest, match="NaN"):
            codec().next(lot(ask(api="invoke", temperature=float("nan"))), ())

    @pytest.mark.parametrize(("option", "value"), [("api", "converze"), ("family", "novva")])
    def test_unknown_words_of_options_name_the_nearest(self, option, value):
        with pytest.raises(UnknownName, match="Did you mean"):
            codec(**{option: value})

    @pytest.mark.parametrize(
        "body", [b"", b"\xff", b"[]", b'{"messages":1}', b'{"messages":[{"role":"x"}]}', b"[" * 9999]
    )
    @pytest.mark.parametrize("operation", ["Converse", "InvokeModel", "CountTokens"])
    def test_an_unreadable_recording_is_refused_by_id(self, operation, body):
        with pytest.raises(CodecError, match="recording r1"):
            codec().read_request(recorded(operation, body=body))


class TestAnswers:
    def test_an_answer_of_converse(self):
        told = read(recorded("Converse", json.dumps(ANSWER).encode()))
        assert isinstance(told, Reading)
        assert (told.output.text, told.output.stop, told.output.stop_raw) == ("A cat.", StopReason.END, "end_turn")
        assert (told.tokens_in, told.tokens_out, told.service_s) == (12, 3, 0.812)
        assert (told.served_model, told.first_token_s) == (CLAUDE, None)

    def test_a_stream_reads_as_its_answer(self):
        told = streamed(*FRAMES)
        assert isinstance(told, Reading)
        assert (told.output.text, told.output.stop, told.tokens_out) == ("A cat.", StopReason.END, 3)

    def test_a_stream_kept_parsed_reads_alike(self):
        listed = json.dumps([{name: members} for name, members in EVENTS]).encode()
        whole = json.dumps(ANSWER).encode()
        for body in (listed, whole, b"\n " + listed):
            told = read(recorded("ConverseStream", body, response_headers={"content-type": "application/json"}))
            assert isinstance(told, Reading)
            assert (told.output.text, told.tokens_in) == ("A cat.", 12)

    def test_tool_calls_of_a_stream_are_joined_and_parsed(self):
        use = {"contentBlockIndex": 1}
        start = {**use, "start": {"toolUse": {"toolUseId": "t1", "name": "f"}}}
        pieces = ['{"city": ', '"Oslo"}']
        told = streamed(
            *FRAMES[:4],
            event("contentBlockStart", start),
            *(event("contentBlockDelta", {**use, "delta": {"toolUse": {"input": piece}}}) for piece in pieces),
            event(
                "contentBlockStart", {"contentBlockIndex": 2, "start": {"toolUse": {"toolUseId": "t2", "name": "g"}}}
            ),
            event(
                "contentBlockStart", {"contentBlockIndex": 3, "start": {"toolUse": {"toolUseId": "t3", "name": "h"}}}
            ),
            event("contentBlockDelta", {"contentBlockIndex": 3, "delta": {"toolUse": {"input": "{oops"}}}),
            event("messageStop", {"stopReason": "tool_use"}),
        )
        assert isinstance(told, Reading)
        assert told.output.tool_calls == (
            ToolCall(id="t1", name="f", arguments={"city": "Oslo"}),
            ToolCall(id="t2", name="g", arguments={}),
            ToolCall(id="t3", name="h", arguments=None, raw="{oops"),
        )
        assert (told.output.stop, told.tokens) == (StopReason.TOOL, None)

    def test_an_event_stream_that_ends_within_a_message_keeps_what_came(self):
        told = read(recorded("ConverseStream", b"".join(FRAMES)[:-30]))
        assert isinstance(told, Unreadable)
        assert "ends within a message" in told.message
        assert told.partial.text == "A cat."

    def test_a_stream_that_ends_between_messages_is_no_answer(self):
        told = streamed(*FRAMES[:3])
        assert isinstance(told, Unreadable)
        assert "before its last event" in told.message
        assert told.partial.text == "A cat."

    def test_a_flipped_bit_is_found(self):
        body = bytearray(b"".join(FRAMES))
        body[len(FRAMES[0]) + len(FRAMES[1]) - 20] ^= 1
        told = read(recorded("ConverseStream", bytes(body)))
        assert isinstance(told, Unreadable)
        assert "framing is wrong" in told.message

    @pytest.mark.parametrize(
        ("frame", "kind", "code"),
        [
            (exception("throttlingException", {"message": "x"}), FailureKind.THROTTLED, "throttlingException"),
            (exception("modelTimeoutException", {}), FailureKind.TIMEOUT, "modelTimeoutException"),
            (exception("serviceUnavailableException", {}), FailureKind.UNAVAILABLE, "serviceUnavailableException"),
            (exception("validationException", {}), FailureKind.REJECTED, "validationException"),
            (
                exception("modelStreamErrorException", {"originalStatusCode": 400}),
                FailureKind.REJECTED,
                "modelStreamErrorException",
            ),
            (error("InternalFailure"), FailureKind.UNAVAILABLE, "InternalFailure"),
        ],
    )
    def test_an_exception_within_a_stream_keeps_its_kind_and_what_came(self, frame, kind, code):
        told = streamed(*FRAMES[:2], frame)
        assert isinstance(told, Unreadable)
        assert (told.kind, told.code) == (kind, code)
        assert told.partial.text == "A "

    @pytest.mark.parametrize(
        ("status", "headers", "body", "kind", "code"),
        [
            (
                429,
                {"x-amzn-ErrorType": "ThrottlingException:http://x/"},
                {},
                FailureKind.THROTTLED,
                "ThrottlingException",
            ),
            (400, {}, {"__type": "com.amazon#ValidationException"}, FailureKind.REJECTED, "ValidationException"),
            (403, {}, {"message": "patient 4711"}, FailureKind.DENIED, None),
            (
                424,
                {},
                {"code": "ModelErrorException", "originalStatusCode": 429},
                FailureKind.THROTTLED,
                "ModelErrorException",
            ),
            (503, {}, "<html>", FailureKind.UNAVAILABLE, None),
        ],
    )
    def test_a_recorded_refusal_says_which(self, status, headers, body, kind, code):
        told = read(recorded("Converse", json.dumps(body).encode(), status=status, response_headers=headers))
        assert isinstance(told, Unreadable)
        assert (told.kind, told.status, told.code) == (kind, status, code)
        assert "4711" not in told.message

    def test_json_that_was_asked_for_is_parsed(self):
        body = {**ANSWER, "output": {"message": {"content": [{"text": '{"a": null}'}]}}}
        asked = Conversation.of(ask())
        request = replace(asked, format=Format(kind="schema", schema={})).request({})
        told = read(recorded("Converse", json.dumps(body).encode()), request)
        assert isinstance(told, Reading)
        assert (told.output.has_value, told.output.value) == (True, {"a": None})
        plain = read(recorded("Converse", json.dumps(body).encode()))
        assert isinstance(plain, Reading)
        assert plain.output.has_value is False

    def test_what_lies_outside_the_input_count_is_added(self):
        usage = {**USAGE, "cacheReadInputTokens": 100, "cacheWriteInputTokens": 7, "cacheDetails": []}
        told = read(recorded("Converse", json.dumps({**ANSWER, "usage": usage}).encode()))
        assert isinstance(told, Reading)
        assert told.tokens == Tokens(input=12, output=3, cache_read=100, cache_write=7)
        assert told.tokens_in == 119

    def test_a_block_of_the_prompt_is_told_from_masking(self):
        def said(trace: Json) -> Filter | None:
            body = {**ANSWER, "stopReason": "guardrail_intervened", "trace": {"guardrail": trace}}
            told = read(recorded("Converse", json.dumps(body).encode()))
            assert isinstance(told, Reading)
            return told.output.filter

        topic: Json = {"topicPolicy": {"topics": [{"name": "money", "type": "DENY", "action": "BLOCKED"}]}}
        pii: Json = {
            "sensitiveInformationPolicy": {"piiEntities": [{"match": "x", "type": "EMAIL", "action": "ANONYMIZED"}]}
        }
        blocked = Filter(blocked=True, where="prompt", categories={"money": "BLOCKED"})
        assert said({"inputAssessment": {"g1": topic}}) == blocked
        assert said({"outputAssessments": {"g1": [pii]}}) == Filter(
            blocked=False, masked=True, categories={"EMAIL": "ANONYMIZED"}
        )
        assert said({"outputAssessments": {"g1": [pii, topic]}}).where == "completion"
        assert said({}) == Filter(blocked=True)

    @pytest.mark.parametrize(
        "body", [b"", b"\xff\xfe", b"null", b"{}", b'{"output":', b"<html>", b'{"output":{"a":' * 2000]
    )
    @pytest.mark.parametrize(
        "operation", ["Converse", "ConverseStream", "InvokeModel", "InvokeModelWithResponseStream"]
    )
    def test_what_is_no_answer_is_unreadable(self, operation, body):
        assert isinstance(read(recorded(operation, body)), Unreadable)

    def test_no_reply_and_no_body_are_unreadable(self):
        assert isinstance(codec().decode(lot(ask()), ())["c1"], Unreadable)
        assert isinstance(read(recorded("Converse", None)), Unreadable)


class TestEndpoint:
    """Through the real boto3, against a server on loopback."""

    @pytest.fixture
    def opened(self, internet: Internet) -> Iterator[Endpoint]:
        endpoint = build(aws_side(lab={"bedrock": internet.url}, endpoint=CLAUDE)).open()
        yield endpoint
        endpoint.close()

    def call(self, endpoint: Endpoint, clouds: Clouds, request: Request, reply: Reply) -> Wire:
        clouds.manage = lambda asked: reply if asked.path.startswith("/model/") else None
        wire = codec().next(lot(request), ())
        return endpoint.call(wire, timeout_s=5)

    def failure(self, endpoint: Endpoint, clouds: Clouds, reply: Reply, request: Request | None = None) -> ServiceError:
        with pytest.raises(ServiceError) as caught:
            self.call(endpoint, clouds, request or ask(), reply)
        return caught.value

    def test_it_is_an_endpoint(self, opened):
        assert isinstance(opened, Endpoint)
        assert (opened.name, CLAUDE in repr(opened)) == (CLAUDE, True)

    def test_converse_arrives_as_the_codec_wrote_it(self, opened, clouds, internet):
        picture = Image(media_type="image/png", data=b"\x89PNG")
        request = Conversation(messages=(Message("user", (Text("Hi"), picture)),)).request(
            {"model": CLAUDE, "top_k": 3}
        )
        reply = self.call(opened, clouds, request, json_reply(ANSWER))
        (asked,) = internet.requests
        assert unquote(asked.path) == f"/model/{CLAUDE}/converse"
        assert json.loads(asked.body) == codec().next(lot(request), ()).body
        assert (reply.operation, reply.status, reply.body) == ("Converse", 200, ANSWER)

    def test_converse_stream_is_drained_and_timed(self, opened, clouds):
        stream = Reply(200, b"".join(FRAMES), {"Content-Type": STREAM})
        reply = self.call(opened, clouds, ask(stream=True), stream)
        assert [(one.kind, one.data) for one in reply.events] == EVENTS
        times = [one.at_s for one in reply.events]
        assert times == sorted(times)
        told = codec().decode(lot(ask()), (reply,))["c1"]
        assert (told.output.text, told.first_token_s) == ("A cat.", times[1])

    def test_invoke_model_arrives_as_the_codec_wrote_it(self, opened, clouds, internet):
        request = ask(api="invoke", max_tokens=5, guardrail={"id": "g1", "version": "1", "trace": "enabled"})
        answer = {"type": "message", "content": [{"type": "text", "text": "A cat."}], "stop_reason": "end_turn"}
        counts = {"X_Amzn_Bedrock_Input_Token_Count": "12", "X_Amzn_Bedrock_Invocation_Latency": "420"}
        reply = self.call(opened, clouds, request, json_reply(answer, **counts))
        (asked,) = internet.requests
        sent = codec().next(lot(request), ())
        assert asked.body == sent.body
        assert {name: asked.headers[name] for name in sent.headers if name != "x-parity-model"} == {
            name: value for name, value in sent.headers.items() if name != "x-parity-model"
        }
        told = codec().decode(lot(request), (reply,))["c1"]
        assert (told.output.text, told.tokens_in, told.service_s) == ("A cat.", 12, 0.42)

    def test_a_stream_of_invoke_model_is_drained(self, opened, clouds):
        chunks = [
            {"type": "message_start", "message": {"model": "claude-x", "usage": {"input_tokens": 12}}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "A cat."}},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}},
            {"type": "message_stop", "amazon-bedrock-invocationMetrics": {"invocationLatency": 420}},
        ]
        request = ask(api="invoke", stream=True)
        reply = self.call(opened, clouds, request, Reply(200, b"".join(map(chunk, chunks)), {"Content-Type": STREAM}))
        assert [one.data for one in reply.events] == chunks
        told = codec().decode(lot(request), (reply,))["c1"]
        assert (told.output.text, told.served_model, told.tokens_in, told.service_s) == ("A cat.", "claude-x", 12, 0.42)
        assert told.first_token_s == reply.events[1].at_s

    @pytest.mark.parametrize(
        ("code", "status", "ours"),
        [
            ("ThrottlingException", 429, Throttled),
            ("ModelNotReadyException", 429, Unavailable),
            ("ModelTimeoutException", 408, TimedOut),
            ("ModelErrorException", 424, Unavailable),
            ("ValidationException", 400, Rejected),
            ("ServiceQuotaExceededException", 400, Rejected),
            ("AccessDeniedException", 403, Denied),
            ("InternalServerException", 500, Unavailable),
            ("ServiceUnavailableException", 503, Unavailable),
        ],
    )
    def test_refusals_come_out_as_ours_after_one_attempt(self, opened, clouds, internet, code, status, ours):
        reply = json_reply({"message": "x"}, status, x_amzn_ErrorType=code)
        failed = self.failure(opened, clouds, reply)
        assert (type(failed), failed.status, failed.service) == (ours, status, "bedrock")
        assert len(internet.requests) == 1

    def test_the_models_own_status_decides(self, opened, clouds):
        reply = json_reply({"message": "x", "originalStatusCode": 429}, 424, x_amzn_ErrorType="ModelErrorException")
        assert type(self.failure(opened, clouds, reply)) is Throttled

    @pytest.mark.parametrize(
        ("frame", "ours", "last"),
        [
            (exception("throttlingException", {"message": "x"}), Throttled, "throttlingException"),
            (exception("internalServerException", {"message": "x"}), Unavailable, "internalServerException"),
            (error("InternalFailure"), Unavailable, "unavailable"),
        ],
    )
    def test_an_exception_within_a_stream_is_raised_with_what_came(self, opened, clouds, frame, ours, last):
        stream = Reply(200, b"".join([*FRAMES[:2], frame]), {"Content-Type": STREAM})
        failed = self.failure(opened, clouds, stream, ask(stream=True))
        assert type(failed) is ours
        assert [one.kind for one in failed.partial.events] == ["messageStart", "contentBlockDelta", last]
        told = codec().decode(lot(ask()), (failed.partial,))["c1"]
        assert isinstance(told, Unreadable)
        assert (told.kind, told.partial.text) == (FailureKind(failed.kind), "A ")

    def test_a_stream_that_is_cut_off_or_damaged_is_unavailable(self, opened, clouds):
        body = b"".join(FRAMES)
        cut = Reply(200, b"".join(FRAMES[:3]) + FRAMES[3][:-9], {"Content-Type": STREAM})
        failed = self.failure(opened, clouds, cut, ask(stream=True))
        assert type(failed) is Unavailable
        assert [one.kind for one in failed.partial.events][-2:] == ["contentBlockDelta", "unavailable"]
        assert (
            type(self.failure(opened, clouds, Reply(200, b"", {"Content-Type": STREAM}), ask(stream=True)))
            is Unavailable
        )
        damaged = bytearray(body)
        damaged[-3] ^= 1
        stream = Reply(200, bytes(damaged), {"Content-Type": STREAM})
        assert type(self.failure(opened, clouds, stream, ask(stream=True))) is Unavailable

    def test_parameters_that_boto3_refuses_are_rejected(self, opened, clouds, internet):
        request = ask(extra={"noSuchMember": 1})
        assert type(self.failure(opened, clouds, json_reply(ANSWER), request)) is Rejected
        assert internet.requests == []
