"""`parity selftest RUN`: plant known faults into a copy of a run's own rows and show that the gate refuses them."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import ConfigError

if TYPE_CHECKING:
    from datetime import datetime

    from harness.core.rows import Rows
    from harness.gate.policy import Policy
    from harness.gate.selftest import SelfTest, Trial
    from harness.run.folder import RunFolder


def add(commands: Any) -> None:
    command = commands.add_parser(
        "selftest", help="plant known faults into a run's own rows: does the gate refuse them?"
    )
    command.add_argument("run", nargs="?", metavar="RUN", help="a run's name or folder")
    command.add_argument("--rows", type=Path, metavar="ROWS", help="in place of a run: a rows file, with --policy")
    command.add_argument("--policy", type=Path, metavar="POLICY", help="a policy, or a suite.toml")
    command.add_argument("--seed", type=int, default=7, help="which cases a fault hits; default 7")
    command.add_argument("--json", action="store_true", help="one JSON document on stdout, all else on stderr")


def run(args: argparse.Namespace) -> int:
    """0 every fault is refused and the rows without them are not, 1 the gate cannot be relied on, 3 too few rows."""
    from datetime import UTC, datetime

    from harness.gate.selftest import SEED, selftest

    rows, policy, name = _from_run(args) if args.run is not None else _from_files(args)
    at = datetime.now(UTC)
    found = selftest(rows, policy, decided_at=at, seed=args.seed)
    if args.run is not None and args.policy is None and args.seed == SEED:
        _keep(args, found, at)
    print(text(found, name), file=sys.stderr if args.json else sys.stdout)
    if args.json:
        print(json.dumps(found.document(), allow_nan=False))
    return found.exit_code


def _keep(args: argparse.Namespace, found: SelfTest, at: datetime) -> None:
    """Leave it in the run's folder, where the cutover gate looks for it."""
    from harness.run.migration import write_selftest

    folder = _folder(args.run)
    write_selftest(folder, folder.read_record(), found, at=at)


def _folder(run: str) -> RunFolder:
    from harness import config
    from harness.run.folder import RunFolder, find_run

    given = Path(run)
    return (
        RunFolder(given) if (given / "run.json").is_file() else find_run(config.load_project(Path.cwd()).reports, run)
    )


def _from_run(args: argparse.Namespace) -> tuple[Rows, Policy, str]:
    from harness.errors import LedgerError
    from harness.gate.policy import load_policy
    from harness.gate.rows_file import read_rows

    if args.rows is not None:
        raise ConfigError("parity selftest: name a run or --rows, one of the two.")
    folder = _folder(args.run)
    if not folder.rows.is_file():
        raise LedgerError(f"run {folder.path.name} has no rows yet. Finish it: parity run --resume {folder.path.name}")
    return read_rows(folder.rows), load_policy(args.policy or folder.policy), folder.path.name


def _from_files(args: argparse.Namespace) -> tuple[Rows, Policy, str]:
    from harness.gate.policy import load_policy
    from harness.gate.rows_file import read_rows

    if args.rows is None or args.policy is None:
        raise ConfigError("parity selftest: name a run, or --rows ROWS with --policy POLICY.")
    return read_rows(args.rows), load_policy(args.policy), str(args.rows)


def text(found: SelfTest, name: str) -> str:
    """For a terminal: what the faults were planted into, a line a fault, why some were not refused, the conclusion."""
    head = [f"self-test of {name}: {found.cases:,} cases, seed {found.seed}"]
    head.append(f"planted into {found.twin}, of which the gate says {found.twin_decision.value}")
    table = [("fault", "planted in", "size", "right", "gate says", "result")]
    table += [
        (one.fault, one.planted_in, one.size, one.expected.value, one.decision.value, one.outcome.value)
        for one in found.trials
    ]
    widths = [max(len(row[at]) for row in table) for at in range(len(table[0]))]
    lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    reasons = [
        f"{one.outcome.value}: {one.fault}, {one.planted_in}: {one.reason}" for one in found.trials if _open(one)
    ]
    parts = [head, lines, reasons, [found.conclusion]]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _open(trial: Trial) -> bool:
    return trial.outcome.value != "refused"
