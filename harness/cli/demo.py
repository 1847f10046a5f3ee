"""`parity demo`: the main job of `make parity`, where make is missing."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from harness.cli import run as run_command
from harness.errors import ConfigError


def add(commands: Any) -> None:
    command = commands.add_parser("demo", help="run the shipped suites against the embedded lab (in a checkout)")
    command.add_argument("--plant", metavar="FAULT", help="plant a fault (see `parity lab faults`)")
    run_command.add_lab_state(command)


def run(args: argparse.Namespace) -> int:
    from harness import config

    folder = config.load_project(Path.cwd()).folder
    suites = sorted(path.parent for path in folder.glob(f"suites/*/{config.SUITE_FILE}"))
    if not suites:
        raise ConfigError(f"{folder}: there are no suites here. Run the demo inside a checkout of the project.")
    parser = argparse.ArgumentParser()
    run_command.add(parser.add_subparsers())
    words = ["run", *map(str, suites), "--profile", "lab"]
    words += ["--plant", args.plant] if args.plant is not None else []
    words += ["--lab-state", str(args.lab_state)] if args.lab_state is not None else []
    return run_command.run(parser.parse_args(words))
