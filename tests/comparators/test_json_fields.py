"""JSON answers field by field."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.comparators import json_fields
from harness.core.case import Json, Request, Task
from harness.core.output import Chat, Document, StopReason
from harness.core.protocols import Comparator
from harness.core.verdict import Comparison, Status
from harness.errors import ConfigError, UnknownName
from tests.comparators.contract import case, check_conduct, check_kinds, check_said

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def chat(value: Json) -> Chat:
    return Chat(text=json.dumps(value))


def compare(source: Json, target: Json, **options: object) -> Comparison:
    return json_fields.build(**options).compare(chat(source), chat(target), case=case())


def scored(source: Json, target: Json, **options: object) -> float | None:
    return compare(source, target, **{"as": "score"}, **options).value


def test_it_is_a_comparator_of_either_kind():
    assert isinstance(json_fields.build(), Comparator)
    assert json_fields.build().kinds == ("flip",)
    assert json_fields.build(**{"as": "score"}).kinds == ("score",)


def test_signature_names_every_setting():
    built = json_fields.build(
        rules={"items[].price": {"rtol": 0.01}, "id": {"ignore": True}, "tags": {"array": "set"}},
        canonical=["date", "number"],
        only=["items[]"],
        fenced=True,
        schema="request",
    )
    assert built.signature() == (
        "json_fields|as:flip|canonical:number+date|only:items[]|items[].price(rtol:0.01)|id(ignore)|tags(set)|fenced"
        "|schema:request"
    )


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ({"city": "Bergen", "n": 2}, 'city: source "Oslo", target "Bergen"'),
        ({"city": "Oslo"}, "n: missing in the target, source 2"),
        ({"city": "Oslo", "n": 2, "x": []}, "x: only in the target, []"),
        ({"city": "Oslo", "n": "2"}, 'n: source 2 (number), target "2" (text)'),
        ({"city": "Oslo", "n": True}, "n: source 2 (number), target true (boolean)"),
        ({"city": None, "n": 2}, 'city: source "Oslo" (text), target null (null)'),
    ],
)
def test_each_class_of_difference_names_path_and_both_values(target, reason):
    found = compare({"city": "Oslo", "n": 2}, target)
    assert (found.status, found.value) == (Status.MISMATCH, 1.0)
    assert found.reason == reason


def test_keys_in_another_order_and_numbers_in_another_notation_are_equal():
    source, target = Chat(text='{"a": 4, "b": 1e2}'), Chat(text='{"b": 100, "a": 4.0}')
    assert json_fields.build().compare(source, target, case=case()).status is Status.MATCH


def test_the_score_is_the_share_of_fields_equal():
    assert scored({"a": 1, "b": 2, "c": 3, "d": 4}, {"a": 1, "b": 2, "c": 3, "d": 5}) == 0.75
    assert scored({"a": 1, "b": {"c": 2, "d": 3}}, {"a": 1}) == pytest.approx(1 / 3)
    assert scored({"a": 1}, {"a": 1, "b": 2}) == 0.5
    assert scored({"a": 1}, {"z": 1}) == 0.0


def test_broken_json_in_the_target_scores_zero_and_says_where():
    for built in (json_fields.build(), json_fields.build(**{"as": "score"})):
        cut = Chat(text='{"a": 1, "b', stop=StopReason.LENGTH)
        found = built.compare(chat({"a": 1}), cut, case=case())
        assert found.status is Status.MISMATCH
        assert found.value == (1.0 if built.scale == "flip" else 0.0)
        assert found.reason == (
            "the target's answer is not JSON: unterminated string starting at at character 9, "
            "cut off at the limit on output"
        )


def test_nan_is_no_json():
    found = json_fields.build().compare(chat([1]), Chat(text="[NaN]"), case=case())
    assert found.reason == "the target's answer is not JSON: NaN is no JSON number"


def test_a_source_without_json_is_incomparable():
    found = json_fields.build().compare(Chat(text="Sorry, no."), chat([1]), case=case())
    assert (found.status, found.value) == (Status.INCOMPARABLE, None)
    assert found.reason.startswith("the source's answer is not JSON: ")


def test_a_fence_is_read_only_where_the_suite_says_so():
    """An application that parses the text as it comes breaks on a fence."""
    fenced = Chat(text='```json\n{"a": 1}\n```')
    assert json_fields.build().compare(chat({"a": 1}), fenced, case=case()).status is Status.MISMATCH
    assert json_fields.build(fenced=True).compare(chat({"a": 1}), fenced, case=case()).status is Status.MATCH


def test_a_parsed_value_and_a_document_are_read_as_they_are():
    parsed = Chat(text="{not read}", value={"a": 1}, has_value=True)
    assert json_fields.build().compare(parsed, Document(value={"a": 1}), case=case()).status is Status.MATCH


@pytest.mark.parametrize(
    ("source", "target", "path", "rule"),
    [
        ({"id": "x1", "a": 1}, {"id": "y2", "a": 1}, "id", {"ignore": True}),
        ({"a": [{"id": 1}]}, {"a": [{"id": 2}]}, "**.id", {"ignore": True}),
        ({"a": {"id": 1}}, {"a": {"id": 2}}, "*.id", {"ignore": True}),
        ({"a.b": 1}, {"a.b": 2}, '"a.b"', {"ignore": True}),
        ({"a": 1, "note": "x"}, {"a": 1}, "note", {"optional": True}),
        ({"a": 1}, {"a": 1, "note": None}, "note", {"optional": True}),
        ({"p": [{"v": 100.0}]}, {"p": [{"v": 100.9}]}, "p[].v", {"rtol": 0.01}),
        ({"v": 0.0}, {"v": 0.1}, "v", {"atol": 0.1}),
        ({"t": ["a", "b", "b"]}, {"t": ["b", "a", "b"]}, "t", {"array": "set"}),
        ([{"id": 1, "v": 2}, {"id": 2, "v": 3}], [{"id": 2, "v": 3}, {"id": 1, "v": 2}], "**", {"key": "id"}),
        ({"id": "ab-12"}, {"id": "cd-99"}, "id", {"pattern": "[a-z]+-[0-9]+"}),
        ({"d": "2024-05-20"}, {"d": "May 20, 2024"}, "d", {"canonical": ["date"]}),
    ],
)
def test_a_rule_makes_equal_what_without_it_differs(source, target, path, rule):
    assert compare(source, target).status is Status.MISMATCH
    assert compare(source, target, rules={path: rule}).status is Status.MATCH


@pytest.mark.parametrize(
    ("source", "target", "path", "rule"),
    [
        ({"p": [{"v": 100.0}]}, {"p": [{"v": 101.1}]}, "p[].v", {"rtol": 0.01}),
        ({"t": ["a", "b", "b"]}, {"t": ["b", "a", "a"]}, "t", {"array": "set"}),
        ({"note": "x"}, {"note": "y"}, "note", {"optional": True}),
        ({"id": "ab-12"}, {"id": "ab_12"}, "id", {"pattern": "[a-z]+-[0-9]+"}),
        ([{"id": 1, "v": 2}], [{"id": 1, "v": 3}], "**", {"key": "id"}),
    ],
)
def test_a_rule_forgives_no_more_than_it_says(source, target, path, rule):
    assert compare(source, target, rules={path: rule}).status is Status.MISMATCH


def test_a_keyed_element_is_named_by_its_key():
    source, target = [{"id": "a", "v": 1}, {"id": "b", "v": 2}], [{"id": "b", "v": 3}, {"id": "a", "v": 1}]
    assert compare(source, target, rules={"**": {"key": "id"}}).reason == '[id="b"].v: source 2, target 3'


def test_the_same_elements_in_another_order_are_told_as_that():
    found = compare({"t": [1, 2, 3]}, {"t": [3, 2, 1]})
    assert found.reason == "t: the same elements in another order, source [1, 2, 3], target [3, 2, 1]"


def test_one_element_put_in_front_is_one_difference():
    found = compare([1, 2, 3, 4], [0, 1, 2, 3, 4])
    assert found.reason == "[0]: only in the target, 0"
    assert found.distance == pytest.approx(1 / 5)


def test_only_the_paths_named_are_compared_and_one_that_no_answer_has_is_no_match():
    """A misspelt path that matched everything would be a gate that never refuses."""
    assert compare({"a": 1, "b": {"c": 2}}, {"a": 9, "b": {"c": 2}}, only=["b"]).status is Status.MATCH
    assert compare({"a": 1, "b": {"c": 2}}, {"a": 1, "b": {"c": 3}}, only=["b.c"]).reason == "b.c: source 2, target 3"
    assert compare({"a": 1, "b": {"c": 2}}, {"a": 1, "b": 3}, only=["b.c"]).status is Status.MISMATCH
    found = compare({"a": 1}, {"a": 2}, only=["total"])
    assert (found.status, found.reason) == (Status.INCOMPARABLE, "neither side has any of total")


SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def test_a_target_that_breaks_the_schema_is_a_mismatch_where_the_source_keeps_it():
    found = compare({"n": 1}, {"n": "one"}, schema=SCHEMA, rules={"n": {"ignore": True}})
    assert found.status is Status.MISMATCH
    assert found.reason == "the target breaks the schema, the source keeps it: $.n: 'one' is not of type 'integer'"
    assert compare({"n": "1"}, {"n": "1"}, schema=SCHEMA).status is Status.MATCH, "neither keeps it"


def test_the_schema_may_be_the_one_that_the_request_asks_for():
    payload = {"messages": [], "format": {"kind": "schema", "schema": SCHEMA}}
    asked, bare = case(request=Request(Task.CHAT, payload)), case(request=Request(Task.CHAT, {"messages": []}))
    built = json_fields.build(schema="request")
    built.check(asked)
    assert built.compare(chat({"n": 1}), chat({}), case=asked).status is Status.MISMATCH
    assert built.compare(chat({"n": 1}), chat({}), case=bare).status is Status.INCOMPARABLE
    with pytest.raises(ConfigError, match="case c-1 asks for no schema"):
        built.check(bare)


def test_a_schema_fetches_nothing():
    found = compare({"n": 1}, {"n": 1}, schema={"$ref": "http://127.0.0.1:9/schema.json"})
    assert found.status is Status.INCOMPARABLE
    assert "the schema cannot be applied" in found.reason


def test_wrong_kinds_and_silence_are_told():
    built = json_fields.build()
    check_kinds(built, [chat([1]), Document(value=[1])])
    check_conduct(built, chat({"a": 1}))


def test_the_places_that_differ_are_folded_over_elements():
    source, target = (
        chat({"i": [{"p": 1, "q": 1}, {"p": 2, "q": 1}]}),
        chat({"i": [{"p": 3, "q": 1}, {"p": 4, "q": 1}]}),
    )
    assert json_fields.build().places(source, target) == {"i[].p"}
    assert json_fields.build().places(source, Chat(text="no")) is None


@given(VALUES)
def test_an_answer_equals_itself(value):
    assert compare(value, value).status is Status.MATCH
    assert scored(value, value, canonical=["number", "date", "whitespace", "case"]) == 1.0


@given(VALUES, VALUES)
def test_values_stay_in_bounds_and_whether_answers_match_does_not_depend_on_the_side(source, target):
    for rules in ({}, {"**": {"array": "set"}}, {"**": {"key": "id"}}):
        built = json_fields.build(**{"as": "score"}, rules=rules)
        found = built.compare(chat(source), chat(target), case=case())
        check_said(built, found)
        assert (found.value == 1.0) == (found.status is Status.MATCH)
        assert built.compare(chat(target), chat(source), case=case()).status is found.status


@given(st.text() | st.from_regex(r'[\[{"\\u0-9dD8]{0,40}'))
def test_no_text_crashes(text):
    built = json_fields.build()
    check_said(built, built.compare(chat({"a": 1}), Chat(text=text), case=case()))


def test_nesting_without_end_is_not_json():
    found = json_fields.build().compare(chat([1]), Chat(text="[" * 100_000), case=case())
    assert "nested deeper than 60 levels" in found.reason
    assert "nested deeper" in compare([1], json.loads("[" * 90 + "]" * 90)).reason


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"rules": {"a": {"tolerance": 1}}}, UnknownName, "Known: array, atol"),
        ({"rules": {"a..b": {}}}, ConfigError, "is no path"),
        ({"rules": {"a": {"rtol": 1}}}, ConfigError, "below 1"),
        ({"rules": {"a": {"array": "bag"}}}, UnknownName, "bag"),
        ({"rules": {"a": {"pattern": "("}}}, ConfigError, "no regular expression"),
        ({"canonical": ["dates"]}, UnknownName, 'Did you mean "date"'),
        ({"as": "scores"}, UnknownName, 'Did you mean "score"'),
        ({"only": "a"}, ConfigError, "list of paths"),
        ({"schema": {"type": "objekt"}}, ConfigError, "no JSON Schema"),
        ({"schema": "suite"}, ConfigError, "JSON Schema or"),
        ({"fenced": 1}, ConfigError, "true or false"),
    ],
)
def test_a_wrong_option_is_named(options, error, message):
    with pytest.raises(error, match=message):
        json_fields.build(**options)
