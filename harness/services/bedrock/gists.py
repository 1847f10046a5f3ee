"""What a conversation is about, told quickly: the texts of its messages, of bodies of the usual form.

A body has the usual form where every member is one of those here and of the type that is documented; of any other,
nothing is said. Source: botocore's service model `bedrock-runtime` 2023-09-30; Bedrock user guide, "Inference request
parameters and response fields for foundation models".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from harness.services.bedrock.operations import CONVERSE


class _Block(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    text: str


class _Typed(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    type: Literal["text"]
    text: str


class _Message(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    role: Literal["user", "assistant"]
    content: str | list[_Block]


class _TypedMessage(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    role: Literal["user", "assistant"]
    content: str | list[_Typed]


class _Config(msgspec.Struct, forbid_unknown_fields=True, gc=False, rename="camel"):
    max_tokens: int = 0
    temperature: float = 0
    top_p: float = 0
    top_k: int = 0
    stop_sequences: list[str] = []


class _Converse(msgspec.Struct, forbid_unknown_fields=True, gc=False, rename="camel"):
    messages: list[_Message]
    system: list[_Block] = []
    inference_config: _Config | None = None


class _Nova(msgspec.Struct, forbid_unknown_fields=True, gc=False, rename="camel"):
    messages: list[_Message]
    system: list[_Block] = []
    inference_config: _Config | None = None
    schema_version: str = ""


class _Anthropic(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    messages: list[_TypedMessage]
    anthropic_version: str = ""
    max_tokens: int = 0
    system: str | list[_Typed] = ""
    temperature: float = 0
    top_p: float = 0
    top_k: int = 0
    stop_sequences: list[str] = []


_DECODERS: Mapping[str, msgspec.json.Decoder[Any]] = {
    CONVERSE: msgspec.json.Decoder(_Converse),
    "nova": msgspec.json.Decoder(_Nova),
    "anthropic": msgspec.json.Decoder(_Anthropic),
}


def of(body: str, form: str) -> str | None:
    """form: CONVERSE, or the family of a body of InvokeModel."""
    decoder = _DECODERS.get(form)
    if decoder is None:
        return None
    try:
        messages = decoder.decode(body).messages
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return None
    texts: list[str] = []
    for message in messages:
        content = message.content
        if isinstance(content, str):
            texts.append(content)
        else:
            texts += [block.text for block in content]
    return "\n".join(texts)
