"""CSV text to JSON numbers: exact where it can be, a departure where it cannot, a refusal where it must."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.case import Request, Task
from harness.core.protocols import Pair
from harness.errors import ConfigError, UnencodableRequest, UnknownName
from harness.pairs.azureml_to_sagemaker import build as build_back
from harness.pairs.sagemaker_to_azureml import build


def table(rows, columns=None):
    return Request(Task.TABULAR, {"columns": columns, "rows": rows})


def sent(cell, **types):
    return build(columns=["x"], types=types or None).translate(table([[cell]]))


def test_it_is_a_pair():
    assert isinstance(build(), Pair)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("-3", -3),
        ("+3", 3),
        ("0", 0),
        ("3.0", 3.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e-3", 0.001),
        (" 7 ", 7),
        ("007.5", 7.5),
    ],
)
def test_text_becomes_the_number_it_says(text, value):
    translation = sent(text)
    (row,) = translation.request.payload["rows"]
    assert row == [value]
    assert type(row[0]) is type(value)
    assert translation.departures == ()


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float64_survives(number):
    (row,) = sent(repr(number)).request.payload["rows"]
    assert repr(row[0]) == repr(number)


@given(st.integers(min_value=-(2**53), max_value=2**53))
def test_every_exact_integer_stays_an_integer(number):
    translation = sent(str(number))
    assert translation.request.payload["rows"] == [[number]]
    assert translation.departures == ()


def test_minus_zero_keeps_its_sign():
    (row,) = sent("-0").request.payload["rows"]
    assert repr(row[0]) == "-0.0"


@pytest.mark.parametrize(("text", "said"), [("", "an empty cell"), ("  ", "an empty cell"), ("NaN", "nan")])
def test_a_missing_value_is_null_and_a_departure(text, said):
    translation = sent(text)
    assert translation.request.payload["rows"] == [[None]]
    (departure,) = translation.departures
    assert (departure.field, departure.source_value, departure.target_value) == ("x", said, "null")


def test_equal_departures_are_told_once():
    translation = build(columns=["a", "b"]).translate(table([["", "1"], ["", "2"]]))
    assert [departure.field for departure in translation.departures] == ["a"]


def test_an_integer_beyond_float64_is_a_departure_that_shows_no_value():
    number = str(2**53 + 1)
    (departure,) = sent(number).departures
    assert number not in f"{departure.source_value}{departure.target_value}{departure.reason}"


@pytest.mark.parametrize("text", ["north", "007", "-007", "1_000", "0x10", "inf", "1e999", "1,5", "٣", "--3"])
def test_what_is_no_number_is_refused_by_place_and_not_quoted(text):
    with pytest.raises(UnencodableRequest, match=r'row 2, column "x".*types = \{ "x" = "text" \}') as caught:
        build(columns=["x"]).translate(table([["1"], [text]]))
    assert text not in str(caught.value).replace("row 2", "")


@pytest.mark.parametrize("text", ["north", "007", "", "3"])
def test_text_columns_go_over_as_recorded(text):
    translation = sent(text, x="text")
    assert translation.request.payload["rows"] == [[text]]
    assert translation.departures == ()


def test_a_column_declared_a_number_may_be_padded():
    assert sent("007", x="number").request.payload["rows"] == [[7]]


def test_cells_that_have_a_type_keep_it():
    request = table([[1, 2.5, None, True, "a"]], columns=["a", "b", "c", "d", "e"])
    assert build(types={"e": "text"}).translate(request).request.payload == request.payload


def test_column_names_come_from_the_suite():
    payload = build(columns=["a", "b"]).translate(table([["1", "2"]])).request.payload
    assert payload == {"columns": ["a", "b"], "rows": [[1, 2]]}


def test_without_names_the_rows_go_alone():
    assert build().translate(table([["1", "2"]])).request.payload == {"columns": None, "rows": [[1, 2]]}


def test_names_that_do_not_fit_are_refused():
    with pytest.raises(UnencodableRequest, match=r"3 columns, and the suite's \[pair\] names 2"):
        build(columns=["a", "b"]).translate(table([["1", "2", "3"]]))
    with pytest.raises(UnencodableRequest, match="not those of the suite"):
        build(columns=["a", "b"]).translate(table([["1", "2"]], columns=["b", "a"]))


def test_rows_of_unequal_length_are_refused_by_row():
    with pytest.raises(UnencodableRequest, match="row 2 has 1 cells, and 2 are expected"):
        build(columns=["a", "b"]).translate(table([["1", "2"], ["3"]]))


@pytest.mark.parametrize("payload", [None, [], {"rows": []}, {"rows": ["1"]}, {"body": {"x": 1}}])
def test_what_is_no_table_is_refused(payload):
    with pytest.raises(UnencodableRequest):
        build().translate(Request(Task.TABULAR, payload))


def test_options_are_checked_before_the_first_call():
    with pytest.raises(UnknownName, match='Did you mean "text"'):
        build(columns=["a"], types={"a": "txt"})
    with pytest.raises(UnknownName, match='unknown column "b"'):
        build(columns=["a"], types={"b": "text"})
    with pytest.raises(ConfigError, match="twice"):
        build(columns=["a", "a"])


numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(st.tuples(numbers, numbers), min_size=1))
def test_there_and_back_is_where_it_began(rows):
    request = table([list(row) for row in rows], columns=["a", "b"])
    back = build_back(columns=["a", "b"]).translate(request).request
    assert repr(build(columns=["a", "b"]).translate(back).request) == repr(request)
