"""Answers whose form matters: JSON, tables, lists, citations, language, refusals."""

import pytest

from harness.comparators._text.model import default
from harness.comparators._text.similarity import Same, compare_texts
from harness.comparators._text.structures import table

CITIES = "| city | people |\n|---|---|\n| Bern | 134,000 |\n| Basel | 173,000 |"
STEPS = "1. Stop the pump.\n2. Close the valve.\n3. Drain the tank."


def verdict(question, source, target, *, complete=True):
    found = compare_texts(question, source, target, default(), complete=complete)
    back = compare_texts(question, target, source, default(), complete=complete)
    assert found.score == back.score
    return found.verdict, "; ".join(found.reasons)


@pytest.mark.parametrize(
    ("question", "source", "target"),
    [
        ("As JSON.", '{"a": 1, "b": [2, "x"]}', '```json\n{"b": [2, "x"], "a": 1.0}\n```'),
        ("A table.", CITIES, "| City | People |\n|:--|--:|\n| Basel | 173000 |\n| Bern | 134000 |"),
        ("A table.", CITIES, "city,people\nBern,134000\nBasel,173000"),
        (
            "A table.",
            CITIES,
            "<table><tr><th>city</th><th>people</th></tr><tr><td>Bern</td><td>134000</td></tr>"
            "<tr><td>Basel</td><td>173000</td></tr></table>",
        ),
        ("Which fruits?", "- apples\n- pears\n- plums", "* plums\n* apples\n* pears"),
        ("Diagnose me.", "I am unable to provide medical diagnoses.", "I'm not able to diagnose medical conditions."),
        ("Hilf mir.", "Dabei kann ich leider nicht helfen.", "Ich kann Ihnen dabei nicht helfen."),
    ],
)
def test_another_form_of_the_same_is_the_same(question, source, target):
    assert verdict(question, source, target)[0] is Same.SAME


@pytest.mark.parametrize(
    ("question", "source", "target", "reason"),
    [
        ("As JSON.", '{"a": 1, "b": 2}', '{"a": 2, "b": 1}', "at $.a, target says 2, source says 1"),
        ("As JSON.", '{"a": true}', '{"a": 1}', "at $.a, target says 1, source says true"),
        ("As JSON.", '{"a": [1, 2]}', '{"a": [1, 2, 3]}', "target has 3 items, source 2"),
        ("As JSON.", '{"a": 1}', '{"a": 1, "b": null}', "the target adds $.b"),
        ("As JSON.", '{"city": "Bern"}', "The city is Bern.", "the target's answer is not JSON"),
        (
            "A table.",
            CITIES,
            CITIES.replace("134,000", "143,000"),
            'in row "Bern", column "people", target says 143,000',
        ),
        ("A table.", CITIES, "\n".join(CITIES.split("\n")[:3]), 'leaves out the row "Basel"'),
        ("A table.", CITIES, "Bern has 134,000 people, Basel 173,000.", "holds no table"),
        (
            "Rank the cities in a table.",
            CITIES,
            "| city | people |\n|---|---|\n| Basel | 173,000 |\n| Bern | 134,000 |",
            "stand in another order",
        ),
        (
            "How do I empty it?",
            STEPS,
            "1. Close the valve.\n2. Stop the pump.\n3. Drain the tank.",
            'at place 1 target says "Close the valve."',
        ),
        (
            "Wo liegt Bern?",
            "Bern ist die Hauptstadt der Schweiz und liegt an der Aare in einer Schleife mit der Altstadt.",
            "Bern is the capital of Switzerland and lies on a bend of the river Aare with the old town.",
            "answers in English, the source in German",
        ),
        (
            "What is Moscow?",
            "Moscow is the capital of Russia and it was first named in the year 1147 by the chronicles.",
            "Москва является столицей России и впервые упомянута в летописях.",
            "answers in Russian, the source in English",
        ),
    ],
)
def test_a_form_that_says_something_else_is_different_and_says_where(question, source, target, reason):
    found, said = verdict(question, source, target)
    assert found is Same.DIFFERENT
    assert reason in said


@pytest.mark.parametrize(
    ("question", "source", "target", "reason"),
    [
        ("Name three.", "1. apples\n2. pears\n3. plums", "1. plums\n2. apples\n3. pears", "another order"),
        ("Is it safe?", "It is safe to eat [1].", "It is safe to eat [2].", "target cites [2], source cites [1]"),
        ("What can happen?", "Nausea.", "Nausea and sudden death.", 'the target adds "sudden death"'),
        ("Where?", "It is sold in Bern, Basel and Chur.", "It is sold in Bern and Basel.", 'leaves out "Chur"'),
    ],
)
def test_what_may_matter_is_not_shown_to_be_the_same(question, source, target, reason):
    found, said = verdict(question, source, target)
    assert found is Same.NOT_SHOWN
    assert reason in said


def test_an_answer_of_one_number_beside_a_sentence_with_it_is_the_same():
    """A bare JSON scalar is no structure."""
    assert verdict("How many legs has a spider?", "8", "A spider has 8 legs.")[0] is Same.SAME


@pytest.mark.parametrize(
    "text",
    [
        "|",
        "|-|",
        "|\n|-|\n|",
        "<table>",
        "<table><td>",
        "a,b\n1\n2,3",
        "[" * 50_000,
        "{" * 50_000,
        "1. \n2. ",
        "- \n- ",
    ],
)
def test_broken_forms_are_borne(text):
    table(text)
    assert verdict("A table as JSON.", text, f"{text} x")[0] in Same


@pytest.mark.parametrize("unit", ["|", "|-", "- ", "1. ", "[1]", "<td>", "a,b\n", "|--|\n"])
def test_forms_take_time_that_grows_with_the_text(unit):
    """A 100,000-character text whose time grew with the square would take minutes."""
    text = unit * (100_000 // len(unit))
    assert verdict("A table.", text, f"{text}x y")[0] in Same
