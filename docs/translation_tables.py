"""Write docs/translation-tables.md: what becomes of every documented parameter, and what each model takes.

    .venv/bin/python docs/translation_tables.py

Nothing here is written by hand: each parameter of documented_requests.toml goes through the real codecs and pairs, and
the models' limits come from the package's tables. `tests/pairs/test_translation_tables.py` fails when the page is old,
and when a parameter is neither sent nor told.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from harness.config import SideSettings
from harness.core import registry
from harness.core.call import Side
from harness.core.case import Provenance, Recording
from harness.errors import HarnessError
from harness.pairs._parts.catalog import SERVICES, Family, shipped
from harness.run.translation import Translated, Translator

HERE = Path(__file__).parent
PAGE = HERE / "translation-tables.md"
DOCUMENTED = HERE / "documented_requests.toml"
SENT, LOST = "sent", "LOST"

# service of the source -> (heading, pair, model, form of the API)
TARGETS = {
    "bedrock": (
        ("gpt-4o, chat", "bedrock_to_azure_openai", "gpt-4o", "chat"),
        ("gpt-4o, responses", "bedrock_to_azure_openai", "gpt-4o", "responses"),
        ("gpt-5, chat", "bedrock_to_azure_openai", "gpt-5", "chat"),
        ("Claude on Foundry", "bedrock_to_foundry", "claude-sonnet-4-5", None),
        ("Mistral on Foundry", "bedrock_to_foundry", "mistral-large-3", None),
    ),
    "azure_openai": (
        ("Claude, Converse", "azure_openai_to_bedrock", "claude-sonnet-4-5", "converse"),
        ("Claude, InvokeModel", "azure_openai_to_bedrock", "claude-sonnet-4-5", "invoke"),
        ("Claude after 4.6, Converse", "azure_openai_to_bedrock", "claude-opus-4-7", "converse"),
        ("Nova, Converse", "azure_openai_to_bedrock", "nova-pro", "converse"),
    ),
    "foundry": (
        ("Claude, Converse", "foundry_to_bedrock", "claude-sonnet-4-5", "converse"),
        ("Claude, InvokeModel", "foundry_to_bedrock", "claude-sonnet-4-5", "invoke"),
    ),
}
# task, service of the source -> the same
OTHERS = {
    ("embedding", "azure_openai"): (("Titan", "azure_openai_to_bedrock", "titan-embed-text-v2", None),),
    ("image", "azure_openai"): (("Stable Image", "azure_openai_to_bedrock", "stable-image", None),),
    ("embedding", "bedrock"): (
        ("text-embedding-3-large", "bedrock_to_azure_openai", "text-embedding-3-large", None),
        ("Cohere on Foundry", "bedrock_to_foundry", "cohere-embed-v4", None),
    ),
    ("image", "bedrock"): (("gpt-image", "bedrock_to_azure_openai", "gpt-image", None),),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Documented:
    """One provider's request: a body, and what may be set in it."""

    title: str
    source: str
    service: str
    operation: str
    model: str
    body: dict[str, Any]
    parameters: dict[str, Any]

    def targets(self) -> list[tuple[str, Translator]]:
        """Heading -> translator, for the pairs and services that are there."""
        found = []
        task = shipped().family(self.service, self.model).task
        for heading, pair, model, api in OTHERS.get((task, self.service), TARGETS[self.service]):
            if pair in registry.names("pairs"):
                built = registry.load("pairs", pair, target_model=model, source_model=self.model, api=api)
                translator = Translator.of(built, where=DOCUMENTED.name)
                if translator.one("plain", self.recording(self.body)).error is None:
                    found.append((heading, translator))
        return found

    def recording(self, body: dict[str, Any]) -> Recording:
        return Recording(
            id="documented",
            service=self.service,
            operation=self.operation,
            model=self.model,
            request_headers={"content-type": "application/json"},
            request_body=json.dumps(body).encode(),
            provenance=Provenance(captured_at=None, captured_from=DOCUMENTED.name),
        )


def documented() -> list[Documented]:
    """Every request of the file whose service is there and reads it."""
    known = registry.names("services")
    found = []
    for table in tomllib.loads(DOCUMENTED.read_text(encoding="utf-8"))["request"]:
        if table["service"] not in known:
            continue
        parameters = {name: json.loads(value) for name, value in table["parameters"].items()}
        one = Documented(**{**table, "body": json.loads(table["body"]), "parameters": parameters})
        if _is_read(one):
            found.append(one)
    return found


