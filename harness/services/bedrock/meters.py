"""Token counts and times of InvokeModel: the metrics that end a stream, and an answer's headers.

They are the same for every model, and none of them is in the service model. Source: recorded answers; wire contracts
D.1, D.6, H2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.core.call import Tokens
from harness.services._chat import count

METRICS = "amazon-bedrock-invocationMetrics"

# what is counted -> its names in the metrics and in the headers
_INPUT = ("inputTokenCount", "x-amzn-bedrock-input-token-count")
_OUTPUT = ("outputTokenCount", "x-amzn-bedrock-output-token-count")
_CACHE_READ = ("cacheReadInputTokenCount", "x-amzn-bedrock-cache-read-input-token-count")
_CACHE_WRITE = ("cacheWriteInputTokenCount", "x-amzn-bedrock-cache-write-input-token-count")
_LATENCY_MS = ("invocationLatency", "x-amzn-bedrock-invocation-latency")


def counts(own: Tokens | None, metrics: Mapping[str, Any], headers: Mapping[str, str]) -> Tokens:
    """The provider's own counts; those that it leaves out from the metrics, then from the headers."""
    own = own or Tokens()
    return Tokens(
        input=_found(_INPUT, metrics, headers) if own.input is None else own.input,
        output=_found(_OUTPUT, metrics, headers) if own.output is None else own.output,
        cache_read=_found(_CACHE_READ, metrics, headers) if own.cache_read is None else own.cache_read,
        cache_write=_found(_CACHE_WRITE, metrics, headers) if own.cache_write is None else own.cache_write,
        reasoning=own.reasoning,
        cached_inside=own.cached_inside,
    )


def service_s(metrics: Mapping[str, Any], headers: Mapping[str, str]) -> float | None:
    """How long the service says that the model took; None where it does not say."""
    return seconds(_found(_LATENCY_MS, metrics, headers))


def seconds(milliseconds: object) -> float | None:
    number = count(milliseconds)
    return None if number is None else number / 1000


def _found(names: tuple[str, str], metrics: Mapping[str, Any], headers: Mapping[str, str]) -> int | None:
    in_metrics, in_headers = names
    if in_metrics in metrics:
        return count(metrics[in_metrics])
    return count(headers[in_headers]) if in_headers in headers else None
