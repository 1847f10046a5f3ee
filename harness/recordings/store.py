"""Golden sets: the recorded cases that a suite replays, and the proof that they are still those.

A set is a folder with `cases.jsonl` (its form is in `lines`) and `manifest.json` (in `manifest`), or with
`cases.jsonl.zst` (in `packed`). Opening one reads the whole file once (`scan`): its SHA-256 is held against the
manifest, every line is decoded, every id must be new. What stays in memory is 8 bytes a case, the place of its line;
cases are read from the file when they are asked for.
"""

from __future__ import annotations

import io
import os
import weakref
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from harness.errors import GoldenError
from harness.recordings import manifest as manifests
from harness.recordings.gaps import Gap
from harness.recordings.heads import Head, heads, place
from harness.recordings.lines import RESTORE, StoredCase, decode
from harness.recordings.manifest import Manifest
from harness.recordings.packed import unpack
from harness.recordings.scan import LONGEST_LINE, Scanned, scan
from harness.recordings.writer import CASES, MANIFEST, PACKED, Writer


class GoldenSet:
    """An opened golden set. Safe to share by threads; the file stays open until `close` or the end of the object.

    A set that is written anew while a run reads from it is not seen: the run keeps the file that it proved.
    """

    def __init__(self, folder: Path, manifest: Manifest, stream: BinaryIO, found: Scanned) -> None:
        """Use `open`."""
        self.folder = folder
        self.manifest = manifest
        self._path = _cases_file(folder, manifest)
        self._found = found
        self._descriptor = os.dup(stream.fileno())
        self._close = weakref.finalize(self, os.close, self._descriptor)

    @classmethod
    def open(cls, folder: Path) -> GoldenSet:
        """Raises GoldenError, naming file and line, when the set is missing, altered, malformed or repeats an id."""
        manifest = manifests.read(folder / MANIFEST)
        path, size = _cases_file(folder, manifest), manifest.unpacked_bytes
        try:
            with path.open("rb") if size is None else unpack(path, size=size) as stream:
                found = scan(stream, path, service=manifest.service, operation=manifest.operation)
                if found.sha256 != manifest.sha256 or found.cases != manifest.cases:
                    raise GoldenError(
                        f"{path}: altered: {found.cases} cases with sha256 {found.sha256}, where {MANIFEST} says "
                        f"{manifest.cases} cases with {manifest.sha256}. Every line is whole, so lines were added, "
                        f"removed, reordered or exchanged. {RESTORE}"
                    )
                if (found.repeats, found.duplicates) != (manifest.repeats, manifest.duplicates):
                    raise GoldenError(
                        f"{folder / MANIFEST}: says {manifest.repeats} repeats and {manifest.duplicates} duplicates, "
                        f"where the cases say {found.repeats} and {found.duplicates}. {RESTORE}"
                    )
                return cls(folder, manifest, stream, found)
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
        return self._found.cases

    @property
    def primaries(self) -> NDArray[np.int64]:
        """Indices, rising, of the cases with a request of their own: those that are replayed."""
        return np.delete(np.arange(len(self), dtype=np.int64), self._found.later)

    def repeats(self, index: int) -> tuple[int, ...]:
        """Indices, rising, of the later calls with the request of the primary case `index`: its source's own noise.

        Calls that answered the same are among them, for a noise floor of the answers that differ alone would be too
        high, and wave through what it should not. Left out is one call that was logged twice (one request id).
        """
        found = self._found
        start, end = np.searchsorted(found.first, (index, index + 1))
        return tuple(found.later[start:end][~found.copies[start:end]].tolist())

    def recording(self, index: int) -> StoredCase:
        """The case on line `index` + 1. Raises IndexError out of [0, len), GoldenError when its bytes were altered."""
        if not 0 <= index < len(self):
            raise IndexError(f"{self._path}: there is no case {index} of {len(self)}")
        start, end = int(self._found.starts[index]), int(self._found.starts[index + 1])
        return decode(
            self._read(start, end - start),
            place=place(self._path, index + 1),
            service=self.manifest.service,
            operation=self.manifest.operation,
            proved=True,
        )

    def __iter__(self) -> Iterator[StoredCase]:
        """Every case, in file order."""
        return (self.recording(index) for index in range(len(self)))

    def heads(self) -> Iterator[tuple[bytes, list[Head]]]:
        """Every case in file order as far as its line says without decoding bodies: some whole lines, and their heads.

        Raises GoldenError where the file was altered since it was opened.
        """
        words, count = self.manifest, 0
        stream = cast(BinaryIO, io.BufferedReader(_Positioned(self._read), 1 << 20))
        found = heads(stream, self._path, service=words.service, operation=words.operation, longest=LONGEST_LINE)
        for lines, several in found:
            count += len(several)
            yield lines, several
        if count != len(self):
            raise GoldenError(f"{self._path}: altered since it was opened: {count} cases instead of {len(self)}.")

    def named(self, name: str) -> Iterator[StoredCase]:
        """The case with that id, or none."""
        at = 0
        for _, found in self.heads():
            for index, one in enumerate(found, start=at):
                if one.id == name:
                    yield self.recording(index)
                    return
            at += len(found)

    def first(self) -> NDArray[np.int64]:
        """For each case the index of the first one with its request, shape (cases,); a primary case's own."""
        first = np.arange(len(self), dtype=np.int64)
        first[self._found.later] = self._found.first
        return first

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
            raise GoldenError(f"{self._path}: the golden set was closed.")
        parts: list[bytes] = []
        while length > 0 and (part := os.pread(self._descriptor, length, start)):
            parts.append(part)
            start, length = start + len(part), length - len(part)
        return b"".join(parts)


class _Positioned(io.RawIOBase):
    """A stream over reads that share no position with others."""

    def __init__(self, read: Callable[[int, int], bytes]) -> None:
        self._take, self._at = read, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._take(self._at, len(buffer))
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


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
    gaps: tuple[Gap, ...] = (),
    zstd: bool = False,
) -> Manifest:
    """Write a golden set, one case at a time; the meaning of the words is in `Manifest`.

    The same cases and words give the same bytes. What is written is read back and proved before it takes the place
    of an older set; a writer that fails leaves the older set as it was. zstd: compressed.
    Raises GoldenError for a case that cannot be stored and for an id that is there twice.
    """
    words = {
        "name": name,
        "description": description,
        "licence": licence,
        "source": source,
        "split": split,
        "created_at": created_at,
        "redaction": redaction,
        "sampled": sampled,
        "truncated": truncated,
        "captured": captured,
        "gaps": gaps,
    }
    with Writer(folder, service=service, operation=operation) as writer:
        for case in cases:
            writer.add(case)
        return writer.finish(words, zstd=zstd)


def _cases_file(folder: Path, manifest: Manifest) -> Path:
    return folder / (CASES if manifest.unpacked_bytes is None else PACKED)
