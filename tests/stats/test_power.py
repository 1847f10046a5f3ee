"""What the planner computes, held against the tables of the statistics reference and against the gate's own tests."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from harness.stats import power
from harness.stats.anytime import anytime
from harness.stats.fixed import fixed_sample
from harness.stats.minimum import minimum_units
from harness.stats.power import Design
from tests.stats.making import units


def design(margin: float, *, low_end: float = -1.0, mode: str = "anytime", exact: bool = False, **more) -> Design:
    least = minimum_units(margin=margin, low_end=low_end, alpha=0.05, **more)
    high_end = 0.0 if exact else -low_end
    return Design(
        margin=margin,
        low_end=low_end,
        high_end=high_end,
        alpha=0.05,
        minimum=least,
        anytime=mode == "anytime",
        exact=exact and mode == "fixed",
    )


@pytest.mark.parametrize(
    ("margin", "fixed", "at_any_time"), [(0.005, 598, 780), (0.01, 299, 389), (0.02, 149, 194), (0.1, 29, 37)]
)
def test_clean_units_are_those_of_the_reference(margin: float, fixed: int, at_any_time: int):
    """Section 9: 598 / 780 for flips, 299 / 389 for errors, 149 / 194 for severe drops, 29 / 37 for slices."""
    assert power.clean_units(design(margin, mode="fixed", exact=True)) == fixed
    assert power.clean_units(design(margin)) == at_any_time


@pytest.mark.parametrize(("margin", "fixed"), [(0.005, 598), (0.01, 299), (0.02, 149)])
def test_with_a_noisy_source_the_gates_minimum_rules(margin: float, fixed: int):
    """The t-test with one unit added takes 2.7 / margin clean units; the gate asks for the rule of three."""
    made = design(margin, mode="fixed")
    assert power.clean_units(made) < fixed
    assert power.units_needed(made, power.never(), power=0.99) == fixed


def test_one_event_nearly_doubles_what_a_clean_sample_needs():
    """Section 9: 598, 947, 1,258 (fixed) and 780, 1,449, 1,919 (anytime) for 0, 1, 2 events at 0.5 %."""
    fixed, betting = design(0.005, mode="fixed", exact=True), design(0.005)
    assert [power.units_with_events(fixed, events) for events in range(3)] == [598, 947, 1258]
    assert [power.units_with_events(betting, events) for events in range(3)] == [780, 1449, 1919]


def test_similarity_takes_57_units_on_average_and_about_100_in_a_fixed_sample():
    """Section 9, SD of D 0.08 at margin 0.03; the fixed sample shares its power with four or five other questions."""
    betting = design(0.03, low_end=-0.25)
    assert power.average_units(betting, power.normal(0.08)) == pytest.approx(57, rel=0.1)
    fixed = power.units_needed(design(0.03, low_end=-0.25, mode="fixed"), power.normal(0.08), power=0.96)
    assert fixed == pytest.approx(100, rel=0.1)


@pytest.mark.parametrize(
    ("quantile", "ratio", "average"), [(0.5, 1.2, 182), (0.95, 1.5, 259), (0.95, 2.0, 158), (0.95, 1.2, 835)]
)
def test_latency_takes_what_was_measured(quantile: float, ratio: float, average: int):
    """Sections 4 and 9, method B; one shape of latencies stands for all four within a tenth."""
    spread = power.slow_calls(quantile, ratio, scale=0.48, degrees=15)
    assert power.average_units(design(0.0, quantile=quantile), spread) == pytest.approx(average, rel=0.1)


@pytest.mark.parametrize("mode", ["fixed", "anytime"])
def test_a_sample_of_counts_is_judged_as_the_gate_judges_units(mode: str):
    made = design(0.03, low_end=-0.25, mode=mode)
    values = np.array([-0.2, -0.05, 0.0, 0.1])
    for counts in ([3, 20, 60, 9], [9, 20, 30, 9], [0, 30, 40, 1]):
        found = units(np.repeat(values, counts), low_end=-0.25, high_end=0.25)
        if mode == "fixed":
            p_go = fixed_sample(found, margin=0.03, alpha_go=0.05, alpha_no_go=0.05, exact=False).p_go
        else:
            p_go = anytime(found, margin=0.03, alpha_go=0.05, alpha_no_go=0.05).estimate.p_go
        said = power._go(made, values, np.array([counts], dtype=float), sum(counts))
        assert bool(said[0]) == (p_go <= 0.05)


def test_the_chance_of_an_exact_test_is_the_binomials():
    """947 units at 0.5 %: GO with at most one flip. At a true rate of 0.1 % that has the chance of X <= 1."""
    made = design(0.005, mode="fixed", exact=True)
    assert power.chance_of_go(made, power.events(0.001), 947) == pytest.approx(binom.cdf(1, 947, 0.001))
    assert power.chance_of_go(made, power.never(), 598) == 1
    assert power.chance_of_go(made, power.never(), 597) == 0


def test_at_the_margin_itself_go_is_rare():
    """The promise the plan rests on: a target exactly as bad as the margin gets GO in at most 5 % of samples."""
    made = design(0.03, low_end=-0.25)
    assert power.chance_of_go(made, power.normal(0.08, mean=-0.03), 400) <= 0.05
    assert power.units_needed(made, power.normal(0.08, mean=-0.04), power=0.8) is None


def test_the_units_needed_reach_the_power_and_fewer_do_not():
    made, spread = design(0.0, quantile=0.95), power.slow_calls(0.95, 1.5, scale=0.48, degrees=15)
    needed = power.units_needed(made, spread, power=0.96)
    assert needed is not None
    assert power.chance_of_go(made, spread, needed) >= 0.96
    assert power.chance_of_go(made, spread, int(needed * 0.9)) < 0.96


def test_the_smallest_margin_is_the_one_that_passes():
    """390 clean units settle 1 %, and nothing much below it."""

    def chance(margin: float) -> float:
        return power.chance_of_go(design(margin), power.never(), 390)

    found = power.smallest(chance, power=0.9, low=0.0, high=0.9)
    assert found == pytest.approx(0.01, rel=0.02)
    assert chance(found) == 1
    assert power.smallest(chance, power=0.9, low=0.0, high=0.001) is None


def test_the_same_plan_gives_the_same_answer():
    made, spread = design(0.03, low_end=-0.25), power.normal(0.08)
    assert power.chance_of_go(made, spread, 90) == power.chance_of_go(made, spread, 90)
    assert power.average_units(made, spread) == power.average_units(made, spread)


def test_an_equal_scores_spread_is_the_one_that_was_asked_for():
    spread = power.normal(0.08)
    assert spread.mean == pytest.approx(0, abs=1e-12)
    assert float(np.sqrt(spread.values**2 @ spread.shares)) == pytest.approx(0.08, rel=0.01)


def test_clusters_that_are_not_full_bet_less():
    from dataclasses import replace

    full = design(0.02)
    assert power.clean_units(replace(full, fill=0.5)) > 1.9 * power.clean_units(full)
