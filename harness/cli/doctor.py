"""`parity doctor`: what would stop a run, found before it starts. Makes no scoring call."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from harness.errors import EXIT_ERROR, EXIT_GO, HarnessError


def add(commands: Any) -> None:
    command = commands.add_parser("doctor", help="check installation, configuration, golden sets and credentials")
    command.add_argument("suites", nargs="*", type=Path, metavar="SUITE", help="default: every suite of the project")
    command.add_argument("--profile", help="default: default_profile of parity.toml")
    command.add_argument("--offline", action="store_true", help="do not resolve credentials and endpoints")
    command.add_argument("--json", action="store_true", help="one JSON document on stdout")


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
    except HarnessError as exc:
        yield "project", "", str(exc)
        return
    yield "project", f"{project.folder / 'parity.toml'}, profile {profile.name}", None
    yield _try("reports", lambda: _writable(project.reports))
    suites = args.suites or sorted((project.folder / "suites").glob("*/suite.toml"))
    for suite in suites:
        yield from _suite_checks(suite.resolve(), profile, offline=args.offline)


def _suite_checks(path: Path, profile: Any, *, offline: bool) -> Iterator[tuple[str, str, str | None]]:
    from harness.core.call import Side
    from harness.run import plan
    from harness.run.lab import opened

    file = path / "suite.toml" if path.is_dir() else path
    name = file.parent.name
    if offline:
        yield _try(f"{name}: suite and golden set", lambda: _planned(plan.make(file, profile)))
        return
    try:
        with opened(profile, plant=None, start=_start_lab) as addresses:
            made = plan.make(file, profile, lab=addresses)
            yield _try(f"{name}: suite and golden set", lambda: _planned(made))
            for side in Side:
                service = made.pair.source if side is Side.SOURCE else made.pair.target
                yield _try(f"{name}: {side.value} {service}", partial(_opened, made, side))
    except HarnessError as exc:
        yield f"{name}: suite", "", str(exc)


def _try(name: str, check: Callable[[], str]) -> tuple[str, str, str | None]:
    try:
        return name, check(), None
    except HarnessError as exc:
        return name, "", str(exc)


def _packages() -> str:
    from harness.run.session import client_versions

    return ", ".join(f"{name} {version}" for name, version in client_versions().items())


def _planned(made: Any) -> str:
    from harness.run import plan

    plan.preflight(made)
    return f"{len(made.golden):,} cases, every request can be said on both sides"


def _opened(made: Any, side: Any) -> str:
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


def _start_lab(plant: str | None) -> Any:
    from harness import lab

    return lab.start(plant=plant)
