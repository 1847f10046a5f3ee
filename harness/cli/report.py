"""`parity report RUN`: compare and judge a stored run again, without a call, and print or rewrite its report."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from harness.errors import EXIT_GO


def add(commands: Any) -> None:
    command = commands.add_parser("report", help="write a stored run's report again, in any format")
    command.add_argument("run", metavar="RUN", help="a run's name or folder")
    command.add_argument("--format", default="html", help="html, json, markdown, junit or terminal; default html")
    command.add_argument("--output", type=Path, metavar="FILE", help="default: inside the run's folder; - for stdout")


def run(args: argparse.Namespace) -> int:
    from harness import config
    from harness.core import registry
    from harness.run import plan, session
    from harness.run.folder import find_run, write_whole

    reporter = registry.load("reporters", args.format, where="parity report --format")
    folder = find_run(config.load_project(Path.cwd()).reports, args.run)
    record = folder.read_record()
    profile = config.profile(config.load_project(Path(record.suite_path)), record.profile)
    report = session.judge_again(plan.again(record, profile), folder).report
    content = reporter.render(report)
    if args.output == Path("-"):
        sys.stdout.buffer.write(content)
        return EXIT_GO
    path = args.output or folder.report(reporter.suffix)
    write_whole(path, content)
    print(path)
    return EXIT_GO
