"""Every number within its tolerance: |target - source| <= atol + rtol * |source|."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.comparators import PairedScores, are_named, not_of, number, pair_scores, word
from harness.core.case import Case
from harness.core.floats import ulps
from harness.core.output import Output, Scores
from harness.core.verdict import Comparison, Status
from harness.errors import ConfigError, UnknownName

# (rtol, atol) by the dtype that the less exact side computes in: the defaults of torch.testing.assert_close.
DTYPES: Mapping[str, tuple[float, float]] = {
    "float16": (1e-3, 1e-5),
    "bfloat16": (1.6e-2, 1e-5),
    "float32": (1.3e-6, 1e-5),
    "float64": (1e-7, 1e-7),
}
# numpy.allclose's defaults; they hold where neither a dtype nor a tolerance is named.
RTOL, ATOL = 1e-5, 1e-8

UNIT = "absolute difference"
# Units in the last place beyond which a difference is no matter of rounding, and is not told in them.
NEAR_ULPS = 4096


@dataclass(frozen=True, slots=True)
class Tolerance:
    """rtol in [0, 1), a share of |source|; atol >= 0, in the unit of the column."""

    rtol: float
    atol: float

    def __str__(self) -> str:
        return f"rtol:{self.rtol!r}|atol:{self.atol!r}"


@dataclass(frozen=True, slots=True)
class NumericClose:
    """value 1 when any number of the case is out of tolerance, else 0; distance is that of the worst number.

    The worst number is the one that uses up most of its own tolerance. A target that is NaN or infinite where the
    source is finite is a mismatch. Where the source has no finite number there is nothing to compare with: the case
    is incomparable, except that equal infinities match, and two NaN match with `equal_nan`.
    names: what columns are called, in order, where a side answers without names.
    """

    tolerance: Tolerance
    columns: Mapping[str, Tolerance]
    equal_nan: bool = False
    names: tuple[str, ...] = ()
    name: str = "numeric_close"

    @property
    def kinds(self) -> tuple[str, ...]:
        """Criteria that the value fits: 1 is a bad event."""
        return ("flip",)

    def signature(self) -> str:
        parts = [self.name, str(self.tolerance)]
        parts += [f"{word(column)}({str(own).replace('|', ',')})" for column, own in sorted(self.columns.items())]
        parts += [f"names:{','.join(map(word, self.names))}"] if self.names else []
        return "|".join([*parts, "equal_nan"] if self.equal_nan else parts)

    def compare(self, source: Output, target: Output, *, case: Case) -> Comparison:
        if not isinstance(source, Scores):
            return self._say(case, Status.INCOMPARABLE, not_of("scores", "source", source))
        if not isinstance(target, Scores):
            return self._say(case, Status.MISMATCH, not_of("scores", "target", target))
        if source.values.size == 0:
            return self._say(case, Status.INCOMPARABLE, "the source answered without a single number")
        paired = pair_scores(*(self._named(scores) for scores in (source, target)))
        if isinstance(paired, str):
            return self._say(case, Status.MISMATCH, paired)
        unknown = [column for column in self.columns if column not in paired.names]
        if unknown:
            error = UnknownName(f"{self.name}: columns", "column", unknown[0], paired.names)
            return self._say(case, Status.INCOMPARABLE, str(error))
        return self._judge(paired, case)

    def _named(self, scores: Scores) -> Scores:
        unnamed = not are_named(scores.columns) and len(scores.columns) == len(self.names)
        return Scores(scores.values, self.names) if unnamed else scores

    def _judge(self, paired: PairedScores, case: Case) -> Comparison:
        source, target = paired.source, paired.target
        both_finite = np.isfinite(source) & np.isfinite(target)
        same_infinity = np.isinf(source) & (source == target)
        both_nan = np.isnan(source) & np.isnan(target)
        # The target answered with no number where one was due, or with another infinity than the source's.
        invalid = ~np.isfinite(target) & ~np.isnan(source) & ~same_infinity
        if invalid.any():
            reason = f"invalid output of the target: {_place(paired, invalid)}{_classes(target[invalid])}"
            return self._say(case, Status.MISMATCH, reason)
        distance, limit, ratio = self._ratios(paired, both_finite)
        worst = int(np.argmax(ratio))
        if ratio.flat[worst] > 1.0:
            return self._far(paired, case, distance, limit, ratio)
        excused = both_finite | same_infinity | (both_nan if self.equal_nan else False)
        if not excused.all():
            return self._say(case, Status.INCOMPARABLE, f"no number in the source: {_place(paired, ~excused)}")
        far, allowed = float(distance.flat[worst]), float(limit.flat[worst])
        return self._say(case, Status.MATCH, "", distance=far, limit=allowed)

    def _ratios(
        self, paired: PairedScores, both_finite: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Distance, limit and their ratio, a value each; 0 where a side is not finite, ratio inf where limit is 0."""
        own = [self.columns.get(column, self.tolerance) for column in paired.names]
        source = np.where(both_finite, paired.source, 0.0)
        target = np.where(both_finite, paired.target, 0.0)
        with np.errstate(over="ignore"):  # 1e308 against -1e308 differ by infinity, which is further than any limit
            distance = np.abs(target - source)
            limit = np.array([one.atol for one in own]) + np.array([one.rtol for one in own]) * np.abs(source)
            ratio = np.divide(distance, limit, out=np.zeros_like(distance), where=limit > 0)
        # Judged by <= as documented; the ratio only ranks, so rounding in the division cannot turn a verdict.
        ratio = np.where(distance <= limit, np.minimum(ratio, 1.0), np.maximum(ratio, np.nextafter(1.0, 2.0)))
        ratio = np.where((limit == 0) & (distance > 0), np.inf, ratio)
        return distance, np.where(both_finite, limit, 0.0), np.where(both_finite, ratio, 0.0)

    def _far(
        self,
        paired: PairedScores,
        case: Case,
        distance: NDArray[np.float64],
        limit: NDArray[np.float64],
        ratio: NDArray[np.float64],
    ) -> Comparison:
        row, column = np.unravel_index(int(np.argmax(ratio)), ratio.shape)
        far, allowed = float(distance[row, column]), float(limit[row, column])
        out = int((ratio > 1.0).sum())
        others = f"; {out} of {ratio.size} values are out of tolerance" if ratio.size > 1 else ""
        reason = (
            f'row {row}, column "{paired.names[column]}": source {float(paired.source[row, column])!r}, '
            f"target {float(paired.target[row, column])!r}, {far:.3g} apart"
            f"{_steps(paired.source[row, column], paired.target[row, column])} where {allowed:.3g} is allowed{others}"
        )
        known = far if math.isfinite(far) else None
        return self._say(case, Status.MISMATCH, reason, distance=known, limit=allowed)

    def _say(
        self, case: Case, status: Status, reason: str, *, distance: float | None = None, limit: float | None = None
    ) -> Comparison:
        value = None if status is Status.INCOMPARABLE else float(status is Status.MISMATCH)
        unit = "" if distance is None and limit is None else UNIT
        return Comparison(
            case_id=case.id,
            comparator=self.signature(),
            status=status,
            value=value,
            distance=distance,
            unit=unit,
            limit=limit,
            reason=reason,
        )


