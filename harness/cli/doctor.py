"""`parity doctor`: what would stop a run, found before it starts. Makes no scoring call."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.run import add_lab_state, lab_for, suite_file
from harness.errors import EXIT_ERROR, EXIT_GO, HarnessError

if TYPE_CHECKING:
    from harness.config import Profile
    from harness.core.call import Side
    from harness.run.plan import Plan


def add(commands: Any) -> None:
    command = commands.add_parser("doctor", help="check installation, configuration, golden sets and credentials")
    command.add_argument("suites", nargs="*", type=Path, metavar="SUITE", help="default: every suite of the project")
    command.add_argument("--profile", help="default: default_profile of parity.toml")
    command.add_argument("--offline", action="store_true", help="do not resolve credentials and endpoints")
    command.add_argument("--json", action="store_true", help="one JSON document on stdout")
    add_lab_state(command)


def run(args: argparse.Namespace) -> int:
    checks = list(_checks(args))
    if args.json:
        print(
            json.dumps(
                [{"check": name, "ok": problem is None, "said": problem or said} for name, said, problem in checks]
            )
        )
    else:
        for name, said, problem in checks:
            print(f"{'ok  ' if problem is None else 'FAIL'} {name}: {problem or said}")
    return EXIT_GO if all(problem is None for *_, problem in checks) else EXIT_ERROR


def _checks(args: argparse.Namespace) -> Iterator[tuple[str, str, str | None]]:
    from harness import config

    yield _try("python", lambda: sys.version.split()[0])
    yield _try("packages", _packages)
    start = args.suites[0].resolve() if args.suites else Path.cwd()
    try:
        project = config.load_project(start)
        profile = config.profile(project, args.profile)
        suites = [suite_file(path) for path in args.suites] or sorted((project.folder / "suites").glob("*/suite.toml"))
    except HarnessError as exc:
        yield "project", "", str(exc)
        return
    yield "project", f"{project.folder / 'parity.toml'}, profile {profile.name}, {len(suites)} suite(s)", None
    yield _try("reports", lambda: _writable(project.reports))
    sound: list[Plan] = []
    for suite in suites:
        yield _try(f"{suite.parent.name}: suite and golden set", partial(_planned, suite, profile, sound))
    if not args.offline and sound:
        yield from _reached(args, profile, sound)


def _reached(args: argparse.Namespace, profile: Profile, plans: list[Plan]) -> Iterator[tuple[str, str, str | None]]:
    """Whether credentials and addresses of both sides resolve; for a lab, in one that runs meanwhile."""
    from harness.core.call import Side
    from harness.run.plan import in_lab

    try:
        with lab_for(profile, args.lab_state, None) as (addresses, _):
            for made in (in_lab(one, addresses) for one in plans):
                for side in made.called:
                    service = made.pair.source if side is Side.SOURCE else made.pair.target
                    yield _try(f"{made.suite.name}: {side.value} {service}", partial(_opened, made, side))
    except HarnessError as exc:
        yield "lab", "", str(exc)


def _try(name: str, check: Callable[[], str]) -> tuple[str, str, str | None]:
    try:
        return name, check(), None
    except HarnessError as exc:
        return name, "", str(exc)


def _packages() -> str:
    from harness.errors import ConfigError
    from harness.run.session import client_versions

    versions = client_versions()
    missing = [name for name, version in versions.items() if version == "not installed"]
    if missing:
        raise ConfigError(f"{', '.join(missing)}: not installed. Install parity-harness again, with its dependencies.")
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def _planned(suite: Path, profile: Profile, sound: list[Plan]) -> str:
    """Every request said on both sides; a plan that can be is added to `sound`."""
    from harness.core.call import Mode
    from harness.run import plan

    # A profile that names the source alone can record, and nothing else.
    made = plan.make(suite, profile, mode=Mode.RECORD if profile.target is None else None)
    plan.preflight(made)
    sound.append(made)
    sides = " and ".join(side.value for side in made.called)
    return f"{len(made.order):,} cases, mode {made.mode.value}: every request can be said to {sides}"


def _opened(made: Plan, side: Side) -> str:
    endpoint = made.service(side).open()
    try:
        return f"{endpoint.name}: credentials and address resolved"
    finally:
        endpoint.close()


def _writable(folder: Path) -> str:
    from harness.errors import ConfigError

    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".doctor"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as exc:
        raise ConfigError(f"{folder}: cannot be written ({exc.strerror}).") from exc
    return str(folder)
