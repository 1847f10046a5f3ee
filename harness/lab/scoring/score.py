"""The entry script that the Azure ML inference server runs: the visits model in ONNX, float32.

Input as an MLflow deployment takes it, {"input_data": {"columns": [...], "index": [...], "data": [[...]]}}; columns are
told by name and may come in any order, but must be the training columns. Answer: a JSON list, one score a row.
An exception in `run` becomes the server's plain 500, as it does in the cloud.
Source: Azure Machine Learning documentation, "Guidelines for deploying MLflow models" and "Score scripts".
"""

from __future__ import annotations

import json
from typing import Any

from azureml_inference_server_http.api.aml_response import AMLResponse

from harness.lab import azureml
from harness.lab.visits import COLUMNS

_session: Any = None


def init() -> None:
    global _session  # the contract of an entry script: init prepares what run uses
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # nine numbers: threads would only wait
    _session = onnxruntime.InferenceSession(
        azureml.wait_for_model(), sess_options=options, providers=["CPUExecutionProvider"]
    )


def run(raw_data: str, request_headers: dict[str, str]) -> Any:
    import numpy as np

    content_type = {name.lower(): value for name, value in request_headers.items()}.get("content-type", "")
    if content_type.partition(";")[0].strip().lower() != "application/json":
        return AMLResponse({"message": "send application/json"}, 415, json_str=True)
    rows = _rows(json.loads(raw_data))
    scores = _session.run(["probabilities"], {"rows": np.array(rows, dtype=np.float32)})[0][:, 1]
    return azureml.fault().scores(raw_data.encode(), rows, [float(score) for score in scores])


def _rows(document: Any) -> list[list[float]]:
    """The rows in the model's column order. Raises ValueError or KeyError with what is wrong."""
    frame = document["input_data"]
    unknown = set(document) - {"input_data", "params"} | set(frame) - {"columns", "index", "data"}
    if unknown:
        raise ValueError(f"unknown keys: {', '.join(sorted(unknown))}")
    columns, data = frame["columns"], frame["data"]
    if sorted(columns) != sorted(COLUMNS):
        raise ValueError(f"columns must be {', '.join(COLUMNS)}; got {', '.join(map(str, columns))}")
    if not data or any(len(row) != len(columns) for row in data):
        raise ValueError(f"data must be rows of {len(columns)} cells")
    if len(frame.get("index", data)) != len(data):
        raise ValueError("index and data differ in length")
    if any(isinstance(cell, bool) or not isinstance(cell, int | float) for row in data for cell in row):
        raise ValueError("every cell must be a number")
    order = [columns.index(column) for column in COLUMNS]
    return [[float(row[place]) for place in order] for row in data]
