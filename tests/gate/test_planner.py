"""A plan asks the gate's own questions, and what it promises the gate keeps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from harness.core.rows import Rows
from harness.core.verdict import Row, Verdict
from harness.gate.decide import decide
from harness.gate.planner import Assumptions, Budget, Need, Traffic, described, place, plan
from harness.gate.policy import Policy, parse_policy

FLIP: Mapping[str, Any] = {"metric": "label", "kind": "flip", "deterministic": True}
SIM: Mapping[str, Any] = {"metric": "sim", "kind": "score"}
ERROR: Mapping[str, Any] = {"metric": "error", "kind": "flip"}
P50: Mapping[str, Any] = {"metric": "p50", "kind": "exceed", "quantile": 0.5, "ratio": 1.2}
P95: Mapping[str, Any] = {"metric": "p95", "kind": "exceed", "quantile": 0.95, "ratio": 1.5}
COST: Mapping[str, Any] = {"metric": "cost_usd", "kind": "cost", "ratio": 1.1, "cap_usd": 0.1}
MODES = ("fixed", "anytime")


def policy(*criteria: Mapping[str, Any], mode: str = "anytime", **tables: Any) -> Policy:
    return parse_policy({"gate": {"mode": mode}, "criterion": list(criteria), **tables}, "POLICY.toml")


def needs(budget: Budget) -> dict[str, Need]:
    return {place(need): need for need in budget.needs}


CALLS = Traffic(calls_per_case=2)


@pytest.mark.parametrize(
    ("mode", "flips", "errors", "severe", "part"), [("fixed", 598, 299, 149, 30), ("anytime", 780, 389, 194, 37)]
)
def test_the_table_of_defaults_comes_out(mode: str, flips: int, errors: int, severe: int, part: int) -> None:
    """Section 9. A slice's 29 clean units are below the 30 that a fixed sample needs anyway."""
    sliced = {**FLIP, "slices": {"region": ["eu"]}}
    found = needs(plan(policy(sliced, ERROR, SIM, mode=mode), CALLS))
    assert [found[name].units for name in ("label", "error", "sim severe", "label, region=eu")] == [
        flips,
        errors,
        severe,
        part,
    ]


def test_latency_and_similarity_on_average_are_those_of_the_reference() -> None:
    """Section 9: 57 units of similarity, 180 of p50 at 1.2 and 260 of p95 at 1.5, looked at after each."""
    found = needs(plan(policy(SIM, P50, P95), CALLS))
    for name, average in (("sim", 57), ("p50", 180), ("p95", 260)):
        assert found[name].on_average == pytest.approx(average, rel=0.1)
    assert found["p95"].minimum == 400


def test_power_is_shared_by_all_gating_questions() -> None:
    alone = plan(policy(SIM, mode="fixed"), CALLS)
    many = plan(policy(SIM, FLIP, ERROR, P50, P95, {**COST, "advisory": True}, mode="fixed"), CALLS)
    assert (alone.metrics, many.metrics) == (2, 6)
    assert many.each_power == pytest.approx(1 - 0.2 / 6)
    first, second = needs(alone)["sim"].units, needs(many)["sim"].units
    assert first is not None
    assert second is not None
    assert second > first


def test_calls_and_tokens_follow_from_cases() -> None:
    """A latency needs its calibration besides, a deterministic source its proof."""
    traffic = Traffic(calls_per_case=2, extra_calls=60, calibration=400, tokens_per_case=1500)
    found = needs(plan(policy(FLIP, P95), traffic))
    assert (found["label"].cases, found["label"].calls, found["label"].tokens) == (780, 1620, 1_170_000)
    assert found["p95"].cases == (found["p95"].units or 0) + 400


def test_a_slice_needs_as_many_cases_as_hold_its_units() -> None:
    sliced = {**FLIP, "slices": {"region": ["eu"]}}
    eu = needs(plan(policy(sliced), Traffic(calls_per_case=2, shares={"region=eu": 0.02})))["label, region=eu"]
    assert (eu.units, eu.cases) == (37, 1850)
    unknown = plan(policy(sliced), CALLS)
    assert needs(unknown)["label, region=eu"].cases is None
    assert unknown.cases == 780
    assert unknown.besides() == ["37 of region=eu"]


def test_a_slice_that_the_golden_set_lacks_can_never_be_settled() -> None:
    sliced = {**FLIP, "slices": {"region": ["eu"]}}
    budget = plan(policy(sliced), Traffic(calls_per_case=2, cases=5000))
    assert budget.cases is None
    assert needs(budget)["label, region=eu"].chance == 0


def test_labels_that_the_policy_demands_are_planned_for_flips_and_not_for_failures() -> None:
    budget = plan(policy(FLIP, ERROR, coverage={"labels": ["fraud", "fine"]}), CALLS)
    assert [place(need) for need in budget.needs] == [
        "label",
        "label, source_label=fraud",
        "label, source_label=fine",
        "error",
    ]


