"""What chat completions and the responses API write alike: params, pictures, documents, tools, forms of an answer.

Source: wire contracts, "Chat completions" and "Responses API".
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from harness.core.case import Json
from harness.core.chat import File, Format, Image, Tool, ToolChoice
from harness.errors import CodecError, UnencodableRequest
from harness.services._chat import merged

LIMITS = ("max_completion_tokens", "max_tokens")
USAGE_ASKED: Mapping[str, Json] = MappingProxyType({"include_usage": True})
CHOICES = {"auto": "auto", "any": "required", "none": "none"}
_FILE_MEDIA = {
    "application/pdf": "pdf",
    "text/plain": "txt",
    "text/csv": "csv",
    "text/html": "html",
    "text/markdown": "md",
}


def read_params(
    table: Mapping[str, Any], names: Mapping[str, str], *, handled: frozenset[str]
) -> tuple[dict[str, Json], dict[str, Any]]:
    """Neutral params and extra of a body's members, `handled` left out. null says nothing and is dropped."""
    neutral = {member: name for name, member in names.items()}
    if names.get("max_tokens") in LIMITS:  # either word is read; the dialect's own wins where both stand
        neutral |= {member: "max_tokens" for member in LIMITS if table.get(names["max_tokens"]) is None}
    params: dict[str, Json] = {}
    extra: dict[str, Any] = {}
    for member, value in table.items():
        name = neutral.get(member)
        if value is None or member in handled or (member == "stream_options" and value == USAGE_ASKED):
            continue
        if name is None:
            extra[member] = value
        elif name == "stop":
            params[name] = [value] if isinstance(value, str) else value
        elif name == "reasoning":
            params[name] = {"effort": value}
        else:
            params[name] = value
    return params, extra


def write_params(body: dict[str, Any], params: Mapping[str, Json], names: Mapping[str, str]) -> None:
    """Add params to a body, extra last; "api" is the codec's. Raises UnencodableRequest naming one without a member."""
    for name, value in params.items():
        if name in ("api", "extra"):
            continue
        if name not in names:
            raise cannot(name, "the request body has no member for it")
        body[names[name]] = _effort(value) if name == "reasoning" else value
    extra = params.get("extra", {})
    if not isinstance(extra, dict):
        raise cannot("extra", "it is no object")
    body |= merged(body, extra)


def cannot(field: str, reason: str) -> UnencodableRequest:
    """The error that names a field of the request and why it cannot be said."""
    return UnencodableRequest(f'"{field}" cannot be sent: {reason}.')


def expect(value: Any, kind: type | tuple[type, ...], what: str) -> Any:
    """The value, where it is of a kind; else CodecError."""
    if not isinstance(value, kind):
        raise CodecError(f"{what} is not what a request holds there.")
    return value


def data_uri(media_type: str, data: bytes) -> str:
    """Bytes as a data: URI (RFC 2397)."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"


def split_data_uri(uri: str) -> tuple[str, bytes] | None:
    """Media type and bytes of a base64 data: URI; None where it is none."""
    head, comma, tail = uri.partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        return None
    try:
        return head[len("data:") : -len(";base64")], base64.b64decode(tail, validate=True)
    except (binascii.Error, ValueError):
        return None


def read_file(inner: dict[str, Any]) -> File | None:
    """A document from {"file_data": data URI, "filename"}; None where it is not one that `write_file` would write."""
    split = split_data_uri(inner["file_data"])
    known = None if split is None else _FILE_MEDIA.get(split[0])
    if split is None or known is None:
        return None
    return File(kind="document", format=known, name=inner.get("filename"), data=split[1])


def write_file(part: File) -> dict[str, Any]:
    """A document as {"file_data": data URI, "filename"}."""
    media = {form: media for media, form in _FILE_MEDIA.items()}.get(part.format)
    if part.data is None or media is None or part.citations or part.context is not None:
        raise cannot("document", f"the body takes bytes of {', '.join(_FILE_MEDIA.values())} alone, without citations")
    named = {} if part.name is None else {"filename": part.name}
    return {"file_data": data_uri(media, part.data), **named}


def image_url(image: Image) -> str:
    """The address of a picture, or its bytes as a data URI."""
    if image.url is not None and image.data is None:
        return image.url
    if image.data is None or image.media_type is None:
        raise cannot("image", "neither an address nor bytes with a media type are given")
    return data_uri(image.media_type, image.data)


def read_function(function: Any) -> Tool | None:
    """A tool from {"name", "description", "parameters", "strict"}; None where there is more, or less, to it."""
    known = {"name", "description", "parameters", "strict"}
    if not isinstance(function, dict) or not function.keys() <= known or not isinstance(function.get("name"), str):
        return None
    schema = function.get("parameters")
    if not isinstance(schema, dict | None):
        return None
    return Tool(
        name=function["name"],
        description=function.get("description"),
        schema=schema or {},
        strict=function.get("strict"),
    )


def write_function(tool: Tool) -> dict[str, Any]:
    """{"name", "description", "parameters", "strict"}; what is not said is left out."""
    if tool.cache:
        raise cannot("cache_point", "the body has no cache points")
    said = {"description": tool.description, "parameters": dict(tool.schema) or None, "strict": tool.strict}
    return {"name": tool.name, **{name: value for name, value in said.items() if value is not None}}


def read_choice(choice: Any) -> ToolChoice | None:
    """A choice from a word or {"name"}; None where it is another. "any" is Mistral's word for "required"."""
    if isinstance(choice, dict) and isinstance(choice.get("name"), str) and choice.keys() <= {"name", "type"}:
        return ToolChoice("tool", choice["name"]) if choice.get("type", "function") == "function" else None
    kinds = {word: kind for kind, word in CHOICES.items()} | {"any": "any"}
    return ToolChoice(kinds[choice]) if isinstance(choice, str) and choice in kinds else None


def choice_word(choice: ToolChoice) -> str:
    """auto, required or none. Raises UnencodableRequest for another kind."""
    if choice.kind not in CHOICES:
        raise cannot("tool_choice", f'its kind is "{choice.kind}"')
    return CHOICES[choice.kind]


def read_schema(inner: Any) -> Format | None:
    """A form from {"name", "description", "schema", "strict"}; None where there is more, or less, to it."""
    known = {"name", "description", "schema", "strict"}
    if not isinstance(inner, dict) or not inner.keys() <= known or not isinstance(inner.get("name"), str):
        return None
    schema = inner.get("schema")
    if not isinstance(schema, dict | None):
        return None
    return Format(
        kind="schema",
        name=inner["name"],
        description=inner.get("description"),
        schema=schema,
        strict=inner.get("strict"),
    )


def write_schema(form: Format) -> dict[str, Any]:
    """{"name", "description", "schema", "strict"}; a schema without a name cannot be sent."""
    if form.name is None:
        raise cannot("response_format", "a schema needs a name")
    schema = None if form.schema is None else dict(form.schema)
    said = {"description": form.description, "schema": schema, "strict": form.strict}
    return {"name": form.name, **{name: value for name, value in said.items() if value is not None}}


def dump(value: Json, field: str) -> str:
    """JSON as text. Raises UnencodableRequest for NaN and infinities, which JSON cannot say."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError:
        raise cannot(field, "it holds NaN or an infinity, which JSON cannot say") from None


def _effort(reasoning: Json) -> Json:
    if not isinstance(reasoning, dict) or reasoning.keys() != {"effort"}:
        raise cannot("reasoning", 'the body takes {"effort": word} alone')
    return reasoning["effort"]
