"""Embeddings: Titan (text and multimodal), Cohere Embed, Nova. Titan and Nova embed one text or image a call.

Payload of a request: {"texts": [str], "images": [base64]}.
Source: Bedrock user guide, "Amazon Titan Text Embeddings", "Amazon Titan Multimodal Embeddings", "Cohere Embed models";
Nova user guide, "Embeddings"; recorded answers; wire contracts D.5, H2.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from harness.core.call import Reading, Tokens
from harness.core.case import Json, Request, Task
from harness.core.output import Embedding
from harness.errors import CodecError, UnencodableRequest
from harness.services._chat import NoAnswer, count, finished, put, reading, table, take

_TITAN = {"dimensions": "dimensions", "normalize": "normalize", "encoding": "embeddingTypes"}
_MULTIMODAL = {"dimensions": "embeddingConfig.outputEmbeddingLength"}
_COHERE = {
    "dimensions": "output_dimension",
    "input_type": "input_type",
    "truncate": "truncate",
    "encoding": "embedding_types",
}
_NOVA = {
    "dimensions": "singleEmbeddingParams.embeddingDimension",
    "truncate": "singleEmbeddingParams.text.truncationMode",
}
_NOVA_TASK = "SINGLE_EMBEDDING"
# Vectors of these kinds are read, the finest that came.
_KINDS = ("float", "int8", "uint8", "binary", "ubinary")


def read(body: dict[str, Any], family: str) -> Request:
    """A recorded body as a request of task "embedding"; `body` is used up. Raises CodecError where it has no input."""
    payload: dict[str, Json]
    match family:
        case "titan_embed":
            payload = {"texts": _listed(body.pop("inputText", None)), "images": _listed(body.pop("inputImage", None))}
            params = take(body, _MULTIMODAL if "embeddingConfig" in body else _TITAN)
        case "cohere_embed":
            payload = {"texts": body.pop("texts", []), "images": body.pop("images", [])}
            params = take(body, _COHERE)
            _lowered(params)
        case _:
            if body.get("taskType") == _NOVA_TASK:
                del body["taskType"]
            text = take(body, {"value": "singleEmbeddingParams.text.value"})
            payload = {"texts": _listed(text.get("value")), "images": []}
            params = take(body, _NOVA)
            _lowered(params)
    inputs = [one for found in payload.values() for one in (found if isinstance(found, list) else [None])]
    if not all(isinstance(one, str) for one in inputs) or not (inputs or "inputs" in body):
        raise CodecError("the body holds no texts or images to embed")
    if body:
        params["extra"] = body
    return Request(Task.EMBEDDING, {name: found for name, found in payload.items() if found}, params)


def bodies(request: Request, left: dict[str, Any], family: str) -> list[dict[str, Any]]:
    """The bodies to send, one after another. left: params, used up. Raises UnencodableRequest."""
    payload = table(request.payload)
    texts, images = payload.get("texts", []), payload.get("images", [])
    if not isinstance(texts, list) or not isinstance(images, list) or payload.keys() - {"texts", "images"}:
        raise UnencodableRequest("the payload of an embedding is lists of texts and images.")
    if family == "cohere_embed":
        body = {name: found for name, found in (("texts", texts), ("images", images)) if found}
        put(body, _raised(left), _COHERE)
        return [finished(body, left, "Cohere Embed")]
    if images and texts and len(images) != len(texts):
        raise UnencodableRequest(f"{family} embeds a text, an image, or one of each as a pair.")
    pairs = [(texts[at] if texts else None, images[at] if images else None) for at in range(len(texts or images))]
    if family == "titan_embed":
        extra = table(left.get("extra"))
        multimodal = bool(images) or "embeddingConfig" in extra
        shared: dict[str, Any] = {}
        put(shared, left, _MULTIMODAL if multimodal else _TITAN)
        shared = finished(shared, left, "Titan Embeddings")
        return [{**_said(inputText=text, inputImage=image), **shared} for text, image in pairs]
    if family != "nova_embed" or images:
        raise UnencodableRequest(f'bodies of family "{family}" do not embed what is asked.')
    shared = {"taskType": _NOVA_TASK}
    put(shared, _raised(left), _NOVA)
    shared = finished(shared, left, "Nova Embeddings")
    return [_nova(shared, text) for text, _ in pairs]


def expected(request: Request) -> int | None:
    """How many inputs a request has; None for a body of the application's own."""
    payload = table(request.payload)
    found = [payload[name] for name in ("texts", "images") if isinstance(payload.get(name), list)]
    return max(map(len, found)) if found else None


def answer(replies: Iterable[dict[str, Any]]) -> Reading:
    """The vectors of all replies, in order. Raises NoAnswer where one holds none, or where their lengths differ."""
    found = list(replies)
    vectors = [vector for body in found for vector in _vectors(body)]
    if not vectors:
        raise NoAnswer("it holds no vectors")
    if len({len(vector) for vector in vectors}) != 1:
        raise NoAnswer("its vectors differ in length")
    counts = [count(body.get("inputTextTokenCount")) for body in found]
    told = None if None in counts else Tokens(input=sum(filter(None, counts)))
    return reading(Embedding(np.array(vectors, dtype=np.float64)), told)


def _vectors(body: dict[str, Any]) -> list[list[float]]:
    """Titan: `embedding`, `embeddingsByType`; Cohere: `embeddings`, a list or by kind, or kinds; Nova: objects."""
    for by_kind in (table(body.get("embeddings")), table(body.get("embeddingsByType")), body):
        for kind in _KINDS:
            if isinstance(by_kind.get(kind), list):
                return _numbers(by_kind[kind])
    if isinstance(body.get("embedding"), list):
        return _numbers(body["embedding"])
    found = body.get("embeddings")
    if isinstance(found, list) and found and isinstance(found[0], dict):
        found = [table(one).get("embedding") for one in found]
    return _numbers(found)


def _numbers(value: Any) -> list[list[float]]:
    rows = value if isinstance(value, list) and value and isinstance(value[0], list) else [value]
    for row in rows:
        if not isinstance(row, list) or not row:
            raise NoAnswer("it holds no vectors")
        if any(isinstance(number, bool) or not isinstance(number, int | float) for number in row):
            raise NoAnswer("a vector holds something other than numbers")
    return rows


def _listed(value: Any) -> list[Json]:
    return [] if value is None else [value]


def _said(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _nova(shared: dict[str, Any], text: Any) -> dict[str, Any]:
    asked = table(shared.get("singleEmbeddingParams"))
    return {**shared, "singleEmbeddingParams": {**asked, "text": {**table(asked.get("text")), "value": text}}}


def _lowered(params: dict[str, Json]) -> None:
    """The ends at which a text is cut are START, END and NONE on the wire; any other word stays as it is."""
    word = params.get("truncate")
    if isinstance(word, str) and word.isupper():
        params["truncate"] = word.lower()


def _raised(left: dict[str, Any]) -> dict[str, Any]:
    if isinstance(left.get("truncate"), str):
        left["truncate"] = left["truncate"].upper()
    return left
