"""Every candidate applied to every pair, ranked by what it explains."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from harness.stats.cause import classes, inputs, order, outputs, segments, thresholds
from harness.stats.cause.outputs import Candidate
from harness.stats.cause.pairs import EXACT_ATOL, EXACT_RTOL, Cause, Flags, Floats, Pairs, equal

# What a simpler cause may explain less and still stand first, for each step of complexity.
_STEP = 0.004
# A cause that leaves a residue, or that only says where, is worth less than one that makes rows equal; a range of a
# column, of which some always fits by chance, least of all.
_SOFT, _WHERE, _RANGE, _HINT = 0.90, 0.93, 0.5, 0.85
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
    part = _changed(pairs, exact=exact)
    found = [_cause(one, pairs, alike, exact=exact) for one in _whole(pairs)]
    if pairs.same_shape and not _one_answer(part):
        found += [_cause(_placed(one, part, pairs), part, alike, exact=exact) for one in outputs.candidates(part)]
    if pairs.same_shape and not exact:
        where = _where(pairs, alike)
        known = [*found, *(cause for cause in where if cause.name != "range")]
        asked = _asked(part, alike) if max((cause.explained for cause in known), default=0.0) < _SOFT else []
        found += [*where, *asked]
    ranked = sorted((cause for cause in found if cause.explained >= LEAST), key=_rank)
    return _one_each(ranked)[:most]


def _whole(pairs: Pairs) -> Iterator[Candidate]:
    """Candidates for which all columns count, whichever differ."""
    if _one_answer(pairs):
        yield from classes.columns(pairs)  # every fit would explain one answer to everything, and none would be a cause
        return
    yield from classes.candidates(pairs)
    yield from order.candidates(pairs)
    if pairs.same_shape:
        yield from thresholds.candidates(pairs)


def _one_answer(pairs: Pairs) -> bool:
    return len(pairs.target) > 0 and bool(
        equal(pairs.target, pairs.target[:1]).all() and not equal(pairs.source, pairs.source[:1]).all()
    )


def _changed(pairs: Pairs, *, exact: bool) -> Pairs:
    """The columns in which any row differs: what happened to one is not to be looked for in the others."""
    if not pairs.same_shape:
        return pairs
    tolerance = {"rtol": EXACT_RTOL, "atol": EXACT_ATOL} if exact else {}
    kept = [
        at
        for at in range(pairs.source.shape[1])
        if not equal(pairs.source[:, [at]], pairs.target[:, [at]], **tolerance).all()
    ]
    return replace(
        pairs,
        source=pairs.source[:, kept],
        target=pairs.target[:, kept],
        columns=tuple(pairs.columns[at] for at in kept),
        target_columns=tuple(pairs.target_columns[at] for at in kept),
    )


def _placed(one: Candidate, part: Pairs, pairs: Pairs) -> Candidate:
    """The candidate, told with the columns it is of where those are not all."""
    if len(part.columns) == len(pairs.columns):
        return one
    return replace(one, told=", ".join(f'"{name}"' for name in part.columns[:3]) + f": {one.told}")


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

    Left and right may be on another scale than the answers (logits), so both the rest and what there was before are
    taken against how far the numbers spread by themselves. What changes nothing explains nothing.
    """
    left, right = one.left, one.right
    usable = np.asarray(np.isfinite(left).all(axis=1) & np.isfinite(right).all(axis=1))
    if usable.sum() < 0.9 * len(left):
        return 0.0
    rest, before = _beside_spread(left[usable], right[usable]), 1.0
    if pairs.same_shape:
        apart = _beside_spread(pairs.source[usable], pairs.target[usable])
        before = min(apart, 1.0) if np.isfinite(apart) else 1.0
    share = 1.0 - rest / before if before > 0 else 0.0
    return share if 0.0 < share <= 1.0 else 0.0


def _beside_spread(left: Floats, right: Floats) -> float:
    """How far left and right are apart, where 1 is how far right is from its own median; inf where that is 0."""
    spread = float(np.abs(right - np.median(right, axis=0)).sum())
    return float(np.abs(left - right).sum()) / spread if spread > 0 else np.inf


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
                explained=(_RANGE if segment.name == "range" else _WHERE) * told,
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
