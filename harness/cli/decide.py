"""`parity decide ROWS --policy POLICY`: judge rows, whoever made them."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import EXIT_GO, EXIT_INCONCLUSIVE, EXIT_NO_GO, PolicyError

if TYPE_CHECKING:
    from harness.core.verdict import Decision


def add(subparsers: Any) -> None:
    command = subparsers.add_parser("decide", help="decide on a rows file, JSON Lines or Parquet, by a policy")
    command.add_argument("rows", metavar="ROWS", type=Path, help="a row a case, metric and repeat")
    command.add_argument("--policy", required=True, type=Path, metavar="POLICY", help="a policy, or a suite.toml")
    command.add_argument("--history", type=Path, metavar="DIR", help="rows files of earlier nights; only read")
    command.add_argument("--json", action="store_true", help="one JSON document on stdout, all else on stderr")


def run(args: argparse.Namespace) -> int:
    """0 GO, 1 NO-GO, 3 INCONCLUSIVE. Raises HarnessError, which the door turns into 2."""
    from datetime import UTC, datetime

    from harness import __version__
    from harness.gate.conditions import Conditions
    from harness.gate.coverage import unchecked
    from harness.gate.decide import decide
    from harness.gate.document import document
    from harness.gate.history import Past, read_history
    from harness.gate.policy import load_policy
    from harness.gate.rows_file import open_rows

    policy = load_policy(args.policy).under(Conditions.beside(args.rows))
    if args.history is not None and policy.mode == "fixed":
        raise PolicyError(
            f'{args.policy}, [gate]: mode "fixed" is one look planned in advance and takes no --history. '
            'Use mode = "anytime", or leave --history out.'
        )
    file = open_rows(args.rows)
    past = Past(rows=(), notes=())
    if args.history is not None:
        past = read_history(args.history, policy, tonight=file)
    decision = decide(
        file.rows,
        policy,
        decided_at=datetime.now(UTC),
        history=past.rows,
        started=past.started,
        notes=(*past.notes, *unchecked(policy)),
        signature_parts={"rows": file.sha256[:16], "parity-harness": __version__},
    )
    print(text(decision), file=sys.stderr if args.json else sys.stdout)
    if args.json:
        content = document(decision, rows_sha256=file.sha256)
        del content["decided_at"]  # the same rows and policy give the same document, today and in five years
        print(json.dumps(content, allow_nan=False))
    return {"GO": EXIT_GO, "NO-GO": EXIT_NO_GO}.get(decision.verdict.value, EXIT_INCONCLUSIVE)


def text(decision: Decision) -> str:
    """The decision for a terminal: the answer, every finding in policy order, notes, the signature."""
    lines = [f"{decision.verdict.value}. {decision.headline}", ""]
    for finding in decision.findings:
        where = f", {finding.slice}" if finding.slice else ""
        role = "" if finding.gating else "  (does not vote)"
        lines += [f"{finding.verdict.value:<13} {finding.criterion}{where}{role}", f"              {finding.reason}"]
    if decision.notes:
        lines += ["", *(f"note: {note}" for note in decision.notes)]
    return "\n".join([*lines, "", f"epoch {decision.epoch}  {decision.signature}"])
