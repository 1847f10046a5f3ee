"""MLflow: what a client of a real store reads back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.config import Mlflow, Network
from harness.core.report import Payloads
from harness.run import publish_mlflow
from harness.run.publish_page import Bulletin
from harness.run.publish_payloads import cleared
from tests.reporters import sample

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # of the client's own imports
    pytest.mark.skipif(
        not __import__("importlib.util").util.find_spec("mlflow"), reason="the extra mlflow is not installed"
    ),
]


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # a folder serves a test; real servers keep a database
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow.tracking import MlflowClient

    uri = f"file:{tmp_path / 'runs'}"
    yield uri, MlflowClient(tracking_uri=uri)


def told(uri: str, client: Any, *reports: Any) -> list[Any]:
    bulletin = Bulletin(reports=tuple(cleared(report) for report in reports), verdict="NO-GO")
    publish_mlflow.tell(bulletin, Mlflow(tracking_uri=uri, experiment="night"), Network())
    return list(client.search_runs([client.get_experiment_by_name("night").experiment_id]))


def test_a_run_has_metrics_parameters_tags_and_pages(client: Any, tmp_path: Path):
    uri, store = client
    report = sample.no_go(payloads=Payloads.NONE)
    (run,) = told(uri, store, report)
    assert (run.info.run_name, run.info.status) == (report.run, "FINISHED")
    assert run.info.start_time == int(report.started_at.timestamp() * 1000)
    assert run.data.metrics["go"] == 0.0
    assert run.data.metrics["criterion/labels agree/source_label_frequent/margin"] == 0.1
    assert run.data.metrics["target/p95_s"] == 0.0159
    assert run.data.params["golden_sha256"] == report.golden_sha256
    assert run.data.tags["parity.verdict"] == "NO-GO"
    assert {one.path for one in store.list_artifacts(run.info.run_id)} == {"report.html", "report.json", "report.md"}


def test_telling_it_again_changes_the_same_run(client: Any):
    uri, store = client
    told(uri, store, sample.no_go())
    (run,) = told(uri, store, sample.no_go())
    assert run.data.tags["parity.verdict"] == "NO-GO"


def test_each_suite_is_a_run_of_its_own(client: Any):
    uri, store = client
    runs = told(uri, store, sample.go(run="r1", suite="a"), sample.no_go(run="r2", suite="b"))
    assert {run.data.tags["parity.suite"]: run.data.metrics["go"] for run in runs} == {"a": 1.0, "b": 0.0}


def test_numbers_that_are_none_are_left_out():
    found = publish_mlflow.metrics(sample.no_go())
    assert "metric/score/target_mean" in found
    assert "metric/score/noise_mean" not in found
