"""Steps between floating-point numbers."""

from __future__ import annotations

import numpy as np

from harness.core.floats import ulps


def test_units_in_the_last_place_are_numpys_steps():
    value = np.array([1.0, -1.0, 0.0, 1e-300, 3e38, np.nan])
    for steps in (0, 1, 5):
        moved = value
        for _ in range(steps):
            moved = np.nextafter(moved, np.inf)
        assert ulps(value, moved, single=False).tolist() == [float(steps)] * 5 + [np.inf]
    assert ulps(np.array([-5e-324]), np.array([5e-324]), single=False).tolist() == [2.0]
    assert ulps(np.array([1.0]), np.array([1.0 + 2**-23]), single=True).tolist() == [1.0]
