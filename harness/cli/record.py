"""`parity record SUITE --into GOLDEN`: keep the source's answers, for runs that do not call it."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.run import add_lab_state, add_recording, lab_for, suite_file
from harness.errors import EXIT_GO, EXIT_INCONCLUSIVE, ConfigError

if TYPE_CHECKING:
    from harness.run.record import Recorded

REPEATS = 2  # an answer and one repeat: the least that tells how far a source is from itself


def add(commands: Any) -> None:
    command = commands.add_parser("record", help="ask the source alone and keep its answers as a golden set")
    command.add_argument("suites", nargs="*", type=Path, metavar="SUITE", help="a suite's folder or its suite.toml")
    add_recording(command)
    command.add_argument("--profile", help="where to run; default: default_profile of parity.toml")
    command.add_argument("--sample", type=int, metavar="N", help="record N cases only")
    command.add_argument("--resume", metavar="RUN", help="finish a recording: nothing that was answered is asked again")
    command.add_argument("--plant", metavar="FAULT", help="embedded lab only: plant a fault (see `parity lab faults`)")
    add_lab_state(command)
    command.add_argument("--json", action="store_true", help="one JSON document on stdout, all else on stderr")
    command.add_argument("--quiet", action="store_true", help="no progress")


def run(args: argparse.Namespace) -> int:
    """0 when the golden set is written, 3 when a ceiling came first. Raises ConfigError."""
    if args.resume:
        if args.suites or any(getattr(args, name) is not None for name in ("into", "repeats", "profile", "sample")):
            raise ConfigError("parity record: --resume goes on as the recording began; leave out everything else.")
        return _told(_resumed(args), as_json=args.json)
    if len(args.suites) != 1 or args.into is None:
        raise ConfigError("parity record: name one suite, and with --into the golden set to write.")
    for name in ("reverse", "arrival"):
        if getattr(args, name, None):
            raise ConfigError(f"a recording is of the source, as fast as it may be asked; leave out --{name}.")
    return _told(_first(args), as_json=args.json)


def _first(args: argparse.Namespace) -> Recorded:
    from harness import config
    from harness.core.call import Mode
    from harness.run import plan
    from harness.run.record import record

    suite = suite_file(args.suites[0])
    project = config.load_project(suite)
    profile = config.profile(project, args.profile)
    made = plan.make(suite, profile, sample=args.sample, mode=Mode.RECORD)
    repeats = REPEATS if args.repeats is None else args.repeats
    with lab_for(profile, args.lab_state, args.plant) as (addresses, planted):
        return record(
            plan.in_lab(made, addresses),
            into=args.into.absolute(),
            repeats=repeats,
            reports=project.reports,
            planted=planted,
            progress=_progress(args),
        )


def _resumed(args: argparse.Namespace) -> Recorded:
    from harness import config
    from harness.core.call import Mode
    from harness.run import plan
    from harness.run.folder import find_run
    from harness.run.record import record

    project = config.load_project(Path.cwd())
    folder = find_run(project.reports, args.resume)
    kept = folder.read_record()
    if kept.mode != Mode.RECORD or kept.into is None:
        raise ConfigError(f"run {kept.run} is no recording. Finish it with: parity run --resume {kept.run}")
    profile = config.profile(config.load_project(Path(kept.suite_path)), kept.profile)
    made = plan.again(kept, profile)
    with lab_for(profile, args.lab_state, kept.planted) as (addresses, planted):
        return record(
            plan.in_lab(made, addresses),
            into=Path(kept.into),
            repeats=kept.repeats,
            reports=project.reports,
            resume=folder,
            planted=planted,
            progress=_progress(args),
        )


def _progress(args: argparse.Namespace) -> Any:
    from harness.run.progress import counter, silent

    return silent if args.quiet else counter(sys.stderr)


def _told(done: Recorded, *, as_json: bool) -> int:
    run = done.record.run
    if done.manifest is None:
        text = f"not finished: {done.record.stopped}. Go on with: parity record --resume {run}"
    else:
        text = (
            f"{done.into}: {done.manifest.primaries:,} cases, {done.record.repeats} answer(s) each, "
            f"{done.failures:,} of them failures; sha256 {done.manifest.sha256}"
        )
    print(text, file=sys.stderr if as_json else sys.stdout)
    if as_json:
        document = {
            "run": run,
            "into": str(done.into),
            "stopped": done.record.stopped,
            "cases": done.manifest.primaries if done.manifest else None,
            "repeats": done.record.repeats,
            "failures": done.failures if done.manifest else None,
            "sha256": done.manifest.sha256 if done.manifest else None,
        }
        print(json.dumps(document))
    return EXIT_GO if done.manifest is not None else EXIT_INCONCLUSIVE
