"""The command `parity`. One module a command: `add(subparsers)` declares it, `run(args)` forwards to the session.

Modules here import nothing heavy at import time: `parity --help` must answer at once.
"""

from __future__ import annotations

import argparse
import importlib
import keyword
import os
import sys
from collections.abc import Sequence
from typing import Any

from harness import __version__
from harness.errors import EXIT_ERROR, HarnessError

COMMANDS = (
    "init",
    "import",
    "golden",
    "run",
    "record",
    "nightly",
    "history",
    "gate",
    "cutover",
    "inventory",
    "decide",
    "report",
    "sign",
    "evidence",
    "explain",
    "verify",
    "selftest",
    "plan",
    "translate",
    "lab",
    "doctor",
    "schema",
    "score",
    "calibrate",
    "demo",
)


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
        _module(name).add(commands)
    return root


def _module(name: str) -> Any:
    """The module of a command; one whose name is a word of Python's own ends in an underscore."""
    return importlib.import_module(f"harness.cli.{name}{'_' if keyword.iskeyword(name) else ''}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code. Any failure of the harness itself is 2, never Python's own 1."""
    try:
        args = parser().parse_args(argv)
        code: int = _module(args.command).run(args)
        sys.stdout.flush()  # here, where a reader that has gone can still be told from a decision
    except HarnessError as exc:
        print(f"{type(exc).__name__}: {exc}", file=sys.stderr)
        return exc.exit_code
    except KeyboardInterrupt as exc:
        print(str(exc) or "interrupted", file=sys.stderr)
        return EXIT_ERROR
    except BrokenPipeError:
        # Python flushes once more as it exits, and would turn this into a code of its own.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_ERROR
    except Exception as exc:
        if isinstance(exc, OSError) and exc.filename is not None:
            print(f"{exc.filename}: {exc.strerror}. Nothing was decided.", file=sys.stderr)
            return EXIT_ERROR
        import traceback

        traceback.print_exc()
        print("This is a fault of the harness; nothing was decided.", file=sys.stderr)
        return EXIT_ERROR
    return code
