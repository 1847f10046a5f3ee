"""Diffy's filter on one field: more differences against the candidate than the control shows against itself.

A field is flagged when raw > noise differences, |raw - noise| / (raw + noise) > 20 % and |raw - noise| / total >
0.03 %. raw compares source with target, noise source with source again. Two scores differ here when they lie more than
0.1 apart: of equal systems a few in a hundred do. A request that fails is not compared.
Source: twitter-archive/diffy, analysis/JoinedDifferences.scala and DiffyServiceModule.scala (default thresholds).
"""

from __future__ import annotations

import numpy as np
from peers.samples import Sample

WORDS = "Diffy filter"
APART = 0.1
RELATIVE_PERCENT, ABSOLUTE_PERCENT = 20.0, 0.03


def judge(sample: Sample) -> str:
    compared = ~sample.timed_out if not sample.absent else np.zeros_like(sample.timed_out)
    total = int(compared.sum())
    if not total:
        return "GO"  # no field, no flag
    # Written so that NaN differs from a number, as two unequal JSON values do.
    raw = int((~(np.abs(sample.source - sample.target) <= APART) & compared).sum())
    noise = int((~(np.abs(sample.source - sample.again) <= APART) & compared).sum())
    apart = abs(raw - noise)
    flagged = raw > noise and 100 * apart / (raw + noise) > RELATIVE_PERCENT and 100 * apart / total > ABSOLUTE_PERCENT
    return "NO-GO" if flagged else "GO"
