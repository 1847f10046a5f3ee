"""Lines of a log file, one or many at a time."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

BLOCK = 512 << 10  # bytes
BLANK = b"\r\n \t"


class Block(msgspec.Struct, frozen=True, gc=False):
    """Whole lines of a file. index, number: of the first, as in `Line`. content: None for one line that is too long.

    dense: no line is empty or begins with white space.
    """

    index: int
    number: int
    content: bytes | None
    dense: bool

    def lines(self) -> Iterator[Line]:
        """Those that hold something, without their ends."""
        if self.content is None:
            yield Line(self.index, self.number, None)
            return
        index = self.index
        for number, content in enumerate(self.content.split(b"\n"), start=self.number):
            if text := content.strip(BLANK):
                yield Line(index, number, text)
                index += 1


class Line(msgspec.Struct, frozen=True, gc=False):
    """index: from 0, of the lines that hold something. number: from 1, of all. content: None where it is too long.

    start: the byte, of what was unpacked, at which it starts.
    """

    index: int
    number: int
    content: bytes | None
    start: int = 0