def test_a_smaller_budget_says_what_it_can_still_decide() -> None:
    budget = plan(policy(FLIP, ERROR, SIM), CALLS, cases=400)
    assert [(cases, names) for cases, names in budget.steps()][-2:] == [(389, ["error"]), (780, ["label"])]
    found = needs(budget)
    assert (found["error"].chance, found["label"].chance) == (1.0, 0.0)
    assert budget.chance == 0
    assert found["label"].smallest == pytest.approx(0.0098)


@pytest.mark.parametrize("mode", MODES)
def test_the_smallest_margin_is_one_that_the_gate_gives_go_at(mode: str) -> None:
    """What 400 clean cases could settle: the gate says GO at that margin, and not at nine tenths of it."""
    smallest = needs(plan(policy(FLIP, mode=mode), CALLS, cases=400))["label"].smallest
    assert smallest is not None
    rows = Rows.from_rows(Row(case=f"c{at}", metric="label", value_target=0.0) for at in range(400))
    verdicts = [
        decide(rows, policy({**FLIP, "margin": margin}, mode=mode), decided_at=datetime.now(UTC)).verdict
        for margin in (smallest, 0.9 * smallest)
    ]
    assert verdicts == [Verdict.GO, Verdict.INCONCLUSIVE]


@pytest.mark.parametrize("mode", MODES)
def test_equal_targets_get_go_as_often_as_planned(mode: str) -> None:
    """100 equal noisy targets, each of the planned size, decided by the gate: 90 % were planned."""
    made = policy(SIM, mode=mode)
    budget = plan(made, CALLS)
    n = needs(budget)["sim"].units
    assert n is not None
    assert budget.each_power == pytest.approx(0.9)
    rng = np.random.default_rng(3)
    go = 0
    for _ in range(100):
        drop = rng.normal(0, 0.08, n).clip(-0.25, 0.25)
        rows = Rows.from_rows(
            Row(case=f"c{at}", metric="sim", value_target=0.7 + float(d), value_noise=0.7) for at, d in enumerate(drop)
        )
        go += decide(rows, made, decided_at=datetime.now(UTC)).findings[0].verdict is Verdict.GO
    assert 0.81 <= go / 100 <= 0.97


def test_a_source_that_differs_more_needs_more() -> None:
    calm, wild = (plan(policy(SIM), CALLS, Assumptions(noise_sd=sd)) for sd in (0.04, 0.16))
    assert (needs(calm)["sim"].units or 0) * 2 < (needs(wild)["sim"].units or 0)


def test_a_target_that_flips_at_the_margin_never_gets_go() -> None:
    budget = plan(policy(FLIP), CALLS, Assumptions(flip_rate=0.005))
    assert needs(budget)["label"].units is None
    assert budget.cases is None


def test_clusters_count_once_whatever_they_hold() -> None:
    traffic = Traffic(calls_per_case=2, cases=4000, clusters=1000)
    found = needs(plan(policy(FLIP), traffic))["label"]
    assert (found.units, found.cases) == (780, 3120)


def test_a_check_is_a_census_and_an_advisory_criterion_needs_nothing() -> None:
    check = {"metric": "size", "kind": "check", "limit": 1}
    budget = plan(policy(FLIP, check, {**ERROR, "advisory": True}), CALLS)
    assert (needs(budget)["size"].units, needs(budget)["error"].gating) == (0, False)
    assert budget.cases == 780


@pytest.mark.parametrize(
    "criterion",
    [
        COST,
        {"metric": "f1", "kind": "quality", "margin": 0.05},
        {"metric": "slow", "kind": "limit", "margin": 0.01},
        {"metric": "late", "kind": "exceed", "margin": 0.02},
        {**SIM, "deterministic": True},
        {**FLIP, "deterministic": False},
    ],
)
@pytest.mark.parametrize("mode", MODES)
def test_every_kind_can_be_planned(criterion: Mapping[str, Any], mode: str) -> None:
    budget = plan(policy(criterion, mode=mode), CALLS, cases=20_000)
    need = budget.needs[0]
    assert need.units is not None
    assert need.units >= need.minimum
    assert need.chance == pytest.approx(1, abs=0.05)
    assert need.smallest is not None


def test_the_plan_is_one_json_document_and_names_what_it_assumes() -> None:
    budget = plan(policy(FLIP, SIM, P95), CALLS, cases=500)
    told = json.loads(json.dumps(budget.document(), allow_nan=False))
    assert told["schema"] == "parity-plan/1"
    assert told["assumptions"]["noise_sd"] == 0.08
    assert len(told["needs"]) == 4
    assert any("--noise-sd" in line for line in described(budget.assumptions))
