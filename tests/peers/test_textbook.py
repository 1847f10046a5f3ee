"""The gate against a second, slow implementation of the same formulas, to 1e-9."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np
import pytest

from benchmarks.peers import textbook
from harness.core.rows import Rows
from harness.core.verdict import Row, RowStatus
from harness.gate.decide import decide
from harness.gate.policy import parse_policy
from harness.stats.holm import holm

NIGHT = datetime(2026, 1, 1, tzinfo=UTC)
CRITERIA = [
    {"metric": "quality", "kind": "score", "margin": 0.03},
    {"metric": "label", "kind": "flip", "margin": 0.02},
    {"metric": "stable", "kind": "flip", "margin": 0.02, "deterministic": True},
    {"metric": "slow", "kind": "exceed", "margin": 0.0, "quantile": 0.95},
    {"metric": "cost", "kind": "cost", "margin": 0.0, "ratio": 1.1, "cap_usd": 0.5},
    {"metric": "contract", "kind": "limit", "margin": 0.05},
]


def random_rows(rng, criterion, *, clustered: bool, dirty: bool) -> list[dict]:
    """Between 2 and 150 cases, some with repeats; where dirty, under 1 % of faults that the gate must count."""
    kind = criterion["kind"]
    rows = []
    for case in range(int(rng.integers(2, 150))):
        cluster = f"u{rng.integers(0, 40)}" if clustered else f"c{case}"
        for repeat in range(1 + (rng.random() < 0.2)):
            if kind == "score":
                target, noise = rng.beta(8, 2, 2).tolist()
                target = 0.0 if rng.random() < 0.03 else target
            elif kind == "cost":
                target, noise = rng.lognormal(-3, 1, 2).tolist()
            else:
                target, noise = float(rng.random() < 0.05), float(rng.random() < 0.04)
            if criterion.get("deterministic") or kind == "limit":
                noise = None
            rows.append({"case": f"c{case}", "cluster": cluster, "repeat": repeat, "value_target": target})
            rows[-1] |= {"value_noise": noise, "status_target": "ok", "status_source": "ok"}
            if dirty and rng.random() < 0.02:
                rows[-1]["status_target"] = str(rng.choice(["error", "timeout"]))
            if dirty and rng.random() < 0.01 and kind != "limit":
                rows[-1]["status_source"] = "error"
            if dirty and rng.random() < 0.004:
                rows[-1]["value_target"] = math.nan
    return rows


def in_harness(rows: list[dict], metric: str, run: str = "") -> Rows:
    statuses = ("status_target", "status_source")
    return Rows.from_rows(
        Row(metric=metric, run=run, **row | {name: RowStatus(row[name]) for name in statuses}) for row in rows
    )


def policy(criterion, mode, max_cluster=None):
    gate = {"mode": mode} | ({"max_cluster": max_cluster} if max_cluster else {})
    return parse_policy({"gate": gate, "criterion": [criterion]}, where="policy.toml")


@pytest.mark.parametrize("mode", ["fixed", "anytime"])
@pytest.mark.parametrize("clustered", [False, True], ids=["cases", "clusters"])
@pytest.mark.parametrize("criterion", CRITERIA, ids=lambda criterion: criterion["metric"])
def test_one_night_agrees(criterion, clustered, mode):
    """Same D, same units, same p-values, for every kind, with repeats, clusters and failures."""
    rng = np.random.default_rng([len(criterion["metric"]), clustered, mode == "fixed"])
    for _ in range(25):
        rows = random_rows(rng, criterion, clustered=clustered, dirty=True)
        max_cluster = 30 if clustered and rng.random() < 0.5 else None
        decision = decide(in_harness(rows, criterion["metric"]), policy(criterion, mode, max_cluster), decided_at=NIGHT)
        for finding in decision.findings:
            severe = finding.criterion.endswith(" severe")
            units = textbook.unit_means(rows, criterion, severe=severe)
            ends = (-1.0, 1.0) if severe else textbook.bounds(criterion)
            if not units:
                assert finding.evidence is None
                continue
            if mode == "fixed":
                exact = not severe and (criterion.get("deterministic", False) or criterion["kind"] == "limit")
                expected = textbook.fixed(units, margin=finding.margin, ends=ends, exact=exact)
            elif any(size > (max_cluster or 10**9) for _, size in units):
                continue  # the gate refuses such a cluster, whatever its p-value
            else:
                expected = textbook.anytime(units, margin=finding.margin, ends=ends, max_cluster=max_cluster)
            assert finding.evidence.units == len(units)
            assert (finding.evidence.p_go, finding.evidence.p_no_go) == pytest.approx(expected, abs=1e-9, rel=1e-9)


@pytest.mark.parametrize("criterion", CRITERIA, ids=lambda criterion: criterion["metric"])
def test_fourteen_nights_agree(criterion):
    """The largest E over nights, each night with new cases, is what the p-value keeps."""
    rng = np.random.default_rng(len(criterion["metric"]))
    for _ in range(5):
        nights = []
        for night in range(14):
            rows = random_rows(rng, criterion, clustered=False, dirty=False)
            for row in rows:
                row["case"] = row["cluster"] = f"{night}:{row['case']}"
            nights.append(rows)
        *earlier, last = (in_harness(rows, criterion["metric"], f"night-{at}") for at, rows in enumerate(nights))
        decision = decide(last, policy(criterion, "anytime"), decided_at=NIGHT, history=earlier)
        finding = decision.findings[0]
        per_night = [textbook.unit_means(rows, criterion) for rows in nights]
        units = [unit for of_night in per_night for unit in of_night]
        looks = [at for at, of_night in enumerate(per_night) for _ in of_night]
        ends = textbook.bounds(criterion)
        expected = textbook.anytime(units, margin=finding.margin, ends=ends, looks=looks)
        assert (finding.evidence.p_go, finding.evidence.p_no_go) == pytest.approx(expected, abs=1e-9, rel=1e-9)


@pytest.mark.parametrize("mode", ["fixed", "anytime"])
def test_bounds_and_p_values_say_the_same(mode):
    """The lower bound clears the margin exactly when the loss is ruled out at 5 %, the upper one likewise."""
    rng = np.random.default_rng(5)
    for _ in range(200):
        criterion = CRITERIA[int(rng.integers(len(CRITERIA)))]
        rows = random_rows(rng, criterion, clustered=False, dirty=False)
        decision = decide(in_harness(rows, criterion["metric"]), policy(criterion, mode), decided_at=NIGHT)
        for finding in decision.findings:
            evidence = finding.evidence
            if min(abs(evidence.p_go - 0.05), abs(evidence.p_no_go - 0.05)) > 1e-4:
                assert (evidence.low > -evidence.margin) == (evidence.p_go <= 0.05)
                assert (evidence.high < -evidence.margin) == (evidence.p_no_go <= 0.05)


def test_holm_agrees():
    rng = np.random.default_rng(3)
    for _ in range(300):
        p_values = rng.random(int(rng.integers(1, 25))) ** 3 / 4
        assert holm(p_values, alpha=0.05).tolist() == textbook.holm(p_values.tolist(), 0.05)
