"""The append-only record of a run: every reply and every failed attempt, as it arrives.

One line an entry: eight hex digits of CRC-32, a space, compact JSON, a newline; written with one unbuffered `write`, so
that `kill -9` costs at most the entry in flight. Segments are closed at 64 MiB. A body over 64 KiB lies beside the
ledger, named by its SHA-256. A torn last line is cut off when a run is resumed, and the run says so; a damaged line
anywhere else is named and never repaired.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from harness.core.call import Event, FailureKind, Role, Wire
from harness.errors import LedgerError

SEGMENT_BYTES = 64 * 2**20
INLINE_BYTES = 64 * 2**10


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answered step of a conversation; `last`: the conversation is over. `at_s`: seconds since the epoch."""

    lot: str
    role: Role
    step: int
    wire: Wire
    latency_s: float
    attempts: int
    throttled: int
    at_s: float
    last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One failed attempt. `final`: no other attempt followed, the step has failed.

    partial: what came of a stream before it broke off.
    """

    lot: str
    role: Role
    step: int
    number: int
    kind: FailureKind
    message: str
    status: int | None
    latency_s: float
    final: bool
    throttled: int
    at_s: float
    partial: Wire | None = None


Entry = Reply | Attempt


class Ledger:
    """The writing end. One process at a time: a second one is refused while the first holds the folder."""

    def __init__(self, folder: Path) -> None:
        """Open `folder` for appending; create it when it is missing.

        Raises LedgerError when another run holds it, or when an entry other than the last is damaged.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._write_lock = threading.Lock()
        self._broken = False
        self._lock_file = _hold(folder / "lock")
        segments = _segments(folder)
        self.torn_bytes = 0  # what a kill in mid-write had left of an entry, and is gone now
        try:
            if segments:
                self.torn_bytes = cut_torn_line(segments[-1])
        except LedgerError:
            os.close(self._lock_file)
            raise
        self._number = len(segments) or 1
        self._open_segment()

    def _open_segment(self) -> None:
        path = self._folder / f"{self._number:06d}.jsonl"
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._size = os.fstat(self._file).st_size

    def append(self, entry: Entry) -> None:
        """Write one entry with one system call. Raises LedgerError when the disk does not take all of it."""
        line = _line(entry, self._folder)
        with self._write_lock:
            if self._size >= SEGMENT_BYTES:
                os.close(self._file)
                self._number += 1
                self._open_segment()
            if self._broken:
                raise LedgerError(f"{self._folder}: nothing is written after a write that failed.{_RESUME}")
            try:
                written = os.write(self._file, line)
            except OSError as exc:
                self._broken = True
                raise LedgerError(
                    f"{self._folder}: an answer could not be recorded ({exc.strerror}).{_RESUME}"
                ) from exc
            if written != len(line):
                self._broken = True
                raise LedgerError(f"{self._folder}: the disk took {written} of {len(line)} bytes.{_RESUME}")
            self._size += written

    def close(self) -> None:
        """Nothing is written afterwards, whatever thread still has an answer: the number may be another file's now."""
        with self._write_lock:
            self._broken = True
            os.close(self._file)
            os.close(self._lock_file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


_ALTERED = "The file was altered, or the disk is failing; restore it from a copy, or start a new run."
_RESUME = " Make room, then finish the run with --resume; what was recorded is kept."


def read(folder: Path) -> Iterator[Entry]:
    """Every entry in the order of writing, one in memory at a time.

    A torn last line (no newline) is passed over. Raises LedgerError naming file and line of any other damage.
    """
    segments = _segments(folder)
    for path in segments:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.endswith(b"\n") and path == segments[-1] and not sealed(line[:-1]):
                    return
                yield _entry(line, path, number, folder)


def _segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("[0-9]*.jsonl"))


def _hold(path: Path) -> int:
    import fcntl

    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        os.close(file)
        raise LedgerError(
            f"{path.parent}: another run is writing here. Wait for it, or start a run of its own."
        ) from exc
    return file


def cut_torn_line(path: Path) -> int:
    """Bytes that were cut off. Raises LedgerError where they end in something else than what a kill leaves."""
    with path.open("rb+") as file:
        size = file.seek(0, os.SEEK_END)
        start = _after_last_newline(file, size)
        if start == size:
            return 0
        file.seek(start)
        torn = file.read()
        if sealed(torn[:-1]):
            raise LedgerError(f"{path}: the last line is a whole entry, and its line feed was altered. {_ALTERED}")
        file.truncate(start)
        return size - start


