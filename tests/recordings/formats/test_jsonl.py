"""JSON lines with a map of keys."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.call import Answer, CallFailure
from harness.errors import ConfigError
from harness.recordings import gaps
from harness.recordings.formats import Record, Reject
from harness.run.recorded import recorded
from tests.small.logs import PATIENT, read, recordings


def lines(*tables: Any) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in tables)


bodies = st.dictionaries(st.text(max_size=5), st.integers(-9, 9), min_size=1, max_size=3)


@PATIENT
@given(st.lists(st.tuples(bodies, bodies), max_size=4))
def test_what_was_written_comes_back(written):
    content = lines(*({"q": asked, "a": said, "t": 1793524353} for asked, said in written))
    found = recordings("jsonl", content, request="q", response="a", time="t")
    assert [(json.loads(one.request_body), json.loads(one.response_body or b"")) for one in found] == written
    assert {str(one.provenance.captured_at) for one in found} <= {"2026-11-01 09:12:33+00:00"}


def test_every_column_says_what_its_name_says():
    row = {"f1": 1, "f2": 2.5, "p": 0.5, "id": "r", "who": "k", "y": 1, "s": 503, "took": 0.25, "m": "v2"}
    (one,) = read(
        "jsonl",
        lines(row),
        features="f1,f2",
        answers="p",
        request_id="id",
        cluster="who",
        expected="y",
        status="s",
        latency_s="took",
        model="m",
        service="azureml",
        operation="score",
    )
    assert isinstance(one, Record)
    recording = one.recording
    assert (recording.request_body, recording.response_body) == (b"1,2.5", b"0.5")
    assert (recording.request_id, recording.status, recording.latency_s, recording.model) == ("r", 503, 0.25, "v2")
    assert (recording.service, recording.operation) == ("azureml", "score")
    assert recording.request_headers == {"content-type": "text/csv"}
    assert (one.cluster, one.expected, one.labels) == ("k", 1, ("r",))


def test_a_key_that_is_not_there_says_nothing():
    (one,) = recordings("jsonl", lines({"request": "1,2"}))
    assert (one.request_body, one.response_body) == (b"1,2", None)
    assert gaps.NO_ANSWER in one.provenance.flags


@PATIENT
@given(
    st.sampled_from([None, "", 200, "200", 200.0, "200.0", 429, "503", 0, -1, "ok", "error", True, 1e308, [200], {}]),
    st.sampled_from([None, "", "0.5"]),
)
def test_a_status_is_what_its_column_says_and_a_failure_is_never_an_answer(status, answer):
    """A word or a 0, as clients log a call that broke off, is no status: whether it was answered nobody can say."""
    (one,) = read("jsonl", lines({"request": "1,2", "response": answer, "s": status}), status="s")
    said = {200: 200, "200": 200, "200.0": 200, 429: 429, "503": 503}
    if status in (None, ""):
        code = None
    elif isinstance(status, bool | list | dict) or status not in said:
        assert isinstance(one, Reject)
        return
    else:
        code = said[status]
    assert isinstance(one, Record)
    assert one.recording.status == code
    outcome = recorded(one.recording)
    expected = CallFailure if (code or 0) >= 400 else Answer if answer else type(None)
    assert isinstance(outcome, expected)


@pytest.mark.parametrize("text", [b"{", b"[]", b"{}", b'{"request": ""}', b'{"request": NaN}'])
def test_what_asks_nothing_is_refused(text):
    (one,) = read("jsonl", text)
    assert isinstance(one, Reject)


@pytest.mark.parametrize(
    "options", [{"request": "a", "features": "b"}, {"response": "a", "answers": "b", "request": "c"}]
)
def test_a_map_that_says_two_things_is_named(options):
    with pytest.raises(ConfigError, match="a column map names either"):
        read("jsonl", b"", **options)
