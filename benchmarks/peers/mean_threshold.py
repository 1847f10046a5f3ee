"""The mean must not fall below a threshold: here, below the source's own mean less the margin.

The rule of evaluation runs with a threshold on the mean score. What has no score is left out, as pandas' `mean` and
most reports do. Sources: promptfoo, "Assertions & metrics" (`threshold`); DeepEval, "Metrics" (`threshold`).
"""

from __future__ import annotations

import numpy as np
from peers.samples import MARGIN, Sample

WORDS = "mean threshold"


def judge(sample: Sample) -> str:
    target = sample.target[~sample.timed_out]
    target = target[~np.isnan(target)]
    if sample.absent or not len(target):
        return "NO-GO"  # the mean of nothing is NaN, and NaN >= threshold is false
    return "GO" if target.mean() >= sample.source.mean() - MARGIN else "NO-GO"
