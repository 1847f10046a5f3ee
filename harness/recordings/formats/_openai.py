"""What a body or an address of OpenAI's API asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# end of an address -> operation
ROUTES = {
    "/chat/completions": "chat.completions",
    "/responses": "responses",
    "/embeddings": "embeddings",
    "/images/generations": "images.generations",
}


def operation_of(body: Mapping[str, Any], url: object) -> str | None:
    """By the address where there is one, else by the body's shape; None for a body of no known operation."""
    if isinstance(url, str):
        path = url.partition("?")[0].rstrip("/")
        if found := next((operation for end, operation in ROUTES.items() if path.endswith(end)), None):
            return found
    if isinstance(body.get("messages"), list):
        return "chat.completions"
    if "prompt" in body and isinstance(body["prompt"], str):
        return "images.generations"
    given = body.get("input")
    if isinstance(given, str | list) and (given or given == ""):
        chat = {"instructions", "max_output_tokens", "text", "reasoning", "tools", "previous_response_id"} & set(body)
        vectors = "embedding" in str(body.get("model", "")) or {"dimensions", "encoding_format"} & set(body)
        items = isinstance(given, list) and any(isinstance(one, dict) for one in given)
        return "embeddings" if vectors or not (chat or items or isinstance(given, str)) else "responses"
    return None


def status_in(value: object) -> int | None:
    """A status of HTTP, as a number or as its digits; None for anything else, so that none is made up."""
    if isinstance(value, str) and len(value) == 3 and value.isascii() and value.isdecimal():
        value = int(value)
    return value if isinstance(value, int) and 100 <= value < 600 else None


def told_error(error: Any, status: int | None) -> tuple[int | None, dict[str, Any]]:
    """Status and body of a refused call whose log kept the error alone. The status is None where none is said.

    status: the log's own. What the error says of itself stands before it where it is one of a failure.
    """
    table = error if isinstance(error, dict) else {"message": str(error)}
    said = status_in(table.get("status", table.get("status_code")))
    return (said if said is not None and said >= 400 else status), {"error": table}


def tells_error(body: Any) -> bool:
    """Whether a body is that of a refused call."""
    error = body.get("error") if isinstance(body, dict) else None
    return isinstance(error, dict) and bool(error.keys() & {"message", "code", "type"})
