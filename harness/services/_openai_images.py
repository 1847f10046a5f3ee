"""Images as OpenAI shaped them: a prompt out, pictures back as base64.

Source: wire contracts, "Embeddings, images"; openai-python 3.52, `types/image_generate_params.py`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from harness.core.case import Json, Request, Task
from harness.core.output import Images
from harness.errors import CodecError
from harness.services._chat import table as tabled
from harness.services._openai import listed
from harness.services._openai_parts import cannot, read_params, write_params

NAMES: Mapping[str, str] = {
    "model": "model",
    "n": "n",
    "size": "size",
    "quality": "quality",
    "style": "style",
    "image_format": "output_format",
    "user": "user",
}


def read_body(body: dict[str, Any]) -> Request:
    """A recorded body. Raises CodecError where it has no prompt."""
    if not isinstance(body.get("prompt"), str):
        raise CodecError('the body has no "prompt".')
    params, extra = read_params(body, NAMES, handled=frozenset({"prompt"}))
    payload: Json = {"prompt": body["prompt"], "negative_prompt": None, "image": None}
    return Request(Task.IMAGE, payload, {**params, **({"extra": extra} if extra else {})})


def write_body(payload: Json, params: Mapping[str, Json]) -> dict[str, Any]:
    """{"prompt": text, ...}. Raises UnencodableRequest naming what the API cannot say.

    "response_format" goes out where "extra" has it: GPT image models refuse it, DALL-E models need "b64_json" there.
    """
    table = tabled(payload)
    for name in ("negative_prompt", "image"):
        if table.get(name) is not None:
            raise cannot(name, "the API takes a prompt alone")
    if not isinstance(table.get("prompt"), str):
        raise cannot("prompt", "the payload has none")
    body: dict[str, Any] = {"prompt": table["prompt"]}
    write_params(body, params, NAMES)
    return body


def output(body: Mapping[str, Any]) -> Images:
    """The pictures. Raises ValueError where they are addresses (fetching one is another call), or no base64."""
    images, filtered, revised = [], 0, None
    for entry in map(tabled, listed(body.get("data"))):
        text, prompt = entry.get("b64_json"), entry.get("revised_prompt")
        revised = prompt if revised is None and isinstance(prompt, str) else revised
        if isinstance(text, str):
            try:
                images.append(base64.b64decode(text, validate=True))
            except binascii.Error:
                raise ValueError("a picture is no base64") from None
        elif isinstance(entry.get("url"), str):
            raise ValueError('a picture is an address; ask for response_format "b64_json"')  # noqa: TRY004
        else:
            filtered += 1
    if not images and not filtered:
        raise ValueError("no picture came")
    return Images(images=tuple(images), filtered=filtered, revised_prompt=revised)
