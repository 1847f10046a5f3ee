"""Write a golden set, one case at a time, and put it in place when it is whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import GoldenError
from harness.recordings import manifest as manifests
from harness.recordings import scan as scans
from harness.recordings.known import Known
from harness.recordings.lines import StoredCase, decode, encode, line_id, linked
from harness.recordings.manifest import Manifest
from harness.recordings.packed import pack
from harness.recordings.sink import Sink

CASES, PACKED, MANIFEST = "cases.jsonl", "cases.jsonl.zst", "manifest.json"


def vacant(folder: Path) -> None:
    """Raises GoldenError where a golden set is there already: none is written over."""
    if (folder / MANIFEST).exists():
        raise GoldenError(f"{folder}: there is a golden set already, and none is written over. Name another folder.")


class Writer:
    """A set in the making. `add` cases, then `finish`; left without, it removes what it wrote.

    service, operation: of every case that does not name its own.
    """

    def __init__(self, folder: Path, *, service: str, operation: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.service, self.operation = service, operation
        self._part = folder / f"{CASES}.part"
        self._sink = Sink(self._part)
        self._longest = 0
        self._cases = Known(folder)

    def add(self, case: StoredCase) -> int:
        """Returns the byte at which the case's line starts. Raises GoldenError for a case that cannot be stored."""
        line = encode(case, service=self.service, operation=self.operation)
        self._cases.add(case.id, case.repeat_of or case.duplicate_of, repeats=case.repeat_of is not None)
        self._longest = max(self._longest, len(line))
        return self._sink.put(line)

    def put(self, text: bytes, lengths: NDArray[np.uint64], names: NDArray[np.int64]) -> NDArray[np.uint64]:
        """The same for n cases that are lines of `lines` already, without links: where each starts, shape (n,).

        lengths: of the lines, in bytes, shape (n,). names: a hash of each id, shape (n,).
        """
        if not len(lengths):
            return lengths
        self._cases.add_all(names.view(np.uint64))
        self._longest = max(self._longest, int(lengths.max()))
        return np.uint64(self._sink.put(text)) + np.cumsum(lengths) - lengths

    @property
    def repeats(self) -> int:
        return self._cases.repeats

    @property
    def duplicates(self) -> int:
        return self._cases.duplicates

    def line(self, start: int) -> bytes:
        """The line that starts at a byte."""
        return self._sink.line(start)

    def written(self, start: int) -> StoredCase:
        """The case whose line starts at a byte, as it was written."""
        place = f"{self._part}, byte {start}"
        return decode(self.line(start), place=place, service=self.service, operation=self.operation, proved=True)

    def link(self, links: Iterable[tuple[int, int, bool]]) -> None:
        """Write the lines again, some with a link: (where the line starts, where the earlier case's does, whether it
        repeats that one, or else duplicates it), by the first. Nothing is written where there are none.
        """
        rest = iter(links)
        if (first := next(rest, None)) is None:
            return
        name = lru_cache(maxsize=4096)(lambda start: line_id(self.line(start)))
        path = self.folder / f"{CASES}.linked.part"
        after, at = Sink(path), 0
        try:
            for start, earlier, repeats in chain((first,), rest):
                for piece in self._sink.pieces(at, start):
                    after.put(piece)
                line = self.line(start)
                at = start + len(line)
                said = linked(line, name(earlier), repeats=repeats)
                self._longest = max(self._longest, len(said))
                self._cases.repeats += repeats
                self._cases.duplicates += not repeats
                after.put(said)
            for piece in self._sink.pieces(at, self._sink.end):
                after.put(piece)
            after.sync()
        except BaseException:
            after.close()
            path.unlink(missing_ok=True)
            raise
        self._sink.close()
        path.replace(self._part)
        self._sink = after

    def finish(self, words: Mapping[str, Any], *, zstd: bool = False) -> Manifest:
        """Prove what was written, and let it take the place of an older set.

        words: of the manifest, without what follows from the cases. Raises GoldenError for an id that is there twice.
        """
        self._sink.sync()
        self._prove()
        unpacked = None
        packed = self.folder / f"{PACKED}.part"
        if zstd:
            self._sink.stream.seek(0)
            unpacked = pack(self._sink.stream, packed)
        made = Manifest(
            **words,
            service=self.service,
            operation=self.operation,
            cases=len(self._cases),
            sha256=self._sink.sha256(),
            unpacked_bytes=unpacked,
            repeats=self._cases.repeats,
            duplicates=self._cases.duplicates,
        )
        self._replace(packed if zstd else self._part, PACKED if zstd else CASES, made)
        return made

    def _prove(self) -> None:
        """Each id is there once, links name earlier cases, and no line is too long to be read."""
        if self._longest > scans.LONGEST_LINE or not self._cases.whole():
            self._sink.stream.seek(0)  # which line is wrong, and how, is for a closer look to say
            scans.scan(self._sink.stream, self._part, service=self.service, operation=self.operation)

    def _replace(self, cases: Path, name: str, made: Manifest) -> None:
        """Put both files in place. Stopped in between, the set is one that `open` refuses, not a wrong one."""
        part = self.folder / f"{MANIFEST}.part"
        part.write_bytes(made.to_bytes())
        manifests.read(part)
        cases.replace(self.folder / name)
        part.replace(self.folder / MANIFEST)
        (self.folder / (CASES if name == PACKED else PACKED)).unlink(missing_ok=True)

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sink.close()
        self._cases.close()
        for name in (CASES, PACKED, MANIFEST):
            (self.folder / f"{name}.part").unlink(missing_ok=True)
