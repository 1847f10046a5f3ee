"""What a golden set is known not to hold, or not to hold as it was: a closed list of words.

A word is a flag of the cases it concerns (`Provenance.flags`), where it concerns single cases, and an entry of the
manifest, which counts them. A policy may refuse a set by these words (`[coverage] refuse_gaps`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

SAMPLED = "sampled"
NO_REQUEST = "no_request"
NO_ANSWER = "no_answer"
TRUNCATED = "truncated"
NOT_WIRE_BYTES = "not_wire_bytes"
REDACTED = "redacted"
REPEATS = "repeats"
DUPLICATES = "duplicates"
NO_TIME = "no_time"
TIME_GAP = "time_gap"
CLOCK_SKEW = "clock_skew"
MODEL_VERSIONS = "model_versions"
UNREAD = "unread"
REJECTED = "rejected"
SKIPPED = "skipped"
LEFT_OUT = "left_out"

# Beginning of a flag that ends in a FailureKind: the call brought no answer, whatever its record holds besides. It is
# no gap, since a failure is known.
FAILED = "failed:"

# word -> what its count counts
KINDS: Mapping[str, str] = MappingProxyType(
    {
        SAMPLED: "the log holds a share of the traffic; the count is that of its cases",
        NO_REQUEST: "records of an answer whose request was not kept; they are no cases",
        NO_ANSWER: "cases whose answer was not kept",
        TRUNCATED: "cases with a body that the log cut",
        NOT_WIRE_BYTES: "cases whose log kept a parsed body instead of the bytes",
        REDACTED: "cases whose request was altered by redaction",
        REPEATS: "cases with the request of an earlier one and another answer",
        DUPLICATES: "cases with the request and the answer of an earlier one",
        NO_TIME: "cases whose log does not say when they were",
        TIME_GAP: "stretches of time without a record, much longer than is usual in the log",
        CLOCK_SKEW: "cases whose time cannot be right",
        MODEL_VERSIONS: "models and versions that answered in one set",
        UNREAD: "cases whose request no codec here can read, so that they cannot be replayed",
        REJECTED: "records that could not be read; they are no cases",
        SKIPPED: "records that are no call of a model; they are no cases",
        LEFT_OUT: "cases of another set that sampling, splitting or merging left out",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One known gap. kind: a word of KINDS. count: at least 1, of what KINDS says. note: the details in words."""

    kind: str
    count: int
    note: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS or self.count < 1:
            raise ValueError(f"no gap: {self.count} of kind {self.kind}")
