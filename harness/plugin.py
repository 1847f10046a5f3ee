"""The pytest door: `suites/<name>/suite.toml` is collected, each `[[criterion]]` is a test item; each case of a suite
that says `strict = true` is one too. Tests beside a suite get its results with the fixture `parity_results`.

The first item of a suite replays the whole suite as its set-up; every item then reads its own findings, and fails with
interval, margin, counts, worst cases and the report's path. A suite that cannot be run is an error of its items. A
session that would have ended 0 ends 1 unless every decision is GO. A run with deselected items, or with a sample, is
PARTIAL: it keeps pytest's own exit code and decides nothing.

Under pytest-xdist the worker that gets a suite's first item replays it while the others wait at a lock; they read what
it wrote into a folder of the session. Only the controller decides.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import tempfile
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import HarnessError

if TYPE_CHECKING:
    import pandas as pd

    from harness.config import Profile, Project, Suite
    from harness.gate.policy import Criterion
    from harness.run.lab import RunningLab
    from harness.run.progress import Progress
    from harness.run.publish import Publishing
    from harness.run.result import Result

SHARED = "parity_shared"  # what the controller of parallel workers calls the session's folder


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("parity", "replay suites and decide (parity-harness)")
    group.addoption("--parity-profile", metavar="NAME", help="profile of parity.toml; default: its default_profile")
    group.addoption("--parity-plant", metavar="FAULT", help="embedded lab only: plant a fault (`parity lab faults`)")
    group.addoption("--parity-sample", type=int, metavar="N", help="replay N cases only; the run is PARTIAL")
    group.addoption(
        "--parity-mode",
        choices=["dual", "golden"],
        help="call both sides, or take the source's answers from the golden set; default: the profile's mode",
    )
    group.addoption("--parity-reverse", action="store_true", help="rehearse the rollback: sides swapped")
    group.addoption("--parity-arrival", choices=["recorded"], help="start each call at its recorded moment")
    group.addoption("--parity-speed", type=float, metavar="X", help="with --parity-arrival: X times as fast; default 1")
    group.addoption(
        "--parity-publish",
        metavar="CHANNELS",
        help="where to tell the decision: github,azure_devops,mlflow,webhook, or none; default: the build system that "
        "this runs in",
    )
    group.addoption(
        "--parity-lab-state",
        metavar="FILE",
        help="use the lab of `parity lab up` that runs under this file instead of starting one; "
        "default: PARITY_LAB_STATE",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[STATE] = State(config)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.name == "suite.toml":
        return SuiteFile.from_parent(parent, path=file_path)
    return None


@pytest.fixture
def parity_results(request: pytest.FixtureRequest) -> pd.DataFrame:
    """What came of the suite beside this test: a pandas DataFrame, one row a case and metric.

    Columns: case, metric, cluster, value_target, value_noise, status_target, status_source, status (match, mismatch,
    incomparable), distance, unit, limit, reason, and "slice.KEY" for each slice. The suite is run once a session, with
    or for its own tests.
    """
    path = request.path.parent / "suite.toml"
    if not path.is_file():
        raise pytest.UsageError(
            f"parity_results gives the results of the suite beside a test, and {path} is not there."
        )
    return request.config.stash[STATE].table(_Beside(path, _criteria(path)))


def pytest_deselected(items: Iterable[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, CriterionItem):
            item.config.stash[STATE].deselected.add(item.path)


def pytest_collection_finish(session: pytest.Session) -> None:
    session.config.stash[STATE].items = [item.path for item in session.items if isinstance(item, CriterionItem)]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Called by pytest-xdist in the controller, for each worker."""
    node.workerinput[SHARED] = str(node.config.stash[STATE].share())


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    state = session.config.stash[STATE]
    state.close()
    if exitstatus == pytest.ExitCode.OK and not state.is_worker and not state.go():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    results = config.stash[STATE].results() if STATE in config.stash else []
    if not results:
        return
    from harness.run.result import verdict_line

    for result in results:
        terminalreporter.write_line(result.text)
    terminalreporter.section("parity decision")
    terminalreporter.write_line(verdict_line(results))
    if not config.stash[STATE].is_worker:
        config.stash[STATE].publish(results)


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash[STATE].close()
    config.stash[STATE].forget()


class SuiteFile(pytest.File):
    """One suite.toml. Collecting reads the policy and calls nothing."""

    criteria: tuple[Criterion, ...] = ()

    def collect(self) -> Iterator[CriterionItem | CaseItem]:
        from harness.config import load_suite

        try:
            suite = load_suite(self.path)
            self.criteria = _criteria(self.path)
            cases = _case_ids(suite) if suite.strict else []
        except HarnessError as exc:
            raise self.CollectError(f"{type(exc).__name__}: {exc}") from exc
        for criterion in self.criteria:
            yield CriterionItem.from_parent(self, name=criterion.name, criterion=criterion)
        for case in cases:
            yield CaseItem.from_parent(self, name=f"case {case}", case=case)


