"""Planted faults have the size they say, touch what they say, and depend on nothing but rows and seed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from harness.core.rows import ERROR, OK, Rows
from harness.core.verdict import Row
from harness.gate.faults import Fault, faults
from harness.gate.policy import Policy, parse_policy

N = 1000


def policy(*criteria: Mapping[str, Any]) -> Policy:
    return parse_policy({"criterion": list(criteria)}, "POLICY.toml")


def rows(metric: str, value: float, noise: float | None = None, *, repeats: int = 1, in_cluster: int = 1) -> list[Row]:
    return [
        Row(
            case=f"c{at}",
            metric=metric,
            cluster=f"k{at // in_cluster}",
            repeat=repeat,
            value_target=value,
            value_noise=noise,
            slices={"source_label": "rare" if at % 50 == 0 else "usual"},
        )
        for at in range(N)
        for repeat in range(repeats)
    ]


def planted(made: Policy, listed: list[Row], name: str, seed: int = 7) -> tuple[Fault, Rows, Rows]:
    before = Rows.from_rows(listed)
    (fault,) = [one for one in faults(before, made) if one.name == name]
    return fault, before, fault.plant(before, np.random.default_rng(seed))


FLIP = {"metric": "label", "kind": "flip", "deterministic": True}
SIM = {"metric": "sim", "kind": "score"}
ERRORS = {"metric": "error", "kind": "flip"}


def test_flips_are_three_times_the_margin_and_leave_the_rest_alone() -> None:
    fault, before, after = planted(policy(FLIP), rows("label", 0.0), "flips")
    assert fault.size == "15 of 1,000 cases (1.5 %)"
    assert after.value_target.sum() == 15
    assert np.array_equal(after.value_noise, before.value_noise, equal_nan=True)
    assert before.value_target.sum() == 0


def test_a_fault_hits_all_repeats_of_a_case() -> None:
    _, _, after = planted(policy(FLIP), rows("label", 0.0, repeats=3), "flips")
    hit = after.case.codes[after.value_target == 1]
    assert (len(hit), len(set(hit.tolist()))) == (45, 15)


def test_a_broken_subgroup_is_made_of_whole_clusters() -> None:
    _, _, after = planted(policy(SIM), rows("sim", 0.9, 0.9, in_cluster=10), "broken subgroup")
    broken = after.value_target == 0
    clusters = set(after.cluster.codes[broken].tolist())
    assert (broken.sum(), len(clusters)) == (20, 2)


def test_the_rarest_label_of_the_source_is_the_one_that_is_lost() -> None:
    fault, _, after = planted(policy(FLIP), rows("label", 0.0), "a label is lost")
    assert fault.size == 'all 20 cases of "rare"'
    assert (after.value_target == 1).tolist() == after.slices["source_label"].has("rare").tolist()


def test_every_score_falls() -> None:
    _, before, after = planted(policy(SIM), rows("sim", 0.9, 0.9), "mean drop")
    assert np.allclose(before.value_target - after.value_target, 0.1)


def test_nan_is_a_value_and_not_an_absence() -> None:
    _, _, after = planted(policy(SIM), rows("sim", 0.9, 0.9), "NaN")
    lost = np.isnan(after.value_target)
    assert (lost.sum(), bool((lost & after.null_target).any())) == (30, False)


def test_a_slow_tail_is_ten_points_above_the_source() -> None:
    slow = {"metric": "p95", "kind": "exceed", "quantile": 0.95, "ratio": 1.5}
    listed = [
        Row(case=f"c{at}", metric="p95", value_target=float(at < 30), value_noise=float(at % 20 == 0))
        for at in range(N)
    ]
    _, _, after = planted(policy(slow), listed, "slow tail")
    assert after.value_target.mean() == 0.15


def test_a_failed_call_is_an_error_in_its_own_metric_and_a_failure_in_all_others() -> None:
    _, _, after = planted(policy(FLIP, ERRORS), [*rows("label", 0.0), *rows("error", 0.0, 0.0)], "calls fail")
    of_error = after.metric.has("error")
    failed = {after.case.names[code] for code in after.case.codes[after.status_target == ERROR].tolist()}
    counted = {after.case.names[code] for code in after.case.codes[of_error & (after.value_target == 1)].tolist()}
    assert len(failed) == 50
    assert failed == counted
    assert (after.status_target[of_error] == OK).all()


def test_a_failed_source_touches_the_source_alone() -> None:
    _, before, after = planted(
        policy(FLIP, ERRORS), [*rows("label", 0.0), *rows("error", 0.0, 0.0)], "the source fails"
    )
    assert (after.status_source == ERROR).sum() == 100
    assert after.value_noise[after.metric.has("error")].sum() == 100
    assert np.array_equal(after.value_target, before.value_target)


def test_only_what_votes_and_has_rows_gets_a_fault() -> None:
    made = policy(FLIP, {**SIM, "advisory": True}, {"metric": "size", "kind": "check"})
    names = {fault.criterion for fault in faults(Rows.from_rows([*rows("label", 0.0), *rows("sim", 0.9, 0.9)]), made)}
    assert names == {"label", None}


def test_a_source_may_fail_where_only_failures_are_counted() -> None:
    """A target that answers where the source does not is the better one: GO is right, and no fault to plant."""
    found = [fault.name for fault in faults(Rows.from_rows(rows("error", 0.0, 0.0)), policy(ERRORS))]
    assert found == ["failures", "calls fail"]


def test_the_seed_draws_the_cases() -> None:
    first, same, other = (planted(policy(FLIP), rows("label", 0.0), "flips", seed)[2] for seed in (1, 1, 2))
    assert np.array_equal(first.value_target, same.value_target)
    assert not np.array_equal(first.value_target, other.value_target)


def test_what_is_measured_in_other_units_gets_faults_of_its_own() -> None:
    made = policy(
        {"metric": "usd", "kind": "cost", "ratio": 1.1, "cap_usd": 1.0},
        {"metric": "late", "kind": "limit", "margin": 0.01, "limit": 2.0},
        {"metric": "loss", "kind": "quality", "margin": 0.01, "value_range": [0, 2], "larger_is_better": False},
        {"metric": "size", "kind": "check", "lower_limit": 5.0},
    )
    listed = [*rows("usd", 0.1, 0.1), *rows("late", 1.0), *rows("loss", 0.5, 0.5), *rows("size", 7.0)]
    before = Rows.from_rows(listed)
    after = {fault.name: fault.plant(before, np.random.default_rng(1)) for fault in faults(before, made)}

    def values(name: str, metric: str) -> list[float]:
        return np.unique(after[name].value_target[before.metric.has(metric)]).tolist()

    assert values("dearer", "usd") == pytest.approx([0.22])
    assert values("over the limit", "late") == [1.0, 5.0]
    assert values("quality drop", "loss") == pytest.approx([0.7])
    assert values("past the limit", "size") == [4.0, 7.0]
