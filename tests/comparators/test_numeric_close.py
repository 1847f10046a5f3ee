"""Numbers within tolerance, numbers out of it, and what is no number at all."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.comparators import numeric_close
from harness.core.case import Case, Provenance, Recording, Request, Task
from harness.core.output import Scores
from harness.core.protocols import Comparator
from harness.core.verdict import Comparison, Status
from harness.errors import ConfigError, UnknownName

NAN, INF = math.nan, math.inf


def case(name: str = "c-1") -> Case:
    recording = Recording(
        id=name, service="s", operation="o", provenance=Provenance(captured_at=None, captured_from="t")
    )
    return Case(id=name, suite="t", request=Request(Task.TABULAR, None), recording=recording, cluster=name)


def scores(*rows: list[float], columns: tuple[str, ...] | None = None) -> Scores:
    values = np.array(rows, dtype=np.float64).reshape(len(rows), -1)
    return Scores(values, columns or tuple(str(index) for index in range(values.shape[1])))


def compare(source: Scores, target: Scores, **options: object) -> Comparison:
    return numeric_close.build(**options).compare(source, target, case=case())


def test_it_is_a_comparator():
    assert isinstance(numeric_close.build(), Comparator)


def test_signature_names_the_tolerance():
    assert numeric_close.build().signature() == "numeric_close|rtol:1e-05|atol:1e-08"


def test_signature_names_columns_and_equal_nan():
    built = numeric_close.build(rtol=0, atol=0.5, columns={"b": {"atol": 1}, "a|c": {"rtol": 0.1}}, equal_nan=True)
    assert built.signature() == (
        'numeric_close|rtol:0.0|atol:0.5|"a|c"(rtol:0.1,atol:0.5)|b(rtol:0.0,atol:1.0)|equal_nan'
    )


def test_dtype_and_its_numbers_have_one_signature():
    """The same judgement is the same evidence, however it was written down."""
    named = numeric_close.build(dtype="float32")
    assert named.signature() == numeric_close.build(rtol=1.3e-6, atol=1e-5).signature()


@pytest.mark.parametrize(
    ("dtype", "rtol", "atol"),
    [("float16", 1e-3, 1e-5), ("bfloat16", 1.6e-2, 1e-5), ("float32", 1.3e-6, 1e-5), ("float64", 1e-7, 1e-7)],
)
def test_dtype_tolerances_are_those_of_torch_testing(dtype, rtol, atol):
    """PyTorch documentation, torch.testing.assert_close, table of default tolerances."""
    assert numeric_close.build(dtype=dtype).tolerance == numeric_close.Tolerance(rtol, atol)


def test_float32_rounding_is_close_and_a_bias_is_not():
    exact = 0.123456789012345
    assert compare(scores([exact]), scores([float(np.float32(exact))]), dtype="float32").status is Status.MATCH
    assert compare(scores([exact]), scores([exact + 1e-3]), dtype="float32").status is Status.MISMATCH


def test_a_match_tells_how_close_it_was():
    found = compare(scores([100.0, 1.0]), scores([100.5, 1.0]), rtol=0.01, atol=0.25)
    assert (found.status, found.value, found.distance, found.limit) == (Status.MATCH, 0.0, 0.5, 1.25)
    assert found.unit == "absolute difference"


def test_the_limit_itself_is_allowed_and_the_next_number_is_not():
    """0.5 is exact in binary, so that the comparison is not blurred by the test's own rounding."""
    assert compare(scores([0.0]), scores([0.5]), rtol=0, atol=0.5).status is Status.MATCH
    beyond = float(np.nextafter(0.5, 1.0))
    assert compare(scores([0.0]), scores([beyond]), rtol=0, atol=0.5).status is Status.MISMATCH


def test_tolerance_is_relative_to_the_source():
    """|10 - 11| <= 0.095 * 11 but not <= 0.095 * 10: the sides are not exchangeable."""
    assert compare(scores([11.0]), scores([10.0]), rtol=0.095, atol=0).status is Status.MATCH
    assert compare(scores([10.0]), scores([11.0]), rtol=0.095, atol=0).status is Status.MISMATCH


def test_one_value_out_of_tolerance_spoils_the_case_and_is_named():
    found = compare(scores([1.0, 2.0], [3.0, 4.0]), scores([1.0, 2.0], [3.0, 4.5]), rtol=0, atol=0.1)
    assert (found.status, found.value, found.distance, found.limit) == (Status.MISMATCH, 1.0, 0.5, 0.1)
    assert found.reason == (
        'row 1, column "1": source 4.0, target 4.5, 0.5 apart where 0.1 is allowed; 1 of 4 values are out of tolerance'
    )


