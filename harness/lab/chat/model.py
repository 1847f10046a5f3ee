"""The answers: what a prompt asks for is found in the prompt, and nowhere else.

In this order: a tool's result is told; a tool that fits is called; JSON is filled from the message; a message gets one
of the labels that the system text lists; a question is answered from facts rows, or declined where the system text says
"Never tell ...". Without such an instruction there is only a vague answer, as from a model that was told nothing: a
request that lost a part on its way is answered differently.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from random import Random
from typing import Any

from harness.lab.chat import wording
from harness.lab.chat.company import BUYERS, CITY, ORDER, PRODUCT, asked, rows
from harness.lab.chat.prompt import TOOL, Call, Prompt, Said, Tool, ended

# What makes a customer's message one of the labels; the first label with the most cues has it.
LABELS: Mapping[str, tuple[str, ...]] = {
    "billing": ("invoice", "charged", "payment", "refund"),
    "delivery": ("parcel", "courier", "late", "has not come"),
    "returns": ("send back", "return", "exchange"),
    "technical": ("broken", "does not switch on", "wobbles", "error"),
    "sales": ("offer", "discount", "catalogue", "quote"),
}
_FORBIDDEN = re.compile(r"Never tell ([^.;]+)")
_LABELS = re.compile(r"one of: ([a-z]+(?:, [a-z]+)*)")
_KEYS = re.compile(r"keys ([a-z_]+(?:, [a-z_]+)*)")
_TOLD = {"purchase price": "purchase prices", "buyer": "who placed an order"}


def answer(prompt: Prompt, draw: Random) -> Said:
    """What the model says to a prompt; `draw` decides how it words it."""
    return ended(_answer(prompt.instructed(), draw), prompt)


def _answer(prompt: Prompt, draw: Random) -> Said:
    if prompt.turns and prompt.turns[-1].results:
        return Said(text=_from_result(prompt, draw))
    tool = _tool(prompt)
    if tool is not None:
        call = Call(name=tool.name, arguments=_arguments(tool, prompt.question, draw))
        return Said(text=draw.choice(wording.LOOKING), calls=(call,), stop=TOOL)
    keys = list((prompt.schema or {}).get("properties", ())) or _listed(_KEYS, prompt.system)
    if keys:
        return Said(text=wording.document(draw, extracted(prompt.question, keys)))
    labels = _listed(_LABELS, prompt.system)
    if labels:
        return Said(text=wording.label(draw, label_of(prompt.question, labels)))
    return Said(text=_from_facts(prompt, draw))


def _from_facts(prompt: Prompt, draw: Random) -> str:
    question = prompt.question
    wanted = asked(re.sub(r"^- .*$", "", question, flags=re.MULTILINE))
    if "use only the facts" not in prompt.system:
        return draw.choice(wording.NO_TOOL if ORDER.search(question) and not rows(question) else wording.VAGUE)
    forbidden = _FORBIDDEN.search(prompt.system)
    secret = [word for word in asked(forbidden[1]) if word in wanted] if forbidden else []
    if secret:
        return wording.refusal(draw, _TOLD.get(secret[0], "that"))
    known = rows(f"{prompt.system}\n{question}")
    plain = re.sub(r"^- .*$", "", question, flags=re.MULTILINE)
    name = next((name for name in known if name in plain), None)
    told = [(word, known[name][word]) for word in wanted if word in known[name]] if name is not None else []
    return wording.sentences(draw, name, told) if name is not None and told else draw.choice(wording.UNKNOWN)


def _from_result(prompt: Prompt, draw: Random) -> str:
    try:
        result = json.loads(prompt.turns[-1].results[-1])
    except ValueError:
        return draw.choice(wording.UNKNOWN)
    facts = {word: str(value) for word, value in result.items()} if isinstance(result, dict) else {}
    name = facts.get("order_number") or facts.get("product")
    told = [(word, facts[word]) for word in asked(prompt.question) if word in facts]
    return wording.sentences(draw, name, told) if name and told else draw.choice(wording.UNKNOWN)


def _tool(prompt: Prompt) -> Tool | None:
    """The tool that must be called, or the one whose name and description share most words with the question."""
    named = next((tool for tool in prompt.tools if tool.name == prompt.only_tool), None)
    words = _words(prompt.question)
    shared = {tool.name: len(words & _words(f"{tool.name} {tool.description}")) for tool in prompt.tools}
    best = max(prompt.tools, key=lambda tool: shared[tool.name], default=None)
    return named or (best if best is not None and shared[best.name] else None)


def _words(text: str) -> set[str]:
    return {word for word in re.findall(r"[a-z]+", text.lower()) if len(word) > 3}


def _arguments(tool: Tool, question: str, draw: Random) -> dict[str, Any]:
    found = extracted(question, list(tool.schema.get("properties", ())))
    for name, schema in tool.schema.get("properties", {}).items():
        words = schema.get("enum", ()) if isinstance(schema, dict) else ()
        if words:
            found[name] = next((word for word in words if word in question), None)
    names = [name for name, value in found.items() if value is not None]
    if draw.random() < 0.3:
        draw.shuffle(names)
    return {name: found[name] for name in names}


def extracted(message: str, keys: list[str]) -> dict[str, Any]:
    """The named facts of a customer's message; None for what it does not say or nobody taught the model."""
    order, product, city = (pattern.search(message) for pattern in (ORDER, PRODUCT, CITY))
    quantity = re.search(r"\b(\d+) pieces", message)
    price = re.search(r"\b(\d+\.\d\d) EUR", message)
    buyer = next((buyer for buyer in BUYERS if buyer in message), None)
    found: dict[str, Any] = {
        "order_number": order[0] if order else None,
        "product": product[0] if product else None,
        "city": city[0] if city else None,
        "quantity": int(quantity[1]) if quantity else None,
        "unit_price": float(price[1]) if price else None,
        "buyer": buyer,
        "urgent": "urgent" in message,
    }
    return {key: found.get(key) for key in keys}


def label_of(message: str, labels: list[str]) -> str:
    """The label with most of its cues in the message; the first listed where none is there."""
    text = message.lower()
    return max(labels, key=lambda label: sum(cue in text for cue in LABELS.get(label, ())))


def _listed(pattern: re.Pattern[str], text: str) -> list[str]:
    match = pattern.search(text)
    return match[1].split(", ") if match else []
