"""The model behind the lab: its split, its two runtimes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.lab import visits


@pytest.fixture(scope="module")
def model() -> Any:
    return visits.train()


def test_held_out_rows_are_distinct_and_never_trained_on():
    trained = {features for features, _ in visits.records() if visits.trains(features)}
    held = [tuple(float(cell) for cell in row.cells) for row in visits.held_out()]
    assert len(held) == len(set(held)) == 1619
    assert not trained.intersection(held)
    assert len({row.id for row in visits.held_out()}) == 1619


def test_cells_read_back_to_the_features_and_keep_whole_numbers_whole():
    first = visits.held_out()[0]
    assert first.id == f"visits-{visits.row_hash(tuple(float(cell) for cell in first.cells))[:12]}"
    assert first.cells == ("0.0", "1", "6.109248", "0.0", "1.0", "13.0", "1", "0", "0")
    assert first.label == visits.OTHER and first.visits == 1


def test_training_twice_gives_the_same_graph(model):
    assert visits.to_onnx(model) == visits.to_onnx(visits.train())


def test_float32_moves_scores_but_no_label(model):
    """Measured: largest difference 1.04e-7; nearest score to the threshold 3.8e-4 away."""
    import onnxruntime

    rows = np.array([[float(cell) for cell in row.cells] for row in visits.held_out()])
    source = model.predict_proba(rows)[:, 1]
    session = onnxruntime.InferenceSession(visits.to_onnx(model), providers=["CPUExecutionProvider"])
    target = session.run(["probabilities"], {"rows": rows.astype(np.float32)})[0][:, 1]
    assert 0 < np.abs(source - target).max() < 1e-6
    assert [visits.label_of(score) for score in source] == [visits.label_of(score) for score in target]
    assert 0.10 < np.mean(source >= visits.THRESHOLD) < 0.20
