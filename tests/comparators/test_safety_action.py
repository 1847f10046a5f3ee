"""What a filter did with a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.comparators import safety_action
from harness.core.case import Json
from harness.core.output import Chat, Filter, Output, SafetyAction, Span
from harness.core.protocols import Comparator, Labeller
from harness.core.verdict import Comparison, Status
from harness.errors import ConfigError, UnknownName
from tests.comparators.contract import BLOCKED, EMPTY, REFUSED, case, check_kinds, check_said

PASS, BLOCK = SafetyAction(blocked=False), SafetyAction(blocked=True)
MASK = SafetyAction(blocked=False, text="call ***", spans=(Span(start=5, end=8, kind="PHONE"),))
SPANS = st.builds(Span, start=st.integers(-2, 9), end=st.integers(-2, 12), kind=st.sampled_from("AB"))
ACTIONS = st.builds(
    SafetyAction,
    blocked=st.booleans(),
    grades=st.dictionaries(st.sampled_from(["Hate", "HATE"]), st.floats(0, 7)),
    spans=st.lists(SPANS, max_size=4).map(tuple),
)


def compare(source: Output, target: Output, *, expected: Json = None, **options: object) -> Comparison:
    return safety_action.build(**options).compare(source, target, case=case(expected=expected))


def test_it_compares_and_labels():
    assert isinstance(safety_action.build(), Comparator)
    assert isinstance(safety_action.build(), Labeller)
    assert [safety_action.build().label(one) for one in (PASS, MASK, BLOCK, Chat(text="x"), BLOCKED)] == [
        "passed",
        "masked",
        "blocked",
        "passed",
        "blocked",
    ]
    assert safety_action.build(measure="spans").kinds == ("score",)


def test_signature_names_every_setting():
    built = safety_action.build(
        measure="miss", truth=True, thresholds={"Hate": 4, "HATE": 2}, kinds={"NAME": "Person"}, refusals=True
    )
    assert built.signature() == (
        "safety_action|measure:miss|truth|thresholds(HATE:2.0,Hate:4.0)|kinds(NAME:Person)|refusals"
    )


@pytest.mark.parametrize(
    ("source", "target", "decision", "miss", "overblock"),
    [
        (PASS, PASS, 0, 0, 0),
        (BLOCK, BLOCK, 0, 0, 0),
        (BLOCK, PASS, 1, 1, 0),
        (BLOCK, MASK, 1, 1, 0),
        (MASK, PASS, 1, 1, 0),
        (PASS, MASK, 1, 0, 1),
        (PASS, BLOCK, 1, 0, 1),
        (BLOCKED, Chat(text="fine"), 1, 1, 0),
        (Chat(text="x", filter=Filter(blocked=False, masked=True)), Chat(text="x"), 1, 1, 0),
        (BLOCKED, BLOCK, 0, 0, 0),
    ],
)
def test_each_direction_counts_for_its_measure(source, target, decision, miss, overblock):
    for measure, value in (("decision", decision), ("miss", miss), ("overblock", overblock)):
        assert compare(source, target, measure=measure).value == value


def test_the_reason_tells_both_actions_and_grades():
    hot = SafetyAction(blocked=True, grades={"HATE": 3})
    mild = SafetyAction(blocked=False, grades={"Hate": 2, "Violence": 0})
    assert compare(hot, mild).reason == "the source blocked it, the target passed it (source: HATE 3; target: Hate 2)"


def test_grades_are_never_compared_level_by_level():
    assert (
        compare(SafetyAction(blocked=False, grades={"HATE": 1}), SafetyAction(blocked=False, grades={"Hate": 6})).value
        == 0
    )


def test_thresholds_decide_in_place_of_the_sides_and_alike_for_the_sources_second_answer():
    """The source's repeat is held to the source's own categories: else its noise would be measured in other units."""
    options = {"thresholds": {"HATE": 2, "Hate": 4}}
    low, high = (SafetyAction(blocked=False, grades={"HATE": level}) for level in (1, 3))
    assert compare(high, SafetyAction(blocked=False, grades={"Hate": 3}), **options).value == 1
    assert compare(high, SafetyAction(blocked=False, grades={"Hate": 4}), **options).value == 0
    assert compare(high, high, **options).value == 0
    assert compare(high, low, **options).value == 1
    assert compare(BLOCK, PASS, **options).value == 1, "without a grade the side's own decision stands"


@pytest.mark.parametrize(
    ("measure", "unsafe", "target", "value"),
    [
        ("miss", True, PASS, 1),
        ("miss", True, BLOCK, 0),
        ("miss", False, BLOCK, 0),
        ("overblock", False, BLOCK, 1),
        ("overblock", True, PASS, 0),
        ("decision", True, PASS, 1),
        ("decision", False, BLOCK, 1),
        ("decision", False, PASS, 0),
    ],
)
def test_with_truth_the_value_is_the_second_sides_own_error(measure, unsafe, target, value):
    for source in (PASS, BLOCK):
        assert compare(source, target, measure=measure, truth=True, expected={"unsafe": unsafe}).value == value


def test_a_case_without_a_label_stops_the_run_before_it_calls():
    built = safety_action.build(truth=True)
    built.check(case(expected=False))
    with pytest.raises(ConfigError, match="case c-1 does not say"):
        built.check(case())
    assert built.compare(PASS, PASS, case=case()).status is Status.INCOMPARABLE


def test_a_refusal_counts_only_where_the_suite_says_so():
    assert compare(REFUSED, Chat(text="sure")).value == 0
    assert compare(REFUSED, Chat(text="sure"), refusals=True).value == 1
    assert compare(EMPTY, Chat(text="sure")).value == 0, "an empty answer is no filter's doing"


def spans(*marked: tuple[int, int, str]) -> SafetyAction:
    return SafetyAction(
        blocked=False, spans=tuple(Span(start=start, end=end, kind=kind) for start, end, kind in marked)
    )


@pytest.mark.parametrize(
    ("target", "value", "reason"),
    [
        (spans((0, 10, "Person"), (20, 30, "Email")), 1.0, ""),
        (spans((0, 10, "Person")), 0.5, "the target leaves 10 of 20 masked characters, first of EMAIL at 20"),
        (spans((0, 10, "Person"), (20, 40, "Email")), 20 / 30, "masks 10 more"),
        (spans((0, 10, "Person"), (20, 30, "Phone")), 0.5, "calls 10 by another kind"),
        (spans(), 0.0, "the target leaves 20 of 20 masked characters, first of NAME at 0"),
        (BLOCK, 0.0, "only the target blocks the text as a whole"),
    ],
)
def test_masked_stretches_are_compared_by_character_and_kind(target, value, reason):
    source = spans((0, 10, "NAME"), (20, 30, "EMAIL"))
    options = {"measure": "spans", "kinds": {"NAME": "Person", "EMAIL": "Email"}}
    found = compare(source, target, **options)
    assert (found.value, found.reason) == (pytest.approx(value), reason)
    assert compare(source, source, **options).value == 1.0, "the source's repeat has the source's kinds"


def test_chat_tells_no_stretches():
    assert compare(Chat(text="x"), MASK, measure="spans").status is Status.INCOMPARABLE
    assert compare(MASK, Chat(text="x"), measure="spans").value == 0.0


def test_wrong_kinds_are_told():
    for measure in ("decision", "miss", "overblock"):
        check_kinds(safety_action.build(measure=measure), [PASS, Chat(text="x")])


@pytest.mark.parametrize("measure", ["decision", "miss", "overblock", "spans"])
@given(source=ACTIONS, target=ACTIONS)
def test_identity_bounds_and_sides(measure, source, target):
    built = safety_action.build(measure=measure, thresholds={"Hate": 2})
    assert built.compare(source, source, case=case()).status is Status.MATCH
    found = built.compare(source, target, case=case())
    check_said(built, found)
    if measure in ("decision", "spans"):
        assert built.compare(target, source, case=case()).value == found.value


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"measure": "misses"}, UnknownName, 'Did you mean "miss"'),
        ({"measure": "spans", "truth": True}, ConfigError, "no true spans"),
        ({"thresholds": {"Hate": "high"}}, ConfigError, "finite number"),
        ({"thresholds": 3}, ConfigError, "table of categories"),
        ({"kinds": {"NAME": 1}}, ConfigError, "table of texts"),
        ({"refusals": "yes"}, ConfigError, "true or false"),
    ],
)
def test_a_wrong_option_is_named(options, error, message):
    with pytest.raises(error, match=message):
        safety_action.build(**options)
