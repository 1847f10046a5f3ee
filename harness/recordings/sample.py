"""The seeded order in which cases are drawn: the same on every machine, in every version, for ever.

Numpy's generators may change what `permutation` gives from one version to the next, and an order that changes between
two nights breaks what the sequential gate promises. So the order is arithmetic of our own: case i gets the i-th number
of a SplitMix64 stream, and cases are taken by rising number. Adding cases at the end of a golden set leaves the order
of the others among themselves as it was.

Source: G. L. Steele, D. Lea and C. H. Flood (2014), "Fast splittable pseudorandom number generators", OOPSLA, 453-472,
with the mixing constants of the reference implementation (S. Vigna, splitmix64.c, 2015).
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

_STEP = 0x9E3779B97F4A7C15
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def order(n: int, seed: int) -> NDArray[np.int64]:
    """A permutation of 0 .. n - 1, shape (n,); any whole number is a seed. Raises ValueError when n is negative."""
    if n < 0:
        raise ValueError(f"there is no order of {n} cases")
    # Hashed, because streams that start a small step apart are one stream, shifted.
    start = int.from_bytes(hashlib.sha256(f"parity-order:{seed}".encode()).digest()[:8], "big")
    # Each step of the stream is a bijection of 64-bit words, so no two cases have one number.
    return np.argsort(splitmix64(start, n), kind="stable").astype(np.int64)


def splitmix64(start: int, n: int) -> NDArray[np.uint64]:
    """The first n numbers of the stream whose state begins at `start`, in [0, 2**64); arithmetic wraps."""
    state = np.uint64(start) + np.uint64(_STEP) * np.arange(1, n + 1, dtype=np.uint64)
    state = (state ^ (state >> np.uint64(30))) * _FIRST
    state = (state ^ (state >> np.uint64(27))) * _SECOND
    return state ^ (state >> np.uint64(31))
