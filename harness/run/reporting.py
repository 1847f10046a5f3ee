"""The reports of a run: what is written beside its decision, page by page."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from harness import config
from harness.core import registry
from harness.core.inventory import SERVING
from harness.core.protocols import PagedReporter, Reporter
from harness.core.report import EstateLine, ParityReport, WaiverSummary
from harness.errors import ConfigError, HarnessError
from harness.gate.estate import ESTATE, load_estate
from harness.gate.policy import Policy
from harness.run.cases import ListedCases
from harness.run.folder import RunFolder, RunRecord, write_whole

REPORTS = ("html", "json", "markdown")


def write(folder: RunFolder, report: ParityReport) -> None:
    """Every report of `REPORTS`; again, where more is known than when the run was judged."""
    for name in REPORTS:
        reporter: Reporter = registry.load("reporters", name)
        if isinstance(reporter, PagedReporter):
            _write_pages(folder, reporter, report)
        else:
            write_whole(folder.report(reporter.suffix), reporter.render(report))


def _write_pages(folder: RunFolder, reporter: PagedReporter, report: ParityReport) -> None:
    """Pages of an earlier judgement of the same run, which listed more, are removed."""
    left = set(folder.path.glob(f"report-*{reporter.suffix}"))
    for name, content in reporter.pages(report, ListedCases(folder.cases)):
        write_whole(folder.path / name, content)
        left.discard(folder.path / name)
    for path in left:
        path.unlink()


def took_s(record: RunRecord) -> float:
    """From the run's start to its end, in seconds; 0 where it has not ended."""
    if record.finished_at is None:
        return 0.0
    return (datetime.fromisoformat(record.finished_at) - datetime.fromisoformat(record.started_at)).total_seconds()


def waivers(policy: Policy, at: datetime) -> tuple[WaiverSummary, ...]:
    """The policy's waivers, in force at `at` or not."""
    return tuple(
        WaiverSummary(
            criterion=one.criterion,
            owner=one.owner,
            reason=one.reason,
            expires=one.expires.isoformat(),
            in_force=one.in_force(at),
            covers=one.what,
        )
        for one in policy.waivers
    )


def estate(suite: Path) -> tuple[EstateLine, ...]:
    """The estate file of a suite's project, where there is one. One that cannot be read is a line of its own: no run
    fails for it, and it is no empty estate either."""
    try:
        path = config.load_project(suite).folder / ESTATE
    except ConfigError:  # a suite on its own
        return ()
    try:
        entries = load_estate(path).entries if path.is_file() else ()
    except HarnessError as exc:
        return (EstateLine(name=str(exc), service="unreadable", suites=()),)
    return tuple(
        EstateLine(
            name=entry.found.name,
            service=f"{entry.found.service} {entry.found.kind}",
            suites=tuple(dict.fromkeys((*entry.suites, *entry.covered_by))),
            out_of_scope=entry.out_of_scope or "",
        )
        for entry in entries
        if entry.found.kind in SERVING
    )
