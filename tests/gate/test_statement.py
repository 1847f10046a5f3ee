from __future__ import annotations

import json

import pytest

from harness.gate.container import Member
from harness.gate.statement import statement

MEMBERS = [Member("decision.json", 1, "aa", 512), Member("policy.toml", 1, "bb", 1536)]


def finding(verdict: str, *, gating: bool = True, part: str | None = None) -> dict[str, object]:
    return {"criterion": f"c {verdict}", "slice": part, "verdict": verdict, "gating": gating}


def told(decision: str, *findings: dict[str, object]) -> dict[str, object]:
    return json.loads(statement(MEMBERS, {"decision": decision, "findings": list(findings)}))


def test_it_is_a_statement_of_a_test_result_over_every_member():
    """Type URIs of in-toto: Statement v1, predicate test-result v0.1."""
    document = told("GO", finding("GO"))
    assert document["_type"] == "https://in-toto.io/Statement/v1"
    assert document["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    assert document["subject"] == [
        {"name": "decision.json", "digest": {"sha256": "aa"}, "annotations": {"decision": "GO"}},
        {"name": "policy.toml", "digest": {"sha256": "bb"}},
    ]
    assert document["predicate"]["configuration"] == [{"name": "policy.toml", "digest": {"sha256": "bb"}}]


@pytest.mark.parametrize(("decision", "result"), [("GO", "PASSED"), ("NO-GO", "FAILED"), ("INCONCLUSIVE", "FAILED")])
def test_only_go_is_a_pass_to_a_reader_with_two_answers(decision: str, result: str):
    assert told(decision)["predicate"]["result"] == result


def test_what_voted_and_did_not_reach_go_failed_and_what_has_no_vote_warned():
    predicate = told(
        "NO-GO",
        finding("GO", part="region=eu"),
        finding("NO-GO"),
        finding("INCONCLUSIVE"),
        finding("NO-GO", gating=False, part="region=us"),
    )["predicate"]
    assert predicate["passedTests"] == ["c GO, region=eu"]
    assert predicate["failedTests"] == ["c NO-GO", "c INCONCLUSIVE"]
    assert predicate["warnedTests"] == ["c NO-GO, region=us"]
