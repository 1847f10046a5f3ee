"""Candidates on the numbers answered: what the target makes of the source's answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.stats.cause.pairs import Floats, Pairs

# Factors that have a name; a scale within 1e-4 of one is told by it.
UNITS = {
    100.0: "percent for a share",
    1000.0: "thousandths for units",
    1e6: "millionths for units",
    60.0: "minutes for hours, or seconds for minutes",
    3600.0: "seconds for hours",
    24.0: "hours for days",
    7.0: "days for weeks",
    12.0: "months for years",
    365.0: "days for years",
    2.54: "centimetres for inches",
    0.3048: "metres for feet",
    1.609344: "kilometres for miles",
    0.45359237: "kilograms for pounds",
    -1.0: "the sign turned round",
    2.0: "doubled",
    np.log(10.0): "natural logarithms for decimal ones",
    np.log(2.0): "natural logarithms for binary ones",
}
FLAT = 0.05  # of the target's spread, that a line must make of the source's
LAST_PLACES = 64  # of float32, that arithmetic in it may be away from doubles


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidate:
    """left and right, shape (n, m), are equal where the cause holds. fitted: parameters were read off the data, so a
    residue in proportion to what it took away counts as explained as well."""

    name: str
    told: str
    left: Floats
    right: Floats
    complexity: int
    fitted: bool = False
    settings: dict[str, Any] = field(default_factory=dict)


def candidates(pairs: Pairs) -> Iterator[Candidate]:
    """Of sides of one shape: what is done to each number by itself, or to a row of them."""
    yield from precision(pairs)
    yield from links(pairs)
    yield from shifts(pairs)
    yield from fills(pairs)


def precision(pairs: Pairs) -> Iterator[Candidate]:
    """Fewer digits than the source has."""
    source, target = pairs.source, pairs.target
    for bits, kind in ((32, np.float32), (16, np.float16)):
        yield Candidate(
            name=f"float{bits}",
            told=f"the target's numbers are the source's, rounded to float{bits}",
            left=source.astype(kind).astype(np.float64),
            right=target,
            complexity=1,
        )
    cut = (source.astype(np.float32).view(np.uint32) + 0x8000 & np.uint32(0xFFFF0000)).view(np.float32)
    yield Candidate(
        name="bfloat16",
        told="the target's numbers are the source's, rounded to bfloat16",
        left=cut.astype(np.float64),
        right=target,
        complexity=1,
    )
    # A model that computes in float32 ends within some units in the last place of the rounded double.
    near = np.abs(target - source) <= LAST_PLACES * 2.0**-23 * np.abs(source)
    held = near & (target == target.astype(np.float32))
    yield Candidate(
        name="float32",
        told=f"the target computes in float32: its numbers are float32's, within {LAST_PLACES} units in the last place",
        left=np.where(held, target, source),
        right=target,
        complexity=3,
    )
    for digits in range(7):
        yield Candidate(
            name="rounded",
            told=f"the target rounds to {digits} decimal place{'' if digits == 1 else 's'}",
            left=np.round(source, digits),
            right=np.round(target, 12),
            complexity=2,
            settings={"digits": digits},
        )


def links(pairs: Pairs) -> Iterator[Candidate]:
    """A link function on one side and not on the other."""
    source, target = pairs.source, pairs.target
    yield from (
        Candidate(name="sigmoid_left_out", told="the target answers the logit: its sigmoid is left out",
                  left=source, right=_sigmoid(target), complexity=2),
        Candidate(name="sigmoid_added", told="the target applies a sigmoid that the source does not",
                  left=_sigmoid(source), right=target, complexity=2),
        Candidate(name="logarithm", told="the target answers logarithms", left=source, right=np.exp(target),
                  complexity=2),
        Candidate(name="logarithm_left_out", told="the target leaves out the source's logarithm",
                  left=np.exp(source), right=target, complexity=2),
        Candidate(name="log1p", told="the target answers log(1 + value)", left=source, right=np.expm1(target),
                  complexity=3),
        Candidate(name="log1p_left_out", told="the target leaves out log(1 + value)", left=np.expm1(source),
                  right=target, complexity=3),
        Candidate(name="square", told="the target answers squares", left=source**2, right=target, complexity=3),
        Candidate(name="square_root", told="the target answers square roots", left=np.sqrt(np.maximum(source, 0)),
                  right=target, complexity=3),
        Candidate(name="absolute", told="the target drops the sign", left=np.abs(source), right=target,
                  complexity=3),
        Candidate(name="reciprocal", told="the target answers the reciprocal", left=1 / source, right=target,
                  complexity=3),
    )  # fmt: skip
    if source.shape[1] > 1:
        yield Candidate(name="softmax_left_out", told="the target answers logits: its softmax is left out",
                        left=source, right=_softmax(target), complexity=2)  # fmt: skip
        yield Candidate(name="softmax_added", told="the target applies a softmax that the source does not",
                        left=_softmax(source), right=target, complexity=2)  # fmt: skip
        totals = source.sum(axis=1, keepdims=True)
        yield Candidate(name="normalised", told="the target divides each row by its sum", left=source / totals,
                        right=target, complexity=3)  # fmt: skip


def shifts(pairs: Pairs) -> Iterator[Candidate]:
    """Bias, scale and both, column by column."""
    source, target = pairs.source, pairs.target
    yield Candidate(name="complement", told="the target answers 1 - value: the probability of the other class",
                    left=1.0 - source, right=target, complexity=2)  # fmt: skip
    usable = np.isfinite(source) & np.isfinite(target)
    if not usable.any(axis=0).all():
        return
    bias = np.array([_mode(target[ok, at] - source[ok, at]) for at, ok in enumerate(usable.T)])
    whole = bool(whole_numbers(source) and whole_numbers(target))
    yield Candidate(
        name="off_by_one" if whole and set(np.abs(bias)) == {1.0} else "bias",
        told=_bias_told(bias, pairs, whole=whole),
        left=source + bias,
        right=target,
        complexity=2,
        fitted=True,
        settings={"bias": bias.tolist()},
    )
    scale = np.array([_ratio(source[ok, at], target[ok, at]) for at, ok in enumerate(usable.T)])
    yield Candidate(
        name="scale", told=_scale_told(scale, pairs), left=source * scale, right=target, complexity=3, fitted=True,
        settings={"scale": scale.tolist()},
    )  # fmt: skip
    lines = [_line(source[ok, at], target[ok, at]) for at, ok in enumerate(usable.T)]
    slope, offset = np.array([line[0] for line in lines]), np.array([line[1] for line in lines])
    made = [abs(a) * _spread(source[ok, at]) for (at, ok), a in zip(enumerate(usable.T), slope, strict=True)]
    if any(size < FLAT * _spread(target[ok, at]) for (at, ok), size in zip(enumerate(usable.T), made, strict=True)):
        return  # a level line is no scale
    yield Candidate(
        name="scale_and_bias", told=_line_told(slope, offset, pairs), left=source * slope + offset, right=target,
        complexity=5, fitted=True, settings={"scale": slope.tolist(), "bias": offset.tolist()},
    )  # fmt: skip


def fills(pairs: Pairs) -> Iterator[Candidate]:
    """Values that are no numbers, and values cut at an end."""
    source, target = pairs.source, pairs.target
    lost = np.isnan(source) & np.isfinite(target)
    if lost.any():
        fill = _mode(target[lost])
        yield Candidate(name="missing_filled", told=f"where the source answers NaN, the target answers {fill:g}",
                        left=np.where(np.isnan(source), fill, source), right=target, complexity=3,
                        settings={"fill": fill})  # fmt: skip
    new = np.isnan(target) & np.isfinite(source)
    if new.any():
        fill = _mode(source[new])
        yield Candidate(name="missing_kept", told=f"where the source answers {fill:g}, the target answers NaN",
                        left=np.where(source == fill, np.nan, source), right=target, complexity=3,
                        settings={"fill": fill})  # fmt: skip
    if np.isfinite(target).any():
        low, high = float(np.nanmin(target)), float(np.nanmax(np.where(np.isfinite(target), target, np.nan)))
        yield Candidate(name="clipped", told=f"the target cuts values at {low:g} and {high:g}",
                        left=np.clip(source, low, high), right=target, complexity=4,
                        settings={"low": low, "high": high})  # fmt: skip


def _sigmoid(values: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(values, -700, 700))))


def _softmax(values: Floats) -> Floats:
    powers = np.exp(values - np.max(values, axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def whole_numbers(values: Floats) -> bool:
    return bool(np.isfinite(values).all() and (values == np.round(values)).all())


def _spread(values: Floats) -> float:
    return float(np.std(values)) if len(values) else 0.0


def _mode(values: Floats) -> float:
    """The most frequent value up to a millionth of the spread; the median where none stands out."""
    values = values[np.isfinite(values)]
    if not len(values):
        return 0.0
    middle = float(np.median(values))
    step = max(float(np.quantile(np.abs(values), 0.9)), 1e-12) * 1e-6
    codes, counts = np.unique(np.round(values / step), return_counts=True)
    if counts.max() < max(2, 0.2 * len(values)):
        return middle
    top = codes[np.argmax(counts)]
    return float(np.median(values[np.round(values / step) == top]))


def _ratio(source: Floats, target: Floats) -> float:
    solid = np.abs(source) > 1e-9 * max(float(np.max(np.abs(source), initial=0.0)), 1e-300)
    return _mode(target[solid] / source[solid]) if solid.any() else 1.0


def _line(source: Floats, target: Floats) -> tuple[float, float]:
    """Least squares; then again on the half that lies nearest to the line, until outliers have no say."""
    near = np.ones(len(source), dtype=np.bool_)
    slope, offset = 1.0, 0.0
    for _ in range(9):
        x, y = source[near], target[near]
        spread = float(((x - x.mean()) ** 2).mean()) if len(x) >= 3 else 0.0
        if spread == 0.0:
            break
        slope = float(((x - x.mean()) * (y - y.mean())).mean()) / spread
        offset = float(y.mean()) - slope * float(x.mean())
        apart = np.abs(target - slope * source - offset)
        near = apart <= np.median(apart)
    return slope, offset


def _bias_told(bias: Floats, pairs: Pairs, *, whole: bool) -> str:
    what = "class number" if whole else "value"
    if np.allclose(bias, bias[0], rtol=1e-6, atol=1e-12):
        return f"every {what} is {abs(bias[0]):.6g} too {'high' if bias[0] > 0 else 'low'}"
    return "constant shift: " + ", ".join(
        f'"{name}" {shift:+.6g}' for name, shift in zip(pairs.columns, bias, strict=True) if abs(shift) > 1e-9
    )


def _scale_told(scale: Floats, pairs: Pairs) -> str:
    if np.allclose(scale, scale[0], rtol=1e-4):
        factor = float(scale[0])
        named = next((told for unit, told in UNITS.items() if abs(factor - unit) <= 1e-4 * abs(unit)), "")
        back = next((told for unit, told in UNITS.items() if factor and abs(1 / factor - unit) <= 1e-4 * abs(unit)), "")
        unit = f" ({named})" if named else f" (the reverse of {back})" if back else ""
        return f"every value is multiplied by {factor:.6g}{unit}"
    return "other units: " + ", ".join(
        f'"{name}" times {one:.6g}' for name, one in zip(pairs.columns, scale, strict=True)
    )


def _line_told(slope: Floats, offset: Floats, pairs: Pairs) -> str:
    if np.allclose(slope, 1.8, rtol=1e-4) and np.allclose(offset, 32, rtol=1e-3):
        return "the target answers in Fahrenheit, the source in Celsius"
    return "each value is scaled and shifted: " + ", ".join(
        f'"{name}" times {a:.6g} {b:+.6g}' for name, a, b in zip(pairs.columns, slope, offset, strict=True)
    )
