"""The payload of a tabular request, read once for codecs and pairs alike."""

from __future__ import annotations

from harness.core.case import Json, Request
from harness.errors import UnencodableRequest


def table_of(request: Request) -> tuple[list[str] | None, list[list[Json]]]:
    """Columns and rows of {"columns": [str] or None, "rows": [[cell]]}.

    Raises UnencodableRequest where the payload is no such table, has no rows, or has rows of unequal length (naming
    the first that differs).
    """
    payload = request.payload if isinstance(request.payload, dict) else {}
    columns, rows = payload.get("columns"), payload.get("rows")
    if not isinstance(rows, list) or not isinstance(columns, list | None):
        raise UnencodableRequest('the payload is no table; {"columns": [...] or null, "rows": [[...], ...]} is one.')
    if not rows:
        raise UnencodableRequest("the table has no rows.")
    width = len(columns) if columns is not None else None
    table: list[list[Json]] = []
    for index, row in enumerate(rows, start=1):
        if not isinstance(row, list):
            raise UnencodableRequest(f"row {index} is no list of cells.")
        width = len(row) if width is None else width
        if len(row) != width:
            raise UnencodableRequest(f"row {index} has {len(row)} cells, and {width} are expected.")
        table.append(row)
    return None if columns is None else [str(name) for name in columns], table


def rows_asked(request: Request) -> int | None:
    """How many rows a request asks about; None where a body that was made elsewhere does not show it."""
    payload = request.payload if isinstance(request.payload, dict) else {}
    if "body" not in payload:
        rows = payload.get("rows")
        return len(rows) if isinstance(rows, list) else None
    body = payload["body"]
    for key in ("input_data", "instances", "data"):
        if isinstance(body, dict) and key in body:
            body = body[key]
    return len(body) if isinstance(body, list) else None
