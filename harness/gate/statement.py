"""What a bundle says of itself: an in-toto Statement of a test result, over the hash of every member.

Sources: in-toto Attestation Framework, Statement v1 and ResourceDescriptor v1; predicate test-result v0.1
(github.com/in-toto/attestation, spec/predicates/test-result.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.gate.canonical import canonical_json
from harness.gate.container import Member

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://in-toto.io/attestation/test-result/v0.1"
CONFIGURATION = ("policy.toml", "run.json")


def statement(members: Sequence[Member], decision: Mapping[str, Any]) -> bytes:
    """The Statement as canonical JSON. decision: `decision.json` of the bundle."""
    return canonical_json(
        {
            "_type": STATEMENT,
            "subject": [_subject(member, decision) for member in members],
            "predicateType": PREDICATE,
            "predicate": {
                "result": _result(decision),
                "configuration": [_descriptor(member) for member in members if member.name in CONFIGURATION],
                **_tests(decision["findings"]),
            },
        }
    )


def _result(decision: Mapping[str, Any]) -> str:
    """The predicate has no third answer, and whoever reads it must not take INCONCLUSIVE for a pass."""
    return "PASSED" if decision["decision"] == "GO" else "FAILED"


def _tests(findings: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Failed: voted and did not reach GO. Warned: did not reach GO and has no vote."""
    tests: dict[str, list[str]] = {"passedTests": [], "warnedTests": [], "failedTests": []}
    for finding in findings:
        name = f"{finding['criterion']}, {finding['slice']}" if finding["slice"] else str(finding["criterion"])
        if finding["verdict"] == "GO":
            tests["passedTests"].append(name)
        else:
            tests["failedTests" if finding["gating"] else "warnedTests"].append(name)
    return tests


def _subject(member: Member, decision: Mapping[str, Any]) -> dict[str, Any]:
    if member.name == "decision.json":
        return {**_descriptor(member), "annotations": {"decision": decision["decision"]}}
    return _descriptor(member)


def _descriptor(member: Member) -> dict[str, Any]:
    return {"name": member.name, "digest": {"sha256": member.sha256}}
