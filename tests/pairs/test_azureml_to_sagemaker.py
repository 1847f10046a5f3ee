"""The way back: JSON rows as CSV text."""

from __future__ import annotations

import pytest

from harness.core.case import Request, Task
from harness.core.protocols import Pair
from harness.errors import ConfigError, UnencodableRequest
from harness.pairs.azureml_to_sagemaker import build


def table(rows, columns=None, **params):
    return Request(Task.TABULAR, {"columns": columns, "rows": rows}, params)


def test_it_is_a_pair():
    assert isinstance(build(), Pair)


def test_numbers_become_their_shortest_text():
    translation = build().translate(table([[1, 0.1, 1e-05, "x"]]))
    assert translation.request.payload == {"columns": None, "rows": [["1", "0.1", "1e-05", "x"]]}
    assert translation.departures == ()


def test_columns_go_out_in_training_order():
    translation = build(columns=["b", "a"]).translate(table([[1, 2]], columns=["a", "b"]))
    assert translation.request.payload["rows"] == [["2", "1"]]
    assert translation.departures == ()


def test_names_that_no_order_was_declared_for_are_a_departure():
    (departure,) = build().translate(table([[1, 2]], columns=["a", "b"])).departures
    assert (departure.field, departure.target_value) == ("columns", None)


def test_nulls_and_truth_values_are_departures():
    translation = build(columns=["a", "b"]).translate(table([[None, True], [None, False]], columns=["a", "b"]))
    assert translation.request.payload["rows"] == [["", "1"], ["", "0"]]
    assert [(one.field, one.target_value) for one in translation.departures] == [
        ("a", "an empty cell"),
        ("b", "1 or 0"),
    ]


def test_params_of_predict_are_dropped_and_told():
    (departure,) = build().translate(table([[1]], temperature=0.0)).departures
    assert (departure.field, departure.target_value) == ("params.temperature", None)


def test_other_columns_are_refused():
    with pytest.raises(UnencodableRequest, match="not those of the suite"):
        build(columns=["a", "c"]).translate(table([[1, 2]], columns=["a", "b"]))
    with pytest.raises(UnencodableRequest, match=r"1 columns, and the suite's \[pair\] names 2"):
        build(columns=["a", "c"]).translate(table([[1]]))
    with pytest.raises(ConfigError, match="twice"):
        build(columns=["a", "a"])


def test_a_nested_cell_is_refused_by_place():
    with pytest.raises(UnencodableRequest, match='row 1, column "2" holds a list'):
        build().translate(table([[1, [2]]]))
