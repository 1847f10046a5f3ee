"""Candidates on what the columns and the labels of an answer stand for."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.stats.cause.outputs import Candidate, whole_numbers
from harness.stats.cause.pairs import Floats, Pairs, equal
from harness.stats.cause.thresholds import LABEL_DIGITS, best_cut

FEW = 12  # columns beyond which permutations are not searched
LABELS = 30  # distinct values beyond which whole numbers are no labels


def candidates(pairs: Pairs) -> Iterator[Candidate]:
    yield from columns(pairs)
    yield from decided(pairs)
    if pairs.same_shape:
        yield from labels(pairs)


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


def decided(pairs: Pairs) -> Iterator[Candidate]:
    """Labels on one side, on the other the scores that they are decided from."""
    for scores, given, name, who, other in (
        (pairs.source, pairs.target, "labels_not_scores", "target", "source"),
        (pairs.target, pairs.source, "scores_not_labels", "source", "target"),
    ):
        given = np.round(given, LABEL_DIGITS)
        if not whole_numbers(given) or whole_numbers(scores) or not np.isfinite(scores).all():
            continue
        left: Floats | None = None
        if scores.shape[1] > 1:
            best = scores.argmax(axis=1)
            if given.shape == scores.shape:
                left = np.zeros(scores.shape)
                left[np.arange(len(best)), best] = 1.0
                told = f"the {who} answers 1 for the largest of the {other}'s scores and 0 for the others"
            elif given.shape[1] == 1:
                left = best[:, None].astype(float) + float(given.min() - best.min())
                told = f"the {who} answers the place of the largest of the {other}'s scores"
        elif given.shape[1] == 1 and len(values := np.unique(given)) == 2:
            cut = best_cut(scores[:, 0], given[:, 0] == values[1])
            if cut is not None:
                above = scores[:, 0] >= cut[0] if cut[1] else scores[:, 0] < cut[0]
                left = np.where(above, values[1], values[0])[:, None]
                told = f"the {who} answers a label: the {other}'s score cut at {cut[0]:.6g}"
        if left is not None:
            yield Candidate(name=name, told=told, left=left, right=given, complexity=1)
    if pairs.source.shape[1] > 1 and pairs.target.shape[1] == 1:
        yield Candidate(
            name="largest_only",
            told="the target answers the largest of the source's numbers alone",
            left=pairs.source.max(axis=1, keepdims=True),
            right=pairs.target,
            complexity=2,
        )


def labels(pairs: Pairs) -> Iterator[Candidate]:
    """Whole numbers that name classes, under other numbers on the other side."""
    source, target = pairs.source, pairs.target
    if source.shape[1] != 1 or not (whole_numbers(source) and whole_numbers(target)):
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


def _apart(one: Floats, other: Floats) -> float:
    """Mean absolute difference where both are numbers of a size that can be squared; as far as can be where none is."""
    apart = np.abs(one - other)
    usable = apart < 1e150
    return float(apart[usable].mean()) if usable.any() else 1e150


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
