"""Azure ML's collector: the halves of a call, joined by their correlation id."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.recordings import gaps
from harness.recordings.formats import Record, Reject, Skip
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
