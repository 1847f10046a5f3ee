"""What a cutover asks of one suite, requirement by requirement."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from harness.core.inventory import Found
from harness.core.verdict import Decision, Verdict
from harness.gate.cutover_file import (
    COST,
    ERRORS,
    LATENCY,
    PROFILE,
    REHEARSAL,
    RETIREMENT,
    SELFTEST,
    UPGRADES,
    VERSION,
    CutoverPolicy,
    Required,
)
from harness.gate.estate import Estate
from harness.gate.migration_evidence import Line, Measured, Status, SuiteEvidence
from harness.gate.policy import ERROR_METRICS, Criterion
from harness.stats.measure import Kind

CLOCKS = timedelta(hours=1)  # how far the clocks of two machines may be apart before a time is not believed
OK, MISSING, REFUSED = Status.OK, Status.MISSING, Status.REFUSED
_WORDS = {
    ERRORS: "the failures of the target (metric error)",
    LATENCY: "latency (kind exceed, or limit with limit_s)",
    COST: "cost (kind cost)",
}


def suite_lines(
    asked: CutoverPolicy, required: Required, known: SuiteEvidence, estate: Estate, now: datetime
) -> Iterator[Line]:
    """Every requirement of one suite, those that a waiver covers with their owner. now: UTC."""
    for line in _lines(asked, required, known, estate, now):
        waiver = None if line.status is OK else asked.waiver(line.requirement, known.suite, now)
        if waiver is None:
            yield line
        else:
            says = f"{line.says} Waived by {waiver.owner} until {waiver.expires}: {waiver.reason}"
            yield replace(line, status=OK, says=says, todo="", waived_by=waiver.owner)


def _lines(
    asked: CutoverPolicy, required: Required, known: SuiteEvidence, estate: Estate, now: datetime
) -> Iterator[Line]:
    again = f"parity run suites/{known.suite} --profile {known.profile}"
    if estate.profile is not None:
        yield _profile(known, estate.profile)
    yield from _measured(known, known.forward, "", again, asked.max_age_days, now)
    decision = None if known.forward is None else known.forward.decision
    for kind in required.criteria:
        yield _criterion(known, kind, decision)
    yield from _versions(known, estate, again)
    yield from _target(asked, known, estate)
    if required.rehearsal:
        yield _rehearsed(known, again, asked.max_age_days, now)
    if asked.selftest:
        yield _selftested(known, asked.max_age_days, now)


def _profile(known: SuiteEvidence, read_with: str) -> Line:
    """Evidence and estate must be of the same accounts: a deployment of one name elsewhere is another deployment."""
    same = known.profile == read_with
    return Line(
        requirement=PROFILE,
        subject=known.suite,
        status=OK if same else MISSING,
        says=f"Measured under {known.profile}; the estate was read with {read_with}.",
        todo="" if same else f"parity inventory --profile {known.profile}",
    )


def _measured(
    known: SuiteEvidence, run: Measured | None, way: str, again: str, max_age_days: float, now: datetime
) -> Iterator[Line]:
    """Whether there is a newest run, whole, undamaged, of today's suite, fresh and GO. way: " back" or empty."""

    def line(requirement: str, status: Status, says: str, todo: str = "") -> Line:
        return Line(requirement=requirement, subject=known.suite, status=status, says=says, todo=todo)

    if run is None:
        beside = f" Passed over: {'; '.join(known.passed_over)}." if known.passed_over and not way else ""
        yield line("evidence", MISSING, f"No whole run of the way{way or ' forward'}.{beside}", again)
        return
    if run.damage is not None:
        yield line("evidence", REFUSED, f"{run.run}: {run.damage}", f"Restore the run from a copy, or: {again}")
        return
    if run.finished_at is None or run.decision is None:
        resume = f"parity run --resume {run.run}"
        yield line("evidence", MISSING, run.unended or f"{run.run} has not ended.", run.todo or resume)
        return
    yield line("evidence", OK, f"{run.run}: ledger, rows and decision agree.")
    if changed := _changed(known, run):
        yield line("suite as today", MISSING, f"{changed} since {run.run}.", again)
    else:
        yield line("suite as today", OK, "Suite, policy and golden set are those of the run.")
    yield _fresh(known, run, again, max_age_days, now)
    yield from _verdict(known, run, run.decision, way, again)


