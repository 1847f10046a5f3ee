"""`parity gate RUN...`: decide stored runs again from their rows, and combine them."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from harness.cli.run import exit_code


def add(commands: Any) -> None:
    command = commands.add_parser("gate", help="decide stored runs again and combine them: one refusal refuses all")
    command.add_argument("runs", nargs="+", metavar="RUN", help="a run's name or folder")
    command.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    from harness import config
    from harness.gate.document import document
    from harness.run.folder import find_run
    from harness.run.session import combine, decide_stored

    reports = config.load_project(Path.cwd()).reports
    folders = [find_run(reports, name) for name in args.runs]
    decisions = {folder.path.name: decide_stored(folder) for folder in folders}
    verdict = combine([decision.verdict for decision in decisions.values()])
    if args.json:
        runs = {name: document(decision) for name, decision in decisions.items()}
        print(json.dumps({"decision": verdict.value, "runs": runs}, allow_nan=False))
    else:
        for name, decision in decisions.items():
            print(f"{decision.verdict.value:13} {name}: {decision.headline}")
        print(verdict.value)
    return exit_code(verdict)
