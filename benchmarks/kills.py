"""`kill -9` at random moments, over and over: what is lost and what is doubled, counted at the server.

Runs of 200 cases are started, killed at a random moment, resumed and killed again until they are done; then the next,
until --kills kills were survived while calls were being made. The moment is drawn from the first new answer on, in one
kill of five from the start of the process. In three kills of ten the end of the ledger is cut off as well, as a write
that a power cut stops would leave it. What is checked after each kill is what tests/run/test_kill.py checks, which does
30 of any kind in every test run.

    .venv/bin/python benchmarks/kills.py --kills 200
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from harness.run import ledger  # noqa: E402 the path comes first
from harness.run.ledger import Reply  # noqa: E402
from tests.run import test_kill as killing  # noqa: E402
from tests.small import warm  # noqa: E402
from tests.small.project import Project, make  # noqa: E402
from tests.small.server import Server, serving  # noqa: E402

PLANNED = 2 * killing.CASES + killing.PROOF_CASES  # conversations of a run: both sides, and the source's proof


@dataclass
class Count:
    """Over all runs. kills: while calls were being made; others: before the first or after the last of an attempt.

    planned: conversations; asked: requests at the server; written: entries of ledgers at the end. lost: planned
    conversations without an end in the ledger. doubled: those with two. in_flight: requests made again, for each kill
    amid calls. torn: entries that the benchmark itself cut off.
    """

    kills: int = 0
    others: int = 0
    runs: int = 0
    planned: int = 0
    asked: int = 0
    written: int = 0
    lost: int = 0
    doubled: int = 0
    torn: int = 0
    in_flight: list[int] = field(default_factory=list)


def one_run(folder: Path, server: Server, rng: random.Random, count: Count, kills: int) -> None:
    server.reset()
    server.target, server.delay_s = killing.flaky, rng.choice([0.0, 0.002, 0.01])
    project = make(folder, server, cases=killing.CASES)
    watch, code, run = killing.Watch(server), None, None
    while code is None:
        words = ["run", "suites/numbers"] if run is None else ["run", "--resume", run.name]
        lost, written = watch.lost, _entries(run)
        code = _attempt(project, words, rng, to_the_end=count.kills >= kills)
        (run,) = project.runs or (None,)
        amid = code is None and written < _entries(run) < PLANNED
        torn = killing.tear(run, rng) if code is None else 0
        watch.look(run, torn=torn)  # raises where anything recorded was asked again
        if code is None:
            count.kills += amid
            count.others += not amid
            count.torn += torn
            count.in_flight += [watch.lost - lost - torn] if amid else []
    assert run is not None
    _settle(run, server, count)


def _attempt(project: Project, words: list[str], rng: random.Random, *, to_the_end: bool) -> int | None:
    """One process; its exit code, None when it was killed first."""
    before = _entries(next(iter(project.runs), None))
    paths = {"out": project.folder / ".out", "err": project.folder / ".err"}
    process = warm.start("harness", words, folder=project.folder, environment=project.environment(), **paths)
    if not to_the_end and rng.random() < 0.8:
        while process.is_alive() and _entries(next(iter(project.runs), None)) == before:
            time.sleep(0.005)
    process.join(None if to_the_end else rng.uniform(0.0, 1.0))
    if process.is_alive() and process.pid is not None:
        os.kill(process.pid, signal.SIGKILL)
        process.join()
    return None if process.exitcode == -signal.SIGKILL else process.exitcode


def _entries(run: Path | None) -> int:
    """Whole lines in the ledger of a run."""
    return 0 if run is None else sum(path.read_bytes().count(b"\n") for path in run.glob("ledger/*.jsonl"))


def _settle(run: Path, server: Server, count: Count) -> None:
    entries = list(ledger.read(run / "ledger"))
    ends = Counter((entry.lot, entry.role) for entry in entries if isinstance(entry, Reply) or entry.final)
    count.runs += 1
    count.planned += PLANNED
    count.asked += server.counts().total()
    count.written += len(entries)
    count.lost += PLANNED - len(ends)
    count.doubled += sum(number > 1 for number in ends.values())


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--kills", type=int, default=200)
    options.add_argument("--seed", type=int, default=None, help="of the moments; default: a new one each time")
    args = options.parse_args()
    rng, count, began = random.Random(args.seed), Count(), time.monotonic()
    with tempfile.TemporaryDirectory() as folder, serving() as server:
        while count.kills < args.kills:
            one_run(Path(folder) / f"run-{count.runs}", server, rng, count, args.kills)
            print(f"\r{count.kills} kills, {count.runs} runs", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    print(f"kills while calls were being made   {count.kills}, over {count.runs} runs of {killing.CASES} cases")
    print(f"kills before or after               {count.others}")
    print(f"conversations planned               {count.planned:,}")
    print(f"lost (no end in the ledger)         {count.lost}")
    print(f"doubled (two ends in the ledger)    {count.doubled}")
    print(f"requests at the server              {count.asked:,}, of which {count.written:,} in the ledgers")
    print(
        f"calls in flight at a kill           mean {statistics.mean(count.in_flight):.2f}, most "
        f"{max(count.in_flight)} (concurrency {killing.CONCURRENCY}); {count.torn} more entries were cut off on purpose"
    )
    print(f"took                                {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