def _after_last_newline(file: BinaryIO, size: int) -> int:
    end = size
    while end > 0:
        start = max(0, end - 2**16)
        file.seek(start)
        found = file.read(end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def sealed(line: bytes) -> bool:
    """Whether a line without its line feed carries its own checksum."""
    return len(line) > 9 and line[:9] == b"%08x " % zlib.crc32(line[9:])


def _line(entry: Entry, folder: Path) -> bytes:
    document: dict[str, Any] = {
        "lot": entry.lot,
        "role": entry.role.value,
        "step": entry.step,
        "at": round(entry.at_s, 6),
        "latency": round(entry.latency_s, 6),
        "throttled": entry.throttled,
    }
    if isinstance(entry, Reply):
        document |= {"attempts": entry.attempts, "last": entry.last, "wire": _wire_out(entry.wire, folder)}
    else:
        document |= {
            "attempt": entry.number,
            "kind": entry.kind.value,
            "message": entry.message,
            "status": entry.status,
            "final": entry.final,
        }
        if entry.partial is not None:
            document["partial"] = _wire_out(entry.partial, folder)
    payload = json.dumps(document, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(payload), payload)


def _entry(line: bytes, path: Path, number: int, folder: Path) -> Entry:
    if not sealed(line.removesuffix(b"\n")):
        raise LedgerError(f"{path}, line {number}: the entry does not match its checksum. {_ALTERED}")
    try:
        return _told(json.loads(line[9:]), folder)
    except (ValueError, KeyError, TypeError) as exc:
        raise LedgerError(f"{path}, line {number}: not an entry of a ledger ({exc!r}). Start a new run.") from exc


def _told(document: dict[str, Any], folder: Path) -> Entry:
    common = {
        "lot": document["lot"],
        "role": Role(document["role"]),
        "step": document["step"],
        "latency_s": document["latency"],
        "at_s": document["at"],
        "throttled": document["throttled"],
    }
    if "wire" in document:
        wire = _wire_in(document["wire"], folder)
        return Reply(**common, attempts=document["attempts"], last=document["last"], wire=wire)
    return Attempt(
        **common,
        number=document["attempt"],
        kind=FailureKind(document["kind"]),
        message=document["message"],
        status=document["status"],
        final=document["final"],
        partial=_wire_in(document["partial"], folder) if "partial" in document else None,
    )


def _wire_out(wire: Wire, folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = {"op": wire.operation, "status": wire.status, "headers": dict(wire.headers)}
    if isinstance(wire.body, bytes):
        document["body"] = _bytes_out(wire.body, folder)
    elif wire.body is not None:
        document["body"] = {"json": wire.body}
    if wire.events:
        document["events"] = [[event.at_s, event.kind, event.data] for event in wire.events]
    return document


def _bytes_out(body: bytes, folder: Path) -> dict[str, str]:
    if len(body) > INLINE_BYTES:
        digest = hashlib.sha256(body).hexdigest()
        path = folder / "bodies" / digest
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            partial = path.with_name(f"{digest}.{threading.get_ident()}")
            partial.write_bytes(body)
            partial.replace(path)
        return {"sha256": digest}
    try:
        return {"text": body.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}


def _wire_in(document: dict[str, Any], folder: Path) -> Wire:
    body: Any = None
    match document.get("body"):
        case {"text": text}:
            body = text.encode()
        case {"base64": text}:
            body = base64.b64decode(text)
        case {"sha256": digest}:
            body = _stored_body(folder / "bodies" / digest, digest)
        case {"json": body}:
            pass
    return Wire(
        operation=document["op"],
        status=document["status"],
        headers=document["headers"],
        body=body,
        events=tuple(Event(*event) for event in document.get("events", ())),
    )


def _stored_body(path: Path, digest: str) -> bytes:
    try:
        body = path.read_bytes()
    except OSError as exc:
        raise LedgerError(
            f"{path}: a recorded body is missing ({exc.strerror}). Restore it, or start a new run."
        ) from exc
    if hashlib.sha256(body).hexdigest() != digest:
        raise LedgerError(f"{path}: a recorded body was altered. Restore it from a copy, or start a new run.")
    return body
