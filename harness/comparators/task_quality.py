"""How right each side is where the truth is known: a case's contribution to accuracy, Brier score or error.

The value is the second side's own, so that a criterion of kind quality holds the target's mean against the source's: a
target that is right more often passes, however often it differs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from harness.comparators import not_of, number, word
from harness.core.case import Case
from harness.core.output import Output, Scores
from harness.core.verdict import Comparison, Status
from harness.errors import ConfigError, UnknownName

MEASURES = ("correct", "brier", "absolute_error", "squared_error")
LOSSES = ("brier", "absolute_error", "squared_error")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskQuality:
    """value in [0, 1], the mean over the rows of the case. correct: share of rows whose label is the true one, by
    `threshold` on one column (truth 1 or 0) or the largest of several (truth: a column's name or place). brier: squared
    distance of the probability from the truth; of several columns half the sum. absolute_error, squared_error: divided
    by `scale` (squared), cut at 1. The last three are losses: the criterion says larger_is_better = false.
    """

    measure: str = "correct"
    threshold: float = 0.5
    scale: float = 1.0
    column: str | None = None
    name: str = "task_quality"

    @property
    def kinds(self) -> tuple[str, ...]:
        """Criteria that the value fits."""
        return ("quality",)

    def signature(self) -> str:
        parts = [self.name, f"measure:{self.measure}"]
        parts += [f"threshold:{self.threshold!r}"] if self.measure == "correct" else []
        parts += [f"scale:{self.scale!r}"] if self.measure.endswith("error") else []
        return "|".join([*parts, f"column:{word(self.column)}"] if self.column is not None else parts)

    def check(self, case: Case) -> None:
        """Before the first call: raises ConfigError where the case does not know the truth."""
        if _truths(case) is None:
            raise ConfigError(f"{self.name}: case {case.id} does not know the truth: give it expected.")

    def compare(self, source: Output, target: Output, *, case: Case) -> Comparison:
        truths = _truths(case)
        if not isinstance(source, Scores):
            return self._say(case, Status.INCOMPARABLE, not_of("scores", "source", source))
        if not isinstance(target, Scores):
            return self._say(case, Status.MISMATCH, not_of("scores", "target", target), self._worst)
        if truths is None:
            return self._say(case, Status.INCOMPARABLE, "the case does not know the truth")
        was, now = self._measured(source, truths), self._measured(target, truths)
        if isinstance(was, str):
            return self._say(case, Status.INCOMPARABLE, f"the source cannot be held against the truth: {was}")
        if isinstance(now, str):
            return self._say(case, Status.MISMATCH, f"the target cannot be held against the truth: {now}", self._worst)
        worse = now > was if self.measure in LOSSES else now < was
        reason = f"{self.measure}: source {was:.4g}, target {now:.4g}" if worse else ""
        return self._say(case, Status.MISMATCH if worse else Status.MATCH, reason, now, distance=abs(now - was))

    @property
    def _worst(self) -> float:
        return 1.0 if self.measure in LOSSES else 0.0

    def _measured(self, side: Scores, truths: list[float | str]) -> float | str:
        """The measure, or why there is none."""
        if len(side.values) != len(truths):
            return f"{len(side.values)} rows for {len(truths)} truths"
        if self.column is not None and self.column not in side.columns:
            return str(UnknownName(f"{self.name}: column", "column", self.column, side.columns))
        values = side.values if self.column is None else side.values[:, [side.columns.index(self.column)]]
        if not np.isfinite(values).all():
            return "a score is no number"
        if values.shape[1] == 1:
            return self._of_one(values[:, 0], truths)
        return self._of_several(values, side.columns, truths)

    def _of_one(self, values: np.ndarray, truths: list[float | str]) -> float | str:
        if not all(isinstance(truth, float) for truth in truths):
            return "the truth of one score is a number"
        true = np.array(truths, dtype=float)
        if self.measure == "correct":
            return float(((values >= self.threshold) == (true >= 0.5)).mean())
        apart = np.abs(values - true)
        with np.errstate(over="ignore"):
            if self.measure == "absolute_error":
                return float(np.minimum(apart / self.scale, 1.0).mean())
            scale = 1.0 if self.measure == "brier" else self.scale
            return float(np.minimum((apart / scale) ** 2, 1.0).mean())

    def _of_several(self, values: np.ndarray, columns: tuple[str, ...], truths: list[float | str]) -> float | str:
        if self.measure.endswith("error"):
            return f'{len(columns)} columns; name the number with "column"'
        places = [_place(truth, columns) for truth in truths]
        if any(place is None for place in places):
            return f"a truth is none of the columns {', '.join(columns[:6])}"
        true = np.eye(len(columns))[np.array(places)]
        if self.measure == "correct":
            return float((values.argmax(axis=1) == true.argmax(axis=1)).mean())
        with np.errstate(over="ignore"):
            return float(np.minimum(((values - true) ** 2).sum(axis=1) / 2, 1.0).mean())

    def _say(
        self, case: Case, status: Status, reason: str, value: float | None = None, *, distance: float | None = None
    ) -> Comparison:
        return Comparison(
            case_id=case.id,
            comparator=self.signature(),
            status=status,
            value=value,
            distance=distance,
            unit="" if distance is None else self.measure,
            reason=reason,
        )


def build(
    *, measure: str = "correct", threshold: float = 0.5, scale: float = 1.0, column: str | None = None
) -> TaskQuality:
    """`[comparators.NAME] use = "task_quality"`.

    measure: correct (default), brier, absolute_error or squared_error. threshold: of one score, 0.5. scale: the error
    that counts as 1. column: which of several columns is the number.
    Raises ConfigError and UnknownName for what is none of these.
    """
    where = "task_quality"
    if measure not in MEASURES:
        raise UnknownName(where, "measure", str(measure), MEASURES)
    if number(where, "scale", scale) <= 0:
        raise ConfigError(f"{where}: scale must be above 0, not {scale!r}.")
    if column is not None and not isinstance(column, str):
        raise ConfigError(f"{where}: column must be a name, not {column!r}.")
    cut = number(where, "threshold", threshold)
    return TaskQuality(measure=measure, threshold=cut, scale=float(scale), column=column)


def _truths(case: Case) -> list[float | str] | None:
    """One a row; None where the case does not say. `expected`: a number, a label, or a list of them."""
    listed = case.expected if isinstance(case.expected, list) else [case.expected]
    made: list[float | str] = []
    for truth in listed:
        if isinstance(truth, bool | int | float) and math.isfinite(truth):
            made.append(float(truth))
        elif isinstance(truth, str):
            made.append(truth)
        else:
            return None
    return made or None


def _place(truth: float | str, columns: tuple[str, ...]) -> int | None:
    name = truth if isinstance(truth, str) else f"{truth:g}"
    if name in columns:
        return columns.index(name)
    whole = isinstance(truth, float) and truth.is_integer() and 0 <= truth < len(columns)
    return int(truth) if whole else None
