"""A good result on the wrong cases is no GO."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import jsonschema
import pytest

from harness.core.rows import Rows
from harness.core.verdict import Finding, Row, Verdict
from harness.errors import LedgerError, PolicyError
from harness.gate.coverage import GoldenFacts, coverage, unchecked
from harness.gate.decide import decide
from harness.gate.policy import Policy, parse_policy, schema
from harness.recordings.manifest import Manifest

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HASH = "ab" * 32
GOLDEN = GoldenFacts(sha256=HASH, cases=1000, sampled=False, truncated=False, taken_at=NOW - timedelta(days=30))


def policy(**table: Any) -> Policy:
    criterion = {"metric": "label", "kind": "flip", "deterministic": True, "margin": 0.01}
    return parse_policy({"gate": {"mode": "fixed"}, "criterion": [criterion], "coverage": table}, "POLICY.toml")


def found(golden: GoldenFacts | None, **table: Any) -> tuple[Finding, ...]:
    return coverage(policy(**table), golden, decided_at=NOW)


def test_a_whole_recent_golden_set_casts_no_vote() -> None:
    """A demand that is met must not count as a vote for GO: nothing is said of it."""
    assert found(GOLDEN, max_age_days=30, golden_sha256=HASH) == ()


@pytest.mark.parametrize(
    ("change", "table", "said"),
    [
        ({"sampled": True}, {}, "is a sample of the traffic"),
        ({"truncated": True}, {}, "were cut by the log"),
        ({}, {"golden_sha256": "cd" * 32}, "The golden set has changed: the policy names cdcdcdcdcdcdcdcd"),
        ({}, {"max_age_days": 29.9}, "ends on 2026-10-21, 30 days before this decision, and 29.9 is the oldest"),
        ({"taken_at": NOW + timedelta(days=2)}, {"max_age_days": 30}, "ends on 2026-11-22, after this decision"),
    ],
)
def test_a_demand_that_is_not_met_withholds_go(change: dict[str, Any], table: dict[str, Any], said: str) -> None:
    (finding,) = found(replace(GOLDEN, **change), **table)
    assert (finding.verdict, finding.gating) == (Verdict.INCONCLUSIVE, True)
    assert said in finding.reason


def test_every_fault_is_told_not_the_first_alone() -> None:
    faults = found(replace(GOLDEN, sampled=True, truncated=True), max_age_days=1, golden_sha256="cd" * 32)
    assert len(faults) == 4


@pytest.mark.parametrize(("fact", "key"), [("sampled", "allow_sampled"), ("truncated", "allow_truncated")])
def test_a_policy_may_allow_it_by_name(fact: str, key: str) -> None:
    assert found(replace(GOLDEN, **{fact: True}), **{key: True}) == ()


def test_a_run_that_does_not_say_what_it_replayed_meets_no_demand() -> None:
    (finding,) = found(None)
    assert finding.verdict is Verdict.INCONCLUSIVE


def rows(labels: dict[str, int]) -> Rows:
    return Rows.from_rows(
        Row(case=f"{label}-{at}", metric="label", value_target=0.0, slices={"source_label": label})
        for label, count in labels.items()
        for at in range(count)
    )


def test_a_label_that_was_never_replayed_withholds_go() -> None:
    made = policy(labels=["fraud", "fine"])
    decision = decide(rows({"fine": 1000}), made, decided_at=NOW)
    assert decision.verdict is Verdict.INCONCLUSIVE
    assert 'No case that the source answers with "fraud" was replayed' in decision.findings[-1].reason
    assert decide(rows({"fine": 1000, "fraud": 40}), made, decided_at=NOW).verdict is Verdict.GO
    assert decide(rows({"fine": 1000}), policy(), decided_at=NOW).verdict is Verdict.GO


def test_what_is_found_from_outside_votes_beside_the_criteria() -> None:
    sampled = found(replace(GOLDEN, sampled=True))
    decision = decide(rows({"fine": 1000}), policy(), decided_at=NOW, findings=sampled)
    assert decision.verdict is Verdict.INCONCLUSIVE
    assert "is a sample of the traffic" in decision.headline


def test_a_gap_that_the_policy_names_withholds_go_and_others_do_not() -> None:
    gapped = replace(GOLDEN, gaps={"clock_skew": 3, "repeats": 7})
    (refused,) = found(gapped, refuse_gaps=["clock_skew", "rejected"])
    assert refused.verdict is Verdict.INCONCLUSIVE
    assert "has 3 of a gap that the policy refuses: clock_skew" in refused.reason
    assert found(gapped, refuse_gaps=["rejected"]) == ()
    assert found(gapped) == ()


def test_a_gap_that_nobody_knows_is_named() -> None:
    with pytest.raises(PolicyError, match='Did you mean "clock_skew"'):
        found(GOLDEN, refuse_gaps=["clock_skews"])


def test_traffic_is_as_old_as_its_last_moment_and_made_data_as_its_making() -> None:
    made = NOW - timedelta(days=9)
    manifest = Manifest(
        name="n",
        description="d",
        service="s",
        operation="o",
        licence="l",
        source="s",
        split="s",
        created_at=made,
        cases=1,
        sha256=HASH,
    )
    captured = (NOW - timedelta(days=90), NOW - timedelta(days=60))
    assert GoldenFacts.of(manifest).taken_at == made
    assert GoldenFacts.of(replace(manifest, captured=captured)).taken_at == captured[1]


def test_facts_are_kept_with_a_run_and_read_back() -> None:
    assert GoldenFacts.from_document(GOLDEN.document()) == GOLDEN
    gapped = replace(GOLDEN, primaries=990, gaps={"repeats": 10})
    assert GoldenFacts.from_document(json.loads(json.dumps(gapped.document()))) == gapped
    before = {key: said for key, said in GOLDEN.document().items() if key not in ("primaries", "gaps")}
    assert GoldenFacts.from_document(before) == GOLDEN
    assert GoldenFacts.from_document({}) is None
    with pytest.raises(LedgerError, match=r"facts of the golden set cannot be read"):
        GoldenFacts.from_document({"sha256": HASH})


def test_demands_are_in_the_hash_and_open_no_epoch() -> None:
    plain, asking = policy(), policy(max_age_days=30)
    assert plain.sha256 != asking.sha256
    assert plain.epoch_id == asking.epoch_id
    assert policy(allow_sampled=False).sha256 == plain.sha256
    assert policy(max_age_days=30.0).sha256 == asking.sha256


def test_bare_rows_say_what_they_cannot_tell() -> None:
    assert unchecked(policy()) == ()
    (note,) = unchecked(policy(max_age_days=30, golden_sha256=HASH))
    assert "its age, its hash" in note


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"max_age": 30}, 'unknown key "max_age"'),
        ({"max_age_days": 0}, 'key "max_age_days" must be more than 0'),
        ({"golden_sha256": "abc"}, 'key "golden_sha256" must be 64 hex digits'),
        ({"labels": []}, 'key "labels" needs at least 1 entries'),
        ({"allow_sampled": "yes"}, 'key "allow_sampled" must be true or false'),
    ],
)
def test_a_mistake_in_the_table_is_told_with_its_place(table: dict[str, Any], said: str) -> None:
    with pytest.raises(PolicyError, match=r"^POLICY.toml, \[coverage\]") as caught:
        policy(**table)
    assert said in str(caught.value)


def test_the_schema_for_editors_is_what_is_accepted() -> None:
    jsonschema.validate({"max_age_days": 30, "labels": ["a"]}, schema()["properties"]["coverage"])
