"""What the headers of an answer tell."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_KEPT = (
    "content-type",
    "x-amzn-",
    "azureml-",
    "ms-azureml-",
    "x-ms-",
    "x-request-id",
    "x-model-",
    "request-id",
    "apim-request-id",
    "azure-openai-",
    "openai-processing-ms",
    "cmp-upstream-response-duration",
    "x-ratelimit-",
    "anthropic-ratelimit-",
)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait as the service asked: `retry-after-ms`, `x-ms-retry-after-ms`, `retry-after` (seconds or a date).

    A date counts from the answer's own Date, so that a clock that is wrong here does no harm. None where nothing, or
    nothing readable, was asked. Source: RFC 9110, section 10.2.3.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    for name, unit_s in (("retry-after-ms", 1e-3), ("x-ms-retry-after-ms", 1e-3), ("retry-after", 1.0)):
        try:
            wait_s = float(lower[name]) * unit_s
        except (KeyError, ValueError):
            continue
        return wait_s if 0 <= wait_s < float("inf") else None
    until, now = _date(lower.get("retry-after")), _date(lower.get("date")) or datetime.now(UTC)
    return max(0.0, (until - now).total_seconds()) if until is not None else None


def kept(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of an answer that tell something later: type, ids, what served it. Names in lower case."""
    return {name.lower(): value for name, value in headers.items() if name.lower().startswith(_KEPT)}


def _date(text: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
