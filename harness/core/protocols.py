"""The sockets. Attributes are read-only properties, so frozen dataclasses satisfy them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from harness.core.call import Reading, Unreadable, Wait, Wire
from harness.core.case import Case, Lot, Recording, Request, Translation
from harness.core.inventory import Inventory
from harness.core.output import Output
from harness.core.report import Cases, ParityReport
from harness.core.verdict import Comparison


@runtime_checkable
class Codec(Protocol):
    """Pure: a conversation without I/O. The same codec serves live calls, recordings and batch jobs."""

    def read_request(self, recording: Recording) -> Request: ...

    def from_http(self, recording: Recording) -> Wire:
        """Recorded response bytes -> what the SDK would have given."""
        ...

    def next(self, lot: Lot, replies: tuple[Wire, ...]) -> Wire | Wait | None:
        """What to send now; None: finished. Raises UnencodableRequest."""
        ...

    def decode(self, lot: Lot, replies: tuple[Wire, ...]) -> Mapping[str, Reading | Unreadable]:
        """One reading a case id of the lot."""
        ...


@runtime_checkable
class Gists(Protocol):
    """A codec that tells quickly what a usual request is about, so that an import need not read every one."""

    def gist(self, operation: str, model: str | None, content_type: str, body: str, /) -> str | None:
        """What a request has in common with every other that reads the same; None where only `read_request` tells.

        Of a table of texts the cells, joined by commas, the rows by line feeds; of a conversation the text parts of its
        messages, joined by line feeds; of any other table the payload, as JSON with sorted keys. A request that has one
        is read by `read_request` without an error.
        """
        ...


@runtime_checkable
class Endpoint(Protocol):
    """The vendor's SDK behind one door: one attempt a call, never retries, never sleeps, safe to share by threads."""

    @property
    def name(self) -> str: ...

    def call(self, wire: Wire, *, timeout_s: float) -> Wire:
        """Raises ServiceError. A stream that breaks off raises too: throttling inside a stream is throttling. What
        came of it goes into the error's `partial`, ending in the exception event, so that its text is kept.
        """
        ...

    def refresh(self) -> bool:
        """Fetch credentials anew after Denied(may_refresh=True); True when another attempt is worth making."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class Service(Protocol):
    """What `services/<name>.build(side)` returns: a codec, and a way to open the endpoint."""

    @property
    def codec(self) -> Codec: ...

    def open(self) -> Endpoint:
        """Resolve credentials and addresses; the first thing that touches the network."""
        ...


@runtime_checkable
class Lister(Protocol):
    """A service that can tell what the side's account has of it: for `parity inventory`."""

    def inventory(self, since: datetime, /) -> Inventory | None:
        """None where the side's cloud has no such service. since: what was last used before is left out, UTC.

        What could not be listed is told, never left out. Raises ConfigError and ServiceError where there is no asking.
        """
        ...


@runtime_checkable
class Pair(Protocol):
    """Which service answers which, and how a request is carried over."""

    @property
    def name(self) -> str: ...

    @property
    def source(self) -> str:
        """A module name in services/."""
        ...

    @property
    def target(self) -> str: ...

    def translate(self, request: Request) -> Translation:
        """Raises UnencodableRequest where the target has no way to say it at all."""
        ...


@runtime_checkable
class Placed(Protocol):
    """A pair that knows which cloud offers which model."""

    def checked(self, source_cloud: str, target_cloud: str) -> None:
        """Raises ConfigError where a model that the suite names is not offered there."""
        ...


@runtime_checkable
class Comparator(Protocol):
    """Deterministic unless its signature says otherwise.

    A comparator may say `kinds`, the criteria that its values fit ("flip": 1 is a bad event; "score": 1 is the same); a
    suite that reads them as another kind is refused. It may have `check(case)`, asked of every case before the first
    call: it raises ConfigError where no answer to that case could be compared.
    """

    @property
    def name(self) -> str: ...

    def compare(self, source: Output, target: Output, *, case: Case) -> Comparison: ...

    def signature(self) -> str:
        """Name and settings, as in "numeric_close|rtol:1e-05|atol:1e-08"."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Whom a comparator asks: the service, its deployment or model, and the side of the profile whose account pays.

    vendor: who made the model. calls: ceiling of a run, on top of the profile's.
    """

    service: str
    endpoint: str
    account: str
    vendor: str
    calls: int


@runtime_checkable
class Asker(Protocol):
    """A comparator that needs a model. It holds no service: the session asks for it, in the role of the judge."""

    @property
    def judge(self) -> Judge: ...

    def ask(self, source: Output, target: Output, *, case: Case) -> tuple[Request, ...]:
        """What to ask about these two answers; () where nothing needs asking."""
        ...

    def compare(
        self, source: Output, target: Output, *, case: Case, answers: Sequence[Output | None] = ()
    ) -> Comparison:
        """answers: to each request of `ask`, in order; None where a call failed."""
        ...


@runtime_checkable
class Labeller(Protocol):
    """A comparator that knows the deployed label of an answer; gives the gate its `source_label` slices."""

    def label(self, output: Output, *, case: Case) -> str | None: ...


@runtime_checkable
class Reporter(Protocol):
    """Pure: report -> bytes. The session writes the file."""

    @property
    def suffix(self) -> str: ...

    def render(self, report: ParityReport) -> bytes: ...


@runtime_checkable
class PagedReporter(Reporter, Protocol):
    """A reporter that shows every listed case, over as many files as that takes. Pure, as any reporter."""

    def pages(self, report: ParityReport, cases: Cases) -> Iterator[tuple[str, bytes]]:
        """(name in the run's folder, content) of each file, the report itself among them."""
        ...
