"""Every cleaning rule changes a verdict: take it away, and the gate gives another answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from harness.gate import answers, questions
from harness.stats import paired, units
from tests.gate.making import Fields, Gate, flip, flips, score, scores


def nowhere(rows: Any, *_: Any) -> Any:
    return np.zeros(len(rows), dtype=np.bool_)


def everywhere(rows: Any, *_: Any) -> Any:
    return np.ones(len(rows), dtype=np.bool_)


def keep_all(rows: Any, look: Any) -> Any:
    return np.arange(len(rows)), np.zeros(len(rows), dtype=np.bool_)


def at_no_look(tally: units.Tally) -> Any:
    return np.zeros(len(tally.rows), dtype=np.bool_)


def changed(rows: list[Fields], which: slice, **fields: Any) -> list[Fields]:
    return [row | fields if i in range(*which.indices(len(rows))) else row for i, row in enumerate(rows)]


def nights(*rows: list[Fields]) -> list[Fields]:
    return [row | {"run": f"night-{i}"} for i, night in enumerate(rows) for row in night]


def of_one_cluster_each(rows: list[Fields], case: str) -> list[Fields]:
    return [row | {"case": f"{case}-{i}", "cluster": f"k{i}"} for i, row in enumerate(rows)]


@dataclass(frozen=True)
class Mutant:
    """A rule, what takes its place, and rows on which the two must differ."""

    where: Any
    rule: str
    without: Callable[..., Any]
    rows: list[Fields]
    criterion: Fields
    verdict: str
    verdict_without: str
    gate: Fields


def mutant(
    where: Any,
    rule: str,
    without: Callable[..., Any],
    rows: list[Fields],
    verdicts: tuple[str, str],
    criterion: Fields | None = None,
    **gate: Any,
) -> Mutant:
    return Mutant(where, rule, without, rows, criterion or score(), *verdicts, gate)


GOOD = scores(400)
FAILED_THRICE = changed(GOOD, slice(0, 3), status_source="error")
CERTAIN = flip(deterministic=True)

MUTANTS = {
    "different reports of one case are a fault": mutant(
        paired, "merge_duplicates", keep_all, [*GOOD, GOOD[0] | {"value_target": 0.7}], ("INCONCLUSIVE", "GO")
    ),
    "a row reported ten times counts once": mutant(
        paired, "merge_duplicates", keep_all, [*GOOD[3:], *FAILED_THRICE[:3] * 10], ("GO", "INCONCLUSIVE")
    ),
    "a case's first reading stands": mutant(
        paired,
        "first_readings",
        everywhere,
        nights(flips(1000, 30), *[flips(1000, 0) for _ in range(20)]),
        ("NO-GO", "GO"),
        flip(),
        mode="fixed",
    ),
    "a cluster is closed at the end of its night": mutant(
        paired,
        "first_readings",
        everywhere,
        nights(
            of_one_cluster_each(flips(1000, 30), "old"),
            *[of_one_cluster_each(flips(1000, 0), f"new{night}") for night in range(20)],
        ),
        ("NO-GO", "GO"),
        flip(),
        mode="fixed",
    ),
    "a case belongs to one cluster": mutant(
        paired,
        "in_two_clusters",
        nowhere,
        [*GOOD, GOOD[0] | {"repeat": 1, "cluster": "another"}],
        ("INCONCLUSIVE", "GO"),
    ),
    "a failed source is no evidence": mutant(
        paired, "source_failed", nowhere, changed(GOOD, slice(0, 40), status_source="timeout"), ("INCONCLUSIVE", "GO")
    ),
    "a missing noise value is a failed source": mutant(
        paired, "source_failed", nowhere, flips(1000, 0, noise=None), ("INCONCLUSIVE", "GO"), flip()
    ),
    "a failed target is the worst value": mutant(
        paired,
        "target_failed",
        nowhere,
        changed(GOOD, slice(0, 100), status_target="error", value_target=None),
        ("NO-GO", "INCONCLUSIVE"),
    ),
    "a failed target is the worst value, whatever value it carries": mutant(
        paired, "target_failed", nowhere, changed(GOOD, slice(0, 100), status_target="timeout"), ("NO-GO", "GO")
    ),
    "an infinite score is no score": mutant(
        paired,
        "target_unscored",
        nowhere,
        changed(GOOD, slice(0, 30), value_target=float("inf")),
        ("INCONCLUSIVE", "GO"),
    ),
    "an unscored answer is no answer, whatever value it carries": mutant(
        paired,
        "target_unscored",
        nowhere,
        changed(GOOD, slice(0, 30), status_target="unscored"),
        ("INCONCLUSIVE", "GO"),
    ),
    "a noise value out of range is unscored": mutant(
        paired, "noise_unscored", nowhere, changed(GOOD, slice(0, 30), value_noise=-0.5), ("INCONCLUSIVE", "GO")
    ),
    "an unscored source answer counts": mutant(
        paired, "noise_unscored", nowhere, changed(GOOD, slice(0, 30), status_source="unscored"), ("INCONCLUSIVE", "GO")
    ),
    "a deterministic source does not differ from itself": mutant(
        paired, "contradicts_determinism", lambda measure, noise: nowhere(noise), flips(1000, 0, noise=1),
        ("INCONCLUSIVE", "GO"), CERTAIN,
    ),
    "at most 2 % may be excluded": mutant(
        units.Tally,
        "too_many_excluded",
        at_no_look,
        changed(GOOD, slice(0, 9), status_source="error"),
        ("INCONCLUSIVE", "GO"),
    ),
    "at most 1 % may be unscored": mutant(
        units.Tally,
        "too_many_unscored",
        at_no_look,
        changed(scores(2000), slice(0, 21), status_target="unscored"),
        ("INCONCLUSIVE", "GO"),
    ),
    "unscored rows refuse nothing": mutant(
        units.Tally,
        "too_many_unscored",
        at_no_look,
        changed(GOOD, slice(0, 100), value_target=None),
        ("INCONCLUSIVE", "NO-GO"),
    ),
    "a cluster larger than declared": mutant(
        answers,
        "_sound",
        lambda found, policy: np.ones(found.looks, dtype=np.bool_),
        [row | {"cluster": f"k{i // 2}"} for i, row in enumerate(scores(1000, drop=0.1))],
        ("INCONCLUSIVE", "NO-GO"),
        max_cluster=1,
    ),
    "too few units never pass": mutant(
        questions, "minimum_units", lambda **_: 0, scores(140, spread=0.0), ("INCONCLUSIVE", "GO"), mode="fixed"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MUTANTS)
def test_a_rule_taken_away_changes_the_verdict(gate: Gate, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    one = MUTANTS[name]
    assert gate(one.rows, [one.criterion], **one.gate).verdict == one.verdict
    monkeypatch.setattr(one.where, one.rule, one.without)
    assert gate(one.rows, [one.criterion], **one.gate).verdict == one.verdict_without


@pytest.mark.parametrize("failed, verdict", [(8, "GO"), (9, "INCONCLUSIVE")])
def test_two_in_a_hundred_may_be_excluded(gate: Gate, mode: str, failed: int, verdict: str) -> None:
    decided = gate(changed(GOOD, slice(0, failed), status_source="error"), [score()], mode=mode)
    assert decided.verdict == verdict
    assert decided.finding("sim")["excluded"] == failed


@pytest.mark.parametrize("lost, verdict", [(4, "GO"), (5, "INCONCLUSIVE")])
def test_one_in_a_hundred_may_be_unscored(gate: Gate, mode: str, lost: int, verdict: str) -> None:
    """Those that are allowed still count as the worst value: 4 of 400 broke badly, at most 3 % at margin 4 %."""
    decided = gate(changed(GOOD, slice(0, lost), value_target=None), [score(severe=0.04)], mode=mode)
    assert decided.verdict == verdict
    assert decided.finding("sim")["unscored"] == lost
    assert decided.finding("sim severe", None)["estimate"] == pytest.approx(-lost / 400)


def test_no_data_never_passes(gate: Gate, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "minimum_units", lambda **_: 0)
    for rows in ([], changed(GOOD, slice(None), status_source="error")):
        finding = gate(rows, [score()], mode=mode).finding("sim")
        assert finding["verdict"] == "INCONCLUSIVE"
        assert "no data" in finding["reason"]
        assert finding["units"] == 0
        assert finding["estimate"] is None


def test_both_sides_failing_is_a_failed_source(gate: Gate) -> None:
    """Rule 6: what failed on both sides at once says nothing about the target."""
    rows = changed(GOOD, slice(0, 8), status_source="error", status_target="error")
    assert gate(rows, [score()]).finding("sim")["estimate"] == pytest.approx(0.0, abs=0.002)


def test_a_failed_target_and_a_missing_value_are_not_unscored(gate: Gate) -> None:
    rows = changed(GOOD, slice(0, 8), status_target="error", value_target=float("nan"))
    assert gate(rows, [score()]).finding("sim")["unscored"] == 0
