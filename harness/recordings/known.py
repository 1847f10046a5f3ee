"""Which cases a set in the making has, by 8 bytes each: enough to know that no id is there twice.

A hash of an id stands for it, so that two ids may look like one, once in some billions of cases; a closer look tells.
"""

from __future__ import annotations

from array import array

import numpy as np


class Known:
    """Told of each case in order."""

    def __init__(self) -> None:
        self._names = array("q")
        self._later, self._named = array("q"), array("q")
        self.repeats = 0

    def add(self, name: str, link: str | None, *, repeats: bool) -> None:
        """link: id of the earlier case that this one repeats, or else duplicates."""
        if link is not None:
            self._later.append(len(self._names))
            self._named.append(hash(link))
            self.repeats += repeats
        self._names.append(hash(name))

    def __len__(self) -> int:
        return len(self._names)

    @property
    def duplicates(self) -> int:
        return len(self._later) - self.repeats

    def whole(self) -> bool:
        """Whether every id is there once, and every link names an earlier case; hashes that are equal count as ids."""
        names = np.frombuffer(self._names or b"", dtype=np.int64)
        order = np.argsort(names, kind="stable")
        ordered = names[order]
        if (ordered[1:] == ordered[:-1]).any():
            return False
        later = np.frombuffer(self._later or b"", dtype=np.int64)
        named = np.frombuffer(self._named or b"", dtype=np.int64)
        found = np.searchsorted(ordered, named)
        inside = found < len(ordered)
        return bool(inside.all() and (ordered[found] == named).all() and (order[found] < later).all())
