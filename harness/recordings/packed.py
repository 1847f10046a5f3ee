"""`cases.jsonl.zst`: the cases of a golden set, compressed with Zstandard (RFC 8878).

A compressed file names no size that can be trusted, so what may come out of one is bounded twice: by the manifest's
`unpacked_bytes`, and by a share of its own size. Reading any case at once needs the plain text, which is unpacked into
a file without a name that disappears with the set.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import BinaryIO, cast

from harness.errors import GoldenError
from harness.recordings.lines import RESTORE

LEVEL = 9
MOST_TIMES = 1000  # JSON of real traffic shrinks 5 to 50 times
SMALL = 1 << 20
_WINDOW = 1 << 27
_CHUNK = 1 << 20


def pack(plain: BinaryIO, into: Path) -> int:
    """Compress a stream into a file; returns the size of what went in, bytes. The same bytes give the same file.

    Raises GoldenError where the result would be refused when it is opened.
    """
    import zstandard

    size = 0
    with into.open("wb") as file, zstandard.ZstdCompressor(level=LEVEL).stream_writer(file, closefd=False) as writer:
        while chunk := plain.read(_CHUNK):
            size += len(chunk)
            writer.write(chunk)
    if not _credible(size, into.stat().st_size):
        raise GoldenError(f"{into}: the cases shrink more than {MOST_TIMES} times. Store them without compression.")
    return size


def unpack(path: Path, *, size: int) -> BinaryIO:
    """The plain text as an open file without a name, at its start. size: what must come out, bytes.

    Raises GoldenError where more or less comes out, or nothing that is Zstandard.
    """
    import zstandard

    if not _credible(size, path.stat().st_size):
        raise GoldenError(f"{path}: said to hold {size:,} bytes, more than {MOST_TIMES} times its size. {RESTORE}")
    plain = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115, the caller closes it
    try:
        with path.open("rb") as file:
            reader = zstandard.ZstdDecompressor(max_window_size=_WINDOW).stream_reader(file, read_across_frames=True)
            left = size
            while chunk := reader.read(_CHUNK):
                left -= len(chunk)
                if left < 0:
                    break
                plain.write(chunk)
    except zstandard.ZstdError as exc:
        plain.close()
        raise GoldenError(f"{path}: cannot be unpacked: {exc}. {RESTORE}") from exc
    except BaseException:
        plain.close()
        raise
    if left:
        plain.close()
        raise GoldenError(f"{path}: altered: not the {size:,} bytes that its manifest says. {RESTORE}")
    plain.seek(0)
    return plain


def _credible(size: int, packed: int) -> bool:
    return size <= SMALL or size <= MOST_TIMES * packed
