"""What a door shows of one suite's run, criterion by criterion; plain, so that it crosses between processes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core import registry
from harness.core.verdict import Finding, Verdict
from harness.reporters._parts.text import visible
from harness.run.publish_payloads import packed
from harness.run.session import Finished, combine

if TYPE_CHECKING:
    from harness.gate.conditions import Conditions
    from harness.gate.policy import Criterion

WORST_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One suite's run, or why there is none.

    text: what a terminal shows of the whole. report: path of the page; folder: of the run. verdict: None for a partial
    run, and where there is an error. verdicts: criterion -> the worst verdict of its findings that vote, or of all
    where none does. failures: criterion -> why it is not GO, for those that vote and are not. not_judged: criterion ->
    why nothing can be said of it in this mode. cases: of a strict suite, case -> why it is no match, for those that are
    none. error: why the suite could not be run, else None. path: of suite.toml. packed: the report, for publishing.
    """

    suite: str
    text: str
    report: str = ""
    folder: str = ""
    verdict: str | None = None
    verdicts: Mapping[str, str] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)
    not_judged: Mapping[str, str] = field(default_factory=dict)
    cases: Mapping[str, str] = field(default_factory=dict)
    error: str | None = None
    path: str = ""
    packed: str = ""


def result_of(
    finished: Finished, path: Path, criteria: Iterable[Criterion], conditions: Conditions, cases: Mapping[str, str]
) -> Result:
    """The result of a run that came to its end. path: of the suite.toml. cases: see Result."""
    report = str(finished.folder.report(".html"))
    verdicts: dict[str, str] = {}
    failures: dict[str, str] = {}
    not_judged: dict[str, str] = {}
    for criterion in criteria:
        found = [one for one in finished.findings if one.criterion in (criterion.name, criterion.severe_name)]
        if not conditions.judges(criterion):
            not_judged[criterion.name] = found[0].reason
        voting = [one for one in found if one.gating] or found
        verdicts[criterion.name] = combine([finding.verdict for finding in voting]).value
        failed = [finding for finding in found if finding.gating and finding.verdict is not Verdict.GO]
        if failed:
            failures[criterion.name] = "\n".join([*_why(criterion, failed, finished), f"  report: {report}"])
    return Result(
        suite=finished.report.suite,
        text=f"{registry.load('reporters', 'terminal').render(finished.report).decode()}\nreport: {report}",
        report=report,
        folder=str(finished.folder.path),
        verdict=finished.decision.verdict.value if finished.decision is not None else None,
        verdicts=verdicts,
        failures=failures,
        not_judged=not_judged,
        cases=cases,
        path=str(path),
        packed=packed(finished.report),
    )


def failed(path: Path, error: str) -> Result:
    """The result of a suite that could not be run. path: of its suite.toml."""
    name = path.parent.name
    return Result(suite=name, text=f"parity {name}: could not be run\n{error}", error=error, path=str(path))


def all_go(results: Iterable[Result]) -> bool:
    """Whether nothing stands against a session's own exit code: every decision is GO, or was not to be made."""
    return all(result.error is None and result.verdict in (None, Verdict.GO.value) for result in results)


def verdict_line(results: Sequence[Result]) -> str:
    """One line for all suites together; nothing is decided on less than all of them."""
    if any(result.error is not None for result in results):
        return "no decision: a suite could not be run"
    verdicts = [Verdict(result.verdict) for result in results if result.verdict is not None]
    if len(verdicts) < len(results):
        return "PARTIAL: criteria were deselected or a sample was replayed; nothing is decided."
    return f"{combine(verdicts).value}   {len(verdicts)} suite(s)"


def _why(criterion: Criterion, failed: Sequence[Finding], finished: Finished) -> list[str]:
    lines = []
    for finding in failed:
        what = f" {finding.criterion}," if finding.criterion != criterion.name else ""
        where = f" [{finding.slice}]" if finding.slice else ""
        lines.append(visible(f"{finding.verdict.value}{where}:{what} {finding.reason}"))
        if (evidence := finding.evidence) is not None:
            lines.append(
                f"  estimate {evidence.estimate:+.5g}, interval [{evidence.low:+.5g}, {evidence.high:+.5g}], "
                f"margin {evidence.margin:g}; {evidence.units:,} units, {evidence.excluded:,} excluded, "
                f"{evidence.unscored:,} unscored"
            )
    worst = [case for case in finished.report.worst if case.metric == criterion.metric][:WORST_SHOWN]
    return lines + [f"  worst: {visible(f'case {case.case_id}: {case.reason}')}" for case in worst]
