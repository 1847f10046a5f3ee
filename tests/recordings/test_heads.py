"""What is read of a line in haste is what its case says, and nothing passes that the closer look refuses."""

from __future__ import annotations

import io
import json
import zlib
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from harness.core.case import Origin, Provenance, Recording
from harness.errors import GoldenError
from harness.recordings.heads import CHUNK, Head, head, heads
from harness.recordings.lines import StoredCase, decode, encode

WORDS = {"service": "sagemaker", "operation": "InvokeEndpoint"}
texts = st.text(max_size=8)
cases = st.builds(
    lambda link, name, said, flags, at, request, response, **words: StoredCase(
        recording=Recording(
            id=name,
            **WORDS,
            request_body=request,
            response_body=response,
            request_id=said,
            provenance=Provenance(
                captured_at=at, captured_from="", origin=Origin(format="f", path="p", index=3), flags=tuple(flags)
            ),
        ),
        **words,
        **link,
    ),
    link=st.sampled_from([{}, {"repeat_of": "x"}, {"duplicate_of": "x"}]),
    name=st.text(min_size=1, max_size=8),
    said=st.none() | texts,
    flags=st.lists(texts, max_size=2),
    at=st.none() | st.datetimes(timezones=st.just(UTC)),
    request=st.binary(max_size=8),
    response=st.none() | st.binary(max_size=8),
    cluster=texts,
    slices=st.dictionaries(texts, texts, max_size=2),
    slices_only=st.booleans(),
    expected=st.none() | st.integers() | texts | st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=2),
)
QUIET = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def agree(one: Head, case: StoredCase) -> None:
    recording = case.recording
    assert (one.id, one.cluster or one.id, one.slices) == (case.id, case.cluster, case.slices)
    assert (one.slices_only, one.call) == (case.slices_only, recording.request_id or "")
    assert one.earlier == (case.repeat_of or case.duplicate_of or "")
    assert (one.repeat_of is not UNSET) == (case.repeat_of is not None)
    assert tuple(one.provenance.flags) == recording.provenance.flags
    assert (None if one.expected is UNSET else json.loads(bytes(one.expected))) == case.expected


@QUIET
@given(st.lists(cases, max_size=4))
def test_a_head_says_what_its_case_says(made):
    text = b"".join(encode(one, **WORDS) for one in made)
    read = [one for _, found in heads(io.BytesIO(text), Path("p"), **WORDS, longest=1 << 20) for one in found]
    assert len(read) == len(made)
    for one, case in zip(read, made, strict=True):
        agree(one, case)


WHOLE: dict[str, Any] = {
    "id": "a",
    "request": {"headers": {"x": "y"}, "body": "1"},
    "response": {"status": 200, "latency_s": 0.5, "tokens": {"input": 1}, "body_base64": "AAA="},
    "slices": {"a": "b"},
    "expected": [None, {"x": 1.5}],
    "provenance": {"captured_at": "2026-11-01T00:00:00Z", "origin": {"format": "f", "path": "p", "index": 0}},
}
PLACES = [
    (key,) if inner is None else (key, inner)
    for key, table in {**WHOLE, "repeat_of": 0, "duplicate_of": 0, "cluster": 0, "service": 0, "new": 0}.items()
    for inner in (None, *(table if isinstance(table, dict) else ()), *(["body_base64"] if key == "request" else []))
]
VALUES = (
    *(None, True, 1, -1, 0, 1.5, 2**70, float("nan"), float("inf")),
    *("", "x", "AA", "\ud800", "2026-11-01T00:00:00", "0001-01-01T00:00:00+05:00", "gone"),
    *([], ["x"], [1], {}, {"x": "y"}, {"x": 1}, {"x": -1}, [[[]]]),
)
values = st.sampled_from(VALUES)


def sealed(text: bytes) -> bytes:
    return b'%b,"crc32":"%08x"}' % (text[:-1], zlib.crc32(text[:-1]))


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES), values), min_size=1, max_size=2))
def test_nothing_passes_that_the_closer_look_refuses(changes):
    table = json.loads(json.dumps(WHOLE))
    for (*above, last), value in changes:
        inner = table[above[0]] if above and isinstance(table.get(above[0]), dict) else table
        inner[last] = value
        if value == "gone":
            del inner[last]
    line = sealed(json.dumps(table).encode())
    found = head(line)
    if found is not None:
        agree(found, decode(line + b"\n", place="t", **WORDS))


@pytest.mark.parametrize("depth", [500, 100_000])
def test_what_is_nested_deeply_is_read_or_refused(depth):
    text = b'{"id":"a","request":{},"expected":%b%b,"provenance":{"captured_from":""}}'
    line = sealed(text % (b"[" * depth, b"]" * depth))
    if head(line) is not None:
        assert decode(line + b"\n", place="t", **WORDS).id == "a"
    else:
        with pytest.raises(GoldenError, match=r"nested too deeply|cannot be read"):
            decode(line + b"\n", place="t", **WORDS)


@pytest.mark.parametrize("size", [CHUNK // 2, CHUNK - 300, CHUNK, 3 * CHUNK])
def test_lines_longer_than_what_is_read_at_once_are_whole(size):
    recording = Recording(
        id="a", **WORDS, request_body=b"x" * size, provenance=Provenance(captured_at=None, captured_from="")
    )
    lines = [encode(StoredCase(recording=recording, cluster=str(at)), **WORDS) for at in range(3)]
    read = list(heads(io.BytesIO(b"".join(lines)), Path("p"), **WORDS, longest=4 * CHUNK))
    assert b"".join(chunk for chunk, _ in read) == b"".join(lines)
    assert [one.cluster for _, found in read for one in found] == ["0", "1", "2"]
