"""`parity evidence RUN`: write the sealed file that shows why a run was decided as it was."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from harness.errors import EXIT_GO


def add(commands: Any) -> None:
    command = commands.add_parser("evidence", help="write one sealed file from which the decision can be recomputed")
    command.add_argument("run", metavar="RUN", help="a run's name or folder")
    command.add_argument("--output", type=Path, metavar="FILE", help="default: evidence.tar in the run's folder")
    command.add_argument(
        "--key", type=Path, metavar="PATH", help="seal it with this private key, PEM; default: unsigned"
    )
    command.add_argument("--passphrase-env", metavar="NAME", help="environment variable with the key's passphrase")
    command.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    from harness import config
    from harness.gate import evidence
    from harness.gate.keys import load_private_key
    from harness.run.folder import find_run

    folder = find_run(config.load_project(Path.cwd()).reports, args.run)
    key = None if args.key is None else load_private_key(args.key, passphrase_env=args.passphrase_env)
    bundle = evidence.write(folder, args.output or folder.path / "evidence.tar", seal=key)
    if args.json:
        print(
            json.dumps(
                {
                    "bundle": str(bundle.path),
                    "sha256": bundle.sha256,
                    "decision": bundle.verdict.value,
                    "decision_sha256": bundle.decision_sha256,
                    "sealed": key is not None,
                }
            )
        )
    else:
        print(bundle.path)
    return EXIT_GO
