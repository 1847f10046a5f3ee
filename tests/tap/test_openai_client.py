"""openai with a tap: plain, async, streams and refusals."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from harness import tap
from harness.lab.loopback import Reply, Request
from harness.recordings import gaps
from tests.tap.clients import serving, written

JSON = {"content-type": "application/json", "apim-request-id": "a-1", "x-ms-region": "Sweden Central"}
ANSWER = {
    "id": "c1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "4"}}],
}
CHUNK = {
    "id": "c1",
    "object": "chat.completion.chunk",
    "created": 1,
    "model": "gpt",
    "choices": [{"index": 0, "delta": {"role": "assistant", "content": "4"}, "finish_reason": "stop"}],
}
SSE = [f"data: {json.dumps(CHUNK)}\n\n".encode(), b"data: [DONE]\n\n"]


class Server:
    """Refuses as often as it is told, then answers."""

    address = ""
    refusals = 0

    def answer(self, request: Request) -> Reply:
        if self.refusals:
            self.refusals -= 1
            body = b'{"error":{"code":"429","message":"slow down"}}'
            return Reply(status=429, headers={**JSON, "retry-after-ms": "1"}, body=body)
        if json.loads(request.body or b"{}").get("stream"):
            return Reply(status=200, headers={"content-type": "text/event-stream"}, pieces=SSE)
        return Reply(status=200, headers=JSON, body=json.dumps(ANSWER).encode())


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    with serving(made.answer) as made.address:
        yield made


def ask(client: Any, **more: Any) -> Any:
    return client.chat.completions.create(model="gpt", messages=[{"role": "user", "content": "2+2?"}], **more)


def client_of(server: Server, **more: Any) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{server.address}/openai/v1/", api_key="key", max_retries=0, **more)


def test_a_chat_is_answered_as_without_and_kept(server, tmp_path):
    with client_of(server) as plain, client_of(server) as tapped:
        taken = tap.install(tapped, into=tmp_path)
        assert ask(tapped) == ask(plain)
        assert taken.close().lost == {}
    (kept,) = written(tmp_path)
    assert (kept.service, kept.operation, kept.model) == ("azure_openai", "chat.completions", "gpt")
    assert (json.loads(kept.response_body), kept.request_id, kept.region) == (ANSWER, "a-1", "Sweden Central")
    assert "authorization" not in kept.request_headers
    assert kept.provenance.flags == ()


def test_a_stream_is_passed_on_and_kept_whole(server, tmp_path):
    with client_of(server) as plain, client_of(server) as tapped:
        taken = tap.install(tapped, into=tmp_path)
        assert list(ask(tapped, stream=True)) == list(ask(plain, stream=True))
        taken.close()
    (kept,) = written(tmp_path)
    assert kept.response_body == b"".join(SSE)
    assert kept.provenance.flags == ()


def test_a_stream_that_the_application_leaves_is_marked_as_cut(server, tmp_path):
    with client_of(server) as client:
        taken = tap.install(client, into=tmp_path, redact="none")
        ask(client, stream=True).close()
        assert taken.close().lost == {}
    (kept,) = written(tmp_path)
    assert kept.provenance.flags == (gaps.TRUNCATED,)


def test_a_refusal_raises_as_ever_and_is_kept(server, tmp_path):
    server.refusals = 1
    with client_of(server) as client:
        taken = tap.install(client, into=tmp_path)
        with pytest.raises(openai.RateLimitError):
            ask(client)
        taken.close()
    (kept,) = written(tmp_path)
    assert kept.status == 429
    assert b"slow down" in kept.response_body


def test_of_attempts_that_the_client_makes_again_only_the_last_is_a_call(server, tmp_path):
    server.refusals = 1
    with client_of(server).with_options(max_retries=2) as client:
        taken = tap.install(client, into=tmp_path)
        assert ask(client).choices[0].message.content == "4"
        assert taken.close().retried == 1
    assert [one.status for one in written(tmp_path)] == [200]


def test_an_async_client_is_tapped_too(server, tmp_path):
    async def talk() -> list[Any]:
        address = f"{server.address}/openai/v1/"
        async with openai.AsyncOpenAI(base_url=address, api_key="key", max_retries=0) as client:
            taken = tap.install(client, into=tmp_path)
            whole = await ask(client)
            pieces = [one async for one in await ask(client, stream=True)]
            taken.close()
            return [whole.choices[0].message.content, *(one.choices[0].delta.content for one in pieces)]

    assert asyncio.run(talk()) == ["4", "4"]
    assert [one.response_body for one in written(tmp_path)] == [json.dumps(ANSWER).encode(), b"".join(SSE)]


def test_what_is_no_call_of_a_model_is_left_alone(server, tmp_path):
    with client_of(server) as client:
        taken = tap.install(client, into=tmp_path)
        client.models.list()
        assert taken.close().seen == 0
