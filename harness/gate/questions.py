"""What a policy asks of the rows: every criterion, its severe drops, its slices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.core.rows import Flags, Labels
from harness.core.verdict import SLICES_ONLY
from harness.gate.policy import SOURCE_LABEL, UNNAMED_SLICE, Criterion, Policy
from harness.stats.measure import SEVERE_BOUNDS, Kind
from harness.stats.minimum import LEAST_SLICE_UNITS, LEAST_UNITS, minimum_units
from harness.stats.paired import Readings


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Question:
    """One margin held against one list of units.

    name: what the finding is called. part: the readings asked about, None for all. slice: "key=value", None for the
    whole. minimum: units below which GO is not said. severe: about badly broken cases. asked_from: the look from which
    on it is asked; only a label of the source is not asked from the start.
    """

    criterion: Criterion
    name: str
    margin: float
    minimum: int
    part: Flags | None = None
    slice: str | None = None
    severe: bool = False
    asked_from: int = 0


def questions(criterion: Criterion, readings: Readings, policy: Policy) -> Iterator[Question]:
    """The whole first, then severe drops, then slices in the order of the policy, then the source's own labels."""
    census = criterion.kind is Kind.CHECK  # no sample, so no minimum either
    low_end = criterion.measure.bounds[0]
    traffic = _traffic(readings)
    yield Question(
        criterion=criterion,
        name=criterion.name,
        part=traffic,
        margin=criterion.margin,
        minimum=0 if census else _minimum(criterion.margin, low_end, policy, quantile=criterion.quantile),
    )
    if criterion.severe is not None:
        yield Question(
            criterion=criterion,
            name=criterion.severe_name,
            part=traffic,
            margin=criterion.severe,
            minimum=_minimum(criterion.severe, SEVERE_BOUNDS[0], policy),
            severe=True,
        )
    least = LEAST_SLICE_UNITS if policy.mode == "anytime" else LEAST_UNITS
    for key, value, declared in _slices(criterion, readings):
        part = in_slice(readings, key, value)
        yield Question(
            criterion=criterion,
            name=criterion.name,
            margin=criterion.slice_margin,
            minimum=0 if census else _minimum(criterion.slice_margin, low_end, policy, least=least),
            part=part,
            slice=f"{key}={value}",
            asked_from=0 if declared else int(readings.look[part].min()),
        )


def _traffic(readings: Readings) -> Flags | None:
    """Readings that follow the traffic: what was drawn above its share speaks for its slices, never for the whole."""
    above = readings.rows.slices.get(SLICES_ONLY, _none(len(readings))).has("yes")
    return np.asarray(~above) if above.any() else None


def _slices(criterion: Criterion, readings: Readings) -> Iterator[tuple[str, str, bool]]:
    """(key, value, declared): slices of the policy, and for flips the source's own labels without being declared."""
    for key, values in criterion.slices.items():
        yield from ((key, value, True) for value in values)
    labels = readings.rows.slices.get(SOURCE_LABEL)
    if criterion.kind is Kind.FLIP and labels is not None:
        declared = criterion.slices.get(SOURCE_LABEL, ())
        yield from ((SOURCE_LABEL, label, False) for label in labels.present() if label not in declared)


def in_slice(readings: Readings, key: str, value: str) -> Flags:
    """Readings of the slice key=value. A row whose slice was one bare text is in any slice of that value."""
    columns = readings.rows.slices
    n = len(readings)
    named = columns.get(key, _none(n))
    bare = columns.get(UNNAMED_SLICE, _none(n))
    return np.asarray(named.has(value) | ((named.codes < 0) & bare.has(value)))


def _none(n: int) -> Labels:
    return Labels(np.full(n, -1, dtype=np.int64), ())


def _minimum(
    margin: float, low_end: float, policy: Policy, *, quantile: float | None = None, least: int = LEAST_UNITS
) -> int:
    return minimum_units(margin=margin, low_end=low_end, alpha=policy.alpha_go, quantile=quantile, least=least)
