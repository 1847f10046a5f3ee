"""`parity translate GOLDEN --pair P`: what the target would be sent, and what is lost on the way. Costs nothing."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli._json import json_line
from harness.errors import EXIT_ERROR, EXIT_GO, ConfigError

if TYPE_CHECKING:
    from harness.core.case import Departure
    from harness.run.translation import Translated, Translator

EXAMPLES = 3  # cases named beside a departure


def add(commands: Any) -> None:
    command = commands.add_parser(
        "translate", help="show the requests that a target would be sent, and what is lost on the way"
    )
    command.add_argument("golden", metavar="GOLDEN", help="golden set: a folder, or a name under golden/")
    command.add_argument("--pair", metavar="P", help="a pair, such as bedrock_to_azure_openai")
    command.add_argument("--suite", type=Path, metavar="SUITE", help="take pair and options from a suite instead")
    command.add_argument("--target", metavar="MODEL", help="the target's model; default: the model map's")
    command.add_argument("--source", metavar="MODEL", help="the model behind recordings that name a deployment")
    command.add_argument("--api", metavar="FORM", help="form of the target's API, such as chat, responses, converse")
    command.add_argument("--json", action="store_true", help="one JSON object a case on stdout")


def run(args: argparse.Namespace) -> int:
    """2 where any case has an error. Raises ConfigError where pair, suite or golden set cannot be read."""
    from harness.recordings.store import GoldenSet

    translator = _translator(args)
    counts = _Counts()
    with GoldenSet.open(_folder(args.golden)) as golden:
        for one in translator.all(golden):
            counts.add(one)
            if args.json:
                print(json_line(one.document()))
    if not args.json:
        print(counts.text(translator.pair.name))
    return EXIT_ERROR if counts.errors else EXIT_GO


def _translator(args: argparse.Namespace) -> Translator:
    from harness import config
    from harness.run.sides import pair_of
    from harness.run.translation import Translator

    if (args.pair is None) == (args.suite is None):
        raise ConfigError("parity translate: name a pair (--pair) or a suite (--suite), one of them.")
    suite = None if args.suite is None else config.load_suite(args.suite)
    options = {} if suite is None else dict(suite.pair_options)
    asked = {"target_model": args.target, "source_model": args.source, "api": args.api}
    options.update({name: value for name, value in asked.items() if value is not None})
    where = "parity translate" if suite is None else str(suite.path)
    folder = None if suite is None else suite.folder
    pair = pair_of(args.pair if suite is None else suite.pair, options, where=where, suite_folder=folder)
    return Translator.of(pair, where=where, suite=suite)


def _folder(name: str) -> Path:
    from harness import config

    given = Path(name)
    if (given / "manifest.json").is_file():
        return given
    try:
        return config.load_project(Path.cwd()).folder / "golden" / name
    except ConfigError:
        return given


class _Counts:
    """Departures by what they are, errors by what they say, and a few cases of each."""

    def __init__(self) -> None:
        self.cases = self.changed = 0
        self.departures: Counter[Departure] = Counter()
        self.errors: Counter[str] = Counter()
        self.models: Counter[str] = Counter()
        self._examples: dict[Departure | str, list[str]] = {}

    def add(self, one: Translated) -> None:
        self.cases += 1
        self.changed += bool(one.departures)
        if one.request is not None:
            self.models[f"{one.api} {one.model}" if one.model else str(one.api)] += 1
        for departure in dict.fromkeys(one.departures):
            self.departures[departure] += 1
            self._example(departure, one.case)
        if one.error is not None:
            self.errors[one.error] += 1
            self._example(one.error, one.case)

    def _example(self, what: Departure | str, case: str) -> None:
        cases = self._examples.setdefault(what, [])
        if len(cases) < EXAMPLES:
            cases.append(case)

    def text(self, pair: str) -> str:
        """For a terminal: how many, which departures, which errors."""
        lines = [
            f"{pair}: {self.cases:,} cases, {self.changed:,} with departures, {self.errors.total():,} with an error",
            *(f"  sent as {name}: {count:,}" for name, count in self.models.most_common()),
        ]
        if self.departures:
            rows = [("cases", "field", "source", "target", "reason", "such as")]
            rows += [
                (
                    f"{count:,}",
                    one.field,
                    one.source_value,
                    "dropped" if one.target_value is None else one.target_value,
                    one.reason,
                    ", ".join(self._examples[one]),
                )
                for one, count in self.departures.most_common()
            ]
            lines += ["", *_table(rows)]
        for error, count in self.errors.most_common():
            lines += ["", f"error in {count:,} cases ({', '.join(self._examples[error])}): {error}"]
        return "\n".join(lines)


def _table(rows: Iterable[tuple[str, ...]]) -> list[str]:
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
