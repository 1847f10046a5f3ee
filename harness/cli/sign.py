"""`parity sign RUN --role ROLE`: put one person's key to a run's decision."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import EXIT_GO

if TYPE_CHECKING:
    from harness.gate.keys import Signing
    from harness.gate.signers import Roles, Signer


def add(commands: Any) -> None:
    command = commands.add_parser("sign", help="sign a run's decision in a role that the policy lists")
    command.add_argument("run", metavar="RUN", help="a run's name or folder")
    command.add_argument("--role", required=True, help="a role of the policy's [signoff]: engineering, risk, ...")
    key = command.add_mutually_exclusive_group(required=True)
    key.add_argument("--key", type=Path, metavar="PATH", help="private key, PEM: Ed25519 or ECDSA P-256")
    key.add_argument(
        "--command",
        dest="hook",
        metavar="COMMAND",
        help="signs for a key kept elsewhere (Key Vault, KMS): bytes on stdin, signature on stdout",
    )
    command.add_argument("--passphrase-env", metavar="NAME", help="environment variable with the key's passphrase")
    command.add_argument("--name", metavar="PERSON", help="whose key it is, where a role lists several")
    command.add_argument("--replace", action="store_true", help="put this in the place of the role's earlier sign-off")


def run(args: argparse.Namespace) -> int:
    from datetime import UTC, datetime

    from harness import config
    from harness.gate import decided, signoff
    from harness.run.folder import find_run

    folder = find_run(config.load_project(Path.cwd()).reports, args.run)
    made = decided.load(folder)
    signer, key = _signer(args, made.policy.signoff)
    signed = signoff.sign(made, signer, key, at=datetime.now(UTC))
    path = signoff.store(folder.path, signed, replace=args.replace)
    print(f"{made.verdict.value}. {made.content['headline']}")
    print(f"signed by {signer.name} as {signer.role} ({key.public.algorithm}, key {key.public.id[:16]})")
    print(f"decision {made.sha256}\n{path}")
    state = signoff.complete(signoff.read_all(folder.path), made.policy.signoff, made.sha256)
    print("sign-off is complete." if state.complete else f"still missing: {' '.join(state.reasons)}")
    return EXIT_GO


def _signer(args: argparse.Namespace, roles: Roles) -> tuple[Signer, Signing]:
    """Who signs and with what; the policy says whose the key is."""
    from harness.gate.keys import Hook, load_private_key
    from harness.gate.signoff import allowed

    if args.hook is not None:
        signer = allowed(roles, args.role, name=args.name)
        return signer, Hook(signer.key, args.hook)
    key = load_private_key(args.key, passphrase_env=args.passphrase_env)
    return allowed(roles, args.role, name=args.name, key=key.public), key
