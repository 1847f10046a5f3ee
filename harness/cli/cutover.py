"""`parity cutover plan|start|step|status|rollback NAME`: move live traffic, stage by stage, and back."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import EXIT_ERROR, EXIT_GO, EXIT_INCONCLUSIVE, EXIT_NO_GO, ConfigError, HarnessError

if TYPE_CHECKING:
    from harness.config import Project
    from harness.gate.cutover_switches import SwitchSettings
    from harness.run.cutover import Driver, Told

INTERVAL_S = 30.0
_ACTIONS = {
    "plan": "show the stages, and what stands between now and the first one",
    "start": "begin: all traffic at the source, then the first stage",
    "step": "do the next thing: wait, move on, or roll back",
    "status": "where it stands, and what share is in force",
    "rollback": "give the source all traffic at once; needs no decision",
}
_ACTING = ("start", "step", "rollback")


def add(commands: Any) -> None:
    command = commands.add_parser("cutover", help="move live traffic stage by stage, and roll back by itself")
    actions = command.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, what in _ACTIONS.items():
        action = actions.add_parser(name, help=what)
        action.add_argument("name", metavar="NAME", help="a table [switches.NAME] of the cutover.toml")
        action.add_argument(
            "--policy", type=Path, default=Path("cutover.toml"), metavar="FILE", help="default: cutover.toml"
        )
        action.add_argument(
            "--lab-state", type=Path, metavar="FILE", help="the running lab's state file, where the profile is a lab"
        )
        action.add_argument("--json", action="store_true", help="JSON on stdout, a line a step; all else on stderr")
        if name in _ACTING:
            action.add_argument("--apply", action="store_true", help="act; without it nothing is touched")
        if name in ("start", "step"):
            action.add_argument("--watch", action="store_true", help="keep on until the end, or a rollback")
            action.add_argument(
                "--interval", type=float, default=INTERVAL_S, metavar="S", help="with --watch: seconds between looks"
            )
        if name == "rollback":
            action.add_argument("--reason", default="by hand", metavar="TEXT", help="why, for the journal")


def run(args: argparse.Namespace) -> int:
    """0 moved, complete, or rolled back as asked; 1 rolled back by itself, or NO-GO; 3 waits; 2 stopped, an error."""
    if getattr(args, "watch", False) and (not args.apply or args.interval <= 0):
        raise ConfigError(
            "parity cutover: --watch acts, so it needs --apply, and an --interval of more than 0 seconds."
        )
    if args.action == "rollback":
        with _way_back(args) as driver:
            _tell(args, driver.rollback(args.reason, apply=args.apply))
        return EXIT_GO
    with _driver(args) as (settings, driver):
        match args.action:
            case "plan":
                return _plan(args, settings, driver)
            case "status":
                return _status(args, driver)
            case _:
                return _forward(args, driver)


def _forward(args: argparse.Namespace, driver: Driver) -> int:
    """start or step, once or until the end."""
    last: Told | None = None
    if args.action == "start":
        last = driver.start(apply=args.apply)
        _tell(args, last)
    elif not args.watch:
        last = driver.step(apply=args.apply)
        _tell(args, last)
    if args.watch and (last is None or (last.did.value in ("moved", "waits") and driver.running())):
        last = _watch(args, driver)
    return EXIT_ERROR if last is None else _exit_code(last)


@contextmanager
def _driver(args: argparse.Namespace) -> Iterator[tuple[SwitchSettings, Driver]]:
    from harness.gate.cutover_file import load_cutover
    from harness.gate.cutover_switches import switch_settings
    from harness.run import cutover_setup

    policy = load_cutover(args.policy)
    settings = switch_settings(policy.switches, args.name, policy.path)
    project = cutover_setup.project_of(args.policy)
    with _lab(args, project, settings.mover.profile) as addresses:
        yield settings, cutover_setup.driver(policy, settings, project, lab=addresses)


@contextmanager
def _way_back(args: argparse.Namespace) -> Iterator[Driver]:
    from harness.run import cutover_setup

    mover = cutover_setup.read_mover(args.policy, args.name)
    project = cutover_setup.project_of(args.policy)
    with _lab(args, project, mover.profile) as addresses:
        yield cutover_setup.way_back(mover, project, lab=addresses)


@contextmanager
def _lab(args: argparse.Namespace, project: Project, profile: str | None) -> Iterator[dict[str, str]]:
    """Addresses of the embedded lab, where the switch signs in to one."""
    from harness import config
    from harness.cli.run import lab_for

    if profile is None:
        yield {}
        return
    with lab_for(config.profile(project, profile), args.lab_state, None) as (addresses, _):
        yield addresses


def _plan(args: argparse.Namespace, settings: SwitchSettings, driver: Driver) -> int:
    """Stages, and whether the first step would be made now."""
    stages = [{"stage": one.name, **one.shares.document()} for one in driver.plan.stages]
    go = driver.go(driver.now())
    if args.json:
        document = {
            "name": args.name,
            "use": settings.mover.use,
            "stages": stages,
            "bake_minutes": settings.bake_minutes,
            "plan_sha256": driver.plan.sha256,
            "go": {"verdict": go.verdict.value, "reason": go.reason},
        }
        print(json.dumps(document, allow_nan=False))
    else:
        print(f"{args.name}: moved by {settings.mover.use}; at least {settings.bake_minutes:g} minutes at each stage")
        for number, one in enumerate(driver.plan.stages, start=1):
            print(f"  {number}. {one.name:8} {one.shares}")
        print(f"live criteria: {settings.live.policy.name}; rows from {settings.live.rows or 'a command'}")
        print(f"{go.verdict.value}  the way forward: {go.reason}")
    return {"GO": EXIT_GO, "NO-GO": EXIT_NO_GO}.get(go.verdict.value, EXIT_INCONCLUSIVE)


def _status(args: argparse.Namespace, driver: Driver) -> int:
    """0, or 2 where what is in force is not what the journal says, or cannot be read."""
    at, found, wrong = driver.status()
    stage = driver.plan.stage_name(at.stage)
    if args.json:
        document = {
            "phase": at.phase.value,
            "stage": stage,
            "shares": None if found is None else found.document(),
            "journal_shares": at.shares.document(),
            "since": None if at.since is None else at.since.isoformat(),
            "reason": at.reason,
            "wrong": wrong or None,
        }
        print(json.dumps(document, allow_nan=False))
    else:
        since = "" if at.since is None else f" since {at.since:%Y-%m-%d %H:%M:%S} UTC"
        print(f"{args.name}: {at.phase.value}, {stage}{since}{f' ({at.reason})' if at.reason else ''}")
        print(f"in force: {found if found is not None else 'not known'}")
    if wrong:
        print(f"attention: {wrong}.", file=sys.stderr)
    return EXIT_ERROR if wrong else EXIT_GO


def _watch(args: argparse.Namespace, driver: Driver) -> Told | None:
    """The last thing that was told; None where that was a failure. The same words are not said twice in a row."""
    from harness.run.cutover import watch

    last, said = None, ""
    for told in watch(driver, interval_s=args.interval):
        if isinstance(told, HarnessError):
            last, text = None, f"{type(told).__name__}: {told}"
            if text != said:
                print(text, file=sys.stderr, flush=True)
        else:
            last, text = told, f"{told.did} {told.reason}"
            if text != said:
                _tell(args, told)
        said = text
    return last


def _tell(args: argparse.Namespace, told: Told) -> None:
    if args.json:
        print(json.dumps(told.document(), allow_nan=False), flush=True)
        return
    did = told.did.value if told.applied else f"dry run: {told.did.value}"
    shares = f"  [{told.shares}]" if told.shares is not None else ""
    print(f"{did}  stage {told.stage}: {told.reason}{shares}", flush=True)
    if not told.applied:
        print("nothing was touched; --apply acts", file=sys.stderr)


def _exit_code(told: Told) -> int:
    from harness.run.cutover import Did

    if told.did is Did.STOPPED:
        return EXIT_ERROR
    if told.did in (Did.MOVED, Did.COMPLETE):
        return EXIT_GO
    return {"GO": EXIT_GO, "NO-GO": EXIT_NO_GO}.get(told.verdict.value, EXIT_INCONCLUSIVE)
