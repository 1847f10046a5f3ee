"""The entry script that the Azure ML inference server runs: both models of the lab in ONNX, float32.

Input as an MLflow deployment takes it, {"input_data": {"columns": [...], "index": [...], "data": [[...]]}}; columns are
told by name and may come in any order, but must be the training columns. Answer: a JSON list, one score a row for
`visits`, an object of three numbers a row for `usage`, whose numbers may be null and whose categories are texts.
An exception in `run` becomes the server's plain 500, as it does in the cloud.
Source: Azure Machine Learning documentation, "Guidelines for deploying MLflow models" and "Score scripts".
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from azureml_inference_server_http.api.aml_response import AMLResponse

from harness.lab import azureml, usage
from harness.lab.plants import Fault
from harness.lab.settings import ENDPOINT, USAGE
from harness.lab.visits import COLUMNS

_sessions: dict[str, Any] = {}


def init() -> None:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # nine numbers: threads would only wait
    for name in (ENDPOINT, *usage.OUTPUTS):
        _sessions[name] = onnxruntime.InferenceSession(
            azureml.wait_for_model(name), sess_options=options, providers=["CPUExecutionProvider"]
        )


def run(raw_data: str, request_headers: dict[str, str]) -> Any:
    headers = {name.lower(): value for name, value in request_headers.items()}
    content_type = headers.get("content-type", "")
    if content_type.partition(";")[0].strip().lower() != "application/json":
        return AMLResponse({"message": "send application/json"}, 415, json_str=True)
    body, document = raw_data.encode(), json.loads(raw_data)
    if headers.get("x-lab-endpoint") == USAGE:
        return _usage(body, document)
    return _visits(body, document, azureml.fault(sound="x-lab-sound" in headers))


def _visits(body: bytes, document: Any, planted: Fault) -> list[float]:
    import numpy as np

    rows = _rows(document, COLUMNS)
    if any(isinstance(cell, bool) or not isinstance(cell, int | float) for row in rows for cell in row):
        raise ValueError("every cell must be a number")
    rows = [[float(cell) for cell in row] for row in rows]
    scores = _sessions[ENDPOINT].run(["probabilities"], {"rows": np.array(rows, dtype=np.float32)})[0][:, 1]
    return planted.scores(body, rows, [float(score) for score in scores])


def _usage(body: bytes, document: Any) -> list[dict[str, float]]:
    import numpy as np

    rows = azureml.fault().cells(_rows(document, usage.COLUMNS))
    columns: dict[str, Any] = {}
    for place, name in enumerate(usage.COLUMNS):
        cells = [row[place] for row in rows]
        if name in usage.NUMBERS:
            # float32 of None is NaN, which the imputer knows as missing; of a text it is a ValueError
            columns[name] = np.array(cells, dtype=np.float32).reshape(-1, 1)
        else:
            columns[name] = np.array([cell or "" for cell in cells], dtype=object).reshape(-1, 1)
    answers = [_sessions[output].run(None, columns)[0][:, 0].tolist() for output in usage.OUTPUTS]
    values = azureml.fault().values(body, [list(row) for row in zip(*answers, strict=True)])
    return [dict(zip(usage.OUTPUTS, row, strict=True)) for row in values]


def _rows(document: Any, wanted: Sequence[str]) -> list[list[Any]]:
    """The rows in the model's column order. Raises ValueError or KeyError with what is wrong."""
    frame = document["input_data"]
    unknown = set(document) - {"input_data", "params"} | set(frame) - {"columns", "index", "data"}
    if unknown:
        raise ValueError(f"unknown keys: {', '.join(sorted(unknown))}")
    columns, data = frame["columns"], frame["data"]
    if sorted(columns) != sorted(wanted):
        raise ValueError(f"columns must be {', '.join(wanted)}; got {', '.join(map(str, columns))}")
    if not data or any(len(row) != len(columns) for row in data):
        raise ValueError(f"data must be rows of {len(columns)} cells")
    if len(frame.get("index", data)) != len(data):
        raise ValueError("index and data differ in length")
    order = [columns.index(column) for column in wanted]
    return [[row[place] for place in order] for row in data]
