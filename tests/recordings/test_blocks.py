"""Lines in blocks are the lines one by one, wherever a block or a read ends."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.recordings.formats import LogFile, _streams
from harness.recordings.formats._json import blocked, numbered
from tests.small.logs import PATIENT

parts = st.sampled_from(
    [b"{}", b"{}\n", b"\n", b"\r\n", b" ", b"\t\n", b"abc", b"\xef\xbb\xbf", b"x" * 30, b"\x00", b"\n\n{"]
)


class Slow(io.RawIOBase):
    """Hands out few bytes at a time, and may fail once some are out."""

    def __init__(self, content: bytes, step: int, bad: int | None) -> None:
        self._content, self._step, self._bad, self._at = content, step, bad, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, at: int, whence: int = 0) -> int:
        self._at = at
        return at

    def readinto(self, buffer: memoryview) -> int:
        if self._at == self._bad:
            raise OSError("broken")
        end = min(self._at + self._step, self._at + len(buffer), self._bad or len(self._content))
        more = self._content[self._at : end]
        buffer[: len(more)] = more
        self._at += len(more)
        return len(more)

    def read(self, size: int = -1) -> bytes:
        more = self._content[self._at : self._at + size]
        self._at += len(more)
        return more


@PATIENT
@given(
    st.lists(parts, max_size=30).map(b"".join),
    st.sampled_from([1, 3, 16, 1000]),
    st.sampled_from([(4, 20), (16, 20), (32, 1000), (900, 1000)]),
    st.none() | st.integers(1, 60),
)
def test_blocks_hold_the_lines(content, step, sizes, bad):
    block, longest = sizes  # a block is shorter than the longest line
    file = LogFile("f", lambda: Slow(content, step, bad))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_streams, "BLOCK", block)
        patch.setattr(_streams, "LONGEST", longest)
        one_by_one = [
            (one.origin.index, one.origin.line, one.reason)
            if hasattr(one, "reason")
            else (one.index, one.number, one.content)
            for one in numbered(file, "f")
        ]
        in_blocks = []
        for found in blocked(file, "f"):
            if hasattr(found, "reason"):
                in_blocks.append((found.origin.index, found.origin.line, found.reason))
                continue
            lines = [(line.index, line.number, line.content) for line in found.lines()]
            if found.content is not None and found.dense:
                plain = found.content.removesuffix(b"\n").split(b"\n")
                assert lines == [
                    (found.index + at, found.number + at, line.strip(b"\r\n \t")) for at, line in enumerate(plain)
                ]
            in_blocks += [line if line[2] is not None else (*line[:2], _streams.TOO_LONG) for line in lines]
    assert in_blocks == one_by_one
