"""`parity demo`: what `make parity` does, where make is missing."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

from harness.errors import ConfigError


def add(commands: Any) -> None:
    command = commands.add_parser("demo", help="run the shipped suites against the embedded lab (in a checkout)")
    command.add_argument("--plant", metavar="FAULT", help="plant a fault in the target (see `parity lab faults`)")


def run(args: argparse.Namespace) -> int:
    from harness import config

    folder = config.load_project(Path.cwd()).folder
    if not (folder / "suites").is_dir():
        raise ConfigError(f"{folder}: there is no suites/ here. Run the demo inside a checkout of the project.")
    command = [sys.executable, "-m", "pytest", "suites/", "-p", "no:hypothesispytest", "--parity-profile", "lab"]
    if args.plant:
        command += ["--parity-plant", args.plant]
    return subprocess.run(command, cwd=folder, check=False).returncode