def test_the_worst_value_is_the_one_that_uses_most_of_its_own_tolerance():
    own = {"small": {"atol": 0.001}, "large": {"atol": 10.0}}
    columns = ("small", "large")
    found = compare(scores([1.0, 500.0], columns=columns), scores([1.1, 511.0], columns=columns), rtol=0, columns=own)
    assert 'column "small"' in found.reason
    assert found.limit == 0.001


def test_without_tolerance_equal_values_match_and_others_do_not():
    assert compare(scores([0.0, 2.0]), scores([0.0, 2.0]), rtol=0, atol=0).status is Status.MATCH
    assert compare(scores([0.0, 2.0]), scores([5e-324, 2.0]), rtol=0, atol=0).status is Status.MISMATCH


def test_named_columns_are_compared_by_name():
    source, target = scores([1.0, 2.0], columns=("a", "b")), scores([2.0, 1.0], columns=("b", "a"))
    assert compare(source, target).status is Status.MATCH


def test_columns_without_names_are_compared_by_position():
    assert compare(scores([1.0, 2.0]), scores([2.0, 1.0], columns=("b", "a"))).status is Status.MISMATCH
    assert compare(scores([1.0, 2.0]), scores([1.0, 2.0], columns=("b", "a"))).status is Status.MATCH


def test_a_side_without_names_takes_those_of_the_suite():
    """CSV has no names: a tolerance of its own must reach the column there too, and both repeats of such a source."""
    options = {"rtol": 0.0, "columns": {"b": {"atol": 1.0}}, "names": ["a", "b"]}
    source, named = scores([1.0, 2.0]), scores([2.5, 1.0], columns=("b", "a"))
    assert compare(source, named, **options).status is Status.MATCH
    assert compare(source, scores([1.0, 2.5]), **options).status is Status.MATCH
    assert compare(source, scores([1.5, 2.0]), **options).status is Status.MISMATCH
    assert "names:a,b" in numeric_close.build(names=["a", "b"]).signature()


def test_other_column_names_are_a_mismatch_that_names_them():
    found = compare(scores([1.0, 2.0], columns=("a", "b")), scores([1.0, 2.0], columns=("a", "c")))
    assert found.status is Status.MISMATCH
    assert found.reason == 'columns differ: only in the source "b", only in the target "c"'


def test_a_repeated_column_name_in_another_order_is_a_mismatch():
    source, target = scores([1.0, 1.0, 1.0], columns=("a", "a", "b")), scores([1.0, 1.0, 1.0], columns=("b", "a", "a"))
    assert "occurs twice" in compare(source, target).reason


def test_another_shape_is_a_mismatch():
    found = compare(scores([1.0], [2.0]), scores([1.0, 2.0]))
    assert (found.status, found.value, found.distance) == (Status.MISMATCH, 1.0, None)
    assert found.reason == "source answered 2 rows of 1 column, target 1 row of 2 columns"


def test_a_source_without_numbers_is_incomparable():
    """Nothing was compared, and nothing compared must not count as parity."""
    empty = Scores(np.empty((0, 1)), ("0",))
    assert compare(empty, empty).status is Status.INCOMPARABLE
    assert compare(scores([1.0]), empty).status is Status.MISMATCH


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_a_target_without_a_number_is_a_mismatch(bad):
    found = compare(scores([1.0, 2.0]), scores([1.0, bad]), equal_nan=True)
    assert (found.status, found.value) == (Status.MISMATCH, 1.0)
    assert found.reason == f'invalid output of the target: row 0, column "1": source 2.0, target {bad!r}'


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_a_source_without_a_number_is_incomparable(bad):
    found = compare(scores([bad]), scores([1.0]), equal_nan=True)
    assert (found.status, found.value, found.distance) == (Status.INCOMPARABLE, None, None)


def test_nan_on_both_sides_matches_only_when_the_suite_says_so():
    assert compare(scores([NAN, 1.0]), scores([NAN, 1.0])).status is Status.INCOMPARABLE
    assert compare(scores([NAN, 1.0]), scores([NAN, 1.0]), equal_nan=True).status is Status.MATCH
    assert compare(scores([NAN, 1.0]), scores([1.0, NAN]), equal_nan=True).status is Status.MISMATCH


def test_equal_infinities_match_and_opposite_ones_do_not():
    assert compare(scores([INF]), scores([INF])).status is Status.MATCH
    assert compare(scores([INF]), scores([-INF])).status is Status.MISMATCH
    assert compare(scores([INF]), scores([NAN])).status is Status.MISMATCH


def test_a_value_out_of_tolerance_outweighs_one_that_cannot_be_compared():
    assert compare(scores([NAN, 1.0]), scores([NAN, 9.0])).status is Status.MISMATCH


