"""What each part of a turn becomes: texts, pictures, documents, calls and their results, blocks of the source's own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace

from harness.core.case import Json
from harness.core.chat import CachePoint, Call, File, Foreign, Image, Part, Reasoning, Result, Text, Value
from harness.pairs._parts.fit import Losses, Target

# Formats of documents that are text as they stand, and may be read out where the target takes no documents.
PLAIN = ("txt", "md", "csv", "html", "json", "xml")
JPEG = "image/jpeg"
PICTURES = ("image/png", JPEG, "image/gif", "image/webp")
# Converse, DocumentBlock.name: letters, digits, single white space, hyphens, parentheses and square brackets.
_UNNAMEABLE = re.compile(r"[^A-Za-z0-9\-()\[\]]+")


def carry(parts: tuple[Part, ...], target: Target, losses: Losses) -> Iterator[Part]:
    before: Part | None = None
    for part in parts:
        kept = _part(part, target, losses)
        if isinstance(kept, CachePoint) and target.api.words == "anthropic" and isinstance(before, CachePoint | None):
            losses.drop("cache_point", "with nothing before it", f"{target.api.title} marks the block before it")
        elif kept is not None:
            yield kept
            before = kept


def _part(part: Part, target: Target, losses: Losses) -> Part | None:
    match part:
        case Text():
            if part.text.strip() or not target.api.alternate:
                return part
            losses.drop("message_order", "a blank text", f"{target.api.title} refuses blank texts")
        case Image() | File() if target.api.prompt:  # whatever the model takes in another form
            name = "image" if isinstance(part, Image) else "document"
            losses.drop(name, "given", f"the body of {target.api.title} holds one text")
        case Image():
            return _image(part, target, losses)
        case File():
            return _file(part, target, losses)
        case Result():
            return _result(part, target, losses)
        case Reasoning():
            if target.accepts("reasoning_content") is True and (part.signature or part.redacted):
                return part
            losses.drop("reasoning_content", "of earlier turns", target.who("reasoning_content"))
        case CachePoint():
            if target.accepts("cache_point") is True:
                return part
            losses.drop("cache_point", "given", target.who("cache_point"))
        case Foreign():
            return _foreign(part, target, losses)
        case Call():
            return _call(part, target, losses)
        case Value():
            return part
    return None


def _call(call: Call, target: Target, losses: Losses) -> Part:
    """Arguments are a text to OpenAI, and an object to every other service. Without tools, a call is read as text."""
    if target.accepts("tools") is not True:
        losses.change("tool_call", "a call", "its text", target.who("tools"))
        return Text(f"{call.name}({call.raw or json.dumps(call.arguments, ensure_ascii=False)})")
    if target.api.words == "openai" or (call.raw is None and isinstance(call.arguments, dict)):
        return call
    said = "arguments that are no JSON" if call.raw is not None else "arguments that are no object"
    losses.change("tool_call", said, 'an object with "value"', f"{target.api.title} wants an object")
    return replace(call, arguments={"value": call.raw if call.raw is not None else call.arguments}, raw=None)


def _foreign(part: Foreign, target: Target, losses: Losses) -> Part | None:
    """A block in the source's own words: kept where the target reads the same words, else what can be read of it."""
    if target.same_words:
        return part
    text = "\n\n".join(_readable(part.value))
    if text.strip():
        said = "a message among the turns, or with a name" if part.field == "system" else "a block of the source's own"
        losses.change(part.field, said, "its text, where it stands", f"{target.api.title} has no such block")
        return Text(text)
    losses.drop(part.field, "a block of the source's own", target.who(part.field))
    return None


def _readable(value: Json) -> Iterator[str]:
    """The texts of a block that a model was given to read: of a marked question, a quotation, a found passage.

    Source: content blocks of Converse, of Anthropic's Messages and of chat completions.
    """
    match value:
        case {"text": str(text)}:
            yield text
        case {"text": inner} | {"guardContent": inner} | {"searchResult": inner} | {"citationsContent": inner}:
            yield from _readable(inner)
        case {"content": str(text)} | {"message": {"refusal": str(text)}}:
            yield text
        case {"content": list(blocks)}:
            named = [value.get("title"), value.get("source")] if isinstance(value, dict) else []
            yield from (name for name in named if isinstance(name, str))
            for block in blocks:
                yield from _readable(block)


