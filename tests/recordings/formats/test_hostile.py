"""No input crashes a format, hangs it or fills memory: whatever a file holds is records, rejects and skips."""

from __future__ import annotations

import gzip
import json
import time
import tracemalloc

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.core import registry
from harness.recordings.formats import Found, Record, Reject, Skip, _streams
from tests.small.logs import read

FORMATS = registry.names("recordings.formats")
# Pieces of every format's own words, so that mutations get past the first check.
WORDS = [
    b'{"operation":"Converse","modelId":"m","input":{"inputBodyJson":',
    b'{"captureData":{"endpointInput":{"data":"',
    b'"encoding":"BASE64"}},"eventMetadata":{"inferenceTime":1e999}}',
    b"interactions:\n- request:\n    method: POST\n    uri: http://h/model/m/invoke\n    body: ",
    b'{"request":{"messages":[',
    b'{"recordId":"../../etc/passwd","modelInput":{},"modelOutput":',
    b'{"custom_id":"a","body":{"messages":[]},"response":{"body":',
    b'{"type":"azureml.inference.request","correlationid":"c","data":',
    b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":[',
    b"NaN",
    b"Infinity",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b'"\\ud800"',
    b"&a *a ",
    b"}",
    b"]",
    b"\n",
    b"\r",
    b"\0",
    b"!!python/object:os ",
    b"\x1f\x8b\x08",
    b"PAR1",
]
hostile = st.lists(st.sampled_from(WORDS) | st.binary(max_size=8), max_size=12).map(b"".join)


def settled(found: list[Found]) -> bool:
    return all(isinstance(one, Record | Reject | Skip) for one in found)


@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(content=hostile)
def test_no_content_crashes_a_format(form, content):
    assert settled(read(form, content))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    "content",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"operation":"Converse","modelId":"m","input":{"inputBodyJson":' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
        b'{"request":{"messages":' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"}}",
        b"interactions:\n- request:\n    uri: http://h/model/m/invoke\n    parsed_body: " + b"[" * 5000,
        b"- " * 5000,
        b"{" * 20_000,
    ],
    ids=["lists", "objects", "a body", "messages", "yaml in flow", "yaml in block", "yaml maps"],
)
def test_deep_nesting_is_refused_in_time(form, content):
    started = time.monotonic()
    assert settled(read(form, content))
    assert time.monotonic() - started < 20


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gzip", "zstd"])
@pytest.mark.parametrize("form", FORMATS)
def test_a_bomb_is_read_no_further(form, pack, monkeypatch):
    monkeypatch.setattr(_streams, "FREE", 1 << 20)
    found = read(form, pack(bytes(24 << 20)))
    assert settled(found)
    assert not any(isinstance(one, Record) for one in found)


@pytest.mark.parametrize("form", ["bedrock_log", "sagemaker_capture", "openai_jsonl"])
def test_a_line_without_end_is_one_reject_and_takes_no_more_memory(form, monkeypatch):
    """32 MiB in one line, of which LONGEST is ever held; the record after it is read."""
    monkeypatch.setattr(_streams, "LONGEST", 1 << 20)
    good = json.dumps(
        {
            "request": {"messages": []},
            "operation": "Converse",
            "modelId": "m",
            "input": {"inputBodyJson": {}},
            "captureData": {"endpointInput": {"data": "1"}},
        }
    ).encode()
    content = b"x" * (32 << 20) + b"\n" + good
    tracemalloc.start()
    try:
        first, second = read(form, content)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(first, Reject)
    assert "longer than" in first.reason
    assert isinstance(second, Record)
    assert peak < 8 << 20


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gzip", "zstd"])
def test_a_torn_archive_keeps_what_came_before(pack):
    line = b'{"request": {"messages": []}}\n'
    whole = pack(b"".join(line.replace(b"[]", b'["%d"]' % n) for n in range(20_000)))
    found = read("openai_jsonl", whole[: len(whole) // 2])
    assert isinstance(found[-1], Reject)
    assert len(found) > 1
    assert all(isinstance(one, Record) for one in found[:-1])


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gzip", "zstd"])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_an_archive_torn_anywhere_never_passes_for_a_whole_one(pack, data):
    """Of one member or several: what is lost is told, and what is left is a beginning of what was there."""
    texts = data.draw(st.lists(st.lists(st.integers(0, 10**9), max_size=30), min_size=1, max_size=3))
    lines = [b"".join(b'{"request": {"messages": ["%d"]}}\n' % number for number in part) for part in texts]
    members = [pack(part) for part in lines]
    whole = b"".join(members)
    records = sum(map(len, texts))
    assert [type(one) for one in read("openai_jsonl", whole)] == [Record] * records
    ends = {sum(map(len, members[:count])) for count in range(len(members) + 1)}
    cut = data.draw(st.integers(0, len(whole)).filter(lambda at: at not in ends))
    found = read("openai_jsonl", whole[:cut])
    assert isinstance(found[-1], Reject)
    said = [one.recording.request_body for one in found if isinstance(one, Record)]
    assert said == [one.recording.request_body for one in read("openai_jsonl", b"".join(lines))[: len(said)]]
