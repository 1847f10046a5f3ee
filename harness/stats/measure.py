"""What D is for each kind of criterion, and between which bounds it lies.

D is one number a case, larger is better for the target. S and S' are two fresh answers of the source, T one of the
target; `value_target` of a row compares S with T, `value_noise` S with S'.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

CLIP = 0.25
SEVERE_DROP = 0.40


class Kind(StrEnum):
    """How a criterion reads its rows.

    score: larger is better, in [0, 1]. flip: 1 is a bad event. exceed: 1 is a slow call. cost: USD.
    limit: 1 is over a contractual limit. quality: a case's contribution to a measure against the truth.
    check: a property of an artefact, a census and not a sample.
    """

    SCORE = "score"
    FLIP = "flip"
    EXCEED = "exceed"
    COST = "cost"
    LIMIT = "limit"
    QUALITY = "quality"
    CHECK = "check"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """All that is needed to turn a row of one metric into D.

    deterministic: the source was proved to repeat itself, so that a row may lack `value_noise`.
    ratio: 1 + r, the accepted growth of cost. cap_usd: the cost at which a case counts as worst.
    limit: kind limit: values above it are over; None: values are already 0 or 1. kind check: the largest value that
    passes, None: no upper end. lower_limit: kind check: the smallest value that passes.
    value_range: kind quality: least and largest contribution of a case. larger_is_better: False for a loss.
    """

    kind: Kind
    deterministic: bool = False
    ratio: float = 1.0
    cap_usd: float = 1.0
    limit: float | None = None
    lower_limit: float | None = None
    value_range: tuple[float, float] = (0.0, 1.0)
    larger_is_better: bool = True

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and largest D can be."""
        if self.kind is Kind.SCORE:
            return -CLIP, CLIP
        if self.kind is Kind.QUALITY:
            return -self.width, self.width
        if self.kind is Kind.LIMIT or (self.kind is Kind.FLIP and self.deterministic):
            return -1.0, 0.0
        return -1.0, 1.0

    @property
    def width(self) -> float:
        """Kind quality: how far two contributions can lie apart."""
        return self.value_range[1] - self.value_range[0]


SEVERE_BOUNDS = (-1.0, 1.0)
