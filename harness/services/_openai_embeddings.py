"""Embeddings as OpenAI shaped them: texts out, vectors back as numbers or as base64 of little-endian float32.

Source: wire contracts, "Embeddings, images"; openai-python 3.52, `types/embedding_create_params.py`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.core.case import Json, Request, Task
from harness.core.output import Embedding
from harness.errors import CodecError
from harness.services._chat import table as tabled
from harness.services._openai import listed
from harness.services._openai_parts import cannot, read_params, write_params

NAMES: Mapping[str, str] = {
    "model": "model",
    "dimensions": "dimensions",
    "encoding": "encoding_format",
    "input_type": "input_type",
    "user": "user",
}


# What an embedding is for: the neutral word, and that of Foundry's model inference.
INPUT_TYPES = {"search_query": "query", "search_document": "document"}


def read_body(body: dict[str, Any]) -> Request:
    """A recorded body. Texts that were sent as token numbers stay the body that they are. Raises CodecError."""
    given = body.get("input")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list):
        raise CodecError('the body has no "input".')
    params, extra = read_params(body, NAMES, handled=frozenset({"input"}))
    if not all(isinstance(text, str) for text in texts):
        return Request(Task.EMBEDDING, {"body": body}, {"model": params["model"]} if "model" in params else {})
    words = {theirs: neutral for neutral, theirs in INPUT_TYPES.items()}
    if isinstance(params.get("input_type"), str):
        params["input_type"] = words.get(str(params["input_type"]), params["input_type"])
    return Request(Task.EMBEDDING, {"texts": texts}, {**params, **({"extra": extra} if extra else {})})


def write_body(payload: Json, params: Mapping[str, Json]) -> dict[str, Any]:
    """{"input": [text], ...}. Raises UnencodableRequest for pictures, and params that the API has no member for."""
    table = tabled(payload)
    if table.get("images"):
        raise cannot("image", "the API embeds texts alone")
    texts = table.get("texts")
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise cannot("texts", "the payload has no list of texts")
    if params.get("encoding", "float") not in ("float", "base64"):
        raise cannot("encoding", f"vectors come as float or base64, not as {params['encoding']}")
    body: dict[str, Any] = {"input": texts}
    write_params(body, params, NAMES)
    if isinstance(body.get("input_type"), str):
        body["input_type"] = INPUT_TYPES.get(body["input_type"], body["input_type"])
    return body


def output(body: Mapping[str, Any], request: Request) -> Embedding:
    """The vectors in the order of the texts. Raises ValueError where one is missing or no vector."""
    entries = [tabled(entry) for entry in listed(body.get("data"))]
    places = [entry["index"] if type(entry.get("index")) is int else place for place, entry in enumerate(entries)]
    if sorted(places) != list(range(len(entries))):
        raise ValueError("vectors are missing or told twice")
    texts = tabled(request.payload).get("texts")
    if not entries or (isinstance(texts, list) and len(texts) != len(entries)):
        asked = f", and {len(texts)} were asked for" if isinstance(texts, list) else ""
        raise ValueError(f"{len(entries)} vectors came{asked}")
    vectors = [_vector(entry.get("embedding")) for _, entry in sorted(zip(places, entries, strict=True), key=_place)]
    if len({len(vector) for vector in vectors}) != 1:
        raise ValueError("vectors differ in length")
    return Embedding(np.stack(vectors))


def _place(pair: tuple[int, Any]) -> int:
    return pair[0]


def _vector(value: Any) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    if isinstance(value, str):
        try:
            raw = base64.b64decode(value, validate=True)
        except binascii.Error:
            raise ValueError("a vector is no base64") from None
        if not raw or len(raw) % 4:
            raise ValueError("a vector is no row of float32")
        return np.frombuffer(raw, dtype="<f4").astype(np.float64)
    if not isinstance(value, list) or not value or not {type(number) for number in value} <= {int, float}:
        raise ValueError("a vector is no list of numbers")
    try:
        return np.array(value, dtype=np.float64)
    except OverflowError:
        raise ValueError("a vector holds a number beyond float64") from None
