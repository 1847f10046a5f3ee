"""A gate that can refuse is told from one that cannot, and from rows too few to tell."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest

from harness.core.rows import Rows
from harness.core.verdict import Row, RowStatus, Verdict
from harness.gate.decide import decide
from harness.gate.policy import Policy, parse_policy
from harness.gate.selftest import EQUAL, OWN, Outcome, SelfTest, Trial, equal_twin, selftest

NOW = datetime(2026, 11, 20, tzinfo=UTC)
MODES = ("fixed", "anytime")
FLIP: Mapping[str, Any] = {"metric": "label", "kind": "flip", "deterministic": True}
SIM: Mapping[str, Any] = {"metric": "sim", "kind": "score"}
ERRORS: Mapping[str, Any] = {"metric": "error", "kind": "flip"}
P95: Mapping[str, Any] = {"metric": "p95", "kind": "exceed", "quantile": 0.95, "ratio": 1.5}


def policy(*criteria: Mapping[str, Any], mode: str = "fixed", **tables: Any) -> Policy:
    return parse_policy({"gate": {"mode": mode}, "criterion": list(criteria), **tables}, "POLICY.toml")


def equal_rows(n: int, *, drop: float = 0.0, flips: int = 0, seed: int = 1) -> list[Row]:
    """A noisy score, a label, errors and a latency of n cases; the target loses `drop` and flips so many labels."""
    rng = np.random.default_rng(seed)
    noise, target = (0.85 + rng.normal(0, 0.05, n).clip(-0.14, 0.14) for _ in range(2))
    target += noise.mean() - target.mean() - drop
    slow = rng.permutation(n)
    rows = []
    for at in range(n):
        named = {"case": f"c{at}", "slices": {"source_label": "rare" if at % 25 == 0 else "usual"}}
        rows += [
            Row(metric="sim", value_target=float(target[at]), value_noise=float(noise[at]), **named),
            Row(metric="label", value_target=float(at < flips), **named),
            Row(metric="error", value_target=0.0, value_noise=0.0, **named),
            Row(metric="p95", value_target=0.0, value_noise=float(slow[at] < n // 20), **named),
        ]
    return rows


def checked(rows: list[Row], made: Policy, seed: int = 7) -> SelfTest:
    return selftest(Rows.from_rows(rows), made, decided_at=NOW, seed=seed)


def trial(found: SelfTest, fault: str, criterion: str) -> Trial:
    (one,) = [one for one in found.trials if (one.fault, one.planted_in) == (fault, criterion)]
    return one


@pytest.mark.parametrize("mode", MODES)
def test_the_default_margins_refuse_every_fault(mode: str) -> None:
    found = checked(equal_rows(1500), policy(FLIP, SIM, ERRORS, P95, mode=mode))
    assert (found.exit_code, found.twin, found.twin_decision) == (0, OWN, Verdict.GO)
    assert {one.outcome for one in found.trials} == {Outcome.REFUSED}
    assert [one.fault for one in found.trials] == [
        "flips",
        "broken subgroup",
        "a label is lost",
        "NaN",
        "mean drop",
        "broken subgroup",
        "NaN",
        "failures",
        "slow tail",
        "calls fail",
        "the source fails",
    ]


@pytest.mark.parametrize("mode", MODES)
def test_faults_are_no_go_and_what_leaves_nothing_to_judge_by_is_inconclusive(mode: str) -> None:
    """2 % broken at a severe margin of 2 % lies on the margin: the GO is taken away, and a loss is not proved."""
    found = checked(equal_rows(3000), policy(FLIP, SIM, ERRORS, P95, mode=mode))
    others = [one for one in found.trials if (one.fault, one.planted_in) != ("broken subgroup", "sim")]
    assert [one.decision for one in others] == [one.expected for one in others]
    assert trial(found, "broken subgroup", "sim").decision is not Verdict.GO
    assert "label, source_label=rare" in trial(found, "a label is lost", "label").by


def test_margins_so_wide_that_a_fault_passes_are_reported() -> None:
    """2 % broken answers lie within a margin of 5 %: whoever set it must hear so."""
    found = checked(equal_rows(1500), policy({**FLIP, "margin": 0.05}, ERRORS))
    missed = trial(found, "broken subgroup", "label")
    assert (missed.outcome, missed.decision, found.exit_code) == (Outcome.MISSED, Verdict.GO, 1)
    assert "5 % is accepted" in missed.reason
    assert found.conclusion.startswith("This gate cannot refuse 1 of ")


def test_a_policy_of_advice_cannot_refuse() -> None:
    found = checked(equal_rows(1500), policy({**FLIP, "advisory": True}))
    assert (found.exit_code, found.trials) == (1, ())
    assert "every criterion is advisory" in found.conclusion


def test_a_waiver_that_blinds_the_gate_shows() -> None:
    waiver = {
        "criterion": "error",
        "owner": "M. Ruiz",
        "reason": "quota",
        "expires": date(2026, 12, 31),
        "difference": "error",
    }
    wide = {**FLIP, "margin": 0.2}
    assert (
        trial(checked(equal_rows(1500), policy(wide, ERRORS)), "calls fail", "every metric").outcome is Outcome.REFUSED
    )
    blind = checked(equal_rows(1500), policy(wide, ERRORS, waiver=[waiver]))
    assert (trial(blind, "calls fail", "every metric").outcome, blind.exit_code) == (Outcome.MISSED, 1)


def test_a_waived_finding_that_votes_again_withholds_go() -> None:
    """The rows of eu are waived; NaN all over leaves the rest without a verdict, and that is a refusal too."""
    eu = {"criterion": "label", "owner": "M. Ruiz", "reason": "r", "expires": date(2026, 12, 31), "slice": "region=eu"}
    rows = [
        Row(
            case=f"c{at}",
            metric="label",
            value_target=float(at % 5 == 0 and at < 300),
            slices={"region": "us" if at % 5 else "eu"},
        )
        for at in range(1500)
    ]
    rows += [row for row in equal_rows(1500) if row.metric == "error"]
    found = checked(rows, policy(FLIP, ERRORS, waiver=[eu]))
    assert (found.twin, trial(found, "NaN", "label").outcome, found.exit_code) == (OWN, Outcome.REFUSED, 0)


@pytest.mark.parametrize("mode", MODES)
def test_rows_too_few_to_tell_are_neither_a_pass_nor_a_fault_of_the_gate(mode: str) -> None:
    found = checked(equal_rows(20), policy(FLIP, mode=mode))
    assert (found.exit_code, found.twin) == (3, EQUAL)
    assert trial(found, "a label is lost", "label").outcome is Outcome.UNDECIDED
    assert "`parity plan` says how many are needed" in found.conclusion


def test_no_rows_at_all_show_nothing() -> None:
    found = checked([], policy(FLIP))
    assert (found.exit_code, found.trials[0].reason) == (3, 'No row carries the metric "label".')


def test_rows_that_withhold_go_without_a_fault_may_still_refuse_one() -> None:
    """60 rows are too few for GO at 0.5 %; 3 flips among them are refused, and the reader hears both."""
    found = checked(equal_rows(60), policy(FLIP))
    assert (found.exit_code, found.twin_decision) == (0, Verdict.INCONCLUSIVE)
    assert found.conclusion.endswith("neither refused nor enough for GO.")


@pytest.mark.parametrize("mode", MODES)
def test_a_bad_run_is_tested_on_a_twin_that_is_as_good_as_its_source(mode: str) -> None:
    """The run itself is NO-GO; planting more into it would show nothing."""
    rows, made = equal_rows(1500, drop=0.2, flips=100), policy(FLIP, SIM, ERRORS, P95, mode=mode)
    assert decide(Rows.from_rows(rows), made, decided_at=NOW).verdict is Verdict.NO_GO
    found = checked(rows, made)
    assert (found.twin, found.exit_code) == (EQUAL, 0)
    assert found.twin_decision is Verdict.GO


def test_the_twins_target_differs_as_the_source_differs_from_itself() -> None:
    rows = Rows.from_rows(equal_rows(1500, drop=0.2, flips=100))
    twin = equal_twin(rows, policy(FLIP, SIM, ERRORS, P95), np.random.default_rng(1))
    of_score, of_latency = rows.metric.has("sim"), rows.metric.has("p95")
    assert np.array_equal(np.sort(twin.value_target[of_score]), np.sort(rows.value_noise[of_score]))
    slow = twin.value_target[of_latency].sum()
    assert 0 < slow < 0.5 * rows.value_noise[of_latency].sum()  # fewer calls exceed 1.5 times the threshold
    of_label = rows.metric.has("label")
    assert twin.value_target[of_label].sum() == 0
    assert np.array_equal(twin.value_noise, rows.value_noise, equal_nan=True)


def test_a_source_that_fails_too_often_leaves_nothing_to_test_with() -> None:
    rows = equal_rows(1500)
    broken = [
        Row(
            case=f"c{at}", metric="label", value_target=0.0, status_source=RowStatus.ERROR if at < 150 else RowStatus.OK
        )
        for at in range(1500)
    ]
    found = checked([row for row in rows if row.metric != "label"] + broken, policy(FLIP, ERRORS))
    assert found.exit_code == 3
    assert trial(found, "flips", "label").outcome is Outcome.UNDECIDED
    assert trial(found, "failures", "error").outcome is Outcome.REFUSED


def test_a_gate_that_refuses_equal_systems_is_reported() -> None:
    test = SelfTest(twin=EQUAL, twin_decision=Verdict.NO_GO, twin_headline="why", trials=(), cases=1, gating=1, seed=7)
    assert (test.exit_code, test.conclusion) == (1, "This gate refuses equal systems. why")


@pytest.mark.parametrize(
    "criterion",
    [
        {"metric": "m", "kind": "cost", "ratio": 1.1, "cap_usd": 1.0},
        {"metric": "m", "kind": "quality", "margin": 0.05},
        {"metric": "m", "kind": "limit", "margin": 0.02},
        {"metric": "m", "kind": "check", "limit": 0.5},
        {"metric": "m", "kind": "exceed", "margin": 0.05},
        {"metric": "m", "kind": "flip"},
        {"metric": "m", "kind": "score", "severe": 0.005},
    ],
)
@pytest.mark.parametrize("mode", MODES)
def test_every_kind_of_criterion_is_checked(criterion: Mapping[str, Any], mode: str) -> None:
    same = 0.2 if criterion["kind"] in ("cost", "quality", "score") else 0.0
    same = 0.9 if criterion["kind"] in ("quality", "score") else same
    rows = [Row(case=f"c{at}", metric="m", value_target=same, value_noise=same) for at in range(2000)]
    found = checked(rows, policy(criterion, mode=mode))
    assert found.exit_code == 0, found.conclusion
    assert found.trials


def test_the_same_seed_gives_the_same_test_and_another_the_same_answer() -> None:
    rows, made = equal_rows(1500), policy(FLIP, SIM)
    assert checked(rows, made) == checked(rows, made)
    assert checked(rows, made, seed=8).exit_code == 0


def test_the_test_is_one_json_document() -> None:
    told = json.loads(json.dumps(checked(equal_rows(700), policy(FLIP)).document(), allow_nan=False))
    assert (told["schema"], told["exit_code"]) == ("parity-selftest/1", 0)
    assert told["trials"][0]["outcome"] == "refused"
