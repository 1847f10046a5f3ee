"""A two-sided replay through the harness against the bare SDK calls in a thread pool of the same size.

Both send the same cases to the same lab servers, interleaved in one run, so that a noisy machine hits both alike.
CPU is this process's own (user + system), not the servers'.

    .venv/bin/python benchmarks/replay.py --rounds 5 --cases 400
    .venv/bin/python benchmarks/replay.py --memory        # peak memory at 1,000 and at 100,000 cases (some minutes)
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SUITE = ROOT / "suites" / "visits" / "suite.toml"
THREADS = 8


def golden(folder: Path, cases: int) -> Path:
    """A golden set of `cases` cases: the visits, repeated under new names."""
    from harness.recordings.store import GoldenSet, write

    visits = GoldenSet.open(ROOT / "golden" / "visits")

    def repeated():
        for number in range(cases):
            stored = visits.recording(number % len(visits))
            name = f"case-{number:07d}"
            yield replace(stored, recording=replace(stored.recording, id=name), cluster=name)

    words = visits.manifest
    write(
        folder,
        repeated(),
        name="repeated",
        description="the visits, repeated under new names",
        service=words.service,
        operation=words.operation,
        licence=words.licence,
        source=words.source,
        split=words.split,
        created_at=words.created_at,
    )
    return folder


def suite_file(folder: Path, golden_folder: Path) -> Path:
    """The visits suite over another golden set, in a project of its own."""
    text = SUITE.read_text().replace('golden = "visits"', f"golden = {json.dumps(str(golden_folder))}")
    path = folder / "suites" / "visits" / "suite.toml"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    profile = (ROOT / "parity.toml").read_text()
    (folder / "parity.toml").write_text(profile)
    return path


class Notebook:
    """What a team writes by hand: boto3, a connection pool, a thread pool, numbers in a list; no retries, no files."""

    def __init__(self, plan, addresses, endpoints) -> None:
        import boto3
        import urllib3
        from botocore.config import Config

        from harness.core.call import Side

        settings = Config(max_pool_connections=THREADS, retries={"total_max_attempts": 1}, read_timeout=30)
        session = boto3.Session(profile_name="parity-lab", region_name="us-east-1")
        self._client = session.client("sagemaker-runtime", endpoint_url=addresses["sagemaker"], config=settings)
        self._pool = urllib3.PoolManager(maxsize=THREADS)
        access = endpoints[Side.TARGET]._access  # the same resolved address and key that the harness calls
        self._url = access.scoring_uri
        self._headers = {"authorization": f"Bearer {access.secret}", "content-type": "application/json"}
        self._columns = list(plan.suite.pair_options["columns"])
        self._bodies = [plan.golden.recording(index).recording.request_body for index in plan.order.tolist()]

    def replay(self) -> None:
        with ThreadPoolExecutor(THREADS) as pool:
            answers = list(pool.map(self._one, self._bodies))
        assert len(answers) == len(self._bodies)

    def _one(self, body: bytes) -> tuple[float, float]:
        reply = self._client.invoke_endpoint(
            EndpointName="visits", ContentType="text/csv", Accept="text/csv", Body=body
        )
        source = float(reply["Body"].read())
        row = [float(cell) for cell in body.decode().split(",")]
        data = json.dumps({"input_data": {"columns": self._columns, "index": [0], "data": [row]}}).encode()
        response = self._pool.request("POST", self._url, body=data, headers=self._headers, retries=False)
        return source, json.loads(response.data)[0]


def through(plan, endpoints, folder: Path) -> None:
    """The same replay through the harness: translation, retries, ledger."""
    from harness.run.ledger import Ledger
    from harness.run.runner import Done, Runner

    with Ledger(folder) as book:
        done = Runner(plan, book, endpoints, done=Done()).run()
    assert done.replayed == len(plan.order)


def judged(plan, folder: Path, rows: Path) -> None:
    """Comparison of everything replayed, and the decision."""
    from datetime import UTC, datetime

    from harness.gate.decide import decide
    from harness.gate.rows_file import read_rows, write_rows
    from harness.run.observe import observations
    from harness.run.rows import Latencies, compare

    latencies = Latencies(plan)

    def produced():
        for item in compare(plan, observations(plan, folder), run="benchmark"):
            latencies.add(item.observed)
            yield from item.rows
        yield from latencies.rows(run="benchmark")

    write_rows(rows, produced())
    decide(read_rows(rows), plan.policy, decided_at=datetime.now(UTC))


def measured(work: Callable[[], None]) -> tuple[float, float]:
    """(CPU, wall) in seconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def compare_at(service_time_s: float, cases: int, rounds: int) -> None:
    """Print medians and ratios at one service time."""
    from harness import config, lab
    from harness.core.call import Side
    from harness.run import plan as planning
    from harness.run.lab import opened

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        path = suite_file(folder, golden(folder / "golden", cases))
        project = config.load_project(path)
        profile = config.profile(project, "lab")
        profile = replace(profile, limits=replace(profile.limits, concurrency=THREADS, timeout_s=30.0))
        with opened(profile, plant=None, start=lambda _plant: lab.start(service_time_s=service_time_s)) as addresses:
            planning.PROOF_CASES = 0  # the bare calls make no second source call either
            plan = planning.make(path, profile, lab=addresses)
            endpoints = {side: plan.service(side).open() for side in Side}
            notebook = Notebook(plan, addresses, endpoints)
            notebook.replay()
            through(plan, endpoints, folder / "warm")
            figures: dict[str, list[tuple[float, float]]] = {"bare": [], "harness": [], "judging": []}
            for number in range(rounds):
                figures["bare"].append(measured(notebook.replay))
                ledger = folder / f"ledger-{number}"
                figures["harness"].append(measured(lambda ledger=ledger: through(plan, endpoints, ledger)))
                figures["judging"].append(measured(lambda ledger=ledger: judged(plan, ledger, folder / "rows.parquet")))
            for endpoint in endpoints.values():
                endpoint.close()
    print(f"\nservice time {service_time_s * 1000:g} ms, {cases} cases, {THREADS} threads, {rounds} interleaved rounds")
    for name, rows in figures.items():
        cpu, wall = (statistics.median(values) for values in zip(*rows, strict=True))
        print(f"  {name:8} CPU {cpu / cases * 1e3:7.3f} ms a case   wall {wall:7.2f} s")
    for place, what in enumerate(("CPU", "wall")):
        ratios = [b[place] / a[place] for a, b in zip(figures["bare"], figures["harness"], strict=True)]
        spread = f"rounds {min(ratios):.3f} to {max(ratios):.3f}"
        print(f"  harness / bare, {what}: median {statistics.median(ratios):.3f} ({spread})")


