"""What is replayed: recordings, cases, requests, and what translation could not carry over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None


class Task(StrEnum):
    """What kind of question a request asks; decides which payload shape it carries."""

    TABULAR = "tabular"
    EMBEDDING = "embedding"
    CHAT = "chat"
    RETRIEVAL = "retrieval"
    AGENT = "agent"
    MODERATION = "moderation"
    IMAGE = "image"
    RECORD = "record"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where in a log a recording stood.

    format: the importer that read it. path: of the file, relative to what was imported, with forward slashes. index:
    its place in the file, from 0, counting whatever the importer skipped. line: the line it starts on, from 1; None in
    files without lines.
    """

    format: str
    path: str
    index: int
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a recording comes from. `captured_at` is UTC and None where the log does not say.

    captured_from: in words, where there is no `origin`. flags: what is out of the ordinary (`harness.recordings.gaps`).
    redaction: the rules that were applied. redacted: they altered the request, so the recorded answer is not an answer
    to what is stored.
    """

    captured_at: datetime | None
    captured_from: str = ""
    origin: Origin | None = None
    flags: tuple[str, ...] = ()
    redaction: str | None = None
    redacted: bool = False
    sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One captured exchange. `response_body` is None where only the request was kept.

    tokens: counts that the log kept beside the bodies, by the names of `Tokens` (input, output, cache_read, ...); a
    count that it did not keep is not there.
    """

    id: str
    service: str
    operation: str
    model: str | None = None
    region: str | None = None
    url: str | None = None
    request_headers: Mapping[str, str] = field(default_factory=dict)
    request_body: bytes = b""
    status: int | None = None
    response_headers: Mapping[str, str] = field(default_factory=dict)
    response_body: bytes | None = None
    latency_s: float | None = None
    request_id: str | None = None
    tokens: Mapping[str, int] = field(default_factory=dict)
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Request:
    """A request in no service's own words.

    tabular: {"columns": [str] | None, "rows": [[cell]]}, rows of equal length. A cell is text exactly as recorded
    (CSV has no types), or a JSON scalar where the recording had one.
    A payload {"body": Json} is a body that the application's own request builder made: sent as it is.
    """

    task: Task
    payload: Json
    params: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One thing to replay.

    cluster: cases that may share fate (customer, conversation, document) carry one name; default the case itself.
    slices: one of them may be `verdict.SLICES_ONLY`. expected: ground truth where it is known.
    """

    id: str
    suite: str
    request: Request
    recording: Recording
    cluster: str
    slices: Mapping[str, str] = field(default_factory=dict)
    expected: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """One place where translation could not be faithful. `target_value` None: dropped."""

    field: str
    source_value: str
    target_value: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Translation:
    """The target's request, and what it does not carry of the source's."""

    request: Request
    departures: tuple[Departure, ...] = ()


@dataclass(frozen=True, slots=True)
class Lot:
    """What one conversation with a service carries: one live request, or those of one batch file in order.

    `id` is stable per run and role, so that a resumed run recognises it.
    """

    id: str
    requests: Mapping[str, Request]

    @property
    def only(self) -> Request:
        """The request of a live lot. Raises ValueError when the lot holds more than one."""
        (request,) = self.requests.values()
        return request
