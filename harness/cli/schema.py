"""`parity schema`: JSON Schemas, so that editors complete suite files and profiles."""

from __future__ import annotations

import argparse
import json
from typing import Any

from harness.errors import EXIT_GO

_NAMES = ("suite", "project", "report", "cutover", "estate", "migration")


def add(commands: Any) -> None:
    command = commands.add_parser("schema", help="print the JSON Schema of a file that people or tools write")
    command.add_argument("which", nargs="?", default="suite", choices=_NAMES)


def run(args: argparse.Namespace) -> int:
    print(json.dumps(schema(args.which), indent=2))
    return EXIT_GO


def schema(which: str) -> dict[str, Any]:
    """suite.toml (with its gate tables), parity.toml, cutover.toml, estate.toml; what a report and the answer for a
    migration say as JSON."""
    from harness import config
    from harness.gate import cutover_file, estate, migration, policy

    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    if which in ("cutover", "estate"):
        return dialect | (cutover_file.SHAPE if which == "cutover" else estate.SHAPE)
    if which == "migration":
        return migration.schema()

    if which == "report":
        from harness.reporters import json as json_report

        return json_report.schema()
    document: dict[str, Any] = config.schema()[which]
    if which == "suite":
        document["properties"] = {**document["properties"], **policy.schema()["properties"]}
    return document
