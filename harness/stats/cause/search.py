"""Every candidate applied to every pair, ranked by what it explains."""

from __future__ import annotations

import numpy as np

from harness.stats.cause import inputs, order, outputs, segments
from harness.stats.cause.outputs import Candidate
from harness.stats.cause.pairs import EXACT_ATOL, EXACT_RTOL, Cause, Flags, Floats, Pairs, equal

# What a simpler cause may explain less and still stand first, for each step of complexity.
_STEP = 0.004
# A cause that leaves a residue, or that only says where, is worth less than one that makes rows equal.
_SOFT, _WHERE, _HINT = 0.90, 0.93, 0.85
LEAST = 0.2


def explain(pairs: Pairs, *, most: int = 5) -> list[Cause]:
    """Causes that explain at least a fifth of the difference, best first; none where nothing differs.

    Where the sides differ by more than float32 arithmetic can, that is what is explained, and smaller differences count
    as none; where they do not, every last digit counts.
    """
    # Answers may hold infinities and what overflows; a candidate that makes NaN of them explains nothing.
    with np.errstate(all="ignore"):
        return _explain(pairs, most)


def _explain(pairs: Pairs, most: int) -> list[Cause]:
    exact = _nothing_material(pairs)
    alike = _alike(pairs, exact=exact)
    if alike.all():
        return []
    found = [_cause(one, pairs, alike, exact=exact) for one in (*outputs.candidates(pairs), *order.candidates(pairs))]
    if pairs.same_shape and not exact:
        where = _where(pairs, alike)
        known = [*found, *(cause for cause in where if cause.name != "range")]
        asked = _asked(pairs, alike) if max((cause.explained for cause in known), default=0.0) < _SOFT else []
        found += [*where, *asked]
    ranked = sorted((cause for cause in found if cause.explained >= LEAST), key=_rank)
    return _one_each(ranked)[:most]


def _nothing_material(pairs: Pairs) -> bool:
    return pairs.same_shape and bool(equal(pairs.source, pairs.target).all())


def _alike(pairs: Pairs, *, exact: bool) -> Flags:
    if not pairs.same_shape:
        return np.zeros(len(pairs.source), dtype=np.bool_)
    if exact:
        return equal(pairs.source, pairs.target, rtol=EXACT_RTOL, atol=EXACT_ATOL)
    return equal(pairs.source, pairs.target)


def _cause(one: Candidate, pairs: Pairs, alike: Flags, *, exact: bool) -> Cause:
    tolerance = {"rtol": EXACT_RTOL, "atol": EXACT_ATOL} if exact else {}
    after = equal(one.left, one.right, **tolerance)
    differing = int((~alike).sum())
    gained = (int((after & ~alike).sum()) - int((alike & ~after).sum())) / differing
    # Squared: every fit takes something away from every difference, and half of it gone is no half of a cause.
    soft = _SOFT * _residue(one, pairs) ** 2 if one.fitted or not exact else 0.0
    explained = max(gained, soft, 0.0)
    return Cause(
        name=one.name,
        told=one.told,
        before=float(alike.mean()),
        after=float(after.mean()),
        explained=min(explained, 1.0),
        complexity=one.complexity,
        settings=one.settings,
    )


def _residue(one: Candidate, pairs: Pairs) -> float:
    """Share of the difference that is gone, in sum of absolute values, for causes under noise; 0 where it has none.

    Left and right may be on another scale than the answers (logits): then against how far right spreads by itself.
    """
    left, right = one.left, one.right
    usable = np.asarray(np.isfinite(left).all(axis=1) & np.isfinite(right).all(axis=1))
    if usable.sum() < 0.9 * len(left):
        return 0.0
    rest = np.abs(left[usable] - right[usable])
    spread = np.abs(right[usable] - np.median(right[usable], axis=0))
    before = spread
    if pairs.same_shape and (one.right is pairs.target or one.right.shape == pairs.target.shape):
        apart = np.abs(pairs.source[usable] - pairs.target[usable])
        if np.isfinite(apart).all():
            before = np.minimum(apart, spread) if apart.sum() > spread.sum() else apart
    total = float(before.sum())
    share = 1.0 - float(rest.sum()) / total if total > 0 else 0.0
    return share if 0.0 < share <= 1.0 else 0.0


def _where(pairs: Pairs, alike: Flags) -> list[Cause]:
    found = []
    for segment in segments.segments(pairs):
        told = segments.gain(segment.inside, ~alike)
        if told < LEAST:
            continue
        found.append(
            Cause(
                name=segment.name,
                told=segment.told,
                before=float(alike.mean()),
                after=float((alike | segment.inside).mean()),
                explained=_WHERE * told,
                complexity=segment.complexity,
            )
        )
    return found


def _asked(pairs: Pairs, alike: Flags) -> list[Cause]:
    return [
        Cause(
            name=reading.name,
            told=reading.told,
            before=float(alike.mean()),
            after=float(alike.mean()) + (1 - float(alike.mean())) * reading.explained,
            explained=_HINT * reading.explained,
            complexity=reading.complexity,
        )
        for reading in inputs.readings(pairs, ~alike)
    ]


def _rank(cause: Cause) -> tuple[float, int]:
    return cause.complexity * _STEP - cause.explained, cause.complexity


def _one_each(ranked: list[Cause]) -> list[Cause]:
    """The best of each name, so that one cause in five forms does not hide a second."""
    seen: dict[str, Cause] = {}
    for cause in ranked:
        seen.setdefault(cause.name, cause)
    return list(seen.values())


__all__ = ["Floats", "explain"]
