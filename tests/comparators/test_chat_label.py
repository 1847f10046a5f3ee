"""The label that an application reads from a chat answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.comparators import chat_label
from harness.core.output import Chat, StopReason
from harness.core.protocols import Comparator, Labeller
from harness.core.verdict import Comparison, Status
from harness.errors import ConfigError, UnknownName
from tests.comparators.contract import BLOCKED, EMPTY, case, check_conduct, check_kinds, check_said

LABELS = {"labels": ["Good", "Very good", "Bad"]}


def compare(source: str, target: str, **options: object) -> Comparison:
    return chat_label.build(**(options or LABELS)).compare(Chat(text=source), Chat(text=target), case=case())


def label(text: str, **options: object) -> str | None:
    return chat_label.build(**(options or LABELS)).label(Chat(text=text))


def test_it_compares_and_labels():
    assert isinstance(chat_label.build(**LABELS), Comparator)
    assert isinstance(chat_label.build(**LABELS), Labeller)


@pytest.mark.parametrize(
    ("options", "signature"),
    [
        (LABELS, "chat_label|as:flip|labels:Good,Very good,Bad|take:only"),
        (
            {"pattern": "<(.+?)>", "take": "last", "otherwise": "other", "as": "score"},
            "chat_label|as:score|pattern:<(.+?)>|take:last|otherwise:other",
        ),
    ],
)
def test_signature_names_every_setting(options, signature):
    assert chat_label.build(**options).signature() == signature


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("good", "Good"),
        ("The answer is **Good**.", "Good"),
        ("VERY\n GOOD!", "Very good"),
        ('{"label": "bad"}', "Bad"),
        ("goodness", None),
        ("not-good", None),
        ("Good or bad?", None),
        ("", "empty"),
    ],
)
def test_a_label_is_a_whole_word_and_the_only_one(text, expected):
    assert label(text) == expected


def test_of_several_labels_the_suite_says_which_counts():
    text = "Good? No: bad. Well, good at first."
    assert label(text, **LABELS, take="first") == "Good"
    assert label(text, **LABELS, take="last") == "Good"
    assert label("good, then bad", **LABELS, take="last") == "Bad"
    assert label(text, **LABELS, otherwise="unsure") == "unsure"


def test_a_pattern_captures_the_label():
    assert label("Label: Spam\n", pattern=r"Label:\s*(\w+)") == "spam"
    assert label("x=1 <spam>", pattern=r"x=(\d) <(?P<label>\w+)>") == "spam"
    assert label("class 7", pattern=r"\d") == "7"


def test_a_flip_names_both_labels():
    found = compare("good", "It is bad.")
    assert (found.status, found.value, found.reason) == (Status.MISMATCH, 1.0, 'source "Good", target "Bad"')
    assert compare("good", "It is good.").value == 0.0
    assert compare("good", "It is good.", **LABELS, **{"as": "score"}).value == 1.0


def test_a_target_without_label_is_a_mismatch_and_says_why():
    built = chat_label.build(**LABELS)
    found = built.compare(Chat(text="bad"), Chat(text="I th", stop=StopReason.LENGTH), case=case())
    assert found.reason == 'source "Bad", the target names no label, cut off at the limit on output'
    assert compare("bad", "good or bad").reason == 'source "Bad", the target names several labels: "Good", "Bad"'


def test_a_source_without_label_is_incomparable():
    """Were two answers without label a match, a pattern that never fits would let every target pass."""
    assert compare("hm", "hm").status is Status.INCOMPARABLE
    assert compare("hm", "hm", **LABELS, otherwise="Bad").status is Status.MATCH


def test_wrong_kinds_and_silence_are_told():
    check_kinds(chat_label.build(**LABELS), [Chat(text="good")])
    check_conduct(chat_label.build(**LABELS), Chat(text="good"))
    assert chat_label.build(**LABELS).label(BLOCKED) == "withheld"
    assert chat_label.build(**LABELS).label(EMPTY) == "empty"


@given(st.text(), st.text())
def test_no_text_crashes_and_every_answer_has_its_own_label(source, target):
    for options in (LABELS, {"pattern": r"(\w+)"}):
        built = chat_label.build(**options)
        check_said(built, built.compare(Chat(text=source), Chat(text=target), case=case()))
        assert built.compare(Chat(text=source), Chat(text=source), case=case()).status is not Status.MISMATCH


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({}, ConfigError, "one of the two"),
        ({**LABELS, "pattern": "x"}, ConfigError, "one of the two"),
        ({"labels": ["a", "A"]}, ConfigError, "more than case"),
        ({"labels": "a"}, ConfigError, "list of texts"),
        ({"labels": ["a", ""]}, ConfigError, "not empty"),
        ({"pattern": "("}, ConfigError, "no regular expression"),
        ({**LABELS, "take": "lats"}, UnknownName, 'Did you mean "last"'),
        ({**LABELS, "otherwise": ""}, ConfigError, "must be a label"),
    ],
)
def test_a_wrong_option_is_named(options, error, message):
    with pytest.raises(error, match=message):
        chat_label.build(**options)
