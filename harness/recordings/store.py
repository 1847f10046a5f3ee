"""Golden sets: the recorded cases that a suite replays, and the proof that they are still those.

A set is a folder with `cases.jsonl` (its form is in `lines`) and `manifest.json` (in `manifest`). Opening one reads the
whole file once: its SHA-256 is held against the manifest, every line is decoded, every id must be new. What stays in
memory is 8 bytes a case, the place of its line; cases are read from the file when they are asked for.
"""

from __future__ import annotations

import hashlib
import os
import weakref
from array import array
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from harness.errors import GoldenError
from harness.recordings import manifest as manifests
from harness.recordings.lines import RESTORE, StoredCase, decode, encode
from harness.recordings.manifest import Manifest

CASES, MANIFEST = "cases.jsonl", "manifest.json"


class GoldenSet:
    """An opened golden set. Safe to share by threads; the file stays open until `close` or the end of the object.

    A set that is written anew while a run reads from it is not seen: the run keeps the file that it proved.
    """

    def __init__(self, folder: Path, manifest: Manifest, stream: BinaryIO, starts: NDArray[np.int64]) -> None:
        """Use `open`. starts: shape (cases + 1,), the byte at which each line starts, and the end of the file."""
        self.folder = folder
        self.manifest = manifest
        self._starts = starts
        self._descriptor = os.dup(stream.fileno())
        self._close = weakref.finalize(self, os.close, self._descriptor)

    @classmethod
    def open(cls, folder: Path) -> GoldenSet:
        """Raises GoldenError, naming file and line, when the set is missing, altered, malformed or repeats an id."""
        manifest = manifests.read(folder / MANIFEST)
        path = folder / CASES
        try:
            with path.open("rb") as stream:
                starts, sha256 = _scan(stream, path, service=manifest.service, operation=manifest.operation)
                if sha256 != manifest.sha256 or len(starts) - 1 != manifest.cases:
                    raise GoldenError(
                        f"{path}: altered: {len(starts) - 1} cases with sha256 {sha256}, where {MANIFEST} says "
                        f"{manifest.cases} cases with {manifest.sha256}. Every line is whole, so lines were added, "
                        f"removed, reordered or exchanged. {RESTORE}"
                    )
                return cls(folder, manifest, stream, starts)
        except OSError as exc:
            raise GoldenError(f"{path}: cannot be read: {exc.strerror}. {RESTORE}") from exc

    @property
    def name(self) -> str:
        return self.manifest.name

    @property
    def sha256(self) -> str:
        """Of `cases.jsonl`, as proved when the set was opened."""
        return self.manifest.sha256

    def __len__(self) -> int:
        return len(self._starts) - 1

    def recording(self, index: int) -> StoredCase:
        """The case on line `index` + 1. Raises IndexError out of [0, len), GoldenError when its bytes were altered."""
        if not 0 <= index < len(self):
            raise IndexError(f"{self.folder / CASES}: there is no case {index} of {len(self)}")
        start, end = int(self._starts[index]), int(self._starts[index + 1])
        return decode(
            self._read(start, end - start),
            place=_line(self.folder / CASES, index + 1),
            service=self.manifest.service,
            operation=self.manifest.operation,
            proved=True,
        )

    def __iter__(self) -> Iterator[StoredCase]:
        """Every case, in file order."""
        return (self.recording(index) for index in range(len(self)))

    def close(self) -> None:
        """Let go of the file; `recording` fails afterwards. Closing twice does no harm."""
        self._close()

    def __enter__(self) -> GoldenSet:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _read(self, start: int, length: int) -> bytes:
        """Positioned reads share no file position, so threads need no lock. A short file gives a short answer."""
        if not self._close.alive:
            raise GoldenError(f"{self.folder / CASES}: the golden set was closed.")
        parts: list[bytes] = []
        while length > 0 and (part := os.pread(self._descriptor, length, start)):
            parts.append(part)
            start, length = start + len(part), length - len(part)
        return b"".join(parts)


def write(
    folder: Path,
    cases: Iterable[StoredCase],
    *,
    name: str,
    description: str,
    service: str,
    operation: str,
    licence: str,
    source: str,
    split: str,
    created_at: datetime,
    redaction: tuple[str, ...] | None = None,
    sampled: bool = False,
    truncated: bool = False,
    captured: tuple[datetime, datetime] | None = None,
) -> Manifest:
    """Write a golden set, one case at a time; the meaning of the words is in `Manifest`.

    The same cases and words give the same bytes. What is written is read back and proved before it takes the place
    of an older set; a writer that fails leaves the older set as it was.
    Raises GoldenError for a case that cannot be stored and for an id that is there twice.
    """
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{CASES}.part"
    try:
        with part.open("w+b") as stream:
            stream.writelines(encode(case, service=service, operation=operation) for case in cases)
            stream.flush()
            os.fsync(stream.fileno())
            stream.seek(0)
            starts, sha256 = _scan(stream, part, service=service, operation=operation)
        manifest = Manifest(
            name=name,
            description=description,
            service=service,
            operation=operation,
            licence=licence,
            source=source,
            split=split,
            created_at=created_at,
            cases=len(starts) - 1,
            sha256=sha256,
            redaction=redaction,
            sampled=sampled,
            truncated=truncated,
            captured=captured,
        )
        _replace(folder / f"{MANIFEST}.part", manifest.to_bytes(), folder)
    finally:
        part.unlink(missing_ok=True)
    return manifest


def _replace(manifest_part: Path, content: bytes, folder: Path) -> None:
    """Put both files in place. Stopped between the two renames, the set is one that `open` refuses, not a wrong one."""
    manifest_part.write_bytes(content)
    try:
        manifests.read(manifest_part)
        (folder / f"{CASES}.part").replace(folder / CASES)
        manifest_part.replace(folder / MANIFEST)
    finally:
        manifest_part.unlink(missing_ok=True)


def _scan(stream: BinaryIO, path: Path, *, service: str, operation: str) -> tuple[NDArray[np.int64], str]:
    """Where each line starts, and the file's SHA-256. Raises GoldenError naming the first line that is wrong."""
    digest = hashlib.sha256()
    starts, names, position = array("q", [0]), array("Q"), 0
    for number, line in enumerate(stream, start=1):
        digest.update(line)
        case = decode(line, place=_line(path, number), service=service, operation=operation)
        # 8 bytes an id instead of the id: equal ones are looked at again below.
        names.append(int.from_bytes(hashlib.blake2b(case.id.encode(), digest_size=8).digest(), "big"))
        position += len(line)
        starts.append(position)
    places = np.array(starts, dtype=np.int64)
    _check_unique(stream, path, np.array(names, dtype=np.uint64), places)
    return places, digest.hexdigest()


def _check_unique(stream: BinaryIO, path: Path, names: NDArray[np.uint64], places: NDArray[np.int64]) -> None:
    order = np.argsort(names, kind="stable")
    same = np.flatnonzero(names[order][1:] == names[order][:-1])
    for first, second in ((int(order[index]), int(order[index + 1])) for index in same):
        ids = []
        for index in (first, second):
            stream.seek(int(places[index]))
            line = stream.readline()
            ids.append(decode(line, place=_line(path, index + 1), service="-", operation="-").id)
        if ids[0] == ids[1]:
            raise GoldenError(f'{_line(path, second + 1)}: case "{ids[1]}" is on line {first + 1} already.')


def _line(path: Path, number: int) -> str:
    return f"{path}, line {number}"
