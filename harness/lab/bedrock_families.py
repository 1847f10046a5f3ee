"""Which body a model of Bedrock takes: by the beginning of its id, without the geography of a cross-region profile."""

from __future__ import annotations

from collections.abc import Mapping

from harness.lab.bedrock_bodies import ANTHROPIC, Family
from harness.lab.bedrock_chats import COHERE, GPT_OSS, JAMBA, MISTRAL_CHAT, NOVA
from harness.lab.bedrock_prompts import DEEPSEEK, LLAMA, MISTRAL_TEXT, TITAN_TEXT

GEOGRAPHIES = ("us.", "eu.", "apac.", "global.")
# The first that fits counts.
FAMILIES: Mapping[str, Family] = {
    "anthropic.": ANTHROPIC,
    "amazon.nova-": NOVA,
    "amazon.titan-text-": TITAN_TEXT,
    "meta.llama": LLAMA,
    "mistral.mistral-7b": MISTRAL_TEXT,
    "mistral.mixtral": MISTRAL_TEXT,
    "mistral.mistral-large-2402": MISTRAL_TEXT,
    "mistral.": MISTRAL_CHAT,
    "cohere.command-r": COHERE,
    "ai21.jamba": JAMBA,
    "deepseek.r1": DEEPSEEK,
    "openai.gpt-oss": GPT_OSS,
}


def family_of(model: str) -> Family | None:
    """The bodies of a model, by its id or by an ARN that ends in one; None for a model that nobody has heard of."""
    name = model.rpartition("/")[2]
    name = next((name.removeprefix(place) for place in GEOGRAPHIES if name.startswith(place)), name)
    return next((family for start, family in FAMILIES.items() if name.startswith(start)), None)
