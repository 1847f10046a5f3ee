"""What a side answers, in no service's own words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Numbers a model returned.

    values: float64, shape (rows, columns), one row a row of the request; NaN and infinities are kept as they came.
    columns: one name a column; ("0", "1", ...) where the service gave none.
    eq is off: == on arrays is not a yes or no.
    """

    values: NDArray[np.float64]
    columns: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.shape[1] != len(self.columns):
            raise ValueError(f"Scores of shape {self.values.shape} do not fit {len(self.columns)} column names")


Output: TypeAlias = Scores
