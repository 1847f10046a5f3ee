"""Signature Version 4, checked with the standard library alone, so that botocore does not check itself.

Source: AWS General Reference, "Create a signed AWS API request" (canonical request, string to sign, signing key).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from urllib.parse import quote, unquote

from harness.lab.loopback import Request

ALGORITHM = "AWS4-HMAC-SHA256"
SKEW = timedelta(minutes=5)
_AUTHORIZATION = re.compile(
    rf"^{ALGORITHM} +Credential=(?P<key>[^/, ]+)/(?P<day>\d{{8}})/(?P<region>[^/, ]+)/(?P<service>[^/, ]+)/aws4_request"
    r" *, *SignedHeaders=(?P<signed>[a-z0-9;-]+) *, *Signature=(?P<signature>[0-9a-f]{64})$"
)


class Denied(Exception):
    """The request is not signed as it must be; `code` is the service's word for it, `status` its HTTP status."""

    def __init__(self, code: str, message: str, *, status: int = 403) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """Who may sign. `secret_of(key id, session token)` returns the secret key, or raises Denied."""

    region: str
    service: str
    secret_of: Callable[[str, str | None], str]


def check(request: Request, credential: Credential, *, now: datetime) -> str:
    """The access key id that signed the request. Raises Denied with the code that AWS gives.

    Checked: form, scope, clock (five minutes either way), that host, date and session token are signed, the digest of
    the body, the signature.
    """
    header = request.headers.get("authorization", "")
    if not header:
        raise Denied("MissingAuthenticationTokenException", "Missing Authentication Token")
    match = _AUTHORIZATION.match(header)
    if match is None:
        raise Denied("IncompleteSignatureException", "The request signature does not conform to AWS standards")
    scope = f"{match['day']}/{match['region']}/{match['service']}/aws4_request"
    token = request.headers.get("x-amz-security-token")
    secret = credential.secret_of(match["key"], token)
    if match["region"] != credential.region:
        raise _invalid(f"Credential should be scoped to a valid region, not '{match['region']}'.")
    if match["service"] != credential.service:
        raise _invalid(f"Credential should be scoped to correct service: '{credential.service}'.")
    stamp = request.headers.get("x-amz-date", "")
    _check_clock(stamp, match["day"], now)
    signed = match["signed"].split(";")
    required = {"host", "x-amz-date"} | ({"x-amz-security-token"} if token is not None else set())
    if not required.issubset(signed) or signed != sorted(set(signed)):
        raise _invalid("'Host' or 'X-Amz-Date' must be a 'SignedHeader' in the AWS Authorization.")
    digest = hashlib.sha256(request.body).hexdigest()
    if request.headers.get("x-amz-content-sha256", digest) != digest:
        raise _invalid("The provided 'x-amz-content-sha256' does not match what was computed.")
    text = "\n".join([ALGORITHM, stamp, scope, hashlib.sha256(_canonical(request, signed, digest)).hexdigest()])
    key = _signing_key(secret, match["day"], match["region"], match["service"])
    wanted = hmac.digest(key, text.encode(), hashlib.sha256).hex()
    if not hmac.compare_digest(wanted, match["signature"]):
        raise _invalid(
            "The request signature we calculated does not match the signature you provided. "
            "Check your AWS Secret Access Key and signing method."
        )
    return match["key"]


def _invalid(message: str) -> Denied:
    return Denied("InvalidSignatureException", message)


def _check_clock(stamp: str, day: str, now: datetime) -> None:
    try:
        signed_at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise Denied("IncompleteSignatureException", "Date must be in ISO-8601 'basic format'.") from None
    if not stamp.startswith(day):
        raise _invalid("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.")
    if signed_at < now - SKEW:
        raise _invalid(f"Signature expired: {stamp} is now earlier than {now - SKEW:%Y%m%dT%H%M%SZ}")
    if signed_at > now + SKEW:
        raise _invalid(f"Signature not yet current: {stamp} is still later than {now + SKEW:%Y%m%dT%H%M%SZ}")


def _canonical(request: Request, signed: list[str], digest: str) -> bytes:
    pairs = sorted(
        (name, value) for name, _, value in (part.partition("=") for part in request.query.split("&") if part)
    )
    lines = [
        request.method,
        # Every service but S3 signs the path encoded once more than it is sent.
        quote(request.path, safe="/-_.~"),
        "&".join(f"{_requote(name)}={_requote(value)}" for name, value in pairs),
        *(f"{name}:{' '.join(request.headers.get(name, '').split())}" for name in signed),
        "",
        ";".join(signed),
        digest,
    ]
    return "\n".join(lines).encode()


def _requote(part: str) -> str:
    return quote(unquote(part), safe="-_.~")


@lru_cache(maxsize=64)
def _signing_key(secret: str, day: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    return key
