"""`parity inventory`: what answers today, what it moves to, and which suites cover it, as the estate file."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.run import add_lab_state, lab_for
from harness.errors import EXIT_GO, EXIT_NO_GO

if TYPE_CHECKING:
    from harness.gate.estate import Estate


def add(commands: Any) -> None:
    command = commands.add_parser(
        "inventory",
        help="list what answers in both clouds and which suites cover it, as the estate file",
        description="Calls control planes only: nothing is scored. Exits 0; with --fail-uncovered 1 where something in "
        "scope has no suite or could not be listed.",
    )
    command.add_argument("--profile", help="default: default_profile of parity.toml")
    command.add_argument(
        "--into", type=Path, metavar="FILE", help="the estate file; default: estate.toml beside parity.toml"
    )
    command.add_argument(
        "--since-days", type=float, default=90.0, metavar="DAYS", help="batch jobs older than this are gone; default 90"
    )
    command.add_argument(
        "--fail-uncovered", action="store_true", help="exit 1 where something is uncovered or could not be listed"
    )
    command.add_argument("--json", action="store_true", help="one JSON document on stdout, all else on stderr")
    add_lab_state(command)


def run(args: argparse.Namespace) -> int:
    from harness import config
    from harness.gate.estate import ESTATE, load_estate
    from harness.gate.estate_file import refreshed, render
    from harness.run import inventory
    from harness.run.folder import write_whole

    project = config.load_project(Path.cwd())
    profile = config.profile(project, args.profile)
    path = args.into or project.folder / ESTATE
    before = load_estate(path) if path.is_file() else None
    with lab_for(profile, args.lab_state, None) as (addresses, _):
        now = inventory.read(project, profile, lab=addresses, since_days=args.since_days)
    estate = refreshed(before, now)
    write_whole(path, render(estate).encode())
    print("\n".join(_lines(estate, path)), file=sys.stderr if args.json else sys.stdout)
    if args.json:
        print(json.dumps(_document(estate, path)))
    return EXIT_NO_GO if args.fail_uncovered and (estate.uncovered or estate.unlisted) else EXIT_GO


def _lines(estate: Estate, path: Path) -> Iterator[str]:
    table = [("service", "kind", "name", "model", "covered by", "counterpart")]
    for entry in estate.entries:
        found, other = entry.found, entry.counterpart
        made = " ".join(word for word in (found.model, found.version) if word)
        table.append((found.service, found.kind, found.name, made or "-", entry.standing, other.name if other else "-"))
    widths = [max(len(row[at]) for row in table) for at in range(len(table[0]))]
    yield from (
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in table
    )
    for one in estate.unlisted:
        yield f"not listed: {one.service} {one.kind}: {one.reason}, needs {one.needs}"
    asked = sum(entry.asked for entry in estate.entries)
    yield f"{asked - len(estate.uncovered)} of {asked} in scope are covered; {len(estate.targets)} at the target."
    yield str(path)


def _document(estate: Estate, path: Path) -> dict[str, Any]:
    return {
        "schema": "parity-inventory/1",
        "estate": str(path),
        "entries": len(estate.entries),
        "targets": len(estate.targets),
        "uncovered": [" ".join(entry.key) for entry in estate.uncovered],
        "unlisted": [
            {"service": one.service, "kind": one.kind, "reason": one.reason, "needs": one.needs}
            for one in estate.unlisted
        ],
    }
