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
from harness.core.check import Check, CheckStatus, fine, problem
from harness.errors import EXIT_ERROR, EXIT_GO, ConfigError, HarnessError

if TYPE_CHECKING:
    from harness.config import Profile
    from harness.core.call import Side
    from harness.run.plan import Plan

_WIDTH = len(CheckStatus.NOT_CHECKED)


def add(commands: Any) -> None:
    command = commands.add_parser("doctor", help="check a project and its clouds before a run")
    command.add_argument("suites", nargs="*", type=Path, metavar="SUITE", help="default: every suite of the project")
    command.add_argument("--profile", help="default: default_profile of parity.toml")
    command.add_argument("--offline", action="store_true", help="do not resolve credentials and endpoints")
    command.add_argument("--reverse", action="store_true", help="look at the way back: source and target change places")
    command.add_argument(
        "--skip", action="append", default=[], metavar="CHECK", help='leave out a check by its name, "data capture"'
    )
    command.add_argument(
        "--policy", action="store_true", help="print the permissions that the suites need, and no more"
    )
    command.add_argument(
        "--logs",
        action="append",
        default=[],
        metavar="URL",
        help="with --policy: where the source's logs lie, s3://...",
    )
    command.add_argument("--json", action="store_true", help="one JSON document on stdout")
    add_lab_state(command)


def run(args: argparse.Namespace) -> int:
    if args.policy:
        return _policy(args)
    checks = []
    for check in _checks(args):
        if any(check.name.rpartition(": ")[2] == name for name in args.skip):
            check = Check(check.name, CheckStatus.NOT_CHECKED, "left out by --skip")
        checks.append(check)
        if not args.json:
            remedy = f"\n{'':{_WIDTH}} -> {check.remedy}" if check.remedy else ""
            print(f"{check.status.value:{_WIDTH}} {check.name}: {check.said}{remedy}", flush=True)
    if args.json:
        print(json.dumps([_document(check) for check in checks]))
    return EXIT_ERROR if any(check.status is CheckStatus.PROBLEM for check in checks) else EXIT_GO


def _policy(args: argparse.Namespace) -> int:
    """IAM policies and Azure roles; calls nothing."""
    from harness import config
    from harness.run import permissions
    from harness.run.doctor import granted

    for url in args.logs:
        if not url.startswith("s3://"):
            raise ConfigError(f'--logs {url}: an address of S3 is meant, "s3://BUCKET/PREFIX".')
    project = config.load_project(args.suites[0].resolve() if args.suites else Path.cwd())
    profile = config.profile(project, args.profile)
    suites = [suite_file(path) for path in args.suites] or sorted((project.folder / "suites").glob("*/suite.toml"))
    plans = [_made(suite, profile, reverse=args.reverse) for suite in suites]
    grants = granted(plans, logs=args.logs)
    found = {"aws": permissions.aws_policies(grants), "azure": permissions.azure_roles(grants)}
    if args.json:
        print(json.dumps({cloud: [permissions.as_json(one) for one in some] for cloud, some in found.items()}))
        return EXIT_GO
    for cloud, some in found.items():
        for one in some:
            print(permissions.as_text(cloud, one))
    return EXIT_GO


def _document(check: Check) -> dict[str, Any]:
    """ok: null where it was not checked."""
    ok = None if check.status is CheckStatus.NOT_CHECKED else check.status is CheckStatus.OK
    remedy = {"remedy": check.remedy} if check.remedy else {}
    return {"check": check.name, "ok": ok, "status": check.status.value, "said": check.said, **remedy}


def _checks(args: argparse.Namespace) -> Iterator[Check]:
    from harness import config

    yield _try("python", lambda: sys.version.split()[0])
    yield _try("packages", _packages)
    start = args.suites[0].resolve() if args.suites else Path.cwd()
    try:
        project = config.load_project(start)
        profile = config.profile(project, args.profile)
        suites = [suite_file(path) for path in args.suites] or sorted((project.folder / "suites").glob("*/suite.toml"))
    except HarnessError as exc:
        yield problem("project", str(exc), "")
        return
    yield fine("project", f"{project.folder / 'parity.toml'}, profile {profile.name}, {len(suites)} suite(s)")
    yield _try("reports", lambda: _writable(project.reports))
    sound: list[Plan] = []
    for suite in suites:
        planned = partial(_planned, suite, profile, sound, reverse=args.reverse)
        yield _try(f"{suite.parent.name}: suite and golden set", planned)
    if not args.offline and sound:
        yield from _reached(args, profile, sound)


def _reached(args: argparse.Namespace, profile: Profile, plans: list[Plan]) -> Iterator[Check]:
    """Whether both sides can be reached and would answer; for a lab, one that runs meanwhile."""
    from harness.run.doctor import examine
    from harness.run.plan import in_lab

    try:
        with lab_for(profile, args.lab_state, None) as (addresses, _):
            for made in (in_lab(one, addresses) for one in plans):
                yield from examine(made)
                for side, service in _called(made):
                    yield _try(f"{made.suite.name}: {side.value} {service}", partial(_opened, made, side))
    except HarnessError as exc:
        yield problem("lab", str(exc), "")


def _try(name: str, check: Callable[[], str]) -> Check:
    try:
        return fine(name, check())
    except HarnessError as exc:
        return problem(name, str(exc), "")


def _packages() -> str:
    from harness.errors import ConfigError
    from harness.run.session import client_versions

    versions = client_versions()
    missing = [name for name, version in versions.items() if version == "not installed"]
    if missing:
        raise ConfigError(f"{', '.join(missing)}: not installed. Install parity-harness again, with its dependencies.")
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def _made(suite: Path, profile: Profile, *, reverse: bool) -> Plan:
    """The plan of a suite: both sides, or the source alone where the profile names no target."""
    from harness.core.call import Mode
    from harness.run import plan

    mode = Mode.RECORD if profile.target is None else Mode.DUAL if reverse else None
    return plan.make(suite, profile, mode=mode, reverse=reverse)


def _planned(suite: Path, profile: Profile, sound: list[Plan], *, reverse: bool) -> str:
    """Every request said on both sides; a plan that can be is added to `sound`."""
    from harness.run import plan

    made = _made(suite, profile, reverse=reverse)
    plan.preflight(made)
    sound.append(made)
    sides = " and ".join(side.value for side in made.called)
    return f"{len(made.order):,} cases, mode {made.mode.value}: every request can be said to {sides}"


def _called(made: Plan) -> list[tuple[Side, str]]:
    from harness.core.call import Side

    return [(side, made.pair.source if side is Side.SOURCE else made.pair.target) for side in made.called]


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
