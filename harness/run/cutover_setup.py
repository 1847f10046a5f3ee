"""A driver from a cutover.toml and a project: the switch built, its stages planned, evidence and live rows at hand."""

from __future__ import annotations

import getpass
import socket
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness import config
from harness.core import registry
from harness.core.call import Side
from harness.core.traffic import Switch
from harness.errors import ConfigError
from harness.gate.cutover import Plan, plan_of
from harness.gate.cutover_file import CutoverPolicy
from harness.gate.cutover_switches import Mover, SwitchSettings, mover_of
from harness.run.cutover import Driver
from harness.run.cutover_go import Go
from harness.run.cutover_journal import Journal
from harness.run.cutover_live import Live, live_policy


def driver(
    policy: CutoverPolicy, settings: SwitchSettings, project: config.Project, *, lab: Mapping[str, str]
) -> Driver:
    """All that moves the traffic of one switch. lab: addresses of the embedded lab; {} without it.

    Raises ConfigError where the switch, its options or the live policy cannot be used.
    """
    switch = _switch(settings.mover, project, lab)
    criteria = live_policy(settings.live)
    return Driver(
        plan=plan_of(settings, live_policy_sha256=criteria.sha256, mirror_limit=switch.mirror_limit),
        switch=switch,
        journal=_journal(settings.mover, project),
        go=Go(policy, project),
        live=Live(settings.live, criteria, settings.mover.folder),
        by=_somebody(),
    )


def way_back(mover: Mover, project: config.Project, *, lab: Mapping[str, str]) -> Driver:
    """A driver that can only roll back: a fault in stages, live criteria or evidence must not be in its way."""
    return Driver(
        plan=Plan(name=mover.name, stages=(), bake_s=0, sha256=""),
        switch=_switch(mover, project, lab),
        journal=_journal(mover, project),
        by=_somebody(),
    )


def read_mover(path: Path, name: str) -> Mover:
    """What moves the traffic, from a cutover.toml of which nothing else is read. Raises ConfigError, UnknownName."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise ConfigError(f"{path}: cannot be read ({exc.strerror}). Name a cutover.toml with --policy.") from exc
    except ValueError as exc:
        raise ConfigError(f"{path}: is not TOML: {exc}.") from exc
    return mover_of(document.get("switches", {}), name, path)


def _journal(mover: Mover, project: config.Project) -> Journal:
    return Journal(project.reports / "cutovers" / mover.name)


def _switch(mover: Mover, project: config.Project, lab: Mapping[str, str]) -> Switch:
    options: dict[str, Any] = {"folder": mover.folder, **mover.options}
    if mover.profile is not None:
        options["settings"] = _side(config.profile(project, mover.profile), mover, lab)
    switch: Switch = registry.load("switches", mover.use, where=mover.where, suite_folder=mover.folder, **options)
    return switch


def _side(profile: config.Profile, mover: Mover, lab: Mapping[str, str]) -> config.SideSettings:
    """The target side of a profile, for a switch that signs in there."""
    if profile.target is None:
        raise ConfigError(f'{mover.where}: profile "{profile.name}" has no target to sign in to.')
    table: dict[str, Any] = {"endpoint": "", **profile.target}
    return config.SideSettings(
        side=Side.TARGET, network=profile.network, lab=dict(lab), timeout_s=profile.limits.timeout_s, **table
    )


def _somebody() -> str:
    """Who acts, for the journal."""
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (OSError, KeyError):
        return f"unknown@{socket.gethostname()}"


def project_of(policy: Path) -> config.Project:
    """The project that the cutover.toml lies in. Raises ConfigError where it lies in none."""
    return config.load_project(policy.absolute().parent)