def outcomes(one: Documented) -> Iterator[tuple[str, list[str]]]:
    """(parameter, what becomes of it by target) of a request."""
    targets = one.targets()
    plain = [target.one("plain", one.recording(one.body)) for _, target in targets]
    for path, value in one.parameters.items():
        recording = one.recording(with_member(one.body, path, value))
        yield (
            path,
            [
                _outcome(before, target.one("set", recording))
                for before, (_, target) in zip(plain, targets, strict=True)
            ],
        )


def with_member(body: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of the body with a member set. What follows a space in a path is for the reader."""
    changed = deepcopy(body)
    *way, last = path.split(" ")[0].split(".")
    place: Any = changed
    for step, following in pairwise([*way, last]):
        empty: Any = [] if following == "+" else {}
        place = place[int(step)] if isinstance(place, list) else place.setdefault(step, empty)
    if last == "+":
        place.append(value)
    else:
        place[last] = value
    return changed


def _is_read(one: Documented) -> bool:
    options = {"api": "chat"} if one.service == "foundry" and one.operation != "messages" else {}
    codec = registry.load("services", one.service, settings=SideSettings.nowhere(Side.SOURCE), **options).codec
    try:
        codec.read_request(one.recording(one.body))
    except (HarnessError, NotImplementedError):
        return False
    return True


def _outcome(before: Translated, after: Translated) -> str:
    if after.error is not None:
        return f"error: {after.error}"
    new = [one for one in after.departures if one not in before.departures]
    if not new:
        return SENT if _said(after) != _said(before) else LOST
    dropped = sorted({one.field for one in new if one.target_value is None})
    changed = sorted({one.field for one in new if one.target_value is not None} - set(dropped))
    words = [f"{', '.join(dropped)} dropped"] if dropped else []
    words += [f"{', '.join(changed)} changed"] if changed else []
    return "; ".join(words)


def _said(one: Translated) -> tuple[Any, ...]:
    """All that a call says: its body, and what stands in its headers or its operation (a stream, a tier)."""
    return one.request, one.operation, sorted(one.headers.items())


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for one in documented():
        headings = [heading for heading, _ in one.targets()]
        if not headings:
            continue
        rows = [[f"`{path}`", *cells] for path, cells in outcomes(one)]
        parts.append(f"### {one.title}\n\n{one.source}.\n\n{_table(['parameter', *headings], rows)}")
    parts.append(MODELS)
    parts += [f"### {service}\n\n{_models(service)}" for service in SERVICES]
    parts.append(MOVES)
    parts += [f"### From {service}\n\n{_moves(service)}" for service in SERVICES]
    return "\n\n".join(parts) + "\n"


def _models(service: str) -> str:
    rows = [_model(family) for family in shipped().families[service].values()]
    return _table(
        ["model", "task", "forms", "prompt", "answer", "does not take", "clouds", "retires", "unverified"], rows
    )


def _model(family: Family) -> list[str]:
    refused = sorted(name for name, accepted in family.accepts.items() if accepted is False)
    return [
        f"`{family.name}`",
        family.task,
        ", ".join(family.apis),
        _count(family.input_tokens),
        _count(family.output_tokens),
        ", ".join(refused),
        ", ".join(family.clouds),
        "" if family.retires is None else family.retires.isoformat(),
        "; ".join(family.unverified),
    ]


def _count(number: int | None) -> str:
    return "" if number is None else f"{number:,}"


def _moves(service: str) -> str:
    catalog = shipped()
    others = [other for other in SERVICES if any(other in move.targets for move in catalog.moves[service].values())]
    rows = [
        [f"`{name}`", *(_named(move.targets.get(other)) for other in others), move.note or ""]
        for name, move in catalog.moves[service].items()
    ]
    return _table(["model", *others, "note"], rows)


def _named(name: str | None) -> str:
    return "" if name is None else f"`{name}`"


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


HEAD = """# Tables of translation

Made by `.venv/bin/python docs/translation_tables.py`; do not edit. [Translation](translation.md) explains the rules.

## What becomes of every documented parameter

Each parameter, with a value that is not its default, goes through the real codec of its service, the pair, and the
codec of the target. *sent*: the target's body says it, and no departure tells of a difference. *dropped*, *changed*:
the departures that tell of it, by the names that a suite may forbid. A parameter that is neither sent nor told would
read LOST, and fails a test."""

MODELS = """## What each model takes

Longest prompt and answer in tokens; what the model does not take of what its API has a place for; where it is offered;
when it retires, as far as is known. Sources and dates stand in the files of `harness/pairs/_models/`. *unverified* is
what no page that we could read confirms."""

MOVES = """## The model map

Which model usually follows which. It is a starting point that a suite overrides, and no promise of quality: that is
what a run is for."""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
