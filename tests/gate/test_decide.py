"""From rows and a policy to one decision: kinds, slices, combination, notes."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest

from harness.core.rows import Rows
from harness.core.verdict import Finding, Row, Verdict
from harness.errors import PolicyError
from harness.gate.decide import decide
from harness.gate.policy import parse_policy
from tests.gate.making import Fields, Gate, flip, flips, score, scores

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def sliced(rows: list[Fields], **slices: str) -> list[Fields]:
    return [row | {"slices": slices} for row in rows]


# Kinds


@pytest.mark.parametrize("kind", ["flip", "score"])
def test_a_deterministic_source_needs_no_noise_value(gate: Gate, mode: str, kind: str) -> None:
    good = 0.0 if kind == "flip" else 1.0
    rows = [{"case": f"c{i}", "metric": "m", "value_target": good} for i in range(1000)]
    criterion = {"metric": "m", "kind": kind}
    assert gate(rows, [criterion | {"deterministic": True}], mode=mode).verdict == "GO"
    without = gate(rows, [criterion], mode=mode)
    assert without.verdict == "INCONCLUSIVE"
    assert without.finding("m")["excluded"] == 1000


def test_a_deterministic_source_that_repeats_itself_may_show_it(gate: Gate, mode: str) -> None:
    rows = [row | {"value_noise": 0.0 if i < 60 else None} for i, row in enumerate(flips(1000, 0))]
    assert gate(rows, [flip(deterministic=True)], mode=mode).verdict == "GO"


def test_infinite_latency_is_a_slow_call(gate: Gate, mode: str) -> None:
    rows = flips(1000, 0, metric="p95")
    slow = [row | {"value_target": math.inf} if i < 100 else row for i, row in enumerate(rows)]
    decided = gate(slow, [{"metric": "p95", "kind": "exceed", "quantile": 0.95}], mode=mode)
    assert decided.verdict == "NO-GO"
    assert decided.finding("p95")["estimate"] == pytest.approx(-0.1)
    assert decided.finding("p95")["unscored"] == 0


@pytest.mark.parametrize("quantile, minimum", [(0.5, 40), (0.95, 400), (0.99, 2000)])
def test_a_latency_quantile_needs_twenty_calls_beyond_it(gate: Gate, quantile: float, minimum: int) -> None:
    def rows(n: int) -> list[Fields]:
        return [{"case": f"c{i}", "metric": "m", "value_target": 0, "value_noise": int(i % 4 == 0)} for i in range(n)]

    criterion = {"metric": "m", "kind": "exceed", "quantile": quantile}
    assert gate(rows(minimum), [criterion], mode="fixed").verdict == "GO"
    below = gate(rows(minimum - 1), [criterion], mode="fixed")
    assert below.verdict == "INCONCLUSIVE"
    assert below.finding("m")["more_units"] == 1


@pytest.mark.parametrize("ratio, verdict", [(1.0, "GO"), (1.25, "NO-GO")])
def test_cost_may_grow_by_the_ratio(gate: Gate, mode: str, ratio: float, verdict: str) -> None:
    rows = [{"case": f"c{i}", "metric": "usd", "value_target": 0.01 * ratio, "value_noise": 0.01} for i in range(1000)]
    decided = gate(rows, [{"metric": "usd", "kind": "cost", "ratio": 1.1, "cap_usd": 0.05}], mode=mode)
    assert decided.verdict == verdict
    assert decided.finding("usd")["estimate"] == pytest.approx((1.1 - ratio) * 0.01 / 0.05)


def test_a_failed_call_costs_the_cap_and_is_never_a_saving(gate: Gate) -> None:
    def estimate(noise: float) -> float:
        rows = [{"case": f"c{i}", "metric": "usd", "status_target": "error", "value_noise": noise} for i in range(100)]
        decided = gate(rows, [{"metric": "usd", "kind": "cost", "ratio": 1.1, "cap_usd": 0.05}])
        return float(decided.finding("usd")["estimate"])

    assert estimate(0.01) == pytest.approx((0.011 - 0.05) / 0.05)
    assert estimate(0.20) == 0.0


@pytest.mark.parametrize("cost", [math.inf, math.nan, -0.01])
def test_a_cost_that_is_no_amount_is_unscored(gate: Gate, cost: float) -> None:
    rows = [{"case": f"c{i}", "metric": "usd", "value_target": cost, "value_noise": 0.01} for i in range(100)]
    decided = gate(rows, [{"metric": "usd", "kind": "cost", "ratio": 1.1, "cap_usd": 0.05}])
    assert decided.verdict == "INCONCLUSIVE"
    assert decided.finding("usd")["unscored"] == 100


@pytest.mark.parametrize("over, verdict", [(0, "GO"), (3, "INCONCLUSIVE"), (40, "NO-GO")])
@pytest.mark.parametrize("limit", [None, 1.0])
def test_a_contractual_limit_looks_at_the_target_alone(
    gate: Gate, mode: str, limit: float | None, over: int, verdict: str
) -> None:
    high, low = (2.5, 0.4) if limit else (1, 0)
    rows = [{"case": f"c{i}", "metric": "m", "value_target": high if i < over else low} for i in range(500)]
    criterion = {"metric": "m", "kind": "limit", "margin": 0.01} | ({"limit": limit} if limit else {})
    decided = gate(rows, [criterion], mode=mode)
    assert decided.verdict == verdict
    if mode == "fixed":
        assert decided.finding("m")["method"] == "exact binomial"


def test_a_contractual_limit_counts_calls_whose_source_failed(gate: Gate, mode: str) -> None:
    rows = [
        {"case": f"c{i}", "metric": "m"}
        | ({"value_target": 9.0, "status_source": "error"} if i < 20 else {"value_target": 0.2})
        for i in range(1000)
    ]
    decided = gate(rows, [{"metric": "m", "kind": "limit", "limit": 1.0, "margin": 0.01}], mode=mode)
    assert decided.verdict != "GO"
    assert (decided.finding("m")["excluded"], decided.finding("m")["units"]) == (0, 1000)


@pytest.mark.parametrize("larger", [True, False])
def test_quality_is_paired_against_the_truth(gate: Gate, mode: str, larger: bool) -> None:
    """The target is wrong where the source is right in 100 of 2,000 cases; a loss counts the other way."""
    good = 1.0 if larger else 0.0
    rows = [
        {"case": f"c{i}", "metric": "right", "value_target": good if i >= 100 else 1 - good, "value_noise": good}
        for i in range(2000)
    ]
    criterion = {"metric": "right", "kind": "quality", "margin": 0.01, "larger_is_better": larger}
    decided = gate(rows, [criterion], mode=mode)
    assert decided.verdict == "NO-GO"
    assert decided.finding("right")["estimate"] == pytest.approx(-0.05)


@pytest.mark.parametrize(
    "values, keys, verdict",
    [
        ([0, 0], {}, "GO"),
        ([0, 1], {}, "NO-GO"),
        ([0.1, 0.2], {"limit": 0.2}, "GO"),
        ([0.1, 0.3], {"limit": 0.2}, "NO-GO"),
        ([0.1, 0.3], {"margin": 0.2}, "NO-GO"),
        ([0.9, 1.1], {"lower_limit": 0.8, "limit": 1.25}, "GO"),
        ([0.7, 1.1], {"lower_limit": 0.8, "limit": 1.25}, "NO-GO"),
        ([9.0], {"lower_limit": 0.8}, "GO"),
        ([0, None], {}, "INCONCLUSIVE"),
        ([1, None], {}, "NO-GO"),
        ([0, math.nan], {}, "INCONCLUSIVE"),
        ([], {}, "INCONCLUSIVE"),
    ],
)
def test_a_check_is_a_census(gate: Gate, mode: str, values: list[float | None], keys: Fields, verdict: str) -> None:
    rows = [{"case": f"c{i}", "metric": "bias", "value_target": value} for i, value in enumerate(values)]
    decided = gate(rows, [{"metric": "bias", "kind": "check", **keys}], mode=mode)
    assert decided.verdict == verdict
    assert decided.finding("bias")["p_go"] is None


@pytest.mark.parametrize("values, verdict", [((0.01, 0.9), "NO-GO"), ((0.9, 0.01), "GO")])
def test_a_check_is_asked_of_the_latest_run(gate: Gate, values: tuple[float, float], verdict: str) -> None:
    rows = [
        {"case": "c", "metric": "bias", "value_target": value, "run": f"n{i}"}
        for i, value in enumerate(values, start=1)
    ]
    check = {"metric": "bias", "kind": "check", "limit": 0.1}
    assert gate(rows, [check]).verdict == verdict
    assert gate(rows, [check], mode="fixed").verdict == "INCONCLUSIVE", "one look, and two answers"


def test_a_check_without_a_row_in_the_latest_run_has_no_data(gate: Gate) -> None:
    rows = [
        {"case": "c", "metric": "bias", "value_target": 0, "run": "n1"},
        *(row | {"run": "n2"} for row in scores(400)),
    ]
    decided = gate(rows, [{"metric": "bias", "kind": "check"}, score()])
    assert decided.verdict == "INCONCLUSIVE"
    assert "no data tonight" in decided.finding("bias")["reason"]


def test_a_metric_without_rows_of_all_cases_is_noted(gate: Gate) -> None:
    def told(kind: str, n: int) -> list[str]:
        part = [row | {"metric": "part"} for row in flips(n, 0)]
        rows = [*flips(6000, 0), *part, {"case": "registry", "metric": "entry", "value_target": 0}]
        criterion = {"metric": "part", "kind": kind, "margin": 0.01}
        notes = gate(rows, [flip(), criterion, {"metric": "entry", "kind": "check"}]).document["notes"]
        return [note for note in notes if "has rows of" in note]

    assert told("flip", 2500) == ['Metric "part" has rows of 2,500 of 6,000 cases.']
    assert told("flip", 6000) == []
    assert told("exceed", 2500) == []


def test_an_absent_artefact_is_not_a_bad_one(gate: Gate) -> None:
    rows = [{"case": "registry", "metric": "entry", "status_target": "error"}]
    assert gate(rows, [{"metric": "entry", "kind": "check"}]).verdict == "INCONCLUSIVE"


def test_checks_stand_outside_holm_and_in_policy_order(gate: Gate) -> None:
    rows = [*scores(400), {"case": "a", "metric": "entry", "value_target": 0}]
    criteria = [
        {"metric": "entry", "kind": "check"},
        score(),
        {"metric": "entry", "kind": "check", "name": "again"},
    ]
    document = gate(rows, criteria).document
    assert [finding["criterion"] for finding in document["findings"]] == ["entry", "sim", "sim severe", "again"]
    assert document["decision"] == "GO"


# Severe drops


def test_a_good_mean_does_not_pay_for_broken_cases(gate: Gate, mode: str) -> None:
    """8 % of cases broken outright: clipped to 0.25 each they cost 0.02 of the mean, within the margin."""
    rows = [row | {"value_target": 0.0} if i < 80 else row for i, row in enumerate(scores(1000))]
    decided = gate(rows, [score()], mode=mode)
    assert decided.finding("sim")["verdict"] == "GO"
    assert decided.finding("sim severe")["verdict"] == "NO-GO"
    assert decided.verdict == "NO-GO"


def test_a_drop_of_exactly_the_threshold_is_not_severe(gate: Gate) -> None:
    rows = [{"case": f"c{i}", "metric": "sim", "value_target": 0.5, "value_noise": 0.9} for i in range(200)]
    assert gate(rows, [score()]).finding("sim severe")["estimate"] == 0.0


# Units


def test_repeats_average_within_a_case_and_cases_within_a_cluster(gate: Gate) -> None:
    rows = [
        {"case": "a", "cluster": "k", "metric": "label", "value_target": 1, "value_noise": 0, "repeat": 0},
        {"case": "a", "cluster": "k", "metric": "label", "value_target": 0, "value_noise": 0, "repeat": 1},
        {"case": "b", "cluster": "k", "metric": "label", "value_target": 0, "value_noise": 0},
        {"case": "c", "metric": "label", "value_target": 1, "value_noise": 0},
    ]
    fixed = gate(rows, [flip()], mode="fixed").finding("label")
    assert fixed["units"] == 2
    assert fixed["estimate"] == pytest.approx(-(0.5 + 0 + 1) / 3), "cases weigh the same in a fixed sample"
    anytime = gate(rows, [flip()]).finding("label")
    assert anytime["estimate"] == pytest.approx(-(0.25 + 1) / 2), "clusters weigh the same without a declared size"
    declared = gate(rows, [flip()], max_cluster=2).finding("label")
    assert declared["estimate"] == pytest.approx(-(0.5 + 0 + 1) / 3)


def in_one_cluster(n: int, bad: int) -> list[Fields]:
    return [row | {"cluster": "giant"} for row in flips(n, bad, noise=None, case="giant")]


def test_a_giant_cluster_withholds_go_unless_its_size_was_declared(gate: Gate) -> None:
    rows = [*flips(2500, 0, noise=None), *in_one_cluster(6000, 6000)]
    decided = gate(rows, [flip(deterministic=True)])
    assert decided.verdict == "INCONCLUSIVE"
    reason = decided.finding("label")["reason"]
    assert "6,000 of 8,500 cases (71 %), more than 5 %" in reason
    assert "Declare max_cluster" in reason
    assert "more than 5 %" not in gate(rows, [flip(deterministic=True)], max_cluster=6000).finding("label")["reason"]


@pytest.mark.parametrize("size, verdict", [(100, "GO"), (101, "INCONCLUSIVE")])
def test_a_cluster_of_one_case_in_twenty_may_stay_undeclared(gate: Gate, size: int, verdict: str) -> None:
    rows = [*flips(2000 - size, 0, noise=None), *in_one_cluster(size, 0)]
    assert gate(rows, [flip(deterministic=True)]).verdict == verdict


@pytest.mark.parametrize("size, verdict", [(100, "GO"), (101, "INCONCLUSIVE")])
def test_a_cluster_may_hold_a_quarter_of_a_slice(gate: Gate, size: int, verdict: str) -> None:
    us = [*flips(400 - size, 0, noise=None, case="us"), *in_one_cluster(size, 0)]
    rows = [*sliced(flips(3000, 0, noise=None), region="eu"), *sliced(us, region="us")]
    decided = gate(rows, [flip(deterministic=True, slices={"region": ["us"]})])
    assert (decided.verdict, decided.finding("label")["verdict"]) == (verdict, "GO")


def test_a_giant_cluster_does_not_keep_from_refusing(gate: Gate) -> None:
    rows = [*flips(500, 200, noise=None), *in_one_cluster(6000, 0)]
    assert gate(rows, [flip(deterministic=True)]).verdict == "NO-GO"


def test_two_units_may_refuse_and_one_may_not(gate: Gate) -> None:
    criterion = flip(deterministic=True)
    assert gate(flips(1, 1, noise=None), [criterion], mode="fixed").verdict == "INCONCLUSIVE"
    assert gate(flips(2, 2, noise=None), [criterion], mode="fixed").verdict == "NO-GO"


# Slices


def test_a_label_that_is_never_predicted_is_seen_in_its_own_slice(gate: Gate, mode: str) -> None:
    """0.3 % of traffic flips: inside a margin of 0.5 % on 10,000 cases, and the whole of the label "fraud"."""
    rows = [
        row | {"slices": {"source_label": "fraud" if i < 30 else "fine"}}
        for i, row in enumerate(flips(10_000, 30, noise=None))
    ]
    decided = gate(rows, [flip(deterministic=True)], mode=mode)
    assert decided.finding("label")["verdict"] == "GO"
    assert decided.finding("label", "source_label=fine")["verdict"] == "GO"
    assert decided.finding("label", "source_label=fraud")["verdict"] == "NO-GO"
    assert decided.verdict == "NO-GO"


def test_source_labels_are_slices_of_flips_only(gate: Gate) -> None:
    document = gate(sliced(scores(400), source_label="fine"), [score()]).document
    assert [finding["slice"] for finding in document["findings"]] == [None, None]


@pytest.mark.parametrize("critical, verdict", [(False, "GO"), (True, "INCONCLUSIVE")])
def test_a_slice_below_its_minimum_is_not_covered(gate: Gate, mode: str, critical: bool, verdict: str) -> None:
    rows = [*sliced(scores(400), region="eu"), *sliced(scores(5, case="us"), region="us")]
    decided = gate(rows, [score(slices={"region": ["eu", "us"]}, critical=critical)], mode=mode)
    small = decided.finding("sim", "region=us")
    assert decided.verdict == verdict
    assert (small["verdict"], small["gating"]) == ("INCONCLUSIVE", critical)
    assert any("Not covered" in note and "region=us (5 of at least" in note for note in decided.document["notes"])


def test_a_slice_below_its_minimum_may_still_refuse(gate: Gate) -> None:
    """27 of 27 flips in a slice that needs 29 for GO."""
    rows = [*sliced(flips(1000, 0), region="eu"), *sliced(flips(27, 27, case="us"), region="us")]
    decided = gate(rows, [flip(margin=0.05, slices={"region": ["us"]})])
    assert decided.finding("label", "region=us")["verdict"] == "NO-GO"
    assert decided.verdict == "NO-GO"


def test_a_declared_slice_without_a_row_is_inconclusive(gate: Gate, mode: str) -> None:
    decided = gate(sliced(scores(400), region="eu"), [score(slices={"region": ["eu", "apac"]})], mode=mode)
    assert decided.verdict == "INCONCLUSIVE"
    assert "never shown to work there" in decided.finding("sim", "region=apac")["reason"]


@pytest.mark.parametrize("mode, units", [("anytime", 10), ("fixed", 30)])
def test_a_slice_of_scores_needs_ten_units_and_thirty_in_a_fixed_sample(gate: Gate, mode: str, units: int) -> None:
    def small(n: int) -> Fields:
        rows = [*sliced(scores(400), region="eu"), *sliced(scores(n, case="us"), region="us")]
        return gate(rows, [score(slices={"region": ["us"]})], mode=mode).finding("sim", "region=us")

    assert small(units)["verdict"] == "GO"
    assert small(units - 1)["verdict"] == "INCONCLUSIVE"


@pytest.mark.parametrize("slices", ["us", "region=us", '{"region": "us"}'])
def test_a_slice_may_be_one_text(gate: Gate, slices: str) -> None:
    rows = [row | {"slices": slices} for row in scores(400)]
    assert gate(rows, [score(slices={"region": ["us"]})]).finding("sim", "region=us")["units"] == 400


def test_a_slice_of_which_nothing_could_be_scored_refuses_nothing(gate: Gate) -> None:
    broken = [row | {"value_target": None} for row in sliced(scores(20, case="us"), region="us")]
    decided = gate([*sliced(scores(4000), region="eu"), *broken], [score(slices={"region": ["us"]})])
    assert decided.finding("sim")["verdict"] == "GO"
    assert decided.finding("sim", "region=us")["verdict"] == "INCONCLUSIVE"
    assert decided.verdict == "INCONCLUSIVE"


# Combination


def test_no_go_beats_inconclusive_beats_go(gate: Gate) -> None:
    bad, open_, good = flips(500, 50, metric="bad"), flips(100, 0, metric="open"), flips(1000, 0, metric="good")
    kinds = {name: flip(metric=name) for name in ("bad", "open", "good")}
    rows = [*bad, *open_, *good]
    assert gate(rows, kinds.values()).verdict == "NO-GO"
    assert gate(rows, [kinds["open"], kinds["good"]]).verdict == "INCONCLUSIVE"
    assert gate(rows, [kinds["good"]]).verdict == "GO"


def test_an_advisory_criterion_is_reported_and_never_votes(gate: Gate, mode: str) -> None:
    rows = [*scores(400), *flips(500, 50)]
    decided = gate(rows, [score(), flip(advisory=True)], mode=mode)
    assert decided.verdict == "GO"
    assert (decided.finding("label")["verdict"], decided.finding("label")["gating"]) == ("NO-GO", False)


def test_nothing_but_advisory_criteria_decides_nothing(gate: Gate) -> None:
    decided = gate(scores(400), [score(advisory=True)])
    assert decided.verdict == "INCONCLUSIVE"
    assert "advisory" in decided.document["headline"]


def test_more_criteria_make_a_refusal_harder(gate: Gate) -> None:
    """p = 0.02 refuses alone, and not among five: Holm's first step is 0.05 / 5."""
    rows = [*flips(200, 4, noise=None), *(row for i in range(4) for row in flips(1000, 0, metric=f"m{i}", noise=None))]
    alone = gate(rows, [flip(deterministic=True)], mode="fixed")
    assert 0.01 < alone.finding("label")["p_no_go"] < 0.05
    assert alone.verdict == "NO-GO"
    others = [flip(metric=f"m{i}", deterministic=True) for i in range(4)]
    assert gate(rows, [flip(deterministic=True), *others], mode="fixed").verdict == "INCONCLUSIVE"


