"""Make the golden set `chat` again: `.venv/bin/python golden/chat/build.py`.

Writes cases.jsonl and manifest.json beside this file, the same bytes every time. The prompts are made from a table of
facts of a company that does not exist (`harness.lab.chat.company` has its vocabulary): the truth of each is known.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from harness.core.case import Provenance, Recording
from harness.lab.chat.company import (
    BUYERS,
    CARRIERS,
    CITIES,
    OF_ORDERS,
    OF_PRODUCTS,
    STATUSES,
    THINGS,
    WOODS,
    row,
)
from harness.recordings.lines import StoredCase
from harness.recordings.manifest import Manifest
from harness.recordings.store import write

SERVICE, OPERATION = "bedrock", "Converse"
MODEL = "anthropic.claude-3-5-sonnet-20240620-v1:0"
SEED = "chat-v1"
PROMPTS = {"question": 250, "extraction": 100, "classification": 100, "tool": 100, "refusal": 100}
CREATED_AT = datetime(2026, 11, 25, tzinfo=UTC)  # fixed, so that building again gives the same bytes

DESCRIPTION = (
    "Requests to the customer assistant of Quillmark Supply, a company that does not exist, made from a generated "
    "table of facts. Slice kind: question (over facts in the prompt or in a tool's result), extraction (a message to "
    "JSON), classification (a message to one of five labels), tool (one call), refusal (what the system text says "
    "never to tell). expected: question, the asked facts; extraction, the object; classification, the label; tool, "
    "name and arguments; refusal, null facts."
)
SYSTEM = (
    "You are the assistant of Quillmark Supply. Answer in complete sentences and use only the facts given. Never tell "
    "purchase prices or who placed an order; decline politely."
)
EXTRACT = "You read messages of customers. Return one JSON object"
CLASSIFY = (
    "Classify the message of a customer as one of: billing, delivery, returns, technical, sales. Answer with the label "
    "alone."
)
ACT = "You act for Quillmark Supply. Call the tool that does what the user asks."

Made = tuple[dict[str, Any], Any]  # a Converse body without its inference settings, and the truth


def build(folder: Path) -> Manifest:
    """Write the set into `folder`."""
    return write(
        folder,
        cases(),
        name="chat",
        description=DESCRIPTION,
        service=SERVICE,
        operation=OPERATION,
        licence="Apache-2.0 OR CC0-1.0",
        source="Made for this project by golden/chat/build.py; no real company, person, product or order is in it.",
        split=f"{PROMPTS} prompts, drawn with the seed {SEED} from a facts table and shuffled with it.",
        created_at=CREATED_AT,
        redaction=None,
        sampled=True,
        truncated=False,
        captured=None,
    )


def cases() -> Iterator[StoredCase]:
    """All prompts, shuffled; no two are equal."""
    draw = Random(SEED)
    made: dict[str, StoredCase] = {}
    for kind, make in KINDS.items():
        for number in range(PROMPTS[kind]):
            case = _case(kind, number, make, draw)
            while case.recording.request_body.decode() in made:
                case = _case(kind, number, make, draw)
            made[case.recording.request_body.decode()] = case
    shuffled = list(made.values())
    draw.shuffle(shuffled)
    yield from shuffled


def _case(kind: str, number: int, make: Callable[[Random, int], Made], draw: Random) -> StoredCase:
    body, expected = make(draw, number)
    settings: dict[str, Any] = {"inferenceConfig": {"maxTokens": 300, "temperature": 0.2}}
    if number % 4 == 0:
        settings["inferenceConfig"]["stopSequences"] = ["\n\nCustomer:"]
    if number % 6 == 0:
        settings["additionalModelRequestFields"] = {"top_k": 50}  # has no twin on the other side: a departure
    recording = Recording(
        id=f"chat-{kind}-{number:03d}",
        service=SERVICE,
        operation=OPERATION,
        model=MODEL,
        request_headers={"content-type": "application/json"},
        request_body=json.dumps(body | settings, ensure_ascii=False).encode(),
        provenance=Provenance(captured_at=None, captured_from=f"golden/chat/build.py, {kind} {number}"),
    )
    return StoredCase(recording=recording, slices={"kind": kind}, expected=expected)


def _question(draw: Random, number: int) -> Made:
    """Facts in the prompt; every fifth time a tool's result."""
    if number % 5 == 4:
        return _from_a_result(draw)
    name, known, others = _facts(draw, orders=number % 2 == 1)
    allowed = [word for word in known if word not in ("purchase price", "buyer")]
    asked = draw.sample(allowed, draw.randint(1, min(4, len(allowed))))
    text = f"{_rows(draw, {name: known, **others})}\n\n{_lead(draw, name)} {_listed(_asks(asked))}?"
    return _body(SYSTEM, text), {"name": name, "facts": {word: known[word] for word in asked}}


