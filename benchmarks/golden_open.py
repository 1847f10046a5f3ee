"""Opening a golden set, and the commands that read it, against a bare read of the same file, in one run.

A set of generated Data-Capture records is imported once. Then, each in a process of its own and in turn: `bare` reads
the file in pieces of 1 MiB, takes its SHA-256 and counts its lines; `decode` also decodes every line into msgspec
structs of its form (`lines.Line` with its crc32); `open` is `GoldenSet.open`, which proves everything; `heads` reads
an opened set line by line; `cases` decodes every case; `split`, `sample` make sets of it; `diff` holds it against
itself. CPU seconds of the process after imports, MB/s of the file, resident memory at the peak.

    .venv/bin/python benchmarks/golden_open.py --records 500000 --rounds 3
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import import_speed
import msgspec

from harness.recordings.derive import Wanted, sample, split
from harness.recordings.lines import Line
from harness.recordings.store import GoldenSet
from harness.run.golden_stats import difference

WAYS = ("bare", "decode", "open", "heads", "cases", "split", "sample", "diff")


class Sealed(Line, kw_only=True):
    crc32: str


def bare(folder: Path) -> int:
    digest, lines = hashlib.sha256(), 0
    with (folder / "cases.jsonl").open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
            lines += piece.count(b"\n")
    return lines


def decode(folder: Path) -> int:
    digest, read = hashlib.sha256(), msgspec.json.Decoder(Sealed).decode
    lines = 0
    with (folder / "cases.jsonl").open("rb") as file:
        for line in file:
            digest.update(line)
            lines += read(line).id != ""
    return lines


def opened(folder: Path, use: Callable[[GoldenSet, Path], object]) -> int:
    with GoldenSet.open(folder) as golden, tempfile.TemporaryDirectory() as into:
        use(golden, Path(into))
        return len(golden)


USES: dict[str, Callable[[GoldenSet, Path], object]] = {
    "open": lambda _golden, _into: None,
    "heads": lambda golden, _into: sum(len(found) for _, found in golden.heads()),
    "cases": lambda golden, _into: sum(1 for _ in golden),
    "split": lambda golden, into: split(golden, into / "a", into / "b", share=0.5, seed=1),
    "sample": lambda golden, into: sample(golden, into / "a", Wanted(cases=1000, seed=1), has_nulls=lambda _: False),
    "diff": lambda golden, _into: difference(golden, golden),
}


def one(way: str, folder: Path) -> None:
    """One measurement, printed as JSON."""
    started = time.process_time()
    cases = opened(folder, USES[way]) if way in USES else {"bare": bare, "decode": decode}[way](folder)
    took = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": took, "cases": cases, "peak_mib": peak}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--body", type=int, default=100, help="bytes of a request, about")
    parser.add_argument("--ways", nargs="+", default=WAYS, choices=WAYS)
    parser.add_argument("--one", nargs=2, metavar=("WAY", "SET"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        one(args.one[0], Path(args.one[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        log, golden = Path(folder) / "log.jsonl", Path(folder) / "set"
        rng = import_speed.random.Random(7)
        with log.open("w", encoding="utf-8") as file:
            for number in range(args.records):
                record = import_speed.record("sagemaker_capture", number, args.body, rng)
                file.write(json.dumps(record, separators=(",", ":")) + "\n")
        words = ("import", "sagemaker_capture", str(log), "--into", str(golden), "--redact", "none")
        subprocess.run([sys.executable, "-m", "harness", *words], check=True, capture_output=True)
        size = (golden / "cases.jsonl").stat().st_size
        measured: dict[str, list[dict[str, float]]] = {way: [] for way in args.ways}
        for _ in range(args.rounds):
            for way in args.ways:
                words = (__file__, "--one", way, str(golden))
                done = subprocess.run([sys.executable, *words], check=True, capture_output=True)
                measured[way].append(json.loads(done.stdout))
        print(f"{args.records:,} cases, {size / 1e6:,.0f} MB")
        usual = {way: statistics.median(item["seconds"] for item in found) for way, found in measured.items()}
        for way, found in measured.items():
            peak = max(item["peak_mib"] for item in found)
            ratios = "".join(f", {usual[to] / usual[way]:.2f} x {to}" for to in ("bare", "decode") if to in usual)
            each = 1e6 * usual[way] / args.records
            print(
                f"{way:<7} {usual[way]:7.2f} s {size / 1e6 / usual[way]:7.1f} MB/s {each:6.1f} us a case{ratios}",
                end="",
            )
            print(f", {peak:.0f} MiB")


if __name__ == "__main__":
    main()
