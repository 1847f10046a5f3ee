"""Units from numbers, without rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.stats.units import Tally, Units


def units(
    d: Sequence[float] | np.ndarray,
    *,
    low_end: float = -1.0,
    high_end: float = 1.0,
    size: Sequence[int] | np.ndarray | None = None,
    look: Sequence[int] | np.ndarray | None = None,
) -> Units:
    values = np.asarray(d, dtype=np.float64)
    sizes = np.ones(len(values), dtype=np.int64) if size is None else np.asarray(size, dtype=np.int64)
    looks = np.zeros(len(values), dtype=np.int64) if look is None else np.asarray(look, dtype=np.int64)
    order = np.lexsort((sizes, values, looks))
    count = int(looks.max(initial=0)) + 1
    none = np.zeros(count, dtype=np.int64)
    tally = Tally(rows=none, excluded=none, unscored=none, conflicts=none, contradicted=none, largest=none)
    return Units(
        d=values[order],
        size=sizes[order],
        look=looks[order],
        low_end=low_end,
        high_end=high_end,
        looks=count,
        tally=tally,
        cases=int(sizes.sum()),
    )
