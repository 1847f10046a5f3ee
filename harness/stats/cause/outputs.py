"""Candidates on the numbers answered: what the target makes of the source's answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.stats.cause.pairs import Column, Floats, Pairs, equal

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
FEW = 12  # columns beyond which permutations are not searched
LABELS = 30  # distinct values beyond which whole numbers are no labels
LAST_PLACES = 64  # of float32, that arithmetic in it may be away from doubles
LABEL_DIGITS = 5  # of a label that float32 has passed through


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
    yield from columns(pairs)
    if not pairs.same_shape:
        return
    if bool(equal(pairs.target, pairs.target[:1]).all()) and not bool(equal(pairs.source, pairs.source[:1]).all()):
        return  # one answer to everything: every fit would explain it, and none would be a cause
    yield from precision(pairs)
    yield from links(pairs)
    yield from shifts(pairs)
    yield from fills(pairs)
    yield from labels(pairs)
    yield from thresholds(pairs)


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
    whole = bool(_whole(source) and _whole(target))
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


def columns(pairs: Pairs) -> Iterator[Candidate]:
    """Columns in another order, or fewer of them."""
    from scipy.optimize import linear_sum_assignment

    source, target = pairs.source, pairs.target
    wide, wide_target = source.shape[1], target.shape[1]
    if not 1 < max(wide, wide_target) <= FEW or min(wide, wide_target) < 1:
        return
    cost = np.array(
        [[-float(equal(source[:, [i]], target[:, [j]]).mean()) for j in range(wide_target)] for i in range(wide)]
    )
    near = np.array([[_apart(source[:, i], target[:, j]) for j in range(wide_target)] for i in range(wide)])
    cost += 1e-6 * near / max(float(near.max()), 1e-300)  # equal columns first; of others the nearest
    places, found = linear_sum_assignment(cost)
    left, right = source[:, places], target[:, found]
    if wide != wide_target:
        more, names, kept = (
            ("missing", pairs.columns, set(places.tolist()))
            if wide > wide_target
            else ("added", pairs.target_columns, set(found.tolist()))
        )
        lost = [names[at] for at in range(max(wide, wide_target)) if at not in kept]
        listed = ", ".join(f'"{name}"' for name in lost)
        told = f"the target's answer has {'no' if more == 'missing' else 'besides'} {listed}"
        yield Candidate(
            name=f"column_{more}", told=told, left=left, right=right, complexity=2, settings={"columns": lost}
        )
        return
    order = found.tolist()
    if order == list(range(wide)):
        return
    name, told = _order_told(order, pairs.columns)
    yield Candidate(name=name, told=told, left=left, right=right, complexity=3, settings={"order": order})


def labels(pairs: Pairs) -> Iterator[Candidate]:
    """Whole numbers that name classes, under other numbers on the other side."""
    source, target = pairs.source, pairs.target
    if source.shape[1] != 1 or not (_whole(source) and _whole(target)):
        return
    was, now = np.unique(source), np.unique(target)
    if not 1 < len(was) <= LABELS or len(now) > LABELS:
        return
    from scipy.optimize import linear_sum_assignment

    every = np.union1d(was, now)
    table = np.zeros((len(every), len(every)))
    np.add.at(table, (np.searchsorted(every, source[:, 0]), np.searchsorted(every, target[:, 0])), 1)
    places, found = linear_sum_assignment(-table)
    renamed = {float(every[i]): float(every[j]) for i, j in zip(places, found, strict=True) if table[i].any()}
    moved = {key: value for key, value in renamed.items() if key != value}
    if not moved:
        return
    told = ", ".join(f"{key:g} as {value:g}" for key, value in list(moved.items())[:6])
    yield Candidate(
        name="class_order",
        told=f"the target numbers the classes otherwise: {told}",
        left=np.vectorize(renamed.get, otypes=[float])(source),
        right=target,
        complexity=4,
        settings={"renamed": renamed},
    )


def thresholds(pairs: Pairs) -> Iterator[Candidate]:
    """A label of two values that follows a number both sides share, cut at another place."""
    for at, name in enumerate(pairs.columns):
        was, now = np.round(pairs.source[:, at], LABEL_DIGITS), np.round(pairs.target[:, at], LABEL_DIGITS)
        values = np.unique(np.concatenate([was, now]))
        if len(values) != 2 or not np.isfinite(values).all() or (was == now).all():
            continue
        scores = [(pairs.columns[i], pairs.source[:, i]) for i in range(len(pairs.columns)) if i != at]
        scores += [(column.name, column.numbers) for column in pairs.inputs if column.is_number]
        for score_name, score in scores:
            yield from _moved(pairs, at, name, score_name, score, values)


def _moved(pairs: Pairs, at: int, name: str, score_name: str, score: Floats, values: Floats) -> Iterator[Candidate]:
    was, now = np.round(pairs.source[:, at], LABEL_DIGITS), np.round(pairs.target[:, at], LABEL_DIGITS)
    known = np.isfinite(score)
    cuts = [_best_cut(score[known], side[known] == values[1]) for side in (was, now)]
    if cuts[0] is None or cuts[1] is None or cuts[0][1] != cuts[1][1] or cuts[0][0] == cuts[1][0]:
        return
    (old, upward, _), (new, _, _) = cuts[0], cuts[1]
    positive = score >= new if upward else score < new
    predicted = pairs.source.copy()
    predicted[:, at] = np.where(known, np.where(positive, values[1], values[0]), was)
    yield Candidate(
        name="threshold_moved",
        told=f'"{name}" follows "{score_name}" cut at {old:.6g} in the source and at {new:.6g} in the target',
        left=predicted,
        right=np.where(np.arange(pairs.target.shape[1]) == at, pairs.target, pairs.source),
        complexity=4,
        settings={"column": name, "score": score_name, "source": old, "target": new},
    )


def _best_cut(score: Floats, positive: np.ndarray[Any, np.dtype[np.bool_]]) -> tuple[float, bool, float] | None:
    """(cut, whether at least it is positive, share right): None where no cut is right on 98 %."""
    order = np.argsort(score, kind="stable")
    ordered, hit = score[order], positive[order].astype(float)
    below = np.concatenate([[0.0], np.cumsum(hit)])
    total, n = below[-1], len(hit)
    right_up = (np.arange(n + 1) - below) + (total - below)  # negatives below the cut, positives from it on
    starts = np.concatenate([[True], ordered[1:] != ordered[:-1], [True]])  # a cut lies between two different scores
    best: tuple[float, bool, float] | None = None
    for upward, right in ((True, right_up), (False, n - right_up)):
        place = int(np.argmax(np.where(starts, right, -1.0)))
        share = float(right[place]) / max(n, 1)
        if share >= 0.98 and (best is None or share > best[2]):
            best = (float(ordered[place]) if place < n else float(np.nextafter(ordered[-1], np.inf)), upward, share)
    return best


def _apart(one: Floats, other: Floats) -> float:
    """Mean absolute difference where both are numbers of a size that can be squared; as far as can be where none is."""
    apart = np.abs(one - other)
    usable = apart < 1e150
    return float(apart[usable].mean()) if usable.any() else 1e150


def _sigmoid(values: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(values, -700, 700))))


def _softmax(values: Floats) -> Floats:
    powers = np.exp(values - np.max(values, axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _whole(values: Floats) -> bool:
    return bool(np.isfinite(values).all() and (values == np.round(values)).all())


def _mode(values: Floats) -> float:
    """The most frequent value up to a millionth of the spread; the median where none stands out."""
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


def _order_told(order: list[int], names: tuple[str, ...]) -> tuple[str, str]:
    """A permutation in words: column i of the source is found at order[i] of the target."""
    wide = len(order)
    moved = [at for at, place in enumerate(order) if at != place]
    shift = (order[0] - 0) % wide
    if len(moved) == 2:
        return "columns_swapped", f'the target swaps "{names[moved[0]]}" and "{names[moved[1]]}"'
    if order == [(at + shift) % wide for at in range(wide)]:
        step = shift if shift <= wide // 2 else shift - wide
        return "class_off_by_one" if abs(step) == 1 else "class_order", f"the target's columns are shifted by {step:+d}"
    if order == list(range(wide))[::-1]:
        return "class_order", "the target's columns are in reverse order"
    inverse = sorted(range(wide), key=order.__getitem__)
    return "class_order", "the target's columns are in the order " + ", ".join(f'"{names[at]}"' for at in inverse)


__all__ = ["Candidate", "Column", "candidates"]
