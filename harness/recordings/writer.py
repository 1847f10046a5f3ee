"""Write a golden set, one case at a time, and put it in place when it is whole."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from harness.errors import GoldenError
from harness.recordings import manifest as manifests
from harness.recordings.lines import StoredCase, decode, encode
from harness.recordings.manifest import Manifest
from harness.recordings.packed import pack
from harness.recordings.scan import scan

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
        self._folder = folder
        self._service, self._operation = service, operation
        self._part = folder / f"{CASES}.part"
        self._stream: BinaryIO = self._part.open("w+b")
        self._end = 0

    def add(self, case: StoredCase) -> int:
        """Returns the byte at which the case's line starts. Raises GoldenError for a case that cannot be stored."""
        start, line = self._end, encode(case, service=self._service, operation=self._operation)
        self._stream.write(line)
        self._end += len(line)
        return start

    def written(self, start: int) -> StoredCase:
        """The case whose line starts at a byte, as it was written."""
        self._stream.flush()
        length = 64 << 10
        while b"\n" not in (line := os.pread(self._stream.fileno(), length, start)):
            length *= 4
        return decode(
            line[: line.index(b"\n") + 1],
            place=f"{self._part}, byte {start}",
            service=self._service,
            operation=self._operation,
            proved=True,
        )

    def finish(self, words: Mapping[str, Any], *, zstd: bool = False) -> Manifest:
        """Prove what was written, and let it take the place of an older set.

        words: of the manifest, without what follows from the cases. Raises GoldenError for an id that is there twice.
        """
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.seek(0)
        found = scan(self._stream, self._part, service=self._service, operation=self._operation)
        unpacked = None
        packed = self._folder / f"{PACKED}.part"
        if zstd:
            self._stream.seek(0)
            unpacked = pack(self._stream, packed)
        made = Manifest(
            **words,
            service=self._service,
            operation=self._operation,
            cases=found.cases,
            sha256=found.sha256,
            unpacked_bytes=unpacked,
            repeats=found.repeats,
            duplicates=found.duplicates,
        )
        self._replace(packed if zstd else self._part, PACKED if zstd else CASES, made)
        return made

    def _replace(self, cases: Path, name: str, made: Manifest) -> None:
        """Put both files in place. Stopped in between, the set is one that `open` refuses, not a wrong one."""
        part = self._folder / f"{MANIFEST}.part"
        part.write_bytes(made.to_bytes())
        manifests.read(part)
        cases.replace(self._folder / name)
        part.replace(self._folder / MANIFEST)
        (self._folder / (CASES if name == PACKED else PACKED)).unlink(missing_ok=True)

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()
        for name in (CASES, PACKED, MANIFEST):
            (self._folder / f"{name}.part").unlink(missing_ok=True)
