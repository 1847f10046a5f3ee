"""Which of many p-values are small even though there are many."""

from __future__ import annotations

import numpy as np

from harness.core.rows import Flags, Floats


def holm(p_values: Floats, *, alpha: float) -> Flags:
    """Hypotheses rejected with probability at most alpha of rejecting any true one, whatever their dependence.

    p_values: shape (m,), in [0, 1]. The smallest is held against alpha / m, the next against alpha / (m - 1), and so
    on until one is not small enough.
    Source: S. Holm (1979), Scandinavian Journal of Statistics 6(2), 65-70.
    """
    m = len(p_values)
    order = np.argsort(p_values, kind="stable")
    small = p_values[order] <= alpha / np.arange(m, 0, -1)
    rejected = np.zeros(m, dtype=np.bool_)
    rejected[order[np.logical_and.accumulate(small)]] = True
    return rejected