class SuiteItem(pytest.Item):
    """What is asked of the one run of a suite."""

    def setup(self) -> None:
        if self.config.getoption("setuponly", False):
            return
        result = self.result()
        if result.error is not None:
            raise SuiteFailed(result.error)
        self.user_properties.append(("report", result.report))

    def result(self) -> Result:
        found: Result = self.config.stash[STATE].result(self.parent)
        return found

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, CriterionFailed | SuiteFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, self.name


class CriterionItem(SuiteItem):
    """One criterion of one suite, with its severe drops and its slices."""

    def __init__(self, *, criterion: Criterion, **options: Any) -> None:
        super().__init__(**options)
        self.criterion = criterion

    def setup(self) -> None:
        super().setup()
        if not self.config.getoption("setuponly", False):
            self.user_properties.insert(0, ("verdict", self.result().verdicts.get(self.name, "")))

    def runtest(self) -> None:
        result = self.result()
        if self.name in result.not_judged:
            pytest.skip(result.not_judged[self.name])
        if self.name in result.failures:
            raise CriterionFailed(result.failures[self.name])


class CaseItem(SuiteItem):
    """One case of a strict suite: it matches in everything that is compared."""

    def __init__(self, *, case: str, **options: Any) -> None:
        super().__init__(**options)
        self.case = case

    def runtest(self) -> None:
        from harness.reporters._parts.text import visible
        from harness.run.table import NOT_REPLAYED

        failure = self.result().cases.get(self.case)
        if failure == NOT_REPLAYED and self.config.getoption("--parity-sample") is not None:
            pytest.skip("not in the sample")
        if failure is not None:
            raise CriterionFailed(visible(f"case {self.case}: {failure}"))


@dataclass(frozen=True, slots=True)
class _Beside:
    """A suite that a test asks for, whether or not its own tests were collected."""

    path: Path
    criteria: tuple[Criterion, ...]


class CriterionFailed(Exception):
    """A criterion that is not GO, or a case that is no match, with what a reader needs to see why."""


class SuiteFailed(Exception):
    """A suite that could not be run: nothing is known of any of its criteria."""


