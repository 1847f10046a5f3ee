"""How long a decision takes, and how much memory, beside a trivial numpy pass over the same numbers.

    .venv/bin/python benchmarks/gate_speed.py            # under a minute

1. 10,000 units of each kind of criterion, decided in both modes from rows in memory: target 50 ms.
2. 1,000,000 rows (250,000 cases, four metrics) in a Parquet file, read and decided by a process of its own: target 5 s
   and 1 GiB at the peak. Beside each, measured in the same round: the mean and the standard deviation of both columns
   of values with numpy (for the file: after reading those two columns with pyarrow). The ratio travels between
   machines better than the seconds do.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

UNITS, CASES = 10_000, 250_000
TARGET_MS, TARGET_S, TARGET_MIB = 50.0, 5.0, 1024.0
NIGHT = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = """
[gate]
mode = "{mode}"
[[criterion]]
metric = "score"
kind = "score"
slices = {{ region = ["eu", "us", "asia"] }}
[[criterion]]
metric = "flip"
kind = "flip"
[[criterion]]
metric = "error"
kind = "flip"
[[criterion]]
metric = "slow"
kind = "exceed"
quantile = 0.95
"""


def values(metric: str, n: int, rng):
    """value_target and value_noise of an equal target."""
    if metric == "score":
        return 0.8 + 0.1 * (rng.beta(2, 2, (2, n)) - 0.5)
    if metric == "slow":  # the source against its 95th percentile, an equal target against 1.5 times it
        return (rng.random((2, n)) < [[0.01], [0.05]]).astype(float)
    share = {"flip": 0.02, "error": 0.002}[metric]
    return (rng.random((2, n)) < share).astype(float)


def rows_in_memory(metric: str, n: int, rng):
    import numpy as np

    from harness.core.rows import Labels, Rows

    target, noise = values(metric, n, rng)
    case = Labels(np.arange(n), tuple(f"case {at}" for at in range(n)))
    none, zeros = np.zeros(n, dtype=np.bool_), np.zeros(n, dtype=np.int64)
    return Rows(
        case=case,
        metric=Labels(zeros, (metric,)),
        cluster=case,
        run=Labels(zeros, ("",)),
        repeat=zeros,
        value_target=target,
        null_target=none,
        value_noise=noise,
        null_noise=none,
        status_target=zeros.astype(np.int8),
        status_source=zeros.astype(np.int8),
    )


def trivial(target, noise) -> float:
    """What one would compute without a gate."""
    return float(target.mean() + noise.mean() + target.std() + noise.std())


def times_ms(first: Callable[[], object], second: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Medians of both, measured in turns, so that a noisy machine hits both alike."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for work, into in zip((first, second), taken, strict=True):
            began = time.perf_counter()
            work()
            into.append(1000 * (time.perf_counter() - began))
    return statistics.median(taken[0]), statistics.median(taken[1])


def in_memory(rounds: int) -> None:
    import numpy as np

    from harness.gate.decide import decide
    from harness.gate.policy import parse_policy

    criteria = {
        "score": {"kind": "score", "severe": 0.02},
        "flip": {"kind": "flip"},
        "error": {"kind": "flip"},
        "slow": {"kind": "exceed", "quantile": 0.95},
    }
    print(f"{UNITS:,} units, rows in memory; median of {rounds} rounds, target {TARGET_MS:.0f} ms\n")
    print("| criterion | mode | decide, ms | numpy, ms | ratio | |")
    print("| --- | --- | --- | --- | --- | --- |")
    for metric, criterion in criteria.items():
        rows = rows_in_memory(metric, UNITS, np.random.default_rng(1))
        for mode in ("anytime", "fixed"):
            policy = parse_policy(
                {"gate": {"mode": mode}, "criterion": [{"metric": metric} | criterion]}, where="policy"
            )
            took, plain = times_ms(
                lambda policy=policy, rows=rows: decide(rows, policy, decided_at=NIGHT),
                lambda rows=rows: trivial(rows.value_target, rows.value_noise),
                rounds,
            )
            met = "met" if took <= TARGET_MS else "MISSED"
            print(f"| {metric} | {mode} | {took:.1f} | {plain:.2f} | {took / plain:.0f} | {met} |")


def write_file(path: Path) -> None:
    """Four rows a case, shuffled, as a replay on several threads leaves them."""
    import numpy as np
    import pyarrow as pa
    from pyarrow import parquet

    rng = np.random.default_rng(2)
    metrics = ("score", "flip", "error", "slow")
    n = CASES * len(metrics)
    target, noise = np.concatenate([values(metric, CASES, rng) for metric in metrics], axis=1)
    order = rng.permutation(n)
    case = np.tile(np.arange(CASES), len(metrics))[order]
    metric = np.repeat(np.arange(len(metrics)), CASES)[order]
    region = np.array(["eu", "us", "asia"])[case % 3]
    words = pa.array([f"case-{at:07d}" for at in range(CASES)])
    table = pa.table(
        {
            "case": words.take(pa.array(case)),
            "metric": pa.array(metrics).take(pa.array(metric)),
            "cluster": words.take(pa.array(case)),
            "value_target": target[order],
            "value_noise": noise[order],
            "status_target": pa.array(["ok"] * n),
            "status_source": pa.array(["ok"] * n),
            "slices": pa.StructArray.from_arrays([pa.array(region)], ["region"]),
            "repeat": np.zeros(n, dtype=np.int64),
            "run": pa.array(["night-1"] * n),
        }
    )
    parquet.write_table(table, path)


def child(work: str, path: Path, mode: str) -> dict[str, float]:
    """Seconds from the file's name to the answer, imports not counted, and the peak memory of the whole process."""
    command = [sys.executable, __file__, "--child", work, "--file", str(path), "--mode", mode]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def run_child(work: str, path: Path, mode: str) -> None:
    from pyarrow import parquet

    from harness.gate.decide import decide
    from harness.gate.policy import load_policy
    from harness.gate.rows_file import read_rows

    imported_mib = peak_mib()
    began, cpu = time.perf_counter(), time.process_time()
    if work == "decide":
        verdict = decide(read_rows(path), load_policy(path.with_name(f"{mode}.toml")), decided_at=NIGHT).verdict.value
    else:
        table = parquet.read_table(path, columns=["value_target", "value_noise"])
        verdict = str(trivial(table["value_target"].to_numpy(), table["value_noise"].to_numpy()))
    took = {"s": time.perf_counter() - began, "cpu_s": time.process_time() - cpu}
    print(json.dumps(took | {"mib": peak_mib(), "imported_mib": imported_mib, "said": verdict}))


