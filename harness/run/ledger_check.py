"""Read a ledger to its end and say what it holds: for those who take a run's word, such as the cutover gate.

`ledger.read` forgives a torn last line, for a run that goes on cuts it off. A run that has ended has none.
"""

from __future__ import annotations

import hashlib
import math
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness.core.call import Role
from harness.errors import LedgerError
from harness.run import ledger
from harness.run.plan import lot_place


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A ledger without damage. sha256: over every file in it. first_at, last_at: of its entries, UTC.

    asked: cases whose conversation with the target has ended, in an answer or in a failure.
    """

    sha256: str
    first_at: datetime
    last_at: datetime
    asked: int


def check(folder: Path) -> Checked:
    """Every entry against its checksum and every body against its name. Raises LedgerError naming file and line."""
    segments = sorted(folder.glob("[0-9]*.jsonl"))
    names = [path.stem for path in segments]
    if names != [f"{number:06d}" for number in range(1, len(segments) + 1)]:
        raise LedgerError(f"{folder}: a segment is missing; there are {', '.join(names) or 'none'}.")
    first, last = math.inf, -math.inf
    asked: set[int] = set()
    for entry in ledger.read(folder):
        first, last = min(first, entry.at_s), max(last, entry.at_s)
        if entry.role is Role.TARGET and (entry.last if isinstance(entry, ledger.Reply) else entry.final):
            asked.add(lot_place(entry.lot)[0])
    if first > last:
        raise LedgerError(f"{folder}: holds no recorded answers.")
    if not _ends_whole(segments[-1]):
        raise LedgerError(f"{segments[-1]}: ends in half an entry, and the run has ended. Restore it from a copy.")
    return Checked(
        sha256=_sha256(folder),
        first_at=datetime.fromtimestamp(first, UTC),
        last_at=datetime.fromtimestamp(last, UTC),
        asked=len(asked),
    )


def _ends_whole(segment: Path) -> bool:
    with segment.open("rb") as file:
        file.seek(0, os.SEEK_END)
        if file.tell() == 0:
            return True
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _sha256(folder: Path) -> str:
    """One hash over the hashes of all files, by name; the lock is none of them."""
    whole = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "lock"):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        whole.update(f"{digest}  {path.relative_to(folder).as_posix()}\n".encode())
    return whole.hexdigest()
