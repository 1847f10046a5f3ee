"""Rows say what happened on both sides; thresholds are frozen before anything is judged by them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from planned import Plain, always, planned

from harness.config import Price
from harness.core.call import Answer, CallFailure, FailureKind, Observation, Role, Side
from harness.core.output import Scores
from harness.core.verdict import Row, RowStatus
from harness.run.observe import Effort, Observed
from harness.run.plan import Plan
from harness.run.rows import Latencies, compare, cost_usd

LATENCY = """
[suite]
title = "latency"
[[criterion]]
metric = "value"
kind = "flip"
[[criterion]]
metric = "latency_p50"
kind = "exceed"
quantile = 0.5
ratio = 1.2
[[criterion]]
metric = "contract"
kind = "limit"
limit_s = 0.5
margin = 0.01
"""


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return planned(tmp_path, Plain(always(1)), Plain(always(1)), cases=1000, policy=LATENCY)


def answer(side: Side, value: float = 1.0, latency_s: float | None = 0.1) -> Answer:
    return Answer(side=side, output=Scores(np.array([[value]]), ("0",)), raw_sha256="", latency_s=latency_s, attempts=1)


def failure(side: Side, kind: FailureKind = FailureKind.UNAVAILABLE) -> CallFailure:
    return CallFailure(side=side, kind=kind, message="gone", latency_s=1.0, attempts=4)


def observed(plan: Plan, rank: int, **outcomes: object) -> Observed:
    index = int(plan.order[rank])
    case = plan.case(index)
    sides = {"source": answer(Side.SOURCE), "target": answer(Side.TARGET), **outcomes}
    effort = {role: Effort(attempts=1, throttled=0) for role in Role}
    return Observed(index=index, observation=Observation(case=case, **sides), effort=effort)


def rows_of(plan: Plan, **outcomes: object) -> dict[str, Row]:
    (compared,) = compare(plan, [observed(plan, 0, **outcomes)], run="r")
    return {row.metric: row for row in compared.rows}


def test_noise_is_source_against_source_again(plan: Plan):
    row = rows_of(plan, source_again=answer(Side.SOURCE, 5.0))["value"]
    assert (row.value_target, row.value_noise) == (0.0, 1.0)


def test_a_failed_target_leaves_its_status_and_no_value(plan: Plan):
    rows = rows_of(plan, target=failure(Side.TARGET, FailureKind.TIMEOUT))
    assert (rows["value"].value_target, rows["value"].status_target) == (None, RowStatus.TIMEOUT)
    assert (rows["error"].value_target, rows["error"].status_target) == (1.0, RowStatus.OK)


def test_a_failed_second_source_call_excludes_the_case_but_is_no_source_error(plan: Plan):
    """Counting source-again as an error would give the source two chances to fail."""
    rows = rows_of(plan, source_again=failure(Side.SOURCE))
    assert rows["value"].status_source is RowStatus.ERROR
    assert rows["error"].value_noise == 0.0


def test_what_a_comparator_cannot_score_is_unscored(plan: Plan):
    row = rows_of(plan, source=answer(Side.SOURCE, math.nan))["value"]
    assert row.status_target is RowStatus.UNSCORED


def filled(plan: Plan, source_s, target_s) -> Latencies:
    latencies = Latencies(plan)
    for rank in range(len(plan.order)):
        latencies.add(
            observed(
                plan,
                rank,
                source=answer(Side.SOURCE, latency_s=source_s(rank)),
                target=answer(Side.TARGET, latency_s=target_s(rank)),
            )
        )
    return latencies


def held_back(plan: Plan, latencies: Latencies) -> set[str]:
    calibration = latencies.calibration()
    assert calibration is not None
    return {plan.golden.recording(int(plan.order[rank])).recording.id for rank in np.flatnonzero(calibration)}


def test_the_calibration_freezes_the_threshold_and_is_not_judged(plan: Plan):
    """Source 0.1 s throughout, target 0.119 s: within 1.2 times the median; the 400 calibration cases have no row."""
    latencies = filled(plan, lambda _: 0.1, lambda _: 0.119)
    rows = [row for row in latencies.rows(run="r") if row.metric == "latency_p50"]
    assert len(rows) == 600
    assert {row.value_target for row in rows} == {0.0}
    assert {row.case for row in rows}.isdisjoint(held_back(plan, latencies))


def test_the_calibration_is_spread_over_the_run_and_chosen_by_place_alone(plan: Plan):
    slow, quick = (filled(plan, lambda _, s=s: s, lambda _: 0.1).calibration() for s in (9.0, 0.1))
    assert slow is not None
    assert np.array_equal(slow, quick)
    assert [int(part.sum()) for part in np.array_split(slow, 4)] == pytest.approx([100] * 4, abs=2)


def test_judged_source_calls_do_not_move_the_threshold(plan: Plan):
    calibration = filled(plan, lambda _: 0.1, lambda _: 0.1).calibration()
    assert calibration is not None
    latencies = filled(plan, lambda rank: 0.1 if calibration[rank] else 9.0, lambda _: 0.125)
    rows = [row for row in latencies.rows(run="r") if row.metric == "latency_p50"]
    assert {(row.value_target, row.value_noise) for row in rows} == {(1.0, 1.0)}


def test_too_few_source_calls_freeze_nothing(tmp_path: Path):
    small = planned(tmp_path, Plain(always(1)), Plain(always(1)), cases=300, policy=LATENCY)
    rows = list(filled(small, lambda _: 0.1, lambda _: 0.1).rows(run="r"))
    assert {row.metric for row in rows} == {"contract"}


def test_a_contract_is_held_against_every_case(plan: Plan):
    latencies = filled(plan, lambda _: 0.1, lambda rank: 0.6 if rank < 10 else 0.1)
    rows = [row for row in latencies.rows(run="r") if row.metric == "contract"]
    assert (len(rows), sum(row.value_target or 0 for row in rows)) == (1000, 10)


def test_a_failed_target_is_infinitely_slow(plan: Plan):
    latencies = Latencies(plan)
    for rank in range(len(plan.order)):
        latencies.add(observed(plan, rank, target=failure(Side.TARGET)))
    rows = [row for row in latencies.rows(run="r") if row.metric == "latency_p50"]
    assert {row.value_target for row in rows} == {1.0}


def test_cost_counts_every_attempt_and_is_unknown_without_token_counts():
    call = Price(per_call_usd=0.5)
    assert cost_usd(answer(Side.SOURCE), call) == 0.5
    assert cost_usd(answer(Side.SOURCE), Price(per_1k_tokens_in_usd=1.0)) is None
    assert cost_usd(failure(Side.TARGET), call) is None
