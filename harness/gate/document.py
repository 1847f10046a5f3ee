"""A decision for machines: one JSON document, every number plain, no NaN."""

from __future__ import annotations

from typing import Any

from harness.core.verdict import Decision, Finding

SCHEMA = "parity-decision/1"


def document(decision: Decision, *, rows_sha256: str | None = None) -> dict[str, Any]:
    """The decision as JSON values. rows_sha256: hash of the rows file's bytes, where there was one."""
    return {
        "schema": SCHEMA,
        "decision": decision.verdict.value,
        "headline": decision.headline,
        "findings": [_finding(finding) for finding in decision.findings],
        "notes": list(decision.notes),
        "epoch": decision.epoch,
        "signature": decision.signature,
        "policy_sha256": decision.policy_sha256,
        "rows_sha256": rows_sha256,
        "decided_at": decision.decided_at.isoformat(),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    """Numbers are null where nothing was left to judge, or where a check has no interval."""
    evidence = finding.evidence
    return {
        "criterion": finding.criterion,
        "metric": finding.metric,
        "slice": finding.slice,
        "verdict": finding.verdict.value,
        "gating": finding.gating,
        "estimate": evidence.estimate if evidence else None,
        "low": evidence.low if evidence else None,
        "high": evidence.high if evidence else None,
        "margin": finding.margin if evidence is None else evidence.margin,
        "p_go": evidence.p_go if evidence else None,
        "p_no_go": evidence.p_no_go if evidence else None,
        "units": evidence.units if evidence else 0,
        "excluded": evidence.excluded if evidence else finding.excluded,
        "unscored": evidence.unscored if evidence else finding.unscored,
        "more_units": evidence.more_units if evidence else None,
        "method": evidence.method if evidence else None,
        "reason": finding.reason,
        "waived_by": finding.waived_by,
    }