class State:
    """What one process of a pytest session knows: results so far, suites that are partial, the lab while it runs."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._stack = ExitStack()
        self._labs: dict[str, tuple[dict[str, str], str | None]] = {}
        self._results: dict[Path, Result] = {}
        self._tables: dict[Path, pd.DataFrame] = {}
        worker: Mapping[str, str] | None = getattr(config, "workerinput", None)
        self.is_worker = worker is not None
        self._shared = Path(worker[SHARED]) if worker is not None else None
        self.deselected: set[Path] = set()
        self.items: list[Path] = []

    def share(self) -> Path:
        """The folder through which this controller's workers tell each other their results."""
        if self._shared is None:
            self._shared = Path(tempfile.mkdtemp(prefix="parity-session-"))
        return self._shared

    def result(self, suite: Any) -> Result:
        """The suite's run, made at the first call by whichever worker comes first; never a second time."""
        from harness.run.folder import write_whole
        from harness.run.result import Result

        if suite.path not in self._results:
            with self._turn(suite) as stored:
                if stored is not None and stored.exists():
                    self._results[suite.path] = Result(**json.loads(stored.read_bytes()))
                else:
                    self._results[suite.path] = self._made(suite)
                    if stored is not None:
                        write_whole(stored, json.dumps(asdict(self._results[suite.path])).encode())
        return self._results[suite.path]

    @contextmanager
    def _turn(self, suite: SuiteFile | _Beside) -> Iterator[Path | None]:
        """Alone with this suite while the block runs; yields where its result lies for the other workers, if any."""
        if self._shared is None:
            yield None
            return
        import fcntl

        name = hashlib.sha256(str(suite.path).encode()).hexdigest()
        with (self._shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield self._shared / f"{name}.json"

    def _made(self, suite: SuiteFile | _Beside) -> Result:
        from harness.run.result import failed

        try:
            with self._watched() as progress:
                return self._run(suite, progress)
        except HarnessError as exc:
            return failed(suite.path, f"{type(exc).__name__}: {exc}")
        except Exception:
            return failed(suite.path, f"{traceback.format_exc()}\nThis is a fault of the harness; nothing was decided.")

    def _run(self, suite: SuiteFile | _Beside, progress: Progress) -> Result:
        from harness import config as configuration
        from harness.core.call import Mode
        from harness.run import plan, session
        from harness.run.arrival import speed_of
        from harness.run.result import result_of
        from harness.run.table import failing_cases

        option = self._config.getoption
        project: Project = configuration.load_project(suite.path)
        profile = configuration.profile(project, option("--parity-profile"))
        self._publishing(project)  # what cannot be told is said before anything is called
        mode = option("--parity-mode")
        made = plan.make(
            suite.path,
            profile,
            sample=option("--parity-sample"),
            mode=None if mode is None else Mode(mode),
            reverse=option("--parity-reverse"),
            speed=speed_of(option("--parity-arrival"), option("--parity-speed")),
        )
        addresses, planted = self._lab(profile)
        finished = session.run(
            plan.in_lab(made, addresses),
            reports=project.reports,
            partial=self._is_partial(suite),
            planted=planted,
            progress=progress,
        )
        cases = failing_cases(made, finished.folder) if made.suite.strict else {}
        return result_of(finished, suite.path, suite.criteria, made.policy.conditions, cases)

    def _publishing(self, project: Project) -> Publishing:
        from harness import config as configuration
        from harness.run.publish import publishing

        option = self._config.getoption
        network = configuration.profile(project, option("--parity-profile")).network
        return publishing(option("--parity-publish"), project, network)

    def publish(self, results: list[Result]) -> None:
        """Tell the session's decisions where people are. Changes no exit code."""
        from harness import config as configuration
        from harness.run.publish import publish
        from harness.run.publish_payloads import unpacked

        try:
            to = self._publishing(configuration.load_project(Path(results[0].path)))
        except HarnessError:
            return  # the suites said so, and none of them ran
        publish(
            [unpacked(result.packed) for result in results if result.packed],
            to,
            failed=[result.suite for result in results if result.error is not None],
        )

    def table(self, suite: _Beside) -> pd.DataFrame:
        """The results of a suite case by case, made once a process from what its run stored."""
        import pandas as pd

        from harness.run.folder import RunFolder
        from harness.run.table import stored

        result = self.result(suite)
        if result.error is not None:
            raise SuiteFailed(result.error)
        if suite.path not in self._tables:
            rows = [line.columns() for line in stored(RunFolder(Path(result.folder)))]
            self._tables[suite.path] = pd.DataFrame(rows)
        return self._tables[suite.path].copy()

    def _lab(self, profile: Profile) -> tuple[dict[str, str], str | None]:
        """(addresses, planted fault) of the lab that this profile needs; it runs until the session ends."""
        from harness.run.lab import opened, state_file

        if profile.name in self._labs:
            return self._labs[profile.name]
        plant = self._config.getoption("--parity-plant")
        state = state_file(profile, self._config.getoption("--parity-lab-state"))

        def use(plant: str | None) -> AbstractContextManager[RunningLab]:
            from harness import lab

            return lab.use(plant, state_file=state)

        addresses = self._stack.enter_context(opened(profile, plant=plant, start=use))
        self._labs[profile.name] = (addresses, _planted(plant, state))
        return self._labs[profile.name]

    def _is_partial(self, suite: SuiteFile | _Beside) -> bool:
        return suite.path in self.deselected or self.items.count(suite.path) < len(suite.criteria)

    @contextmanager
    def _watched(self) -> Iterator[Progress]:
        """Shows the progress of a replay on a terminal, past pytest's capture; silent elsewhere."""
        from harness.run.progress import counter, silent

        capture = self._config.pluginmanager.getplugin("capturemanager")
        reporter = self._config.pluginmanager.getplugin("terminalreporter")
        watched = getattr(reporter, "isatty", False) and self._config.get_verbosity() >= 0
        if capture is None or not watched:
            yield silent
            return
        with capture.global_and_fixture_disabled():
            sys.stderr.write("\n")
            yield counter(sys.stderr)

    def results(self) -> list[Result]:
        """Every result of the session, by suite; in a controller, those of its workers."""
        stored = sorted(self._shared.glob("*.json")) if self._shared is not None else []
        own = self._results if self._shared is None else {}
        if not stored and not own:
            return []  # a session without suites, or that only collects them, loads nothing for them
        from harness.run.result import Result

        results = [*own.values(), *(Result(**json.loads(path.read_bytes())) for path in stored)]
        return sorted(results, key=lambda result: result.suite)

    def go(self) -> bool:
        results = self.results()
        if not results:
            return True
        from harness.run.result import all_go

        return all_go(results)

    def close(self) -> None:
        """Stop the labs of this process."""
        self._stack.close()

    def forget(self) -> None:
        """Remove what the workers shared, once nobody reads it any more."""
        if self._shared is not None and not self.is_worker:
            shutil.rmtree(self._shared, ignore_errors=True)


def _criteria(path: Path) -> tuple[Criterion, ...]:
    from harness.gate.policy import load_policy

    return load_policy(path).criteria


def _case_ids(suite: Suite) -> list[str]:
    """Of the cases that a suite replays. Raises GoldenError."""
    from harness.recordings.store import GoldenSet

    with GoldenSet.open(suite.golden) as golden:
        return [golden.recording(index).id for index in golden.primaries.tolist()]


def _planted(plant: str | None, state: Path | None) -> str | None:
    if state is None:
        return plant
    from harness import lab

    return lab.planted(plant, state_file=state)


STATE = pytest.StashKey[State]()