def _changed(known: SuiteEvidence, run: Measured) -> str:
    if run.policy is None or run.policy.sha256 != known.policy.sha256:
        return "The policy has changed"
    if run.policy.epoch_id != known.policy.under(run.policy.conditions).epoch_id:
        return "The suite has changed"
    if run.golden_sha256 != known.golden_sha256:
        return "The golden set has changed"
    today = known.made_back_by if run.policy.conditions.reverse else known.made_by
    if run.made_by.get("checks") != today.get("checks"):
        return "The suite's own code has changed"
    # Calls that arrive as recorded widen the clients, so that their settings are not those of the profile.
    if not run.policy.conditions.arrival and run.made_by.get("settings") != today.get("settings"):
        return "Clouds, accounts, endpoints or network of the profile have changed"
    return ""


def _fresh(known: SuiteEvidence, run: Measured, again: str, max_age_days: float, now: datetime) -> Line:
    """By the end of the run or its last call, whichever is earlier: a run that is resumed or compared again without a
    call is as old as its answers."""
    ended = min(at for at in (run.finished_at, run.measured_at) if at is not None)
    age = now - ended
    status = OK if -CLOCKS <= age <= timedelta(days=max_age_days) else MISSING
    when = f"Measured on {ended:%Y-%m-%d}"
    if age < -CLOCKS:
        says, todo = f"{when}, which lies in the future.", "Set the clock of the machine that measured, and run again."
    else:
        says, todo = f"{when}, {_days(age)} ago; {max_age_days:g} days is the oldest that counts.", again
    return Line(requirement="fresh", subject=known.suite, status=status, says=says, todo="" if status is OK else todo)


def _days(age: timedelta) -> str:
    days = age.total_seconds() / 86_400
    return "less than a day" if days < 1 else f"{days:.0f} day{'s' if days >= 1.5 else ''}"


def _verdict(known: SuiteEvidence, run: Measured, decision: Decision, way: str, again: str) -> Iterator[Line]:
    status = {Verdict.GO: OK, Verdict.NO_GO: REFUSED, Verdict.INCONCLUSIVE: MISSING}[decision.verdict]
    open_ = [one for one in decision.findings if one.gating and one.verdict is not Verdict.GO]
    worst = next((one for one in open_ if one.verdict is decision.verdict), None)
    says = decision.verdict.value + ("." if worst is None else f": {worst.criterion}: {worst.reason}")
    if waived := [f"{one.criterion} ({one.waived_by})" for one in decision.findings if one.waived_by is not None]:
        says = f"{says} Waived by the suite: {', '.join(waived)}."
    todo = {OK: "", REFUSED: f"parity explain {run.run}", MISSING: again}[status]
    if status is OK and known.refusal is not None and not way:
        status, says, todo = REFUSED, f"GO, and a newer run says otherwise: {known.refusal}", again
    yield Line(requirement="decision", subject=known.suite, status=status, says=says, todo=todo)


