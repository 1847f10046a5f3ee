"""A record of each format in which anything may be anything else: read, told apart, imported, and never an accident.

What `test_hostile` throws at a format is mostly no record. Here a good log has one of its values replaced, left out or
doubled, so that what reads the inside of a record meets it.
"""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.core import registry
from harness.core.call import Answer
from harness.recordings.formats import Record, Reject, Skip
from harness.recordings.privacy import redactor
from harness.run import importing
from harness.run.importing import Options
from harness.run.recorded import recorded
from tests.small.logs import MemoryLog, read

CHAT: dict[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "2+2?"}], "max_tokens": 9}
COMPLETION: dict[str, Any] = {
    "object": "chat.completion",
    "created": 1793000000,
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "4"}}],
    "usage": {"prompt_tokens": 8, "completion_tokens": 2, "total_tokens": 10},
}
CONVERSE: dict[str, Any] = {"messages": [{"role": "user", "content": [{"text": "2+2?"}]}]}
CONVERSED: dict[str, Any] = {
    "output": {"message": {"role": "assistant", "content": [{"text": "4"}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 14, "outputTokens": 5, "totalTokens": 19},
}
SOURCE = "/subscriptions/0/workspaces/ws/onlineEndpoints/ep/deployments/blue"
PARTS = [{"role": "user", "parts": [{"type": "text", "content": "2+2?"}]}]
SAID = [{"role": "assistant", "parts": [{"type": "text", "content": "4"}], "finish_reason": "stop"}]
TIME = "2026-11-01T09:12:33Z"

# format -> path -> records, as the wire contracts have them
LOGS: dict[str, dict[str, list[Any]]] = {
    "azure_openai_batch": {
        "log": [
            {"custom_id": "a", "method": "POST", "url": "/chat/completions", "body": CHAT},
            {
                "custom_id": "a",
                "response": {"status_code": 200, "request_id": "r", "body": COMPLETION},
                "error": None,
            },
        ]
    },
    "azureml_collector": {
        "log": [
            {
                "type": f"azureml.inference.{half}",
                "source": SOURCE,
                "time": TIME,
                "data": data,
                "contentrange": "bytes 0-9/10",
                "correlationid": "c",
                "xrequestid": "c",
                "datainblob": "false",
            }
            for half, data in (("request", {"data": [[1, 2]]}), ("response", [0.5]))
        ]
    },
    "bedrock_batch": {
        "log": [
            {"recordId": "1", "modelInput": CONVERSE, "modelOutput": CONVERSED},
            {"recordId": "2", "modelInput": CONVERSE, "error": {"errorCode": 400, "errorMessage": "no"}},
        ]
    },
    "bedrock_log": {
        "log": [
            {
                "timestamp": TIME,
                "region": "us-east-1",
                "requestId": "r",
                "operation": "Converse",
                "modelId": "amazon.nova-lite-v1:0",
                "input": {"inputContentType": "application/json", "inputBodyJson": CONVERSE, "inputTokenCount": 14},
                "output": {"outputContentType": "application/json", "outputBodyJson": CONVERSED},
            }
        ]
    },
    "jsonl": {"log": [{"request": {"instances": [[1, 2]]}, "response": {"predictions": [0.5]}, "status": 200}]},
    "openai_jsonl": {
        "log": [
            {"request": CHAT, "response": COMPLETION, "status": 200, "latency_ms": 3, "timestamp": TIME, "id": "i"},
            {"request": CHAT, "status": 429, "error": {"code": "429", "message": "slow down"}},
        ]
    },
    "otel_genai": {
        "log": [
            {
                "spanId": "s",
                "startTimeUnixNano": "1793524353000000000",
                "endTimeUnixNano": "1793524353500000000",
                "status": {"code": 1},
                "attributes": {
                    "gen_ai.operation.name": "chat",
                    "gen_ai.provider.name": "aws.bedrock",
                    "gen_ai.request.model": "m",
                    "gen_ai.request.max_tokens": 9,
                    "gen_ai.input.messages": PARTS,
                    "gen_ai.output.messages": SAID,
                    "gen_ai.tool.definitions": [{"type": "function", "name": "f", "parameters": {}}],
                    "gen_ai.response.finish_reasons": ["stop"],
                    "gen_ai.usage.input_tokens": 3,
                    "gen_ai.usage.output_tokens": 2,
                },
            }
        ]
    },
    "sagemaker_async": {
        "in/1.csv": [1],
        "out/1.out": [0.5],
        "n.jsonl": [
            {
                "awsRegion": "us-east-1",
                "eventTime": TIME,
                "receivedTime": TIME,
                "invocationStatus": "Completed",
                "requestParameters": {
                    "contentType": "text/csv",
                    "endpointName": "e",
                    "inputLocation": "s3://b/in/1.csv",
                },
                "responseParameters": {"contentType": "text/csv", "outputLocation": "s3://b/out/1.out"},
                "inferenceId": "i",
            }
        ],
    },
    "sagemaker_batch": {
        "a.json": [{"instances": [[1, 2]]}, {"instances": [[3, 4]]}],
        "a.json.out": [
            {"predictions": [0.5], "SageMakerInferenceId": "i", "SageMakerInferenceTime": TIME},
            {"predictions": [1]},
        ],
    },
    "sagemaker_capture": {
        "log": [
            {
                "captureData": {
                    f"endpoint{half}": {
                        "observedContentType": "text/csv",
                        "mode": half.upper(),
                        "data": data,
                        "encoding": "CSV",
                    }
                    for half, data in (("Input", "1,2"), ("Output", "0.5"))
                },
                "eventMetadata": {"eventId": "e", "inferenceTime": TIME},
                "eventVersion": "0",
            }
        ]
    },
    "vcr": {
        "log": [
            {
                "request": {
                    "method": "POST",
                    "uri": "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse",
                    "headers": {"X-Amz-Date": ["20260425T080000Z"]},
                    "parsed_body": CONVERSE,
                },
                "response": {
                    "status": {"code": 200, "message": "OK"},
                    "headers": {"Date": ["Thu, 25 Apr 2024 09:22:53 GMT"], "x-amzn-requestid": ["r"]},
                    "body": {"parsed_body": CONVERSED},
                },
            }
        ]
    },
}
OTHERS: list[Any] = [
    *(None, True, 0, -1, 10**30, -(10**400), 1.5, 1e308, "", "\ud800", "\0", "429", "x" * 3000, "é\u2028"),
    *([], {}, [[]], [None], {"": None}, {"error": {"message": "no"}}, "2026-11-01T25:00:00Z", "s3://b/../x", "&a *a"),
    *(["a"] * 50, {"a": {"a": {"a": {}}}}, float("nan"), float("inf")),
]


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every value inside one, by the keys that lead to it."""
    yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inner:
        yield from places(one, (*at, name))


def changed(records: list[Any], at: tuple[Any, ...], how: str, other: Any) -> None:
    inside: Any = records
    for name in at[:-1]:
        inside = inside[name]
    if how == "replaced":
        inside[at[-1]] = other
    elif how == "left out":
        del inside[at[-1]]
    elif isinstance(inside, list):
        inside.insert(at[-1], copy.deepcopy(inside[at[-1]]))
    else:
        inside[f"{at[-1]}{other}"[:100]] = inside[at[-1]]


def written(form: str, files: dict[str, list[Any]], cut: float) -> dict[str, bytes]:
    if form == "vcr":
        content = {path: yaml.safe_dump({"interactions": one}, allow_unicode=True) for path, one in files.items()}
    else:
        content = {path: "".join(json.dumps(one) + "\r\n" for one in records) for path, records in files.items()}
    packed = {path: text.encode("utf-8", "surrogatepass") for path, text in content.items()}
    last = max(packed)
    return packed | {last: packed[last][: round(len(packed[last]) * cut)]}


def answered(form: str, files: dict[str, bytes]) -> int:
    """How many are answers; whatever else is found is told apart too."""
    options = {"status": "status"} if form == "jsonl" else {}
    found = read(form, files, **({"request": "request", "response": "response"} | options if options else {}))
    assert all(isinstance(one, Record | Reject | Skip) for one in found)
    assert all(one.reason and len(one.reason) < 300 for one in found if isinstance(one, Reject))
    return sum(isinstance(one, Record) and isinstance(recorded(one.recording), Answer) for one in found)


@pytest.mark.parametrize("form", sorted(LOGS))
def test_the_logs_hold_what_the_mutations_start_from(form):
    expected = 2 if form == "sagemaker_batch" else 1
    assert answered(form, written(form, LOGS[form], 1.0)) == expected


def test_every_format_whose_records_have_an_inside_is_asked():
    assert set(LOGS) == set(registry.names("recordings.formats")) - {"csv", "parquet", "tap"}


@pytest.mark.parametrize("form", sorted(LOGS))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_record_with_anything_in_it_is_read_told_apart_and_imported(form, data):
    files = copy.deepcopy(LOGS[form])
    for _ in range(data.draw(st.integers(1, 3))):
        records = files[data.draw(st.sampled_from(sorted(files)))]
        found = [at for at in places(records) if at]
        if found:
            at = data.draw(st.sampled_from(found))
            how = data.draw(st.sampled_from(["replaced", "left out", "doubled"]))
            changed(records, at, how, copy.deepcopy(data.draw(st.sampled_from(OTHERS))))
    cut = data.draw(st.sampled_from([1.0, 1.0, 0.9, 0.5]))
    content = written(form, files, cut)
    answered(form, content)
    built = registry.load("recordings.formats", form)
    options = Options(redactor=redactor(data.draw(st.sampled_from(["none", "default"]))))
    with tempfile.TemporaryDirectory() as folder:
        summary = importing.run(
            built, MemoryLog(content), Path(folder) / "set", options, now=lambda: datetime(2026, 11, 20, tzinfo=UTC)
        )
    told = summary.manifest.imported
    assert told is not None
    assert told.records == summary.manifest.cases + told.rejected + sum(told.skipped.values())
