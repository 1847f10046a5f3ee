"""25 recorded Azure OpenAI exchanges: our codec and the openai SDK read the same bytes to the same answer.

The SDK gets them from a server on loopback that answers as the recording did; its own state puts chunks together.
Recordings: openllmetry, OpenAI instrumentation tests (Apache-2.0).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import openai
import pytest
import yaml
from openai.lib.streaming.chat import ChatCompletionStreamState

from harness.config import SideSettings
from harness.core.call import FailureKind, Reading, Side, Unreadable
from harness.core.case import Lot, Provenance, Recording
from harness.core.output import Chat, Embedding
from harness.services.azure_openai import build

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "azure_openai_http"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not beside this repository")

CODEC = build(SideSettings(side=Side.SOURCE, cloud="azure", endpoint="recorded")).codec


def recordings() -> Iterator[Recording]:
    for path in sorted(DATA.glob("*.yaml")):
        for index, one in enumerate(yaml.safe_load(path.read_text())["interactions"]):
            asked, answered = one["request"], one["response"]
            text = answered["body"]["string"]
            yield Recording(
                id=f"{path.stem}-{index}",
                service="azure_openai",
                operation="chat.completions",  # the address says it where it is another
                url=asked["uri"],
                request_body=asked["body"].encode(),
                status=answered["status"]["code"],
                response_headers={name: values[0] for name, values in answered["headers"].items()},
                response_body=text if isinstance(text, bytes) else text.encode(),
                provenance=Provenance(captured_at=None, captured_from=path.name),
            )


ALL = list(recordings()) if DATA.is_dir() else []
ANSWERED = [one for one in ALL if one.status == 200]
REFUSED = [one for one in ALL if one.status != 200]


class Replay:
    """Answers every request with one recording's bytes."""

    def __init__(self) -> None:
        replay = self
        self.recording: Recording | None = None

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                body = replay.recording.response_body
                self.send_response(replay.recording.status)
                kind = {key.lower(): value for key, value in replay.recording.response_headers.items()}
                self.send_header("content-type", kind.get("content-type", "application/json"))
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        self.client = openai.AzureOpenAI(
            azure_endpoint=f"http://127.0.0.1:{self.server.server_port}",
            api_key="throw-away",
            api_version="2024-02-01",
            max_retries=0,
        )

    def close(self) -> None:
        self.client.close()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def replay() -> Iterator[Replay]:
    made = Replay()
    yield made
    made.close()


def sdk_chat(replay: Replay, recording: Recording) -> Any:
    """The completion as the SDK gives it."""
    replay.recording = recording
    body = json.loads(recording.request_body)
    if not body.get("stream"):
        return replay.client.chat.completions.create(**body)
    state = ChatCompletionStreamState()
    for chunk in replay.client.chat.completions.create(**body):
        state.handle_chunk(chunk)
    # The state keeps the first chunk's model, which Azure's leading chunk leaves empty.
    return state.current_completion_snapshot.model_copy(update={"model": chunk.model})


def ours(recording: Recording) -> Reading | Unreadable:
    request = CODEC.read_request(recording)
    (reading,) = CODEC.decode(Lot("l", {"c": request}), (CODEC.from_http(recording),)).values()
    return reading


def of(kind: str, among: list[Recording]) -> Any:
    wanted = [one for one in among if ("/embeddings?" in one.url) == (kind == "embeddings")]
    return pytest.mark.parametrize("recording", wanted, ids=lambda one: one.id)


def test_all_of_them_are_tried():
    assert (len(ANSWERED), len(REFUSED)) == (20, 5)


@of("chat", ANSWERED)
def test_a_chat_reads_as_the_sdk_reads_it(replay: Replay, recording: Recording):
    theirs = sdk_chat(replay, recording)
    reading = ours(recording)
    assert isinstance(reading, Reading)
    chat = reading.output
    assert isinstance(chat, Chat)
    if not theirs.choices:  # a prompt that the filter stopped, recorded with status 200
        assert (chat.stop_raw, chat.filter.where) == (theirs.model_extra["error"]["code"], "prompt")
        return
    choice = theirs.choices[0]
    message = choice.message
    assert chat.text == ((message.content if message is not None else None) or "")
    assert chat.stop_raw == choice.finish_reason
    assert [call.name for call in chat.tool_calls] == [
        call.function.name for call in (message.tool_calls if message is not None else None) or ()
    ]
    assert chat.refusal == (message.refusal if message is not None else None)
    assert reading.served_model == theirs.model
    usage = theirs.usage
    assert (reading.tokens is None) == (usage is None)
    if usage is not None:
        assert (reading.tokens_in, reading.tokens_out) == (usage.prompt_tokens, usage.completion_tokens)
        details = usage.completion_tokens_details
        assert reading.tokens.reasoning == (details.reasoning_tokens if details is not None else None)


@of("embeddings", ANSWERED)
def test_an_embedding_reads_as_the_sdk_reads_it(replay: Replay, recording: Recording):
    replay.recording = recording
    body = json.loads(recording.request_body)
    # The SDK decodes base64 only where it asked for it by itself.
    theirs = replay.client.embeddings.create(input=body["input"], model=body["model"])
    reading = ours(recording)
    assert isinstance(reading.output, Embedding)
    assert np.array_equal(reading.output.vectors, np.array([one.embedding for one in theirs.data]))
    assert reading.tokens_in == theirs.usage.prompt_tokens


@pytest.mark.parametrize("recording", REFUSED, ids=lambda one: one.id)
def test_a_refusal_is_what_the_sdk_raises(replay: Replay, recording: Recording):
    replay.recording = recording
    with pytest.raises(openai.APIStatusError) as caught:
        replay.client.chat.completions.create(messages=[], model="m")
    reading = ours(recording)
    assert isinstance(reading, Unreadable)
    assert (reading.status, reading.code) == (caught.value.status_code, caught.value.code)
    denied = isinstance(caught.value, openai.AuthenticationError)
    assert reading.kind is (FailureKind.DENIED if denied else FailureKind.REJECTED)


@pytest.mark.parametrize("recording", ALL, ids=lambda one: one.id)
def test_a_request_goes_out_again_with_the_members_it_came_with(recording: Recording):
    request = CODEC.read_request(recording)
    sent = CODEC.next(Lot("l", {"c": request}), ()).body
    came = json.loads(recording.request_body)
    assert {name: value for name, value in sent.items() if name in came and name != "model"} == {
        name: [value] if name == "input" else value for name, value in came.items() if name != "model"
    }
    assert sent.keys() - came.keys() <= {"stream_options"}
    assert request.params["model"] in recording.url