def test_a_difference_beyond_float64_has_no_distance_but_a_verdict():
    found = compare(scores([-1.5e308]), scores([1.5e308]))
    assert (found.status, found.value, found.distance) == (Status.MISMATCH, 1.0, None)


def test_a_tolerance_for_a_column_that_does_not_exist_is_never_a_match():
    columns = ("score", "margin")
    found = compare(scores([1.0, 2.0], columns=columns), scores([1.0, 2.0], columns=columns), columns={"scor": {}})
    assert found.status is Status.INCOMPARABLE
    assert 'unknown column "scor". Known: margin, score. Did you mean "score"?' in found.reason


def test_a_column_keeps_what_it_does_not_set():
    built = numeric_close.build(rtol=0.1, atol=0.2, columns={"a": {"atol": 3}, "b": {"dtype": "float16"}})
    assert built.columns["a"] == numeric_close.Tolerance(0.1, 3.0)
    assert built.columns["b"] == numeric_close.Tolerance(1e-3, 1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rtol": -1e-9}, "rtol must be at least 0"),
        ({"rtol": 1.0}, "below 1"),
        ({"atol": -1}, "atol must be at least 0"),
        ({"atol": NAN}, "finite number"),
        ({"atol": INF}, "finite number"),
        ({"atol": True}, "finite number"),
        ({"rtol": "1e-5"}, "finite number"),
        ({"equal_nan": "yes"}, "true or false"),
        ({"names": "ab"}, "list of texts"),
        ({"names": ["a", "a"]}, "twice"),
        ({"columns": {"a": 0.1}}, "must be a table"),
        ({"columns": {"a": {"atol": -1}}}, 'columns: "a": atol must be at least 0'),
    ],
)
def test_impossible_options_stop_the_run(options, message):
    with pytest.raises(ConfigError, match=message):
        numeric_close.build(**options)


def test_unknown_names_come_with_the_nearest():
    with pytest.raises(UnknownName, match='Did you mean "bfloat16"'):
        numeric_close.build(dtype="bfloat6")
    with pytest.raises(UnknownName, match='Did you mean "rtol"'):
        numeric_close.build(columns={"a": {"rtoll": 1}})
    with pytest.raises(UnknownName, match='Did you mean "visits"'):
        numeric_close.build(columns={"visit": {"atol": 1}}, names=["visits", "cost"])


finite = st.floats(allow_nan=False, allow_infinity=False)
tolerances = st.floats(min_value=0, max_value=0.9)


@given(st.lists(st.tuples(finite, finite), min_size=1, max_size=6), tolerances, st.floats(min_value=0, max_value=1e6))
def test_the_verdict_is_that_of_the_formula_value_by_value(pairs, rtol, atol):
    source, target = scores([pair[0] for pair in pairs]), scores([pair[1] for pair in pairs])
    close = all(abs(t - s) <= atol + rtol * abs(s) for s, t in pairs)
    assert (compare(source, target, rtol=rtol, atol=atol).status is Status.MATCH) == close


anything = st.floats(allow_nan=True, allow_infinity=True)


@given(st.lists(st.tuples(anything, anything), min_size=1, max_size=6), st.booleans())
def test_a_match_needs_every_value_to_be_a_number_or_the_same_on_both_sides(pairs, equal_nan):
    found = compare(scores([pair[0] for pair in pairs]), scores([pair[1] for pair in pairs]), equal_nan=equal_nan)
    if found.status is Status.MATCH:
        for s, t in pairs:
            assert (math.isfinite(s) and math.isfinite(t)) or s == t or (equal_nan and s != s and t != t)
    assert (found.value is None) == (found.status is Status.INCOMPARABLE)
    assert found.distance is None or math.isfinite(found.distance)


def test_a_difference_of_rounding_is_told_in_units_of_the_last_place():
    one = float(np.nextafter(np.nextafter(1.0, 2.0), 2.0))
    assert "(2 ulp of float64) where 0 is allowed" in compare(scores([1.0]), scores([one]), rtol=0, atol=0).reason
    three = float(np.float32(1.0) + np.float32(3 * 2**-23))
    assert "(3 ulp of float32)" in compare(scores([1.0]), scores([three]), rtol=0, atol=0).reason
    assert "ulp" not in compare(scores([1.0]), scores([2.0]), rtol=0, atol=0).reason


def test_several_invalid_values_are_counted_by_class():
    found = compare(scores([1.0, 2.0, 3.0]), scores([NAN, INF, NAN]))
    assert found.reason.endswith("; 3 values: 2 NaN, 1 infinite")
