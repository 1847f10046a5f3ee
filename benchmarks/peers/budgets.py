"""What a verdict costs: whole suites night by night until they are decided, for a target with a known loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from peers.margins import ALPHA, SETTINGS, Draw, Setting, Tested, drops, flips, scores, tested, units_of

from harness.stats.holm import holm


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """Questions that are judged together. calls: of both systems for one case."""

    words: str
    settings: tuple[Setting, ...]
    cases_a_night: int
    nights: int
    calls: int


def setting(name: str) -> Setting:
    return next(one for one in SETTINGS if one.name == name)


def scores_with_drops(rng: np.random.Generator, n: int, part: float) -> Draw:
    """Both losses at once: the broken answers' share of the mean is taken off the loss of the others."""
    broken = drops(rng, n, part, own=0.0).target < 0.5
    rest = scores(rng, n, part, margin=0.03 - 0.02 * 0.25)
    return Draw(np.where(broken, 0.1, rest.target), rest.noise)


MEAN = replace(setting("score"), draw=scores_with_drops)
SEVERE = replace(setting("severe"), draw=scores_with_drops)
SUITES = (
    Suite(
        words="LLM answers: mean 0.03, severe 2 %",
        settings=(MEAN, SEVERE),
        cases_a_night=50,
        nights=40,
        calls=3,
    ),
    Suite(
        words="the same, and failed calls 1 %",
        settings=(MEAN, SEVERE, setting("error")),
        cases_a_night=50,
        nights=40,
        calls=3,
    ),
    Suite(
        words="classifier, source proved to repeat itself: flips 0.5 %, failed calls 1 %",
        settings=(setting("flip"), replace(setting("error"), draw=partial(flips, margin=0.01, own=0.0))),
        cases_a_night=200,
        nights=40,
        calls=2,
    ),
    Suite(
        words="latency: median 1.2, 95th percentile 1.5",
        settings=(setting("latency p50"), setting("latency p95")),
        cases_a_night=100,
        nights=40,
        calls=2,
    ),
)


def first_verdict(suite: Suite, rng: np.random.Generator, part: float) -> tuple[str, int]:
    """GO, NO-GO or "-" in anytime mode, and the nights it took."""
    cases = suite.cases_a_night * suite.nights
    return first(_all_tested(suite, rng, part, cases, nights=suite.nights, mode="anytime"))


def single_verdict(suite: Suite, rng: np.random.Generator, part: float, cases: int) -> str:
    """The same suite in fixed mode, looked at once."""
    return first(_all_tested(suite, rng, part, cases, nights=1, mode="fixed"))[0]


def _all_tested(
    suite: Suite, rng: np.random.Generator, part: float, cases: int, *, nights: int, mode: str
) -> list[Tested]:
    draws: dict[object, Draw] = {}
    for one in suite.settings:  # questions of the same metric are asked of the same answers
        if one.draw not in draws:
            draws[one.draw] = one.draw(rng, cases, part)
    return [tested(one, units_of(one, draws[one.draw], nights), mode) for one in suite.settings]


def first(questions: Sequence[Tested]) -> tuple[str, int]:
    """The first night on which every question has passed, or Holm's procedure refuses one; nights from 1."""
    passed = np.logical_and.reduce([np.logical_or.accumulate((one.p_go <= ALPHA) & one.enough) for one in questions])
    p_no_go = np.array([one.p_no_go for one in questions])
    for night in range(len(passed)):
        if holm(p_no_go[:, night], alpha=ALPHA).any():
            return "NO-GO", night + 1
        if passed[night]:
            return "GO", night + 1
    return "-", len(passed)
