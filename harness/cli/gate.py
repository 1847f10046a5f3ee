"""`parity gate`: stored runs decided again from their rows and combined, or the answer for a whole migration."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.run import exit_code
from harness.errors import ConfigError, LedgerError

if TYPE_CHECKING:
    from harness.gate.signoff import SignoffState
    from harness.run.folder import RunFolder


def add(commands: Any) -> None:
    command = commands.add_parser("gate", help="decide stored runs again and combine them: one refusal refuses all")
    command.add_argument("runs", nargs="*", metavar="RUN", help="a run's name or folder")
    command.add_argument(
        "--policy",
        type=Path,
        metavar="CUTOVER",
        help="in place of runs: a cutover.toml, and the answer for the whole migration",
    )
    command.add_argument(
        "--require-signoff",
        action="store_true",
        help="GO only where every role that the policy requires has signed this very decision",
    )
    command.add_argument(
        "--reverse", action="store_true", help="decide rehearsals of the rollback; without it they are refused"
    )
    command.add_argument("--json", action="store_true", help="one JSON document on stdout")


def run(args: argparse.Namespace) -> int:
    """0 GO, 1 NO-GO, 3 INCONCLUSIVE. Raises ConfigError for words that exclude each other."""
    if bool(args.runs) == (args.policy is not None):
        raise ConfigError("parity gate: name runs, or a cutover.toml with --policy; one of the two.")
    if args.policy is None:
        return _runs(args)
    if args.require_signoff or args.reverse:
        raise ConfigError("parity gate: --policy asks for sign-offs and rehearsals as the file says; leave out both.")
    return _migration(args)


def _migration(args: argparse.Namespace) -> int:
    from harness import config
    from harness.cli._migration import text
    from harness.gate.cutover_file import load_cutover
    from harness.run.migration import decide

    policy = load_cutover(args.policy)
    decision = decide(policy, config.load_project(args.policy.absolute().parent))
    print(json.dumps(decision.document(), allow_nan=False) if args.json else text(decision))
    return exit_code(decision.verdict)


def _runs(args: argparse.Namespace) -> int:
    from harness import config
    from harness.core.verdict import Verdict
    from harness.gate.document import document
    from harness.reporters._parts.text import visible
    from harness.run.folder import find_run
    from harness.run.session import combine, decide_stored

    reports = config.load_project(Path.cwd()).reports
    found = {name: find_run(reports, name) for name in args.runs}
    # Two folders may carry one name (eu/run, us/run), and neither may stand for the other.
    shared = len({folder.path.name for folder in found.values()}) < len(found)
    folders = found if shared else {folder.path.name: folder for folder in found.values()}
    _check_direction(folders, reverse=args.reverse)
    decisions = {name: decide_stored(folder) for name, folder in folders.items()}
    verdicts = [decision.verdict for decision in decisions.values()]
    signed = {name: _signed(folder) for name, folder in folders.items()} if args.require_signoff else {}
    if not all(state.complete for state in signed.values()):
        verdicts.append(Verdict.INCONCLUSIVE)
    verdict = combine(verdicts)
    if args.json:
        runs = {name: document(decision) for name, decision in decisions.items()}
        signoff = {name: {"complete": state.complete, "reasons": state.reasons} for name, state in signed.items()}
        print(json.dumps({"decision": verdict.value, "runs": runs, "signoff": signoff}, allow_nan=False))
        return exit_code(verdict)
    for name, decision in decisions.items():
        print(visible(f"{decision.verdict.value:13} {name}: {decision.headline}"))
    for name, state in signed.items():
        print(f"{'signed off' if state.complete else 'not signed off':13} {name}: {' '.join(state.reasons)}")
    print(verdict.value)
    return exit_code(verdict)


def _check_direction(folders: dict[str, RunFolder], *, reverse: bool) -> None:
    """A run of the way back must not stand where a pipeline asks about the way forward, nor the other way round."""
    for name, folder in folders.items():
        if folder.read_record().reverse != reverse:
            what = "speaks of the way forward: leave out --reverse" if reverse else "is a rehearsal of the rollback"
            how = "" if reverse else ", which says nothing of the way forward: ask with --reverse"
            raise LedgerError(f"run {name} {what}{how}.")


def _signed(folder: RunFolder) -> SignoffState:
    """The state of a run's sign-offs. Raises EvidenceError where decision.json is not what rows and policy give."""
    from harness.gate import decided, signoff

    made = decided.load(folder)
    return signoff.complete(signoff.read_all(folder.path), made.policy.signoff, made.sha256)