def peak_mib() -> float:
    """Of this program alone: the maximum that getrusage tells includes the parent's memory at the fork."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)


def from_file(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        write_file(path)
        for mode in ("anytime", "fixed"):
            path.with_name(f"{mode}.toml").write_text(POLICY.format(mode=mode))
        size_mib = path.stat().st_size / 2**20
        print(f"\n{4 * CASES:,} rows in Parquet ({size_mib:.0f} MiB), read and decided; median of {rounds} rounds")
        print(f"target {TARGET_S:.0f} s and {TARGET_MIB:.0f} MiB at the peak of the process\n")
        print("| mode | read and decide, s | its CPU, s | peak, MiB | imports alone | columns, numpy, s | ratio | |")
        print("| --- | --- | --- | --- | --- | --- | --- | --- |")
        for mode in ("anytime", "fixed"):
            pairs = [(child("decide", path, mode), child("numpy", path, mode)) for _ in range(rounds)]
            took, plain = (statistics.median(one[at]["s"] for one in pairs) for at in (0, 1))
            cpu = statistics.median(one["cpu_s"] for one, _ in pairs)
            peak = max(one["mib"] for one, _ in pairs)
            met = "met" if took <= TARGET_S and peak <= TARGET_MIB else "MISSED"
            measured = f"{took:.2f} | {cpu:.2f} | {peak:.0f} | {pairs[0][0]['imported_mib']:.0f} | {plain:.3f}"
            print(f"| {mode} ({pairs[0][0]['said']}) | {measured} | {took / plain:.0f} | {met} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=21, help="for rows in memory; a file is read in a third of them")
    parser.add_argument("--child", choices=("decide", "numpy"), help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--mode", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        run_child(args.child, args.file, args.mode)
        return
    in_memory(args.rounds)
    from_file(max(args.rounds // 3, 1))
    cores = f"{os.cpu_count()} cores ({platform.machine()}, {platform.system()}, Python {platform.python_version()})"
    print(f"\n{datetime.now(UTC):%Y-%m-%d}, {cores}")


if __name__ == "__main__":
    main()
