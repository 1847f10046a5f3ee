"""Azure ML's JSON rows as SageMaker's CSV rows: the way back, for the rollback rehearsal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.core.case import Departure, Json, Request, Task, Translation
from harness.core.table import table_of
from harness.errors import ConfigError, UnencodableRequest


def build(columns: Sequence[str] | None = None) -> AzureMLToSageMaker:
    """columns: the model's training order. Without it, rows go over in the order they were recorded in.

    Raises ConfigError for columns that repeat.
    """
    if columns is not None and len(set(columns)) != len(columns):
        raise ConfigError('[pair] azureml_to_sagemaker: key "columns" names a column twice.')
    return AzureMLToSageMaker(columns=tuple(columns) if columns is not None else None)


@dataclass(frozen=True, slots=True)
class AzureMLToSageMaker:
    """See build."""

    columns: tuple[str, ...] | None = None
    name: str = "azureml_to_sagemaker"
    source: str = "azureml"
    target: str = "sagemaker"

    def translate(self, request: Request) -> Translation:
        """Numbers become their shortest text that reads back the same; text stays; null becomes an empty cell.

        Departures: nulls, truth values (1 and 0), column names where no order was declared, and params of `predict`.
        Raises UnencodableRequest where the columns are not those declared, or a cell is no plain value.
        """
        own, rows = table_of(request)
        departures: dict[Departure, None] = {}
        order = self._order(own, width=len(rows[0]))
        if own is not None and self.columns is None:
            departures[_dropped("columns", "CSV carries no column names; the order is kept")] = None
        for param in request.params:
            departures[_dropped(f"params.{param}", "InvokeEndpoint has no place for it")] = None
        data: list[Json] = []
        for index, row in enumerate(rows, start=1):
            cells: list[Json] = []
            for place in order:
                column = own[place] if own is not None else str(place + 1)
                cells.append(_text(row[place], f'row {index}, column "{column}"'))
                if row[place] is None or isinstance(row[place], bool):
                    departures[_unlike(row[place], column)] = None
            data.append(cells)
        return Translation(Request(Task.TABULAR, {"columns": None, "rows": data}), tuple(departures))

    def _order(self, own: Sequence[str] | None, *, width: int) -> list[int]:
        if self.columns is None or own is None:
            if self.columns is not None and len(self.columns) != width:
                raise UnencodableRequest(
                    f"the request has {width} columns, and the suite's [pair] names {len(self.columns)}."
                )
            return list(range(width))
        if sorted(own) != sorted(self.columns):
            raise UnencodableRequest("the request's column names are not those of the suite's [pair].")
        return [own.index(column) for column in self.columns]


def _text(cell: Json, where: str) -> str:
    if isinstance(cell, list | dict):
        raise UnencodableRequest(f"{where} holds a list or an object, which a CSV cell cannot say.")
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "1" if cell else "0"
    return cell if isinstance(cell, str) else repr(cell)


def _dropped(what: str, reason: str) -> Departure:
    return Departure(field=what, source_value="given", target_value=None, reason=reason)


def _unlike(cell: Json, column: str) -> Departure:
    if cell is None:
        reason = "CSV has no other word for a value that is missing"
        return Departure(field=column, source_value="null", target_value="an empty cell", reason=reason)
    return Departure(
        field=column, source_value="true or false", target_value="1 or 0", reason="CSV has no truth values"
    )
