"""A recorded HTTP exchange: which service and operation it called, and which of its headers are kept."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from harness.core.case import Json
from harness.recordings.formats._openai import ROUTES
from harness.recordings.formats._streams import LONGEST

# Kept by name: a header that nobody foresaw may hold a credential, so what is not listed is left out.
_KEPT = re.compile(
    r"content-type|accept|date|retry-after(-ms)?|x-request-id|x-ms-(region|rai-invoked|deployment-name|error-code)|"
    r"apim-request-id|anthropic-(version|beta)|extra-parameters|azureml-model-(session|deployment)|"
    r"azure-openai-[a-z-]+|x-ratelimit-[a-z-]+|ms-azureml-model-[a-z-]+|"
    r"x-amzn-(requestid|errortype|bedrock-[a-z-]+|sagemaker-[a-z-]+|invoked-production-variant)"
)
_BEDROCK = {
    "invoke": "InvokeModel",
    "invoke-with-response-stream": "InvokeModelWithResponseStream",
    "converse": "Converse",
    "converse-stream": "ConverseStream",
}
_SAGEMAKER = {
    "invocations": "InvokeEndpoint",
    "invocations-response-stream": "InvokeEndpointWithResponseStream",
    "async-invocations": "InvokeEndpointAsync",
}
_OTHERS = {
    "count-tokens": "CountTokens",
    "apply": "ApplyGuardrail",
    "async-invoke": "StartAsyncInvoke",
    "models": "list of models",
    "token": "token",
    "files": "files",
    "batches": "batches",
}
_IDS = ("x-amzn-requestid", "apim-request-id", "x-request-id", "request-id")


@dataclass(frozen=True, slots=True)
class Call:
    """model: as called by the address; None where only the body can tell. region: by the host."""

    service: str
    operation: str
    model: str | None = None
    region: str | None = None


def call_of(method: str, uri: str) -> Call | str:
    """The model call that an address is of, else a word for what it is instead."""
    try:
        address = urlsplit(uri)
        host = address.hostname or ""
    except ValueError:
        return "an address that is none"
    parts = [unquote(part) for part in address.path.split("/") if part]
    last = parts[-1] if parts else ""
    if method.upper() != "POST":
        return _OTHERS.get(last, "not a POST")
    region = next(iter(re.findall(r"\.([a-z]{2}(?:-[a-z]+)+-\d)\.", host)), None)
    if len(parts) >= 3 and parts[-3] == "model" and last in _BEDROCK:
        return Call("bedrock", _BEDROCK[last], parts[-2], region)
    if len(parts) >= 3 and parts[-3] == "endpoints" and last in _SAGEMAKER:
        return Call("sagemaker", _SAGEMAKER[last], parts[-2], region)
    path = "/" + "/".join(parts)
    for end, operation in ROUTES.items():
        if path.endswith(end):
            deployed = parts[parts.index("deployments") + 1] if "deployments" in parts[:-1] else None
            return Call("azure_openai", operation, deployed, region)
    if path.endswith("/v1/messages"):
        return Call("foundry", "messages", None, region)
    if last == "score" and host.endswith((".inference.ml.azure.com", ".inference.azureml.ms")):
        return Call("azureml", "score", host.partition(".")[0], host.split(".")[1])
    return _OTHERS.get(last, "another call")


def headers_of(table: object) -> dict[str, str]:
    """The headers that are kept, names in lower case; values come as text, bytes, or a list of them."""
    kept = {}
    for name, value in table.items() if isinstance(table, Mapping) else ():
        first = value[0] if isinstance(value, list) and value else value
        text = first.decode("latin-1") if isinstance(first, bytes) else first
        if isinstance(name, str) and isinstance(text, str) and _KEPT.fullmatch(name.lower()):
            kept[name.lower()] = text
    return kept


def header(table: object, wanted: str) -> str | None:
    """A header that is looked at and not kept."""
    for name, value in table.items() if isinstance(table, Mapping) else ():
        if isinstance(name, str) and name.lower() == wanted:
            first = value[0] if isinstance(value, list) and value else value
            return first.decode("latin-1") if isinstance(first, bytes) else first if isinstance(first, str) else None
    return None


def request_id(headers: Mapping[str, str]) -> str | None:
    return next((headers[name] for name in _IDS if name in headers), None)


def date(text: str | None) -> datetime | None:
    """A time of HTTP (RFC 9110) or of SigV4 ("20251009T153729Z"), UTC; None for what is none."""
    if text is None:
        return None
    try:
        if re.fullmatch(r"\d{8}T\d{6}Z", text):
            return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        found = parsedate_to_datetime(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def unpacked(body: bytes, encoding: str | None) -> bytes:
    """A body without its transfer compression, where it still has it. Raises ValueError beyond LONGEST bytes."""
    if (encoding or "").strip().lower() not in ("gzip", "deflate") or body[:2] not in (b"\x1f\x8b", b"\x78\x9c"):
        return body
    try:
        if body[:2] == b"\x1f\x8b":
            plain = gzip.GzipFile(fileobj=io.BytesIO(body)).read(LONGEST + 1)
        else:
            plain = zlib.decompressobj().decompress(body, LONGEST + 1)
    except (OSError, EOFError, zlib.error):
        return body
    if len(plain) > LONGEST:
        raise ValueError(f"a body that unpacks to more than {LONGEST:,} bytes")
    return plain


def latency_s(headers: Mapping[str, str]) -> float | None:
    """What Bedrock says of its own time."""
    text = headers.get("x-amzn-bedrock-invocation-latency", "")
    return int(text) / 1000 if text.isdecimal() and len(text) < 10 else None


def api_version(uri: str) -> str | None:
    try:
        found = parse_qs(urlsplit(uri).query).get("api-version")
    except ValueError:
        return None
    return found[0] if found else None


def address(uri: str) -> str:
    """The address without what may be a credential: of the query the API version stays."""
    parts = urlsplit(uri)
    version = api_version(uri)
    host = parts.hostname or ""
    return f"{parts.scheme}://{host}{parts.path}" + (f"?api-version={version}" if version else "")


def model_in(body: Json) -> str | None:
    named: Any = body.get("model") if isinstance(body, dict) else None
    return named if isinstance(named, str) else None
