"""`parity run SUITE...`: replay suites, decide, report."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli._json import json_line
from harness.errors import EXIT_GO, EXIT_INCONCLUSIVE, EXIT_NO_GO, ConfigError, UnknownName

if TYPE_CHECKING:
    from harness.config import Profile
    from harness.core.verdict import Verdict
    from harness.run.folder import RunFolder
    from harness.run.lab import RunningLab
    from harness.run.plan import Plan
    from harness.run.publish import Publishing
    from harness.run.session import Finished


def add(commands: Any) -> None:
    command = commands.add_parser("run", help="replay suites to both sides, compare, decide, report")
    command.add_argument("suites", nargs="*", type=Path, metavar="SUITE", help="a suite's folder or its suite.toml")
    command.add_argument("--profile", help="where to run; default: default_profile of parity.toml")
    command.add_argument(
        "--mode",
        choices=["dual", "golden", "offline", "record"],
        help="dual: call both sides; golden: take the source's answers from the golden set; offline: compare a stored "
        "run again (--from); record: keep the source's answers (--into). Default: the profile's, else dual",
    )
    command.add_argument("--from", dest="from_run", metavar="RUN", help="mode offline: the run to compare again")
    add_recording(command)
    command.add_argument(
        "--reverse", action="store_true", help="rehearse the rollback: the same suite with its sides swapped"
    )
    add_arrival(command)
    command.add_argument("--resume", metavar="RUN", help="finish a run: nothing that was recorded is called again")
    command.add_argument(
        "--sample", type=int, metavar="N", help="replay N cases only; such a run is PARTIAL, undecided"
    )
    command.add_argument("--plant", metavar="FAULT", help="embedded lab only: plant a fault (see `parity lab faults`)")
    add_lab_state(command)
    add_publish(command)
    command.add_argument("--json", action="store_true", help="one JSON document on stdout, all else on stderr")
    command.add_argument("--quiet", action="store_true", help="no progress")


def add_recording(command: argparse.ArgumentParser) -> None:
    """`--into` and `--repeats`, for what records."""
    command.add_argument("--into", type=Path, metavar="GOLDEN", help="mode record: the golden set to write, a folder")
    command.add_argument(
        "--repeats", type=int, metavar="K", help="mode record: ask the source K times; 2 give a noise floor; default 2"
    )


def add_arrival(command: argparse.ArgumentParser) -> None:
    """`--arrival` and `--speed`."""
    command.add_argument(
        "--arrival",
        choices=["recorded"],
        help="start each call at its recorded moment, whatever is still in flight; default: when another has ended",
    )
    command.add_argument("--speed", type=float, metavar="X", help="with --arrival: X times as fast; default 1")


def add_publish(command: argparse.ArgumentParser) -> None:
    """`--publish CHANNELS`, for every command that decides over reports."""
    command.add_argument(
        "--publish",
        metavar="CHANNELS",
        help="tell the decision elsewhere too: github, azure_devops, mlflow, webhook, with commas between; a channel "
        "that fails changes no exit code",
    )


def add_lab_state(command: argparse.ArgumentParser) -> None:
    """`--lab-state FILE`, for every command that may use a running lab."""
    command.add_argument(
        "--lab-state",
        type=Path,
        metavar="FILE",
        help="use the lab of `parity lab up` that runs under this file (reports/lab.json) instead of starting one; "
        "default: PARITY_LAB_STATE",
    )


def run(args: argparse.Namespace) -> int:
    """0 GO, 1 NO-GO, 3 INCONCLUSIVE; a recording exits 0 when its golden set is written. Raises ConfigError."""
    _check_words(args)
    if args.mode == "record":
        from harness.cli.record import run as record

        return record(args)
    suites = [suite_file(path) for path in args.suites]
    to = _publishing(args, suites[0] if suites else Path.cwd())
    finished: list[Finished] = []
    try:
        if args.resume:
            finished.append(_told(_resume(args), as_json=args.json))
        elif args.mode == "offline":
            finished.append(_told(_compared_again(args), as_json=args.json))
        for suite in suites:
            finished.append(_told(_one(args, suite), as_json=args.json))
    finally:
        _publish(finished, to, suites, as_json=args.json)
    return conclude(finished, as_json=args.json)


def _publish(finished: list[Finished], to: Publishing | None, suites: list[Path], *, as_json: bool) -> None:
    """Where a suite could not be run, that is told too, with those before it."""
    if to is not None:
        from harness.run.publish import publish

        failed = [suite.parent.name for suite in suites[len(finished) :][:1]]
        publish([one.report for one in finished], to, failed=failed, out=sys.stderr if as_json else sys.stdout)


def _publishing(args: argparse.Namespace, start: Path) -> Publishing | None:
    """Where to tell it; what cannot be told is an error before anything is called."""
    if args.publish is None:
        return None
    from harness import config
    from harness.run.folder import find_run
    from harness.run.publish import publishing

    project = config.load_project(start)
    stored = args.resume or args.from_run
    profile = find_run(project.reports, stored).read_record().profile if stored else args.profile
    return publishing(args.publish, project, config.profile(project, profile).network)


def _check_words(args: argparse.Namespace) -> None:
    """Words that exclude each other, or mean nothing together."""
    offline = args.mode == "offline"
    if bool(args.suites) == bool(args.resume) and not offline:
        raise ConfigError("parity run: name suites, or a run to --resume; one of the two.")
    if offline != (args.from_run is not None) or (offline and (args.suites or args.resume)):
        raise ConfigError(
            "parity run: --mode offline compares one stored run again: name it with --from, and no suite."
        )
    beside = ("profile", "sample", "plant", "mode", "reverse", "arrival", "into", "repeats")
    if args.resume or offline:
        ignored = [name for name in beside if getattr(args, name) and not (offline and name == "mode")]
        if ignored:
            how = "--mode offline calls nothing" if offline else "--resume goes on as the run began"
            raise ConfigError(f"parity run: {how}; leave out --{ignored[0]}.")
    if args.mode != "record" and (args.into is not None or args.repeats is not None):
        raise ConfigError("parity run: --into and --repeats belong to --mode record.")
    if args.mode == "record" and args.publish is not None:
        raise ConfigError("parity run: --mode record decides nothing; leave out --publish.")


def _told(finished: Finished, *, as_json: bool) -> Finished:
    """Print a run's report as soon as there is one: what follows may fail."""
    from harness.core import registry

    stream = sys.stderr if as_json else sys.stdout
    print(registry.load("reporters", "terminal").render(finished.report).decode(), file=stream)
    print(f"report: {finished.folder.report('.html')}", file=stream, flush=True)
    return finished


