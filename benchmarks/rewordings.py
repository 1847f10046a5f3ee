"""Long answers made from facts, rewordings of them that change nothing, and rewordings with one planted defect.

Each fact can be said in several ways, each number and date be written in several; a rewording chooses again, now and
then swaps two sentences, makes one of two, and puts words in place of others. Nothing here is taken from the scorer: it
has no list of words in common with it. All names are made up.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass

KINDS = ("same", "reworded", "number", "name", "negation", "dropped third", "small word")

# Each line: ways to say one fact. {P} place, {C} company, {N} person, {n} number, {y} year, {d} date, {p} percent,
# {m} money; the number behind the letter tells facts of one kind apart.
FACTS = [
    ["{C1} was founded in {y1} by {N1}.", "{N1} founded {C1} in {y1}.", "In {y1}, {N1} set up {C1}."],
    [
        "The company has its headquarters in {P1}.",
        "Its head office is in {P1}.",
        "The firm is based in {P1}.",
    ],
    [
        "It employs {n1} people at {n2} sites.",
        "There are {n1} employees at its {n2} sites.",
        "A workforce of {n1} is spread over {n2} sites.",
    ],
    [
        "Sales rose by {p1} to {m1} last year.",
        "Last year its sales went up {p1}, reaching {m1}.",
        "Sales grew {p1} last year and came to {m1}.",
    ],
    [
        "The plant near {P2} can produce {n3} units a day.",
        "Up to {n3} units can be made each day at the plant near {P2}.",
        "Each day, the plant near {P2} is able to turn out {n3} units.",
    ],
    [
        "{N2} has been chief executive since {d1}.",
        "Since {d1} the chief executive has been {N2}.",
        "The chief executive is {N2}, who took over on {d1}.",
    ],
    [
        "Orders above {m2} are delivered free of charge.",
        "Delivery is free for orders above {m2}.",
        "There is no delivery fee on orders over {m2}.",
    ],
    [
        "Customers can return goods within {n4} days of receipt.",
        "Goods can be sent back within {n4} days after they were received.",
        "There are {n4} days after receipt in which customers can return goods.",
    ],
    [
        "The warranty was extended to {n5} months for all models.",
        "For all models, the warranty was lengthened to {n5} months.",
        "All models come with a warranty that was extended to {n5} months.",
    ],
    [
        "Support is available from {P3} around the clock.",
        "The support team in {P3} is available around the clock.",
        "Around the clock, help is available from the team in {P3}.",
    ],
    [
        "The newest model, the {C2}, weighs {n6} kg and runs for {n7} hours.",
        "Weighing {n6} kg, the newest model is called the {C2} and will run for {n7} hours.",
        "The {C2} is the newest model: it weighs {n6} kg and runs {n7} hours.",
    ],
    [
        "A contract with the city of {P4} was signed on {d2}.",
        "On {d2} the company signed a contract with the city of {P4}.",
        "The contract with the city of {P4} dates from {d2}.",
    ],
    [
        "{N3}, who leads research, expects results by {y2}.",
        "Results are expected by {y2}, according to {N3}, the head of research.",
        "The research lead {N3} expects to see results by {y2}.",
    ],
    [
        "About {p2} of its energy is drawn from wind.",
        "Wind is the source of roughly {p2} of its energy.",
        "Some {p2} of the energy that it uses is wind power.",
    ],
    [
        "The board was enlarged to {n8} members after a vote in {P5}.",
        "After a vote in {P5}, the board was enlarged and has {n8} members.",
        "A vote in {P5} was followed by an enlargement of the board to {n8} members.",
    ],
    [
        "Its shares are listed in {P6} under the name of {C3}.",
        "Under the name of {C3}, its shares are traded in {P6}.",
        "The shares are listed in {P6}, where they are called {C3}.",
    ],
]
SWAPS = [
    ("company", "firm"),
    ("last year", "in the past year"),
    ("people", "persons"),
    ("newest", "latest"),
    ("expects", "anticipates"),
    ("can", "is able to"),
    ("goods", "products"),
    ("around the clock", "at any hour"),
]
# One of these makes another statement of a fact, with as little as possible.
SMALL = [
    ("rose by", "fell by"),
    ("went up", "went down"),
    ("grew", "shrank"),
    ("above", "below"),
    ("over", "under"),
    ("within", "after"),
    ("since", "until"),
    ("Since", "Until"),
    ("extended", "shortened"),
    ("lengthened", "shortened"),
    ("all models", "some models"),
    ("All models", "Some models"),
    ("newest", "oldest"),
    ("after a vote", "before a vote"),
    ("After a vote", "Before a vote"),
    ("enlarged", "reduced"),
    ("can", "must"),
    ("Up to", "At least"),
    ("Customers", "Suppliers"),
    ("free", "cheap"),
    ("signed", "cancelled"),
]
OPENINGS = ["", "", "", "Here is what is known. ", "In short: ", "Certainly! "]
STARTS = [
    "Bar",
    "Cal",
    "Dor",
    "Fen",
    "Gil",
    "Hal",
    "Kel",
    "Lor",
    "Mar",
    "Nor",
    "Pel",
    "Ros",
    "Sel",
    "Tor",
    "Vel",
    "Wen",
    "Zan",
    "Bri",
    "Cro",
    "Dra",
]
ENDS = ["ton", "wick", "mere", "vale", "ford", "holm", "gate", "by", "stad", "burg", "ona", "ira", "ello", "anda", "ix"]
FIRST = [
    "Ada",
    "Boris",
    "Clara",
    "Dirk",
    "Elif",
    "Farid",
    "Greta",
    "Hugo",
    "Ilse",
    "Jonas",
    "Katya",
    "Leon",
    "Mina",
    "Nils",
    "Olga",
    "Pavel",
]
LAST = [
    "Abeling",
    "Brandvik",
    "Castellan",
    "Dombey",
    "Erikson",
    "Farrow",
    "Gellner",
    "Hartog",
    "Isakov",
    "Jansen",
    "Kessler",
    "Lindqvist",
]
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]


@dataclass(frozen=True, slots=True)
class Story:
    """facts: numbers of FACTS, in order. values: what each slot holds, not yet written in any form."""

    facts: tuple[int, ...]
    values: Mapping[str, object]


def story(draw: random.Random, sentences: int = 12) -> Story:
    facts = draw.sample(range(len(FACTS)), sentences)
    values: dict[str, object] = {}
    for slot in sorted({slot for ways in FACTS for way in ways for slot in re.findall(r"\{(\w+)\}", way)}):
        values[slot] = _value(draw, slot[0], set(map(str, values.values())))
    return Story(tuple(facts), values)


def long_answers(count: int, *, seed: int) -> list[str]:
    """Texts of about 150 words."""
    return [told(story(random.Random(seed * 1_000_003 + number)), random.Random(number)) for number in range(count)]


def variants(text: str, *, seed: int) -> dict[str, str]:
    """Of one of `long_answers`: the same text, a rewording, and rewordings with one defect each."""
    draw = random.Random(seed)
    found = _STORIES[text]
    made = {"same": text, "reworded": reworded(found, draw)}
    made["number"] = reworded(_changed(found, draw, "nymdp"), draw)
    made["name"] = reworded(_changed(found, draw, "PCN"), draw)
    made["negation"] = reworded(found, draw, negated=True)
    kept = list(found.facts)
    for gone in draw.sample(kept, len(kept) // 3):
        kept.remove(gone)
    made["dropped third"] = reworded(Story(tuple(kept), found.values), draw)
    made["small word"] = _other_word(reworded(found, draw), draw)
    return made


_STORIES: dict[str, Story] = {}


def told(of: Story, draw: random.Random) -> str:
    text = " ".join(_said(FACTS[fact][0], of.values, draw, plain=True) for fact in of.facts)
    _STORIES[text] = of
    return text


def reworded(of: Story, draw: random.Random, *, negated: bool = False) -> str:
    facts = list(of.facts)
    if draw.random() < 0.5:
        place = draw.randrange(len(facts) - 1)
        facts[place], facts[place + 1] = facts[place + 1], facts[place]
    sentences = [_said(draw.choice(FACTS[fact]), of.values, draw, plain=False) for fact in facts]
    if draw.random() < 0.5:
        place = draw.randrange(len(sentences) - 1)
        after = sentences.pop(place + 1)
        after = after if after.startswith(tuple(map(str, of.values.values()))) else after[0].lower() + after[1:]
        sentences[place] = f"{sentences[place][:-1]}, and {after}"
    text = " ".join(sentences)
    for old, new in SWAPS:
        if draw.random() < 0.3:
            text = re.sub(rf"\b{old}\b", new, text)
    text = _negated(text, draw) if negated else text
    return draw.choice(OPENINGS) + text


def _said(way: str, values: Mapping[str, object], draw: random.Random, *, plain: bool) -> str:
    return re.sub(r"\{(\w)(\w+)\}", lambda slot: _written(slot[1], values[slot[1] + slot[2]], draw, plain), way)


def _value(draw: random.Random, kind: str, taken: set[str]) -> object:
    while True:
        match kind:
            case "P" | "C":
                value: object = draw.choice(STARTS) + draw.choice(ENDS)
            case "N":
                value = f"{draw.choice(FIRST)} {draw.choice(LAST)}"
            case "y":
                value = draw.randrange(1950, 2024)
            case "d":
                value = (draw.randrange(1990, 2024), draw.randrange(1, 13), draw.randrange(1, 29))
            case "p":
                value = draw.randrange(3, 60)
            case "m":
                value = draw.randrange(1, 90) * 10 ** draw.choice([1, 2, 3, 6])
            case _:
                value = draw.choice([draw.randrange(2, 13), draw.randrange(13, 100), draw.randrange(1, 90) * 1000])
        if str(value) not in taken:
            return value


def _written(kind: str, value: object, draw: random.Random, plain: bool) -> str:  # noqa: FBT001
    way = 0 if plain else draw.randrange(3)
    match kind, value:
        case "d", (year, month, day):
            assert isinstance(month, int)
            name = MONTHS[month - 1]
            return (f"{day} {name} {year}", f"{name} {day}, {year}", f"{year}-{month:02}-{day:02}")[way]
        case "p", _:
            return (f"{value} %", f"{value}%", f"{value} percent")[way]
        case "m", int():
            return (f"${value:,}", f"{_amount(value)} dollars", f"USD {value:,}")[way]
        case "n", int() if value < len(WORDS):
            return (str(value), WORDS[value], str(value))[way]
        case "n", int():
            return (f"{value:,}", str(value), f"{value:,}")[way]
        case _:
            return str(value)


def _amount(value: int) -> str:
    return f"{value / 1e6:g} million" if value >= 10**6 else f"{value:,}"


def _changed(of: Story, draw: random.Random, kinds: str) -> Story:
    """One slot that is told, of these kinds, with another value."""
    slots = [slot for fact in of.facts for slot in re.findall(r"\{(\w+)\}", FACTS[fact][0]) if slot[0] in kinds]
    slot = draw.choice(slots)
    new = _value(draw, slot[0], set(map(str, of.values.values())))
    if slot[0] == "d" and draw.random() < 0.5:
        (year, month, day), (other, *_) = of.values[slot], new  # type: ignore[misc]
        new = (other, month, day) if other != year else (year, month, day % 28 + 1)
    return Story(of.facts, {**of.values, slot: new})


def _other_word(text: str, draw: random.Random) -> str:
    """One small word of SMALL replaced in one place."""
    places = [(found, new) for old, new in SMALL for found in re.finditer(rf"\b{re.escape(old)}\b", text)]
    found, new = draw.choice(places)
    return f"{text[: found.start()]}{new}{text[found.end() :]}"


def _negated(text: str, draw: random.Random) -> str:
    places = list(re.finditer(r"\b(?:is|was|are|were|has|can|will)\b(?! not)(?! no )", text))
    found = draw.choice(places)
    return f"{text[: found.end()]} not{text[found.end() :]}"
