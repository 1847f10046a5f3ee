"""Reasons and headlines: plain words with the numbers filled in."""

from __future__ import annotations

import pytest

from harness.gate.words import number, percent
from tests.gate.making import Gate, flip, flips, score, scores


def test_go_says_what_was_ruled_out_and_how_likely_it_is_wrong(gate: Gate) -> None:
    headline = gate(scores(240), [score()], mode="fixed").document["headline"]
    assert "240 cases were on average 0.000 points less similar to the source's answers than the source is" in headline
    assert "at worst 0.00" in headline
    assert "and 0.03 is accepted" in headline
    assert "fewer than 1 of 20 such validations" in headline
    assert headline.endswith("This covers traffic like the recorded sample, and nothing else.")


def test_go_under_any_number_of_looks_says_so(gate: Gate) -> None:
    assert "however often the report was opened" in gate(scores(400), [score()]).document["headline"]


def test_a_stricter_risk_is_said(gate: Gate) -> None:
    assert "1 of 100 such validations" in gate(scores(400), [score()], alpha_go=0.01).document["headline"]


def test_no_go_says_what_is_certain(gate: Gate) -> None:
    """23 of 1,000 broke; even allowing for luck at least 1.5 % are affected; the limit is 1 %."""
    decided = gate(flips(1000, 23, noise=None), [flip(margin=0.01, deterministic=True)], mode="fixed")
    assert decided.finding("label")["reason"] == (
        "23 of 1,000 cases flipped. Even allowing for luck at least 1.5 % flip, and 1 % is accepted."
    )
    assert "below 1 of 20" in decided.document["headline"]


def test_inconclusive_says_what_the_sample_can_rule_out(gate: Gate) -> None:
    """200 flip-free cases rule out 1.5 %; the limit is 0.5 %; about 400 more would settle it."""
    reason = gate(flips(200, 0, noise=None), [flip(deterministic=True)], mode="fixed").finding("label")["reason"]
    assert "only rule out a rate above 1.5 %, and 0.5 % is accepted" in reason
    assert "At least 598 cases are needed. About 398 more cases would settle it." in reason


def test_clusters_are_named_where_there_are_any(gate: Gate) -> None:
    rows = [row | {"cluster": f"k{i // 4}"} for i, row in enumerate(flips(400, 0, noise=None))]
    reason = gate(rows, [flip(deterministic=True)]).finding("label")["reason"]
    assert "400 cases in 100 clusters" in reason
    assert "more clusters would settle it" in reason


def test_every_finding_has_a_reason(gate: Gate, mode: str) -> None:
    rows = [row | {"slices": {"region": "eu"}} for row in [*scores(60), *flips(60, 3)]]
    criteria = [score(slices={"region": ["eu", "us"]}), flip(), flip(metric="absent", name="gone")]
    for finding in gate(rows, criteria, mode=mode).document["findings"]:
        assert finding["reason"].endswith(".")
        assert "nan" not in finding["reason"].lower()


def test_the_largest_need_is_said_for_all(gate: Gate) -> None:
    rows = [*flips(200, 0, noise=None), *flips(200, 0, metric="error", noise=None)]
    criteria = [flip(deterministic=True), flip(metric="error", deterministic=True)]
    assert "In all, about 580 more would settle it." in gate(rows, criteria).document["headline"]


def test_a_noisy_source_is_counted_against_the_target(gate: Gate) -> None:
    reason = gate(flips(1000, 2, metric="error", noise=3), [flip(metric="error")]).finding("error")["reason"]
    assert reason.startswith("2 of 1,000 cases failed on the target alone, and 3 on the source alone. At worst 0.")
    assert reason.endswith(" % more fail, and 1 % is accepted.")


def test_faster_is_said_as_fewer_slow_calls(gate: Gate) -> None:
    rows = flips(1000, 0, metric="p50", noise=500)
    reason = gate(rows, [{"metric": "p50", "kind": "exceed", "quantile": 0.5}]).finding("p50")["reason"]
    assert reason.startswith("0 of 1,000 cases were slow on the target alone, and 500 on the source alone. At worst 4")
    assert reason.endswith(" % fewer are slow, and no more are accepted.")


@pytest.mark.parametrize(
    "share, up, limit, shown",
    [
        (0.01487, True, 0.005, "1.5 %"),
        (0.01487, False, 0.005, "1.4 %"),
        (0.004996, True, 0.005, "0.4996 %"),
        (0.9985, False, 0.005, "99 %"),
        (1.0, False, 0.005, "100 %"),
        (0.0, True, 0.01, "0 %"),
        (0.00001, True, 0.005, "0.001 %"),
        (0.005, None, None, "0.5 %"),
        (0.1, None, None, "10 %"),
    ],
)
def test_shares_claim_no_more_than_was_shown(share: float, up: bool | None, limit: float | None, shown: str) -> None:
    assert percent(share, up=up, apart=limit) == shown


@pytest.mark.parametrize(
    "value, shown", [(0.1234, "0.123"), (0.0, "0.000"), (-0.0, "0.000"), (0.00004, "0.00004"), (-0.25, "-0.250")]
)
def test_numbers_never_hide_behind_zeros(value: float, shown: str) -> None:
    assert number(value) == shown
