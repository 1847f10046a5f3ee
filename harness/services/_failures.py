"""From a vendor's exception or status to one of ours: what every endpoint needs.

Messages are worded here and name places, statuses and request ids. They never quote a body, a header's value or the
vendor's text, except AWS's own refusals that are known to speak of names only.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from urllib3 import exceptions as http

from harness.core.secrets import in_environment, mask
from harness.errors import ConfigError, Denied, HarnessError, Rejected, ServiceError, Throttled, TimedOut, Unavailable


@dataclass(frozen=True, slots=True)
class Row:
    """Exceptions of a vendor, what they are to us, and the words for it. may_refresh: a new credential could help."""

    theirs: tuple[type[BaseException], ...]
    ours: type[HarnessError]
    words: str
    may_refresh: bool = False


# Most specific first: urllib3 derives NewConnectionError from its time-out on connecting.
HTTP: tuple[Row, ...] = (
    Row((http.NewConnectionError, http.NameResolutionError), Unavailable, "no connection could be made"),
    Row((http.TimeoutError, http.TimeoutStateError), TimedOut, "no answer in time"),
    Row((http.SSLError,), Unavailable, "the TLS connection failed; is the certificate authority in ca_bundle?"),
    Row((http.ProxyError,), Unavailable, "the proxy refused or could not be reached"),
    Row(
        (
            http.ProtocolError,
            http.DecodeError,
            http.IncompleteRead,
            http.InvalidChunkLength,
            http.ResponseError,
            http.BodyNotHttplibCompatible,
            http.HeaderParsingError,
            http.InvalidHeader,
            http.UnrewindableBodyError,
            http.PoolError,
        ),
        Unavailable,
        "the answer broke off or was no HTTP",
    ),
    Row((http.LocationValueError, http.ProxySchemeUnsupported), ConfigError, "the address cannot be used"),
)


def row_for(exc: type[BaseException], rows: Sequence[Row]) -> Row | None:
    """The first row that covers a class; None where the table has no place for it."""
    return next((row for row in rows if issubclass(exc, row.theirs)), None)


def from_row(exc: BaseException, row: Row, *, place: str, service: str) -> HarnessError:
    """Our exception for theirs."""
    message = f"{place}: {row.words} ({type(exc).__name__})"
    if issubclass(row.ours, ServiceError):
        return row.ours(message, service=service, may_refresh=row.may_refresh)
    return row.ours(f"{message}.")


def by_status(status: int) -> tuple[type[ServiceError], bool]:
    """What an HTTP status means where nothing more is known, and whether a new credential could help."""
    if status == 401:
        return Denied, True
    if status in (403, 407):
        return Denied, False
    if status in (408, 429):
        return (TimedOut if status == 408 else Throttled), False
    return (Unavailable if status >= 500 else Rejected), False


def by_model_status(status: int) -> type[ServiceError]:
    """What the status of the model's own container means, told by a service that passes it on; 0: none came in time."""
    if status in (0, 408):
        return TimedOut
    if status == 429:
        return Throttled
    return Unavailable if status >= 500 else Rejected


def cause(exc: BaseException, secrets: Iterable[str] = ()) -> BaseException | None:
    """The exception as a cause to keep, or None where its text, or that of a cause of its own, shows a secret.

    AWS quotes the canonical request, session token included, when a signature does not match. secrets: those that the
    caller knows of; those of the environment are looked for too.
    """
    known = {*secrets, *_environment_secrets()}
    seen = set()
    link: BaseException | None = exc
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        text = f"{link} {link!r}"
        if mask(text, known) != text:
            return None
        link = link.__cause__ or link.__context__
    return exc


def _environment_secrets() -> set[str]:
    found = in_environment(os.environ) | {os.environ.get(name, "") for name in ("IDENTITY_HEADER", "MSI_SECRET")}
    for name in ("AZURE_FEDERATED_TOKEN_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE"):
        with suppress(OSError, UnicodeDecodeError):
            found.add(Path(os.environ.get(name, "")).read_text(encoding="utf-8").strip())
    return found - {""}
