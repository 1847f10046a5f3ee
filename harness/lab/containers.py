"""What runs inside the lab's SageMaker endpoints: the serving code of two scikit-learn models.

`visits`: `text/csv` in (rows of nine cells, no header) and out (one score a line). `usage`: JSON in, in the form of the
built-in algorithms, {"instances": [{"features": [...]}]}, JSON or CSV out as `Accept` asks. Its CSV holds nine
significant digits and its JSON all of them, as containers that print float32 one way and float64 another do.
Source: SageMaker developer guide, "Common data formats for inference".
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Protocol

from harness.lab import usage
from harness.lab.plants import Fault
from harness.lab.visits import COLUMNS

CSV, JSON = "text/csv", "application/json"


class ContainerRefused(Exception):
    """The model's container answered something else than 200."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Container(Protocol):
    """(members of InvokeEndpoint, body, the planted fault) -> (answer, its content type). Raises ContainerRefused."""

    def __call__(self, members: Mapping[str, str], body: bytes, fault: Fault) -> tuple[bytes, str]: ...


def of_visits(model: Any) -> Container:
    """The positive class's probability of each row."""

    def answer(members: Mapping[str, str], body: bytes, fault: Fault) -> tuple[bytes, str]:
        import numpy as np

        _sent(members, CSV)
        _wanted(members, CSV)
        rows = _rows(body)
        scores = [float(score) for score in model.predict_proba(np.array(rows, dtype=np.float64))[:, 1]]
        lines = "".join(f"{score!r}\n" for score in fault.scores(body, rows, scores))
        return lines.encode(), f"{CSV}; charset=utf-8"

    return answer


def of_usage(pipelines: dict[str, Any]) -> Container:
    """Three numbers a row, by name in JSON, in OUTPUTS order in CSV."""

    def answer(members: Mapping[str, str], body: bytes, fault: Fault) -> tuple[bytes, str]:
        _sent(members, JSON)
        kind = _wanted(members, JSON, CSV)
        rows = _instances(body)
        values = fault.values(body, usage.predict(pipelines, fault.cells(rows)))
        if kind == CSV:
            return "".join(",".join(f"{value:.9g}" for value in row) + "\n" for row in values).encode(), CSV
        predictions = [dict(zip(usage.OUTPUTS, row, strict=True)) for row in values]
        return json.dumps({"predictions": predictions}).encode(), JSON

    return answer


def _sent(members: Mapping[str, str], kind: str) -> None:
    content_type = members.get("ContentType", "").partition(";")[0].strip().lower()
    if content_type != kind:
        raise ContainerRefused(415, f"content type {content_type or 'none'!s} is not supported; send {kind}")


def _wanted(members: Mapping[str, str], *kinds: str) -> str:
    """The content type to answer in: the first of `kinds` that the request accepts."""
    accepted = [part.partition(";")[0].strip().lower() for part in members.get("Accept", "*/*").split(",")]
    for kind in kinds:
        if {kind, f"{kind.partition('/')[0]}/*", "*/*"}.intersection(accepted):
            return kind
    raise ContainerRefused(406, f"only {' and '.join(kinds)} can be returned")


def _rows(body: bytes) -> list[list[float]]:
    try:
        rows = [[float(cell) for cell in line.split(",")] for line in body.decode().splitlines() if line.strip()]
    except ValueError as exc:  # not UTF-8, or not a number
        raise ContainerRefused(400, f"could not read the CSV body: {exc}") from exc
    wrong = next((row for row in rows if len(row) != len(COLUMNS)), None)
    if not rows or wrong is not None:
        found = len(wrong) if wrong is not None else 0
        raise ContainerRefused(400, f"expected rows of {len(COLUMNS)} columns, found {found}")
    if not all(math.isfinite(cell) for row in rows for cell in row):
        raise ContainerRefused(400, "Input X contains NaN or infinity.")
    return rows


def _instances(body: bytes) -> list[list[usage.Cell]]:
    try:
        document = json.loads(body)
        rows = [instance["features"] for instance in document["instances"]]
    except (ValueError, KeyError, TypeError) as exc:
        raise ContainerRefused(400, f'expected {{"instances": [{{"features": [...]}}]}}: {exc!r}') from exc
    if not rows or any(not isinstance(row, list) or len(row) != len(usage.COLUMNS) for row in rows):
        raise ContainerRefused(400, f"expected instances of {len(usage.COLUMNS)} features")
    for row in rows:
        for place, cell in enumerate(row):
            wanted = (int, float) if place < len(usage.NUMBERS) else (str,)
            if cell is not None and (isinstance(cell, bool) or not isinstance(cell, wanted)):
                raise ContainerRefused(400, f"feature {usage.COLUMNS[place]} cannot be {cell!r}")
    return rows
