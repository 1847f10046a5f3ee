"""A small project in a folder of its own: a parity.toml, one suite, a golden set of numbers, and both doors."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.core.case import Provenance, Recording
from harness.recordings.lines import StoredCase
from harness.recordings.store import write
from tests.small import warm
from tests.small.server import Server

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 120
# What is loaded before pytest starts cannot be rewritten; nothing of it holds asserts.
QUIET = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
CASES = 80  # clean ones are enough for GO at a margin of 5 %, and not at 0.5 %

PROJECT = """
[profiles.here]
payloads = "full"
[profiles.here.source]
cloud = "aws"
[profiles.here.target]
cloud = "aws"
[profiles.here.limits]
concurrency = 4
timeout_s = 5
attempts = 2
"""

SUITE = """
[suite]
title = "Numbers"
pair = "checks:Straight"
golden = "numbers"
deterministic_source = true

[endpoints.here]
source = "{source}"
target = "{target}"

[comparators.label]
use = "class_label"
threshold = 0.35
positive = "high"
negative = "low"

[gate]
mode = "fixed"

[[criterion]]
name = "labels agree"
metric = "label"
kind = "flip"
margin = 0.05
deterministic = true

[[criterion]]
name = "calls succeed"
metric = "error"
kind = "flip"
margin = 0.05
"""

CHECKS = '''
"""A pair of its own: numbers need no translation."""

from harness.core.case import Translation


class Straight:
    name = "straight"
    source = target = "plainhttp"

    def translate(self, request):
        return Translation(request)
'''


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """stdout, which is one JSON document and nothing else."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Project:
    """folder: holds parity.toml. site: holds the entry point of `plainhttp`. name: of the suite."""

    folder: Path
    site: Path
    name: str = "numbers"

    @property
    def suite(self) -> Path:
        return self.folder / "suites" / self.name / "suite.toml"

    @property
    def runs(self) -> list[Path]:
        """The folders of all runs, oldest first."""
        return sorted(
            (path.parent for path in self.folder.glob("reports/*/run.json")), key=lambda path: path.stat().st_ctime
        )

    def edit(self, path: Path, old: str, new: str) -> None:
        text = path.read_text()
        assert old in text, f"{old!r} is not in {path.name}"
        path.write_text(text.replace(old, new))

    def environment(self, **more: str) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(
                ("PYTEST_", "PARITY_", "PY_COLORS", "FORCE_COLOR", "CI", "BUILD_", "GITHUB_", "TF_BUILD")
            )
        }
        paths = os.pathsep.join([str(self.site), str(ROOT)])
        return kept | {"PYTHONPATH": paths, "COLUMNS": "200", "PYTHONWARNINGS": "error::ResourceWarning"} | more

    def cold(self, *command: str, **environment: str) -> Done:
        """A command inside the project, in a fresh interpreter; it has two minutes."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def module(self, name: str, *words: str, **environment: str) -> Done:
        """`python -m name words...` inside the project, in a process that has everything loaded."""
        out, err = self.folder / ".out", self.folder / ".err"
        process = warm.start(
            name, words, folder=self.folder, environment=self.environment(**environment), out=out, err=err
        )
        process.join(PATIENCE_S)
        if process.exitcode is None:
            process.kill()
            raise AssertionError(f"{name} {words}: still running after {PATIENCE_S} s\n{out.read_text()}")
        return Done(process.exitcode, out.read_text(), err.read_text())

    def pytest(self, *options: str, **environment: str) -> Done:
        """`python -m pytest`, as `make parity` calls it, with a cache of its own."""
        return self.module("pytest", "-p", "no:hypothesispytest", *QUIET, *options, **environment)

    def parity(self, *words: str, **environment: str) -> Done:
        """`python -m harness`, which is `parity`."""
        return self.module("harness", *words, **environment)


def make(folder: Path, server: Server, *, cases: int = CASES, suite: str = SUITE) -> Project:
    """Write a project that replays `cases` numbers to the server."""
    project = Project(folder, install(folder / ".site"))
    (folder / "parity.toml").write_text(PROJECT)
    (folder / "pytest.ini").write_text("[pytest]\naddopts = -ra\n")
    project.suite.parent.mkdir(parents=True)
    project.suite.write_text(suite.format(source=server.endpoint("source"), target=server.endpoint("target")))
    (project.suite.parent / "checks.py").write_text(CHECKS)
    golden(folder / "golden" / "numbers", (number for number in range(cases)))
    return project


def golden(folder: Path, numbers: Iterable[int]) -> None:
    """A golden set whose requests are these numbers."""
    write(
        folder,
        (_case(number) for number in numbers),
        name="numbers",
        description="numbers",
        service="plainhttp",
        operation="Score",
        licence="public domain",
        source="made for a test",
        split="none",
        created_at=datetime(2026, 11, 1, tzinfo=UTC),
    )


def _case(number: int) -> StoredCase:
    recording = Recording(
        id=f"n{number:05d}",
        service="plainhttp",
        operation="Score",
        request_body=str(number).encode(),
        provenance=Provenance(captured_at=None, captured_from="made for a test"),
    )
    return StoredCase(recording=recording)


def install(site: Path) -> Path:
    """Register `plainhttp` as an installed package would."""
    info = site / "plainhttp-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plainhttp\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[harness.services]\nplainhttp = tests.small.plainhttp:build\n")
    return site


def outcomes(done: Done) -> Mapping[str, int]:
    """pytest's last line as counts: {"passed": 1, "failed": 1}."""
    last = next(line for line in reversed(done.out.splitlines()) if re.search(r" in \d", line))
    counted = re.findall(r"(\d+) (passed|failed|error|deselected|skipped)", last)
    return {word: int(count) for count, word in counted}
