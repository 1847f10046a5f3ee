"""SageMaker's CSV rows as Azure ML's JSON rows.

CSV has no types and no column names; JSON has both, and a model behind MLflow's schema refuses text where it expects
numbers. Names come from the suite, numbers from the text, and what is not a number must be declared.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.core.case import Departure, Json, Request, Task, Translation
from harness.core.table import table_of
from harness.errors import ConfigError, UnencodableRequest, UnknownName

TYPES = ("number", "text")
EXACT = 2**53  # beyond it float64 has gaps: IEEE 754 binary64, 53 bits of precision

_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def build(columns: Sequence[str] | None = None, types: Mapping[str, str] | None = None) -> SageMakerToAzureML:
    """columns: names in the order of the CSV. types: column -> "number" (the default) or "text".

    Raises ConfigError for columns that repeat, UnknownName for a type or a typed column that does not exist.
    """
    place = "[pair] sagemaker_to_azureml"
    if columns is not None and len(set(columns)) != len(columns):
        raise ConfigError(f'{place}: key "columns" names a column twice.')
    for column, kind in (types or {}).items():
        if kind not in TYPES:
            raise UnknownName(f"{place}, types", "type", kind, TYPES)
        if columns is not None and column not in columns:
            raise UnknownName(f"{place}, types", "column", column, columns)
    return SageMakerToAzureML(columns=tuple(columns) if columns is not None else None, types=dict(types or {}))


@dataclass(frozen=True, slots=True)
class SageMakerToAzureML:
    """See build. A request that brings column names of its own must agree with `columns`."""

    columns: tuple[str, ...] | None = None
    types: Mapping[str, str] = field(default_factory=dict)
    name: str = "sagemaker_to_azureml"
    source: str = "sagemaker"
    target: str = "azureml"

    def translate(self, request: Request) -> Translation:
        """Text cells become numbers: "3" an integer, "3.0" and "3e0" the nearest float64.

        An empty cell or "nan" becomes null, with a departure. Cells that are not text go over as they are.
        Raises UnencodableRequest naming row and column of a cell that is no number in a column not declared as text.
        """
        own, rows = table_of(request)
        columns = self._names(own, width=len(rows[0]))
        departures: dict[Departure, None] = {}
        data: list[Json] = []
        for index, row in enumerate(rows, start=1):
            cells: list[Json] = []
            for place, cell in enumerate(row):
                column = columns[place] if columns is not None else str(place + 1)
                value, departure = self._cell(cell, column, index)
                cells.append(value)
                if departure is not None:
                    departures[departure] = None
            data.append(cells)
        names: Json = list[Json](columns) if columns is not None else None
        return Translation(Request(Task.TABULAR, {"columns": names, "rows": data}), tuple(departures))

    def _names(self, own: Sequence[str] | None, *, width: int) -> Sequence[str] | None:
        if self.columns is None:
            return own
        if len(self.columns) != width:
            raise UnencodableRequest(
                f"the request has {width} columns, and the suite's [pair] names {len(self.columns)}."
            )
        if own is not None and tuple(own) != self.columns:
            raise UnencodableRequest("the request's column names are not those of the suite's [pair], in that order.")
        return self.columns

    def _cell(self, cell: Json, column: str, row: int) -> tuple[Json, Departure | None]:
        kind = self.types.get(column)
        if not isinstance(cell, str) or kind == "text":
            return cell, _beyond(cell, column)
        text = cell.strip()
        if text.lower() in ("", "nan"):
            said = "an empty cell" if not text else "nan"
            reason = "JSON has no other word for a value that is missing"
            return None, Departure(field=column, source_value=said, target_value="null", reason=reason)
        value = _number(text, padded=kind == "number")
        if value is None:
            raise UnencodableRequest(
                f'row {row}, column "{column}" holds no number that JSON can say. If it is text to the model, declare '
                f'it in the suite: [pair] types = {{ "{column}" = "text" }}.'
            )
        return value, _beyond(value, column)


def _number(text: str, *, padded: bool) -> int | float | None:
    """The number, or None: for text, for infinities, and for "007" (a code, not seven) unless `padded` allows it."""
    digits = text.lstrip("+-")
    if _WHOLE.fullmatch(text) and (padded or digits == "0" or not digits.startswith("0")):
        return int(text) if int(text) or text[0] != "-" else -0.0
    if _WHOLE.fullmatch(text) or not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def _beyond(value: Json, column: str) -> Departure | None:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) <= EXACT:
        return None
    reason = "most servers read JSON numbers as float64, which is exact for integers up to 2**53 only"
    said = "an integer beyond 2**53"
    return Departure(field=column, source_value=said, target_value="the same digits", reason=reason)
