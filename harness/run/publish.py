"""Tell people where they already are what was decided. Nothing here decides, and nothing here can undo a decision.

A channel that fails is said on standard error and changes no exit code: that nobody was told makes no GO, and no
NO-GO either. What is told was cleared by `publish_payloads` first; channels see nothing else.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from harness.config import Network, Project
from harness.core.report import ParityReport
from harness.core.verdict import Verdict
from harness.errors import ConfigError, HarnessError, UnknownName
from harness.reporters._parts.notices import Place
from harness.reporters._parts.text import visible
from harness.run.publish_page import ERROR, Bulletin
from harness.run.publish_payloads import cleared

CHANNELS = ("github", "azure_devops", "mlflow", "webhook")
FOLDER = "published"  # below the reports: comment.md, decision.json, SUITE.xml
_BUILD_SYSTEMS = {"GITHUB_ACTIONS": "github", "TF_BUILD": "azure_devops"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Publishing:
    """Where to tell it, checked before anything is called. folder: where files for the build are left."""

    channels: tuple[str, ...]
    project: Project
    network: Network
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What became of one channel. problem: None where it was told."""

    channel: str
    problem: str | None = None


def publishing(
    names: Sequence[str] | str | None,
    project: Project,
    network: Network,
    environment: Mapping[str, str] | None = None,
    *,
    folder: Path | None = None,
) -> Publishing:
    """names: channels, or one text with commas; "none" tells nobody; None: the build system that this runs in, if any.

    Call it before the run: raises UnknownName, and ConfigError for a channel that lacks its settings.
    """
    said = os.environ if environment is None else environment
    if names is None:
        names = [channel for variable, channel in _BUILD_SYSTEMS.items() if said.get(variable, "").lower() == "true"]
    if isinstance(names, str):
        names = [name.strip() for name in names.split(",") if name.strip()]
    channels = tuple(dict.fromkeys(names))
    if channels == ("none",):
        channels = ()
    for name in channels:
        if name not in CHANNELS:
            raise UnknownName("publish", "channel", name, (*CHANNELS, "none"))
    if "webhook" in channels:
        if project.webhook is None:
            raise ConfigError("publish: webhook needs [publish.webhook] in parity.toml, with url_env in it.")
        for variable in (project.webhook.url_env, project.webhook.secret_env):
            if variable is not None and not said.get(variable):
                raise ConfigError(f"publish: webhook needs the environment variable {variable}, which is not set.")
    if "mlflow" in channels:
        from harness.run.publish_mlflow import check

        check()
    return Publishing(channels=channels, project=project, network=network, folder=folder or project.reports / FOLDER)


def publish(
    reports: Sequence[ParityReport],
    to: Publishing,
    *,
    failed: Sequence[str] = (),
    verdict: Verdict | None = None,
    url: str | None = None,
    out: TextIO | None = None,
    environment: Mapping[str, str] | None = None,
) -> tuple[Told, ...]:
    """Tell every channel of these reports, as one night or build. Raises nothing.

    failed: suites that could not be run. verdict: of a night, where it looks at more than tonight; it can make what is
    told worse than the reports are, never better. url: where the reports are; default: the build's own page. out:
    where commands for the build system are printed; default: standard output.
    """
    said = os.environ if environment is None else environment
    if not to.channels or not (reports or failed):
        return ()
    told = []
    for channel in to.channels:
        try:
            bulletin = Bulletin(
                reports=tuple(cleared(report) for report in reports),
                failed=tuple(failed),
                verdict=_together(reports, failed, verdict),
                url=_address(url or _build_page(said)),
            )
            _tell(channel, bulletin, to, said, out or sys.stdout)
            told.append(Told(channel=channel))
        except Exception as exc:  # whatever it is, the decision stands as it was
            words = str(exc) if isinstance(exc, HarnessError) else type(exc).__name__
            told.append(Told(channel=channel, problem=words))
            with suppress(OSError):
                sys.stderr.write(f"{channel} was not told: {visible(words)} The decision stands as it is.\n")
    return tuple(told)


def _tell(channel: str, bulletin: Bulletin, to: Publishing, environment: Mapping[str, str], out: TextIO) -> None:
    if channel in ("github", "azure_devops"):
        from harness.run import publish_build

        publish_build.write_files(bulletin, to.folder)
        where = places(bulletin, to.project.folder, environment)
        if channel == "github":
            publish_build.github(bulletin, where, environment, out)
        else:
            publish_build.azure_devops(bulletin, where, to.folder, out)
    elif channel == "webhook" and to.project.webhook is not None:
        from harness.run import publish_webhook

        publish_webhook.tell(bulletin, to.project.webhook, to.network, environment)
    elif channel == "mlflow":
        from harness.run import publish_mlflow

        publish_mlflow.tell(bulletin, to.project.mlflow, to.network)


def _together(reports: Sequence[ParityReport], failed: Sequence[str], verdict: Verdict | None) -> str:
    from harness.run.session import combine

    if failed:
        return ERROR
    decisions = [report.decision.verdict for report in reports if report.decision is not None and not report.partial]
    worst = combine([*decisions, *([] if verdict is None else [verdict])])
    if len(decisions) < len(reports) and worst is not Verdict.NO_GO:
        return "PARTIAL" if any(report.partial for report in reports) else Verdict.INCONCLUSIVE.value
    return worst.value


def places(bulletin: Bulletin, folder: Path, environment: Mapping[str, str]) -> dict[str, Place]:
    """Where each suite's promises stand, by suite: its file from the root of what was checked out, and lines."""
    root = Path(environment.get("GITHUB_WORKSPACE") or environment.get("BUILD_SOURCESDIRECTORY") or folder)
    found = {}
    for suite in {*(report.suite for report in bulletin.reports), *bulletin.failed}:
        path = folder / "suites" / suite / "suite.toml"
        if "/" in suite or not path.is_file() or not path.resolve().is_relative_to(root.resolve()):
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        names = {one[2]: text.count("\n", 0, one.start(1)) + 1 for one in _NAME.finditer(text)}
        found[suite] = Place(file=path.resolve().relative_to(root.resolve()).as_posix(), lines=names)
    return found


_NAME = re.compile(r'^([ \t]*name)\s*=\s*"([^"\\]*)"', re.MULTILINE)


def _build_page(environment: Mapping[str, str]) -> str | None:
    """The page of the build that this runs in."""
    github = [environment.get(f"GITHUB_{name}") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID")]
    if all(github):
        return f"{github[0]}/{github[1]}/actions/runs/{github[2]}"
    azure = [environment.get(name) for name in ("SYSTEM_COLLECTIONURI", "SYSTEM_TEAMPROJECT", "BUILD_BUILDID")]
    if all(azure):
        return f"{azure[0]}{str(azure[1]).replace(' ', '%20')}/_build/results?buildId={azure[2]}"
    return None


def _address(url: str | None) -> str | None:
    """An address that Markdown can hold as it is, or None."""
    return url if url is not None and re.fullmatch(r"https?://[\w.:/?=&%~+-]+", url, re.ASCII) else None
