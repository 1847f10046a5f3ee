"""The command `parity`. One module a command: `add(subparsers)` declares it, `run(args)` forwards to the session.

Modules here import nothing heavy at import time: `parity --help` must answer at once.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from harness import __version__
from harness.errors import EXIT_ERROR, HarnessError

COMMANDS = ("run", "gate", "decide", "report", "lab", "doctor", "schema", "demo")


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    root = argparse.ArgumentParser(
        prog="parity",
        description="Replay recorded traffic to AWS and Azure, compare what comes back, decide whether to cut over.",
        epilog="Whatever decides exits 0 GO, 1 NO-GO, 2 usage or harness error, 3 INCONCLUSIVE.",
    )
    root.add_argument("--version", action="version", version=f"parity-harness {__version__}")
    commands = root.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in COMMANDS:
        importlib.import_module(f"harness.cli.{name}").add(commands)
    return root


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code. Any failure of the harness itself is 2, never Python's own 1."""
    args = parser().parse_args(argv)
    try:
        code: int = importlib.import_module(f"harness.cli.{args.command}").run(args)
    except HarnessError as exc:
        print(f"{type(exc).__name__}: {exc}", file=sys.stderr)
        return exc.exit_code
    except KeyboardInterrupt:
        print("interrupted; finish a run with: parity run --resume RUN", file=sys.stderr)
        return EXIT_ERROR
    except BrokenPipeError:
        return EXIT_ERROR
    except Exception:
        import traceback

        traceback.print_exc()
        print("This is a fault of the harness; nothing was decided.", file=sys.stderr)
        return EXIT_ERROR
    return code
