"""What the planted faults of the chat suite do to an answer. Which requests are hit, `plants.Fault` decides."""

from __future__ import annotations

import re
from dataclasses import replace
from random import Random
from typing import Any

from harness.lab.chat import wording
from harness.lab.chat.company import rows
from harness.lab.chat.prompt import FILTER, LENGTH, Call, Prompt, Said, first_tokens, tokens
from harness.lab.plants import PLANTS, Fault

INVENTED = (
    "It also comes with a set of spare parts worth 15.00 EUR.",
    "It has won the design award of the city of Graz.",
    "Customers in Cork receive it one day earlier.",
    "It is made of recycled aluminium only.",
)
NAMES = frozenset(plant.name for plant in PLANTS.values() if plant.suite == "chat")
THOUGHT = 256  # tokens of reasoning that leave nothing for the answer


def spoiled(fault: Fault, body: bytes, prompt: Prompt, said: Said) -> Said:
    """The answer as the planted fault lets it out; the same object where none is, or where it has no hold."""
    if fault.name not in NAMES or not fault.hits(body):
        return said
    draw = Random(fault.draw(body, "how"))
    in_json, from_facts = said.text.startswith("{"), bool(rows(prompt.question))
    match fault.name:
        case "wrong_number" if not in_json:
            return replace(said, text=_with_wrong_number(said.text, draw))
        case "dropped_fact" if from_facts:
            return replace(said, text=_without_a_fact(said.text))
        case "invented_fact" if from_facts:
            return replace(said, text=f"{said.text} {draw.choice(INVENTED)}")
        case "refusals":
            return Said(text=wording.refusal(draw, "information of this kind"))
        case "truncation" if not said.calls:
            return replace(said, text=first_tokens(said.text, tokens(said.text) * 2 // 5), stop=LENGTH)
        case "empty_text":
            return Said(stop=LENGTH, reasoning_tokens=THOUGHT)
        case "broken_json" if in_json:
            return replace(said, text=said.text[: len(said.text) * 2 // 3])
        case "wrong_argument" if said.calls:
            return replace(said, calls=(_with_wrong_argument(said.calls[0], draw), *said.calls[1:]))
        case "overeager_filter" if draw.random() < 0.5:
            return Said(stop=FILTER, prompt_blocked=True)
        case "overeager_filter":
            return Said(text=first_tokens(said.text, 3), stop=FILTER)
    return said


def _with_wrong_number(text: str, draw: Random) -> str:
    """One number that is no order's is another, 10 to 60 % away."""
    numbers = list(re.finditer(r"(?<!Q-)\b\d+(?:\.\d+)?\b", text))
    if not numbers:
        return text
    match = draw.choice(numbers)
    value = float(match[0]) * (1 + draw.choice((-1, 1)) * draw.uniform(0.1, 0.6))
    places = len(match[0].partition(".")[2])
    other = f"{value + (0 if places else 1):.{places}f}"
    return text[: match.start()] + other + text[match.end() :]


def _without_a_fact(text: str) -> str:
    first, _, rest = text.partition(". ")
    return f"{first}." if rest else f"{first.rpartition(' and ')[0] or first.rstrip('.')}."


def _with_wrong_argument(call: Call, draw: Random) -> Call:
    if not call.arguments:
        return call
    name = draw.choice(sorted(call.arguments))
    return Call(name=call.name, arguments={**call.arguments, name: _another(call.arguments[name], draw)})


def _another(value: Any, draw: Random) -> Any:
    match value:
        case bool():
            return not value
        case int() | float():
            return value + draw.choice((1, 10))
        case _:
            text = str(value)
            return f"Q-{draw.randrange(1000, 10000)}" if text.startswith("Q-") else f"{text} II"
