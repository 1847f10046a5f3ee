"""Which family of bodies a model takes: from its id, else from the shape of a recorded body.

Ids: "meta.llama3-70b-instruct-v1:0", with "us." or another geography before it for a cross-region inference profile;
ARNs of foundation models, inference profiles and prompt routers end in such an id. Application inference profiles,
imported models, provisioned throughput and SageMaker endpoints name no family.
Source: Bedrock user guide, "Supported foundation models" and "Inference profiles"; wire contracts D.5, H2.
"""

from __future__ import annotations

import re
from collections.abc import Set
from functools import lru_cache
from typing import Any

# Most specific first; searched in the id, in lower case, from the provider's word on.
_IDS: tuple[tuple[str, str], ...] = (
    (r"anthropic\.claude-(instant|v1|v2)", "claude2"),
    (r"anthropic\.", "anthropic"),
    (r"amazon\.titan-embed", "titan_embed"),
    (r"amazon\.titan-image", "titan_image"),
    (r"amazon\.titan", "titan"),
    (r"amazon\.nova-canvas", "titan_image"),
    (r"amazon\.nova-.*embed", "nova_embed"),
    (r"amazon\.nova", "nova"),
    (r"meta\.llama2", "llama2"),
    (r"meta\.llama", "llama3"),
    (r"mistral\.(mistral-7b|mixtral|mistral-large-2402|mistral-small-2402)", "mistral"),
    (r"mistral\.", "mistral_chat"),
    (r"cohere\.embed", "cohere_embed"),
    (r"cohere\.command-r", "cohere"),
    (r"cohere\.command", "command"),
    (r"ai21\.j2", "jurassic"),
    (r"ai21\.", "openai"),
    (r"deepseek\.r1", "deepseek"),
    (r"stability\.stable-diffusion-xl", "sdxl"),
    (r"stability\.", "stability"),
    (r"openai\.", "gpt_oss"),
    (r"(deepseek|qwen|moonshot|moonshotai|minimax|google|nvidia|zai|writer)\.", "openai"),
)
_COMPILED = tuple((re.compile(rf"(?:^|[./:]){pattern}"), family) for pattern, family in _IDS)

UNKNOWN = "unknown"
PROMPTS = frozenset(
    {"claude2", "titan", "llama2", "llama3", "mistral", "command", "jurassic", "deepseek", "completion"}
)
OPENAI = frozenset({"openai", "mistral_chat", "gpt_oss"})
CHAT = PROMPTS | OPENAI | {"anthropic", "nova", "cohere"}
EMBEDDING = frozenset({"titan_embed", "cohere_embed", "nova_embed"})
IMAGE = frozenset({"sdxl", "stability", "titan_image"})


def family_of(model: str | None, body: dict[str, Any] | None = None) -> str:
    """The family of a model's id or ARN. body: a recorded body, which is asked where the id names no family, or where
    the family has another form for such a body (Mistral and Claude 2 take a prompt or messages).
    """
    named = _named(model or "")
    if body is None:
        return named
    if named == UNKNOWN:
        return family_of_body(body)
    if "messages" in body and named in PROMPTS:
        return {"claude2": "anthropic", "mistral": "mistral_chat"}.get(named, "openai")
    if "messages" not in body and isinstance(body.get("prompt"), str) and named in OPENAI | {"anthropic"}:
        return {"anthropic": "claude2", "mistral_chat": "mistral"}.get(named, "completion")
    return "openai" if named == "gpt_oss" and "max_tokens" in body else named


@lru_cache
def _named(model: str) -> str:
    return next((family for pattern, family in _COMPILED if pattern.search(model.lower())), UNKNOWN)


def family_of_body(body: dict[str, Any]) -> str:
    """The family whose InvokeModel request has these members; UNKNOWN where that is not certain.

    Bodies with a prompt and no member of one family alone are "completion", which many imported models take.
    """
    names = body.keys()
    if "messages" in names:
        if "anthropic_version" in names:
            return "anthropic"
        return "nova" if names & {"schemaVersion", "inferenceConfig", "toolConfig"} or _blocks(body) else _chat(names)
    for members, family in _SHAPES:
        if names & members:
            return family
    if "inputText" in names or "inputImage" in names:
        return "titan_embed" if names & _TITAN_EMBED or names <= {"inputText", "inputImage"} else "titan"
    return "completion" if isinstance(body.get("prompt"), str) else UNKNOWN


_TITAN_EMBED = {"dimensions", "normalize", "embeddingTypes", "embeddingConfig"}
_SHAPES: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"max_tokens_to_sample"}), "claude2"),
    (frozenset({"textGenerationConfig"}), "titan"),
    (frozenset({"max_gen_len"}), "llama3"),
    (frozenset({"singleEmbeddingParams"}), "nova_embed"),
    (frozenset({"textToImageParams", "imageGenerationConfig", "taskType"}), "titan_image"),
    (frozenset({"text_prompts"}), "sdxl"),
    (frozenset({"aspect_ratio", "mode", "negative_prompt", "output_format"}), "stability"),
    (frozenset({"texts", "input_type"}), "cohere_embed"),
    (frozenset({"message"}), "cohere"),
    (frozenset({"maxTokens", "countPenalty", "numResults"}), "jurassic"),
)


def _chat(names: Set[str]) -> str:
    return "gpt_oss" if "max_completion_tokens" in names else "openai"


def _blocks(body: dict[str, Any]) -> bool:
    """Whether contents are lists of blocks without a type, as Nova's are."""
    messages = body["messages"]
    first = messages[0] if isinstance(messages, list) and messages else None
    content = first.get("content") if isinstance(first, dict) else None
    return isinstance(content, list) and bool(content) and isinstance(content[0], dict) and "type" not in content[0]
