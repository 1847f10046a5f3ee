"""`parity sign`: put one person's key to a run's decision, or to that of a whole migration."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import EXIT_GO, ConfigError

if TYPE_CHECKING:
    from harness.gate.keys import Signing
    from harness.gate.signers import Roles, Signer
    from harness.gate.signoff import Signable


def add(commands: Any) -> None:
    command = commands.add_parser("sign", help="sign a decision in a role that its policy lists")
    command.add_argument("run", nargs="?", metavar="RUN", help="a run's name or folder")
    command.add_argument(
        "--policy",
        type=Path,
        metavar="CUTOVER",
        help="in place of a run: a cutover.toml, whose whole evidence is signed",
    )
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
    if (args.run is None) == (args.policy is None):
        raise ConfigError("parity sign: name a run, or a cutover.toml with --policy; one of the two.")
    return _sign_run(args) if args.policy is None else _sign_migration(args)


def _sign_run(args: argparse.Namespace) -> int:
    from harness import config
    from harness.gate import decided
    from harness.run.folder import find_run

    folder = find_run(config.load_project(Path.cwd()).reports, args.run)
    made = decided.load(folder)
    _sign(args, made, made.policy.signoff, folder.path, headline=str(made.content["headline"]))
    return EXIT_GO


def _sign_migration(args: argparse.Namespace) -> int:
    """Raises EvidenceError where anything but the sign-off is open: there is nothing to put a name to yet."""
    from harness import config
    from harness.core.verdict import Verdict
    from harness.errors import EvidenceError
    from harness.gate.cutover_file import load_cutover
    from harness.run.migration import decide

    policy = load_cutover(args.policy)
    made = decide(policy, config.load_project(args.policy.absolute().parent))
    if made.measured is not Verdict.GO:
        raise EvidenceError(
            f"{made.headline} Only a GO is signed; see what is open: parity gate --policy {args.policy}"
        )
    policy.folder.mkdir(exist_ok=True)
    _sign(args, made.signable(policy.name), policy.signoff, policy.folder, headline=made.headline)
    return EXIT_GO


def _sign(args: argparse.Namespace, made: Signable, roles: Roles, folder: Path, *, headline: str) -> None:
    from datetime import UTC, datetime

    from harness.gate import signoff

    signer, key = _signer(args, roles)
    signed = signoff.sign(made, signer, key, at=datetime.now(UTC))
    path = signoff.store(folder, signed, replace=args.replace)
    print(f"{made.verdict.value}. {headline}")
    print(f"signed by {signer.name} as {signer.role} ({key.public.algorithm}, key {key.public.id[:16]})")
    print(f"decision {made.sha256}\n{path}")
    state = signoff.complete(signoff.read_all(folder), roles, made.sha256)
    print("sign-off is complete." if state.complete else f"still missing: {' '.join(state.reasons)}")


def _signer(args: argparse.Namespace, roles: Roles) -> tuple[Signer, Signing]:
    """Who signs and with what; the policy says whose the key is."""
    from harness.gate.keys import Hook, load_private_key
    from harness.gate.signoff import allowed

    if args.hook is not None:
        signer = allowed(roles, args.role, name=args.name)
        return signer, Hook(signer.key, args.hook)
    key = load_private_key(args.key, passphrase_env=args.passphrase_env)
    return allowed(roles, args.role, name=args.name, key=key.public), key
