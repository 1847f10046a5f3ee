"""What requests of InvokeModel say in headers. Source: botocore's service model `bedrock-runtime` 2023-09-30."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from harness.core.case import Json
from harness.errors import UnencodableRequest
from harness.services._chat import table

GUARDRAIL_ID = "x-amzn-bedrock-guardrailidentifier"
GUARDRAIL_VERSION = "x-amzn-bedrock-guardrailversion"
TRACE = "x-amzn-bedrock-trace"
LATENCY = "x-amzn-bedrock-performanceconfig-latency"
TIER = "x-amzn-bedrock-service-tier"
METADATA = "x-amzn-bedrock-request-metadata"

# HTTP header -> parameter of boto3's invoke_model and invoke_model_with_response_stream.
PARAMETERS = {
    "content-type": "contentType",
    "accept": "accept",
    TRACE: "trace",
    GUARDRAIL_ID: "guardrailIdentifier",
    GUARDRAIL_VERSION: "guardrailVersion",
    LATENCY: "performanceConfigLatency",
    TIER: "serviceTier",
    METADATA: "requestMetadata",
}


def read(recorded: Mapping[str, str]) -> dict[str, Json]:
    """Params that a recorded request says in its headers."""
    lower = {name.lower(): value for name, value in recorded.items()}
    guardrail: dict[str, Json] = {}
    for name, header in (("id", GUARDRAIL_ID), ("version", GUARDRAIL_VERSION)):
        if header in lower:
            guardrail[name] = lower[header]
    if TRACE in lower:
        guardrail["trace"] = lower[TRACE].lower()
    params: dict[str, Json] = {"guardrail": guardrail} if guardrail else {}
    for neutral, header in (("latency", LATENCY), ("service_tier", TIER)):
        if header in lower:
            params[neutral] = lower[header]
    metadata = _metadata(lower.get(METADATA, ""))
    return params if metadata is None else {**params, "metadata": metadata}


def write(left: dict[str, Any]) -> dict[str, str]:
    """The headers of params that InvokeModel says in them, taken out of `left`. Raises UnencodableRequest."""
    said: dict[str, str] = {}
    guardrail = dict(table(left.pop("guardrail", None)))
    for name, header in (("id", GUARDRAIL_ID), ("version", GUARDRAIL_VERSION)):
        if name in guardrail:
            said[header] = str(guardrail.pop(name))
    if "trace" in guardrail:
        said[TRACE] = str(guardrail.pop("trace")).upper()
    if guardrail:
        raise UnencodableRequest(f"InvokeModel has no header for a guardrail's {', '.join(sorted(guardrail))}.")
    for neutral, header in (("latency", LATENCY), ("service_tier", TIER)):
        if neutral in left:
            said[header] = str(left.pop(neutral))
    if "metadata" in left:
        said[METADATA] = json.dumps(left.pop("metadata"), separators=(",", ":"))
    return said


def _metadata(header: str) -> dict[str, Json] | None:
    try:
        value = json.loads(header)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
