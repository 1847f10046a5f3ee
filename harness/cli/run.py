"""`parity run SUITE...`: replay suites, decide, report."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import EXIT_GO, EXIT_INCONCLUSIVE, EXIT_NO_GO, ConfigError

if TYPE_CHECKING:
    from harness.core.verdict import Verdict
    from harness.run.session import Finished


def add(commands: Any) -> None:
    command = commands.add_parser("run", help="replay suites to both sides, compare, decide, report")
    command.add_argument("suites", nargs="*", type=Path, metavar="SUITE", help="a suite's folder or its suite.toml")
    command.add_argument("--profile", help="where to run; default: default_profile of parity.toml")
    command.add_argument("--resume", metavar="RUN", help="finish a run: nothing that was recorded is called again")
    command.add_argument(
        "--sample", type=int, metavar="N", help="replay N cases only; such a run is PARTIAL, undecided"
    )
    command.add_argument("--plant", metavar="FAULT", help="embedded lab only: plant a fault (see `parity lab faults`)")
    command.add_argument("--json", action="store_true", help="one JSON document on stdout, all else on stderr")
    command.add_argument("--quiet", action="store_true", help="no progress")


def run(args: argparse.Namespace) -> int:
    if bool(args.suites) == bool(args.resume):
        raise ConfigError("parity run: name suites, or a run to --resume; one of the two.")
    finished = _resume(args) if args.resume else [_one(args, _suite_file(suite)) for suite in args.suites]
    return conclude(finished, as_json=args.json)


def conclude(finished: list[Finished], *, as_json: bool) -> int:
    """Print every report and return the exit code of the worst decision; a partial run decides nothing and exits 3."""
    from harness.core import registry
    from harness.run.session import combine

    terminal = registry.load("reporters", "terminal")
    for item in finished:
        text = terminal.render(item.report).decode()
        print(text, file=sys.stderr if as_json else sys.stdout)
        print(f"report: {item.folder.report('.html')}", file=sys.stderr if as_json else sys.stdout)
    if as_json:
        documents = [json.loads(item.folder.report(".json").read_bytes()) for item in finished]
        print(json.dumps(documents[0] if len(documents) == 1 else documents))
    decisions = [item.decision for item in finished]
    if any(decision is None for decision in decisions):
        return EXIT_INCONCLUSIVE
    return exit_code(combine([decision.verdict for decision in decisions if decision is not None]))


def exit_code(verdict: Verdict) -> int:
    """0 GO, 1 NO-GO, 3 INCONCLUSIVE."""
    return {"GO": EXIT_GO, "NO-GO": EXIT_NO_GO}.get(verdict.value, EXIT_INCONCLUSIVE)


def _suite_file(path: Path) -> Path:
    return path / "suite.toml" if path.is_dir() else path


def _one(args: argparse.Namespace, suite: Path) -> Finished:
    from harness import config
    from harness.run import plan, session
    from harness.run.lab import opened

    project = config.load_project(suite.resolve())
    profile = config.profile(project, args.profile)
    with opened(profile, plant=args.plant, start=_start_lab) as addresses:
        made = plan.make(suite.resolve(), profile, lab=addresses, sample=args.sample)
        return session.run(made, reports=project.reports, planted=args.plant, progress=progress(args.quiet))


def _resume(args: argparse.Namespace) -> list[Finished]:
    from harness import config
    from harness.run import plan, session
    from harness.run.folder import find_run
    from harness.run.lab import opened

    project = config.load_project(Path.cwd())
    folder = find_run(project.reports, args.resume)
    record = folder.read_record()
    suite = Path(record.suite_path)
    profile = config.profile(config.load_project(suite), record.profile)
    with opened(profile, plant=record.planted, start=_start_lab) as addresses:
        made = plan.make(suite, profile, lab=addresses, sample=record.sample)
        done = session.run(
            made, reports=project.reports, resume=folder, planted=record.planted, progress=progress(args.quiet)
        )
    return [done]


def _start_lab(plant: str | None) -> Any:
    from harness import lab

    return lab.start(plant=plant)


def progress(quiet: bool) -> Callable[[int, int], None]:  # noqa: FBT001 - a switch of the command line
    """A line that counts cases on a terminal; silent in CI, where nobody watches."""
    if quiet or not sys.stderr.isatty():
        return lambda _done, _total: None

    def show(done: int, total: int) -> None:
        if done % 25 == 0 or done == total:
            print(f"\r{done:,} of {total:,} cases", end="\n" if done == total else "", file=sys.stderr, flush=True)

    return show
