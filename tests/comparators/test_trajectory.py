"""What an agent did, level by level."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.comparators import trajectory
from harness.core.case import Json
from harness.core.output import Step, ToolCall, Trajectory
from harness.core.protocols import Comparator
from harness.core.verdict import Comparison, Status
from harness.errors import ConfigError, UnknownName
from tests.comparators.contract import case, check_kinds, check_said


def call(tool: str, arguments: Json, *, writes: bool | None = None) -> Step:
    return Step(kind="call", call=ToolCall(name=tool, arguments=arguments), writes=writes)


BOOK = call("book", {"flight": "HAT1", "bags": 1}, writes=True)
LOOK = call("look", {"id": 1}, writes=False)
PAY = call("pay", {"amount": 250}, writes=True)
STEPS = st.lists(st.sampled_from([BOOK, LOOK, PAY, Step(kind="say", text="Hello.")]), max_size=6).map(tuple)
TRAJECTORIES = st.builds(
    Trajectory,
    steps=STEPS,
    final_state=st.sampled_from([{}, {"HAT1": "booked"}, {"HAT1": "free", "n": 1}]),
    reward=st.sampled_from([0.0, 0.5, 1.0]),
)


def compare(source: Trajectory, target: Trajectory, **options: object) -> Comparison:
    return trajectory.build(**options).compare(source, target, case=case())


def did(*steps: Step, state: Json = None, reward: float | None = None) -> Trajectory:
    return Trajectory(steps=steps, final_state=state, reward=reward)


def test_it_is_a_comparator():
    assert isinstance(trajectory.build(), Comparator)


def test_signature_names_every_setting():
    built = trajectory.build(by="writes", match="exact", writes=["book"], canonical=["case"])
    assert built.signature() == "trajectory|as:flip|by:writes|match:exact|writes:book|canonical:case"
    assert trajectory.build(by="outcome", tolerance=0.1, **{"as": "quality"}).signature() == (
        "trajectory|as:quality|by:outcome|tolerance:0.1"
    )


def test_another_way_to_the_same_state_is_a_match():
    one, other = did(LOOK, BOOK, state={"HAT1": "booked"}), did(BOOK, PAY, state={"HAT1": "booked"})
    assert compare(one, other).status is Status.MATCH


def test_another_state_is_a_mismatch_and_the_calls_stand_beside_it():
    one = did(BOOK, state={"HAT1": "booked"}, reward=1.0)
    other = did(call("book", {"flight": "HAT2", "bags": 1}, writes=True), state={"HAT1": "free"}, reward=0.0)
    found = compare(one, other)
    assert (found.status, found.value) == (Status.MISMATCH, 1.0)
    wrong = 'argument book.flight: source "HAT1", target "HAT2"'
    assert found.reason == (
        'final_state: HAT1: source "booked", target "free" | outcome: source reward 1, target 0 '
        f"| writes: {wrong} | calls: {wrong}"
    )


def test_an_unknown_state_is_never_a_match():
    """A target whose world nobody looked at might have done anything."""
    assert compare(did(BOOK), did(BOOK)).status is Status.INCOMPARABLE
    found = compare(did(BOOK, state={}), did(BOOK))
    assert (found.status, found.reason) == (Status.MISMATCH, "final_state: the target's final state is not known")
    assert compare(did(), did(reward=1.0), by="outcome").status is Status.INCOMPARABLE
    assert compare(did(reward=1.0), did(), by="outcome").status is Status.MISMATCH


def test_rules_hold_for_the_state():
    one, other = did(state={"at": 1, "x": [1, 2]}), did(state={"at": 2, "x": [2, 1]})
    assert compare(one, other, rules={"at": {"ignore": True}, "x": {"array": "set"}}).status is Status.MATCH


def test_writes_are_compared_without_reads_and_in_any_order():
    assert compare(did(LOOK, BOOK, PAY), did(PAY, BOOK), by="writes").status is Status.MATCH
    assert compare(did(BOOK, PAY), did(PAY, BOOK), by="writes", match="exact").status is Status.MISMATCH
    assert compare(did(LOOK, BOOK), did(BOOK), by="calls").status is Status.MISMATCH


def test_a_call_that_nobody_marked_counts_as_a_write_unless_the_suite_names_them():
    one, other = did(call("think", {"x": 1})), did(call("think", {"x": 2}))
    assert compare(one, other, by="writes").status is Status.MISMATCH
    assert compare(one, other, by="writes", writes=["book"]).status is Status.MATCH


def test_outcomes_within_tolerance_are_one():
    assert compare(did(reward=0.5), did(reward=0.45), by="outcome").status is Status.MISMATCH
    assert compare(did(reward=0.5), did(reward=0.45), by="outcome", tolerance=0.1).status is Status.MATCH
    assert compare(did(reward=1.0), did(reward=0.25), by="outcome", **{"as": "score"}).value == 0.25


def test_as_quality_the_value_is_the_reward_and_a_better_target_is_none_the_worse():
    options = {"by": "outcome", "as": "quality"}
    assert trajectory.build(**options).kinds == ("quality",)
    found = compare(did(reward=0.0), did(reward=1.0), **options)
    assert (found.status, found.value) == (Status.MATCH, 1.0)
    found = compare(did(BOOK, reward=1.0), did(reward=0.0), **options)
    assert (found.status, found.value) == (Status.MISMATCH, 0.0)
    assert found.reason.startswith("source reward 1, target 0 | writes: the target calls no tool")
    assert compare(did(reward=0.0), did(), **options).value == 0.0


def test_a_target_whose_reward_is_not_known_has_the_worst_outcome_and_says_so():
    found = compare(did(reward=1.0), did(), by="outcome", **{"as": "quality"})
    assert (found.status, found.value) == (Status.MISMATCH, 0.0)
    assert found.reason == "the target's reward is not known"


def test_wrong_kinds_are_told():
    check_kinds(trajectory.build(), [did(state={})])


@pytest.mark.parametrize("by", ["final_state", "outcome", "writes", "calls"])
@given(source=TRAJECTORIES, target=TRAJECTORIES)
def test_identity_bounds_and_sides(by, source, target):
    built = trajectory.build(by=by, **{"as": "score"})
    assert built.compare(source, source, case=case()).value == 1.0
    found = built.compare(source, target, case=case())
    check_said(built, found)
    assert built.compare(target, source, case=case()).status is found.status


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"by": "state"}, UnknownName, 'Did you mean "final_state"'),
        ({"match": "all"}, UnknownName, "any_order"),
        ({"writes": "book"}, ConfigError, "names of tools"),
        ({"as": "quality"}, ConfigError, 'needs by = "outcome"'),
        ({"tolerance": 1}, ConfigError, "below 1"),
    ],
)
def test_a_wrong_option_is_named(options, error, message):
    with pytest.raises(error, match=message):
        trajectory.build(**options)
