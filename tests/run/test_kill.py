"""`kill -9` at any moment costs the calls in flight and nothing else.

A run is started and killed at a random moment, resumed and killed again, until it is done; then the next one, until
KILLS kills were survived. The server counts every request it gets, so what is claimed is counted where it cannot be
talked away. Thirty kills by default; PARITY_KILLS=200 for more.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet
import pytest

from harness.core.call import Role
from harness.recordings.sample import order
from harness.run import ledger
from harness.run.plan import PROOF_CASES
from harness.run.runner import Done
from tests.cli.test_interrupt import in_group, lab_processes, recorded, start, wait_for
from tests.small import visits, warm
from tests.small.project import Project, make
from tests.small.server import Server, honest

KILLS = int(os.environ.get("PARITY_KILLS", "30"))
CASES = 150
SEED = 7  # of every suite that names none
CONCURRENCY = 4  # of the small projects: as many calls may be in flight
LONGEST_S = 1.6  # a little more than a run takes from start to report, on a busy machine
SOURCES = (Role.SOURCE, Role.SOURCE_AGAIN)
Key = tuple[str, str]  # (side, case)


def flaky(number: int) -> float | int:
    """Every tenth case fails after all attempts: failures are recorded and resumed like answers."""
    return 503 if number % 10 == 3 else honest(number)


@dataclass
class Watch:
    """What must hold of one run after every kill.

    closed: requests counted for cases that need no more calls. lost: requests whose answer never reached the ledger.
    """

    server: Server
    closed: dict[Key, int] = field(default_factory=dict)
    lost: int = 0

    def look(self, run: Path | None, *, torn: int = 0) -> None:
        asked = settled(self.server)
        entries = list(ledger.read(run / "ledger")) if run is not None else []
        written = Counter((entry.role.side.value, entry.lot.partition(":")[2]) for entry in entries)
        over = closed(entries)
        for key, count in self.closed.items():
            if torn == 0 or key in over:
                assert asked[key] == count, f"{key} was recorded and asked again"
        assert all(asked[key] >= count for key, count in written.items())
        lost = asked.total() - written.total()
        assert lost - self.lost <= CONCURRENCY + torn, "more calls were lost than were in flight"
        self.closed, self.lost = {key: asked[key] for key in over}, lost


def settled(server: Server) -> Counter[Key]:
    """The count once the requests that a killed client had sent have all arrived."""
    before = None
    while (now := server.counts()) != before:
        before = now
        time.sleep(0.03)
    return now


def closed(entries: list[ledger.Entry]) -> set[Key]:
    """Cases and sides of which every planned conversation is over; the first sixty ask the source twice."""
    done = Done.of(iter(entries)).finished
    twice = set(order(CASES, SEED)[:PROOF_CASES].tolist())
    return {
        (role.side.value, f"n{index:05d}")
        for index, ask, role in done
        if role is Role.TARGET or index not in twice or {(index, ask, one) for one in SOURCES} <= done
    }


def tear(run: Path | None, rng: random.Random) -> int:
    """Cut the end off the ledger now and then, as a kill in mid-write would; returns how many entries that cost."""
    segments = sorted(run.glob("ledger/*.jsonl")) if run is not None else []
    if not segments or rng.random() < 0.7 or not segments[-1].stat().st_size:
        return 0
    content = segments[-1].read_bytes()
    cut = min(rng.randrange(1, 120), len(content))
    os.truncate(segments[-1], len(content) - cut)
    return content[-cut:].count(b"\n")


def attempt(project: Project, words: list[str], kill_after_s: float | None) -> int | None:
    """One process of `parity`; its exit code, None when it was killed first. Nothing of it remains."""
    process = warm.start(
        "harness",
        words,
        folder=project.folder,
        environment=project.environment(),
        out=project.folder / ".out",
        err=project.folder / ".err",
    )
    process.join(kill_after_s)
    if process.is_alive():
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
    assert process.pid is not None and in_group(process.pid) == []
    return None if process.exitcode == -signal.SIGKILL else process.exitcode


def rows(run: Path) -> list[dict[str, object]]:
    """Everything that was judged, without the run's name."""
    table = pyarrow.parquet.read_table(run / "rows.parquet").drop_columns(["run"])
    return sorted(table.to_pylist(), key=lambda row: (str(row["metric"]), str(row["case"])))


def test_nothing_recorded_is_asked_again_or_counted_twice(tmp_path: Path, server: Server):
    server.target = flaky
    quiet = make(tmp_path / "quiet", server, cases=CASES)
    expected_code = attempt(quiet, ["run", "suites/numbers"], None)
    (reference,) = quiet.runs
    rng = random.Random()
    kills = finished = 0
    while kills < KILLS:
        server.reset()
        server.target, server.delay_s = flaky, rng.choice([0.0, 0.002, 0.006])
        project = make(tmp_path / f"run-{finished}", server, cases=CASES)
        watch, code, run = Watch(server), None, None
        while code is None:
            words = ["run", "suites/numbers"] if run is None else ["run", "--resume", run.name]
            code = attempt(project, words, rng.uniform(0.0, LONGEST_S) if kills < KILLS else None)
            kills += code is None
            (run,) = project.runs or (None,)
            watch.look(run, torn=tear(run, rng) if code is None else 0)
        assert run is not None
        assert code == expected_code
        assert rows(run) == rows(reference)
        assert {path.name for path in run.iterdir()} == {path.name for path in reference.iterdir()}
        finished += 1


def test_a_killed_run_leaves_no_lab_behind_and_finishes_in_another(tmp_path: Path):
    project = visits.make(tmp_path)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with start(project, ["-m", "harness", "run", "suites/visits"], TMPDIR=str(scratch)) as process:
        wait_for(lambda: recorded(project) >= 50)
        (lab,) = scratch.glob("parity-lab-*")
        pids = lab_processes(lab)
        assert len(pids) >= 3
        process.kill()
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), within_s=10)
    assert not lab.exists()
    before = recorded(project)
    (run,) = project.runs
    assert project.parity("run", "--resume", run.name).code == 0
    assert recorded(project) == 120 + 60 + 120 > before
    assert len(rows(run)) == 3 * 120


@pytest.mark.parametrize("keep", [0, 1, 9, 40])
def test_a_ledger_torn_in_its_first_entry_is_begun_anew(numbers: Project, server: Server, keep: int):
    """Nothing, a byte, the checksum alone, half an entry."""
    numbers.edit(numbers.folder / "parity.toml", "attempts = 2", "attempts = 2\ncalls = 1")
    numbers.parity("run", "suites/numbers")
    (run,) = numbers.runs
    os.truncate(run / "ledger" / "000001.jsonl", keep)
    numbers.edit(numbers.folder / "parity.toml", "\ncalls = 1", "")
    assert numbers.parity("run", "--resume", run.name).code == 0
    assert recorded(numbers) == 80 + 60 + 80
