"""The tools that an answer calls."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.comparators import tool_calls
from harness.core.output import Chat, ToolCall
from harness.core.protocols import Comparator
from harness.core.verdict import Comparison, Status
from harness.errors import ConfigError, UnknownName
from tests.comparators.contract import calls, case, check_conduct, check_kinds, check_said

A, B, C = ("a", {"x": 1}), ("b", {}), ("c", {"y": [1, 2]})
MODES = ("exact", "unordered", "in_order", "any_order", "subset")
SOME_CALLS = st.lists(st.sampled_from([A, B, C, ("a", {"x": 2})]), max_size=5)


def compare(source: Chat, target: Chat, **options: object) -> Comparison:
    return tool_calls.build(**options).compare(source, target, case=case())


def test_it_is_a_comparator():
    assert isinstance(tool_calls.build(), Comparator)


def test_signature_names_every_setting():
    built = tool_calls.build(match="subset", tools=["a"], rules={"a.x": {"ignore": True}}, canonical=["case"])
    assert built.signature() == "tool_calls|as:flip|match:subset|tools:a|canonical:case|a.x(ignore)"


# mode -> which of the target's calls match the source's (a, b): the table of docs/reference-comparators.md.
TABLE = {
    "exact": {"ab"},
    "unordered": {"ab", "ba"},
    "in_order": {"ab", "abc", "cab"},
    "any_order": {"ab", "ba", "abc", "cab", "bca"},
    "subset": {"ab", "ba", "a", "b"},
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("target", ["ab", "ba", "abc", "cab", "bca", "a", "b"])
def test_each_mode_allows_what_it_says(mode, target):
    of = {"a": A, "b": B, "c": C}
    found = compare(calls(A, B), calls(*(of[name] for name in target)), match=mode)
    assert (found.status is Status.MATCH) == (target in TABLE[mode])


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (calls(("a", {"x": 2})), "argument a.x: source 1, target 2"),
        (calls(("a", {})), "argument a.x: missing in the target, source 1"),
        (calls(("a", {"x": "1"})), 'argument a.x: source 1 (number), target "1" (text)'),
        (calls(B), "the target does not call a(x=1); the target also calls b()"),
        (Chat(text="It is 3 degrees."), "the target calls no tool, the source calls a(x=1)"),
        (calls(A, C), "the target also calls c(y=[1, 2])"),
        (
            Chat(text="", tool_calls=(ToolCall(name="a", arguments=None, raw='{"x": '),)),
            'a: the target\'s arguments are not JSON: "{\\"x\\": "',
        ),
    ],
)
def test_the_reason_says_what_the_target_does_instead(target, reason):
    found = compare(calls(A), target)
    assert (found.status, found.value, found.reason) == (Status.MISMATCH, 1.0, reason)


def test_an_order_of_its_own_is_told_as_that():
    found = compare(calls(A, B), calls(B, A))
    assert found.reason.endswith("is called in another order")
    assert found.distance == pytest.approx(0.5)


def test_a_call_where_the_source_makes_none_is_a_mismatch():
    found = compare(Chat(text="Hello."), calls(A))
    assert (found.status, found.reason) == (Status.MISMATCH, "the target calls a(x=1), the source calls no tool")


def test_two_answers_without_a_call_match_whatever_they_say():
    assert compare(Chat(text="x"), Chat(text="y")).status is Status.MATCH


def test_ids_and_the_order_of_keys_are_not_compared():
    one = Chat(text="", tool_calls=(ToolCall(name="a", arguments={"x": 1, "y": 2}, id="call_1"),))
    other = Chat(text="", tool_calls=(ToolCall(name="a", arguments={"y": 2.0, "x": 1}, id="tooluse_7"),))
    assert compare(one, other).status is Status.MATCH


@pytest.mark.parametrize(
    ("form", "source", "target"),
    [
        ("number", 4, "4"),
        ("number", 0.1, "0.1"),
        ("date", "2024-05-20", "20 May 2024"),
        ("date", "2024-05-20T10:00:00Z", "2024-05-20T12:00:00+02:00"),
        ("date", "2024/5/2", "May 2nd, 2024"),
        ("whitespace", "New  York ", "New York"),
        ("case", "OSLO", "Oslo"),
    ],
)
def test_a_canonical_form_makes_two_writings_one_value(form, source, target):
    pair = calls(("a", {"x": source})), calls(("a", {"x": target}))
    assert compare(*pair).status is Status.MISMATCH
    assert compare(*pair, canonical=[form]).status is Status.MATCH


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (7, "007"),  # an identifier
        (1, True),
        ("2024-05-06", "05/06/2024"),  # May or June
        ("2024-05-20", "2024-05-20T00:00:00"),
        ("12345678901234567890", "12345678901234567891"),  # equal as floats
        ("20240520", "2024-05-20"),
    ],
)
def test_no_form_equates_what_may_differ(source, target):
    pair = calls(("a", {"x": source})), calls(("a", {"x": target}))
    assert compare(*pair, canonical=["number", "date", "whitespace", "case"]).status is Status.MISMATCH


def test_rules_begin_with_the_tools_name():
    pair = calls(("a", {"trace": 1, "x": 1})), calls(("a", {"trace": 2, "x": 1}))
    assert compare(*pair, rules={"a.trace": {"ignore": True}}).status is Status.MATCH
    assert compare(*pair, rules={"b.trace": {"ignore": True}}).status is Status.MISMATCH


def test_tools_narrows_what_is_compared():
    assert compare(calls(A, B), calls(A, C), tools=["a"]).status is Status.MATCH
    assert compare(calls(A), calls(), tools=["a"]).status is Status.MISMATCH


def test_the_score_is_the_share_of_calls_that_match():
    as_score = {"as": "score"}
    assert compare(calls(A, B, C), calls(A, B, ("c", {})), **as_score).value == pytest.approx(4 / 6)
    assert compare(calls(A, B), calls(A), match="any_order", **as_score).value == 0.5
    assert compare(calls(A), calls(A, B, C), match="subset", **as_score).value == pytest.approx(1 / 3)
    assert compare(calls(A), Chat(text="no"), **as_score).value == 0.0


def test_wrong_kinds_and_silence_are_told():
    check_kinds(tool_calls.build(), [calls(A)])
    check_conduct(tool_calls.build(), calls(A))


@pytest.mark.parametrize("mode", MODES)
@given(source=SOME_CALLS, target=SOME_CALLS)
def test_identity_bounds_and_a_value_of_one_exactly_where_they_match(mode, source, target):
    built = tool_calls.build(match=mode, **{"as": "score"})
    assert built.compare(calls(*source), calls(*source), case=case()).status is Status.MATCH
    found = built.compare(calls(*source, A), calls(*target, A), case=case())
    check_said(built, found)
    assert (found.value == 1.0) == (found.status is Status.MATCH)


@given(SOME_CALLS, SOME_CALLS)
def test_exact_and_unordered_do_not_depend_on_the_side(source, target):
    for mode in ("exact", "unordered"):
        built = tool_calls.build(match=mode, **{"as": "score"})
        one = built.compare(calls(A, *source), calls(A, *target), case=case())
        other = built.compare(calls(A, *target), calls(A, *source), case=case())
        assert (one.status, one.value) == (other.status, other.value)


def test_a_thousand_calls_are_compared_in_time():
    many = calls(*(("a", {"x": at}) for at in range(1000)))
    assert compare(many, many, match="unordered").status is Status.MATCH


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"match": "inorder"}, UnknownName, 'Did you mean "in_order"'),
        ({"tools": "a"}, ConfigError, "list of names"),
        ({"as": "share"}, UnknownName, "flip, score"),
        ({"rules": []}, ConfigError, "tables by path"),
    ],
)
def test_a_wrong_option_is_named(options, error, message):
    with pytest.raises(error, match=message):
        tool_calls.build(**options)
