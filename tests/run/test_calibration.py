"""Latency thresholds come from source calls all over the run, chosen without looking at what was measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from planned import Plain, always, planned

from harness.run.plan import Plan
from harness.run.rows import Latencies

POLICY = """
[suite]
title = "latency"
[[criterion]]
metric = "slow"
kind = "exceed"
quantile = 0.95
ratio = 1.5
"""
CASES = 1600


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return planned(tmp_path, Plain(always(1)), Plain(always(1)), cases=CASES, policy=POLICY)


def measured(plan: Plan, source_s, target_s) -> Latencies:
    """Latencies by place in the order, as the observations would have given them."""
    latencies = Latencies(plan)
    latencies.source_s[:], latencies.target_s[:] = source_s, target_s
    latencies._seen[:] = True
    return latencies


def rates(latencies: Latencies) -> tuple[float, float]:
    """How often the source was slower than its own threshold, and the target slower than was agreed."""
    rows = list(latencies.rows(run="r"))
    return tuple(
        float(np.mean(values)) for values in ([row.value_noise for row in rows], [row.value_target for row in rows])
    )


def test_a_slow_beginning_does_not_blind_the_tail(plan: Plan):
    """The first quarter of the run was slow on both sides. A threshold from its beginning would let nothing exceed."""
    rng = np.random.default_rng(5)
    busy = np.where(np.arange(CASES) < 400, 4.0, 1.0)
    source_s, target_s = (busy * rng.gamma(9.0, 0.004, CASES) for _ in range(2))
    source, target = rates(measured(plan, source_s, target_s))
    assert 0.02 < source < 0.08
    assert target < source


def test_a_source_call_that_failed_is_replaced_by_the_next_in_line(plan: Plan):
    latencies = measured(plan, np.full(CASES, 0.03), np.full(CASES, 0.03))
    before = latencies.calibration()
    latencies.source_s[np.flatnonzero(before)[::7]] = np.nan
    after = latencies.calibration()
    assert before is not None and after is not None
    assert before.sum() == after.sum() == 400
    assert np.isfinite(latencies.source_s[after]).all()
