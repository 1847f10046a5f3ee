"""`parity import FORMAT PATH... --into golden/NAME`: what the clouds logged becomes a golden set."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import EXIT_ERROR, EXIT_GO, ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.run.importing import Summary


def add(commands: Any) -> None:
    command = commands.add_parser("import", help="make a golden set of what the clouds logged")
    command.add_argument(
        "format", metavar="FORMAT", help="bedrock_log, sagemaker_capture, vcr, ...; see docs/import.md"
    )
    command.add_argument("paths", nargs="+", metavar="PATH", help="file, folder, glob, or s3://, abfss:// or az:// URL")
    command.add_argument("--into", type=Path, required=True, metavar="DIR", help="the golden set, as in golden/NAME")
    command.add_argument("--cluster", metavar="JMESPATH", help="where a record says whose call it was")
    command.add_argument("--slice", action="append", default=[], metavar="NAME=JMESPATH", help="a slice of each case")
    command.add_argument("--labels", action="append", default=[], metavar="PATH", help="ground truth, joined by id")
    command.add_argument(
        "--redact",
        default="default",
        metavar="RULES",
        help="none, default (what looks like personal data or a credential), or a file of rules",
    )
    command.add_argument("--option", action="append", default=[], metavar="KEY=VALUE", help="an option of the format")
    command.add_argument(
        "--max-rejects", type=int, default=0, metavar="N", help="unreadable records to bear; default 0"
    )
    command.add_argument(
        "--whole", action="store_true", help="the log holds all of the traffic, and is no sample of it"
    )
    command.add_argument("--zstd", action="store_true", help="write cases.jsonl.zst")
    command.add_argument("--licence", default="not stated", metavar="TEXT", help="of the data, kept on the manifest")
    command.add_argument("--description", default="", metavar="TEXT", help="kept on the manifest")
    command.add_argument("--json", action="store_true", help="one JSON document on stdout, all else on stderr")


def run(args: argparse.Namespace) -> int:
    """Exits 2 when more records were refused than --max-rejects allows; set and rejects.jsonl are there to look at."""
    from harness.core import registry
    from harness.recordings.labels import read
    from harness.recordings.privacy import redactor
    from harness.run import importing, making
    from harness.run.files import Files

    if args.max_rejects < 0:
        raise ConfigError(f"parity import: --max-rejects must not be negative, not {args.max_rejects}.")
    where = f"parity import {args.format}"
    given: dict[str, Any] = dict(_pairs(args.option, "--option"))
    form = registry.load("recordings.formats", args.format, where=where, **given)
    options = making.Options(
        cluster=None if args.cluster is None else importing.asking(args.cluster, option="--cluster"),
        slices={
            name: importing.asking(expression, option=f"--slice {name}")
            for name, expression in _pairs(args.slice, "--slice").items()
        },
        labels=read(Files(args.labels)) if args.labels else {},
        redactor=redactor(args.redact),
        whole=args.whole,
        zstd=args.zstd,
        licence=args.licence,
        description=args.description,
    )
    summary = importing.run(form, Files(args.paths), args.into, options, progress=_progress)
    out = sys.stderr if args.json else sys.stdout
    print(text(summary, args.into), file=out)
    if args.json:
        print(json.dumps(summary.document(), allow_nan=False))
    rejected = summary.document()["rejected"]
    if rejected > args.max_rejects:
        print(
            f"{rejected:,} records could not be read, and --max-rejects is {args.max_rejects:,}. Each is in "
            f"{args.into / importing.REJECTS} with its line and the reason.",
            file=sys.stderr,
        )
        return EXIT_ERROR
    return EXIT_GO


def _pairs(given: Sequence[str], option: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for item in given:
        name, equals, value = item.partition("=")
        if not (name and equals and value) or name in pairs:
            raise ConfigError(f'parity import: {option} is written NAME=VALUE, each name once, not "{item}".')
        pairs[name] = value
    return pairs


def _progress(records: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{records:,} records", end="", file=sys.stderr, flush=True)


def text(summary: Summary, into: Path) -> str:
    """The summary table: what the log held, and what became of each record."""
    from harness.recordings.gaps import KINDS

    told = summary.document()
    lines = [
        ("records read", told["records"], f"{told['files']:,} files of the format {told['format']}"),
        ("cases", told["cases"], str(into)),
        ("  replayed", told["primaries"], "the first with each request"),
        ("  repeats", told["repeats"], "the same request, another answer: the source's own noise"),
        ("  duplicates", told["duplicates"], "the same request and answer"),
        ("  refused calls", told["refused"], "cases whose outcome is a failure"),
        ("  labelled", told["labelled"], "cases with a ground truth"),
        *((f"skipped: {why}", count, "no call to replay") for why, count in told["skipped"].items()),
        ("rejected", told["rejected"], "see rejects.jsonl" if told["rejected"] else ""),
    ]
    if told["clusters_unknown"]:
        lines.append(("without cluster", told["clusters_unknown"], "--cluster found nothing; each is its own"))
    counted = {"repeats", "duplicates", "rejected", "skipped"}
    found = [(f"gap: {gap['kind']}", gap["count"], gap["note"] or KINDS[gap["kind"]]) for gap in told["gaps"]]
    lines += [line for line in found if line[0].removeprefix("gap: ") not in counted]
    width = max(len(name) for name, *_ in lines)
    table = [f"{name:<{width}}  {count:>12,}  {note}".rstrip() for name, count, note in lines]
    return "\n".join([*table, f"redaction: {', '.join(told['redaction']) if told['redaction'] else 'none'}"])
