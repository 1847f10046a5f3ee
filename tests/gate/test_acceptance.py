"""What the gate must get right, through `parity decide`, in both modes, at default settings."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from tests.gate.making import Fields, Gate, flip, flips, score, scores

FLIP_1 = flip(margin=0.01, deterministic=True)
FLIP_05 = flip(deterministic=True)


def with_status(rows: list[Fields], side: str, status: str, which: slice) -> list[Fields]:
    for row in rows[which]:
        row.update({f"status_{side}": status})
        row.update({"value_target": None} if side == "target" else {"value_target": None, "value_noise": None})
    return rows


def with_value(rows: list[Fields], which: slice, value: object) -> list[Fields]:
    for row in rows[which]:
        row["value_target"] = value
    return rows


def constant(n: int) -> list[Fields]:
    return [{"case": f"c{i}", "metric": "sim", "value_target": 0.9, "value_noise": 0.9} for i in range(n)]


def clustered(rows: list[Fields], clusters: int) -> list[Fields]:
    return [row | {"cluster": f"k{i % clusters}"} for i, row in enumerate(rows)]


def repeated(cases: int, times: int) -> list[Fields]:
    return [row | {"repeat": r} for r in range(times) for row in scores(cases, seed=r)]


def conflicting() -> list[Fields]:
    rows = scores(400)
    return [*rows, rows[7] | {"value_target": 0.1}]


def noisy_flips(n: int, rate: float) -> list[Fields]:
    rng = np.random.default_rng(3)
    target, noise = rng.random(n) < rate, rng.random(n) < rate
    return [
        {"case": f"c{i}", "metric": "label", "value_target": float(target[i]), "value_noise": float(noise[i])}
        for i in range(n)
    ]


def ties(n: int) -> list[Fields]:
    rng = np.random.default_rng(5)
    values = np.array([0.8, 0.9, 1.0])
    return [
        {"case": f"c{i}", "metric": "sim", "value_target": float(values[a]), "value_noise": float(values[b])}
        for i, (a, b) in enumerate(zip(rng.integers(0, 3, n), rng.integers(0, 3, n), strict=True))
    ]


def broken_subgroup(n: int, share: float) -> list[Fields]:
    rows = scores(n)
    return with_value(rows, slice(0, round(n * share)), 0.05)


def slow(n: int, *, p50: float, p95: float) -> list[Fields]:
    """Exceedances of frozen thresholds: the source's are 1 - p by definition, the target's as given."""
    rng = np.random.default_rng(11)
    rows = []
    for metric, usual, share in (("p50", 0.5, p50), ("p95", 0.05, p95)):
        source, target = rng.random(n) < usual, rng.random(n) < share
        rows += [
            {"case": f"c{i}", "metric": metric, "value_target": float(target[i]), "value_noise": float(source[i])}
            for i in range(n)
        ]
    return rows


LATENCY = [
    {"metric": "p50", "kind": "exceed", "quantile": 0.5},
    {"metric": "p95", "kind": "exceed", "quantile": 0.95},
]
TWENTY = [score(metric=f"m{i}") for i in range(20)]

CASES: dict[str, tuple[str, list[Fields], list[Fields]]] = {
    "equal noisy systems": ("GO", scores(400), [score()]),
    "equal noisy systems at 200 cases": ("GO", scores(200), [score()]),
    "drop of 0.10": ("NO-GO", scores(400, drop=0.10), [score()]),
    "sample mean on the margin": ("INCONCLUSIVE", scores(1000, drop=0.03), [score()]),
    "all NaN": ("INCONCLUSIVE", with_value(scores(400), slice(None), math.nan), [score()]),
    "no rows": ("INCONCLUSIVE", [], [score()]),
    "a gating metric absent": ("INCONCLUSIVE", scores(400), [score(), FLIP_05]),
    "all source errors": ("INCONCLUSIVE", with_status(scores(400), "source", "error", slice(None)), [score()]),
    "10 % source errors": ("INCONCLUSIVE", with_status(scores(400), "source", "error", slice(0, 40)), [score()]),
    "7.5 % infinities": ("INCONCLUSIVE", with_value(scores(400), slice(0, 30), math.inf), [score()]),
    "conflicting duplicates": ("INCONCLUSIVE", conflicting(), [score()]),
    "40 cases 25 times": ("INCONCLUSIVE", repeated(40, 25), [score()]),
    "one case": ("INCONCLUSIVE", scores(1), [score()]),
    "constant scores of 20": ("INCONCLUSIVE", constant(20), [score()]),
    "five clusters": ("INCONCLUSIVE", clustered(scores(400), 5), [score()]),
    "0 of 280 at 1 %": ("INCONCLUSIVE", flips(280, 0, noise=None), [FLIP_1]),
    "0 of 200 at 0.5 %": ("INCONCLUSIVE", flips(200, 0, noise=None), [FLIP_05]),
    "constant scores of 400": ("GO", constant(400), [score()]),
    "better target": ("GO", scores(400, drop=-0.05), [score()]),
    "heavy ties": ("GO", ties(1000), [score()]),
    "clusters of one": ("GO", clustered(scores(400), 400), [score()]),
    "0 of 1000 at 0.5 %": ("GO", flips(1000, 0, noise=None), [FLIP_05]),
    "10 % flips, all the source's noise": ("GO", noisy_flips(6000, 0.10), [flip(margin=0.03)]),
    "all target errors": ("NO-GO", with_status(scores(400), "target", "error", slice(None)), [score()]),
    "all target errors, half the slices": ("NO-GO", flips(60, 60, noise=None), [FLIP_05]),
    "2 % broken subgroup under a good mean": ("NO-GO", broken_subgroup(1000, 0.02), [score(severe=0.005)]),
    "2 % flips at 0.5 %": ("NO-GO", flips(1000, 20, noise=None), [FLIP_05]),
    "2 % flips at 0.5 %, noisy source": ("NO-GO", flips(1000, 20), [flip()]),
    "one bad metric of 20": (
        "NO-GO",
        [row for i in range(20) for row in scores(300, metric=f"m{i}", drop=0.1 * (i == 7), seed=i)],
        TWENTY,
    ),
    "twenty good metrics": ("GO", [row for i in range(20) for row in scores(300, metric=f"m{i}", seed=i)], TWENTY),
    "blown p95 with equal median": ("NO-GO", slow(1000, p50=0.35, p95=0.15), LATENCY),
    "equal latencies": ("GO", slow(2000, p50=0.30, p95=0.015), LATENCY),
    "8 % timeouts": ("NO-GO", with_status(scores(400), "target", "timeout", slice(0, 32)), [score()]),
    "40 cases with a drop of 0.30": ("NO-GO", scores(40, drop=0.30), [score()]),
}


@pytest.mark.parametrize("name", CASES)
def test_acceptance(gate: Gate, mode: str, name: str) -> None:
    verdict, rows, criteria = CASES[name]
    assert gate(rows, criteria, mode=mode).verdict == verdict


@pytest.mark.parametrize("name", CASES)
def test_rows_sorted_worst_first_decide_the_same(gate: Gate, mode: str, name: str) -> None:
    _, rows, criteria = CASES[name]
    shuffled = random.Random(1).sample(rows, len(rows))
    worst_first = sorted(rows, key=lambda row: (math.isfinite(row["value_target"] or 0.0), row["value_target"] or 0.0))
    documents = [gate(one, criteria, mode=mode).document for one in (rows, shuffled, worst_first)]
    assert documents[0]["findings"] == documents[1]["findings"] == documents[2]["findings"]
    assert documents[0]["headline"] == documents[1]["headline"] == documents[2]["headline"]


def test_anytime_is_the_default(gate: Gate) -> None:
    """Methods can be told apart by what a clean sample needs: 598 units fixed, 780 anytime."""
    rows = flips(600, 0, noise=None)
    assert gate(rows, [FLIP_05], mode="fixed").verdict == "GO"
    assert gate(rows, [FLIP_05]).verdict == "INCONCLUSIVE"
    assert gate(flips(780, 0, noise=None), [FLIP_05]).verdict == "GO"


@pytest.mark.parametrize("bad, fixed, anytime", [(0, 598, 780), (1, 947, 1449), (2, 1258, 1919)])
def test_units_that_a_flip_rate_needs(gate: Gate, bad: int, fixed: int, anytime: int) -> None:
    """GATE statistics, section 9: 598, 947, 1,258 units fixed and 780, 1,449, 1,919 anytime for 0, 1, 2 events."""
    for mode, needed in (("fixed", fixed), ("anytime", anytime)):
        assert gate(flips(needed, bad, noise=None), [FLIP_05], mode=mode).verdict == "GO"
        assert gate(flips(needed - 1, bad, noise=None), [FLIP_05], mode=mode).verdict == "INCONCLUSIVE"