def build(
    *,
    rtol: float | None = None,
    atol: float | None = None,
    columns: Mapping[str, Mapping[str, object]] | None = None,
    dtype: str | None = None,
    equal_nan: bool = False,
    names: Sequence[str] = (),
) -> NumericClose:
    """`[comparators.NAME] use = "numeric_close"`.

    rtol, atol: default 1e-05 and 1e-08, or those of `dtype` (float16, bfloat16, float32, float64).
    columns: {"column": {"rtol": ..., "atol": ..., "dtype": ...}}; what a column leaves out is as for the others.
    equal_nan: NaN on both sides at the same place is a match.
    names: what the columns are called, in order, where a side answers without names (CSV has none).
    Raises ConfigError for a tolerance that is negative, not finite, or an rtol of 1 and more (a number and its
    negative would be close), UnknownName for a dtype or key that does not exist.
    """
    if not isinstance(equal_nan, bool):
        raise ConfigError(f"numeric_close: equal_nan must be true or false, not {equal_nan!r}.")
    given = {"rtol": rtol, "atol": atol, "dtype": dtype}
    common = _tolerance("numeric_close", {key: value for key, value in given.items() if value is not None}, None)
    own: dict[str, Tolerance] = {}
    for column, settings in (columns or {}).items():
        where = f'numeric_close: columns: "{column}"'
        if not isinstance(settings, Mapping):
            raise ConfigError(f"{where}: must be a table with rtol, atol or dtype, not {settings!r}.")
        own[column] = _tolerance(where, settings, common)
    if isinstance(names, str) or not all(isinstance(name, str) and name for name in names):
        raise ConfigError(f"numeric_close: names must be a list of texts, not {names!r}.")
    if len(set(names)) != len(names):
        raise ConfigError(f"numeric_close: names holds a name twice: {list(names)!r}.")
    if names and (unknown := next((column for column in own if column not in names), None)) is not None:
        raise UnknownName("numeric_close: columns", "column", unknown, names)
    return NumericClose(tolerance=common, columns=own, equal_nan=equal_nan, names=tuple(names))


def _tolerance(where: str, settings: Mapping[str, object], otherwise: Tolerance | None) -> Tolerance:
    for key in settings:
        if key not in ("rtol", "atol", "dtype"):
            raise UnknownName(where, "key", key, ("rtol", "atol", "dtype"))
    rtol, atol = (otherwise.rtol, otherwise.atol) if otherwise else (RTOL, ATOL)
    dtype = settings.get("dtype")
    if dtype is not None:
        if dtype not in DTYPES:
            raise UnknownName(where, "dtype", str(dtype), DTYPES)
        rtol, atol = DTYPES[str(dtype)]
    rtol = number(where, "rtol", settings.get("rtol", rtol))
    atol = number(where, "atol", settings.get("atol", atol))
    if not 0 <= rtol < 1:
        raise ConfigError(f"{where}: rtol must be at least 0 and below 1, not {rtol!r}.")
    if atol < 0:
        raise ConfigError(f"{where}: atol must be at least 0, not {atol!r}.")
    return Tolerance(rtol, atol)


def _steps(source: float, target: float) -> str:
    """' (3 ulp of float32)' where two numbers are that near, else ''."""
    for single, kind in ((False, "float64"), (True, "float32")):
        steps = float(ulps(np.array([source]), np.array([target]), single=single)[0])
        if 0 < steps <= NEAR_ULPS:
            return f" ({steps:.0f} ulp of {kind})"
    return ""


def _classes(bad: NDArray[np.float64]) -> str:
    """'; 3 values: 2 NaN, 1 infinite' where several are invalid, else ''."""
    nan, infinite = int(np.isnan(bad).sum()), int(np.isinf(bad).sum())
    listed = [f"{count} {name}" for count, name in ((nan, "NaN"), (infinite, "infinite")) if count]
    return f"; {len(bad)} values: {', '.join(listed)}" if len(bad) > 1 else ""


def _place(paired: PairedScores, where: NDArray[np.bool_]) -> str:
    """The first marked value in words."""
    row, column = np.unravel_index(int(np.argmax(where)), where.shape)
    source, target = float(paired.source[row, column]), float(paired.target[row, column])
    return f'row {row}, column "{paired.names[column]}": source {source!r}, target {target!r}'
