"""The tabular payload."""

from __future__ import annotations

import pytest

from harness.core.case import Request, Task
from harness.core.table import rows_asked, table_of
from harness.errors import UnencodableRequest


def request(payload):
    return Request(Task.TABULAR, payload)


def test_columns_and_rows_are_read():
    assert table_of(request({"columns": ["a"], "rows": [["1"], [2]]})) == (["a"], [["1"], [2]])
    assert table_of(request({"columns": None, "rows": [[]]})) == (None, [[]])


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (None, "no table"),
        ({"rows": "1"}, "no table"),
        ({"columns": "a", "rows": [["1"]]}, "no table"),
        ({"rows": []}, "no rows"),
        ({"rows": [["1"], "2"]}, "row 2 is no list"),
        ({"rows": [["1"], ["2", "3"]]}, "row 2 has 2 cells, and 1 are expected"),
        ({"columns": ["a", "b"], "rows": [["1"]]}, "row 1 has 1 cells, and 2 are expected"),
    ],
)
def test_what_is_no_table_is_refused_by_row(payload, said):
    with pytest.raises(UnencodableRequest, match=said):
        table_of(request(payload))


@pytest.mark.parametrize(
    ("payload", "rows"),
    [
        ({"rows": [["1"], ["2"]]}, 2),
        ({"body": [[1], [2], [3]]}, 3),
        ({"body": {"input_data": {"data": [[1]]}}}, 1),
        ({"body": {"input_data": [[1], [2]]}}, 2),
        ({"body": {"instances": [[1], [2]]}}, 2),
        ({"body": {"inputs": "a"}}, None),
        ({"body": "1,2"}, None),
        (None, None),
    ],
)
def test_rows_are_counted_where_they_show(payload, rows):
    assert rows_asked(request(payload)) == rows
