"""What is known of each suite that a cutover asks for, and the one hash over all of it that people sign."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from harness.core.verdict import Decision
from harness.gate.canonical import canonical_json
from harness.gate.estate import Called
from harness.gate.policy import Policy

SCHEMA = "migration-evidence/1"


class Status(StrEnum):
    """Whether a requirement is met. missing: nothing shows that it is. refused: something shows that it is not."""

    OK = "ok"
    MISSING = "missing"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One requirement. subject: a suite, an endpoint, or "" for the whole. says: what was seen. todo: what now.

    waived_by: who answers for it, where it is ok for that reason alone.
    """

    requirement: str
    subject: str
    status: Status
    says: str
    todo: str = ""
    waived_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The newest whole run of a suite in one direction, as it stands on the disk today.

    began_at, measured_at: first and last call, by its ledger; None where that cannot be read. finished_at: None for a
    run that has not ended; unended, todo: in which way, where it is not a run to be resumed. damage: why its files are
    not to be trusted; then there is no decision. decision: made again from rows and policy. served: side -> what
    answered, in the words of the evidence. policy: that it was run under. Of a suite that is replayed in portions, run
    is the newest of its epoch, and hashes and first call are of all of them. made_by: see `run.provenance`.
    """

    run: str
    finished_at: datetime | None = None
    began_at: datetime | None = None
    measured_at: datetime | None = None
    unended: str = ""
    todo: str = ""
    damage: str | None = None
    decision: Decision | None = None
    policy: Policy | None = None
    golden_sha256: str = ""
    rows_sha256: str = ""
    ledger_sha256: str = ""
    served: Mapping[str, str] = field(default_factory=dict)
    made_by: Mapping[str, str] = field(default_factory=dict)

    def canonical(self) -> dict[str, Any]:
        """What is signed of it: hashes, and what was decided; no words that another version could say otherwise."""
        findings = [] if self.decision is None else self.decision.findings
        return {
            "run": self.run,
            "policy_sha256": None if self.policy is None else self.policy.sha256,
            "golden_sha256": self.golden_sha256,
            "rows_sha256": self.rows_sha256,
            "ledger_sha256": self.ledger_sha256,
            "made_by": dict(self.made_by),
            "decision": None if self.decision is None else self.decision.verdict.value,
            "findings": [[one.criterion, one.slice, one.verdict.value, one.gating, one.waived_by] for one in findings],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTested:
    """What `parity selftest` left behind: of which promise, by which version of the harness, and how it ended."""

    run: str
    at: datetime
    passed: bool
    conclusion: str
    policy_sha256: str
    harness: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteEvidence:
    """One required suite: its newest evidence in both directions, and what it is today.

    source, target: the endpoints that it calls under its profile. policy: of its suite.toml today. golden_sha256: of
    its golden set today. made_by, made_back_by: `checks` and `settings` of `run.provenance`, as they are today, for
    either direction. passed_over: newer runs that can never stand for the way forward, each with the reason.
    refusal: a newer run among those that says NO-GO. harness: version of what decides now.
    """

    suite: str
    profile: str
    source: Called
    target: Called
    policy: Policy
    golden_sha256: str
    harness: str
    made_by: Mapping[str, str] = field(default_factory=dict)
    made_back_by: Mapping[str, str] = field(default_factory=dict)
    forward: Measured | None = None
    rehearsal: Measured | None = None
    selftest: SelfTested | None = None
    passed_over: tuple[str, ...] = ()
    refusal: str | None = None

    def canonical(self) -> dict[str, Any]:
        tested = self.selftest
        return {
            "suite": self.suite,
            "profile": self.profile,
            "forward": None if self.forward is None else self.forward.canonical(),
            "rehearsal": None if self.rehearsal is None else self.rehearsal.canonical(),
            "selftest": None if tested is None else [tested.run, tested.at.isoformat(), tested.passed],
        }


def evidence_sha256(policy_sha256: str, estate_sha256: str, evidence: Sequence[SuiteEvidence]) -> str:
    """What a sign-off of the migration signs: every suite's rows, ledger, policy and findings, the estate, the policy.

    The clock is no part of it: the same evidence asked on another day is the same evidence.
    """
    content = {
        "schema": SCHEMA,
        "policy": policy_sha256,
        "estate": estate_sha256,
        "suites": [one.canonical() for one in evidence],
    }
    return hashlib.sha256(canonical_json(content)).hexdigest()
