"""One golden set of several: every case once, and each linked to the first of all sets with its request."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.errors import GoldenError
from harness.recordings import gaps
from harness.recordings.gaps import Gap
from harness.recordings.manifest import Manifest
from harness.recordings.store import GoldenSet
from harness.recordings.writer import Writer, vacant
from harness.run.links import Links


def merge(sets: Sequence[GoldenSet], into: Path) -> Manifest:
    """Raises GoldenError where two sets hold different cases of one id, and where there is a set already in `into`; one
    case of several sets is written once. Memory: 8 bytes a case of all sets, and some tens while one is read."""
    vacant(into)
    words = [golden.manifest for golden in sets]
    captured = [one.captured for one in words if one.captured is not None]
    known: list[NDArray[np.int64]] = []
    same = 0
    with Writer(into, service=words[0].service, operation=words[0].operation) as writer, closing(Links(into)) as links:
        for golden in sets:
            ids = np.fromiter((hash(one.id) for _, found in golden.heads() for one in found), np.int64, len(golden))
            others, at = _earlier(known, ids)
            for index, case in enumerate(golden):
                case = replace(case, repeat_of=None, duplicate_of=None)
                if others[index] >= 0:
                    other = sets[others[index]]
                    there = replace(other.recording(int(at[index])), repeat_of=None, duplicate_of=None)
                    if there.id == case.id and there != case:
                        raise GoldenError(f'{golden.folder}: case "{case.id}" is another one in {other.folder}.')
                    if there.id == case.id:
                        same += 1
                        continue
                links.add_case(case.recording, writer.add(case))
            known.append(ids)
        writer.link(links.found(writer))
        counts = {kind: sum(gap.count for one in words for gap in one.gaps if gap.kind == kind) for kind in gaps.KINDS}
        counts |= {gaps.REPEATS: writer.repeats, gaps.DUPLICATES: writer.duplicates}
        counts[gaps.LEFT_OUT] += same
        notes = {gaps.LEFT_OUT: f"{same:,} of them in two of the merged sets" if same else ""}
        redactions = {rule for one in words for rule in one.redaction or ()}
        return writer.finish(
            {
                "name": into.name,
                "description": " ".join(dict.fromkeys(one.description for one in words)),
                "licence": "; ".join(dict.fromkeys(one.licence for one in words)),
                "source": "; ".join(dict.fromkeys(one.source for one in words)),
                "split": "; ".join(f"{one.name} ({one.sha256[:16]}): {one.split}" for one in words),
                "created_at": max(one.created_at for one in words),
                "redaction": tuple(sorted(redactions)) if all(one.redaction is not None for one in words) else None,
                "sampled": any(one.sampled for one in words),
                "truncated": any(one.truncated for one in words),
                "captured": (min(one[0] for one in captured), max(one[1] for one in captured)) if captured else None,
                "gaps": tuple(
                    Gap(kind=kind, count=count, note=notes.get(kind, "")) for kind, count in counts.items() if count
                ),
            }
        )


def _earlier(known: Sequence[NDArray[np.int64]], ids: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each case the first of the sets before that has its id, -1 where none does, and its index there.

    known: hashes of the ids of each set before; ids: of this one, shape (cases,).
    """
    others, at = np.full(len(ids), -1, dtype=np.int64), np.zeros(len(ids), dtype=np.int64)
    for place, before in enumerate(known):
        if not len(before):
            continue
        order = np.argsort(before)
        found = order[np.minimum(np.searchsorted(before, ids, sorter=order), len(before) - 1)]
        new = (before[found] == ids) & (others < 0)
        others[new], at[new] = place, found[new]
    return others, at
