"""Content blocks of Anthropic's Messages, and the neutral parts they stand for.

A block becomes a part only where the part says all that the block says: it is written back and held against the block.
Any other block is kept as it is (Foreign). A cache mark on a block is a cache point after it.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from harness.core.chat import CachePoint, Call, File, Foreign, Image, Part, Reasoning, Result, Text
from harness.errors import CodecError, UnencodableRequest
from harness.services._chat import table, text

KIND = "Anthropic Messages"

# block type -> which of FIELDS a block of it belongs to, where it has no neutral form
_FIELDS = {
    "text": "citations",
    "image": "image",
    "document": "document",
    "search_result": "search_result",
    "tool_use": "tool_call",
    "server_tool_use": "tool_call",
    "mcp_tool_use": "tool_call",
    "tool_result": "tool_result",
    "thinking": "reasoning_content",
    "redacted_thinking": "reasoning_content",
}


def parts_of(content: Any) -> tuple[Part, ...]:
    """Parts of a content: text or a list of blocks. A cache mark on a block becomes a cache point after it."""
    if isinstance(content, str):
        return (Text(content),)
    if not isinstance(content, list):
        raise CodecError("a content is neither text nor a list of blocks")
    parts: list[Part] = []
    for block in content:
        if not isinstance(block, dict):
            raise CodecError("a block of a content is no object")
        bare, mark = unmarked(block)
        parts.append(_part(bare))
        if mark is not None:
            parts.append(mark)
    return tuple(parts)


def unmarked(block: dict[str, Any]) -> tuple[dict[str, Any], CachePoint | None]:
    match block.get("cache_control"):
        case {"type": "ephemeral", **rest} if not rest or (rest.keys() == {"ttl"} and isinstance(rest["ttl"], str)):
            bare = {name: value for name, value in block.items() if name != "cache_control"}
            return bare, CachePoint(ttl=block["cache_control"].get("ttl"))
    return block, None


def _part(block: dict[str, Any]) -> Part:
    """The neutral part, where it says all that the block says; else the block as it is."""
    try:
        part = _read(block)
        if part is not None and _block(part) == _usual(block):
            return part
    except (KeyError, TypeError, ValueError, AttributeError, binascii.Error, CodecError):
        pass  # a member is missing, or is not what it is documented to be
    return Foreign(field=_FIELDS.get(text(block.get("type")), "extra"), value=block)


def _usual(block: dict[str, Any]) -> dict[str, Any]:
    """The block without members that say the default."""
    usual = {name: value for name, value in block.items() if (name, value) not in _DEFAULTS}
    if usual.get("type") == "tool_result":
        content = usual.get("content", [])
        usual["content"] = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return usual


_DEFAULTS: tuple[tuple[str, Any], ...] = (("is_error", False), ("citations", None), ("citations", {"enabled": False}))


def _read(block: dict[str, Any]) -> Part | None:
    source = table(block.get("source"))
    match block["type"]:
        case "text":
            return Text(block["text"])
        case "image" if source.get("type") == "base64":
            return Image(media_type=source["media_type"], data=base64.b64decode(source["data"], validate=True))
        case "image" if source.get("type") == "url":
            return Image(url=source["url"])
        case "document":
            return _read_document(block, source)
        case "tool_use":
            return Call(id=block["id"], name=block["name"], arguments=block["input"])
        case "tool_result":
            content = parts_of(block.get("content", []))
            return Result(id=block["tool_use_id"], content=content, error=block.get("is_error") is True)
        case "thinking":
            return Reasoning(text=block["thinking"], signature=block.get("signature"))
        case "redacted_thinking":
            return Reasoning(redacted=block["data"])
    return None


def _read_document(block: dict[str, Any], source: dict[str, Any]) -> File | None:
    said: dict[str, Any] = {
        "kind": "document",
        "name": block.get("title"),
        "context": block.get("context"),
        "citations": table(block.get("citations")).get("enabled") is True,
    }
    match source.get("type"):
        case "base64" if source["media_type"] == "application/pdf":
            return File(format="pdf", data=base64.b64decode(source["data"], validate=True), **said)
        case "text" if source["media_type"] == "text/plain":
            return File(format="txt", text=source["data"], **said)
        case "url":
            return File(format="pdf", url=source["url"], **said)
    return None


def blocks_of(parts: tuple[Part, ...]) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    for part in parts:
        if isinstance(part, CachePoint):
            if not blocks or "cache_control" in blocks[-1]:
                raise UnencodableRequest(f"{KIND} marks a block as the end of what is cached, and here is none.")
            mark = {"type": "ephemeral"} if part.ttl is None else {"type": "ephemeral", "ttl": part.ttl}
            blocks[-1] = {**blocks[-1], "cache_control": mark}
        else:
            blocks.append(_block(part))
    return blocks


def _block(part: Part) -> dict[str, Any]:
    match part:
        case Text():
            return {"type": "text", "text": part.text}
        case Image(detail=None, data=bytes(data), media_type=str(media_type)):
            coded = base64.b64encode(data).decode("ascii")
            return {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": coded}}
        case Image(detail=None, url=str(url)):
            return {"type": "image", "source": {"type": "url", "url": url}}
        case File(kind="document"):
            return _document(part)
        case Call(id=str(), raw=None):
            return {"type": "tool_use", "id": part.id, "name": part.name, "input": part.arguments}
        case Result(id=str(), name=None):
            block = {"type": "tool_result", "tool_use_id": part.id, "content": blocks_of(part.content)}
            return {**block, "is_error": True} if part.error else block
        case Reasoning(redacted=str(data)):
            return {"type": "redacted_thinking", "data": data}
        case Reasoning(text=str(thought)):
            block = {"type": "thinking", "thinking": thought}
            return block if part.signature is None else {**block, "signature": part.signature}
        case Foreign(value=dict(value)):
            return value
    raise UnencodableRequest(f"{KIND} has no block for a part of this form ({type(part).__name__}).")


def _document(part: File) -> dict[str, Any]:
    match part:
        case File(format="pdf", data=bytes(data)):
            coded = base64.b64encode(data).decode("ascii")
            source = {"type": "base64", "media_type": "application/pdf", "data": coded}
        case File(format="pdf", url=str(url)):
            source = {"type": "url", "url": url}
        case File(format="txt", text=str(said)):
            source = {"type": "text", "media_type": "text/plain", "data": said}
        case _:
            raise UnencodableRequest(f'{KIND} takes PDF and plain text as documents, not "{part.format}".')
    block: dict[str, Any] = {"type": "document", "source": source}
    for name, value in (("title", part.name), ("context", part.context)):
        if value is not None:
            block[name] = value
    return {**block, "citations": {"enabled": True}} if part.citations else block