def test_metrics_without_a_criterion_are_listed_and_not_judged(gate: Gate) -> None:
    decided = gate([*scores(400), *flips(100, 100, metric="other")], [score()])
    assert decided.verdict == "GO"
    assert "Metrics without a criterion, listed and not judged: other." in decided.document["notes"]


def test_rows_merged_are_counted(gate: Gate) -> None:
    rows = scores(400)
    assert any("3 rows repeat" in note for note in gate([*rows, *rows[:3]], [score()]).document["notes"])


@pytest.mark.parametrize("verdict", list(Verdict))
def test_what_others_found_votes_like_any_other(verdict: Verdict) -> None:
    rows = Rows.from_rows(Row(case=f"c{i}", metric="label", value_target=0.0, value_noise=0.0) for i in range(1000))
    policy = parse_policy({"criterion": [{"metric": "label", "kind": "flip"}]}, where="POLICY.toml")
    found = Finding(criterion="run complete", metric="", verdict=verdict, reason="told by the run")
    decision = decide(rows, policy, decided_at=NOW, findings=[found], signature="pair=a")
    assert decision.verdict is verdict
    assert (decision.findings[-1], decision.signature, decision.decided_at) == (found, "pair=a", NOW)


def test_a_fixed_sample_takes_no_history() -> None:
    policy = parse_policy(
        {"gate": {"mode": "fixed"}, "criterion": [{"metric": "label", "kind": "flip"}]}, where="POLICY.toml"
    )
    with pytest.raises(PolicyError, match="one look planned in advance"):
        decide(Rows.empty(), policy, decided_at=NOW, history=[Rows.empty()])


# Forecast


def test_the_forecast_of_a_clean_sample(gate: Gate) -> None:
    """200 flip-free cases: 398 more in a fixed sample, 580 where any number of looks is allowed."""
    rows = flips(200, 0, noise=None)
    assert gate(rows, [flip(deterministic=True)], mode="fixed").finding("label")["more_units"] == 398
    assert gate(rows, [flip(deterministic=True)]).finding("label")["more_units"] == 580


@pytest.mark.parametrize("bad", [0, 1])
def test_as_many_more_of_the_same_settle_it(gate: Gate, mode: str, bad: int) -> None:
    n = 1000 if bad else 200
    more = gate(flips(n, bad, noise=None), [flip(margin=0.004, deterministic=True)], mode=mode).finding("label")[
        "more_units"
    ]
    assert more > 0
    grown = gate(flips(n + more, bad, noise=None), [flip(margin=0.004, deterministic=True)], mode=mode)
    assert grown.verdict == "GO"


def test_a_loss_at_the_margin_has_no_forecast(gate: Gate, mode: str) -> None:
    finding = gate(scores(400, drop=0.03), [score()], mode=mode).finding("sim")
    assert finding["more_units"] is None
    assert "close to the agreed margin" in finding["reason"]
