"""Workflows of GitHub Actions and Azure Pipelines, read as data, and their scripts run in order in a folder.

No runner: `uses:` and `task:` steps are skipped, expressions are looked up in a table, and one that is not in it is an
error. Scripts run as GitHub runs them, `bash -e`.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

PATIENCE_S = 240


@dataclass(frozen=True)
class Ran:
    """One script that ran."""

    name: str
    code: int
    out: str
    err: str


def github(text: str) -> dict[str, Any]:
    """YAML's own types, but `on` is a word."""
    made = yaml.safe_load(text)
    return {("on" if key is True else key): value for key, value in made.items()}


def azure(text: str, *, lab: bool) -> Any:
    """Scalars are texts, as Azure reads YAML, but in tasks. `${{ if }}` is taken when `lab`, else `${{ else }}`."""
    return _taken(yaml.load(text, yaml.BaseLoader), lab)  # noqa: S506  makes texts, lists and mappings only


def run(job: Mapping[str, Any], folder: Path, *, said: Mapping[str, str], environment: Mapping[str, str]) -> list[Ran]:
    """The `run:` steps of a GitHub job, down to the first that fails. said: what each expression stands for."""
    ran = []
    for step in job["steps"]:
        if "run" not in step or not _asked(step.get("if"), {**job.get("env", {}), **step.get("env", {})}, said):
            continue
        env = {key: _filled(str(value), said) for key, value in {**job.get("env", {}), **step.get("env", {})}.items()}
        done = subprocess.run(
            ["/bin/bash", "-e", "-c", step["run"]],
            cwd=folder,
            env={**environment, **env},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        ran.append(Ran(step["name"], done.returncode, done.stdout, done.stderr))
        if done.returncode:
            break
    return ran


def steps(pipeline: Any) -> Iterator[Mapping[str, Any]]:
    """Every step of a workflow or pipeline, wherever it stands."""
    if isinstance(pipeline, Mapping):
        if any(word in pipeline for word in ("run", "uses", "bash", "task", "checkout", "download")):
            yield pipeline
        for value in pipeline.values():
            yield from steps(value)
    elif isinstance(pipeline, list):
        for value in pipeline:
            yield from steps(value)


def _asked(condition: str | None, env: Mapping[str, str], said: Mapping[str, str]) -> bool:
    if condition is None:
        return True
    found = re.fullmatch(r"env\.(\w+) (!=|==) '(\w*)'", condition)
    assert found, f"no test knows the condition {condition}"
    return (_filled(env[found[1]], said) == found[3]) == (found[2] == "==")


def _filled(text: str, said: Mapping[str, str]) -> str:
    return re.sub(r"\$\{\{\s*(.*?)\s*\}\}", lambda found: said[found[1]], text)


def _taken(value: Any, lab: bool, inputs: bool = False) -> Any:
    if isinstance(value, dict):
        return {key: _taken(one, lab, inputs or key == "inputs") for key, one in value.items()}
    if isinstance(value, list):
        made: list[Any] = []
        for one in value:
            condition = next(iter(one), "") if isinstance(one, dict) and len(one) == 1 else ""
            if not condition.startswith("${{"):
                made.append(_taken(one, lab))
            elif condition.startswith("${{ else") != lab:
                made += _taken(one[condition], lab)
        return made
    return value == "true" if inputs and value in ("true", "false") else value
