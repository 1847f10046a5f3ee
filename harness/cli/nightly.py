"""`parity nightly [SUITE...]`: run the suites, add the night's new units to the evidence, tell the answer."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.run import add_lab_state, add_publish, exit_code, lab_for, suite_file
from harness.errors import EXIT_ERROR, EXIT_NO_GO, ConfigError

if TYPE_CHECKING:
    from harness.config import Project
    from harness.core.night import SuiteNight
    from harness.core.report import ParityReport
    from harness.run.nightly import Finished
    from harness.run.nights import Started
    from harness.run.publish import Publishing
    from harness.run.store import Store


def add(commands: Any) -> None:
    command = commands.add_parser("nightly", help="one night: new units of every suite, the answer over all nights")
    command.add_argument(
        "suites", nargs="*", type=Path, metavar="SUITE", help="default: suites of [nightly], else all of suites/"
    )
    command.add_argument("--profile", help="where to run; default: default_profile of parity.toml")
    command.add_argument("--units", type=int, metavar="N", help="new units a suite; default: units of [nightly], or 50")
    command.add_argument("--resume", metavar="NIGHT", help="finish a night: nothing that was recorded is called again")
    command.add_argument(
        "--plant", metavar="FAULT", help="embedded lab only: a rehearsal with a planted fault, which is no evidence"
    )
    add_lab_state(command)
    add_publish(command)
    command.add_argument("--json", action="store_true", help="night.json on stdout, all else on stderr")
    command.add_argument("--quiet", action="store_true", help="no progress")


def run(args: argparse.Namespace) -> int:
    """0 GO, 1 NO-GO, 3 INCONCLUSIVE; 2 where a suite could not be run and none is NO-GO. Raises ConfigError."""
    from harness import config
    from harness.run import nightly, nights
    from harness.run.store import Store

    _check_words(args)
    project = config.load_project(args.suites[0] if args.suites else Path.cwd())
    with nightly.alone(project.reports):
        Store.of(project).pull()
        if args.resume:
            started = nights.find(project.reports, args.resume)
            profile = config.profile(project, started.profile)
        else:
            profile = config.profile(project, args.profile)
        store = Store.of(project, profile)
        to = _publishing(args, project, profile.name)
        if not args.resume:
            units = args.units if args.units is not None else project.nightly.units
            suites = _suites(args, project)
            started = nightly.start(store, profile, suites, units=units, planted=args.plant)
        with lab_for(profile, args.lab_state, started.planted) as (addresses, planted):
            finished = _night(args, started, planted, store, profile, addresses)
        index = nightly.write_index(store)
    _publish(finished, to, as_json=args.json)
    return _conclude(finished, index, as_json=args.json)


def _check_words(args: argparse.Namespace) -> None:
    if args.resume:
        beside = [name for name in ("suites", "profile", "units", "plant") if getattr(args, name)]
        if beside:
            raise ConfigError(f"parity nightly: --resume goes on as the night began; leave out {beside[0]}.")
    if args.units is not None and args.units < 2:
        raise ConfigError("parity nightly: a night of fewer than 2 units shows nothing; ask for 2 or more.")


def _suites(args: argparse.Namespace, project: Project) -> list[Path]:
    """The suite.toml of every suite of this night. Raises ConfigError where there is none, UnknownName for a name."""
    from harness import config

    if args.suites:
        return [suite_file(path) for path in args.suites]
    if project.nightly.suites:
        return [suite_file(project.folder / "suites" / name) for name in project.nightly.suites]
    found = sorted(project.folder.glob(f"suites/*/{config.SUITE_FILE}"))
    if not found:
        raise ConfigError(f"{project.folder}: there are no suites in suites/. Name some, or write one.")
    return found


def _night(
    args: argparse.Namespace,
    started: Started,
    planted: str | None,
    store: Store,
    profile: Any,
    addresses: dict[str, str],
) -> Finished:
    from dataclasses import replace

    from harness.reporters._parts.text import visible
    from harness.run import nightly
    from harness.run.progress import counter, silent

    stream = sys.stderr if args.json else sys.stdout

    def told(one: SuiteNight, report: ParityReport | None) -> None:
        print(visible(f"{one.verdict.value:13} {one.suite}: {one.headline}"), file=stream)
        if report is not None:
            print(f"              {store.reports / str(one.run) / 'report.html'}", file=stream, flush=True)

    progress = silent if args.quiet else counter(sys.stderr)
    return nightly.run(replace(started, planted=planted), store, profile, addresses, progress=progress, told=told)


def _publishing(args: argparse.Namespace, project: Project, profile: str) -> Publishing:
    from harness.run.publish import publishing

    names = args.publish if args.publish is not None else project.nightly.publish
    return publishing(names, project, project.profiles[profile].network)


def _publish(finished: Finished, to: Publishing, *, as_json: bool) -> None:
    from harness.run.publish import publish

    out = sys.stderr if as_json else sys.stdout
    publish(finished.reports, to, failed=finished.failed, verdict=finished.night.verdict, out=out)


def _conclude(finished: Finished, index: Path, *, as_json: bool) -> int:
    from harness.run.nights import NIGHT

    night = finished.night
    stream = sys.stderr if as_json else sys.stdout
    if as_json:
        print((finished.folder / NIGHT).read_text(encoding="utf-8"), end="")
    print(f"{night.verdict.value}   night {night.name}, {len(night.suites)} suites: {index}", file=stream)
    code = exit_code(night.verdict)
    return EXIT_ERROR if finished.failed and code != EXIT_NO_GO else code
