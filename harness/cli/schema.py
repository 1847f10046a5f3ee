"""`parity schema`: JSON Schemas, so that editors complete suite files and profiles."""

from __future__ import annotations

import argparse
import json
from typing import Any

from harness.errors import EXIT_GO


def add(commands: Any) -> None:
    command = commands.add_parser("schema", help="print the JSON Schema of a file that people or tools write")
    command.add_argument("which", nargs="?", default="suite", choices=("suite", "project", "report"))


def run(args: argparse.Namespace) -> int:
    print(json.dumps(schema(args.which), indent=2))
    return EXIT_GO


def schema(which: str) -> dict[str, Any]:
    """suite.toml (with its gate tables), parity.toml, or a report's JSON."""
    from harness import config
    from harness.gate import policy

    if which == "report":
        from harness.reporters import json as json_report

        return json_report.schema()
    document: dict[str, Any] = config.schema()[which]
    if which == "suite":
        document["properties"] = {**document["properties"], **policy.schema()["properties"]}
    return document
