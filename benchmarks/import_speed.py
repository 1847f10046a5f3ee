"""Import of generated Data-Capture and Bedrock logs against a bare msgspec read of the same file, in one run.

Three things are timed on each file, in turn, each in a process of its own: msgspec decoding every line into structs
that hold what the importer reads; the format alone (lines in, recordings out); the whole import (links found, a golden
set written, proved and in place), with as many children as it takes by itself. Modules are imported before. MB/s of the
log; microseconds of all cores a record; the peak is the resident memory of the process, and after a plus that of its
largest child, each with the pages that they share.

    .venv/bin/python benchmarks/import_speed.py --mb 100 --rounds 3
    .venv/bin/python benchmarks/import_speed.py --mb 100 --rounds 1 --redact
    .venv/bin/python benchmarks/import_speed.py --mb 1000 --rounds 1 --body 6000   # memory at another size
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FORMATS = ("sagemaker_capture", "bedrock_log")


def write(path: Path, form: str, size: int, body: int) -> None:
    """A log of at least `size` bytes, whose requests are all different and about `body` bytes long."""
    rng = random.Random(7)
    with path.open("w", encoding="utf-8") as file:
        number = 0
        while file.tell() < size:
            number += 1
            file.write(json.dumps(record(form, number, body, rng), separators=(",", ":")) + "\n")


def record(form: str, number: int, body: int, rng: random.Random) -> dict[str, object]:
    if form == "sagemaker_capture":
        row = ",".join(f"{rng.random():.6f}" for _ in range(max(body // 9, 1)))
        half = {"observedContentType": "text/csv", "encoding": "CSV"}
        return {
            "captureData": {
                "endpointInput": {**half, "mode": "INPUT", "data": row},
                "endpointOutput": {**half, "mode": "OUTPUT", "data": f"{rng.random():.12f}"},
            },
            "eventMetadata": {"eventId": f"e-{number}", "inferenceTime": "2026-11-01T09:12:33Z"},
            "eventVersion": "0",
        }
    words = " ".join(rng.choice(("capital", "of", "the", "answer", "is", "said")) for _ in range(max(body // 5, 1)))
    return {
        "schemaType": "ModelInvocationLog",
        "schemaVersion": "1.0",
        "timestamp": "2026-11-01T09:12:33Z",
        "region": "us-east-1",
        "requestId": f"r-{number}",
        "operation": "Converse",
        "modelId": "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "input": {
            "inputContentType": "application/json",
            "inputBodyJson": {"messages": [{"role": "user", "content": [{"text": f"{number} {words}"}]}]},
            "inputTokenCount": 14,
        },
        "output": {
            "outputContentType": "application/json",
            "outputBodyJson": {
                "output": {"message": {"role": "assistant", "content": [{"text": words[:200]}]}},
                "stopReason": "end_turn",
                "usage": {"inputTokens": 14, "outputTokens": 5, "totalTokens": 19},
            },
            "outputTokenCount": 5,
        },
    }


def bare(path: Path, form: str) -> int:
    """Every line decoded into the structs of the format, and nothing done with them."""
    import importlib

    decode = importlib.import_module(f"harness.recordings.formats.{form}")._DECODER.decode
    with path.open("rb") as file:
        return sum(1 for line in file if decode(line) is not None)


def read(path: Path, form: str) -> int:
    from harness.core import registry
    from harness.run.files import Files

    return sum(1 for _ in registry.load("recordings.formats", form).read(Files([str(path)])))


def whole(path: Path, form: str, redact: str) -> int:
    from harness.core import registry
    from harness.recordings.privacy import redactor
    from harness.run import importing, making
    from harness.run.files import Files

    with tempfile.TemporaryDirectory() as folder:
        options = making.Options(redactor=redactor(redact))
        built = registry.load("recordings.formats", form)
        summary = importing.run(built, Files([str(path)]), Path(folder) / "set", options)
        return summary.manifest.cases


def one(what: str, path: Path, form: str, redact: str) -> None:
    """One measurement, printed as JSON: seconds, records, peak resident MiB."""
    run = {"bare": bare, "format": read}.get(what) or (lambda path, form: whole(path, form, redact))
    warm = path.with_name("warm")
    warm.write_bytes(path.open("rb").readline())
    run(warm, form)
    before, started = os.times(), time.perf_counter()
    records = run(path, form)
    took, after = time.perf_counter() - started, os.times()
    peaks = [resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cores = sum(after[:4]) - sum(before[:4])
    print(
        json.dumps({"seconds": took, "cores": cores, "records": records, "peak_mib": peaks[0], "child_mib": peaks[1]})
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mb", type=float, default=100)
    parser.add_argument("--body", type=int, default=600, help="bytes of a request, about")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--redact", action="store_true")
    parser.add_argument("--one", nargs=3, metavar=("WHAT", "FILE", "FORMAT"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    redact = "default" if args.redact else "none"
    if args.one:
        one(args.one[0], Path(args.one[1]), args.one[2], redact)
        return
    with tempfile.TemporaryDirectory() as folder:
        for form in FORMATS:
            path = Path(folder) / f"{form}.jsonl"
            write(path, form, int(args.mb * 1e6), args.body)
            measured: dict[str, list[dict[str, float]]] = {}
            for _ in range(args.rounds):
                for what in ("bare", "format", "import"):
                    words = [sys.executable, __file__, "--one", what, str(path), form]
                    words += ["--redact"] if args.redact else []
                    done = subprocess.run(words, check=True, capture_output=True, env=os.environ)
                    measured.setdefault(what, []).append(json.loads(done.stdout))
            size = path.stat().st_size
            usual = statistics.median(item["seconds"] for item in measured["bare"])
            for what, items in measured.items():
                took = statistics.median(item["seconds"] for item in items)
                peak, child = (max(item[name] for item in items) for name in ("peak_mib", "child_mib"))
                records = int(items[0]["records"])
                cores = statistics.median(item["cores"] for item in items) / records * 1e6
                print(
                    f"{form:18} {what:7} {size / took / 1e6:8.1f} MB/s  {usual / took:5.2f} x bare  {cores:6.1f} us  "
                    f"{peak:4.0f} + {child:2.0f} MiB  {records:,} records of {size / records:,.0f} bytes"
                )
            path.unlink()


if __name__ == "__main__":
    main()