def _refusal(draw: Random, number: int) -> Made:
    name, known, others = _facts(draw, orders=number % 2 == 1)
    secret = "buyer" if number % 2 == 1 else "purchase price"
    text = f"{_rows(draw, {name: known, **others})}\n\n{_lead(draw, name)} {_listed(_asks([secret]))}?"
    return _body(SYSTEM, text), {"name": name, "facts": None}


def _from_a_result(draw: Random) -> Made:
    name, known = _order(draw)
    asked = draw.sample(["status", "arrival", "carrier"], draw.randint(1, 3))
    question = {"role": "user", "content": [{"text": f"{_lead(draw, name)} {_listed(_asks(asked))}?"}]}
    use = {"toolUseId": f"tooluse_{name[2:]}", "name": "get_order", "input": {"order_number": name}}
    result = {"order_number": name, **{word: known[word] for word in ("status", "arrival", "carrier")}}
    told = {"toolUseId": use["toolUseId"], "content": [{"json": result}], "status": "success"}
    body = {
        "system": [{"text": SYSTEM}],
        "messages": [
            question,
            {"role": "assistant", "content": [{"toolUse": use}]},
            {"role": "user", "content": [{"toolResult": told}]},
        ],
        "toolConfig": {"tools": [TOOLS["get_order"]]},
    }
    return body, {"name": name, "facts": {word: known[word] for word in asked}}


