"""The pytest door: `suites/<name>/suite.toml` is collected, each `[[criterion]]` is a test item.

The first item of a suite replays the whole suite; every item then reads its findings. Items fail with interval, margin,
counts, worst cases and the report's path. A run that would have ended 0 ends 1 unless the decision is GO. A run with
deselected items, or with a sample, is PARTIAL: it keeps pytest's own exit code and decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.core.verdict import Finding, Verdict
    from harness.run.session import Finished

STATE = pytest.StashKey["State"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("parity", "replay suites and decide (parity-harness)")
    group.addoption("--parity-profile", metavar="NAME", help="profile of parity.toml; default: its default_profile")
    group.addoption("--parity-plant", metavar="FAULT", help="embedded lab only: plant a fault (`parity lab faults`)")
    group.addoption("--parity-sample", type=int, metavar="N", help="replay N cases only; the run is PARTIAL")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[STATE] = State(config)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.name == "suite.toml":
        return SuiteFile.from_parent(parent, path=file_path)
    return None


def pytest_deselected(items: Iterable[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, CriterionItem):
            item.config.stash[STATE].deselected.add(item.path)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    state = session.config.stash[STATE]
    state.close()
    if exitstatus == pytest.ExitCode.OK and state.finished and not state.go():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    state = config.stash[STATE]
    for text in state.summaries():
        terminalreporter.write_line(text)
    if state.finished:
        terminalreporter.section("parity decision")
        terminalreporter.write_line(state.verdict_line())


class State:
    """What one pytest session knows: runs finished, suites that are partial, and the lab while it is needed."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._stack = ExitStack()
        self._lab: dict[str, dict[str, str]] = {}
        self.deselected: set[Path] = set()
        self.finished: dict[Path, Finished] = {}
        self.failed: dict[Path, HarnessError] = {}

    def result(self, suite: SuiteFile) -> Finished:
        """The suite's run, made at the first call. Raises HarnessError again at every call once it has failed."""
        if suite.path in self.failed:
            raise self.failed[suite.path]
        if suite.path not in self.finished:
            try:
                self.finished[suite.path] = self._run(suite)
            except HarnessError as exc:
                self.failed[suite.path] = exc
                raise
        return self.finished[suite.path]

    def _run(self, suite: SuiteFile) -> Finished:
        from harness import config as configuration
        from harness.run import plan, session

        option = self._config.getoption
        project = configuration.load_project(suite.path)
        profile = configuration.profile(project, option("--parity-profile"))
        made = plan.make(suite.path, profile, lab=self._addresses(profile), sample=option("--parity-sample"))
        return session.run(
            made,
            reports=project.reports,
            partial=self._is_partial(suite),
            planted=option("--parity-plant"),
        )

    def _addresses(self, profile: Any) -> dict[str, str]:
        from harness.run.lab import opened

        if profile.name not in self._lab:
            plant = self._config.getoption("--parity-plant")
            self._lab[profile.name] = self._stack.enter_context(opened(profile, plant=plant, start=_start_lab))
        return self._lab[profile.name]

    def _is_partial(self, suite: SuiteFile) -> bool:
        chosen = sum(1 for item in self._config.stash[ITEMS] if item.path == suite.path)
        return suite.path in self.deselected or chosen < suite.criteria

    def close(self) -> None:
        self._stack.close()

    def go(self) -> bool:
        decisions = [item.decision for item in self.finished.values()]
        return all(decision is None or decision.verdict.value == "GO" for decision in decisions)

    def summaries(self) -> Iterator[str]:
        from harness.core import registry

        terminal = registry.load("reporters", "terminal") if self.finished else None
        for item in self.finished.values():
            yield terminal.render(item.report).decode() if terminal else ""
            yield f"report: {item.folder.report('.html')}"

    def verdict_line(self) -> str:
        from harness.run.session import combine

        decisions = [item.decision for item in self.finished.values()]
        if any(decision is None for decision in decisions):
            return "PARTIAL: criteria were deselected or a sample was replayed; nothing is decided."
        if self.failed:
            return "no decision: a suite could not be run"
        verdict: Verdict = combine([decision.verdict for decision in decisions if decision is not None])
        return f"{verdict.value}   {len(decisions)} suite(s)"


ITEMS = pytest.StashKey[list["CriterionItem"]]()


def pytest_collection_finish(session: pytest.Session) -> None:
    session.config.stash[ITEMS] = [item for item in session.items if isinstance(item, CriterionItem)]


class SuiteFile(pytest.File):
    """One suite.toml. Collecting reads the policy and calls nothing."""

    criteria = 0

    def collect(self) -> Iterator[CriterionItem]:
        from harness.config import load_suite
        from harness.gate.policy import load_policy

        try:
            load_suite(self.path)
            policy = load_policy(self.path)
        except HarnessError as exc:
            raise self.CollectError(str(exc)) from exc
        self.criteria = len(policy.criteria)
        for criterion in policy.criteria:
            yield CriterionItem.from_parent(self, name=criterion.name, suite=self)


class CriterionItem(pytest.Item):
    """One criterion of one suite, with its declared slices."""

    def __init__(self, *, suite: SuiteFile, **options: Any) -> None:
        super().__init__(**options)
        self._suite = suite

    def runtest(self) -> None:
        finished = self.config.stash[STATE].result(self._suite)
        findings = [finding for finding in finished.findings if finding.criterion == self.name]
        failed = [finding for finding in findings if finding.gating and finding.verdict.value != "GO"]
        if failed:
            raise CriterionFailed(failed, finished)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, CriterionFailed):
            return excinfo.value.text()
        if isinstance(excinfo.value, HarnessError):
            return f"{type(excinfo.value).__name__}: {excinfo.value}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, self.name


class CriterionFailed(Exception):
    """A criterion that is not GO, with what a reader needs to see why."""

    def __init__(self, findings: list[Finding], finished: Finished) -> None:
        super().__init__(findings[0].reason)
        self._findings = findings
        self._finished = finished

    def text(self) -> str:
        lines = []
        for finding in self._findings:
            where = f" [{finding.slice}]" if finding.slice else ""
            lines.append(f"{finding.verdict.value}{where}: {finding.reason}")
            if (evidence := finding.evidence) is not None:
                lines.append(
                    f"  estimate {evidence.estimate:+.5g}, interval [{evidence.low:+.5g}, {evidence.high:+.5g}], "
                    f"margin {evidence.margin:g}; {evidence.units:,} units, {evidence.excluded:,} excluded, "
                    f"{evidence.unscored:,} unscored"
                )
        metric = self._findings[0].metric
        worst = [case for case in self._finished.report.worst if case.metric == metric][:3]
        lines += [f"  worst: case {case.case_id}: {case.reason}" for case in worst]
        lines.append(f"  report: {self._finished.folder.report('.html')}")
        return "\n".join(lines)


def _start_lab(plant: str | None) -> Any:
    from harness import lab

    return lab.start(plant=plant)
