"""One metric, several comparators, chosen by the case."""

from __future__ import annotations

import pytest

from harness.comparators import by_slice
from harness.core.chat import Conversation, Message, Text
from harness.core.output import Chat
from harness.core.protocols import Asker, Comparator, Labeller
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


JUDGE = {
    "use": "rubric_judge",
    "rubric": "An answer is worse where it states something false.",
    "service": "azure_openai",
    "endpoint": "judge-1",
    "vendor": "Mistral",
    "source_vendor": "Anthropic",
    "target_vendor": "OpenAI",
}
SCORED = {**LABEL, "as": "score"}
UNSURE = (
    Chat(text="The green pigment breaks down when days get shorter, and carotenoids show through."),
    Chat(text="As light fades, trees stop making chlorophyll; what remains visible are other colours beneath."),
)
ASKED = Conversation(messages=(Message("user", (Text("Why do leaves turn yellow in autumn?"),)),)).request({})
EQUIVALENT = Chat(text='{"verdict": "equivalent", "reason": "so"}')


def test_a_judge_inside_is_asked_about_the_cases_of_its_own_slice():
    made = by_slice.build(slice="kind", values={"open": JUDGE, "label": SCORED})
    mine, other = case(slices={"kind": "open"}, request=ASKED), case(slices={"kind": "label"})
    assert isinstance(made, Asker)
    assert made.judge.endpoint == "judge-1"
    assert len(made.ask(*UNSURE, case=mine)) == 2
    assert made.ask(*UNSURE, case=other) == made.ask(*UNSURE, case=case()) == ()
    judged = made.compare(*UNSURE, case=mine, answers=(EQUIVALENT, EQUIVALENT))
    assert (judged.value, judged.comparator) == (1.0, made.signature())
    assert made.compare(Chat(text="yes"), Chat(text="Yes."), case=other, answers=()).value == 1.0


def test_two_judges_in_one_metric_are_refused():
    other = {**JUDGE, "endpoint": "judge-2"}
    with pytest.raises(ConfigError, match=r"one judge.*azure_openai/judge-1.*azure_openai/judge-2"):
        by_slice.build(slice="kind", values={"open": JUDGE, "closed": other})


def test_labels_inside_slice_the_cases_that_have_them():
    made = by_slice.build(slice="kind", values={"label": SCORED, "open": {"use": "text_similarity"}})
    assert isinstance(made, Labeller)
    assert made.label(Chat(text="Yes."), case=case(slices={"kind": "label"})) == "yes"
    assert made.label(Chat(text="Yes."), case=case(slices={"kind": "open"})) is None
    assert made.label(Chat(text="Yes."), case=case()) is None


def test_nothing_inside_that_asks_or_labels_makes_neither():
    made = by_slice.build(slice="kind", values={"tool": {"use": "tool_calls"}})
    assert not isinstance(made, Asker | Labeller)


def test_asking_and_labelling_go_together():
    made = by_slice.build(slice="kind", values={"label": SCORED}, default=JUDGE)
    assert isinstance(made, Asker)
    assert isinstance(made, Labeller)
