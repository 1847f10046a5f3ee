"""`parity score text PAIRS.jsonl`: whether the two answers of each line say the same; a line out for each line in."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from harness.cli._json import json_line
from harness.errors import EXIT_GO, ConfigError


def add(commands: Any) -> None:
    text = commands.add_parser("text", help="answers in prose: do they say the same?")
    text.add_argument("pairs", type=Path, metavar="PAIRS", help='lines of {"id", "prompt", "source", "target"}')
    text.add_argument("--calibration", type=Path, metavar="FILE", help="what `parity calibrate` wrote")
    text.add_argument("--complete", action="store_true", help="a sentence more or less counts in short answers too")
    text.add_argument("--json", action="store_true", help="the lines alone: no summary on stderr")


def run(args: argparse.Namespace) -> int:
    """Raises ConfigError naming the line, before any output, where a line is no pair."""
    from harness.comparators._text import model as models
    from harness.comparators._text.similarity import compare_texts

    pairs = read_lines(args.pairs, "parity score text")
    model = models.default() if args.calibration is None else models.load(args.calibration)
    counts: Counter[str] = Counter()
    for one in pairs:
        found = compare_texts(one["prompt"], one["source"], one["target"], model, complete=args.complete)
        counts[found.verdict.value] += 1
        reasons = [*found.reasons, *([f"uncalibrated: {found.uncalibrated}"] if found.uncalibrated else [])]
        line = {"id": one["id"], "score": found.score, "verdict": found.verdict.value, "reasons": reasons}
        print(json_line(line))
    if not args.json:
        told = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common()) or "no pairs"
        print(f"{args.pairs}: {told}", file=sys.stderr)
    return EXIT_GO


def read_lines(path: Path, command: str, *, labelled: bool = False) -> list[dict[str, Any]]:
    """Every line of a file of pairs, checked. Raises ConfigError naming the first line that is none.

    labelled: each line also holds "label", 1 or true where a person calls the answers equivalent, else 0 or false.
    """
    found = []
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            problem, one = _pair(line, labelled=labelled)
            if problem:
                raise ConfigError(f"{command}: {path}, line {number}: {problem}. Nothing was scored.")
            found.append(one)
    return found


def _pair(line: bytes, *, labelled: bool) -> tuple[str, dict[str, Any]]:
    """(what is wrong, or ""; the pair)."""
    try:
        one = json.loads(line)
    except (ValueError, RecursionError):
        return "not JSON in UTF-8", {}
    if not isinstance(one, dict):
        return "not an object", {}
    for name in ("prompt", "source", "target"):
        if not isinstance(one.get(name), str):
            return f'"{name}" must be a text', {}
    if not labelled and (isinstance(one.get("id"), bool) or not isinstance(one.get("id"), str | int)):
        return '"id" must be a text or a whole number', {}
    if labelled and one.get("label") not in (0, 1):
        return '"label" must be 0 or 1', {}
    return "", one