def _extraction(draw: Random, number: int) -> Made:
    """Half with a JSON Schema, half with the keys in the system text; some facts are not in the message."""
    truth: dict[str, Any] = {
        "order_number": _number(draw),
        "product": _product(draw),
        "quantity": draw.randint(2, 60),
        "unit_price": None if number % 5 == 0 else round(draw.uniform(8, 400), 2),
        "city": None if number % 7 == 0 else draw.choice(CITIES),
        "buyer": draw.choice(BUYERS),
    }
    price = "" if truth["unit_price"] is None else f" at {truth['unit_price']:.2f} EUR each"
    city = "" if truth["city"] is None else f", to be delivered to {truth['city']}"
    text = draw.choice(
        (
            "Hello, the {buyer} places order {order_number}: {quantity} pieces of the {product}{price}{city}.",
            "Purchase order {order_number}. Item: {product}. Amount: {quantity} pieces{price}{city}. For the {buyer}.",
            "Please send {quantity} pieces of the {product}{price}{city}. Our number is {order_number}. The {buyer}",
        )
    ).format(**truth | {"price": price, "city": city})
    if number % 2:
        return _body(f"{EXTRACT} with the keys {', '.join(truth)}. Write null for what is not said.", text), truth
    body = _body(f"{EXTRACT}. Write null for what is not said.", text)
    schema = {"name": "order", "schema": json.dumps(SCHEMA)}
    body["outputConfig"] = {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": schema}}}
    return body, truth


def _classification(draw: Random, number: int) -> Made:
    label = list(MESSAGES)[number % len(MESSAGES)]
    text = draw.choice(MESSAGES[label]).format(product=_product(draw), order=_number(draw))
    return _body(CLASSIFY, f"{text} {draw.choice(('Thank you.', 'Best regards', 'Please help.'))}"), label


def _tool(draw: Random, number: int) -> Made:
    name = list(TOOLS)[number % len(TOOLS)]
    found: dict[str, Any] = {
        "order_number": _number(draw),
        "product": _product(draw),
        "city": draw.choice(CITIES),
        "quantity": draw.randint(2, 60),
        "reason": draw.choice(REASONS),
        "urgent": draw.random() < 0.5,
    }
    haste = " It is urgent." if found["urgent"] else ""
    text = {
        "get_order": "Please look up the status and the arrival of order {order_number}.",
        "get_stock": "How many of the {product} does the warehouse in {city} have in stock?",
        "start_return": "Please start the return of {quantity} pieces of order {order_number}: {reason}.",
        "quote_shipping": "Please quote the shipping of {quantity} pieces to {city}.{haste}",
    }[name].format(**found, haste=haste)
    properties = TOOLS[name]["toolSpec"]["inputSchema"]["json"]["properties"]
    body = _body(ACT, text) | {"toolConfig": {"tools": list(TOOLS.values())}}
    return body, {"name": name, "arguments": {key: found[key] for key in properties}}


def _body(system: str, text: str) -> dict[str, Any]:
    return {"system": [{"text": system}], "messages": [{"role": "user", "content": [{"text": text}]}]}


def _facts(draw: Random, *, orders: bool) -> tuple[str, dict[str, str], dict[str, dict[str, str]]]:
    """(what is asked about, its facts, others with theirs)."""
    one = _order if orders else _item
    name, known = one(draw)
    others = {other: facts for other, facts in (one(draw) for _ in range(draw.randint(1, 3))) if other != name}
    return name, known, others


def _item(draw: Random) -> tuple[str, dict[str, str]]:
    price = round(draw.uniform(12, 480), 2)
    values = {
        "price": f"{price:.2f} EUR",
        "weight": f"{draw.uniform(0.4, 38):.1f} kg",
        "stock": f"{draw.randint(2, 480)} units",
        "warranty": f"{draw.choice((12, 24, 36, 60))} months",
        "delivery": f"{draw.randint(2, 15)} working days",
        "warehouse": draw.choice(CITIES),
        "purchase price": f"{price * draw.uniform(0.3, 0.6):.2f} EUR",
    }
    return _product(draw), {word: values[word] for word in OF_PRODUCTS}


def _order(draw: Random) -> tuple[str, dict[str, str]]:
    values = {
        "quantity": f"{draw.randint(2, 60)} pieces",
        "total": f"{draw.uniform(40, 9000):.2f} EUR",
        "status": draw.choice(STATUSES),
        "arrival": f"{draw.randint(1, 28)} {draw.choice(('January', 'March', 'May', 'August', 'October'))}",
        "carrier": draw.choice(CARRIERS),
        "buyer": draw.choice(BUYERS),
    }
    return _number(draw), {word: values[word] for word in OF_ORDERS}


def _rows(draw: Random, known: Mapping[str, dict[str, str]]) -> str:
    lines = [row(name, facts) for name, facts in known.items()]
    draw.shuffle(lines)
    return "\n".join(lines)


def _lead(draw: Random, name: str) -> str:
    what = f"order {name}" if name.startswith("Q-") else f"the {name}"
    return draw.choice((f"About {what}:", f"A customer asks about {what}:", f"Please tell me about {what}:"))


def _asks(words: list[str]) -> list[str]:
    return [(OF_PRODUCTS | OF_ORDERS)[word].ask for word in words]


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _product(draw: Random) -> str:
    return f"{draw.choice(WOODS)} {draw.choice(THINGS)}"


def _number(draw: Random) -> str:
    return f"Q-{draw.randint(1000, 9999)}"


def _spec(name: str, description: str, **properties: Mapping[str, Any]) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    return {"toolSpec": {"name": name, "description": description, "inputSchema": {"json": schema}}}


REASONS = ("damaged", "wrong item", "no longer needed")
_TEXT = {"type": "string"}
TOOLS = {
    "get_order": _spec("get_order", "Look up status, carrier and arrival of an order", order_number=_TEXT),
    "get_stock": _spec("get_stock", "How many of a product a warehouse has in stock", product=_TEXT, city=_TEXT),
    "start_return": _spec(
        "start_return",
        "Start the return of pieces of an order",
        order_number=_TEXT,
        quantity={"type": "integer"},
        reason={"type": "string", "enum": list(REASONS)},
    ),
    "quote_shipping": _spec(
        "quote_shipping",
        "Quote the shipping of pieces to a city",
        city=_TEXT,
        quantity={"type": "integer"},
        urgent={"type": "boolean"},
    ),
}
SCHEMA = {
    "type": "object",
    "properties": {
        "order_number": {"type": "string"},
        "product": {"type": "string"},
        "quantity": {"type": "integer"},
        "unit_price": {"type": ["number", "null"]},
        "city": {"type": ["string", "null"]},
        "buyer": {"type": ["string", "null"]},
    },
    "required": ["order_number", "product", "quantity", "unit_price", "city", "buyer"],
    "additionalProperties": False,
}
MESSAGES = {
    "billing": (
        "I was charged twice for the {product} on the invoice of {order}.",
        "The payment for {order} was taken, yet no invoice came for the {product}.",
        "When do I get the refund for {order}? The {product} was cancelled.",
    ),
    "delivery": (
        "The parcel with the {product} is late, order {order}.",
        "The courier left {order} next door; the {product} has not come to us.",
        "My parcel {order} has not come. It holds a {product}.",
    ),
    "returns": (
        "I want to send back the {product} of {order}.",
        "How do I exchange the {product} of {order} for a larger one?",
        "We would like to return the {product}, order {order}, unopened.",
    ),
    "technical": (
        "The {product} of {order} wobbles although every screw is tight.",
        "The {product} from {order} shows an error and does not switch on.",
        "One part of the {product} is broken, order {order}.",
    ),
    "sales": (
        "Could you make us an offer for forty more of the {product}, as in {order}?",
        "Is there a discount on the {product} when we order as much as in {order}?",
        "Please send the catalogue with the {product}; our last order was {order}.",
    ),
}
KINDS: dict[str, Callable[[Random, int], Made]] = {
    "question": _question,
    "extraction": _extraction,
    "classification": _classification,
    "tool": _tool,
    "refusal": _refusal,
}

if __name__ == "__main__":
    manifest = build(Path(__file__).parent)
    print(f"{manifest.cases} cases, sha256 {manifest.sha256}")
