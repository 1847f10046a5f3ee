"""`parity init [DIR]`: the files of a new project, with a suite that runs in the lab at once."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from harness.errors import EXIT_GO, ConfigError


def add(commands: Any) -> None:
    command = commands.add_parser("init", help="write the files of a new project: profiles, a suite, policies, builds")
    command.add_argument("folder", nargs="?", type=Path, default=Path(), metavar="DIR", help="default: the present one")
    command.add_argument(
        "--source", choices=["sagemaker", "bedrock"], default="sagemaker", help="what answers today; default sagemaker"
    )
    command.add_argument(
        "--ci",
        choices=["github", "azure", "both", "none"],
        default="github",
        help="which build system to write workflows for; default github",
    )
    command.add_argument(
        "--force",
        action="store_true",
        help="where files are there and different: leave them, write ours beside them and the rest as usual",
    )
    command.add_argument("--dry-run", action="store_true", help="print what would be written, and write nothing")


def run(args: argparse.Namespace) -> int:
    """0 when everything is written, or was there already. Raises ConfigError where files are there and different."""
    from datetime import UTC, datetime

    from harness.run import scaffold

    project = scaffold.scaffold(source=args.source, builds=args.ci, now=datetime.now(UTC))
    if args.folder.exists() and not args.folder.is_dir():
        raise ConfigError(f"{args.folder}: is no folder.")
    if args.dry_run:
        new, same, other = scaffold.compare(project, args.folder)
        for word, files in (("new", new), ("same", same), ("different", other)):
            for file in files:
                print(f"{word:<10} {file.path}")
        return EXIT_GO
    written = scaffold.write(project, args.folder, force=args.force)
    for word, paths in (("new", written.new), ("same", written.same), ("beside", written.beside)):
        for path in paths:
            print(f"{word:<10} {path}")
    print(f"\nNext, in {args.folder.resolve()}: pytest suites/, then parity nightly. README.md says what follows.")
    return EXIT_GO
