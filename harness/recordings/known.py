"""Which cases a set in the making has: enough to know that no id is there twice, in memory that does not grow.

A hash of an id stands for it, so that two ids may look like one, once in some billions of cases; a closer look tells.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from harness.recordings.keys import Keys, Numbers

_NAME, _LINK = 0, 1
_HOLD = 1 << 12


class Known:
    """Told of each case in order. folder: where what does not fit into memory lies."""

    def __init__(self, folder: Path) -> None:
        self._keys = Keys(folder)
        self._hashes: list[int] = []
        self._kinds: list[int] = []
        self._cases = 0
        self.repeats = self.duplicates = 0

    def add(self, name: str, link: str | None, *, repeats: bool) -> None:
        """link: id of the earlier case that this one repeats, or else duplicates."""
        if link is not None:
            self._hashes.append(hash(link))
            self._kinds.append(_LINK)
            self.repeats += repeats
            self.duplicates += not repeats
        self._hashes.append(hash(name))
        self._kinds.append(_NAME)
        self._cases += 1
        if len(self._hashes) >= _HOLD:
            self._hand_over()

    def add_all(self, names: Numbers) -> None:
        """Cases without a link, by the hashes of their ids."""
        self._hand_over()
        self._keys.add(names, np.zeros(len(names), dtype=np.uint64))
        self._cases += len(names)

    def __len__(self) -> int:
        return self._cases

    def whole(self) -> bool:
        """Whether every id is there once, and every link names an earlier case; hashes that are equal count as ids.

        So each hash comes first as a name, and later as links.
        """
        self._hand_over()
        last: np.uint64 | None = None
        for keys, kinds in self._keys.spans():
            later = np.concatenate(([last is not None and keys[0] == last], keys[1:] == keys[:-1]))
            if (kinds != later).any():
                return False
            last = keys[-1]
        return True

    def close(self) -> None:
        """Let go of what lies on disk."""
        self._keys.close()

    def _hand_over(self) -> None:
        if self._hashes:
            self._keys.add(self._hashes, self._kinds)
            self._hashes, self._kinds = [], []
