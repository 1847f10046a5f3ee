"""Log files as lines: unpacked where they are compressed, and bounded in every way.

What a log may ask of memory does not grow with it: one line at a time, none longer than LONGEST, and no file that
expands without end.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, cast

import numpy as np

from harness.recordings.blocks import BLANK, BLOCK, Block, Line
from harness.recordings.formats import LogFile

LONGEST = 16 << 20  # bytes of one record; SageMaker takes 6 MiB a call, Bedrock logs 100 kB inline
MOST_TIMES = 200  # logs of JSON shrink 5 to 50 times
FREE = 64 << 20  # bytes that may come out of a file whatever its size
_CHUNK = 256 << 10
_PIECE = 512
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


class BadFile(Exception):
    """A file that cannot be read on; the message says why, without its content."""


@contextmanager
def opened(file: LogFile) -> Iterator[BinaryIO]:
    """What is in a file, unpacked by its first bytes. Reading raises BadFile for damage and for a bomb."""
    raw = file.open()
    try:
        head = raw.read(4)
        raw.seek(0)
        if head.startswith(_GZIP):
            yield cast(BinaryIO, io.BufferedReader(_Bounded(gzip.GzipFile(fileobj=raw), raw), _CHUNK))
        elif head == _ZSTD:
            yield cast(BinaryIO, io.BufferedReader(_Bounded(_Zstd(raw), raw), _CHUNK))
        else:
            yield cast(BinaryIO, io.BufferedReader(cast(io.RawIOBase, raw), _CHUNK))
    finally:
        raw.close()


def packed(file: LogFile) -> bool:
    """Whether a file is compressed."""
    raw = file.open()
    try:
        return raw.read(4).startswith((_GZIP, _ZSTD))
    finally:
        raw.close()


class _Zstd:
    """Frames of Zstandard, to their ends: python-zstandard's own reader takes a torn frame for the end of the file.

    Fed in small pieces, because a block of four bytes may stand for 128 KiB.
    """

    def __init__(self, raw: BinaryIO) -> None:
        import zstandard

        self._raw = io.BufferedReader(cast(io.RawIOBase, raw), _CHUNK)
        self._new = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj
        self._frame: Any = None
        self._packed, self._plain, self._at = b"", b"", 0

    def read(self, size: int) -> bytes:
        """Raises EOFError inside a frame, ZstdError for what is none."""
        while self._at == len(self._plain):
            packed = self._packed or self._raw.read(_PIECE)
            if not packed:
                if self._frame is not None:
                    raise EOFError
                return b""
            if self._frame is None:
                self._frame = self._new()
            self._plain, self._at, self._packed = self._frame.decompress(packed), 0, b""
            if self._frame.eof:
                self._packed, self._frame = self._frame.unused_data, None
        chunk = self._plain[self._at : self._at + size]
        self._at += len(chunk)
        return chunk


class _Bounded(io.RawIOBase):
    """An unpacking stream that stops at a bomb."""

    def __init__(self, inner: object, raw: BinaryIO) -> None:
        self._inner = cast(BinaryIO, inner)
        self._raw = raw
        self._out = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        try:
            chunk = self._inner.read(len(view))
        except (OSError, EOFError, zlib.error) as exc:
            raise BadFile(f"the file cannot be unpacked ({type(exc).__name__})") from exc
        except Exception as exc:
            if type(exc).__name__ != "ZstdError":
                raise
            raise BadFile("the file cannot be unpacked (ZstdError)") from exc
        self._out += len(chunk)
        if self._out > FREE and self._out > MOST_TIMES * self._raw.tell():
            raise BadFile(f"the file expands more than {MOST_TIMES} times, and is read no further")
        view[: len(chunk)] = chunk
        return len(chunk)


ENDS = b"\r\n"


def lines(stream: BinaryIO, blank: bytes = BLANK) -> Iterator[Line]:
    """The lines that hold something, without what is blank at their ends. A UTF-8 byte order mark at the start is left
    out. blank: `ENDS` where spaces and tabs are content, as in rows of a table.
    """
    index, number, start = 0, 0, 0
    while content := stream.readline(LONGEST + 1):
        number += 1
        length, whole, end = len(content), len(content) <= LONGEST, content[-1:]
        while end != b"\n" and (more := stream.readline(LONGEST)):
            length, whole, end = length + len(more), False, more[-1:]
        if whole:
            text = (content[3:] if number == 1 and content.startswith(b"\xef\xbb\xbf") else content).strip(blank)
        if not whole or text:
            yield Line(index, number, text if whole else None, start)
            index += 1
        start += length


def blocks(stream: BinaryIO) -> Iterator[Block]:
    """The same lines, some BLOCK bytes of them at a time, or one where it is longer."""
    index, number, carry, rest, first = 0, 1, b"", b"", True
    while True:
        more, rest = rest or cast(io.BufferedReader, stream).read1(BLOCK), b""
        end = more.rfind(b"\n") + 1
        if not end and more:
            carry += more
            if len(carry) > LONGEST:
                carry, rest, first = b"", _after_line(stream), False
                yield Block(index, number, None, True)
                index, number = index + 1, number + 1
            continue
        content, carry = b"".join((carry, memoryview(more)[:end])), more[end:]
        if not content:
            return
        line = (content.find(b"\n") + 1 or len(content)) if len(content) > LONGEST else 0
        if line > LONGEST:
            yield Block(index, number, None, True)
            index, number, content = index + 1, number + 1, content[line:]
        elif first and content.startswith(b"\xef\xbb\xbf"):
            content = content[3:]
        first = False
        if content:
            lines_here, dense = _counted(content)
            yield Block(index, number, content, dense)
            number += lines_here
            index += lines_here if dense else sum(1 for line in content.split(b"\n") if line.strip(BLANK))


def _after_line(stream: BinaryIO) -> bytes:
    """Read on to the end of a line; what follows it of what was read."""
    while more := cast(io.BufferedReader, stream).read1(BLOCK):
        _, found, rest = more.partition(b"\n")
        if found:
            return rest
    return b""


def _counted(content: bytes) -> tuple[int, bool]:
    """How many lines there are, and whether none begins with white space or another sign below it."""
    signs = np.frombuffer(content, dtype=np.uint8)
    begins = np.flatnonzero(signs[:-1] == ord("\n")) + 1
    return len(begins) + 1, bool(signs[0] > ord(" ") and (signs[begins] > ord(" ")).all())


TOO_LONG = f"the record is longer than {LONGEST:,} bytes"
