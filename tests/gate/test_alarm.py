"""Alarms: seen in the night a target breaks, rarely raised where it does not, never multiplied over replays."""

from __future__ import annotations

from datetime import UTC, datetime
from math import exp, log

import numpy as np
import pytest

from harness.core.rows import Rows
from harness.core.verdict import Row
from harness.gate import alarm
from harness.gate.policy import Policy, parse_policy

AT = datetime(2026, 1, 1, tzinfo=UTC)
LIMITS = {"criterion": [{"metric": "label", "kind": "flip", "margin": 0.05, "deterministic": True}]}


def policy(**more: object) -> Policy:
    return parse_policy({**LIMITS, **more}, where="policy.toml")


def rows(flips: int, n: int, *, night: int = 0) -> Rows:
    return Rows.from_rows(
        Row(
            case=f"{night}-{at}",
            metric="label",
            run=f"n{night}",
            value_target=float(at < flips),
            slices={"kind": "known" if at < flips else "other"},
        )
        for at in range(n)
    )


def bet(flips: int, n: int) -> float:
    return alarm.log_bets(rows(flips, n), policy(), decided_at=AT)["label"]


def test_a_night_that_breaks_badly_is_refused_at_once() -> None:
    assert alarm.refused({"label": bet(20, 50)}, questions=1) == ("label",)
    assert alarm.refused({"label": bet(0, 50)}, questions=1) == ()


def test_what_each_night_shows_a_little_of_several_show_together() -> None:
    figures: dict[str, float] = {}
    alone = bet(8, 50)
    assert alarm.refused({"label": alone}, questions=1) == ()
    nights = 0
    while not alarm.refused(figures, questions=1):
        figures, nights = alarm.carried(figures, {"label": alone}), nights + 1
    assert 2 <= nights <= 5


def test_the_figure_is_e_times_one_more_than_the_night_before() -> None:
    """Shin, Ramdas and Rinaldo 2024: M_t = E_t (1 + M_{t-1}), from M_0 = 0."""
    first = alarm.carried({}, {"label": log(3.0)})
    second = alarm.carried(first, {"label": log(0.5)})
    assert exp(first["label"]) == pytest.approx(3.0)
    assert exp(second["label"]) == pytest.approx(0.5 * (1 + 3.0))
    assert alarm.carried({"label": 800.0}, {"label": 1.0})["label"] == pytest.approx(801.0)


def test_good_nights_before_do_not_hide_a_bad_one() -> None:
    """However long the target was good, M is never below 0, so nothing has to be won back."""
    figures: dict[str, float] = {}
    for _ in range(50):
        figures = alarm.carried(figures, {"label": bet(0, 50)})
    assert alarm.refused(alarm.carried(figures, {"label": bet(20, 50)}), questions=1)


def test_many_questions_raise_the_bound() -> None:
    figure = log(alarm.NIGHTS * 3.0)
    assert alarm.refused({"a": figure}, questions=2) == ("a",)
    assert alarm.refused({"a": figure}, questions=4) == ()


def test_at_the_margin_an_alarm_comes_after_at_least_as_many_nights_as_promised() -> None:
    """5 % flips where 5 % are accepted, 50 units a night: 40 streams of 400 nights, cut there, average no fewer than
    their promise allows for being cut: E[min(T, N)] >= N (1 - 1/2) by P(T <= t) <= t / N."""
    generator = np.random.default_rng(3)
    known = {flips: bet(flips, 50) for flips in range(16)}
    lasted = []
    for _ in range(40):
        figures: dict[str, float] = {}
        nights = 0
        while nights < alarm.NIGHTS and not alarm.refused(figures, questions=1):
            flips = min(int(generator.binomial(50, 0.05)), 15)
            figures, nights = alarm.carried(figures, {"label": known[flips]}), nights + 1
        lasted.append(nights)
    assert np.mean(lasted) >= alarm.NIGHTS / 2


def test_rows_that_may_not_be_judged_say_nothing() -> None:
    broken = Rows.from_rows(
        Row(case=f"{at}", metric="label", run="n", value_target=float("nan") if at < 10 else 1.0) for at in range(50)
    )
    assert alarm.log_bets(broken, policy(), decided_at=AT)["label"] == 0.0
    assert bet(1, 1) == 0.0


def test_what_is_waived_gives_no_alarm() -> None:
    waiver = {"criterion": "label", "slice": "kind=known", "owner": "risk", "reason": "known", "expires": "2026-12-31"}
    found = alarm.log_bets(rows(20, 50), policy(waiver=[waiver]), decided_at=AT)
    assert not alarm.refused(found, questions=1)


def test_advisory_criteria_are_not_asked() -> None:
    entry = {**LIMITS["criterion"][0], "advisory": True}
    assert alarm.log_bets(rows(20, 50), policy(criterion=[entry]), decided_at=AT) == {}
