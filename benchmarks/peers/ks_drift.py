"""Two-sample Kolmogorov-Smirnov test at 5 %: no drift detected is read as the same.

The default of Evidently for numerical columns with up to 1,000 reference rows, missing values dropped. Source: its
documentation, "Data drift algorithm".
"""

from __future__ import annotations

import warnings

import numpy as np
from peers.samples import Sample
from scipy.stats import ks_2samp

WORDS = "KS drift test"


def judge(sample: Sample) -> str:
    target = sample.target[~sample.timed_out]
    target = target[~np.isnan(target)]
    if sample.absent or not len(target):
        return "-"  # raises: there is nothing to test
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exact method hands over to the asymptotic one, and says so
        p_value = ks_2samp(sample.source.ravel(), target).pvalue
    return "NO-GO" if p_value < 0.05 else "GO"
