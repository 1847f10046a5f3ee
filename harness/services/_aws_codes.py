"""Error codes of AWS services and of STS, as ours: for answers that botocore read, and for those in recordings."""

from __future__ import annotations

from harness.errors import Denied, Rejected, ServiceError, Throttled, TimedOut, Unavailable
from harness.services._failures import by_model_status, by_status

# True: a new credential could help.
CODES: dict[str, tuple[type[ServiceError], bool]] = {
    "ThrottlingException": (Throttled, False),
    "Throttling": (Throttled, False),
    "ThrottledException": (Throttled, False),
    "TooManyRequestsException": (Throttled, False),
    "RequestLimitExceeded": (Throttled, False),
    "ExpiredTokenException": (Denied, True),
    "ExpiredToken": (Denied, True),
    "TokenRefreshRequired": (Denied, True),
    "RequestExpired": (Denied, True),
    "UnrecognizedClientException": (Denied, True),
    "InvalidClientTokenId": (Denied, True),
    "InvalidIdentityToken": (Denied, True),
    "InvalidSignatureException": (Denied, False),
    "SignatureDoesNotMatch": (Denied, False),
    "IncompleteSignature": (Denied, False),
    "MissingAuthenticationTokenException": (Denied, False),
    "AccessDeniedException": (Denied, False),
    "AccessDenied": (Denied, False),
    "ValidationError": (Rejected, False),
    "ValidationException": (Rejected, False),
    "ConflictException": (Rejected, False),
    "ResourceNotFoundException": (Rejected, False),
    "ServiceQuotaExceededException": (Rejected, False),
    "ModelNotReadyException": (Unavailable, False),
    "InternalFailure": (Unavailable, False),
    "InternalServerException": (Unavailable, False),
    "InternalStreamFailure": (Unavailable, False),
    "InternalDependencyException": (Unavailable, False),
    "ServiceUnavailable": (Unavailable, False),
    "ServiceUnavailableException": (Unavailable, False),
    "RequestTimeout": (TimedOut, False),
    "ModelTimeoutException": (TimedOut, False),
}
# These pass on a status of the model's own container.
MODEL_CODES = ("ModelErrorException", "ModelStreamErrorException")


def by_code(code: str, status: int | None, original: int | None = None) -> tuple[type[ServiceError], bool]:
    """What an error code means, and whether a new credential could help.

    code: as the service sends it; a stream's exceptions begin in lower case (`throttlingException`). status: used where
    the code is not known; None inside a stream. original: the status that the model's container answered with.
    """
    code = code[:1].upper() + code[1:]
    if code in MODEL_CODES:
        return (by_model_status(original) if original else Unavailable), False
    return CODES.get(code) or (by_status(status) if status else (Unavailable, False))
