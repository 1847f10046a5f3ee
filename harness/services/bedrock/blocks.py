"""Content blocks of Converse and of Nova's own body, and the neutral parts they stand for.

A block becomes a part only where the part says all that the block says: it is written back and held against the block.
Any other block is kept as it is (Foreign).
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from harness.core.chat import CachePoint, Call, File, Foreign, Image, Part, Reasoning, Result, Text, Value
from harness.errors import CodecError, UnencodableRequest
from harness.services._chat import table

# block -> which of FIELDS it belongs to, where it has no neutral form
_FIELDS = {
    "image": "image",
    "document": "document",
    "video": "video",
    "audio": "audio",
    "toolUse": "tool_call",
    "toolResult": "tool_result",
    "guardContent": "guard_content",
    "cachePoint": "cache_point",
    "reasoningContent": "reasoning_content",
    "citationsContent": "citations",
    "searchResult": "search_result",
    "toolAddition": "tools",
    "toolRemoval": "tools",
}


def part_of(block: Any) -> Part:
    """The part that a block stands for. Raises CodecError where it is no object."""
    if not isinstance(block, dict):
        raise CodecError("a content block is no object")
    try:
        part = _read(block)
        if part is not None and block_of(part, "") == _usual(block):
            return part
    except (KeyError, TypeError, ValueError, AttributeError, binascii.Error, CodecError):
        pass  # a member is missing, or is not what it is documented to be
    known = next((_FIELDS[name] for name in block if name in _FIELDS), "extra")
    return Foreign(field=known, value=block)


def block_of(part: Part, kind: str) -> dict[str, Any]:
    """The way back. kind: of the body, for messages. Raises UnencodableRequest."""
    match part:
        case Text():
            return {"text": part.text}
        case Image(detail=None, media_type=str(media_type)) if media_type.startswith("image/"):
            source = _source(part.data, part.url)
            if source is not None:
                return {"image": {"format": media_type.removeprefix("image/"), "source": source}}
        case File():
            return {part.kind: _file(part, kind)}
        case Call(id=str(), raw=None):
            return {"toolUse": {"toolUseId": part.id, "name": part.name, "input": part.arguments}}
        case Result(id=str(), name=None):
            content = [_result_block(inner, kind) for inner in part.content]
            body: dict[str, Any] = {"toolUseId": part.id, "content": content}
            return {"toolResult": {**body, "status": "error"} if part.error else body}
        case Reasoning(redacted=str(data)):
            return {"reasoningContent": {"redactedContent": data}}
        case Reasoning(text=str(thought)):
            signature = {} if part.signature is None else {"signature": part.signature}
            return {"reasoningContent": {"reasoningText": {"text": thought, **signature}}}
        case CachePoint():
            return {"cachePoint": {"type": "default", **({} if part.ttl is None else {"ttl": part.ttl})}}
        case Foreign(value=dict(value)):
            return value
    raise UnencodableRequest(f"{kind} has no block for a part of this form ({type(part).__name__}).")


def _result_block(part: Part, kind: str) -> dict[str, Any]:
    return {"json": part.value} if isinstance(part, Value) else block_of(part, kind)


def _read(block: dict[str, Any]) -> Part | None:
    ((name, inner),) = block.items()
    match name:
        case "text" if isinstance(inner, str):
            return Text(inner)
        case "image":
            data, url = _from_source(inner["source"])
            return Image(media_type=f"image/{inner['format']}", data=data, url=url)
        case "document" | "video" | "audio":
            data, url = _from_source(inner["source"])
            return File(
                kind=name,
                format=inner["format"],
                name=inner.get("name"),
                data=data,
                text=inner["source"].get("text"),
                url=url,
                citations=table(inner.get("citations")).get("enabled") is True,
                context=inner.get("context"),
            )
        case "toolUse":
            return Call(id=inner["toolUseId"], name=inner["name"], arguments=inner["input"])
        case "toolResult":
            content = tuple(Value(one["json"]) if one.keys() == {"json"} else part_of(one) for one in inner["content"])
            return Result(id=inner["toolUseId"], content=content, error=inner.get("status") == "error")
        case "reasoningContent" if "redactedContent" in inner:
            return Reasoning(redacted=inner["redactedContent"])
        case "reasoningContent":
            thought = inner["reasoningText"]
            return Reasoning(text=thought["text"], signature=thought.get("signature"))
        case "cachePoint":
            return CachePoint(ttl=inner.get("ttl"))
    return None


def _usual(block: dict[str, Any]) -> dict[str, Any]:
    """The block without members that say the default."""
    ((name, inner),) = block.items()
    match name, inner:
        case "toolResult", {"status": "success"}:
            return {name: {key: value for key, value in inner.items() if key != "status"}}
        case "document", {"citations": {"enabled": False}}:
            return {name: {key: value for key, value in inner.items() if key != "citations"}}
    return block


def _source(data: bytes | None, url: str | None) -> dict[str, Any] | None:
    if data is not None:
        return {"bytes": base64.b64encode(data).decode("ascii")}
    return {"s3Location": {"uri": url}} if url is not None and url.startswith("s3://") else None


def _from_source(source: dict[str, Any]) -> tuple[bytes | None, str | None]:
    coded, place = source.get("bytes"), source.get("s3Location")
    return None if coded is None else base64.b64decode(coded, validate=True), None if place is None else place["uri"]


def _file(part: File, kind: str) -> dict[str, Any]:
    source = {"text": part.text} if part.text is not None else _source(part.data, part.url)
    if source is None or part.kind not in ("document", "video", "audio"):
        raise UnencodableRequest(f"{kind} takes files as bytes, as text or from S3.")
    body: dict[str, Any] = {"format": part.format, "source": source}
    said = {"name": part.name, "context": part.context, "citations": {"enabled": True} if part.citations else None}
    if part.kind != "document" and any(value is not None for value in said.values()):
        raise UnencodableRequest(f"{kind} has no name, context or citations for {part.kind}.")
    return {**body, **{name: value for name, value in said.items() if value is not None}}