def one_memory_run(cases: int) -> None:
    from harness import config, lab
    from harness.core.call import Side
    from harness.run import plan as planning
    from harness.run.lab import opened

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        path = suite_file(folder, golden(folder / "golden", cases))
        profile = config.profile(config.load_project(path), "lab")
        profile = replace(profile, limits=replace(profile.limits, concurrency=THREADS, timeout_s=30.0))
        with opened(profile, plant=None, start=lambda _plant: lab.start(service_time_s=0.0)) as addresses:
            plan = planning.make(path, profile, lab=addresses)
            endpoints = {side: plan.service(side).open() for side in Side}
            through(plan, endpoints, folder / "ledger")
            replayed = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            judged(plan, folder / "ledger", folder / "rows.parquet")
    print(f"{cases} cases: replay {replayed:.0f} MiB; with comparison and decision", end=" ")
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cases", type=int, default=400)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--one-memory-run", type=int)
    args = parser.parse_args()
    os.chdir(ROOT)
    if args.one_memory_run:
        one_memory_run(args.one_memory_run)
    elif args.memory:
        for cases in (1_000, 10_000, 100_000):
            subprocess.run([sys.executable, __file__, "--one-memory-run", str(cases)], check=True)
    else:
        for service_time_s in (0.0, 0.05):
            compare_at(service_time_s, args.cases, args.rounds)


if __name__ == "__main__":
    main()
