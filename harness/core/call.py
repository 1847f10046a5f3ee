"""What goes over the wire and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from harness.core.case import Case, Departure, Json
from harness.core.output import Output


class Side(StrEnum):
    """source is left behind, target is moved to. Neither names a cloud."""

    SOURCE = "source"
    TARGET = "target"


class Role(StrEnum):
    """Why a call is made. source_again is the second fresh source call: the noise floor."""

    SOURCE = "source"
    SOURCE_AGAIN = "source_again"
    TARGET = "target"
    JUDGE = "judge"

    @property
    def side(self) -> Side:
        return Side.TARGET if self is Role.TARGET else Side.SOURCE


class Mode(StrEnum):
    """Where a run's answers come from.

    dual: both sides are called. golden: the source's answers are those that were recorded, and only the target is
    called. record: only the source is called, and its answers are kept. offline: a stored run is compared again.
    """

    DUAL = "dual"
    GOLDEN = "golden"
    RECORD = "record"
    OFFLINE = "offline"


class FailureKind(StrEnum):
    """Why a side has no answer."""

    TIMEOUT = "timeout"
    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"
    DENIED = "denied"
    REJECTED = "rejected"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a stream; `at_s` counts from the start of the call."""

    at_s: float
    kind: str
    data: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """What the SDK method takes, or what it gave back.

    headers: names in lower case. body: JSON for SDKs that take objects, bytes for those that take bytes.
    """

    operation: str
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Json | bytes = None
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class Wait:
    """Continue later, with `then` (poll a batch job, an asynchronous answer, an agent run)."""

    seconds: float
    then: Wire


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Token counts as the provider gives them; None where it does not.

    cached_inside: whether `input` already holds what was read from and written to the cache (OpenAI: yes; Bedrock and
    Anthropic: no). reasoning: part of `output` on every service known.
    Source: wire contracts, "Token usage".
    """

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None
    cached_inside: bool = False

    @property
    def input_total(self) -> int | None:
        """Every token that was read, cached or not: the number that means the same on both clouds."""
        if self.input is None or self.cached_inside:
            return self.input
        return self.input + (self.cache_read or 0) + (self.cache_write or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A reply that could be read. `runtime` names what computed it, where the service tells.

    tokens_in: every token read, cached or not (`Tokens.input_total`). tokens: the provider's own counts.
    service_s: how long the service says it took.
    """

    output: Output
    served_model: str | None = None
    runtime: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    tokens: Tokens | None = None
    first_token_s: float | None = None
    service_s: float | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A reply that holds no answer, and what of one could be read.

    kind: UNREADABLE for bytes that say nothing; what failed where the reply says so itself: a stream that broke off
    after HTTP 200 (throttled, unavailable, timeout), a recorded refusal of the call (rejected, denied).
    status, code: the HTTP status and the service's own word for it, where there are any.
    """

    message: str
    partial: Output | None = None
    kind: FailureKind = FailureKind.UNREADABLE
    status: int | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A side answered. `latency_s` is the last attempt's, without waits between attempts."""

    side: Side
    output: Output
    raw_sha256: str
    latency_s: float | None
    attempts: int
    first_token_s: float | None = None
    served_model: str | None = None
    runtime: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    tokens: Tokens | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFailure:
    """A side did not answer, after every attempt that was worth making.

    status, code: of a recorded refusal, the HTTP status and the service's own word for it.
    """

    side: Side
    kind: FailureKind
    message: str
    latency_s: float | None
    attempts: int
    partial: Output | None = None
    status: int | None = None
    code: str | None = None


Outcome: TypeAlias = Answer | CallFailure


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One case, both sides. `source_again` is None where no noise floor was asked for."""

    case: Case
    source: Outcome
    target: Outcome
    source_again: Outcome | None = None
    departures: tuple[Departure, ...] = ()
