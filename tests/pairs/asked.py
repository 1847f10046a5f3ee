"""Requests for the tests of pairs between model services, and what becomes of them."""

from __future__ import annotations

from typing import Any

from harness.core import registry
from harness.core.case import Departure, Request, Translation
from harness.core.chat import Conversation, Message, Text

CLAUDE = "anthropic.claude-3-5-sonnet-20241022-v2:0"


def conversation(*turns: Message, **more: Any) -> Conversation:
    return Conversation(messages=turns or (Message("user", (Text("Weather in Oslo?"),)),), **more)


def asked(model: str, *turns: Message, params: dict[str, Any] | None = None, **more: Any) -> Request:
    return conversation(*turns, **more).request({"model": model, **(params or {})})


def translated(pair: str, request: Request, **options: Any) -> Translation:
    built = registry.load("pairs", pair, **options)
    result: Translation = built.translate(request)
    return result


def losses(translation: Translation) -> dict[str, tuple[str, str | None]]:
    """field -> (what it was, what it is), the last of a field."""
    return {one.field: (one.source_value, one.target_value) for one in translation.departures}


def of(translation: Translation, field: str) -> list[Departure]:
    return [one for one in translation.departures if one.field == field]
