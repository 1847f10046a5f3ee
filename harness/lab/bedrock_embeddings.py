"""InvokeModel bodies of embedding models: Titan (one text a call) and Cohere (up to 96).

Source: Amazon Bedrock user guide, "Amazon Titan Embeddings" and "Cohere Embed".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.lab.bedrock_bodies import Body, check_members, malformed
from harness.lab.chat.prompt import tokens
from harness.lab.chat.vectors import vector

TITAN_DIMENSIONS = (256, 512, 1024)
COHERE_DIMENSIONS = 1024
TEXTS_AT_MOST = 96
_INPUT_TYPES = ("search_document", "search_query", "classification", "clustering")


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedder:
    """One body format. answer: body -> the answer and how many tokens were read. Raises Malformed."""

    required: frozenset[str]
    known: frozenset[str]
    answer: Callable[[Body], tuple[Body, int]]

    def embed(self, body: Any) -> tuple[Body, int]:
        """The answer to a body, after a look at its members."""
        check_members(body, required=self.required, known=self.known)
        return self.answer(body)


def _titan(body: Body, *, version: int) -> tuple[Body, int]:
    text, size = body["inputText"], body.get("dimensions", 1024 if version == 2 else 1536)
    if not isinstance(text, str) or (version == 2 and size not in TITAN_DIMENSIONS):
        raise malformed(f"#/dimensions: {size} is not a valid enum value" if isinstance(text, str) else "#/inputText")
    made = vector(text, model=f"titan{version}", dimensions=size)
    if not body.get("normalize", True):
        made = [3.0 * value for value in made]
    more = {"embeddingsByType": {"float": made}} if version == 2 else {}
    return {"embedding": made, "inputTextTokenCount": tokens(text), **more}, tokens(text)


def _cohere(body: Body) -> tuple[Body, int]:
    texts, kind = body["texts"], body["input_type"]
    if not isinstance(texts, list) or not 0 < len(texts) <= TEXTS_AT_MOST:
        raise malformed(f"#/texts: expected 1 to {TEXTS_AT_MOST} texts")
    if kind not in _INPUT_TYPES:
        raise malformed(f"#/input_type: {kind} is not a valid enum value")
    # A question is not embedded as a document is; the words still bring them near each other.
    made = [vector(f"{text} {kind}", model="cohere", dimensions=COHERE_DIMENSIONS) for text in texts]
    wanted = body.get("embedding_types")
    answer: Body = {"id": "0" * 8, "texts": texts, "response_type": "embeddings_floats", "embeddings": made}
    if wanted:
        answer |= {"response_type": "embeddings_by_type", "embeddings": {"float": made}}
    return answer, sum(map(tokens, texts))


EMBEDDERS: Mapping[str, Embedder] = {
    "amazon.titan-embed-text-v2": Embedder(
        required=frozenset({"inputText"}),
        known=frozenset({"dimensions", "normalize", "embeddingTypes"}),
        answer=lambda body: _titan(body, version=2),
    ),
    "amazon.titan-embed": Embedder(
        required=frozenset({"inputText"}), known=frozenset(), answer=lambda body: _titan(body, version=1)
    ),
    "cohere.embed": Embedder(
        required=frozenset({"texts", "input_type"}),
        known=frozenset({"truncate", "embedding_types"}),
        answer=_cohere,
    ),
}


def embedder_of(model: str) -> Embedder | None:
    """The bodies of an embedding model; None for any other model."""
    name = model.rpartition("/")[2]
    return next((embedder for start, embedder in EMBEDDERS.items() if start in name), None)
