"""Embeddings as the service answers them: floats, or base64 of little-endian float32.

Source: Azure OpenAI REST reference, embeddings.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping
from typing import Any

from harness.lab import openai_body
from harness.lab.chat.prompt import tokens
from harness.lab.chat.vectors import vector
from harness.lab.openai_body import TEXT, Invalid, Rule, whole
from harness.lab.settings import DEPLOYMENTS, DIMENSIONS

MEMBERS: Mapping[str, Rule] = {
    "model": TEXT,
    "input": Rule(types=(str, list), word="a string or an array of strings"),
    "dimensions": whole(1),
    "encoding_format": TEXT,
    "user": TEXT,
    "input_type": TEXT,
}


def answer(body: Any, *, deployment: str) -> dict[str, Any]:
    """The vectors of a request's texts, in its order. Raises Invalid."""
    if not isinstance(body, dict):
        raise Invalid("We could not parse the JSON body of your request.")
    openai_body.check(body, MEMBERS)
    given = body.get("input")
    texts = [given] if isinstance(given, str) else given
    if not texts or not all(isinstance(text, str) and text for text in texts):
        raise Invalid("'$.input' is invalid. Please check the API reference.", param="input", code="invalid_value")
    size = body.get("dimensions") or DIMENSIONS[deployment]
    if size > DIMENSIONS[deployment]:
        message = f"Invalid value for 'dimensions' = {size}. Must be less than or equal to {DIMENSIONS[deployment]}."
        raise Invalid(message, param="dimensions", code="invalid_value")
    made = [vector(text, model=deployment, dimensions=size) for text in texts]
    in_base64 = body.get("encoding_format") == "base64"
    read = sum(map(tokens, texts))
    return {
        "object": "list",
        "model": DEPLOYMENTS[deployment],
        "data": [
            {"object": "embedding", "index": index, "embedding": _packed(one) if in_base64 else one}
            for index, one in enumerate(made)
        ],
        "usage": {"prompt_tokens": read, "total_tokens": read},
    }


def _packed(values: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()
