"""`parity verify BUNDLE`: recompute a decision from its bundle alone, and say what in it was altered."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import EXIT_GO, EXIT_NO_GO

if TYPE_CHECKING:
    from harness.gate.verification import Verification


def add(commands: Any) -> None:
    command = commands.add_parser(
        "verify",
        help="recompute a decision from its bundle alone",
        description="Exits 0 when the bundle verifies, whatever was decided; 1 when it was altered; 2 when it is "
        "unreadable: no bundle, cut off, or of a later version.",
    )
    command.add_argument("bundle", type=Path, metavar="BUNDLE", help="a file that `parity evidence` wrote")
    command.add_argument(
        "--trust",
        type=Path,
        metavar="KEYS",
        help="allowed signers, a line each: ROLE NAME PUBLIC-KEY; without it signatures are not checked",
    )
    command.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    from harness.gate.signers import read_trust
    from harness.gate.verification import verify

    trust = None if args.trust is None else read_trust(args.trust)
    found = verify(args.bundle, trust=trust)
    if args.json:
        print(json.dumps({"bundle": str(args.bundle), **found.document()}))
    else:
        print("\n".join(_lines(found)))
    return EXIT_GO if found.verifies else EXIT_NO_GO


def _lines(found: Verification) -> Iterator[str]:
    if not found.verifies:
        yield f"ALTERED: run {found.run}"
        yield from (f"  {fault}" for fault in found.altered)
    else:
        yield f"verifies: run {found.run}, decided at {found.decided_at}"
    if found.verdict is not None:
        yield f"{found.verdict.value}. {found.headline}" if found.verifies else f"recomputed: {found.verdict.value}"
    for one in found.signatures:
        yield f"{one.what}: {one.status}{f', {one.who}' if one.who else ''} ({one.says})"
    if not any(one.what == "seal" for one in found.signatures) and found.verdict is not None:
        yield "seal: none, so nothing shows who made this file"
    if found.signoff is not None:
        yield f"sign-off: {'complete' if found.signoff.complete else ' '.join(found.signoff.reasons)}"
    if found.handed:
        yield f"not recomputed, as they come from outside the rows: {', '.join(found.handed)}"
    yield from (f"note: {note}" for note in found.notes)
