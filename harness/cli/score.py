"""`parity score WHAT FILE`: comparators on files of pairs, without a run."""

from __future__ import annotations

import argparse
import importlib
from typing import Any

# What can be scored: a module `score_<what>` beside this one, with `add` and `run`.
WHAT = ("embeddings", "text")


def add(subparsers: Any) -> None:
    command = subparsers.add_parser("score", help="score a file of pairs, without a run")
    kinds = command.add_subparsers(dest="what", metavar="WHAT", required=True)
    for what in WHAT:
        importlib.import_module(f"harness.cli.score_{what}").add(kinds)


def run(args: argparse.Namespace) -> int:
    code: int = importlib.import_module(f"harness.cli.score_{args.what}").run(args)
    return code
