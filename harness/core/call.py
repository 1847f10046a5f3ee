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
class Reading:
    """A reply that could be read. `runtime` names what computed it, where the service tells."""

    output: Output
    served_model: str | None = None
    runtime: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    first_token_s: float | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A reply that could not be read, and what of it could."""

    message: str
    partial: Output | None = None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFailure:
    """A side did not answer, after every attempt that was worth making."""

    side: Side
    kind: FailureKind
    message: str
    latency_s: float | None
    attempts: int
    partial: Output | None = None


Outcome: TypeAlias = Answer | CallFailure


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One case, both sides. `source_again` is None where no noise floor was asked for."""

    case: Case
    source: Outcome
    target: Outcome
    source_again: Outcome | None = None
    departures: tuple[Departure, ...] = ()
