"""GitHub Actions and Azure Pipelines: files for the build, its summary, and commands in its log."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from harness.core import registry
from harness.reporters._parts.notices import Place
from harness.run.folder import write_whole
from harness.run.publish_page import SUMMARY_LIMIT, Bulletin, comment, page
from harness.run.publish_webhook import document

COMMENT, DECISION, SUMMARY = "comment.md", "decision.json", "summary.md"


def write_files(bulletin: Bulletin, folder: Path) -> None:
    """comment.md, summary.md, decision.json, and SUITE.xml (JUnit) for each suite; those of before go."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.xml"):
        old.unlink()
    write_whole(folder / COMMENT, comment(bulletin).encode())
    write_whole(folder / SUMMARY, page(bulletin, SUMMARY_LIMIT - 1).encode())
    write_whole(folder / DECISION, json.dumps(document(bulletin), indent=1, allow_nan=False).encode() + b"\n")
    for report in bulletin.reports:
        name = re.sub("[^A-Za-z0-9_.-]+", "-", report.suite)
        write_whole(folder / f"{name}.xml", registry.load("reporters", "junit").render(report))


def github(bulletin: Bulletin, places: Mapping[str, Place], environment: Mapping[str, str], out: TextIO) -> None:
    """The summary goes behind what the step has written so far, as much of it as GitHub takes; annotations to the log.

    GITHUB_OUTPUT gets `verdict`, a word of ours.
    """
    summary = environment.get("GITHUB_STEP_SUMMARY")
    if summary:
        path = Path(summary)
        room = SUMMARY_LIMIT - (path.stat().st_size if path.is_file() else 0)
        text = f"\n{page(bulletin, room - 1)}".encode()
        if len(text) <= room:  # GitHub drops the whole summary where it is too long
            with path.open("ab") as file:
                file.write(text)
    lines = registry.load("reporters", "github").render_all(bulletin.reports, failed=bulletin.failed, places=places)
    print(f"\n{lines.decode()}", end="", file=out, flush=True)
    output = environment.get("GITHUB_OUTPUT")
    if output:
        with Path(output).open("a", encoding="utf-8") as told:
            told.write(f"verdict={bulletin.verdict}\n")


def azure_devops(bulletin: Bulletin, places: Mapping[str, Place], folder: Path, out: TextIO) -> None:
    """Issues, the summary, the variable `parityVerdict`, and a failed task unless GO."""
    lines = registry.load("reporters", "azure_devops").render_all(
        bulletin.reports,
        failed=bulletin.failed,
        places=places,
        verdict=bulletin.verdict,
        summary=str((folder / SUMMARY).resolve()),
    )
    print(f"\n{lines.decode()}", end="", file=out, flush=True)