def _image(image: Image, target: Target, losses: Losses) -> Image | None:
    stored = image.url is not None and image.url.startswith("s3://")
    way = "data" if image.data is not None else "s3" if stored else "url"
    if not target.allows("image", way):
        said = "an image" if way == "data" else "an image by its address"
        losses.drop("image", said, target.who("image"))
        return None
    typed = image if image.data is None else _typed(image, losses)
    if typed is None:
        return None
    image = typed
    if image.detail is not None and not target.allows("image", "detail"):
        losses.drop("image", f"detail {image.detail}", f"{target.api.title} has no grade of detail")
        return replace(image, detail=None)
    return image


def _typed(image: Image, losses: Losses) -> Image | None:
    """Every service takes the same four kinds of pictures, and "image/jpg" is none of their names."""
    kind = JPEG if image.media_type == "image/jpg" else image.media_type
    if kind in PICTURES:
        return replace(image, media_type=kind)
    losses.drop("image", "of a kind that is not told or not known", "services take PNG, JPEG, GIF and WebP")
    return None


def _file(file: File, target: Target, losses: Losses) -> Part | None:
    if file.kind != "document":
        if target.accepts(file.kind) is True:
            return file
        losses.drop(file.kind, file.format, target.who(file.kind))
        return None
    if file.citations and target.accepts("citations") is not True:
        losses.drop("citations", "asked for", target.who("citations"))
        file = replace(file, citations=False)
    if target.allows("document", file.format) and (file.url is None or target.same_words):
        return _document(file, target, losses)
    text = _text_of(file)
    if text is None:
        losses.drop("document", file.format, target.who("document"))
        return None
    losses.change("document", file.format, "its text, in the turn", target.who("document"))
    heads = [f"Document: {file.name}"] if file.name else []
    return Text("\n".join([*heads, *([file.context] if file.context else []), text]))


def _document(file: File, target: Target, losses: Losses) -> File:
    """A document as the target names and holds it."""
    if target.api.words == "anthropic" and file.format == "txt" and file.text is None and (text := _text_of(file)):
        return replace(file, data=None, text=text)
    if target.api.words == "openai" and file.context is not None:
        losses.drop("document", "its context", f"{target.api.title} has no place for it")
        return replace(file, context=None)
    if target.api.words not in ("converse", "nova"):
        return file
    name = _UNNAMEABLE.sub(" ", file.name or "document").strip() or "document"
    if name != file.name:
        losses.change("document", "its name", "a name of letters and digits", f"{target.api.title} takes no other")
    return replace(file, name=name)


def _text_of(file: File) -> str | None:
    if file.text is not None:
        return file.text
    if file.data is None or file.format not in PLAIN:
        return None
    try:
        return file.data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _result(result: Result, target: Target, losses: Losses) -> Part:
    """What a tool gave back. A failure that the target cannot be told as one is told in the text."""
    if target.accepts("tools") is not True:
        losses.change("tool_result", "a result", "its text", target.who("tools"))
        texts = [_said(part) for part in result.content]
        return Text("\n".join(["[tool error]", *texts] if result.error else texts))
    content: list[Part] = []
    for part in result.content:
        kept = _result_part(part, target, losses)
        if kept is not None:
            content.append(kept)
    if not result.error or target.allows("tool_result", "error"):
        return replace(result, content=tuple(content))
    losses.change("tool_result", "marked as failed", "a word in its text", f"{target.api.title} has no mark for it")
    return replace(result, content=(Text("[tool error]"), *content), error=False)


def _said(part: Part) -> str:
    """A part of a result as text; pictures and files by what they are."""
    match part:
        case Text():
            return part.text
        case Value():
            return json.dumps(part.value, ensure_ascii=False)
        case File(text=str() as text):
            return text
    return f"[{type(part).__name__.lower()}]"


def _result_part(part: Part, target: Target, losses: Losses) -> Part | None:
    if isinstance(part, Value) and not target.allows("tool_result", "value"):
        losses.change("tool_result", "JSON", "its text", f"{target.api.title} takes text")
        return Text(json.dumps(part.value, ensure_ascii=False))
    if isinstance(part, Image) and not target.allows("tool_result", "image"):
        losses.drop("tool_result", "an image", f"{target.api.title} takes text")
        return None
    if isinstance(part, File) and not target.allows("tool_result", "document"):
        text = _text_of(part) if part.kind == "document" else None
        losses.change("tool_result", part.kind, "its text" if text else None, f"{target.api.title} takes text")
        return Text(text) if text else None
    return part if isinstance(part, Text | Value) else _part(part, target, losses)
