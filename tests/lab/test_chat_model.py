"""The chat model: what it answers follows from the prompt alone; how, from a seed. And what a fault makes of it."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from harness.lab.chat import company, faults, model
from harness.lab.chat.prompt import END, LENGTH, Prompt, Said, Turn, first_tokens, pieces, tokens
from harness.lab.plants import PLANTS, TARGET, Fault
from tests.lab.chatting import QUESTION, SECRET, SYSTEM

CHAT = [name for name, plant in PLANTS.items() if plant.suite == "chat"]
LABELLED = "Classify the message as one of: billing, delivery, returns. Answer with the label alone."
EXTRACTING = "Return one JSON object with the keys order_number, product, quantity, city."
ORDERED = "We order 12 pieces of the Larch floor lamp to Ghent, number Q-2077."


def said(question: str = QUESTION, *, seed: int = 0, system: str = SYSTEM, **more: Any) -> Said:
    return model.answer(prompt(question, system=system, **more), Random(seed))


def prompt(question: str, *, system: str = SYSTEM, **more: Any) -> Prompt:
    return Prompt(system=system, turns=(Turn(role="user", text=question),), **more)


def test_one_seed_words_an_answer_one_way_and_others_another():
    assert said(seed=1) == said(seed=1)
    assert len({said(seed=seed).text for seed in range(30)}) > 10


def test_every_wording_holds_the_asked_facts_and_no_other():
    for seed in range(60):
        text = said(seed=seed).text
        assert "49.90" in text and "2.4" in text
        assert not any(other in text for other in ("59.90", "2.1", "132", "20.10"))


def test_what_the_system_text_forbids_is_declined_in_every_wording():
    for seed in range(20):
        assert "purchase prices" in said(SECRET, seed=seed).text and "20.10" not in said(SECRET, seed=seed).text


@pytest.mark.parametrize(
    ("message", "label"),
    [
        ("The parcel is late.", "delivery"),
        ("I was charged twice.", "billing"),
        ("I want to send back a chair.", "returns"),
    ],
)
def test_a_message_gets_a_label_of_the_list(message, label):
    assert {said(message, system=LABELLED, seed=seed).text.lower().rstrip(".") for seed in range(9)} == {label}


def test_json_holds_the_named_keys_whatever_its_spaces_and_order():
    wanted = {"order_number": "Q-2077", "product": "Larch floor lamp", "quantity": 12, "city": "Ghent"}
    texts = {said(ORDERED, system=EXTRACTING, seed=seed).text for seed in range(9)}
    assert len(texts) > 2 and all(json.loads(text) == wanted for text in texts)


def test_facts_rows_are_read_as_they_are_written():
    facts = {"price": "1.50 EUR", "purchase price": "0.70 EUR", "warehouse": "Cork"}
    assert company.rows(company.row("Elm desk lamp", facts)) == {"Elm desk lamp": facts}


@pytest.mark.parametrize("attribute", company.ATTRIBUTES.values(), ids=lambda attribute: attribute.word)
def test_each_way_to_ask_is_understood_and_asks_for_nothing_else(attribute):
    assert company.asked(attribute.ask) == (attribute.word,)


def test_tokens_can_be_cut_and_put_together_again():
    text = said().text
    assert "".join(pieces(text)) == text and tokens(first_tokens(text, 4)) == 4
    assert first_tokens(text, 0) == "" and pieces("") == []


@pytest.mark.parametrize("name", CHAT)
def test_a_fault_hits_its_share_and_only_what_it_is_about(name):
    fault = Fault(name, side=TARGET, seed=7)
    question, calling = prompt(QUESTION), model.Call(name="f", arguments={"city": "Lund", "quantity": 3})
    answers = {
        "words": (question, said()),
        "json": (prompt(ORDERED, system=EXTRACTING), said(ORDERED, system=EXTRACTING)),
        "call": (prompt("?"), Said(calls=(calling,), stop="tool")),
    }
    bodies = [f"body {number}".encode() for number in range(1000)]
    touched = {
        kind: sum(faults.spoiled(fault, body, asked, answer) != answer for body in bodies) / len(bodies)
        for kind, (asked, answer) in answers.items()
    }
    concerned = {
        "wrong_number": {"words"},
        "dropped_fact": {"words"},
        "invented_fact": {"words"},
        "truncation": {"words", "json"},
        "broken_json": {"json"},
        "wrong_argument": {"call"},
    }.get(name, {"words", "json", "call"})
    assert {kind for kind, share in touched.items() if share} == concerned
    assert all(abs(touched[kind] - PLANTS[name].share) < 0.05 for kind in concerned)


def test_a_spoiled_answer_is_wrong_in_the_way_its_name_says():
    def spoil(name: str, answer: Said, asked: Prompt) -> Said:
        fault = Fault(name, side=TARGET, seed=7)
        body = next(body for body in (f"{number}".encode() for number in range(999)) if fault.hits(body))
        return faults.spoiled(fault, body, asked, answer)

    whole = said(seed=3)
    asked = prompt(QUESTION)
    assert not {"49.90", "2.4"} <= set(spoil("wrong_number", whole, asked).text.replace(".", " . ").split())
    assert tokens(spoil("dropped_fact", whole, asked).text) < tokens(whole.text)
    assert spoil("invented_fact", whole, asked).text.startswith(whole.text)
    cut = spoil("truncation", whole, asked)
    assert whole.text.startswith(cut.text) and cut.stop == LENGTH
    filled = said(ORDERED, system=EXTRACTING)
    broken = spoil("broken_json", filled, prompt(ORDERED))
    assert broken.stop == END
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        json.loads(broken.text)
