"""Ctrl-C ends a run after the calls in flight: what was recorded is kept, nothing goes on, and it can be finished."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.small import visits
from tests.small.project import Project
from tests.small.server import Server

RUNS = {
    "parity": ["-m", "harness", "run", "suites"],
    "pytest": ["-m", "pytest", "-p", "no:hypothesispytest", "suites"],
}


def start(project: Project, words: list[str], **environment: str) -> subprocess.Popen[str]:
    """A run as a terminal starts one: in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, *words],
        cwd=project.folder,
        env=project.environment(**environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
    )


def recorded(project: Project) -> int:
    """Answers in the ledger of the only run, 0 before there is one."""
    return sum(path.read_bytes().count(b"\n") for path in project.folder.glob("reports/*/ledger/*.jsonl"))


def wait_for(condition, *, within_s: float = 60.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def in_group(group: int) -> list[int]:
    """Processes that still run in a process group."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, member = path.read_text().rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(member) == group and state != "Z":
            found.append(int(path.parent.name))
    return found


@pytest.mark.parametrize("door", RUNS)
def test_a_run_is_interrupted_and_finished_later(numbers: Project, server: Server, door):
    server.delay_s = 0.05
    words = [word.replace("suites", "suites/numbers") if door == "parity" else word for word in RUNS[door]]
    with start(numbers, words) as process:
        wait_for(lambda: recorded(numbers) >= 20)
        os.killpg(process.pid, signal.SIGINT)
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 2
        assert in_group(process.pid) == []
    (run,) = numbers.runs
    assert f"interrupted; finish this run with: parity run --resume {run.name}" in out
    assert "Traceback" not in out
    assert json.loads((run / "run.json").read_bytes())["finished_at"] is None
    assert not (run / "decision.json").exists()
    made = sum(server.counts().values())
    assert made == recorded(numbers) < 220  # the calls in flight were waited for
    assert numbers.parity("gate", run.name).code == 2
    server.delay_s = 0.0
    assert numbers.parity("run", "--resume", run.name).code == 0
    assert sum(server.counts().values()) == 220


def test_later_suites_are_not_begun(numbers: Project, server: Server):
    server.delay_s = 0.05
    with start(numbers, ["-m", "harness", "run", "suites/numbers", "suites/numbers"]) as process:
        wait_for(lambda: recorded(numbers) >= 20)
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=60)
    assert len(numbers.runs) == 1


def test_the_lab_ends_with_an_interrupted_run(tmp_path: Path):
    project = visits.make(tmp_path)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with start(project, ["-m", "harness", "run", "suites/visits"], TMPDIR=str(scratch)) as process:
        wait_for(lambda: recorded(project) >= 10)
        (lab,) = scratch.glob("parity-lab-*")
        pids = lab_processes(lab)
        assert len(pids) >= 3
        os.killpg(process.pid, signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert re.search(r"parity run --resume \S+-visits-", out)
    assert not lab.exists()
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def lab_processes(folder: Path) -> list[int]:
    """Processes whose working folder is the lab's."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if path.readlink() == folder:
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found
