"""Rows as columns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.core.rows import Labels, Rows
from harness.core.verdict import Row, RowStatus

ROWS = [
    Row(case="a", metric="m", cluster="k", value_target=0.5, slices={"region": "eu"}, run="n1", repeat=2),
    Row(case="b", metric="m", cluster="b", value_noise=1.0, status_target=RowStatus.TIMEOUT),
    Row(case="a", metric="other", cluster="k", slices={"tier": "x"}, status_source=RowStatus.UNSCORED),
]


def test_rows_survive_the_way_into_columns_and_back() -> None:
    assert list(Rows.from_rows(ROWS)) == ROWS


def test_a_row_without_a_cluster_is_its_own() -> None:
    (row,) = Rows.from_rows([Row(case="a", metric="m")])
    assert row.cluster == "a"


def test_parts_join_and_split() -> None:
    parts = [Rows.from_rows([row]) for row in ROWS]
    joined = Rows.join(parts)
    assert list(joined) == ROWS
    assert list(joined.take(np.array([2, 0]))) == [ROWS[2], ROWS[0]]
    assert list(Rows.join([])) == []


def test_cases_are_listed_once() -> None:
    assert Rows.from_rows(ROWS).cases() == ["a", "b"]


def test_columns_of_different_length_are_refused() -> None:
    rows = Rows.from_rows(ROWS)
    with pytest.raises(ValueError, match="repeat has 1 entries, case has 3"):
        replace(rows, repeat=np.zeros(1, dtype=np.int64))


def test_labels_know_what_is_absent() -> None:
    labels = Labels.of(["x", None, "y", "x"])
    assert labels.codes.tolist() == [0, -1, 1, 0]
    assert labels.text() == ["x", None, "y", "x"]
    assert labels.present() == ["x", "y"]
    assert labels.has("x").tolist() == [True, False, False, True]
    assert not labels.has("z").any()
    assert labels.or_else(Labels.of(["1", "2", "3", "4"])).text() == ["x", "2", "y", "x"]
