"""Write a golden set, one case at a time, and put it in place when it is whole."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from harness.errors import GoldenError
from harness.recordings import manifest as manifests
from harness.recordings import scan as scans
from harness.recordings.known import Known
from harness.recordings.lines import StoredCase, decode, encode
from harness.recordings.manifest import Manifest
from harness.recordings.packed import pack

CASES, PACKED, MANIFEST = "cases.jsonl", "cases.jsonl.zst", "manifest.json"
_CHUNK = 1 << 20


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
        self.service, self.operation = service, operation
        self._part = folder / f"{CASES}.part"
        self._stream: BinaryIO = self._part.open("w+b", buffering=0)
        self._digest = hashlib.sha256()
        self._held: list[bytes] = []
        self._disk = ThreadPoolExecutor(1)
        self._storing: Future[None] | None = None
        self._flushed = self._end = self._longest = 0
        self._cases = Known()

    def add(self, case: StoredCase) -> int:
        """Returns the byte at which the case's line starts. Raises GoldenError for a case that cannot be stored."""
        line = encode(case, service=self.service, operation=self.operation)
        return self.put(line, case.id, link=case.repeat_of or case.duplicate_of, repeats=case.repeat_of is not None)

    def put(self, line: bytes, name: str, *, link: str | None = None, repeats: bool = False) -> int:
        """The same for a case that is a line of `lines` already. name: its id. link: that of the earlier case."""
        start = self._end
        self._held.append(line)
        self._cases.add(name, link, repeats=repeats)
        self._end += len(line)
        if len(line) > self._longest:
            self._longest = len(line)
        if self._end - self._flushed > _CHUNK:
            self._flush()
        return start

    def written(self, start: int) -> StoredCase:
        """The case whose line starts at a byte, as it was written."""
        length = 64 << 10
        if start + length > self._flushed:
            self._flush()
        self._wait()
        while b"\n" not in (line := os.pread(self._stream.fileno(), length, start)):
            length *= 4
        return decode(
            line[: line.index(b"\n") + 1],
            place=f"{self._part}, byte {start}",
            service=self.service,
            operation=self.operation,
            proved=True,
        )

    def _flush(self) -> None:
        """Hand over what is held, once what was handed over before is on disk."""
        held = b"".join(self._held)
        self._held.clear()
        self._wait()
        self._storing = self._disk.submit(self._store, held, self._flushed)
        self._flushed += len(held)

    def _wait(self) -> None:
        if self._storing is not None:
            self._storing.result()
            self._storing = None

    def _store(self, held: bytes, at: int) -> None:
        """Write a piece and read it back. Runs beside the caller: hashing, writing and reading hold up nobody."""
        self._digest.update(held)
        left, file = memoryview(held), self._stream.fileno()
        while left:
            left = left[os.pwrite(file, left, at + len(held) - len(left)) :]
        if _read(file, len(held), at) != held:
            raise GoldenError(f"{self._part}: reads otherwise than it was written. The disk may be failing.")

    def finish(self, words: Mapping[str, Any], *, zstd: bool = False) -> Manifest:
        """Prove what was written, and let it take the place of an older set.

        words: of the manifest, without what follows from the cases. Raises GoldenError for an id that is there twice.
        """
        self._flush()
        self._wait()
        os.fsync(self._stream.fileno())
        self._prove()
        unpacked = None
        packed = self._folder / f"{PACKED}.part"
        if zstd:
            self._stream.seek(0)
            unpacked = pack(self._stream, packed)
        made = Manifest(
            **words,
            service=self.service,
            operation=self.operation,
            cases=len(self._cases),
            sha256=self._digest.hexdigest(),
            unpacked_bytes=unpacked,
            repeats=self._cases.repeats,
            duplicates=self._cases.duplicates,
        )
        self._replace(packed if zstd else self._part, PACKED if zstd else CASES, made)
        return made

    def _prove(self) -> None:
        """Each id is there once, links name earlier cases, and no line is too long to be read."""
        if self._longest > scans.LONGEST_LINE or not self._cases.whole():
            self._stream.seek(0)  # which line is wrong, and how, is for a closer look to say
            scans.scan(self._stream, self._part, service=self.service, operation=self.operation)

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
        self._disk.shutdown()
        self._stream.close()
        for name in (CASES, PACKED, MANIFEST):
            (self._folder / f"{name}.part").unlink(missing_ok=True)


def _read(file: int, length: int, at: int) -> bytes:
    parts: list[bytes] = []
    while length and (part := os.pread(file, length, at)):
        parts.append(part)
        length, at = length - len(part), at + len(part)
    return b"".join(parts)
