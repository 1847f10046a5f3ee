"""The file that a bundle is: a ustar archive in which every byte follows from the names and contents of its members.

`tar -xf` opens it. Only names, sizes and contents vary: owner, mode and time are fixed, padding is zero, and the end is
exactly two zero blocks. Reading makes every header again and demands the same bytes, so nothing can hide
between the members. Format: POSIX.1-1988 (ustar), as in IEEE Std 1003.1, "pax", section "ustar Interchange Format".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from harness.errors import EXIT_NO_GO, EvidenceError

BLOCK = 512
END = bytes(2 * BLOCK)
TIME = 315_532_800  # 1980-01-01T00:00:00Z: a fixed time that no tool calls implausible
MOST_BYTES = 8**11 - 1  # what eleven octal digits can say: one byte less than 8 GiB
LONGEST_NAME = 99
CUT_OFF = "is cut off: the file ends before the archive does."
_READ = 2**20


class Altered(EvidenceError):
    """A bundle that was changed after it was written; says what."""

    exit_code = EXIT_NO_GO


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive. offset: of its first byte, from the archive's start."""

    name: str
    size: int
    sha256: str
    offset: int


def header(name: str, size: int) -> bytes:
    """The 512 bytes before a member's contents. Raises EvidenceError for what ustar cannot say."""
    if not name.isascii() or not 0 < len(name) <= LONGEST_NAME:
        raise EvidenceError(f"a bundle's file names are ASCII and at most {LONGEST_NAME} long, not {name!r}.")
    if size > MOST_BYTES:
        raise EvidenceError(f"{name} has {size:,} bytes, and a bundle holds files below 8 GiB.")
    start = (
        name.encode("ascii").ljust(100, b"\0")
        + b"0000644\0"  # mode
        + b"0000000\0" * 2  # owner, group
        + b"%011o\0" % size
        + b"%011o\0" % TIME
    )
    end = (
        b"0"  # a regular file
        + bytes(100)  # no link
        + b"ustar\x0000"
        + bytes(64)  # names of owner and group
        + b"0000000\0" * 2  # device
        + bytes(155 + 12)  # no prefix; filler
    )
    checksum = sum(start) + 8 * ord(" ") + sum(end)
    return start + b"%06o\0 " % checksum + end


class Writer:
    """Writes members one after the other to a seekable file that was opened for writing."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def add(self, name: str, chunks: Iterable[bytes]) -> Member:
        """Write one member; its contents need not be held in memory at once."""
        at = self._file.tell()
        self._file.write(bytes(BLOCK))
        digest, size = hashlib.sha256(), 0
        for chunk in chunks:
            digest.update(chunk)
            size += self._file.write(chunk)
        self._file.write(bytes(-size % BLOCK))
        end = self._file.tell()
        self._file.seek(at)
        self._file.write(header(name, size))
        self._file.seek(end)
        return Member(name, size, digest.hexdigest(), at + BLOCK)

    def close(self) -> None:
        self._file.write(END)


def members(file: BinaryIO, first: str) -> Iterator[Member]:
    """Every member, in order, each hashed; the file is passed through once.

    first: the name that the first member must have. Raises EvidenceError where this is no bundle or not all of one,
    Altered where a byte differs from what writing the same members gives.
    """
    start = file.read(BLOCK)
    if _name(start) != first:
        raise EvidenceError(f'is not a bundle: it does not begin with "{first}".')
    if len(start) < BLOCK:
        raise EvidenceError(CUT_OFF)
    block = start
    while any(block):
        name, size = _said(block)
        offset = file.tell()
        yield Member(name, size, _contents(file, name, size), offset)
        file.seek(offset + size + -size % BLOCK)  # who took the member may have read elsewhere
        block = _exactly(file, BLOCK)
    if any(_exactly(file, BLOCK)):
        raise Altered("the end of the archive is not two blocks of zeros.")
    if file.read(1):
        raise Altered("bytes follow the end of the archive.")


def contents(file: BinaryIO, member: Member) -> Iterator[bytes]:
    """A member's bytes, a chunk at a time."""
    file.seek(member.offset)
    left = member.size
    while left:
        chunk = _exactly(file, min(left, _READ))
        left -= len(chunk)
        yield chunk


def _name(block: bytes) -> str:
    return block[:100].rstrip(b"\0").decode("ascii", "replace")


def _said(block: bytes) -> tuple[str, int]:
    """Name and size of a header that is the one this module would write."""
    name = _name(block)
    digits = block[124:135]
    size = int(digits, 8) if digits.isdigit() and not set(digits) & set(b"89") else -1
    if size < 0 or not name.isascii() or not 0 < len(name) <= LONGEST_NAME or header(name, size) != block:
        raise Altered(f'the header before "{name[:40]}" is not what the member\'s name and size give.')
    return name, size


def _contents(file: BinaryIO, name: str, size: int) -> str:
    digest, left = hashlib.sha256(), size
    while left:
        chunk = _exactly(file, min(left, _READ))
        digest.update(chunk)
        left -= len(chunk)
    if any(_exactly(file, -size % BLOCK)):
        raise Altered(f'the filler after "{name}" is not zero.')
    return digest.hexdigest()


def _exactly(file: BinaryIO, size: int) -> bytes:
    content = file.read(size)
    if len(content) != size:
        raise EvidenceError(CUT_OFF)
    return content
