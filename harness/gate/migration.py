"""Whether a whole migration may move its traffic: the newest evidence of every required suite, held to cutover.toml.

`answer` is pure. What it is handed was gathered by `run.migration`: decisions made again from rows and policy, ledgers
read to their end, the estate file, sign-offs. One line a requirement, all of them, met or not:

* *missing*: nothing shows that it holds (no run, too old, another version, too few rows): INCONCLUSIVE.
* *refused*: something shows that it does not hold (a NO-GO, damaged evidence, an automatic upgrade): NO-GO.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from harness.core.verdict import Verdict
from harness.gate.cutover_file import CutoverPolicy
from harness.gate.estate import Entry, Estate, called
from harness.gate.migration_evidence import Line, Status, SuiteEvidence, evidence_sha256
from harness.gate.migration_suite import CLOCKS, suite_lines
from harness.gate.signoff import SignOff, complete

SCHEMA = "parity-migration/1"
SIGNOFF = "sign-off"
OK, MISSING, REFUSED = Status.OK, Status.MISSING, Status.REFUSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What a sign-off of the migration is put to. run: the name of the cutover.toml. verdict: without the sign-off."""

    run: str
    verdict: Verdict
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationDecision:
    """The answer for the whole migration. lines: every requirement, in the order of the policy.

    evidence_sha256: what sign-offs sign. measured: verdict of everything but the sign-off.
    """

    title: str
    verdict: Verdict
    measured: Verdict
    lines: tuple[Line, ...]
    evidence_sha256: str
    decided_at: datetime

    @property
    def open(self) -> tuple[Line, ...]:
        """What is missing or refused."""
        return tuple(line for line in self.lines if line.status is not OK)

    @property
    def headline(self) -> str:
        refused = sum(line.status is REFUSED for line in self.lines)
        missing = sum(line.status is MISSING for line in self.lines)
        counted = f"{len(self.lines) - refused - missing} of {len(self.lines)} requirements are met"
        beyond = [f"{count} {word}" for count, word in ((refused, "refused"), (missing, "missing")) if count]
        return f"{self.title}: {', '.join([counted, *beyond])}."

    def signable(self, name: str) -> Signed:
        """What people sign. name: of the cutover.toml."""
        return Signed(run=name, verdict=self.measured, sha256=self.evidence_sha256)

    def document(self) -> dict[str, Any]:
        """For machines; `schema()` says its shape."""
        return {
            "schema": SCHEMA,
            "decision": self.verdict.value,
            "measured": self.measured.value,
            "headline": self.headline,
            "evidence_sha256": self.evidence_sha256,
            "decided_at": self.decided_at.isoformat(),
            "requirements": [
                {
                    "requirement": line.requirement,
                    "subject": line.subject,
                    "status": line.status.value,
                    "says": line.says,
                    "todo": line.todo,
                    "waived_by": line.waived_by,
                }
                for line in self.lines
            ],
        }


def schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of `MigrationDecision.document`."""
    text = {"type": "string"}
    verdict = {"enum": [verdict.value for verdict in Verdict]}
    line = {
        "requirement": text,
        "subject": {**text, "description": "A suite, an endpoint, or empty for the whole."},
        "status": {"enum": [status.value for status in Status]},
        "says": text,
        "todo": {**text, "description": "Empty where it is met."},
        "waived_by": {"type": ["string", "null"]},
    }
    properties = {
        "schema": {"const": SCHEMA},
        "decision": verdict,
        "measured": {**verdict, "description": "The decision without the sign-off."},
        "headline": text,
        "evidence_sha256": {**text, "pattern": "^[0-9a-f]{64}$", "description": "What sign-offs sign."},
        "decided_at": {**text, "format": "date-time"},
        "requirements": {"type": "array", "items": _closed(line)},
    }
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": dialect, "title": "parity gate --policy: the answer", **_closed(properties)}


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    closed = {"type": "object", "additionalProperties": False, "properties": properties}
    return {**closed, "required": list(properties)}


def answer(
    policy: CutoverPolicy,
    evidence: Sequence[SuiteEvidence],
    estate: Estate,
    signoffs: Sequence[SignOff],
    now: datetime,
) -> MigrationDecision:
    """GO only where every requirement is met. evidence: one entry a required suite, in the policy's order. now: UTC."""
    measured = [*_estate_read(policy, estate, now), *_covered(estate, evidence)]
    for required, known in zip(policy.require, evidence, strict=True):
        measured += suite_lines(policy, required, known, estate, now)
    digest = evidence_sha256(policy.sha256, estate.sha256, evidence)
    lines = (*measured, _signed(policy, signoffs, digest))
    return MigrationDecision(
        title=policy.title,
        verdict=_verdict(lines),
        measured=_verdict(measured),
        lines=lines,
        evidence_sha256=digest,
        decided_at=now,
    )


