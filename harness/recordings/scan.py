"""One pass over the lines of a golden set: each is proved, and what finds it again is kept.

Kept are 8 bytes a case, the place of its line, and 16 more for each that carries the request of an earlier case.
"""

from __future__ import annotations

import hashlib
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from harness.errors import GoldenError
from harness.recordings.heads import heads, place
from harness.recordings.lines import decode

# A line longer than this is no case: it would be held in memory whole, several times over.
LONGEST_LINE = 256 << 20
_NOBODY = hash("")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scanned:
    """starts: int64, shape (cases + 1,), the byte at which each line starts, and the end of the file.

    later, first: int64, shape (k,): the cases with the request of an earlier one, and the first case with that request;
    by rising first, and then by rising later. copies: bool, shape (k,): the same call once more, so that its answer is
    no second answer.
    repeats, duplicates: how many cases say that they are.
    """

    starts: NDArray[np.int64]
    sha256: str
    later: NDArray[np.int64]
    first: NDArray[np.int64]
    copies: NDArray[np.bool_]
    repeats: int
    duplicates: int

    @property
    def cases(self) -> int:
        return len(self.starts) - 1


def scan(stream: BinaryIO, path: Path, *, service: str, operation: str) -> Scanned:
    """Raises GoldenError naming the first line that is wrong: torn, altered, an id there before, a link to nowhere."""
    digest = hashlib.sha256()
    ends, names, calls, position = [np.zeros(1, dtype=np.int64)], array("q"), array("q"), 0
    later, named, repeats = array("q"), array("q"), 0
    for chunk, found in heads(stream, path, service=service, operation=operation, longest=LONGEST_LINE):
        digest.update(chunk)
        later.extend(at for at, one in enumerate(found, start=len(names)) if one.earlier)
        named.extend(hash(one.earlier) for one in found if one.earlier)
        repeats += sum(bool(one.repeat_of) for one in found)
        names.extend(hash(one.id) for one in found)
        calls.extend(hash(one.call) for one in found)
        ends.append(np.flatnonzero(np.frombuffer(chunk, dtype=np.uint8) == ord("\n")) + (position + 1))
        position += len(chunk)
    places, ids = np.concatenate(ends), np.frombuffer(names or b"", dtype=np.int64)
    order = np.argsort(ids, kind="stable")
    _check_unique(stream, path, ids, order, places)
    indices = np.array(later, dtype=np.int64)
    of = _linked(path, indices, np.array(named, dtype=np.int64), ids, order)
    said = np.frombuffer(calls or b"", dtype=np.int64)
    copies = (said[indices] == said[of]) & (said[indices] != _NOBODY)
    first = _first(indices, of)
    by_first = np.argsort(first, kind="stable")
    return Scanned(
        starts=places,
        sha256=digest.hexdigest(),
        later=indices[by_first],
        first=first[by_first],
        copies=copies[by_first],
        repeats=repeats,
        duplicates=len(indices) - repeats,
    )


def _check_unique(
    stream: BinaryIO, path: Path, ids: NDArray[np.int64], order: NDArray[np.int64], places: NDArray[np.int64]
) -> None:
    ordered = ids[order]
    same = np.flatnonzero(ordered[1:] == ordered[:-1])
    for first, second in ((int(order[index]), int(order[index + 1])) for index in same):
        said = []
        for index in (first, second):
            stream.seek(int(places[index]))
            line = stream.readline()
            said.append(decode(line, place=place(path, index + 1), service="-", operation="-").id)
        if said[0] == said[1]:
            raise GoldenError(f'{place(path, second + 1)}: case "{said[1]}" is on line {first + 1} already.')


def _linked(
    path: Path,
    later: NDArray[np.int64],
    named: NDArray[np.int64],
    ids: NDArray[np.int64],
    order: NDArray[np.int64],
) -> NDArray[np.int64]:
    """The case that each later one names. Raises GoldenError where that is none, or none that comes before it."""
    found = np.searchsorted(ids, named, sorter=order)
    known = found < len(ids)
    of = order[np.where(known, found, 0)] if len(ids) else np.zeros(0, dtype=np.int64)
    wrong = np.flatnonzero(~known | (ids[of] != named) | (of >= later))
    if len(wrong):
        number = int(later[wrong[0]]) + 1
        raise GoldenError(f"{place(path, number)}: repeat_of or duplicate_of names no earlier case of the set.")
    return of


def _first(later: NDArray[np.int64], of: NDArray[np.int64]) -> NDArray[np.int64]:
    """The first case with the request: a duplicate may name a repeat, which names the first."""
    first = of.copy()
    while len(first):
        at = np.minimum(np.searchsorted(later, first), len(later) - 1)
        inner = later[at] == first
        if not inner.any():
            break
        first[inner] = first[at[inner]]
    return first
