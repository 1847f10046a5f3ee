"""`parity history`: all nights as a table, or the answer to a question in SQL."""

from __future__ import annotations

import argparse
import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import EXIT_GO, ConfigError

if TYPE_CHECKING:
    from harness.run.history import Table


def add(commands: Any) -> None:
    command = commands.add_parser("history", help="all nights: a table, your own SQL, or the index made anew")
    command.add_argument(
        "--suite", action="append", default=[], metavar="NAME", help="this suite only; may be repeated"
    )
    command.add_argument("--profile", help="nights of this profile only")
    command.add_argument("--since", metavar="DAY", help='nights from this day on, "2026-01-31", UTC')
    command.add_argument("--sql", metavar="QUERY", help="a question of your own over the tables nights and findings")
    command.add_argument("--index", action="store_true", help="make reports/index.html anew from all nights")
    command.add_argument("--json", action="store_true", help="rows as JSON on stdout")


def run(args: argparse.Namespace) -> int:
    """0 whatever the nights decided. Raises ConfigError."""
    from harness import config
    from harness.run import nightly
    from harness.run.history import history, query
    from harness.run.store import Store

    if args.sql is not None and (args.suite or args.profile or args.since):
        raise ConfigError("parity history: --sql asks its own question; leave out --suite, --profile and --since.")
    project = config.load_project(Path.cwd())
    store = Store.of(project)
    store.pull()
    if args.index:
        print(nightly.write_index(store))
        return EXIT_GO
    if args.sql is not None:
        table = query(store.reports, args.sql)
    else:
        table = history(store.reports, suites=args.suite, profile=args.profile, since=_day(args.since))
    print(_json(table) if args.json else _text(table))
    return EXIT_GO


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError as exc:
        raise ConfigError(f'parity history: --since "{text}" is no day; write it as 2026-01-31.') from exc


def _json(table: Table) -> str:
    return json.dumps([dict(zip(table.columns, row, strict=True)) for row in table.rows], default=str)


def _text(table: Table) -> str:
    lines = [list(table.columns), *([_shown(value) for value in row] for row in table.rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(table.columns))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _shown(value: object) -> str:
    from harness.reporters._parts.text import visible

    if value is None:
        return ""
    text = "; ".join(map(str, value)) if isinstance(value, list) else str(value)
    return visible(text if len(text) <= 60 else f"{text[:59]}…")
