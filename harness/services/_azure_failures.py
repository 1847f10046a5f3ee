"""Exceptions of azure-core and azure-identity, as ours. Those of azure-ai-ml are in `_azure`: it loads slowly."""

from __future__ import annotations

import re
from collections.abc import Sequence
from json import JSONDecodeError

from azure.core import exceptions as azure
from azure.identity import AuthenticationRequiredError, CredentialUnavailableError

from harness.errors import Denied, HarnessError, Rejected, TimedOut, Unavailable
from harness.services._failures import HTTP, Row, by_status, from_row, row_for
from harness.services._replies import retry_after_s

_ENTRA_CODE = re.compile(r"AADSTS\d{1,9}")

# Most specific first. An HttpResponseError that carries a status is judged by it before this table is asked.
EXCEPTIONS: tuple[Row, ...] = (
    Row((azure.ServiceRequestTimeoutError, azure.ServiceResponseTimeoutError), TimedOut, "no answer in time"),
    Row((azure.ServiceRequestError, azure.ServiceResponseError), Unavailable, "the connection failed or broke off"),
    Row(
        (CredentialUnavailableError, AuthenticationRequiredError),
        Denied,
        "the credential that the profile names is not available on this machine",
    ),
    Row((azure.ClientAuthenticationError,), Denied, "Entra or the resource manager refused the credential"),
    Row(
        (azure.ResourceNotFoundError, azure.ResourceExistsError),
        Rejected,
        "the resource manager does not know what the profile names",
    ),
    Row((azure.ResourceModifiedError, azure.ResourceNotModifiedError), Rejected, "the resource is in another state"),
    Row(
        (
            azure.DecodeError,
            azure.TooManyRedirectsError,
            azure.ODataV4Error,
            azure.HttpResponseError,
            azure.StreamConsumedError,
            azure.StreamClosedError,
            azure.ResponseNotReadError,
            azure.SerializationError,
            azure.DeserializationError,
        ),
        Unavailable,
        "the answer broke off or is not what the resource manager sends",
    ),
    # msal reads an identity endpoint's answer without looking whether it is JSON (1.39).
    Row((JSONDecodeError,), Unavailable, "the identity endpoint answered no JSON"),
    *HTTP,
    # What a later azure-core may add. Anything else (a mistake of ours) stays what it is.
    Row((azure.AzureError,), Unavailable, "the call failed in a way not known here"),
)


def ours(exc: Exception, *, place: str, service: str, rows: Sequence[Row] = EXCEPTIONS) -> HarnessError | None:
    """Our exception for one of the control plane's; None where it is not the control plane's."""
    # Entra's own code says what to do (https://learn.microsoft.com/entra/identity-platform/reference-error-codes).
    code = _ENTRA_CODE.search(str(exc))
    where = f"{place}: {code.group()}" if code else place
    status = getattr(exc, "status_code", None)
    if isinstance(exc, azure.HttpResponseError) and isinstance(status, int) and exc.response is not None:
        return _by_answer(exc, status, place=where, service=service)
    row = row_for(type(exc), rows)
    return from_row(exc, row, place=where, service=service) if row is not None else None


def _by_answer(exc: azure.HttpResponseError, status: int, *, place: str, service: str) -> HarnessError:
    kind, _ = by_status(status)
    if isinstance(exc, azure.ClientAuthenticationError) and kind is Rejected:
        kind = Denied  # Entra answers a wrong credential with 400
    code = getattr(exc.error, "code", None)
    said = f" {code}" if isinstance(code, str) and code.isidentifier() else ""
    wait_s = retry_after_s(getattr(exc.response, "headers", {}))
    return kind(f"{place}: answered{said} (status {status})", service=service, status=status, retry_after_s=wait_s)
