"""`parity explain RUN`: why the two sides of a stored run differ, without a call; also of a file of pairs."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli._json import json_line
from harness.errors import EXIT_GO

if TYPE_CHECKING:
    from harness.core.report import Payloads
    from harness.run.explain import Explanation

PATHS, COLUMNS = 10, 5  # listed at most


def add(subparsers: Any) -> None:
    command = subparsers.add_parser("explain", help="name what would make the target equal to the source")
    command.add_argument("run", metavar="RUN", help="a run's name or folder, or a file of pairs (.jsonl)")
    command.add_argument("--most", type=int, default=5, metavar="N", help="causes to name; default 5")
    command.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """0 when it was looked for, found or not; it decides nothing. Raises HarnessError, which the door turns into 2."""
    from harness import config
    from harness.core.report import Payloads
    from harness.reporters._parts.schema import plain  # numbers that are none become null
    from harness.run import explain, plan
    from harness.run.folder import find_run
    from harness.run.observe import observations

    payloads = Payloads.FULL
    if args.run.endswith(".jsonl") and Path(args.run).is_file():
        found = explain.explain_rows(explain.read_pairs(Path(args.run)), most=args.most)
    else:
        folder = find_run(config.load_project(Path.cwd()).reports, args.run)
        record = folder.read_record()
        profile = config.profile(config.load_project(Path(record.suite_path)), record.profile)
        made = plan.again(record, profile)
        payloads = made.profile.payloads
        found = explain.explain_run(made, observations(made, folder.ledger), most=args.most)
    print(json_line(plain(_document(found, payloads))) if args.json else _text(found, payloads))
    return EXIT_GO


def _document(found: Explanation, payloads: Payloads) -> dict[str, Any]:
    causes = [{**asdict(cause), "told": _told(cause, payloads)} for cause in found.causes]
    for cause in causes:
        del cause["complexity"], cause["settings"]
    paths = [asdict(path) for path in found.paths]
    errors = {name: {str(q): apart for q, apart in one.items()} for name, one in found.errors.items()}
    return {"rows": found.rows, "left_out": found.left_out, "causes": causes, "errors": errors, "paths": paths}


def _text(found: Explanation, payloads: Payloads) -> str:
    lines = [f"{found.rows:,} rows" + (f", {found.left_out:,} of another shape left out" if found.left_out else "")]
    for place, cause in enumerate(found.causes, start=1):
        lines += [
            f"{place}. {_told(cause, payloads)}",
            f"   {cause.name}: explains {cause.explained:.1%} of the difference; "
            f"{cause.before:.1%} of the rows equal before, {cause.after:.1%} after",
        ]
    if not found.causes:
        lines.append("no cause found that explains a fifth of a difference" if found.rows else "no numbers to explain")
    lines += [
        f'differences of "{name}": ' + ", ".join(f"{q:.0%} within {apart:.3g}" for q, apart in quantiles.items())
        for name, quantiles in list(found.errors.items())[:COLUMNS]
        if quantiles
    ]
    if found.paths:
        lines.append("paths of JSON answers, by how much more often they differ than in the source itself:")
        lines += [
            f"   {rate.metric} {rate.path}: target {rate.target} of {rate.cases}, source itself {rate.noise} "
            f"({'beyond its noise' if rate.beyond_noise else 'within its noise'}, p {rate.p:.2g})"
            for rate in found.paths[:PATHS]
        ]
    return "\n".join(lines)


def _told(cause: Any, payloads: Payloads) -> str:
    from harness.run.explain import QUOTING
    from harness.run.shown import Shown

    told: str = cause.told
    return Shown(payloads).reason(told) if cause.name in QUOTING else told
