"""What a run says of itself beside its rows: each finding can withhold GO, and none can give it."""

from __future__ import annotations

from harness.core.verdict import Finding, Verdict
from harness.gate.policy import Policy
from harness.run.arrival import UNKNOWN, Lateness
from harness.run.folder import RunRecord

TORN = (
    "{:,} bytes at the end of the ledger were half an entry, as a process that is killed leaves it. They were cut off, "
    "and the call was made again."
)


def whole(record: RunRecord, replayed: int) -> tuple[Finding, ...]:
    """A run that ended before its last case says so as a finding of its own: it can refuse, and never wave through."""
    left = record.cases - replayed
    if left <= 0:
        return ()
    return (
        Finding(
            criterion="run complete",
            metric="",
            verdict=Verdict.INCONCLUSIVE,
            reason=f"{left:,} of {record.cases:,} cases were not replayed: {record.stopped or 'the run ended early'}. "
            f"Raise the ceiling or wait, then finish with: parity run --resume {record.run}",
        ),
    )


def conditional(record: RunRecord) -> tuple[Finding, ...]:
    """What the conditions of a run leave open: each can withhold GO and never give it."""
    if not record.arrival:
        return _noise_floor(record)
    behind = (Lateness.of(record.lateness) or UNKNOWN).finding()
    return (*_noise_floor(record), *(() if behind is None else (behind,)))


def _noise_floor(record: RunRecord) -> tuple[Finding, ...]:
    if record.unrepeated == 0:
        return ()
    return (
        Finding(
            criterion="noise floor",
            metric="",
            verdict=Verdict.INCONCLUSIVE,
            reason=f"{record.unrepeated:,} of {record.cases:,} cases have one recorded answer, and the suite does not "
            "say that its source is deterministic: nothing tells how far the source is from itself. Record it again "
            "with: parity record SUITE --repeats 2",
        ),
    )


def conditions(policy: Policy, record: RunRecord) -> tuple[tuple[str, str], ...]:
    """What a reader of the report must know of how the answers came about."""
    lateness = Lateness.of(record.lateness)
    return (
        *policy.conditions.told(policy.criteria),
        *(() if lateness is None else (("Arrival as recorded", lateness.told()),)),
        *(() if record.torn_bytes == 0 else (("Resumed", TORN.format(record.torn_bytes)),)),
        *(("Compared again", note) for note in compared_again(record)),
    )


def compared_again(record: RunRecord) -> tuple[str, ...]:
    if record.compared_from is None:
        return ()
    return (f"No call was made: the answers of run {record.compared_from} were compared again.{record.changed}",)


def portion(record: RunRecord) -> tuple[Finding, ...]:
    """The part that one night replayed decides nothing alone: of many nights, one would look good by chance."""
    if not record.portion:
        return ()
    night = record.portion.get("night")
    reason = (
        f"These are the payloads of one night, {night}, judged alone: they can refuse, and never say GO. "
        f"The answer over all nights: nights/{night}/night.json"
    )
    return (Finding(criterion="one night", metric="", verdict=Verdict.INCONCLUSIVE, reason=reason),)


def planted(record: RunRecord) -> tuple[Finding, ...]:
    """A run into which a fault was planted can show that the gate refuses, and never that a system may go."""
    if record.planted is None:
        return ()
    reason = f'The fault "{record.planted}" was planted in this run, so it says nothing of a real system.'
    return (Finding(criterion="planted fault", metric="", verdict=Verdict.INCONCLUSIVE, reason=reason),)
