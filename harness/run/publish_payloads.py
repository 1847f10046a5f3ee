"""What a report may carry out of this machine: the profile's payload rule, applied in this one place.

A text field is either open (names, versions, the gate's own words) or a payload's. What nobody has put on the list of
open ones is treated as a payload, so that a field that is new cannot leak.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any

from harness.core.report import ParityReport, Payloads
from harness.core.secrets import mask

WITHHELD = "not shown: this profile keeps payloads out of reports"
_HASH = re.compile(r"sha256:[0-9a-f]{64}")

# Text that no request or answer wrote. Labels and the values of declared slices are names that a suite's owner chose.
OPEN = frozenset(
    {
        *(f"ParityReport.{name}" for name in (
            "run", "suite", "title", "pair", "translation", "profile", "golden_sha256", "clients", "signature",
            "stopped", "planted", "mode", "conditions", "previous", "outcomes",
        )),
        *(f"Decision.{name}" for name in ("policy_sha256", "signature", "epoch", "headline", "notes")),
        *(f"Finding.{name}" for name in ("criterion", "metric", "reason", "slice", "waived_by")),
        *(f"Evidence.{name}" for name in ("criterion", "method", "epoch")),
        *(f"SideSummary.{name}" for name in ("service", "endpoint", "served", "failures", "cost_note")),
        *(f"MetricSummary.{name}" for name in ("metric", "comparator")),
        *(f"Distribution.{name}" for name in ("metric", "what", "unit")),
        *(f"SliceSummary.{name}" for name in ("metric", "name")),
        *(f"Look.{name}" for name in ("run", "criterion", "epoch")),
        *(f"WaiverSummary.{name}" for name in ("criterion", "owner", "reason", "expires", "covers")),
        *(f"EstateLine.{name}" for name in ("name", "service", "suites", "out_of_scope")),
        *(f"Departure.{name}" for name in ("field", "reason")),
        *(f"WorstCase.{name}" for name in ("case_id", "metric", "unit", "status")),
        *(f"Change.{name}" for name in ("what", "text", "before", "after")),  # versions, settings, criteria
    }
)  # fmt: skip
# Payloads whose hash is worth showing: long texts that two people may want to compare. Short ones would be guessed.
HASHED = frozenset({"WorstCase.request", "WorstCase.source", "WorstCase.target"})
PAYLOAD = HASHED | {
    "WorstCase.reason",
    "WorstCase.slices",
    "Departure.source_value",
    "Departure.target_value",
    "SliceSummary.value",
}


def cleared(report: ParityReport) -> ParityReport:
    """The report as it may leave: cut to its own payload rule again, and without what looks like a secret."""
    made: ParityReport = _walk(report, report.payloads, "")
    return made


def packed(report: ParityReport) -> str:
    """A cleared report as text, for another process of the same version."""
    import msgspec

    return base64.b64encode(msgspec.msgpack.encode(cleared(report))).decode()


def unpacked(text: str) -> ParityReport:
    """What `packed` wrote."""
    import msgspec

    return msgspec.msgpack.decode(base64.b64decode(text), type=ParityReport)


def _walk(value: Any, rule: Payloads, place: str) -> Any:
    """place: "Class.field" that the value stands in."""
    if is_dataclass(value) and not isinstance(value, type):
        cls = type(value).__name__
        return replace(
            value, **{one.name: _walk(getattr(value, one.name), rule, f"{cls}.{one.name}") for one in fields(value)}
        )
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return _text(value, rule, place)
    if isinstance(value, Mapping):
        if place not in OPEN and rule in (Payloads.NONE, Payloads.HASH):
            return {}
        return {_text(key, rule, place): _walk(one, rule, place) for key, one in value.items()}
    if isinstance(value, tuple):
        return tuple(_walk(one, rule, place) for one in value)
    return value


def _text(text: str, rule: Payloads, place: str) -> str | None:
    safe = mask(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
    if place in OPEN or rule is Payloads.FULL:
        return safe
    if rule is Payloads.REDACTED:
        from harness.recordings.redact import redact_text

        return redact_text(safe)
    if place not in HASHED:
        return WITHHELD
    if rule is Payloads.NONE:
        return None
    return text if _HASH.fullmatch(text) else f"sha256:{hashlib.sha256(safe.encode()).hexdigest()}"