def _criterion(known: SuiteEvidence, kind: str, decision: Decision | None) -> Line:
    """Whether the suite has a criterion of this kind that votes, and the evidence meets each of them."""
    names = {one.name for one in known.policy.criteria if not one.advisory and _of_kind(one, kind)}
    subject = known.suite
    if not names:
        todo = f"Add a [[criterion]] on {_WORDS[kind]} to suites/{subject}/suite.toml, and run it."
        says = f"No criterion on {_WORDS[kind]} votes."
        return Line(requirement=kind, subject=subject, status=MISSING, says=says, todo=todo)
    found = [] if decision is None else [one for one in decision.findings if one.criterion in names]
    lacking = sorted(names - {one.criterion for one in found})
    short = [one for one in found if one.verdict is not Verdict.GO]
    waived = next((one.waived_by for one in short if one.waived_by is not None and not one.gating), None)
    if lacking or any(one.gating or one.waived_by is None for one in short):
        bad = next((one for one in short if one.verdict is Verdict.NO_GO and one.gating), None)
        says = f"{bad.criterion}: {bad.reason}" if bad else f"Not shown: {', '.join(lacking or sorted(names))}."
        todo = f"See the line {'evidence' if decision is None else 'decision'} of {subject}."
        status = REFUSED if bad else MISSING
        return Line(requirement=kind, subject=subject, status=status, says=says, todo=todo)
    says = f"Met: {', '.join(sorted(names))}."
    return Line(requirement=kind, subject=subject, status=OK, says=says, waived_by=waived)


def _of_kind(criterion: Criterion, kind: str) -> bool:
    match kind:
        case "errors":
            return criterion.metric in ERROR_METRICS
        case "latency":
            return criterion.kind is Kind.EXCEED or criterion.limit_s is not None
        case _:
            return criterion.kind is Kind.COST


def _versions(known: SuiteEvidence, estate: Estate, again: str) -> Iterator[Line]:
    """Whether what answered is what stands there now, on both sides."""
    run = known.forward
    if run is None or run.damage is not None:
        return
    for side, name, things in (
        ("source", known.source.name, estate.sources(known.source)),
        ("target", known.target.name, estate.behind(known.target)),
    ):
        status, says, todo = _version(run, side, name, things, again)
        yield Line(requirement=VERSION, subject=known.suite, status=status, says=says, todo=todo)


def _version(run: Measured, side: str, name: str, things: tuple[Found, ...], again: str) -> tuple[Status, str, str]:
    refresh = "Refresh the estate: parity inventory"
    if not things:
        return MISSING, f'The estate does not tell what stands behind the {side} "{name}".', refresh
    epoch = {} if run.policy is None else run.policy.epoch
    told = "; ".join((run.served.get(side, ""), *epoch.values()))
    for one in things:
        what = f"{side} {one.name}"
        if one.changed_at is not None and (run.began_at is None or one.changed_at > run.began_at):
            return MISSING, f"{what} was changed on {one.changed_at:%Y-%m-%d %H:%M} UTC, after the run began.", again
        if one.version is not None and names_version(told, one.model, one.version):
            continue
        told_other = one.version is not None and one.model is not None and _mentions(told, one.model)
        if told_other or (one.changed_at is None and (one.version is not None or side == "target")):
            stands = " ".join(word for word in (one.model, one.version) if word) or "not told"
            says = f"{what} is {stands} now, and the evidence does not say that this answered ({told.strip('; ')})."
            return MISSING, says, f"{again}; where no answer tells a version, state it under [epoch] of the suite."
    listed = ", ".join(" ".join(word for word in (one.name, one.model, one.version) if word) for one in things)
    return OK, f"{side}: {listed}, as measured.", ""


def _mentions(text: str, model: str) -> bool:
    return re.search(rf"(?<![\w.-]){re.escape(model)}(?!\w)", text) is not None


def names_version(text: str, model: str | None, version: str) -> bool:
    """Whether a text names this version: beside the model's name, or alone where it is long enough to be no other's."""
    after_model = rf"{re.escape(model)}[ :/@-]*(?:version[ :]*)?" if model else ""
    pattern = rf"(?<![\w.-]){after_model}{re.escape(version)}(?![\w-]|\.\d)"
    if after_model and re.search(pattern, text):
        return True
    return len(version) >= 6 and re.search(rf"(?<![0-9]){re.escape(version)}(?![0-9])", text) is not None


