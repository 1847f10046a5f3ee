"""Two systems whose true difference is known, and what a replay of them would show.

Every answer has a quality in [0, 1], as a judge would score it. An item draws a level between 0.62 and 0.76, each
answer adds noise within ±0.08 (standard deviation 0.04), and the target differs from the source in the one way that
the scenario names. The agreed margin is a mean loss of 0.03 and 2 % of answers broken beyond the source's own share.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

MARGIN = 0.03
SEVERE = 0.02
NOISE = 0.08
BROKEN = 0.05  # the quality of an answer that lost its meaning
HARD = 0.05  # share of items on which a model fails every time
SMALL_REGION = 0.10
NIGHTS = 14

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """One replay. source, again, target: quality, shape (items, draws); NaN and infinity are what a scorer gave.

    timed_out: calls of the target without an answer. region: "large" or "small", shape (items,). night: from 0,
    shape (items,). absent: nothing at all was measured of the target.
    """

    source: Floats
    again: Floats
    target: Floats
    timed_out: NDArray[np.bool_]
    region: NDArray[np.str_]
    night: NDArray[np.int64]
    absent: bool = False

    def first_nights(self, nights: int) -> Sample:
        chosen = self.night < nights
        columns = ("source", "again", "target", "timed_out", "region", "night")
        return replace(self, **{name: getattr(self, name)[chosen] for name in columns})


World = Callable[[np.random.Generator, int, int], Sample]


def noise(rng: np.random.Generator, shape: tuple[int, ...], spread: float = NOISE) -> Floats:
    """Symmetric about 0, within ±spread, standard deviation half of it."""
    return spread * (2 * rng.beta(1.5, 1.5, shape) - 1)


def equal(rng: np.random.Generator, items: int, draws: int, *, spread: float = NOISE) -> Sample:
    """The target is the source; spread: of the target's own noise."""
    level = rng.uniform(0.62, 0.76, (items, 1))
    shape = (items, draws)
    return Sample(
        source=level + noise(rng, shape),
        again=level + noise(rng, shape),
        target=level + noise(rng, shape, spread),
        timed_out=np.zeros(shape, dtype=np.bool_),
        region=np.where(rng.random(items) < SMALL_REGION, "small", "large"),
        night=np.zeros(items, dtype=np.int64),
    )


def worse(rng: np.random.Generator, items: int, draws: int, *, loss: float) -> Sample:
    """Every answer is a little worse."""
    sample = equal(rng, items, draws)
    return replace(sample, target=sample.target - loss)


def broken(rng: np.random.Generator, items: int, draws: int, *, share: float) -> Sample:
    """Some items are broken outright, at every draw; the others are untouched."""
    sample = equal(rng, items, draws)
    return replace(sample, target=np.where(rng.random((items, 1)) < share, BROKEN, sample.target))


def hard_items(rng: np.random.Generator, items: int, draws: int) -> Sample:
    """Both models fail on the same share of items, but not on the same items."""
    sample = equal(rng, items, draws)
    hard_for_source, hard_for_target = rng.random((2, items, 1)) < HARD
    return replace(
        sample,
        source=np.where(hard_for_source, BROKEN, sample.source),
        again=np.where(hard_for_source, BROKEN, sample.again),
        target=np.where(hard_for_target, BROKEN, sample.target),
    )


def small_region(rng: np.random.Generator, items: int, draws: int) -> Sample:
    """A tenth of the traffic loses 0.25; all the rest is untouched, and the mean stays within the margin."""
    sample = equal(rng, items, draws)
    return replace(sample, target=sample.target - 0.25 * (sample.region == "small")[:, None])


def timeouts(rng: np.random.Generator, items: int, draws: int) -> Sample:
    """8 % of calls get no answer; those that get one are untouched."""
    sample = equal(rng, items, draws)
    return replace(sample, timed_out=rng.random((items, draws)) < 0.08)


def no_data(rng: np.random.Generator, items: int, draws: int) -> Sample:
    """The target was never measured."""
    return replace(equal(rng, items, draws), absent=True)


def senseless(rng: np.random.Generator, items: int, draws: int, *, value: float) -> Sample:
    """5 % of the target's scores are no scores."""
    sample = equal(rng, items, draws)
    return replace(sample, target=np.where(rng.random((items, draws)) < 0.05, value, sample.target))


def nightly(rng: np.random.Generator, items: int, draws: int) -> Sample:
    """Exactly at the margin, looked at every night with all that has come in."""
    sample = worse(rng, items, draws, loss=MARGIN)
    return replace(sample, night=np.arange(items) * NIGHTS // items)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """right: "GO", "NO-GO", "no GO" (at or beyond the margin, or unknown); "depends": on what was agreed, as the
    target is as good as the source and its answers are not alike."""

    name: str
    words: str
    right: str
    world: World


SCENARIOS = (
    Scenario(name="equal", words="The target is the source", right="GO", world=equal),
    Scenario(
        name="half",
        words="Every answer worse by half the margin",
        right="GO",
        world=partial(worse, loss=MARGIN / 2),
    ),
    Scenario(
        name="margin",
        words="Every answer worse, exactly at the margin",
        right="no GO",
        world=partial(worse, loss=MARGIN),
    ),
    Scenario(
        name="nightly", words="The same, looked at on 14 nights, shipped at the first GO", right="no GO", world=nightly
    ),
    Scenario(name="broken5", words="5 % of items broken outright", right="NO-GO", world=partial(broken, share=0.05)),
    Scenario(
        name="broken2.5", words="2.5 % of items broken outright", right="no GO", world=partial(broken, share=0.025)
    ),
    Scenario(
        name="hard", words="Equal models, each failing on 5 % of items of its own", right="depends", world=hard_items
    ),
    Scenario(
        name="wider", words="Same mean, three times the spread", right="depends", world=partial(equal, spread=3 * NOISE)
    ),
    Scenario(
        name="region", words="A tenth of the traffic loses 0.25, the rest nothing", right="NO-GO", world=small_region
    ),
    Scenario(name="timeouts", words="8 % of the target's calls time out", right="NO-GO", world=timeouts),
    Scenario(name="absent", words="Nothing was measured of the target", right="no GO", world=no_data),
    Scenario(
        name="nan", words="5 % of the target's scores are NaN", right="no GO", world=partial(senseless, value=np.nan)
    ),
    Scenario(
        name="infinity",
        words="5 % of the target's scores are +Infinity",
        right="no GO",
        world=partial(senseless, value=np.inf),
    ),
)

BROKEN_SHARES = (0.0, 0.005, 0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.06)
LOSSES = tuple(MARGIN * part for part in (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0))

CURVES: Mapping[str, tuple[World, float]] = {
    **{f"share {share:g}": (partial(broken, share=share), share) for share in BROKEN_SHARES},
    **{f"loss {loss:g}": (partial(worse, loss=loss), loss) for loss in LOSSES},
}
