"""The regression model behind the lab's endpoint `usage`: three numbers for each person and year.

Data: the RAND Health Insurance Experiment, as in `visits`. Features: five numbers, of which any may be missing, and two
categories as text; outputs: the expected number of outpatient visits, its median and its 90 % quantile. Missing numbers
take the training median, categories that training never saw (and missing ones) no column at all: what scikit-learn's
SimpleImputer and OneHotEncoder(handle_unknown="ignore") make of them.

The source serves the pipelines as they were trained, in float64; the target the same pipelines as ONNX in float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from harness.lab.visits import COLUMNS as RAND_COLUMNS
from harness.lab.visits import records, trains

Cell: TypeAlias = float | str | None

NUMBERS = ("lncoins", "lpi", "fmde", "physlm", "disea")
CATEGORIES = ("health", "deductible")
COLUMNS = (*NUMBERS, *CATEGORIES)
OUTPUTS = ("visits_mean", "visits_p50", "visits_p90")
HEALTH = {"hlthg": "good", "hlthf": "fair", "hlthp": "poor"}  # excellent is the one without a column of its own
UNSEEN = "unrated"  # a category of `health` that training never saw
TREES = 30


def features(row: Sequence[float]) -> tuple[Cell, ...]:
    """A record's nine RAND columns as this model's seven features, in COLUMNS order."""
    named = dict(zip(RAND_COLUMNS, row, strict=True))
    health = next((word for column, word in HEALTH.items() if named[column] == 1), "excellent")
    return (*(named[column] for column in NUMBERS), health, "individual" if named["idp"] == 1 else "family")


def frame(rows: Sequence[Sequence[Cell]]) -> Any:
    """Rows as the DataFrame that the pipelines take: NaN for a missing number, "" for a missing category."""
    import pandas as pd

    columns: dict[str, list[Any]] = {
        name: [float("nan") if row[place] is None else float(row[place] or 0.0) for row in rows]
        for place, name in enumerate(NUMBERS)
    }
    for place, name in enumerate(CATEGORIES, start=len(NUMBERS)):
        columns[name] = ["" if row[place] is None else str(row[place]) for row in rows]
    return pd.DataFrame(columns)


def train() -> dict[str, Any]:
    """One fitted pipeline an output; the first step, which reads the features, is the same object in all three."""
    import numpy as np
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import GradientBoostingRegressor
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OneHotEncoder

    first: dict[tuple[float, ...], int] = {}
    for row, visits in records():
        if trains(row):
            first.setdefault(row, visits)
    reader = ColumnTransformer(
        [
            ("numbers", SimpleImputer(strategy="median"), list(NUMBERS)),
            ("categories", OneHotEncoder(handle_unknown="ignore", sparse_output=False), list(CATEGORIES)),
        ]
    )
    read = reader.fit_transform(frame([features(row) for row in first]))
    truth = np.array(list(first.values()), dtype=np.float64)
    losses: tuple[dict[str, Any], ...] = (
        {"loss": "squared_error"},
        *({"loss": "quantile", "alpha": a} for a in (0.5, 0.9)),
    )
    pipelines = {}
    for output, loss in zip(OUTPUTS, losses, strict=True):
        model = GradientBoostingRegressor(random_state=0, n_estimators=TREES, max_depth=3, **loss).fit(read, truth)
        pipelines[output] = Pipeline([("reader", reader), ("model", model)])
    return pipelines


def predict(pipelines: dict[str, Any], rows: Sequence[Sequence[Cell]]) -> list[list[float]]:
    """A list of three numbers a row, in OUTPUTS order, in float64."""
    read = pipelines[OUTPUTS[0]].named_steps["reader"].transform(frame(rows))
    answers = [pipelines[output].named_steps["model"].predict(read).tolist() for output in OUTPUTS]
    return [list(values) for values in zip(*answers, strict=True)]


def to_onnx(pipelines: dict[str, Any]) -> dict[str, bytes]:
    """Each pipeline whole as an ONNX graph in float32: an input a column, shape (n, 1); one output, shape (n, 1)."""
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType

    types = [(name, FloatTensorType([None, 1])) for name in NUMBERS]
    types += [(name, StringTensorType([None, 1])) for name in CATEGORIES]
    return {
        output: bytes(
            convert_sklearn(
                pipeline, name=output, initial_types=types, target_opset={"": 21, "ai.onnx.ml": 3}
            ).SerializeToString()
        )
        for output, pipeline in pipelines.items()
    }
