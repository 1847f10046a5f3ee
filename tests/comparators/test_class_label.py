"""The label that the application would act on."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.comparators import class_label
from harness.core.case import Case, Provenance, Recording, Request, Task
from harness.core.output import Scores
from harness.core.protocols import Comparator, Labeller
from harness.core.verdict import Comparison, Status
from harness.errors import ConfigError

NAN, INF = math.nan, math.inf
VISITS = {"threshold": 0.35, "positive": "frequent", "negative": "other"}


def case(name: str = "c-1") -> Case:
    recording = Recording(
        id=name, service="s", operation="o", provenance=Provenance(captured_at=None, captured_from="t")
    )
    return Case(id=name, suite="t", request=Request(Task.TABULAR, None), recording=recording, cluster=name)


def scores(*rows: list[float], columns: tuple[str, ...] | None = None) -> Scores:
    values = np.array(rows, dtype=np.float64).reshape(len(rows), -1)
    return Scores(values, columns or tuple(str(index) for index in range(values.shape[1])))


def compare(source: Scores, target: Scores, **options: object) -> Comparison:
    return class_label.build(**options).compare(source, target, case=case())


def test_it_compares_and_labels():
    assert isinstance(class_label.build(), Comparator)
    assert isinstance(class_label.build(), Labeller)


@pytest.mark.parametrize(
    ("options", "signature"),
    [
        ({}, "class_label|threshold:0.5|positive:1|negative:0|several:largest"),
        (VISITS, "class_label|threshold:0.35|positive:frequent|negative:other"),
        ({"column": "p|1"}, 'class_label|threshold:0.5|positive:1|negative:0|column:"p|1"'),
        ({"labels": ["a", "b,c"]}, 'class_label|largest|labels:a,"b,c"'),
    ],
)
def test_signature_names_every_setting(options, signature):
    assert class_label.build(**options).signature() == signature


def test_a_score_at_the_threshold_is_positive():
    built = class_label.build(**VISITS)
    assert built.label(scores([0.35])) == "frequent"
    assert built.label(scores([float(np.nextafter(0.35, 0))])) == "other"


def test_a_flip_next_to_the_threshold_is_a_flip_and_says_how_near_it_was():
    """float32(0.35) is 0.3499999940395355: a rounding that changes what the customer is told."""
    found = compare(scores([0.35]), scores([float(np.float32(0.35))]), **VISITS)
    assert (found.status, found.value) == (Status.MISMATCH, 1.0)
    assert found.reason == (
        'row 0: source "frequent" (0.35), target "other" (0.3499999940395355); the source is 0 from the threshold 0.35'
    )
    assert found.distance == pytest.approx(5.96e-9, rel=1e-3)
    assert found.unit == "score"


def test_a_large_difference_on_one_side_of_the_threshold_is_a_match():
    found = compare(scores([0.4]), scores([0.9]), **VISITS)
    assert (found.status, found.value, found.distance) == (Status.MATCH, 0.0, 0.5)


def test_one_flipped_row_flips_the_case_and_the_widest_is_shown():
    found = compare(scores([0.4], [0.1], [0.3]), scores([0.4], [0.9], [0.4]), **VISITS)
    assert found.value == 1.0
    assert found.reason.startswith('row 1: source "other" (0.1), target "frequent" (0.9)')
    assert found.reason.endswith("; 2 of 3 rows flip")


def test_rows_that_trade_labels_flip_though_the_set_of_labels_stays():
    source, target = scores([0.9], [0.1]), scores([0.1], [0.9])
    assert class_label.build().label(source) == class_label.build().label(target)
    assert compare(source, target).status is Status.MISMATCH


def test_the_label_of_several_rows_is_the_set_of_their_labels():
    assert class_label.build(**VISITS).label(scores([0.1], [0.9], [0.2])) == "frequent+other"


def test_the_largest_of_several_columns_decides():
    source = scores([0.2, 0.5, 0.3], columns=("cat", "dog", "hen"))
    target = scores([0.2, 0.3, 0.5], columns=("cat", "dog", "hen"))
    assert class_label.build().label(source) == "dog"
    assert compare(source, target).reason == 'row 0: source "dog" (0.2, 0.5, 0.3), target "hen" (0.2, 0.3, 0.5)'


def test_labels_name_the_columns_of_a_service_that_does_not():
    assert class_label.build(labels=["cat", "dog"]).label(scores([0.1, 0.9])) == "dog"


def test_named_columns_in_another_order_do_not_flip():
    source, target = scores([0.1, 0.9], columns=("a", "b")), scores([0.9, 0.1], columns=("b", "a"))
    assert compare(source, target).status is Status.MATCH
    assert compare(source, target, labels=["x", "y"]).status is Status.MATCH


def test_a_side_that_names_its_columns_does_not_flip_against_one_that_does_not():
    source, target = scores([0.1, 0.9]), scores([0.1, 0.9], columns=("cat", "dog"))
    assert compare(source, target).status is Status.MATCH
    assert compare(target, source).status is Status.MATCH


def test_column_picks_the_score():
    both = ("no", "yes")
    source, target = scores([0.6, 0.4], columns=both), scores([0.7, 0.3], columns=both)
    assert class_label.build(column="yes", threshold=0.35).label(source) == "1"
    assert compare(source, target, column="yes", threshold=0.35).status is Status.MISMATCH
    assert compare(source, target).status is Status.MATCH


def test_a_threshold_over_several_columns_never_falls_back_to_the_largest():
    """A threshold of 0.35 read as "the largest", which cuts at 0.5, would hide flips between the two."""
    found = compare(scores([0.6, 0.4]), scores([0.6, 0.4]), threshold=0.35)
    assert found.status is Status.INCOMPARABLE
    assert 'name the score with "column"' in found.reason


def test_an_unknown_column_is_never_a_match():
    both = ("no", "yes")
    found = compare(scores([0.6, 0.4], columns=both), scores([0.6, 0.4], columns=both), column="yess")
    assert found.status is Status.INCOMPARABLE
    assert 'Did you mean "yes"' in found.reason


def test_labels_that_do_not_fit_the_columns_are_never_a_match():
    found = compare(scores([0.6, 0.4]), scores([0.6, 0.4]), labels=["a", "b", "c"])
    assert (found.status, found.value) == (Status.INCOMPARABLE, None)
    assert found.reason == "the source has no label: 2 columns for 3 labels"


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_a_score_that_is_no_number_has_no_label(bad):
    assert class_label.build().label(scores([bad])) is None
    assert compare(scores([0.5]), scores([bad])).status is Status.MISMATCH
    assert compare(scores([bad]), scores([0.5])).status is Status.INCOMPARABLE
    assert compare(scores([bad]), scores([bad])).status is Status.INCOMPARABLE


def test_nan_is_never_the_largest():
    """numpy.argmax([0.9, nan]) is 1."""
    assert class_label.build().label(scores([0.9, NAN])) is None
    assert compare(scores([0.9, 0.1]), scores([0.9, NAN])).status is Status.MISMATCH


def test_the_logarithm_of_no_probability_is_a_score_and_an_infinite_winner_is_not():
    found = compare(scores([-0.1, -INF]), scores([-0.1, -800.0]))
    assert (found.status, found.distance) == (Status.MATCH, 0.0)
    assert compare(scores([-0.1, -INF]), scores([-0.1, -INF])).status is Status.MATCH
    assert class_label.build().label(scores([0.1, INF])) is None
    assert class_label.build().label(scores([-INF, -INF])) is None


def test_another_number_of_rows_is_a_mismatch():
    found = compare(scores([0.5]), scores([0.5], [0.5]))
    assert (found.status, found.value) == (Status.MISMATCH, 1.0)
    assert found.reason == "source answered 1 row of 1 column, target 2 rows of 1 column"


def test_an_answer_without_scores_has_no_label():
    empty = Scores(np.empty((0, 1)), ("0",))
    assert compare(empty, empty).status is Status.INCOMPARABLE
    assert compare(scores([0.5]), empty).status is Status.MISMATCH


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threshold": NAN}, "finite number"),
        ({"threshold": "0.5"}, "finite number"),
        ({"threshold": True}, "finite number"),
        ({"positive": "a", "negative": "a"}, "no flip could ever be seen"),
        ({"positive": "0"}, "no flip could ever be seen"),
        ({"positive": ""}, "positive must be a text"),
        ({"column": 1}, "column must be a text"),
        ({"labels": "ab"}, "list of texts"),
        ({"labels": ["a"]}, "two or more different names"),
        ({"labels": ["a", "a"]}, "two or more different names"),
        ({"labels": ["a", 1]}, "a label must be a text"),
        ({"labels": ["a", "b"], "threshold": 0.3}, "one or the other"),
    ],
)
def test_impossible_options_stop_the_run(options, message):
    with pytest.raises(ConfigError, match=message):
        class_label.build(**options)


numbers = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=5)


@given(numbers, st.floats(0, 1))
def test_a_case_flips_exactly_when_a_row_does(pairs, threshold):
    found = compare(scores(*[[s] for s, _ in pairs]), scores(*[[t] for _, t in pairs]), threshold=threshold)
    assert found.value == float(any((s >= threshold) != (t >= threshold) for s, t in pairs))


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=2, max_size=4), st.floats(0, 1))
def test_a_target_never_matches_without_a_label(cells, threshold):
    built = class_label.build()
    found = built.compare(scores([0.9] + [0.1] * (len(cells) - 1)), scores(cells), case=case())
    assert (found.status is Status.MATCH) == (built.label(scores(cells)) == "0")
