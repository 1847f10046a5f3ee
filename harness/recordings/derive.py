"""Golden sets made of golden sets: split in two by cluster, or sampled in the proportions of the traffic.

Which half a cluster goes to is a hash of its name and the seed, so that it stays there when cases are added. A sample
is drawn within every combination of slices, by its share of the cases (largest remainder), in the seeded order of
`sample`; what is drawn beyond that share is marked `slices_only`, so that it speaks for its slices and never for the
whole. Repeats and duplicates go where the case goes whose request they carry; in a split, those of a cluster that went
the other way are left out of both sets and counted, so that no cluster is in both.

Lines that stay as they are are copied, not decoded. Memory is some tens of bytes a case.
"""

from __future__ import annotations

import hashlib
import json
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from harness.core.case import Recording
from harness.errors import GoldenError
from harness.recordings import gaps
from harness.recordings.gaps import Gap
from harness.recordings.heads import Head
from harness.recordings.lines import StoredCase, decode
from harness.recordings.manifest import Manifest
from harness.recordings.sample import order
from harness.recordings.store import GoldenSet
from harness.recordings.writer import Writer, vacant

LABEL, NULLS = "label", "nulls"
_KINDS = frozenset(gaps.KINDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a sample is to hold. cases: drawn by share. over: (slice, value) -> at least so many. rare: at least so many
    of each label. nulls: at least so many with nulls in the request.
    """

    cases: int
    seed: int
    over: Mapping[tuple[str, str], int] = field(default_factory=dict)
    rare: int = 0
    nulls: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """What was drawn. of: the cases it was drawn from. more: what -> cases marked slices_only. left_out: the others.
    short: what -> cases of it, where fewer are there than were wanted.
    """

    manifest: Manifest
    drawn: int
    of: int
    more: Mapping[str, int]
    left_out: int
    short: Mapping[str, int]


def split(golden: GoldenSet, into: Path, rest: Path, *, share: float, seed: int) -> tuple[Manifest, Manifest]:
    """Two sets that share no cluster. share: of the clusters to the first, in (0, 1).

    Raises GoldenError where there is a set already, both are to be written to one folder, or one would be empty.
    """
    if into.absolute() == rest.absolute():
        raise GoldenError(f"{into}: two sets cannot be written to one folder.")
    for folder in (into, rest):
        vacant(folder)
    inside = np.fromiter((_in_share(one.cluster or one.id, share, seed) for one in _each(golden)), bool, len(golden))
    first = golden.first()
    with_its_first = inside == inside[first]
    sides = (inside & with_its_first, ~inside & with_its_first)
    for folder, side in zip((into, rest), sides, strict=True):
        if not side.any():
            raise GoldenError(
                f"{folder}: no cluster would be in it: with seed {seed} none of {golden.name} falls on that side of "
                f"{share:g}. Take another share or seed."
            )
    rule = f"clusters of {golden.name} ({golden.sha256[:16]}) whose hash with seed {seed} lies"
    note = "another set has them"
    if lost := len(golden) - int(with_its_first.sum()):
        note += f", but for {lost:,} repeats and duplicates between clusters of both"
    return (
        _write(golden, into, sides[0], {}, f"{rule} below {share:g}", note),
        _write(golden, rest, sides[1], {}, f"{rule} at or above {share:g}", note),
    )


def sample(golden: GoldenSet, into: Path, wanted: Wanted, *, has_nulls: Callable[[Recording], bool]) -> Sampled:
    """A smaller set; what it leaves out is on its manifest.

    Raises GoldenError where there is a set already, and where no case at all lies in a slice or has a label of which
    more are wanted.
    """
    vacant(into)
    primaries = golden.primaries
    sequence = primaries[order(len(primaries), wanted.seed)]
    rank = np.full(len(golden), -1, dtype=np.int64)
    rank[sequence] = np.arange(len(sequence))
    strata, found = _strata(golden, wanted, has_nulls)
    groups = {group: sorted(indices, key=rank.item) for group, indices in found.items()}
    least = _least(golden, groups, wanted)
    drawn = _proportional(_by_stratum(strata, sequence), wanted.cases)
    taken = np.zeros(len(golden), dtype=bool)
    taken[drawn] = True
    marks: dict[int, dict[str, str]] = {}
    more = {}
    for group in sorted(groups, key=lambda group: (rank.item(groups[group][0]), list(least).index(group))):
        lacking = least[group] - sum(taken.item(index) for index in groups[group])
        besides = [index for index in groups[group] if not taken.item(index)][: max(lacking, 0)]
        name, _, value = group.partition("=")
        for index in besides:
            marks.setdefault(index, {})[name] = value
        if besides:
            more[group] = len(besides)
    taken[list(marks)] = True
    rule = f"{len(drawn):,} cases of {golden.name} ({golden.sha256[:16]}) by share of each combination of slices"
    note = f"seed {wanted.seed}, slices in proportion"
    made = _write(golden, into, taken[golden.first()], marks, f"{rule}, seed {wanted.seed}", note)
    return Sampled(
        manifest=made,
        drawn=len(drawn),
        of=len(primaries),
        more=more,
        left_out=len(primaries) - len(drawn) - len(marks),
        short={group: len(groups.get(group, ())) for group, n in least.items() if len(groups.get(group, ())) < n},
    )


def _each(golden: GoldenSet) -> Iterator[Head]:
    return (one for _, found in golden.heads() for one in found)


def _in_share(cluster: str, share: float, seed: int) -> bool:
    digest = hashlib.sha256(f"parity-split:{seed}:{cluster}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def _strata(
    golden: GoldenSet, wanted: Wanted, has_nulls: Callable[[Recording], bool]
) -> tuple[NDArray[np.int64], dict[str, array[int]]]:
    """The number of each case's combination of slices, shape (cases,), -1 where it speaks for slices only; and the
    primary cases of each group of which a least number is wanted, by "name=value".
    """
    numbers: dict[tuple[tuple[str, str], ...], int] = {}
    of = array("q")
    groups: dict[str, array[int]] = defaultdict(lambda: array("q"))
    for index, one in enumerate(_each(golden)):
        of.append(-1 if one.slices_only else numbers.setdefault(tuple(sorted(one.slices.items())), len(numbers)))
        if one.earlier:
            continue
        for name, value in wanted.over:
            if one.slices.get(name) == value:
                groups[f"{name}={value}"].append(index)
        if wanted.rare and one.expected is not UNSET and (label := json.loads(bytes(one.expected))) is not None:
            groups[f"{LABEL}={label if isinstance(label, str) else repr(label)}"].append(index)
        if wanted.nulls and has_nulls(golden.recording(index).recording):
            groups[f"{NULLS}=yes"].append(index)
    return np.array(of, dtype=np.int64), groups


def _least(golden: GoldenSet, groups: Mapping[str, list[int]], wanted: Wanted) -> dict[str, int]:
    """How many of each group are wanted."""
    least = {f"{name}={value}": count for (name, value), count in wanted.over.items()}
    for group in least:
        if group not in groups:
            raise GoldenError(f"{golden.folder}: no case lies in slice {group}, so there are no more of it to draw.")
    labels = [group for group in groups if group.startswith(f"{LABEL}=") and group not in least]
    if wanted.rare and not any(group.startswith(f"{LABEL}=") for group in groups):
        raise GoldenError(f"{golden.folder}: no case has a label, so there are no rare ones to draw.")
    least |= dict.fromkeys(labels, wanted.rare)
    return least | ({f"{NULLS}=yes": wanted.nulls} if wanted.nulls else {})


def _by_stratum(strata: NDArray[np.int64], sequence: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """The cases of each stratum in the order of `sequence`; strata in the order in which it comes upon them."""
    sequence = sequence[strata[sequence] >= 0]
    if not len(sequence):
        return []
    by = np.argsort(strata[sequence], kind="stable")
    starts = np.flatnonzero(np.diff(strata[sequence][by])) + 1
    return [sequence[places] for places in sorted(np.split(by, starts), key=lambda places: int(places[0]))]


def _proportional(strata: list[NDArray[np.int64]], cases: int) -> list[int]:
    """Largest remainder (Hamilton's method): each stratum its share, rounded down, then by the largest fractions."""
    total = sum(map(len, strata))
    cases = min(cases, total)
    quotas = [cases * len(stratum) / total for stratum in strata] if total else []
    seats = [int(quota) for quota in quotas]
    by_fraction = sorted(range(len(strata)), key=lambda at: (seats[at] - quotas[at], at))
    for at in by_fraction[: cases - sum(seats)]:
        seats[at] += 1
    return sorted(int(index) for stratum, count in zip(strata, seats, strict=True) for index in stratum[:count])


def _write(
    golden: GoldenSet,
    into: Path,
    taken: NDArray[np.bool_],
    marks: Mapping[int, dict[str, str]],
    rule: str,
    note: str,
) -> Manifest:
    """The cases that are taken, shape (cases,); marks: slices that those which speak for slices only get besides."""
    words, first, at = golden.manifest, golden.first(), 0
    flags, everywhere, links = Counter[str](), Counter[str](), _Links()
    with Writer(into, service=words.service, operation=words.operation) as writer:
        for lines, found in golden.heads():
            kept = []
            for index, (line, one) in enumerate(zip(lines.split(b"\n"), found, strict=False), start=at):
                kinds = _KINDS.intersection(one.provenance.flags)
                everywhere.update(kinds)
                if not taken.item(index):
                    if taken.item(first.item(index)):
                        links.lost(one)
                    continue
                flags.update(kinds)
                if index not in marks and not one.earlier:
                    kept.append((line + b"\n", one.id))
                    continue
                _copy(writer, kept)
                kept = []
                case = decode(line + b"\n", place=one.id, service=words.service, operation=words.operation)
                if index in marks:
                    case = replace(case, slices_only=True, slices={**case.slices, **marks[index]})
                writer.add(links.mended(case))
            _copy(writer, kept)
            at += len(found)
        flags[gaps.REPEATS], flags[gaps.DUPLICATES] = writer.repeats, writer.duplicates
        counted = {gap.kind: gap for gap in words.gaps if gap.kind not in everywhere and gap.kind not in flags}
        counted |= {kind: Gap(kind=kind, count=count) for kind, count in flags.items() if count}
        left = len(golden) - int(taken.sum())
        if left:
            before = counted.get(gaps.LEFT_OUT)
            counted[gaps.LEFT_OUT] = Gap(
                kind=gaps.LEFT_OUT,
                count=left + (before.count if before else 0),
                note=f"{note}; before that: {before.note}" if before and before.note else note,
            )
        return writer.finish(
            {
                "name": into.name,
                "description": words.description,
                "licence": words.licence,
                "source": words.source,
                "split": rule,
                "created_at": words.created_at,
                "redaction": words.redaction,
                "sampled": words.sampled or left > 0,
                "truncated": words.truncated,
                "captured": words.captured,
                "gaps": tuple(counted[kind] for kind in gaps.KINDS if kind in counted),
            }
        )


class _Links:
    """Links of cases to an earlier one that the new set does not have, while it has the first with the request."""

    def __init__(self) -> None:
        self._lost: dict[str, tuple[str, bool]] = {}
        self._instead: dict[str, str] = {}

    def lost(self, one: Head) -> None:
        self._lost[one.id] = one.earlier, one.repeat_of is not UNSET

    def mended(self, case: StoredCase) -> StoredCase:
        """The first case that has the answer of a repeat that is lost is now the repeat; the others duplicate it."""
        link, repeats = case.repeat_of or case.duplicate_of, case.repeat_of is not None
        if link not in self._lost:
            return case
        if link in self._instead and not repeats:
            return replace(case, duplicate_of=self._instead[link])
        answered_as = link
        while link in self._lost:
            link, lost_repeats = self._lost[link]
            repeats = repeats or lost_repeats
        if repeats:
            self._instead[answered_as] = case.id
        return replace(case, repeat_of=link if repeats else None, duplicate_of=None if repeats else link)


def _copy(writer: Writer, kept: list[tuple[bytes, str]]) -> None:
    """Lines without links, as they are."""
    lengths = np.fromiter((len(line) for line, _ in kept), np.uint64, len(kept))
    writer.put(b"".join(line for line, _ in kept), lengths, np.fromiter((hash(name) for _, name in kept), np.int64))
