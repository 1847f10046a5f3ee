"""What may happen to a run from outside: a disk that is full, a second process, a ledger that was touched, a clock that
jumps. Kills are in test_kill, Ctrl-C in tests/cli/test_interrupt."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from planned import Plain, always, planned

from harness.core.verdict import Verdict
from harness.run import ledger, session
from harness.run.ledger import Ledger
from tests.small.project import Project
from tests.small.server import Server

CALLS = 80 + 60 + 80  # of the numbers: the first 60 cases ask the source twice


def mount(folder: Path, size: str, *options: str) -> None:
    words = [
        shutil.which("mount") or "mount",
        "-t",
        "tmpfs",
        "-o",
        ",".join([f"size={size}", *options]),
        "tmpfs",
        str(folder),
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip("no file system can be mounted here")


@pytest.fixture
def small_disk(numbers: Project) -> Iterator[Project]:
    """The numbers, whose runs are written to a file system of their own."""
    reports = numbers.folder / "reports"
    reports.mkdir()
    mount(reports, "16k")
    try:
        yield numbers
    finally:
        subprocess.run([shutil.which("umount") or "umount", str(reports)], check=True)


@pytest.mark.parametrize("size", ["16k", "60k", "80k", "96k"])
def test_a_full_disk_loses_nothing_that_was_recorded(small_disk: Project, server: Server, size: str):
    """Full in the ledger (16k), or in what is written at the end; then there is room, and nothing is asked twice."""
    mount(small_disk.folder / "reports", size, "remount")
    done = small_disk.parity("run", "suites/numbers")
    assert done.code == 2
    assert "GO" not in done.out
    assert "No space left on device" in done.err or "the disk took " in done.err
    (run,) = small_disk.runs
    for whole in run.glob("*.json"):
        json.loads(whole.read_bytes())
    written = len(list(ledger.read(run / "ledger")))
    mount(small_disk.folder / "reports", "8m", "remount")
    assert small_disk.parity("run", "--resume", run.name).code == 0
    entries = list(ledger.read(run / "ledger"))
    assert len({(entry.lot, entry.role, entry.step) for entry in entries}) == len(entries) == CALLS
    in_flight = 4
    assert server.counts().total() <= CALLS + in_flight, f"{written} had been recorded"


def test_a_run_that_another_process_writes_is_refused_and_left_alone(numbers: Project, server: Server):
    numbers.edit(numbers.folder / "parity.toml", "attempts = 2", "attempts = 2\ncalls = 50")
    numbers.parity("run", "suites/numbers")
    (run,) = numbers.runs
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    made = server.counts().total()
    with Ledger(run / "ledger"):
        done = numbers.parity("run", "--resume", run.name)
    assert done.code == 2
    assert "another run is writing here" in done.err
    assert server.counts().total() == made
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_a_torn_last_line_is_told_by_the_run_that_cut_it(numbers: Project, server: Server):
    numbers.edit(numbers.folder / "parity.toml", "attempts = 2", "attempts = 2\ncalls = 50")
    numbers.parity("run", "suites/numbers")
    (run,) = numbers.runs
    segment = run / "ledger" / "000001.jsonl"
    os.truncate(segment, segment.stat().st_size - 20)
    numbers.edit(numbers.folder / "parity.toml", "\ncalls = 50", "")
    done = numbers.parity("run", "--resume", run.name)
    assert done.code == 0
    assert "RESUMED" in done.out and "were half an entry" in done.out
    assert server.counts().total() == CALLS + 1


def test_a_clock_that_jumps_moves_no_duration_and_no_verdict(tmp_path: Path):
    """The wall clock is told, and measures nothing: it goes back a year, on ten years, and stands still."""
    start = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    jumps = itertools.cycle([timedelta(0), timedelta(days=-365), timedelta(days=3650), timedelta(0)])
    plan = planned(tmp_path, Plain(always(1)), Plain(always(1)), cases=640)
    finished = session.run(plan, reports=tmp_path / "reports", now=lambda: start + next(jumps))
    assert finished.decision is not None
    assert finished.decision.verdict is Verdict.GO
    entries = list(ledger.read(finished.folder.ledger))
    assert len({round(entry.at_s) for entry in entries}) == 3
    assert all(0 <= entry.latency_s < 5 for entry in entries)
    assert all(side.p99_s is not None and 0 <= side.p99_s < 5 for side in finished.report.sides)
    again = session.judge_again(plan, finished.folder, now=lambda: start)
    assert again.findings == finished.findings
