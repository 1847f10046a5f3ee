"""Golden sets made of golden sets: split in two by cluster, or sampled in the proportions of the traffic.

Which half a cluster goes to is a hash of its name and the seed, so that it stays there when cases are added. A sample
is drawn within every combination of slices, by its share of the cases (largest remainder), in the seeded order of
`sample`; what is drawn beyond that share is marked `slices_only`, so that it speaks for its slices and never for the
whole. Repeats and duplicates go where the case goes whose request they carry.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.core.case import Json, Recording
from harness.errors import GoldenError
from harness.recordings import gaps
from harness.recordings.gaps import Gap
from harness.recordings.lines import StoredCase
from harness.recordings.manifest import Manifest
from harness.recordings.sample import order
from harness.recordings.store import GoldenSet
from harness.recordings.writer import Writer, vacant

LABEL, NULLS = "label", "nulls"


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
    """What was drawn. of: the cases it was drawn from. more: what -> cases marked slices_only. left_out: the others."""

    manifest: Manifest
    drawn: int
    of: int
    more: Mapping[str, int]
    left_out: int


def split(golden: GoldenSet, into: Path, rest: Path, *, share: float, seed: int) -> tuple[Manifest, Manifest]:
    """Two sets that share no cluster. share: of the clusters to the first, in (0, 1).

    Raises GoldenError where there is a set already, or both are to be written to one folder.
    """
    if into.absolute() == rest.absolute():
        raise GoldenError(f"{into}: two sets cannot be written to one folder.")
    for folder in (into, rest):
        vacant(folder)
    chosen = [_in_share(golden.recording(int(index)).cluster, share, seed) for index in golden.primaries]
    first = {int(index) for index, taken in zip(golden.primaries, chosen, strict=True) if taken}
    others = {int(index) for index in golden.primaries} - first
    rule = f"clusters of {golden.name} ({golden.sha256[:16]}) whose hash with seed {seed} lies"
    return (
        _write(golden, into, dict.fromkeys(first), f"{rule} below {share:g}", "another set has them"),
        _write(golden, rest, dict.fromkeys(others), f"{rule} at or above {share:g}", "another set has them"),
    )


def sample(golden: GoldenSet, into: Path, wanted: Wanted, *, has_nulls: Callable[[Recording], bool]) -> Sampled:
    """A smaller set; what it leaves out is on its manifest. Raises GoldenError where there is a set already."""
    vacant(into)
    primaries = golden.primaries
    sequence = [int(primaries[place]) for place in order(len(primaries), wanted.seed)]
    strata: dict[tuple[tuple[str, str], ...], list[int]] = defaultdict(list)
    groups: dict[str, list[int]] = defaultdict(list)
    for index in sequence:
        case = golden.recording(index)
        if not case.slices_only:
            strata[tuple(sorted(case.slices.items()))].append(index)
        for group in _groups(case, wanted, has_nulls):
            groups[group].append(index)
    drawn = _proportional(list(strata.values()), wanted.cases)
    extra = _more(groups, drawn, wanted)
    rule = f"{len(drawn):,} cases of {golden.name} ({golden.sha256[:16]}) by share of each combination of slices"
    chosen: dict[int, dict[str, str] | None] = dict.fromkeys(drawn)
    for what, indices in extra.items():
        name, _, value = what.partition("=")
        for index in indices:
            chosen[index] = {**(chosen.get(index) or {}), name: value}
    left = len(primaries) - len(chosen)
    made = _write(golden, into, chosen, f"{rule}, seed {wanted.seed}", f"seed {wanted.seed}, slices in proportion")
    return Sampled(
        manifest=made,
        drawn=len(drawn),
        of=len(primaries),
        more={what: len(indices) for what, indices in extra.items()},
        left_out=left,
    )


def _in_share(cluster: str, share: float, seed: int) -> bool:
    digest = hashlib.sha256(f"parity-split:{seed}:{cluster}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def _groups(case: StoredCase, wanted: Wanted, has_nulls: Callable[[Recording], bool]) -> list[str]:
    """The groups of which a least number is wanted that a case lies in, as "name=value"."""
    found = [f"{name}={value}" for name, value in wanted.over if case.slices.get(name) == value]
    if wanted.rare and case.expected is not None:
        found.append(f"{LABEL}={_label(case.expected)}")
    if wanted.nulls and has_nulls(case.recording):
        found.append(f"{NULLS}=yes")
    return found


def _label(expected: Json) -> str:
    return expected if isinstance(expected, str) else repr(expected)


def _proportional(strata: list[list[int]], cases: int) -> list[int]:
    """Largest remainder (Hamilton's method): each stratum its share, rounded down, then by the largest fractions."""
    total = sum(map(len, strata))
    cases = min(cases, total)
    quotas = [cases * len(stratum) / total for stratum in strata] if total else []
    seats = [int(quota) for quota in quotas]
    by_fraction = sorted(range(len(strata)), key=lambda at: (seats[at] - quotas[at], at))
    for at in by_fraction[: cases - sum(seats)]:
        seats[at] += 1
    return sorted(index for stratum, count in zip(strata, seats, strict=True) for index in stratum[:count])


def _more(groups: Mapping[str, list[int]], drawn: list[int], wanted: Wanted) -> dict[str, list[int]]:
    """What has to be drawn besides for each group to have its least number, as far as there is so much."""
    least = {f"{name}={value}": count for (name, value), count in wanted.over.items()} | {f"{NULLS}=yes": wanted.nulls}
    inside, more = set(drawn), {}
    for group, indices in groups.items():
        lacking = least.get(group, wanted.rare) - sum(index in inside for index in indices)
        besides = [index for index in indices if index not in inside][: max(lacking, 0)]
        if besides:
            more[group] = besides
    return more


def _write(
    golden: GoldenSet, into: Path, chosen: Mapping[int, dict[str, str] | None], rule: str, note: str
) -> Manifest:
    """The chosen primaries with all that repeats them; a value besides None marks a case as drawn for slices only."""
    words, flags = golden.manifest, Counter[str]()
    links: dict[str, str] = {}
    with Writer(into, service=words.service, operation=words.operation) as writer:
        for index, case in enumerate(golden):
            first = case.id if case.primary else links.get(case.repeat_of or case.duplicate_of or "")
            if first is None or (case.primary and index not in chosen):
                continue
            links[case.id] = first
            marks = chosen.get(index)
            if marks is not None:
                case = replace(case, slices_only=True, slices={**case.slices, **marks})
            flags.update({*case.recording.provenance.flags} & set(gaps.KINDS))
            flags[gaps.REPEATS] += case.repeat_of is not None
            flags[gaps.DUPLICATES] += case.duplicate_of is not None
            writer.add(case)
        taken = len(links)
        counted = {gap.kind: gap for gap in words.gaps}
        counted |= {kind: Gap(kind=kind, count=count) for kind, count in flags.items() if count}
        if left := len(golden) - taken:
            counted[gaps.LEFT_OUT] = Gap(kind=gaps.LEFT_OUT, count=left, note=note)
        return writer.finish(
            {
                "name": into.name,
                "description": words.description,
                "licence": words.licence,
                "source": words.source,
                "split": rule,
                "created_at": words.created_at,
                "redaction": words.redaction,
                "sampled": words.sampled or taken < len(golden),
                "truncated": words.truncated,
                "captured": words.captured,
                "gaps": tuple(counted[kind] for kind in gaps.KINDS if kind in counted),
            }
        )
