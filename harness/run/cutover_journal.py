"""The journal of one cutover, `reports/cutovers/NAME/`: every move, before and after it is made.

::

    000001.jsonl    entries, one a line: eight hex digits of CRC-32, a space, compact JSON, a line feed. Each carries
                    its number and the SHA-256 of the line before it: none can be altered, left out or put between
    asked.jsonl     requests to roll back, written before anything else is tried, by whoever makes them
    lock            held by the one process that acts; the kernel lets go of it when that process dies

A line is on the disk before the traffic is touched. A torn last line (a kill in mid-write) is cut off by the next
writer; any other damage is named, never repaired, and nothing goes forward from there.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import LedgerError
from harness.gate.cutover_entries import Entry, Position, document, from_document, position
from harness.run.ledger import cut_torn_line, sealed

_POLL_S = 0.05
_WRITE = os.O_WRONLY | os.O_APPEND | os.O_CREAT


@dataclass(frozen=True, slots=True)
class History:
    """Entries in order, and the SHA-256 of the last line, which the next one carries; "" where there is none."""

    entries: tuple[Entry, ...]
    last: str


class JournalBusy(LedgerError):
    """Another process is moving this traffic just now."""


@dataclass(frozen=True, slots=True)
class Journal:
    """Reading takes no lock; `append` is for whoever holds it."""

    folder: Path

    @property
    def path(self) -> Path:
        return self.folder / "000001.jsonl"

    @property
    def requests(self) -> Path:
        return self.folder / "asked.jsonl"

    def read(self) -> History:
        """Raises LedgerError naming the damaged line. A torn last line is passed over: it was never acted on."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return History((), "")
        lines = content.split(b"\n")
        tail = lines.pop()
        if sealed(tail[:-1]):
            raise LedgerError(f"{self.path}: the last line is a whole entry, and its line feed was altered. {_DAMAGED}")
        entries: list[Entry] = []
        last = ""
        for number, line in enumerate(lines, start=1):
            entries.append(self._entry(line, number, last))
            last = hashlib.sha256(line).hexdigest()
        return History(tuple(entries), last)

    def position(self) -> Position:
        """Where the cutover stands. Raises LedgerError."""
        return position(self.read().entries)

    def _entry(self, line: bytes, number: int, last: str) -> Entry:
        if not sealed(line):
            raise LedgerError(f"{self.path}, line {number}: does not match its checksum. {_DAMAGED}")
        try:
            told: dict[str, Any] = json.loads(line[9:])
            place = told.pop("number"), told.pop("before_sha256")
            entry = from_document(told)
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            raise LedgerError(f"{self.path}, line {number}: is no entry of a cutover ({exc!r}). {_DAMAGED}") from exc
        if place != (number, last):
            raise LedgerError(f"{self.path}, line {number}: does not follow the line before it. {_DAMAGED}")
        return entry

    @contextlib.contextmanager
    def held(self, wait_s: float) -> Iterator[None]:
        """Hold the lock. Raises JournalBusy where another process keeps it for longer than `wait_s` seconds."""
        self.folder.mkdir(parents=True, exist_ok=True)
        file = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            # Programs that a switch starts inherit the lock: one that outlives its starter may still move traffic,
            # and while it runs nobody else may act on a share that is about to change.
            os.set_inheritable(file, True)
            self._wait(file, wait_s)
            os.ftruncate(file, 0)
            os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
            yield
        finally:
            os.close(file)

    def _wait(self, file: int, wait_s: float) -> None:
        end = time.monotonic() + wait_s
        while True:
            try:
                return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as exc:
                if time.monotonic() >= end:
                    holder = os.pread(file, 32, 0).decode(errors="replace").strip() or "unknown"
                    raise JournalBusy(
                        f"{self.folder}: process {holder}, or a program that it started, is moving this traffic. "
                        "Wait for it; `parity cutover rollback` does not have to."
                    ) from exc
            time.sleep(_POLL_S)

    def append(self, entry: Entry) -> None:
        """Write one entry, on the disk when this returns. Raises LedgerError: then nothing may be moved."""
        if self.path.exists():
            cut_torn_line(self.path)
        history = self.read()
        told = {**document(entry), "number": len(history.entries) + 1, "before_sha256": history.last}
        _write_line(self.path, told)

    def asked(self) -> int:
        """Bytes of requests to roll back that were ever made; it only grows."""
        try:
            return self.requests.stat().st_size
        except FileNotFoundError:
            return 0

    def ask(self, told: dict[str, Any]) -> None:
        """Ask to roll back. Needs no lock and no sound journal: whoever moves this traffic looks before and after."""
        self.folder.mkdir(parents=True, exist_ok=True)
        _write_line(self.requests, told)

    def last_request(self) -> str:
        """Why the last one asked, in words."""
        try:
            told = json.loads(self.requests.read_bytes().splitlines()[-1][9:])
            return f"{told['by']} asked: {told['reason']}"
        except (OSError, ValueError, KeyError, IndexError, TypeError):
            return "somebody asked"


_DAMAGED = (
    "The file was altered, or the disk is failing; restore it from a copy. Nothing goes forward from here; "
    "`parity cutover rollback` is still possible."
)


def _write_line(path: Path, told: dict[str, Any]) -> None:
    payload = json.dumps(told, separators=(",", ":"), allow_nan=False).encode()
    line = b"%08x %s\n" % (zlib.crc32(payload), payload)
    new = not path.exists()
    try:
        file = os.open(path, _WRITE, 0o600)
        try:
            written = os.write(file, line)
            os.fsync(file)
        finally:
            os.close(file)
        if new:
            _sync_folder(path.parent)
    except OSError as exc:
        raise LedgerError(f"{path}: cannot be written ({exc.strerror}).") from exc
    if written != len(line):
        raise LedgerError(f"{path}: the disk took {written} of {len(line)} bytes. Make room.")


def _sync_folder(folder: Path) -> None:
    """A new file's name is on the disk only with its folder."""
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
