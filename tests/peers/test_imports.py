"""Recorded payloads that others captured, imported with nothing redacted: every record is there, as it was.

Read from ../shared/data, which a clone does not have. What the codecs make of the bodies is asked elsewhere.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness import cli
from harness.recordings.store import GoldenSet

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the folder ../shared/data is absent")


def imported(form: str, path: str, into: Path, *words: str) -> Path:
    assert cli.main(["import", form, str(DATA / path), "--redact", "none", "--into", str(into), *words]) == 0
    return into


def shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert cli.main(["golden", "show", str(folder), "--json"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def exchanges(folder: str) -> list[tuple[str, int, dict[str, Any]]]:
    """Every exchange of the cassettes as PyYAML itself reads them: file, place, exchange."""
    return [
        (path.name, index, exchange)
        for path in sorted((DATA / folder).glob("*.yaml"))
        for index, exchange in enumerate(yaml.load(path.read_bytes(), yaml.CSafeLoader)["interactions"])
    ]


def test_all_captured_records_are_cases_with_their_truth(tmp_path, capsys):
    actuals = DATA / "sagemaker_data_capture" / "actuals.jsonl"
    folder = imported("sagemaker_capture", "sagemaker_data_capture/capture.jsonl", tmp_path, "--labels", str(actuals))
    lines = [json.loads(line) for line in (DATA / "sagemaker_data_capture" / "capture.jsonl").read_text().splitlines()]
    told = shown(folder, capsys)
    assert len(told) == len(lines) == 44
    for number, (one, line) in enumerate(zip(told, lines, strict=True), start=1):
        origin = {"format": "sagemaker_capture", "path": "capture.jsonl", "index": number - 1, "line": number}
        assert one["from"] == origin | {"request_id": line["eventMetadata"]["eventId"]}
        assert one["captured_at"] is None, "inferenceTime is literally {%s}"
        assert one["request"]["payload"]["rows"] == [line["captureData"]["endpointInput"]["data"].split(",")]
        assert one["outcome"]["values"] == [[float(line["captureData"]["endpointOutput"]["data"])]]
    truth = {
        one["eventMetadata"]["eventId"]: json.loads(one["groundTruthData"]["data"])
        for one in map(json.loads, actuals.read_text().splitlines())
    }
    with GoldenSet.open(folder) as golden:
        assert [case.expected for case in golden] == [truth[line["eventMetadata"]["eventId"]] for line in lines]


@pytest.mark.parametrize(("folder", "calls", "refused"), [("bedrock_http", 37, 0), ("azure_openai_http", 25, 5)])
def test_all_recorded_calls_are_cases_byte_for_byte(folder, calls, refused, tmp_path, capsys):
    imported("vcr", folder, tmp_path)
    told, recorded = shown(tmp_path, capsys), exchanges(folder)
    assert len(told) == len(recorded) == calls
    assert sum(one["outcome"]["kind"] == "failure" and one["outcome"]["status"] >= 400 for one in told) == refused
    with GoldenSet.open(tmp_path) as golden:
        cases = list(golden)
    for one, case, (path, index, exchange) in zip(told, cases, recorded, strict=True):
        assert (one["from"]["path"], one["from"]["index"]) == (path, index)
        text = (DATA / folder / path).read_text().splitlines()
        assert text[one["from"]["line"] - 1].lstrip().startswith("- request:")
        for body, kept in (
            (exchange["request"]["body"], case.recording.request_body),
            (exchange["response"]["body"]["string"], case.recording.response_body),
        ):
            assert kept == (body.encode() if isinstance(body, str) else body)
        assert case.recording.status == exchange["response"]["status"]["code"]
        assert one["flags"] == []


def test_the_same_cassettes_under_other_names_hold_duplicates(tmp_path, capsys):
    """28 of the 34 files are distinct: what a copy holds is a duplicate, of the same call."""
    imported("vcr", "bedrock_http", tmp_path)
    with GoldenSet.open(tmp_path) as golden:
        cases = {case.id: case for case in golden}
    copies = [case for case in cases.values() if case.duplicate_of is not None]
    contents = Counter(path.read_bytes() for path in (DATA / "bedrock_http").glob("*.yaml"))
    assert sum(contents.values()) - len(contents) == 6
    assert len(copies) >= 6
    for case in copies:
        first = cases[case.duplicate_of]
        assert (case.recording.operation, case.recording.model) == (first.recording.operation, first.recording.model)


def test_a_prompt_asked_again_is_a_repeat_of_the_first(tmp_path, capsys):
    imported("vcr", "azure_openai_http", tmp_path)
    told = {one["case"]: one for one in shown(tmp_path, capsys)}
    repeats = [one for one in told.values() if one["repeat_of"] is not None]
    assert repeats
    for one in repeats:
        first = told[one["repeat_of"]]
        assert one["request"] == first["request"]
        assert one["outcome"] != first["outcome"]
