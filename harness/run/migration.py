"""Gathers what the cutover gate asks about: of every required suite the newest run each way, as it stands on the disk.

The newest counts: an older GO never hides a newer NO-GO or INCONCLUSIVE. Runs that can never stand for the way forward
(partial, sampled, planted, recorded answers) are passed over, and told. See `migration_runs` and `migration_nights`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from harness import config
from harness.core.call import Mode, Side
from harness.core.verdict import Verdict
from harness.errors import ConfigError, HarnessError, UnknownName
from harness.gate import decided, signoff
from harness.gate.cutover_file import CutoverPolicy, Required
from harness.gate.estate import Called, load_estate
from harness.gate.migration import MigrationDecision, answer
from harness.gate.migration_evidence import Measured, SelfTested, SuiteEvidence
from harness.gate.policy import load_policy
from harness.gate.selftest import SelfTest
from harness.recordings import manifest
from harness.run import nights, provenance, sides
from harness.run.folder import RunFolder, RunRecord, write_whole
from harness.run.migration_nights import Nights
from harness.run.migration_runs import Run, measured, newest, read_runs
from harness.run.session import decide_stored, utc_now
from harness.run.store import Store

SELFTEST = "selftest.json"


def decide(
    policy: CutoverPolicy, project: config.Project, *, now: Callable[[], datetime] = utc_now
) -> MigrationDecision:
    """The answer for the migration, from what lies under the project's reports.

    Raises ConfigError where policy, estate or a suite cannot be read, LedgerError where a run's record cannot.
    """
    estate = load_estate(policy.estate)
    return answer(policy, gather(policy, project, now=now), estate, signoff.read_all(policy.folder), now())


def gather(
    policy: CutoverPolicy, project: config.Project, *, now: Callable[[], datetime] = utc_now
) -> tuple[SuiteEvidence, ...]:
    """One entry a required suite, in the policy's order."""
    store = Store.of(project)
    store.pull()
    over_nights = Nights(store, nights.read_all(store.reports))
    for required in policy.require:
        over_nights.fetch(required.suite, config.profile(project, required.profile).name)
    runs = read_runs(store.reports)
    return tuple(_evidence(required, project, runs, over_nights, policy, now) for required in policy.require)


def write_selftest(folder: RunFolder, record: RunRecord, found: SelfTest, *, at: datetime) -> Path:
    """Leave a self-test beside the run whose rows it used, for the cutover gate. at: UTC."""
    policy = load_policy(folder.policy)
    path = folder.path / SELFTEST
    bound = {
        "run": record.run,
        "at": at.isoformat(),
        "policy_sha256": policy.sha256,
        "suite_sha256": record.suite_sha256,
        "harness": version("parity-harness"),
    }
    write_whole(path, json.dumps({**found.document(), "bound": bound}, indent=2, allow_nan=False).encode() + b"\n")
    return path


def _evidence(
    required: Required,
    project: config.Project,
    runs: Sequence[Run],
    over_nights: Nights,
    asked: CutoverPolicy,
    now: Callable[[], datetime],
) -> SuiteEvidence:
    profile = config.profile(project, required.profile)
    suite = _suite(project, required.suite)
    pair = sides.pair_of(suite.pair, suite.pair_options, where=str(suite.path), suite_folder=suite.folder)
    golden = manifest.read(suite.golden / "manifest.json")
    own = [run for run in runs if (run.record.suite, run.record.profile) == (suite.name, profile.name)]
    forward, over = newest(own, reverse=False)
    back, _ = newest(own, reverse=True)
    return SuiteEvidence(
        suite=suite.name,
        profile=profile.name,
        source=Called(pair.source, _endpoint(suite, profile, Side.SOURCE)),
        target=Called(pair.target, _endpoint(suite, profile, Side.TARGET)),
        policy=load_policy(suite.path),
        golden_sha256=golden.sha256,
        harness=version("parity-harness"),
        made_by=_asked(suite, profile, reverse=False),
        made_back_by=_asked(suite, profile, reverse=True),
        forward=_forward(forward, over_nights, suite.name, profile.name, now),
        rehearsal=None if back is None or not required.rehearsal else measured(back, now),
        selftest=_selftest(own) if asked.selftest else None,
        passed_over=tuple(f"{run.record.run} ({why})" for run, why in over),
        refusal=_refusal(over, now),
    )


def _forward(
    run: Run | None, over_nights: Nights, suite: str, profile: str, now: Callable[[], datetime]
) -> Measured | None:
    """The newest evidence: a night in which the suite could not run, a run alone, or one with the nights before it."""
    failed = over_nights.failed_since(run, suite, profile)
    if failed is not None or run is None:
        return failed
    if over_nights.elsewhere(run.record.run):
        return over_nights.unread(run.record.run)
    return over_nights.measured(run, now) if run.record.portion else measured(run, now)


def _suite(project: config.Project, name: str) -> config.Suite:
    path = project.folder / "suites" / name / config.SUITE_FILE
    if not path.is_file():
        known = [one.parent.name for one in project.folder.glob(f"suites/*/{config.SUITE_FILE}")]
        raise UnknownName(str(project.folder / "suites"), "suite", name, known)
    return config.load_suite(path)


def _asked(suite: config.Suite, profile: config.Profile, *, reverse: bool) -> dict[str, str]:
    """What a run of today would be made by, as far as it is known before the first call."""
    return provenance.asked(suite, sides.settings(profile, suite, mode=Mode.DUAL, reverse=reverse, lab={}))


def _endpoint(suite: config.Suite, profile: config.Profile, side: Side) -> str:
    return config.side_settings(profile, suite, side).endpoint


def _refusal(over: Iterable[tuple[Run, str]], now: Callable[[], datetime]) -> str | None:
    """A newer run on recorded answers says nothing for the way forward, and a NO-GO of it against."""
    for run, why in over:
        if run.record.mode != Mode.GOLDEN or run.record.planted is not None or run.record.partial:
            continue
        try:
            found = decide_stored(run.folder, now=now)
        except HarnessError:
            continue  # what cannot be decided refuses nothing; the newest whole run still has to be GO
        if found.verdict is Verdict.NO_GO:
            return f"{run.record.run} ({why}) says NO-GO"
    return None


def _selftest(runs: Iterable[Run]) -> SelfTested | None:
    """The newest self-test on rows of a run of this suite that could stand for the way forward."""
    found = [
        _read_selftest(run.folder.path / SELFTEST)
        for run in runs
        if not run.record.reverse and run.unfit is None and (run.folder.path / SELFTEST).is_file()
    ]
    return max(found, key=lambda tested: tested.at, default=None)


def _read_selftest(path: Path) -> SelfTested:
    told: dict[str, Any] = decided.read_json(path)
    try:
        bound = told["bound"]
        return SelfTested(
            run=str(bound["run"]),
            at=decided.parse_time(bound["at"], str(path)),
            passed=told["exit_code"] == 0,
            conclusion=str(told["conclusion"]),
            policy_sha256=str(bound["policy_sha256"]),
            harness=str(bound["harness"]),
        )
    except (KeyError, TypeError) as exc:
        raise ConfigError(
            f"{path}: not what `parity selftest` writes. Remove it, and run the self-test again."
        ) from exc
