"""The vocabulary of Quillmark Supply, a company that does not exist: what its facts are called, asked for and said.

A facts row of a prompt reads `- Alder desk lamp: price 49.90 EUR; weight 2.4 kg; warehouse Lund`. The golden set is
built from these words and the model reads prompts with them, so neither knows a case that the other does not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

WOODS = ("Alder", "Birch", "Cedar", "Elm", "Hazel", "Juniper", "Larch", "Maple", "Rowan", "Spruce")
THINGS = ("desk lamp", "floor lamp", "office chair", "standing desk", "filing cabinet", "book shelf", "monitor arm")
CITIES = ("Lund", "Porto", "Ghent", "Turku", "Graz", "Cork", "Brno", "Nantes")
CARRIERS = ("Northline", "Swiftfreight", "Harbour Post")
STATUSES = ("packed", "shipped", "delayed", "delivered")
BUYERS = ("Marlow Institute", "Tarn Valley School", "Ostrava Print Works", "Bellhaven Clinic", "Fernmoor Library")

PRODUCT = re.compile(rf"\b(?:{'|'.join(WOODS)}) (?:{'|'.join(THINGS)})")
ORDER = re.compile(r"\bQ-\d{4}\b")
CITY = re.compile(rf"\b(?:{'|'.join(CITIES)})\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One thing that is known of a product or an order.

    ask: how a question asks for it. cue: what in a question asks for it. says: clauses, `{}` for the value. units: how
    a value may be written, `{}` for the number; without any, the value is a word. as_first: in a facts row, `units[0]`.
    """

    word: str
    ask: str
    cue: str
    says: tuple[str, ...]
    units: tuple[str, ...] = ("{}",)

    def written(self, value: str) -> tuple[str, ...]:
        """The ways to write a value that a facts row gives as `units[0]`."""
        before, _, after = self.units[0].partition("{}")
        number = value.removeprefix(before).removesuffix(after)
        return tuple(form.format(number) for form in self.units)


def _table(*attributes: Attribute) -> dict[str, Attribute]:
    return {attribute.word: attribute for attribute in attributes}


OF_PRODUCTS = _table(
    Attribute(
        word="price",
        ask="what does it cost",
        cue=r"\bcosts?\b(?! us)|\bthe price\b",
        says=("costs {}", "has a price of {}"),
        units=("{} EUR", "EUR {}", "{} euros"),
    ),
    Attribute(
        word="weight",
        ask="how much does it weigh",
        cue=r"\bweighs?\b",
        says=("weighs {}", "has a weight of {}"),
        units=("{} kg",),
    ),
    Attribute(
        word="stock",
        ask="how many are in stock",
        cue=r"\bin stock\b",
        says=("is in stock with {}", "is on stock with {}"),
        units=("{} units",),
    ),
    Attribute(
        word="warranty",
        ask="how long is its warranty",
        cue=r"\bwarranty\b",
        says=("comes with a warranty of {}", "has a warranty of {}"),
        units=("{} months",),
    ),
    Attribute(
        word="delivery",
        ask="how long does delivery take",
        cue=r"\bdelivery\b",
        says=("is delivered within {}", "will be delivered within {}"),
        units=("{} working days",),
    ),
    Attribute(
        word="warehouse",
        ask="which warehouse holds it",
        cue=r"\bwarehouse\b",
        says=("is in the warehouse in {}", "is kept in the warehouse in {}"),
    ),
    Attribute(
        word="purchase price",
        ask="what do you pay the supplier for it",
        cue=r"\bsupplier\b|\bpurchase prices?\b",
        says=("is bought for {}", "has a purchase price of {}"),
        units=("{} EUR", "EUR {}"),
    ),
)
OF_ORDERS = _table(
    Attribute(
        word="quantity",
        ask="how many pieces are in it",
        cue=r"\bhow many pieces\b",
        says=("holds {}", "has {} in it"),
        units=("{} pieces",),
    ),
    Attribute(
        word="total",
        ask="what is its total",
        cue=r"\btotal\b",
        says=("has a total of {}", "totals {}"),
        units=("{} EUR", "EUR {}", "{} euros"),
    ),
    Attribute(
        word="status",
        ask="what is its status",
        cue=r"\bstatus\b",
        says=("is {}", "has the status {}"),
    ),
    Attribute(
        word="arrival",
        ask="when does it arrive",
        cue=r"\bwhen\b.*\barrive",
        says=("arrives on {}", "is to arrive on {}"),
    ),
    Attribute(
        word="carrier",
        ask="who carries it",
        cue=r"\bwho carries\b",
        says=("is carried by {}", "is being carried by {}"),
    ),
    Attribute(
        word="buyer",
        ask="who placed it",
        cue=r"\bwho placed\b",
        says=("was placed by {}", "was ordered by {}"),
    ),
)
ATTRIBUTES: Mapping[str, Attribute] = OF_PRODUCTS | OF_ORDERS
_BY_LENGTH = sorted(ATTRIBUTES, key=len, reverse=True)  # "purchase price" before "price"


def row(name: str, facts: Mapping[str, str]) -> str:
    """A line of a prompt that holds what is known of one product or order."""
    return f"- {name}: " + "; ".join(f"{word} {value}" for word, value in facts.items())


def rows(text: str) -> dict[str, dict[str, str]]:
    """name -> attribute -> value, of every facts row in a text."""
    found: dict[str, dict[str, str]] = {}
    for name, rest in re.findall(r"^- ([^:\n]+): (.+)$", text, re.MULTILINE):
        for part in rest.split("; "):
            word = next((word for word in _BY_LENGTH if part.startswith(f"{word} ")), None)
            if word is not None:
                found.setdefault(name, {})[word] = part.removeprefix(f"{word} ")
    return found


def asked(question: str) -> tuple[str, ...]:
    """The attributes that a question asks for, in the order of the question."""
    places = {word: re.search(attribute.cue, question, re.IGNORECASE) for word, attribute in ATTRIBUTES.items()}
    found = {word: match.start() for word, match in places.items() if match is not None}
    return tuple(sorted(found, key=found.__getitem__))
