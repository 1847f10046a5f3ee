"""`parity translate`: a line a case, without network, whatever becomes of the case."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.core.case import Provenance, Recording
from harness.recordings.lines import StoredCase
from harness.recordings.store import write

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: Any) -> None:
        raise AssertionError("a translation opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def golden(folder: Path, *bodies: tuple[str, str]) -> Path:
    """A set of SageMaker recordings, (service, CSV) each."""
    cases = [
        StoredCase(
            recording=Recording(
                id=f"case-{number}",
                service=service,
                operation="InvokeEndpoint",
                request_headers={"content-type": "text/csv"},
                request_body=body.encode(),
                request_id=f"request-{number}",
                provenance=Provenance(captured_at=None, captured_from="test"),
            )
        )
        for number, (service, body) in enumerate(bodies)
    ]
    write(
        folder,
        cases,
        name="made",
        description="made for a test",
        service="sagemaker",
        operation="InvokeEndpoint",
        licence="none",
        source="test",
        split="none",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return folder


def lines(capsys: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_each_case_is_a_line_with_the_body_that_would_be_sent(tmp_path: Path, capsys: Any):
    folder = golden(tmp_path / "set", ("sagemaker", "4.5,nan"), ("sagemaker", "1,2"))
    assert main(["translate", str(folder), "--pair", "sagemaker_to_azureml", "--json"]) == 0
    first, second = lines(capsys)
    assert first == {
        "case": "case-0",
        "from": {"format": None, "path": None, "index": None, "line": None, "request_id": "request-0"},
        "source": {"service": "sagemaker", "operation": "InvokeEndpoint", "model": None},
        "target": {"service": "azureml", "api": "score", "model": None},
        "request": {"input_data": [[4.5, None]]},
        "departures": [
            {
                "field": "2",
                "source_value": "nan",
                "target_value": "null",
                "reason": "JSON has no other word for a value that is missing",
            }
        ],
        "error": None,
    }
    assert (second["request"], second["departures"]) == ({"input_data": [[1, 2]]}, [])


def test_a_case_that_cannot_be_said_is_a_line_with_an_error_and_exit_2(tmp_path: Path, capsys: Any):
    folder = golden(tmp_path / "set", ("sagemaker", "a,b"), ("sagemaker", "1,2"), ("bedrock", "{}"))
    assert main(["translate", str(folder), "--pair", "sagemaker_to_azureml", "--json"]) == 2
    first, second, third = lines(capsys)
    assert first["request"] is None
    assert "holds no number" in first["error"]
    assert second["error"] is None
    assert 'recorded from "bedrock"' in third["error"]


def test_a_person_reads_departures_counted_with_examples(tmp_path: Path, capsys: Any):
    folder = golden(tmp_path / "set", ("sagemaker", "1,nan"), ("sagemaker", "2,nan"), ("sagemaker", "1,2"))
    assert main(["translate", str(folder), "--pair", "sagemaker_to_azureml"]) == 0
    out = capsys.readouterr().out
    assert "sagemaker_to_azureml: 3 cases, 2 with departures, 0 with an error" in out
    assert "case-0, case-1" in out


def test_pair_and_options_may_come_from_a_suite(capsys: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(ROOT)
    assert main(["translate", "visits", "--suite", str(ROOT / "suites" / "visits")]) == 0
    assert "1,619 cases" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["--pair", "sagemaker_to_azureml", "--suite", "suites/visits"]])
def test_one_of_pair_and_suite_is_asked_for(arguments: list[str], capsys: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(ROOT)
    assert main(["translate", "visits", *arguments]) == 2
    assert "name a pair (--pair) or a suite (--suite)" in capsys.readouterr().err


def test_an_unknown_pair_names_the_nearest(capsys: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(ROOT)
    assert main(["translate", "visits", "--pair", "sagemaker_to_azure"]) == 2
    assert 'Did you mean "sagemaker_to_azureml"' in capsys.readouterr().err