def _verdict(lines: Sequence[Line]) -> Verdict:
    statuses = {line.status for line in lines}
    if REFUSED in statuses:
        return Verdict.NO_GO
    return Verdict.INCONCLUSIVE if MISSING in statuses or not lines else Verdict.GO


def _estate_read(policy: CutoverPolicy, estate: Estate, now: datetime) -> Iterator[Line]:
    age = now - estate.read_at
    fresh = -CLOCKS <= age <= timedelta(days=policy.max_age_days)
    yield Line(
        requirement="estate read",
        subject="",
        status=OK if fresh else MISSING,
        says=f"Read on {estate.read_at:%Y-%m-%d}; {policy.max_age_days:g} days is the oldest that counts.",
        todo="" if fresh else "parity inventory",
    )
    for one in estate.unlisted:
        yield Line(
            requirement="estate complete",
            subject=f"{one.service} {one.kind}",
            status=MISSING,
            says=f"Not listed: {one.reason}. What it has is unknown.",
            todo=f"Grant {one.needs}, then: parity inventory",
        )
    if not estate.unlisted:
        yield Line(requirement="estate complete", subject="", status=OK, says="Everything asked about was listed.")
    if not any(entry.asked for entry in estate.entries):
        yield Line(
            requirement="estate complete",
            subject="",
            status=MISSING,
            says="The estate lists nothing that answers requests and is in scope.",
            todo="parity inventory with the profile of the source",
        )


def _covered(estate: Estate, evidence: Sequence[SuiteEvidence]) -> Iterator[Line]:
    """A line for what no required suite covers, and for what a person put out of scope; one for all that is covered."""
    covered = 0
    for entry in estate.entries:
        subject = f"{entry.found.service} {entry.found.kind} {entry.found.name}"
        if entry.out_of_scope is not None:
            yield Line(
                requirement="covered",
                subject=subject,
                status=OK,
                says=f"Out of scope: {entry.out_of_scope}",
                waived_by=entry.owner,
            )
        elif entry.asked and not any(covers(known, entry) for known in evidence):
            also = f" The estate names {', '.join(entry.suites)}, not required here." if entry.suites else ""
            yield Line(
                requirement="covered",
                subject=subject,
                status=MISSING,
                says=f"No required suite covers it.{also}",
                todo="Write a suite and require it, or say out_of_scope and owner in the estate file.",
            )
        else:
            covered += entry.asked
    if covered:
        yield Line(requirement="covered", subject="", status=OK, says=f"{covered} in scope are covered by a suite.")


def covers(known: SuiteEvidence, entry: Entry) -> bool:
    """Whether a suite calls it as its source, or a person wrote that it covers it."""
    return known.suite in entry.covered_by or called(entry.found, known.source)


def _signed(policy: CutoverPolicy, signoffs: Sequence[SignOff], digest: str) -> Line:
    """Two listed people, in their roles, over this very evidence, and over a GO of it."""
    counted = [one for one in signoffs if one.decision == Verdict.GO.value]
    state = complete(counted, policy.signoff, digest)
    todo = (
        f"parity sign --policy {policy.path.name} --role ROLE --key KEY"
        if policy.signoff.required
        else (f"Add [signoff] to {policy.path.name}")
    )
    return Line(
        requirement=SIGNOFF,
        subject="",
        status=OK if state.complete else MISSING,
        says=" ".join(state.reasons),
        todo="" if state.complete else todo,
    )
