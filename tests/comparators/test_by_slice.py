"""One metric, several comparators, chosen by the case."""

from __future__ import annotations

import pytest

from harness.comparators import by_slice
from harness.core.output import Chat
from harness.core.protocols import Comparator
from harness.core.verdict import Status
from harness.errors import ConfigError, UnknownName
from tests.comparators.contract import calls, case

LABEL = {"use": "chat_label", "labels": ["yes", "no"]}
VALUES = {"label": LABEL, "tool": {"use": "tool_calls"}}


def built(**options: object) -> by_slice.BySlice:
    return by_slice.build(**{"slice": "kind", "values": VALUES, **options})


def test_it_is_a_comparator_of_the_kind_that_all_fit():
    assert isinstance(built(), Comparator)
    assert built().kinds == ("flip",)


def test_signature_holds_those_of_all():
    assert built(default={"use": "json_fields"}).signature() == (
        "by_slice|slice:kind|label(chat_label|as:flip|labels:yes,no|take:only)|tool(tool_calls|as:flip|match:exact)"
        "|otherwise(json_fields|as:flip)"
    )


def test_the_cases_value_chooses_the_comparator():
    label, tool = case(slices={"kind": "label"}), case(slices={"kind": "tool"})
    found = built().compare(Chat(text="Yes."), Chat(text="yes, sure"), case=label)
    assert (found.status, found.value, found.comparator) == (Status.MATCH, 0.0, built().signature())
    found = built().compare(calls(("a", {})), calls(("b", {})), case=tool)
    assert found.status is Status.MISMATCH
    assert found.reason == "the target does not call a(); the target also calls b()"


def test_a_case_without_comparator_stops_the_run_before_it_calls():
    with pytest.raises(ConfigError, match='case c-1 has no slice "kind"'):
        built().check(case())
    with pytest.raises(UnknownName, match='Did you mean "label"'):
        built().check(case(slices={"kind": "lable"}))
    found = built().compare(Chat(text="yes"), Chat(text="yes"), case=case())
    assert (found.status, found.value) == (Status.INCOMPARABLE, None)
    assert "has no slice" in found.reason


def test_what_the_chosen_comparator_objects_to_is_heard():
    strict = built(default={"use": "json_fields", "schema": "request"})
    strict.check(case(slices={"kind": "label"}))
    with pytest.raises(ConfigError, match="asks for no schema"):
        strict.check(case())


def test_a_default_takes_every_other_case():
    found = built(default=LABEL).compare(Chat(text="yes"), Chat(text="no"), case=case(slices={"kind": "new"}))
    assert found.value == 1.0


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"slice": ""}, ConfigError, "key of a slice"),
        ({"values": {}}, ConfigError, "must name a comparator"),
        ({"values": {"a": "chat_label"}}, ConfigError, 'values."a": must be a table with use'),
        ({"values": {"a": {"use": "tool_call"}}}, UnknownName, 'Did you mean "tool_calls"'),
        ({"values": {"a": {"use": "tool_calls", "mode": "exact"}}}, ConfigError, "does not take these options"),
        ({"values": {"a": {"use": "by_slice"}}}, ConfigError, "inside by_slice"),
        ({"values": {"a": {"use": "checks:Mine"}}}, ConfigError, "beside the suite"),
        ({"default": {"use": "tool_calls", "as": "score"}}, ConfigError, "default is of kind score"),
    ],
)
def test_a_wrong_option_is_named(options, error, message):
    with pytest.raises(error, match=message):
        built(**options)
