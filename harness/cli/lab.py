"""`parity lab up|status|down|faults`: the embedded lab, on its own; runs use it with --lab-state."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from harness.errors import EXIT_ERROR, EXIT_GO
from harness.run.lab import STATE_VARIABLE

STATE_FILE = "reports/lab.json"


def add(commands: Any) -> None:
    command = commands.add_parser("lab", help="start, show or stop the embedded lab; list the faults it can plant")
    actions = command.add_subparsers(dest="action", metavar="up|status|down|faults", required=True)
    for action, text in (
        ("up", "start the lab and leave it running"),
        ("status", "say whether it runs, and where"),
        ("down", "stop it"),
    ):
        one = actions.add_parser(action, help=text)
        one.add_argument("--state", type=Path, metavar="FILE", help=f"default: {STATE_VARIABLE}, else {STATE_FILE}")
        if action == "up":
            one.add_argument("--plant", metavar="FAULT", help="plant a fault from the start")
            one.add_argument(
                "--untold", action="store_true", help="runs are not told of the plant: it is met like a cloud's fault"
            )
            one.add_argument("--seed", type=int, default=7, help="which payloads a fault hits; default 7")
            one.add_argument("--service-time", type=float, default=0.03, metavar="S", help="seconds a call takes")
    actions.add_parser("faults", help="list the faults and what the gate must make of them")


def run(args: argparse.Namespace) -> int:
    from harness import lab

    if args.action == "faults":
        from harness.lab.plants import PLANTS

        for name, plant in PLANTS.items():
            print(f"{name:18} {plant.expected:13} {plant.does}")
        return EXIT_GO
    state = args.state or Path(os.environ.get(STATE_VARIABLE) or STATE_FILE)
    if args.action == "up":
        started = lab.up(state, plant=args.plant, seed=args.seed, service_time_s=args.service_time, untold=args.untold)
        print(json.dumps(started, indent=2))
        return EXIT_GO
    if args.action == "down":
        print("stopped" if lab.down(state) else "no lab was running")
        return EXIT_GO
    found = lab.status(state)
    if found is None:
        print(f"{state}: no lab is running; start one with: parity lab up", file=sys.stderr)
        return EXIT_ERROR
    print(json.dumps(found, indent=2))
    return EXIT_GO
