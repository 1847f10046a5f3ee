"""Everything the harness raises on purpose.

::

    HarnessError                    exit 2; the message says what, where, and what to do
    ├─ ConfigError                  the run was set up wrongly
    │  ├─ UnknownName               a name that does not exist; lists those that do
    │  ├─ PolicyError               a criterion or policy that cannot be judged
    │  └─ GoldenError               a golden set that is missing, altered or malformed
    ├─ RowsError                    a rows file that cannot be read as rows
    ├─ LedgerError                  a run folder that is damaged, in use, or of another run
    ├─ LabError                     the embedded lab did not start or stop as it should
    ├─ EvidenceError                an evidence bundle or signature that cannot be read
    ├─ SwitchError                  traffic that could not be moved, or whose split cannot be told
    │  └─ SwitchBusy                a change of traffic is under way; worth another look
    ├─ ServiceError                 a side failed; carries side, service, case, status, kind
    │  ├─ Throttled                 ┐
    │  ├─ TimedOut                  ├ worth another attempt
    │  ├─ Unavailable               ┘
    │  ├─ Denied                    ┐ not worth another attempt
    │  └─ Rejected                  ┘
    ├─ CodecError
    │  ├─ UnencodableRequest        we cannot say it in the service's words
    │  │  └─ ForbiddenDeparture     we can, but not without a loss that the suite forbids
    │  └─ UnreadableReply           it answered, and we cannot read the answer
    └─ TooFewCases                  an estimate was asked of too little data; never leaves the gate
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

EXIT_GO = 0
EXIT_NO_GO = 1
EXIT_ERROR = 2
EXIT_INCONCLUSIVE = 3


class HarnessError(Exception):
    """Base of all deliberate failures. `exit_code` is what a command that meets one exits with."""

    exit_code = EXIT_ERROR


class ConfigError(HarnessError):
    """The run was set up wrongly; nothing was called."""


class UnknownName(ConfigError):
    """A key, comparator, pair or profile that does not exist."""

    def __init__(self, where: str, what: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        near = difflib.get_close_matches(name, names, n=1)
        hint = f' Did you mean "{near[0]}"?' if near else ""
        listed = ", ".join(names) if names else "none"
        super().__init__(f'{where}: unknown {what} "{name}". Known: {listed}.{hint}')
        self.name = name
        self.nearest = near[0] if near else None


class PolicyError(ConfigError):
    """A policy that cannot be judged; names the file and the criterion."""


class GoldenError(ConfigError):
    """A golden set that is missing, altered or malformed."""


class RowsError(HarnessError):
    """A rows file that cannot be read; names the file, the line and the field."""


class LedgerError(HarnessError):
    """A run folder that is damaged, in use by another process, or belongs to another run."""


class LabError(HarnessError):
    """The embedded lab did not start or stop as it should."""


class EvidenceError(HarnessError):
    """An evidence bundle, signature or key that cannot be read."""


class SwitchError(HarnessError):
    """Traffic could not be moved, or how it is split cannot be told; says what is known of the present split."""


class SwitchBusy(SwitchError):
    """A change of traffic is under way, so what is read now may not be what holds in a moment."""


class ServiceError(HarnessError):
    """One attempt on one side failed.

    `kind` is the word used in reports: timeout, throttled, unavailable, denied or rejected.
    `status` is the HTTP status where there was one. `retry_after_s` is what the service asked for, in seconds.
    `may_refresh` is true where a fresh credential could turn the failure into an answer.
    `partial` is what came of a stream before it broke off: a `core.call.Wire` that ends in the exception event.
    """

    kind = "unavailable"
    retryable = False

    def __init__(
        self,
        message: str,
        *,
        service: str,
        status: int | None = None,
        retry_after_s: float | None = None,
        may_refresh: bool = False,
        partial: object | None = None,
    ) -> None:
        super().__init__(message)
        self.service = service
        self.status = status
        self.retry_after_s = retry_after_s
        self.may_refresh = may_refresh
        self.partial = partial
        self.side: str | None = None
        self.case: str | None = None

    def __str__(self) -> str:
        place = " ".join(part for part in (self.side, self.service) if part)
        case = f", case {self.case}" if self.case else ""
        return f"{place}{case}: {super().__str__()}"


class Throttled(ServiceError):
    """The service asked for fewer calls."""

    kind = "throttled"
    retryable = True


class TimedOut(ServiceError):
    """No answer, or no further part of one, within the time allowed."""

    kind = "timeout"
    retryable = True


class Unavailable(ServiceError):
    """The service, or the way to it, failed."""

    kind = "unavailable"
    retryable = True


class Denied(ServiceError):
    """The credential is missing, expired or not allowed to do this."""

    kind = "denied"


class Rejected(ServiceError):
    """The service understood the request and refuses it."""

    kind = "rejected"


class CodecError(HarnessError):
    """A request or an answer that has no form on the other side of a codec."""


class UnencodableRequest(CodecError):
    """The request cannot be said in the service's words."""


class ForbiddenDeparture(UnencodableRequest):
    """The translation would lose what the suite says it may not. departures: all of them (`core.case.Departure`)."""

    def __init__(self, message: str, departures: tuple[object, ...]) -> None:
        super().__init__(message)
        self.departures = departures


class UnreadableReply(CodecError):
    """The service answered, and the answer cannot be read."""


class TooFewCases(HarnessError):
    """An estimate was asked of too little data. The gate turns it into INCONCLUSIVE."""
