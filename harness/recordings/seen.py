"""Which of many keys came before, in 16 bytes a place: a hash table of whole numbers that Python's own would make ten
times as large. Open addressing with linear probing (D. E. Knuth, The Art of Computer Programming, volume 3, 6.4).
"""

from __future__ import annotations

from array import array

_EMPTY = 0


class Seen:
    """key -> number, for keys in (0, 2**64) that are hashes and so spread evenly; numbers are at least 0."""

    def __init__(self) -> None:
        self._room(1 << 12)

    def _room(self, size: int) -> None:
        self._mask = size - 1
        self._keys = array("Q", bytes(8 * size))
        self._values = array("q", bytes(8 * size))
        self._free = size * 3 // 5

    def get(self, key: int) -> int | None:
        """The number that a key was put with first."""
        place = self._place(key)
        return None if self._keys[place] == _EMPTY else self._values[place]

    def put(self, key: int, value: int) -> None:
        """Keep a number for a key that has none yet."""
        place = self._place(key)
        if self._keys[place] == _EMPTY:
            self._keys[place], self._values[place] = key, value
            self._free -= 1
            if not self._free:
                self._grow()

    def _place(self, key: int) -> int:
        place, keys, mask = key & self._mask, self._keys, self._mask
        while keys[place] not in (_EMPTY, key):
            place = (place + 1) & mask
        return place

    def _grow(self) -> None:
        keys, values = self._keys, self._values
        self._room(2 * len(keys))
        for key, value in zip(keys, values, strict=True):
            if key != _EMPTY:
                self.put(key, value)