def conclude(finished: list[Finished], *, as_json: bool) -> int:
    """The exit code of the worst decision; a partial run decides nothing, and neither do others beside it: 3."""
    from harness.run.session import combine

    if as_json:
        documents = [json.loads(item.folder.report(".json").read_bytes()) for item in finished]
        print(json_line(documents[0] if len(documents) == 1 else documents))
    decisions = [item.decision for item in finished]
    if any(decision is None for decision in decisions):
        return EXIT_INCONCLUSIVE
    verdict = combine([decision.verdict for decision in decisions if decision is not None])
    if len(finished) > 1:
        print(f"{verdict.value}   {len(finished)} suites", file=sys.stderr if as_json else sys.stdout)
    return exit_code(verdict)


def exit_code(verdict: Verdict) -> int:
    """0 GO, 1 NO-GO, 3 INCONCLUSIVE."""
    return {"GO": EXIT_GO, "NO-GO": EXIT_NO_GO}.get(verdict.value, EXIT_INCONCLUSIVE)


def suite_file(path: Path) -> Path:
    """The suite.toml of a suite that was named by its folder or its file. Raises UnknownName with those there are."""
    from harness import config

    file = path / config.SUITE_FILE if path.is_dir() else path
    if not file.is_file():
        folder = config.load_project(Path.cwd()).folder
        known = [str(one.parent.relative_to(folder)) for one in folder.glob(f"suites/*/{config.SUITE_FILE}")]
        raise UnknownName(str(folder), "suite", str(path), known)
    return file.resolve()


def _one(args: argparse.Namespace, suite: Path) -> Finished:
    from harness import config
    from harness.core.call import Mode
    from harness.run import plan
    from harness.run.arrival import speed_of

    project = config.load_project(suite)
    profile = config.profile(project, args.profile)
    made = plan.make(
        suite,
        profile,
        sample=args.sample,
        mode=None if args.mode is None else Mode(args.mode),
        reverse=args.reverse,
        speed=speed_of(args.arrival, args.speed),
    )
    with lab_for(profile, args.lab_state, args.plant) as (addresses, planted):
        return _replayed(args, plan.in_lab(made, addresses), project.reports, planted)


def _resume(args: argparse.Namespace) -> Finished:
    from harness import config
    from harness.run import plan
    from harness.run.folder import find_run

    project = config.load_project(Path.cwd())
    folder = find_run(project.reports, args.resume)
    record = folder.read_record()
    if record.mode == "record":
        raise ConfigError(f"run {record.run} is a recording. Finish it with: parity record --resume {record.run}")
    profile = config.profile(config.load_project(Path(record.suite_path)), record.profile)
    made = plan.again(record, profile)
    with lab_for(profile, args.lab_state, record.planted) as (addresses, planted):
        return _replayed(args, plan.in_lab(made, addresses), project.reports, planted, resume=folder)


def _compared_again(args: argparse.Namespace) -> Finished:
    from harness import config
    from harness.run import offline, plan
    from harness.run.folder import find_run

    project = config.load_project(Path.cwd())
    folder = find_run(project.reports, args.from_run)
    record = folder.read_record()
    profile = config.profile(config.load_project(Path(record.suite_path)), record.profile)
    return offline.compare_again(plan.again(record, profile), folder, reports=project.reports)


def _replayed(
    args: argparse.Namespace, made: Plan, reports: Path, planted: str | None, *, resume: RunFolder | None = None
) -> Finished:
    from harness.run import session
    from harness.run.progress import counter, silent

    progress = silent if args.quiet else counter(sys.stderr)
    return session.run(made, reports=reports, resume=resume, planted=planted, progress=progress)


@contextmanager
def lab_for(profile: Profile, lab_state: Path | None, plant: str | None) -> Iterator[tuple[dict[str, str], str | None]]:
    """(addresses, planted fault) of the lab that this profile needs, for as long as the block runs."""
    from harness.run.lab import opened, state_file

    state = state_file(profile, lab_state)

    def use(plant: str | None) -> AbstractContextManager[RunningLab]:
        from harness import lab

        return lab.use(plant, state_file=state)

    with opened(profile, plant=plant, start=use) as addresses:
        yield addresses, _planted(plant, state)


def _planted(plant: str | None, state: Path | None) -> str | None:
    if state is None:
        return plant
    from harness import lab

    return lab.planted(plant, state_file=state)
