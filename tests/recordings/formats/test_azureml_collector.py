"""Azure ML's collector: the halves of a call, joined by their correlation id."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.call import Answer, CallFailure
from harness.recordings import gaps
from harness.recordings.formats import Record, Reject, Skip
from harness.run.recorded import recorded
from tests.small.logs import PATIENT, read, recordings

SOURCE = "/subscriptions/0/resourceGroups/rg/providers/x/workspaces/ws/onlineEndpoints/ep/deployments/blue"


def event(kind: str, name: str, data: Any, **change: Any) -> dict[str, Any]:
    """The example of the wire contracts, section A.5."""
    return {
        "specversion": "1.0",
        "id": "1",
        "source": SOURCE,
        "type": f"azureml.inference.{kind}",
        "time": "2026-11-01T08:59:48Z",
        "data": data,
        "correlationid": name,
    } | change


def lines(*tables: Any) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in tables)


numbers = st.lists(st.integers(-9, 9), min_size=1, max_size=3)


@PATIENT
@given(st.dictionaries(st.text(max_size=5), st.tuples(numbers, numbers), max_size=4))
def test_halves_in_different_folders_are_one_call(calls):
    files = {
        "ep/blue/request/2026/11/01/08/i.jsonl": lines(
            *(event("request", n, {"data": a}) for n, (a, _) in calls.items())
        ),
        "ep/blue/response/2026/11/01/08/i.jsonl": lines(
            *(event("response", name, calls[name][1]) for name in reversed(calls))
        ),
    }
    found = recordings("azureml_collector", files)
    assert [(json.loads(one.request_body)["data"], json.loads(one.response_body or b"")) for one in found] == list(
        calls.values()
    )
    assert [one.request_id for one in found] == list(calls)
    assert {one.model for one in found} <= {"ep"}
    assert all(one.response_headers["azureml-model-deployment"] == "blue" for one in found)


def test_rows_of_a_data_frame_are_the_request_that_mlflow_takes():
    rows = [{"age": 1, "income": 2.5}, {"age": 3, "income": 4.5}]
    content = lines(event("model_inputs", "c", rows), event("model_outputs", "c", [{"p": 0.1}, {"p": 0.2}]))
    (one,) = recordings("azureml_collector", content)
    split = {"input_data": {"columns": ["age", "income"], "data": [[1, 2.5], [3, 4.5]]}}
    assert json.loads(one.request_body) == split
    assert json.loads(one.response_body or b"") == [{"p": 0.1}, {"p": 0.2}]


def test_bodies_and_rows_of_one_call_are_not_mixed():
    content = lines(event("request", "c", [1]), event("model_outputs", "c", [2]))
    asked, lost = read("azureml_collector", content)
    assert isinstance(asked, Record)
    assert gaps.NO_ANSWER in asked.recording.provenance.flags
    assert isinstance(lost, Skip)
    assert lost.no_request


GREEN = SOURCE.replace("blue", "green")


@PATIENT
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["request", "response"]),
            st.sampled_from([SOURCE, GREEN]),
            st.sampled_from("ab"),
            st.integers(0, 1),
            st.integers(0, 2),
        ),
        max_size=8,
    )
)
def test_events_of_different_calls_are_never_joined_and_never_lost(said):
    """A mirrored call has one id in two deployments, and a caller may give many calls one id."""
    files: dict[str, list[Any]] = {}
    for half, source, name, data, file in said:
        files.setdefault(f"{file}", []).append(event(half, name, [data], source=source))
    found = read("azureml_collector", {path: lines(*tables) for path, tables in files.items()})
    joined = 0
    for one in found:
        if not isinstance(one, Record):
            continue
        recording = one.recording
        (data,), name = json.loads(recording.request_body), recording.request_id
        asked = [source for half, source, n, d, _ in said if (half, n, d) == ("request", name, data)]
        assert asked
        if recording.response_body is not None:
            deployed = recording.response_headers["azureml-model-deployment"]
            source = SOURCE if deployed == "blue" else GREEN
            answers = {d for half, s, n, d, _ in said if (half, s, n) == ("response", source, name)}
            asks = {d for half, s, n, d, _ in said if (half, s, n) == ("request", source, name)}
            assert (answers, asks) == ({json.loads(recording.response_body)[0]}, {data})
            joined += 1
    told = {(one.recording.provenance.origin if isinstance(one, Record) else one.origin) for one in found}
    assert len(told) == len(found)
    answered = {
        (source, name)
        for half, source, name, *_ in said
        if half == "response" and any(one[:3] == ("request", source, name) for one in said)
    }
    rejected = sum(isinstance(one, Reject) for one in found)
    assert len(found) + len(answered) >= len(said)
    assert rejected or len(found) + len(answered) == len(said)


def test_no_status_is_made_up_and_an_error_that_was_collected_is_no_answer():
    told = lines(
        event("request", "a", {"data": [[1]]}),
        event("response", "a", [0.5]),
        event("request", "b", {"data": [[2]]}),
        event("response", "b", {"message": "the model failed", "code": 500}),
    )
    good, bad = recordings("azureml_collector", told)
    assert (good.status, bad.status) == (None, None)
    assert isinstance(recorded(good), Answer)
    assert isinstance(recorded(bad), CallFailure)


@pytest.mark.parametrize(
    ("said", "cut"),
    [("bytes 0-38/39", False), ("bytes 0-59/*", False), ("bytes 0-38/99", True), ("bytes 39-98/99", True), (3, False)],
)
@pytest.mark.parametrize("half", ["request", "response"])
def test_a_part_of_a_body_says_so(said, cut, half):
    events = [
        event(one, "a", [1], **({"contentrange": said} if one == half else {})) for one in ("request", "response")
    ]
    (one,) = recordings("azureml_collector", lines(*events))
    assert (gaps.TRUNCATED in one.provenance.flags) == cut


def test_a_body_in_a_blob_cannot_be_replayed():
    (one,) = read("azureml_collector", lines(event("request", "c", "https://blob", datainblob="true")))
    assert isinstance(one, Skip)
    assert one.no_request


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"{", "not the JSON"),
        (lines({"type": "x"}), "lacks type or data"),
        (lines({"type": "azureml.inference.request", "data": 1}), "no correlationid"),
    ],
)
def test_what_is_no_event_is_refused(text, reason):
    (one,) = read("azureml_collector", text)
    assert isinstance(one, Reject)
    assert reason in one.reason
