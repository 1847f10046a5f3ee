"""The short way through an import writes what the long way writes, byte for byte."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core import registry
from harness.core.case import Provenance, Recording
from harness.core.protocols import Gists
from harness.recordings.formats import Format, Found, Log
from harness.recordings.pseudonyms import Pseudonyms
from harness.run import importing
from harness.run.making import Options
from harness.run.outcomes import asked, gist_of
from harness.run.recorded import codec_of
from tests.small.logs import PATIENT, MemoryLog

NOW = datetime(2026, 11, 20, tzinfo=UTC)


@dataclass(frozen=True)
class Long:
    """A format of which only the long way is known."""

    inner: Format

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def service(self) -> str:
        return self.inner.service

    @property
    def operation(self) -> str:
        return self.inner.operation

    @property
    def sampled(self) -> bool:
        return self.inner.sampled

    def read(self, log: Log) -> Iterator[Found]:
        return self.inner.read(log)


def written(folder: Path, form: str, files: dict[str, bytes]) -> list[dict[str, bytes]]:
    """The files of the set, the short way and the long way."""
    built = registry.load("recordings.formats", form)
    sets = []
    for way, one in (("short", built), ("long", Long(built))):
        into = folder / way / "golden"
        importing.run(one, MemoryLog(files), into, Options(), now=lambda: NOW)
        sets.append({path.name: path.read_bytes() for path in sorted(into.iterdir())})
    return sets


numbers = st.integers(0, 3).map(str) | st.just("0.5")
cells = numbers | st.sampled_from(["", "a b", '"x"', "é", "\\", "\t", " 1", "a\rb", "\0"])
tables = st.lists(st.lists(cells, min_size=1, max_size=3).map(",".join), max_size=3).map("\n".join)
tables_in_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.just(10**30),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["instances", "features", "b", "a"]), inner, max_size=2)
    ),
    max_leaves=8,
).map(json.dumps)
whole = st.sampled_from(['{"instances":[[1,"a"]]}', '[["a","b"]]', '{"b":1,"a":[]}', "[[1.0],[2]]", "{", '["\\ud800"]'])
texts = tables | st.sampled_from(["1,2\n", "\n1", "1\n\n2"]) | whole | tables_in_json
times = st.sampled_from(
    ["2026-11-01T09:12:33Z", "2026-11-01T10:12:33.25+01:00", "{%s}", "2031-01-01T00:00:00Z", "2026-11-01", None]
)
halves = st.fixed_dictionaries(
    {"data": texts, "encoding": st.sampled_from(["CSV", "CSV", "JSON"])},
    optional={"observedContentType": st.sampled_from(["text/csv", "text/csv; charset=utf-8", "application/json"])},
)
captures = st.fixed_dictionaries(
    {
        "captureData": st.fixed_dictionaries({}, optional={"endpointInput": halves, "endpointOutput": halves}),
        "eventMetadata": st.fixed_dictionaries({"inferenceTime": times}, optional={"eventId": st.just("e")}),
    }
)

blocks = st.fixed_dictionaries({"text": st.sampled_from(["a", "b", "é\n"])}) | st.sampled_from(
    [{"type": "text", "text": "a"}, {"image": {}}, {"toolUse": {"toolUseId": "1", "name": "n", "input": {}}}, {}, 3]
)
messages = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "user", "system"])},
    optional={"content": st.sampled_from(["a", "b"]) | st.lists(blocks, max_size=2), "name": st.just("x")},
)
bodies = st.fixed_dictionaries(
    {},
    optional={
        "messages": st.lists(messages, max_size=2),
        "system": st.sampled_from(["s", [{"text": "s"}], [{"type": "text", "text": "s"}], None]),
        "inferenceConfig": st.sampled_from([{"maxTokens": 5}, {"temperature": 0.0, "topP": 1}, {"other": 1}, None]),
        "anthropic_version": st.sampled_from(["bedrock-2023-05-31", "x"]),
        "max_tokens": st.sampled_from([5, "5", 5.0]),
        "stop_sequences": st.sampled_from([["x"], "x"]),
        "schemaVersion": st.just("messages-v1"),
        "modelId": st.just("m"),
        "prompt": st.just("p"),
    },
)
usual = st.sampled_from([{"messages": [{"role": "user", "content": [{"text": text}]}]} for text in "abc"])
answers = st.sampled_from(
    [
        {"output": {"message": {"role": "assistant", "content": [{"text": "4"}]}}, "stopReason": "end_turn"},
        {"output": {"message": {"role": "assistant", "content": [{"text": "5"}]}}, "usage": {"inputTokens": 1}},
        {"content": [{"type": "text", "text": "4"}], "model": "claude-x", "stop_reason": "end_turn"},
        None,
        "cut off",
    ]
)
MODELS = ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "amazon.nova-lite-v1:0", "meta.llama3-8b-instruct-v1:0", "m")
logged = st.fixed_dictionaries(
    {
        "timestamp": times,
        "operation": st.sampled_from(["Converse", "InvokeModel", "ConverseStream", "Other"]),
        "modelId": st.sampled_from(MODELS),
        "input": st.builds(lambda body: {"inputBodyJson": body, "inputTokenCount": 3}, usual | bodies),
        "output": st.builds(lambda body: {"outputBodyJson": body}, answers),
    },
    optional={
        "requestId": st.sampled_from(["r", "s"]),
        "region": st.just("us-east-1"),
        "errorCode": st.just("ThrottlingException"),
        "status": st.sampled_from([200, "429"]),
    },
)
records = st.one_of(
    st.tuples(st.just("sagemaker_capture"), st.lists(captures, max_size=8)),
    st.tuples(st.just("bedrock_log"), st.lists(logged, max_size=8)),
)
between_lines = st.sampled_from(["", "{", "\n", '{"logEvents": [{"message": "{}"}]}'])
PATHS = ("a.jsonl", "e/v/2026/11/01/09/a.jsonl", "odd\n.jsonl", "\udcff.jsonl")


@PATIENT
@given(records, st.sampled_from(PATHS), between_lines, st.data())
def test_both_ways_write_the_same_bytes(tmp_path_factory: pytest.TempPathFactory, drawn, path, between, data):
    form, log = drawn
    again = data.draw(st.lists(st.sampled_from(log), max_size=4)) if log else []
    lines = [json.dumps(one, ensure_ascii=False) for one in log + again]
    content = f"\n{between}\n".join([*lines, *lines[:1], ""]).encode()
    short, long = written(tmp_path_factory.mktemp("sets"), form, {path: content, "b/" + path: content})
    assert short == long


@pytest.mark.parametrize("form", ["sagemaker_capture", "bedrock_log"])
def test_the_short_way_is_taken(tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch):
    """Usual records, their repeats aside, need no recording made of them."""
    half = {"encoding": "CSV", "data": "1,2"}
    usual_lines: dict[str, Any] = {
        "sagemaker_capture": {"captureData": {"endpointInput": half, "endpointOutput": half}},
        "bedrock_log": {
            "operation": "Converse",
            "modelId": MODELS[0],
            "input": {"inputBodyJson": {"messages": [{"role": "user", "content": [{"text": "2+2?"}]}]}},
            "output": {"outputBodyJson": {"stopReason": "end_turn"}},
        },
    }
    built = registry.load("recordings.formats", form)
    made: list[str] = []
    monkeypatch.setattr("harness.recordings.plain.Plain.record", lambda plain: made.append(plain.id))
    log = MemoryLog({"a": json.dumps(usual_lines[form]).encode()})
    assert importing.run(built, log, tmp_path / "g", Options(), now=lambda: NOW).manifest.cases == 1
    assert made == []


def recording(service: str, operation: str, model: str, kind: str, body: str) -> Recording:
    return Recording(
        id="r",
        service=service,
        operation=operation,
        model=model,
        request_headers={"content-type": kind},
        request_body=body.encode(),
        provenance=Provenance(captured_at=None),
    )


@PATIENT
@given(
    st.tuples(st.just("sagemaker"), st.just("InvokeEndpoint"), st.just("m"), texts)
    | st.tuples(
        st.just("bedrock"),
        st.sampled_from(["Converse", "InvokeModel", "InvokeModelWithResponseStream"]),
        st.sampled_from(MODELS),
        (bodies | usual).map(json.dumps),
    ),
    st.sampled_from(["text/csv", "Text/CSV; charset=utf-8", "application/json"]),
)
def test_a_gist_is_that_of_the_request_that_was_read(drawn, kind):
    service, operation, model, body = drawn
    codec = codec_of(service)
    assert isinstance(codec, Gists)
    gist = codec.gist(operation, model, kind, body)
    if gist is not None:
        one = recording(service, operation, model, kind, body)
        neutral = asked(one)
        assert neutral is not None
        assert gist == gist_of(one, neutral)


SEEN = ("ann" + "@" + "example" + ".com", "4111" + "111111111111", "plain", "7", "AKIA" + "A1B2" * 4, "10." + "1.2.3")
sayings = st.lists(st.sampled_from(SEEN), min_size=1, max_size=2).map(" ".join)


@st.composite
def revealing(draw: st.DrawFn) -> tuple[str, list[dict[str, Any]]]:
    """Usual records, with what redaction finds in any of their places."""

    def said() -> str:
        return draw(st.sampled_from(["plain"] * 6) | sayings)

    def capture() -> dict[str, Any]:
        halves = {
            side: {
                "encoding": draw(st.sampled_from(["CSV", "JSON", "BASE64"])),
                "observedContentType": draw(st.sampled_from(["text/csv", "application/json", "text/event-stream"])),
                "data": draw(st.sampled_from([f"1,2,{said()}", json.dumps([[said(), 1]]), f"data: {said()}\n\n"])),
            }
            for side in ("endpointInput", "endpointOutput")
        }
        for half in halves.values():
            if half["encoding"] == "BASE64":
                half["data"] = base64.b64encode(half["data"].encode()).decode()
        return {
            "captureData": halves,
            "eventMetadata": {"eventId": said(), "inferenceTime": draw(times.filter(lambda at: at is not None))},
        }

    def call() -> dict[str, Any]:
        return {
            "timestamp": "2026-11-01T09:12:33Z",
            "operation": draw(st.sampled_from(["Converse", "ConverseStream"])),
            "modelId": draw(st.sampled_from([MODELS[0], f"m/{said()}"])),
            "requestId": said(),
            "region": said(),
            "input": {
                "inputBodyJson": {"messages": [{"role": "user", "content": [{"text": said()}]}]},
                "inputTokenCount": 3,
            },
            "output": {"outputBodyJson": {"stopReason": "end_turn", "n": said()}, "outputTokenCount": 3},
        }

    form, one = draw(st.sampled_from([("sagemaker_capture", capture), ("bedrock_log", call)]))
    return form, [one() for _ in range(draw(st.integers(1, 8)))]


@PATIENT
@given(
    revealing(),
    st.sampled_from(["a.jsonl", "e/v/2026/11/01/09/a.jsonl", f"{SEEN[0]}/a.jsonl", f"{SEEN[0]}/v/2026/11/01/09/b"]),
)
def test_both_ways_redact_alike(tmp_path_factory: pytest.TempPathFactory, drawn, path):
    form, log = drawn
    content = "\n".join(json.dumps(one) for one in [*log, *log]).encode()
    built = registry.load("recordings.formats", form)
    sets = []
    for way, one in (("short", built), ("long", Long(built))):
        into = tmp_path_factory.mktemp(way) / "golden"
        options = Options(redactor=Pseudonyms(key=b"k" * 32))
        importing.run(one, MemoryLog({path: content}), into, options, now=lambda: NOW)
        sets.append({file.name: file.read_bytes() for file in sorted(into.iterdir())})
    assert sets[0] == sets[1]
    for secret in (SEEN[0], SEEN[4]):  # a number on its own in a table stays
        assert not any(secret.encode() in written for written in sets[0].values())
