"""Forecasts by quantiles: how far the target's differ in units of the source's own spread, and, where the outcome is
known, how good either side's are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.comparators import PairedScores, not_of, number, pair_scores
from harness.core.case import Case
from harness.core.output import Output, Scores
from harness.core.verdict import Comparison, Status
from harness.errors import ConfigError, UnknownName

MEASURES = ("shift", "pinball", "coverage")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantiles:
    """Columns are quantiles and named by their level ("0.1", "0.5", "p90"), rows are steps of the forecast.

    shift: 1 where any quantile is further from the source's than `tolerance` of the source's width (largest less
    smallest quantile of that row), a flip. pinball: mean pinball loss of the second side against the case's outcomes,
    divided by `scale` and cut at 1; a loss of kind quality. coverage: share of outcomes that lie between the second
    side's smallest and largest quantile, of kind quality. Quantiles that cross are no forecast: a mismatch.
    """

    measure: str = "shift"
    tolerance: float = 0.1
    scale: float = 1.0
    name: str = "quantiles"

    @property
    def kinds(self) -> tuple[str, ...]:
        """Criteria that the value fits."""
        return ("flip",) if self.measure == "shift" else ("quality",)

    def signature(self) -> str:
        setting = {"shift": f"tolerance:{self.tolerance!r}", "pinball": f"scale:{self.scale!r}"}.get(self.measure)
        return "|".join([self.name, f"measure:{self.measure}", *([setting] if setting else [])])

    def check(self, case: Case) -> None:
        """Before the first call: raises ConfigError where the case has no outcomes to hold a forecast against."""
        if self.measure != "shift" and _outcomes(case) is None:
            raise ConfigError(f"{self.name}: case {case.id} has no outcomes: expected must be a list of numbers.")

    def compare(self, source: Output, target: Output, *, case: Case) -> Comparison:
        if not isinstance(source, Scores):
            return self._say(case, Status.INCOMPARABLE, not_of("scores", "source", source))
        if not isinstance(target, Scores):
            return self._worst(case, not_of("scores", "target", target))
        levels = _levels(source.columns)
        if isinstance(levels, str) or source.values.size == 0 or not np.isfinite(source.values).all():
            why = levels if isinstance(levels, str) else "its quantiles are no numbers"
            return self._say(case, Status.INCOMPARABLE, f"the source answered no forecast: {why}")
        paired = pair_scores(source, target)
        if isinstance(paired, str):
            return self._worst(case, paired)
        order = np.argsort(levels)
        if not np.isfinite(paired.target).all():
            return self._worst(case, "the target's quantiles are no numbers")
        ordered = paired.target[:, order]
        crossing = (ordered[:, 1:] < ordered[:, :-1]).any(axis=1)
        if crossing.any():
            return self._worst(case, f"the target's quantiles cross in row {int(np.argmax(crossing))}")
        with np.errstate(over="ignore", invalid="ignore"):  # forecasts near the largest numbers there are
            return (
                self._shift(paired, case) if self.measure == "shift" else self._quality(paired, np.array(levels), case)
            )

    def _shift(self, paired: PairedScores, case: Case) -> Comparison:
        width = np.ptp(paired.source, axis=1, keepdims=True)
        apart = np.abs(paired.target - paired.source)
        # A forecast without spread is a number, and any other number is away from it altogether.
        share = np.divide(apart, width, out=np.where(apart > 0, 1e9, 0.0), where=(width > 0) & np.isfinite(width))
        row, column = np.unravel_index(int(np.argmax(share)), share.shape)
        worst = min(float(share[row, column]), 1e9)
        if worst <= self.tolerance:
            return self._say(case, Status.MATCH, "", 0.0, distance=worst, limit=self.tolerance)
        reason = (
            f'row {row}, quantile "{paired.names[column]}": source {float(paired.source[row, column])!r}, target '
            f"{float(paired.target[row, column])!r}, {worst:.3g} of the source's width apart"
        )
        return self._say(case, Status.MISMATCH, reason, 1.0, distance=worst, limit=self.tolerance)

    def _quality(self, paired: PairedScores, levels: np.ndarray, case: Case) -> Comparison:
        outcomes = _outcomes(case)
        if outcomes is None or len(outcomes) != len(paired.source):
            return self._say(case, Status.INCOMPARABLE, f"no outcome for each of the {len(paired.source)} rows")
        was, now = (self._measured(side, levels, outcomes) for side in (paired.source, paired.target))
        worse = now > was if self.measure == "pinball" else now < was
        reason = f"{self.measure}: source {was:.4g}, target {now:.4g}" if worse else ""
        return self._say(case, Status.MISMATCH if worse else Status.MATCH, reason, now, distance=abs(now - was))

    def _measured(self, forecast: np.ndarray, levels: np.ndarray, outcomes: np.ndarray) -> float:
        if self.measure == "coverage":
            low, high = forecast.min(axis=1), forecast.max(axis=1)
            return float(((low <= outcomes) & (outcomes <= high)).mean())
        # R. Koenker and G. Bassett (1978), Econometrica 46(1), 33-50: the loss that a quantile minimises.
        error = outcomes[:, None] - forecast
        return min(float(np.maximum(levels * error, (levels - 1) * error).mean()) / self.scale, 1.0)

    def _worst(self, case: Case, reason: str) -> Comparison:
        return self._say(case, Status.MISMATCH, reason, 0.0 if self.measure == "coverage" else 1.0)

    def _say(
        self,
        case: Case,
        status: Status,
        reason: str,
        value: float | None = None,
        *,
        distance: float | None = None,
        limit: float | None = None,
    ) -> Comparison:
        return Comparison(
            case_id=case.id,
            comparator=self.signature(),
            status=status,
            value=value,
            distance=distance,
            unit="" if distance is None else "share of the source's width" if self.measure == "shift" else self.measure,
            limit=limit,
            reason=reason,
        )


def build(*, measure: str = "shift", tolerance: float = 0.1, scale: float = 1.0) -> Quantiles:
    """`[comparators.NAME] use = "quantiles"`.

    measure: shift (default), pinball or coverage. tolerance: of shift, share of the source's width, 0.1. scale: of
    pinball, the loss that counts as 1.
    Raises ConfigError and UnknownName for what is none of these.
    """
    where = "quantiles"
    if measure not in MEASURES:
        raise UnknownName(where, "measure", str(measure), MEASURES)
    if number(where, "tolerance", tolerance) < 0:
        raise ConfigError(f"{where}: tolerance must be at least 0, not {tolerance!r}.")
    if number(where, "scale", scale) <= 0:
        raise ConfigError(f"{where}: scale must be above 0, not {scale!r}.")
    return Quantiles(measure=measure, tolerance=float(tolerance), scale=float(scale))


def _levels(columns: tuple[str, ...]) -> list[float] | str:
    """Levels in (0, 1) of columns named "0.1", "q0.1" or "p10"; why they are none."""
    levels = []
    for name in columns:
        text = name.strip().lower().lstrip("qp")
        try:
            level = float(text) / (100.0 if name.strip().lower().startswith("p") else 1.0)
        except ValueError:
            return f'column "{name}" is no quantile such as "0.9" or "p90"'
        if not 0 < level < 1:
            return f'column "{name}" is no quantile between 0 and 1'
        levels.append(level)
    return levels if len(set(levels)) == len(levels) else "a quantile occurs twice"


def _outcomes(case: Case) -> np.ndarray | None:
    """What came true, one a row; None where the case does not say. `expected`: a number, or a list of them."""
    listed = case.expected if isinstance(case.expected, list) else [case.expected]
    numbers = [float(value) for value in listed if isinstance(value, int | float) and not isinstance(value, bool)]
    return np.array(numbers) if len(numbers) == len(listed) and np.isfinite(numbers).all() else None
