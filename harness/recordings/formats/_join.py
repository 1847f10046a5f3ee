"""Halves of a call that lie in different files: the lines of one half, found again by their key.

Kept are 40 bytes a line, and of packed files, in which nothing can be found again, the lines themselves up to a bound.
"""

from __future__ import annotations

import hashlib
import io
from array import array
from contextlib import ExitStack
from typing import BinaryIO, cast

from harness.core.case import Json, Origin
from harness.recordings.formats import LogFile
from harness.recordings.formats._json import json_bytes
from harness.recordings.formats._streams import LONGEST, BadFile
from harness.recordings.seen import Seen

HELD = 48 << 20  # bytes of lines of packed files
_OPEN = 8


def key(name: str) -> int:
    """A whole number in (0, 2**64) for a name."""
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") or 1


class Lines:
    """Lines by key; the first one of a key stands. Use as a context, or files stay open."""

    def __init__(self, name: str) -> None:
        self._format = name
        self._places = Seen()
        self._files: list[LogFile] = []
        self._rows = [array("q") for _ in range(4)]  # file, start, index, line
        self._held: dict[int, bytes] = {}
        self._size = 0
        self._streams: dict[int, BinaryIO] = {}
        self._stack = ExitStack()

    def file(self, file: LogFile) -> None:
        """The lines that are added next are of this file."""
        self._files.append(file)

    def add(self, name: str, origin: Origin, start: int, content: bytes, *, packed: bool) -> bool:
        """Whether the key was new. Raises BadFile where too much would have to be held."""
        number = key(name)
        if self._places.get(number) is not None:
            return False
        row = len(self._rows[0])
        if packed:
            self._size += len(content)
            if self._size > HELD:
                raise BadFile(f"requests in packed files beyond {HELD >> 20} MiB cannot be joined; unpack them first")
            self._held[row] = content
        self._places.put(number, row)
        for column, value in zip(
            self._rows, (len(self._files) - 1, start, origin.index, origin.line or 1), strict=True
        ):
            column.append(value)
        return True

    def __contains__(self, name: str) -> bool:
        return self._places.get(key(name)) is not None

    def get(self, name: str) -> tuple[Origin, bytes] | None:
        """Where the line of a key stands, and the line."""
        row = self._places.get(key(name))
        if row is None:
            return None
        at, start, index, line = (column[row] for column in self._rows)
        origin = Origin(format=self._format, path=self._files[at].path, index=index, line=line)
        if row in self._held:
            return origin, self._held[row]
        stream = self._opened(at)
        stream.seek(start)
        return origin, stream.readline(LONGEST + 1).strip(b"\xef\xbb\xbf\r\n \t")

    def _opened(self, at: int) -> BinaryIO:
        if at not in self._streams:
            if len(self._streams) >= _OPEN:
                self._stack.close()
                self._streams.clear()
            raw = self._files[at].open()
            self._streams[at] = cast(BinaryIO, self._stack.enter_context(io.BufferedReader(cast(io.RawIOBase, raw))))
        return self._streams[at]

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stack.close()


class Names:
    """What is known of each name by which halves are joined: whether those who have it differ, and which came up."""

    def __init__(self) -> None:
        self._requests, self._answers = Seen(), Seen()
        self._differ, self._one_request, self._one_answer = Seen(), Seen(), Seen()

    def asked(self, name: str, content: Json) -> None:
        self._put(self._requests, name, content)

    def answered(self, name: str, content: Json) -> None:
        self._put(self._answers, name, content)

    def _put(self, seen: Seen, name: str, content: Json) -> None:
        number = key(name)
        digest = int.from_bytes(hashlib.blake2b(json_bytes(content), digest_size=7).digest(), "big")
        before = seen.get(number)
        if before is None:
            seen.put(number, digest)
        elif before != digest:
            self._differ.put(number, 1)

    def several(self, name: str) -> bool:
        """Whether requests, or answers, that differ have the name."""
        return self._differ.get(key(name)) is not None

    def has_request(self, name: str) -> bool:
        return self._requests.get(key(name)) is not None

    def has_answer(self, name: str) -> bool:
        return self._answers.get(key(name)) is not None

    def first_request(self, name: str) -> bool:
        """Whether it is asked of for the first time."""
        return _first(self._one_request, name)

    def first_answer(self, name: str) -> bool:
        """The same of answers."""
        return _first(self._one_answer, name)


def _first(seen: Seen, name: str) -> bool:
    new = seen.get(key(name)) is None
    seen.put(key(name), 1)
    return new
