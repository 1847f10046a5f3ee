"""One pass over the lines of a golden set: each is proved, and what finds it again is kept.

Kept are 8 bytes a case, the place of its line, and 16 more for each that carries the request of an earlier case.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from harness.errors import GoldenError
from harness.recordings.lines import RESTORE, StoredCase, decode

# A line longer than this is no case: it would be held in memory whole, several times over.
LONGEST_LINE = 256 << 20
_NOBODY = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scanned:
    """starts: int64, shape (cases + 1,), the byte at which each line starts, and the end of the file.

    later, first: int64, shape (k,): the cases with the request of an earlier one, by rising index, and the first case
    with that request. copies: bool, shape (k,): the same call once more, so that its answer is no second answer.
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
    starts, names, calls, position = array("q", [0]), array("Q"), array("Q"), 0
    later, named, repeats = array("q"), array("Q"), 0
    for number, line in enumerate(lines(stream, path), start=1):
        digest.update(line)
        case = decode(line, place=place(path, number), service=service, operation=operation)
        names.append(_short(case.id))
        calls.append(_call(case))
        if not case.primary:
            later.append(number - 1)
            named.append(_short(case.repeat_of or case.duplicate_of or ""))
            repeats += case.repeat_of is not None
        position += len(line)
        starts.append(position)
    places, ids = np.frombuffer(starts, dtype=np.int64), np.frombuffer(names or b"", dtype=np.uint64)
    order = np.argsort(ids, kind="stable")
    _check_unique(stream, path, ids, order, places)
    indices = np.array(later, dtype=np.int64)
    of = _linked(path, indices, np.array(named, dtype=np.uint64), ids, order)
    said = np.frombuffer(calls or b"", dtype=np.uint64)
    return Scanned(
        starts=places,
        sha256=digest.hexdigest(),
        later=indices,
        first=_first(indices, of),
        copies=(said[indices] == said[of]) & (said[indices] != _NOBODY),
        repeats=repeats,
        duplicates=len(indices) - repeats,
    )


def lines(stream: BinaryIO, path: Path) -> Iterator[bytes]:
    """The lines of a stream. Raises GoldenError for one that is longer than a case can be."""
    number = 0
    while line := stream.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise GoldenError(f"{place(path, number)}: longer than {LONGEST_LINE:,} bytes, and so no case. {RESTORE}")
        yield line


def place(path: Path, number: int) -> str:
    return f"{path}, line {number}"


def _short(name: str) -> int:
    """8 bytes an id instead of the id."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big")


def _call(case: StoredCase) -> int:
    """Which call it was, by the service's own name for it; _NOBODY where the log does not tell."""
    return _NOBODY if case.recording.request_id is None else _short(case.recording.request_id)


def _check_unique(
    stream: BinaryIO, path: Path, ids: NDArray[np.uint64], order: NDArray[np.int64], places: NDArray[np.int64]
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
    named: NDArray[np.uint64],
    ids: NDArray[np.uint64],
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
    for at in range(len(later)):
        inner = int(np.searchsorted(later, first[at]))
        if inner < at and later[inner] == first[at]:
            first[at] = first[inner]
    return first
