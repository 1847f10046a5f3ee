"""Rows that came about under other conditions are other evidence, and what they cannot show is not claimed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.core.call import Mode
from harness.core.rows import Rows
from harness.core.verdict import Row, Verdict
from harness.errors import LedgerError
from harness.gate.conditions import Conditions
from harness.gate.decide import decide
from harness.gate.policy import parse_policy

GOLDEN = Conditions(mode=Mode.GOLDEN)
POLICY = parse_policy(
    {
        "gate": {"mode": "fixed"},
        "criterion": [
            {"name": "labels", "metric": "label", "kind": "flip", "margin": 0.05, "deterministic": True},
            {"name": "calls", "metric": "error", "kind": "flip", "margin": 0.05},
            {"name": "contract", "metric": "slow", "kind": "limit", "margin": 0.05, "limit_s": 1.0},
            {"name": "tail", "metric": "latency_p95", "kind": "exceed", "quantile": 0.95, "ratio": 1.5},
            {"name": "cost", "metric": "cost_usd", "kind": "cost", "ratio": 1.1, "cap_usd": 1.0},
        ],
    },
    where="policy.toml",
)
LABELS = [Row(case=f"c{number}", metric="label", value_target=0.0) for number in range(100)]
AT = datetime(2026, 11, 20, tzinfo=UTC)


def decided(rows, conditions):
    return decide(Rows.from_rows(rows), POLICY.under(conditions), decided_at=AT)


def test_a_golden_run_is_go_on_its_answers_and_says_what_was_not_judged():
    decision = decided(LABELS, GOLDEN)
    assert decision.verdict is Verdict.GO
    assert "Not judged, and no part of this answer: calls, contract, tail, cost." in decision.headline
    left = {finding.criterion: finding for finding in decision.findings if not finding.gating}
    assert set(left) == {"calls", "contract", "tail", "cost"}
    assert all("Not judged" in finding.reason and finding.evidence is None for finding in left.values())


def test_the_same_rows_of_a_run_that_called_both_sides_are_inconclusive():
    assert decided(LABELS, Conditions()).verdict is Verdict.INCONCLUSIVE


def test_a_loss_that_was_measured_cannot_be_hidden_by_calling_the_run_golden():
    failed = [Row(case=f"c{number}", metric="error", value_target=1.0, value_noise=0.0) for number in range(100)]
    assert decided(LABELS + failed, GOLDEN).verdict is Verdict.NO_GO


def test_a_reversed_decision_says_so_first():
    decision = decided(LABELS, Conditions(mode=Mode.GOLDEN, reverse=True))
    assert decision.headline.startswith("Reverse: the sides were swapped.")


def test_every_condition_is_an_epoch_of_its_own_and_the_hash_of_the_policy_stays():
    conditions = (
        Conditions(),
        GOLDEN,
        Conditions(reverse=True),
        Conditions(arrival="recorded, speed 1"),
        Conditions(arrival="recorded, speed 2"),
    )
    assert len({POLICY.under(one).epoch_id for one in conditions}) == len(conditions)
    assert {POLICY.under(one).sha256 for one in conditions} == {POLICY.sha256}
    assert POLICY.under(Conditions()).epoch_id == POLICY.epoch_id


def test_conditions_are_read_from_the_run_beside_the_rows(tmp_path: Path):
    rows = tmp_path / "rows.parquet"
    assert Conditions.beside(rows) == Conditions()
    (tmp_path / "run.json").write_text(json.dumps({"mode": "golden", "reverse": True, "arrival": {"speed": 2.0}}))
    assert Conditions.beside(rows) == Conditions(mode=Mode.GOLDEN, reverse=True, arrival="recorded, speed 2")


@pytest.mark.parametrize("record", [{"mode": "gloden"}, {"arrival": {"speed": "fast"}}, {"arrival": [1]}])
def test_conditions_that_cannot_be_read_are_an_error_and_not_the_ordinary_ones(record):
    with pytest.raises(LedgerError, match="conditions of the run"):
        Conditions.of(record)
