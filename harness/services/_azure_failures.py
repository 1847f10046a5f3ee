"""Exceptions of azure-core, azure-identity and azure-ai-ml, as ours."""

from __future__ import annotations

from azure.ai.ml.exceptions import MlException
from azure.core import exceptions as azure
from azure.identity import AuthenticationRequiredError, CredentialUnavailableError

from harness.errors import Denied, HarnessError, Rejected, TimedOut, Unavailable
from harness.services._failures import HTTP, Row, by_status, from_row, row_for
from harness.services._replies import retry_after_s

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
    Row((MlException,), Rejected, "azure-ai-ml refused the call before sending it"),
    *HTTP,
    # What a later azure-core may add. Anything else (a mistake of ours) stays what it is.
    Row((azure.AzureError,), Unavailable, "the call failed in a way not known here"),
)


def ours(exc: Exception, *, place: str, service: str) -> HarnessError | None:
    """Our exception for one of the control plane's; None where it is not the control plane's."""
    status = getattr(exc, "status_code", None)
    if isinstance(exc, azure.HttpResponseError) and isinstance(status, int) and exc.response is not None:
        kind, _ = by_status(status)
        code = getattr(exc.error, "code", None)
        said = f" {code}" if isinstance(code, str) and code.isidentifier() else ""
        wait_s = retry_after_s(getattr(exc.response, "headers", {}))
        return kind(f"{place}: answered{said} (status {status})", service=service, status=status, retry_after_s=wait_s)
    row = row_for(type(exc), EXCEPTIONS)
    return from_row(exc, row, place=place, service=service) if row is not None else None
