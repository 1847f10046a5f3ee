"""Amazon Nova's own body: Converse's messages, with its own settings and a schema version.

Source: Amazon Nova user guide, "Complete request schema"; wire contracts D.5, D.6.
"""

from __future__ import annotations

from typing import Any

from harness.core.case import Json
from harness.core.chat import Conversation
from harness.services._chat import finished, plain, put, table, take
from harness.services.bedrock.converse import (
    conversation_out,
    put_nova_reasoning,
    take_conversation,
    take_nova_reasoning,
)
from harness.services.bedrock.converse_answers import fold as fold_events

KIND = "Nova"
SCHEMA = "messages-v1"

NAMES = {
    "max_tokens": "inferenceConfig.maxTokens",
    "temperature": "inferenceConfig.temperature",
    "top_p": "inferenceConfig.topP",
    "top_k": "inferenceConfig.topK",
    "stop": "inferenceConfig.stopSequences",
}
# As the guide's first edition and samples wrote them; the service takes both, and is sent the newer.
OLDER = {
    "max_tokens": "inferenceConfig.max_new_tokens",
    "top_p": "inferenceConfig.top_p",
    "top_k": "inferenceConfig.top_k",
}


def read(body: dict[str, Any]) -> tuple[Conversation, dict[str, Json]]:
    """A Nova body as a conversation and params; `body` is used up. OLDER names count where NAMES say nothing."""
    if body.get("schemaVersion") == SCHEMA:
        del body["schemaVersion"]
    params = take(body, NAMES)
    params |= take(body, {name: place for name, place in OLDER.items() if name not in params})
    reasoning = take_nova_reasoning(body)
    if reasoning is not None:
        params["reasoning"] = reasoning
    conversation = take_conversation(body)
    if body:
        params["extra"] = body
    return conversation, params


def write(conversation: Conversation, left: dict[str, Any]) -> dict[str, Any]:
    """The body. left: params, used up. Raises UnencodableRequest for what it cannot say."""
    plain(conversation, KIND, "format")
    body = {"schemaVersion": SCHEMA, **conversation_out(conversation, KIND)}
    put(body, left, NAMES)
    if "reasoning" in left:
        put_nova_reasoning(body, left.pop("reasoning"))
    return finished(body, left, KIND)


def fold(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    """Chunks are Converse's events, one member each beside what the service adds."""
    return fold_events((name, table(value)) for one in chunks for name, value in one.items() if isinstance(value, dict))
