"""The model behind the lab's endpoints, and the records it has never seen.

Data: the RAND Health Insurance Experiment, 20,190 person-years, as statsmodels ships it (`randhie`, public domain). One
row is one person in one year: nine features, and `mdvis`, the number of outpatient visits to a doctor in that year.

Question: will this person see a doctor five times or more ("frequent")? The score is that probability; the deployed
threshold is 0.35, chosen because "frequent" is the minority (one record in five).

Split: by a hash of the feature row, so that all records of one distinct row fall on one side, and fixed by the words
`visits-v1` before anything was trained. About 40 % of the distinct rows train; of the rest, the first record of each
distinct row is held out. Changing SPLIT changes the golden set.

The CSV is read with the standard library: importing statsmodels takes two seconds and reads the same numbers.
"""

from __future__ import annotations

import csv
import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import LabError

COLUMNS = ("lncoins", "idp", "lpi", "fmde", "physlm", "disea", "hlthg", "hlthf", "hlthp")
WHOLE_NUMBERS = frozenset({"idp", "hlthg", "hlthf", "hlthp"})
VISITS = "mdvis"
FREQUENT_FROM = 5
THRESHOLD = 0.35
FREQUENT, OTHER = "frequent", "other"
SPLIT = "visits-v1"
TRAINING_SHARE = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """One row that the model was not trained on.

    id: "visits-" and the first twelve hex digits of the row's split hash; the same on every machine.
    cells: the nine features in COLUMNS order, as text: whole numbers as `int`, the others as `repr(float)`.
    visits: of the first record with this feature row; label: "frequent" or "other", the truth that follows from it.
    """

    id: str
    cells: tuple[str, ...]
    visits: int
    label: str


def label_of(score: float) -> str:
    """The deployed decision: "frequent" from THRESHOLD upward."""
    return FREQUENT if score >= THRESHOLD else OTHER


def row_hash(features: tuple[float, ...]) -> str:
    """The hex digest that names a feature row and decides its side of the split."""
    return hashlib.sha256(f"{SPLIT}:{','.join(repr(value) for value in features)}".encode()).hexdigest()


def trains(features: tuple[float, ...]) -> bool:
    """Whether records with these features belong to the training side."""
    return int(row_hash(features)[:8], 16) / 2**32 < TRAINING_SHARE


def records() -> list[tuple[tuple[float, ...], int]]:
    """All 20,190 records in file order: (nine features in COLUMNS order, visits in that year).

    Raises LabError when statsmodels is not installed.
    """
    spec = importlib.util.find_spec("statsmodels")
    if spec is None or not spec.submodule_search_locations:
        raise LabError("lab model: statsmodels, which ships its data, is not installed. Install the `lab` extra.")
    path = Path(spec.submodule_search_locations[0]) / "datasets" / "randhie" / "randhie.csv"
    with path.open(newline="", encoding="utf-8") as lines:
        return [
            (tuple(float(record[column]) for column in COLUMNS), int(record[VISITS]))
            for record in csv.DictReader(lines)
        ]


def held_out() -> tuple[HeldOut, ...]:
    """The 1,619 distinct feature rows that no training record has, in file order."""
    first: dict[tuple[float, ...], int] = {}
    for features, visits in records():
        if not trains(features):
            first.setdefault(features, visits)
    return tuple(
        HeldOut(
            id=f"visits-{row_hash(features)[:12]}",
            cells=tuple(
                str(int(value)) if column in WHOLE_NUMBERS else repr(value)
                for column, value in zip(COLUMNS, features, strict=True)
            ),
            visits=visits,
            label=FREQUENT if visits >= FREQUENT_FROM else OTHER,
        )
        for features, visits in first.items()
    )


def train() -> Any:
    """The trained scikit-learn pipeline (float64, deterministic): StandardScaler, then 60 boosted trees of depth 3."""
    import numpy as np
    from sklearn.ensemble import GradientBoostingClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    training = [(features, visits >= FREQUENT_FROM) for features, visits in records() if trains(features)]
    rows = np.array([features for features, _ in training], dtype=np.float64)
    truth = np.array([frequent for _, frequent in training])
    model = make_pipeline(StandardScaler(), GradientBoostingClassifier(random_state=0, n_estimators=60, max_depth=3))
    return model.fit(rows, truth)


def to_onnx(model: Any) -> bytes:
    """The pipeline as an ONNX graph in float32: input `rows` (n, 9), outputs `label` and `probabilities` (n, 2)."""
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType

    graph = convert_sklearn(
        model,
        name="visits",  # otherwise a random one, and no two graphs would be equal
        initial_types=[("rows", FloatTensorType([None, len(COLUMNS)]))],
        options={id(model): {"zipmap": False}},
        # Named, so that the graph does not change when a converter learns a newer opset.
        target_opset={"": 21, "ai.onnx.ml": 3},
    )
    return bytes(graph.SerializeToString())