def _target(asked: CutoverPolicy, known: SuiteEvidence, estate: Estate) -> Iterator[Line]:
    """Whether the target can stay what it was measured as: no automatic upgrade, and no retirement too soon."""
    things = estate.behind(known.target)
    if not things:
        for requirement in (UPGRADES, RETIREMENT):
            says = f'The estate does not list the target "{known.target.name}".'
            todo = "Refresh the estate: parity inventory"
            yield Line(requirement=requirement, subject=known.suite, status=MISSING, says=says, todo=todo)
        return
    yield _upgrades(known, things)
    yield _retirement(asked, known, things)


def _upgrades(known: SuiteEvidence, things: tuple[Found, ...]) -> Line:
    def line(status: Status, says: str, todo: str = "") -> Line:
        return Line(requirement=UPGRADES, subject=known.suite, status=status, says=says, todo=todo)

    for one in things:
        if one.auto_upgrade:
            says = f"{one.name}: the cloud may put another model version in its place."
            return line(REFUSED, says, "Set versionUpgradeOption to NoAutoUpgrade, then: parity inventory")
    for one in things:
        if one.auto_upgrade is None and not one.owned:
            says = f"{one.name}: not told whether the cloud upgrades it by itself."
            return line(MISSING, says, "parity inventory with the right to read the deployment")
    return line(OK, "No automatic upgrade.")


def _retirement(asked: CutoverPolicy, known: SuiteEvidence, things: tuple[Found, ...]) -> Line:
    def line(status: Status, says: str, todo: str = "") -> Line:
        return Line(requirement=RETIREMENT, subject=known.suite, status=status, says=says, todo=todo)

    for one in things:
        if one.retires is not None and one.retires <= asked.retires_after:
            says = f"{one.name} retires on {one.retires}, and must answer beyond {asked.retires_after}."
            return line(REFUSED, says, "Move to a version that lasts longer, and measure that.")
    for one in things:
        if one.retires is None and not one.owned:
            says = f"{one.name}: its retirement date is not told."
            return line(MISSING, says, "Look it up, and write retires = DAY beside the target in the estate file.")
    dates = [one.retires for one in things if one.retires is not None]
    return line(OK, f"Retires on {min(dates)}." if dates else "A model of our own: no vendor retires it.")


def _rehearsed(known: SuiteEvidence, again: str, max_age_days: float, now: datetime) -> Line:
    """One line for the way back: all of what is asked of a run, or the first thing that it lacks."""
    back = list(_measured(known, known.rehearsal, " back", f"{again} --reverse", max_age_days, now))
    short = [line for line in back if line.status is not OK]
    if not short:
        return Line(requirement=REHEARSAL, subject=known.suite, status=OK, says=f"{back[0].says} GO.")
    first = next((line for line in short if line.status is REFUSED), short[0])
    return replace(first, requirement=REHEARSAL)


def _selftested(known: SuiteEvidence, max_age_days: float, now: datetime) -> Line:
    def line(status: Status, says: str) -> Line:
        run = "RUN" if known.forward is None else known.forward.run
        todo = "" if status is OK else f"parity selftest {run}"
        return Line(requirement=SELFTEST, subject=known.suite, status=status, says=says, todo=todo)

    tested = known.selftest
    if tested is None:
        return line(MISSING, "Nothing shows that this gate can refuse.")
    if tested.policy_sha256 != known.policy.sha256:
        return line(MISSING, f"The self-test of {tested.run} was of another policy.")
    if tested.harness != known.harness:
        return line(MISSING, f"The self-test was made by version {tested.harness}, and {known.harness} decides.")
    if not -CLOCKS <= now - tested.at <= timedelta(days=max_age_days):
        return line(MISSING, f"The self-test is of {tested.at:%Y-%m-%d}; {max_age_days:g} days is the oldest.")
    if not tested.passed:
        return line(REFUSED, f"{tested.run}: {tested.conclusion}")
    return line(OK, f"{tested.run}, {tested.at:%Y-%m-%d}: {tested.conclusion}")
