"""The main job for Bedrock and Azure OpenAI, and promptfoo on the same two-sided task: cases a second, CPU, memory.

Both put every question to both sides of the same lab (service time 0) with 8 calls in flight, and write a report.
promptfoo calls each side once and holds each answer against a pattern; it cannot hold two answers against each other
without a model. parity calls the source twice, scores both pairs of answers, and decides: it does more for a case. CPU
(user + system) and peak memory are those of the tool's process tree, start-up included; the servers' are not.

    npm install --prefix DIR promptfoo@0.121 @aws-sdk/client-bedrock-runtime
    .venv/bin/python benchmarks/chat.py --promptfoo DIR --cases 1000 10000

Without --promptfoo it is installed into a temporary folder first (some minutes).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from shutil import which

ROOT = Path(__file__).resolve().parent.parent
IN_FLIGHT = 8
MODEL = "anthropic.claude-3-5-sonnet-20240620-v1:0"
PACKAGES = ("promptfoo@0.121", "@aws-sdk/client-bedrock-runtime")


def questions(cases: int) -> Iterator[tuple[str, str, str]]:
    """(id, system text, question): those of the golden set that stand in one text, repeated with a number."""
    lines = (ROOT / "golden" / "chat" / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    stored = [line for line in map(json.loads, lines) if line["slices"]["kind"] == "question"]
    bodies = [json.loads(line["request"]["body"]) for line in stored if "toolConfig" not in line["request"]["body"]]
    for number in range(cases):
        body = bodies[number % len(bodies)]
        text = body["messages"][0]["content"][0]["text"]
        yield f"case-{number:06d}", body["system"][0]["text"], f"{text} (Ticket {number})"


def project(folder: Path, cases: int) -> Path:
    """A project with one suite over these questions."""
    from harness.recordings.store import GoldenSet, write

    chat = GoldenSet.open(ROOT / "golden" / "chat")
    first = chat.recording(0)

    def asked():
        for name, system, question in questions(cases):
            body = {
                "system": [{"text": system}],
                "messages": [{"role": "user", "content": [{"text": question}]}],
                "inferenceConfig": {"maxTokens": 300},
            }
            recording = replace(first.recording, id=name, request_body=json.dumps(body).encode())
            yield replace(first, recording=recording, cluster=name, slices={"kind": "question"}, expected=None)

    words = chat.manifest
    write(
        folder / "golden" / "many",
        asked(),
        name="many",
        description="questions of the golden set chat, numbered",
        service=words.service,
        operation=words.operation,
        licence=words.licence,
        source=words.source,
        split=words.split,
        created_at=words.created_at,
        sampled=True,
    )
    (folder / "parity.toml").write_text((ROOT / "parity.toml").read_text())
    suite = folder / "suites" / "many" / "suite.toml"
    suite.parent.mkdir(parents=True)
    suite.write_text(
        '[suite]\ntitle = "Many"\npair = "bedrock_to_azure_openai"\ngolden = "many"\n'
        f'[endpoints.lab]\nsource = "{MODEL}"\ntarget = "gpt-4o"\n'
        '[comparators.answer]\nuse = "text_similarity"\n[coverage]\nallow_sampled = true\n'
        '[[criterion]]\nmetric = "answer"\nkind = "score"\n'
    )
    return suite


def parity(folder: Path, state: Path, cases: int) -> None:
    """`parity run` in a process of its own, measured and printed."""
    suite = project(folder, cases)
    command = [sys.executable, "-m", "harness", "run", str(suite.parent), "--lab-state", str(state), "--json"]
    done = measured(command, cwd=folder, environment={"PYTHONPATH": str(ROOT)})
    text = (folder / "out").read_text()
    if not text:
        raise SystemExit((folder / "err").read_text())
    told("parity", cases, sum(side["answered"] for side in json.loads(text)["sides"]), done)


def promptfoo(
    folder: Path, tool: Path, addresses: Mapping[str, str], environment: Mapping[str, str], cases: int
) -> None:
    """`promptfoo eval`: one prompt, two providers, a test a case, its answers held against the fact that is asked."""
    from harness.lab.settings import AZURE_OPENAI_KEY

    prompt = [{"role": "system", "content": "{{system}}"}, {"role": "user", "content": "{{question}}"}]
    bedrock = {"region": "us-east-1", "endpoint": addresses["bedrock"], "max_tokens": 300}
    azure = {"apiBaseUrl": addresses["azure_openai"], "apiKeyEnvar": AZURE_OPENAI_KEY, "apiVersion": "2024-10-21"}
    config = {
        "prompts": [json.dumps(prompt)],
        "providers": [
            {"id": f"bedrock:converse:{MODEL}", "config": bedrock},
            {"id": "azure:chat:gpt-4o", "config": azure | {"max_tokens": 300}},
        ],
        # JSON inside a template: a line feed must stay one.
        "tests": [
            {"vars": {"system": system, "question": question.replace("\n", "\\n")}, "assert": [FACT]}
            for _, system, question in questions(cases)
        ],
    }
    (folder / "config.json").write_text(json.dumps(config))
    quiet = {"PROMPTFOO_DISABLE_TELEMETRY": "1", "PROMPTFOO_DISABLE_UPDATE": "1", "NO_COLOR": "1"}
    own = {**environment, **quiet, "PROMPTFOO_CONFIG_DIR": str(folder / "state"), "AWS_REGION": "us-east-1"}
    command = [str(tool / "node_modules" / ".bin" / "promptfoo"), "eval", "-c", "config.json", "-o", "results.json"]
    options = ["--no-cache", "--no-progress-bar", "--no-table", "-j", str(IN_FLIGHT)]
    done = measured([*command, *options], cwd=folder, environment=own)
    results = json.loads((folder / "results.json").read_text())["results"]["results"]
    answered = sum(bool((result.get("response") or {}).get("output")) for result in results)
    told("promptfoo", cases, answered, done)


# Two sides of one answer cannot be held against each other in one test; the nearest is a text both must hold.
FACT = {"type": "regex", "value": "[0-9A-Z]"}
Measured = tuple[float, float, float]


def measured(command: list[str], *, cwd: Path, environment: Mapping[str, str]) -> Measured:
    """(wall s, CPU s, peak MiB) of a command and what it starts. Its output goes to `out` and `err` in cwd."""
    started = time.perf_counter()
    with (cwd / "out").open("wb") as out, (cwd / "err").open("wb") as err:
        process = subprocess.Popen(command, cwd=cwd, env={**os.environ, **environment}, stdout=out, stderr=err)
        _, _, used = os.wait4(process.pid, 0)
    return time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def told(tool: str, cases: int, calls: int, done: Measured) -> None:
    wall_s, cpu_s, peak = done
    print(
        f"| {tool} | {cases:,} | {calls:,} | {wall_s:.1f} | {cases / wall_s:.0f} | {cpu_s:.1f} "
        f"| {cpu_s / cases * 1000:.1f} | {peak:.0f} |",
        flush=True,
    )


def main() -> None:
    from harness import lab

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, nargs="+", default=[1000])
    parser.add_argument("--promptfoo", type=Path, metavar="DIR")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        tool = args.promptfoo.resolve() if args.promptfoo else folder / "tool"
        if not args.promptfoo:
            subprocess.run(
                [which("npm") or "npm", "install", "--no-audit", "--no-fund", "--prefix", str(tool), *PACKAGES],
                check=True,
            )
        state = folder / "lab.json"
        lab.up(state, service_time_s=0.0)
        try:
            controls = lab.attach(state)
            print("| tool | cases | calls answered | wall s | cases/s | CPU s | CPU ms a case | peak MiB |")
            print("|---|---|---|---|---|---|---|---|")
            for cases in args.cases:
                place = folder / f"parity-{cases}"
                place.mkdir()
                parity(place, state, cases)
                place = folder / f"promptfoo-{cases}"
                place.mkdir()
                promptfoo(place, tool, controls.addresses, controls.environment, cases)
        finally:
            lab.down(state)


if __name__ == "__main__":
    main()
