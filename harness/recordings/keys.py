"""Which of many numbers are equal, found on disk: memory stays the same however many there are.

Rows come in, sorted runs of them lie in a file without a name, and are merged range by range (D. E. Knuth, The Art of
Computer Programming, volume 3, 5.4).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

Numbers: TypeAlias = NDArray[np.uint64]
RUN = 1 << 17  # rows that are sorted at a time
_EACH = 64  # one key in so many of a run is kept in memory
_ROW = 16  # bytes


class Keys:
    """Rows of a key and a value, both in [0, 2**64); those of one key stay in the order in which they came.

    folder: where the file lies, at 16 bytes a row, while there are more rows than one run.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: BinaryIO | None = None  # once there is more than one run
        self._held: list[tuple[Numbers, Numbers]] = []
        self._holding = 0
        self._runs: list[tuple[int, Numbers]] = []  # rows of each run, and every so-manieth key of it

    def add(self, keys: NDArray[Any] | Sequence[int], values: NDArray[Any] | Sequence[int]) -> None:
        """Shapes (n,) and (n,). Negative numbers stand for themselves plus 2**64."""
        self._held.append((_numbers(keys), _numbers(values)))
        self._holding += len(keys)
        if self._holding >= RUN:
            self._spill()

    def spans(self) -> Iterator[tuple[Numbers, Numbers]]:
        """Keys, shape (n,), never falling, and their values, some at a time; a key may go on in the next span."""
        if not self._runs:
            rows = self._taken()
            self._held, self._holding = [(rows[:, 0], rows[:, 1])], len(rows)
            if len(rows):
                yield rows[:, 0], rows[:, 1]
            return
        if self._holding:
            self._spill()
        yield from self._merged([0] * len(self._runs), [rows for rows, _ in self._runs], 0, 64)

    def shared(self) -> Iterator[Numbers]:
        """The values of rows whose key another row has too."""
        held: tuple[Numbers, Numbers] | None = None
        matched = False
        for keys, values in self.spans():
            if held is not None:
                keys, values = np.concatenate((held[0], keys)), np.concatenate((held[1], values))
            same = keys[1:] == keys[:-1]
            if len(same):
                yield values[:-1][np.concatenate(([matched], same[:-1])) | same]
                matched = bool(same[-1])
            held = keys[-1:], values[-1:]
        if held is not None and matched:
            yield held[1]

    def later(self) -> Iterator[tuple[Numbers, Numbers]]:
        """The value of each row whose key came before, and the value that the key came with first."""
        last: tuple[np.uint64, np.uint64] | None = None
        for keys, values in self.spans():
            new = np.concatenate(([last is None or keys[0] != last[0]], keys[1:] != keys[:-1]))
            begins = np.maximum.accumulate(np.where(new, np.arange(len(keys)), -1))
            firsts = values[begins]
            if last is not None:
                firsts[begins < 0] = last[1]
            last = keys[-1], firsts[-1]
            yield values[~new], firsts[~new]

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()

    def _taken(self) -> Numbers:
        """What is held, sorted; shape (n, 2)."""
        if not self._held:
            return np.empty((0, 2), dtype=np.uint64)
        keys, values = (np.concatenate(column) for column in zip(*self._held, strict=True))
        self._held.clear()
        self._holding = 0
        return _sorted(np.stack((keys, values), axis=1))

    def _spill(self) -> None:
        rows = self._taken()
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115, it lives as long as the rows do
        left = memoryview(rows.tobytes())
        while left:
            left = left[self._file.write(left) :]
        self._runs.append((len(rows), rows[::_EACH, 0].copy()))

    def _merged(
        self, low: Sequence[int], high: Sequence[int], least: int, bits: int
    ) -> Iterator[tuple[Numbers, Numbers]]:
        """The rows from low[i] to high[i] of each run, whose keys are in [least, least + 2**bits)."""
        rows = sum(high) - sum(low)
        if not rows:
            return
        if rows <= RUN or not bits:
            parts = [self._read(run, low[run], high[run]) for run in range(len(low)) if low[run] < high[run]]
            for part in [_sorted(np.concatenate(parts))] if rows <= RUN else parts:
                yield part[:, 0], part[:, 1]
            return
        middle = least + (1 << (bits - 1))
        cut = [self._place(run, middle, low[run], high[run]) for run in range(len(low))]
        yield from self._merged(low, cut, least, bits - 1)
        yield from self._merged(cut, high, middle, bits - 1)

    def _place(self, run: int, key: int, low: int, high: int) -> int:
        """Of the rows from low to high the first whose key is not below `key`."""
        wanted = np.uint64(key)
        near = max(int(np.searchsorted(self._runs[run][1], wanted)) - 1, 0) * _EACH
        rows = self._read(run, near, min(near + _EACH, self._runs[run][0]))
        return min(max(near + int(np.searchsorted(rows[:, 0], wanted)), low), high)

    def _read(self, run: int, low: int, high: int) -> Numbers:
        start = sum(rows for rows, _ in self._runs[:run])
        read = os.pread(cast(BinaryIO, self._file).fileno(), (high - low) * _ROW, (start + low) * _ROW)
        return np.frombuffer(read, dtype=np.uint64).reshape(-1, 2)


def _numbers(values: NDArray[Any] | Sequence[int]) -> Numbers:
    whole = np.asarray(values, dtype=None if isinstance(values, np.ndarray) else np.int64)
    return whole.astype(np.uint64, copy=False) if whole.dtype != np.int64 else whole.view(np.uint64)


def _sorted(rows: Numbers) -> Numbers:
    return rows[np.argsort(rows[:, 0], kind="stable")]
