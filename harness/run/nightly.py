"""One night: every suite replays its next units, what they add to the evidence is decided, and the night is written.

A suite in anytime mode takes units that its epoch has not seen; when none is left it watches: some are replayed again
and compared on their own. A suite in fixed mode runs whole and is decided alone. A suite that cannot be run is told as
failed, and the others go on.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from harness import config
from harness.core import registry
from harness.core.night import Night, SuiteNight
from harness.core.report import ParityReport
from harness.core.verdict import Verdict
from harness.errors import ConfigError, HarnessError
from harness.run import nights, plan, reporting, session
from harness.run.folder import RunFolder, RunRecord, write_whole
from harness.run.nightly_suite import Evidence, Tonight, over_nights
from harness.run.progress import Progress, silent
from harness.run.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A night that came to its end. folder: of its night.json; reports: of the suites that ran."""

    night: Night
    folder: Path
    reports: tuple[ParityReport, ...]

    @property
    def failed(self) -> tuple[str, ...]:
        """Suites that could not be run."""
        return tuple(one.suite for one in self.night.suites if one.error is not None)


def start(
    store: Store,
    profile: config.Profile,
    suites: Sequence[Path],
    *,
    units: int,
    planted: str | None,
    now: Callable[[], datetime] = session.utc_now,
) -> nights.Started:
    """Leave word that a night begins. suites: paths of suite.toml."""
    at = now()
    started = nights.Started(
        name=nights.new_name(at),
        profile=profile.name,
        started_at=at,
        suites=tuple(str(path.resolve()) for path in suites),
        units=units,
        planted=planted,
    )
    folder = nights.begin(store.reports, started)
    store.keep(folder / nights.STARTED)
    return started


def run(
    started: nights.Started,
    store: Store,
    profile: config.Profile,
    addresses: dict[str, str],
    *,
    now: Callable[[], datetime] = session.utc_now,
    progress: Progress = silent,
    told: Callable[[SuiteNight, ParityReport | None], None] = lambda _one, _report: None,
) -> Finished:
    """Run every suite of a night that has begun, go on with what it left undone, and write it.

    addresses: of the lab, empty elsewhere. told: called with each suite as it ends.
    Raises LedgerError where an earlier night cannot be read, and Interrupted after Ctrl-C.
    """
    past = nights.read_all(store.reports)
    begun = dict(_begun(store.reports, started.name))
    ended: list[SuiteNight] = []
    reports: list[ParityReport] = []
    for path in map(Path, started.suites):
        name = path.parent.name
        try:
            with _interruptible(started.name):
                one, report = _suite(path, started, store, profile, addresses, past, begun.get(name), now, progress)
        except HarnessError as exc:
            one, report = _failed(name, f"{type(exc).__name__}: {exc}"), None
        except Exception:
            one, report = _failed(name, f"{traceback.format_exc()}\nThis is a fault of the harness."), None
        ended.append(one)
        reports += [] if report is None else [report]
        told(one, report)
    night = Night(
        name=started.name,
        profile=started.profile,
        started_at=started.started_at,
        finished_at=now(),
        verdict=session.combine([one.verdict for one in ended]),
        suites=tuple(ended),
        harness=version("parity-harness"),
    )
    path = nights.write(store.reports, night)
    store.keep(path)
    return Finished(night=night, folder=path.parent, reports=tuple(reports))


@contextmanager
def alone(reports: Path) -> Iterator[None]:
    """No other night on this machine while the block runs. Raises ConfigError where there is one."""
    import fcntl

    folder = reports / nights.FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            raise ConfigError(f"{folder}: another night is running here. Wait until it has ended.") from exc
        yield


def _suite(
    path: Path,
    started: nights.Started,
    store: Store,
    profile: config.Profile,
    addresses: dict[str, str],
    past: Sequence[Night],
    begun: RunFolder | None,
    now: Callable[[], datetime],
    progress: Progress,
) -> tuple[SuiteNight, ParityReport]:
    evidence = Evidence(store, nights.of_suite(past, path.parent.name, profile.name))
    if begun is not None:
        made = plan.in_lab(plan.again(begun.read_record(), profile), addresses)
    else:
        whole = plan.in_lab(plan.make(path, profile), addresses)
        made = evidence.next_portion(whole, night=started.name, units=started.units)
    ran = session.run(
        made,
        reports=store.reports,
        resume=begun,
        planted=started.planted,
        night=started.name,
        now=now,
        progress=progress,
    )
    one, report = over_nights(Tonight(made=made, ran=ran, night=started.name, decided_at=now()), evidence)
    reporting.write(ran.folder, report)
    store.keep_run(ran.folder)
    return one, report


def _begun(reports: Path, night: str) -> Iterator[tuple[str, RunFolder]]:
    """(suite, run) of what a night that is resumed has begun already."""
    for path in sorted(reports.glob("*/run.json")):
        folder = RunFolder(path.parent)
        try:
            record: RunRecord = folder.read_record()
        except HarnessError:
            continue
        if record.night == night:
            yield record.suite, folder


@contextmanager
def _interruptible(night: str) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt as exc:
        raise session.Interrupted(f"interrupted; finish this night with: parity nightly --resume {night}") from exc


def _failed(suite: str, error: str) -> SuiteNight:
    first = error.strip().splitlines()[0]
    return SuiteNight(
        suite=suite,
        title=suite,
        kind="failed",
        verdict=Verdict.INCONCLUSIVE,
        headline=f"It could not be run: {first}",
        error=error,
    )


def write_index(store: Store, *, now: Callable[[], datetime] = session.utc_now) -> Path:
    """Make `index.html` of every night there is. Whoever writes it last has read all that was finished by then."""
    store.pull()  # others may have ended meanwhile
    path = store.reports / "index.html"
    page = registry.load("reporters", "index").render(nights.overview(store.reports, made_at=now()))
    write_whole(path, page)
    store.keep(path)
    return path
