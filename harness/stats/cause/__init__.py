"""Why two systems differ: the transformation that makes one the other, named and proved on the stored pairs.

Each candidate is applied to every pair. What it explains is the share of the differing rows that it makes equal, less
those that were equal and are no longer; causes are ranked by it, simpler ones first among equals. Four kinds:

* `outputs`: of the numbers answered (rounding, bias, scale, a link function left out, columns or classes in another
  order, filled or clipped values, a threshold that moved);
* `order`: rows that belong to other rows;
* `segments`: where the difference is (one category, rows with a missing value, a range of one column);
* `inputs`: of what was asked (columns swapped, missing, in another unit), judged through a model fitted to the source's
  own answers, and therefore never as certain as the other three.

Pure functions on arrays. A cause found says what would explain the data; that it happened is for a person to confirm.
"""

from __future__ import annotations

from harness.stats.cause.pairs import Cause, Pairs
from harness.stats.cause.search import explain

__all__ = ["Cause", "Pairs", "explain"]
