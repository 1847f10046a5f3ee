"""Paraphrases: one meaning in several words, drawn from a generator that the caller seeds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from harness.lab.chat.company import ATTRIBUTES, ORDER

REFUSALS = (
    "I'm sorry, but I can't share {what}.",
    "I am sorry, I cannot share {what}.",
    "Sorry, but I can't disclose {what}.",
    "I'm afraid I cannot disclose {what}.",
)
CLOSINGS = ("", "", " Is there anything else I can help with?")
LOOKING = ("", "", "Let me check that.", "I will look that up.")
VAGUE = (
    "Thank you for your question! That depends on the supplier, so I would suggest looking at their catalogue.",
    "Great question! This differs from supplier to supplier; their catalogue is the best place to look.",
)
UNKNOWN = ("The facts that I was given do not say that.", "That is not among the facts that I was given.")
NO_TOOL = ("I have no way to look that up.", "I am not able to look that up from here.")


def sentences(draw: Random, name: str, facts: Sequence[tuple[str, str]]) -> str:
    """What is known of a product or order, (attribute, value) pairs, in one or more sentences."""
    told = list(facts)
    if draw.random() < 0.25:
        draw.shuffle(told)
    clauses = [
        draw.choice(ATTRIBUTES[word].says).format(draw.choice(ATTRIBUTES[word].written(value))) for word, value in told
    ]
    groups: list[list[str]] = []
    for clause in clauses:
        if groups and len(groups[-1]) == 1 and draw.random() < 0.7:
            groups[-1].append(clause)
        else:
            groups.append([clause])
    subject = f"order {name}" if ORDER.fullmatch(name) else f"the {name}"
    subjects = [subject[0].upper() + subject[1:], *["It"] * (len(groups) - 1)]
    return " ".join(f"{who} {' and '.join(group)}." for who, group in zip(subjects, groups, strict=True))


def refusal(draw: Random, what: str) -> str:
    """A polite refusal to tell `what`."""
    return draw.choice(REFUSALS).format(what=what) + draw.choice(CLOSINGS)


def label(draw: Random, word: str) -> str:
    """A label, as a model writes one that was told to write nothing else."""
    return draw.choice((word, word, word.capitalize(), f"{word}."))


def document(draw: Random, value: Mapping[str, Any]) -> str:
    """A JSON object: the order of its members and its white space are nobody's promise."""
    names = list(value)
    if draw.random() < 0.5:
        draw.shuffle(names)
    indent = draw.choice((None, None, 2))
    return json.dumps({name: value[name] for name in names}, indent=indent, ensure_ascii=False)
