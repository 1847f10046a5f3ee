"""What is frozen of an answer is what the codec reads back, for whole answers and for streams of every service."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from planned import Plain, always, planned

from harness.core.call import Event, Mode, Wire
from harness.core.case import Provenance, Recording
from harness.core.output import Chat, Scores
from harness.errors import GoldenError
from harness.run import record
from harness.run.recorded import codec_of

STREAMS = {
    "bedrock ConverseStream": [
        {"messageStart": {"role": "assistant"}},
        {"contentBlockDelta": {"delta": {"text": "yes"}, "contentBlockIndex": 0}},
        {"contentBlockStop": {"contentBlockIndex": 0}},
        {"messageStop": {"stopReason": "end_turn"}},
        {"metadata": {"usage": {"inputTokens": 3, "outputTokens": 1, "totalTokens": 4}, "metrics": {"latencyMs": 9}}},
    ],
    "azure_openai chat.completions": [
        {
            "id": "c1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "m",
            "choices": [{"index": 0, "delta": {"role": "assistant", "content": "yes"}, "finish_reason": None}],
        },
        {
            "id": "c1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "m",
            "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
        },
    ],
    "bedrock InvokeModelWithResponseStream": [
        {
            "type": "message_start",
            "message": {"role": "assistant", "content": [], "usage": {"input_tokens": 3, "output_tokens": 1}},
        },
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "yes"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}},
        {"type": "message_stop"},
    ],
}


@pytest.mark.parametrize("which", STREAMS)
def test_a_stream_is_frozen_as_the_events_that_the_codec_reads_back(which: str):
    service, operation = which.split()
    recording = Recording(
        id="r1",
        service=service,
        operation=operation,
        model="anthropic.claude-3-5-sonnet-20240620-v1:0" if service == "bedrock" else "m",
        status=200,
        response_headers={"content-type": "application/json"},
        response_body=json.dumps(STREAMS[which]).encode(),
        provenance=Provenance(captured_at=None, captured_from="made for a test", flags=("not_wire_bytes",)),
    )
    wire = codec_of(service).from_http(recording)
    assert len(wire.events) == len(STREAMS[which])
    body, flags = record.http(wire)
    assert flags == ("not_wire_bytes",)
    assert json.loads(body) == STREAMS[which]


def test_bytes_are_frozen_as_they_came():
    assert record.http(Wire(operation="InvokeEndpoint", body=b"\xff0.5\n")) == (b"\xff0.5\n", ())


def test_an_event_that_names_itself_is_not_named_twice():
    data = {"type": "response.completed", "response": {}}
    wire = Wire(operation="responses", events=(Event(0.1, "response.completed", data),))
    assert json.loads(record.http(wire)[0]) == [data]


class Forgetful(Plain):
    """Its recordings read back as something else than what came."""

    def from_http(self, recording: Recording) -> Wire:
        return Wire(operation="Plain", status=200, body=b"2.0")


def test_an_answer_that_would_read_back_as_another_is_refused_and_nothing_is_written(tmp_path: Path):
    plan = replace(planned(tmp_path, Forgetful(always(1)), Plain(always(1)), cases=3), mode=Mode.RECORD)
    with pytest.raises(GoldenError, match=r"case n0000\d: the source's answer would read back as another one"):
        record.record(plan, into=tmp_path / "kept", repeats=2, reports=tmp_path / "reports")
    assert not (tmp_path / "kept" / "manifest.json").exists()


@pytest.mark.parametrize(
    ("a", "b", "alike"),
    [
        (Scores(np.array([[1.0, np.nan]]), ("x", "y")), Scores(np.array([[1.0, np.nan]]), ("x", "y")), True),
        (Scores(np.array([[1.0]]), ("x",)), Scores(np.array([[1.0]]), ("y",)), False),
        (Scores(np.array([[1.0]]), ("x",)), Scores(np.array([[1.5]]), ("x",)), False),
        (Chat(text="a"), Chat(text="a"), True),
        (Chat(text="a"), Chat(text="b"), False),
        (Chat(text="a", value={"n": 1}), Chat(text="a", value={"n": 2}), False),
        (Chat(text="a"), Scores(np.array([[1.0]]), ("x",)), False),
    ],
)
def test_outputs_are_the_same_throughout_or_not_at_all(a, b, alike):
    assert record._same(a, b) is alike
