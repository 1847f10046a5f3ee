"""Decisions as runs of an MLflow tracking server: metrics, parameters, tags and the report's pages.

The extra `mlflow` installs the client (mlflow-skinny). An Azure ML workspace is such a server; its tracking URI begins
with azureml:// and needs the package azureml-mlflow besides. A suite's run is a run there; told again, it is changed.
"""

from __future__ import annotations

import importlib.util
import math
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.config import Mlflow, Network
from harness.core import registry
from harness.core.report import ParityReport
from harness.core.verdict import Finding
from harness.errors import ConfigError
from harness.reporters._parts.words import decided, headline, verdict_word
from harness.run.publish_page import Bulletin

REPORTS = ("html", "json", "markdown")
_RUN = "parity.run"
_SETTINGS = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # standard output is `--json`'s
}
_MOST_PARAM, _MOST_TAG = 500, 5000  # characters; MLflow of before 2.8 took 500 of a parameter


def check() -> None:
    """Raises ConfigError where the client is not installed."""
    if importlib.util.find_spec("mlflow") is None:
        raise ConfigError('publish: mlflow needs its client. Install it: pip install "parity-harness[mlflow]"')


def tell(bulletin: Bulletin, settings: Mlflow, network: Network) -> None:
    """Raises what MLflow raises."""
    with _way(network):
        from mlflow.tracking import MlflowClient

        client = MlflowClient(tracking_uri=settings.tracking_uri)
        found = client.get_experiment_by_name(settings.experiment)
        experiment = found.experiment_id if found is not None else client.create_experiment(settings.experiment)
        for report in bulletin.reports:
            _tell(client, experiment, report, bulletin)


def _tell(client: Any, experiment: str, report: ParityReport, bulletin: Bulletin) -> None:
    from mlflow.entities import Metric, Param, RunTag

    before = client.search_runs([experiment], f"tags.`{_RUN}` = '{_quoted(report.run)}'", max_results=1)
    if before:
        run = before[0].info.run_id
    else:
        started = int(report.started_at.timestamp() * 1000)
        run = client.create_run(
            experiment, start_time=started, tags={_RUN: report.run}, run_name=report.run
        ).info.run_id
    ended = int(report.finished_at.timestamp() * 1000)
    client.log_batch(
        run,
        metrics=[Metric(name, value, ended, 0) for name, value in metrics(report).items()],
        params=[] if before else [Param(name, value[:_MOST_PARAM]) for name, value in params(report).items()],
        tags=[RunTag(name, value[:_MOST_TAG]) for name, value in tags(report, bulletin).items()],
    )
    with tempfile.TemporaryDirectory(prefix="parity-") as folder:
        for name in REPORTS:
            reporter = registry.load("reporters", name)
            path = Path(folder) / f"report{reporter.suffix}"
            path.write_bytes(reporter.render(report))
            client.log_artifact(run, str(path))
    # MLflow's "FAILED" is a run that broke; one that says NO-GO did its work.
    client.set_terminated(run, "FINISHED", ended)


def params(report: ParityReport) -> dict[str, str]:
    """What was run."""
    decision = decided(report)
    return {
        "suite": report.suite,
        "profile": report.profile,
        "pair": report.pair,
        "translation": report.translation,
        "mode": f"{report.mode}{' reverse' if report.reverse else ''}",
        "seed": str(report.seed),
        "golden_sha256": report.golden_sha256,
        "policy_sha256": decision.policy_sha256 if decision is not None else "none",
        **{f"{side.side.value}_endpoint": f"{side.service} {side.endpoint}" for side in report.sides},
    }


def tags(report: ParityReport, bulletin: Bulletin) -> dict[str, str]:
    """What was decided, in words."""
    return {
        "parity.suite": report.suite,
        "parity.verdict": verdict_word(report),
        "parity.verdict_of_all": bulletin.verdict,
        "parity.signature": report.signature,
        **({} if report.planted is None else {"parity.planted": report.planted}),
        **({} if bulletin.url is None else {"parity.url": bulletin.url}),
        "mlflow.note.content": f"{verdict_word(report)}. {headline(report)}",
    }


def metrics(report: ParityReport) -> dict[str, float]:
    """Numbers by name; those that are none are left out. go: 1 for GO, 0 for all else."""
    found: dict[str, float | None] = {
        "go": float(verdict_word(report) == "GO"),
        "cases": float(report.cases),
        "replayed": float(report.replayed),
    }
    decision = decided(report)
    for finding in decision.findings if decision is not None else ():
        found.update(_numbers(finding))
    for side in report.sides:
        name = side.side.value
        found |= {f"{name}/p50_s": side.p50_s, f"{name}/p95_s": side.p95_s, f"{name}/p99_s": side.p99_s}
        found |= {f"{name}/calls": float(side.calls), f"{name}/answered": float(side.answered)}
        found |= {f"{name}/attempts": float(side.attempts), f"{name}/throttled": float(side.throttled_attempts)}
    for one in report.metrics:
        found |= {
            f"metric/{one.metric}/target_mean": one.target_mean,
            f"metric/{one.metric}/noise_mean": one.noise_mean,
        }
    return {_word(name): value for name, value in found.items() if value is not None and math.isfinite(value)}


def _numbers(finding: Finding) -> Mapping[str, float | None]:
    if finding.evidence is None:
        return {}
    where = finding.criterion if finding.slice is None else f"{finding.criterion}/{finding.slice}"
    return {
        f"criterion/{where}/{name}": float(getattr(finding.evidence, name))
        for name in ("estimate", "low", "high", "margin", "units")
    }


def _word(name: str) -> str:
    """MLflow takes letters, digits and _-. /:; no name may climb out of its folder."""
    return re.sub(r"[^A-Za-z0-9_\-. /]", "_", name).replace("..", "__")[:250]


def _quoted(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.:-]", "", text)


@contextmanager
def _way(network: Network) -> Iterator[None]:
    """MLflow's client is told of proxy and certificates by the environment, and waits minutes unless told not to."""
    from harness.services._network import Way

    way = Way(network)
    said = {name: os.environ.get(name, value) for name, value in _SETTINGS.items()}
    if way.ca_file is not None:
        said["REQUESTS_CA_BUNDLE"] = way.ca_file
    if way.proxy is not None:
        said |= {"HTTP_PROXY": way.proxy, "HTTPS_PROXY": way.proxy}
    if way.certificate is not None:
        said["MLFLOW_TRACKING_CLIENT_CERT_PATH"] = str(way.certificate)
    before = {name: os.environ.get(name) for name in said}
    os.environ.update(said)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        way.close()
