"""How far two floating-point numbers are apart, in numbers of their own format."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def ulps(source: NDArray[np.float64], target: NDArray[np.float64], *, single: bool) -> NDArray[np.float64]:
    """How many numbers of float64 (`single`: float32) lie between two, 0 for equal ones; inf beside what is no number.

    Adjacent floats have adjacent integers once the sign bit is turned into an order.
    """
    kind, whole = (np.float32, np.int32) if single else (np.float64, np.int64)
    with np.errstate(over="ignore"):
        one, other = source.astype(kind), target.astype(kind)
    places = [_ordered(np.ascontiguousarray(side).view(whole).astype(np.int64), whole) for side in (one, other)]
    usable = np.isfinite(one) & np.isfinite(other)
    # In float64 the distance of two places may exceed int64: as floats, exact where it is small enough to matter.
    apart = np.abs(places[1].astype(np.float64) - places[0].astype(np.float64))
    near = np.abs(apart) < 2**52
    exact = np.where(near, np.abs(places[1] - places[0]), apart)
    return np.where(usable, exact, np.inf)


def _ordered(bits: NDArray[np.int64], whole: type) -> NDArray[np.int64]:
    lowest = np.int64(np.iinfo(whole).min)
    return np.where(bits < 0, lowest - bits, bits)
