"""Who may sign requests to the lab's AWS side: the profile's permanent key, and sessions that the lab's STS issued.

A session's secret follows from its key id and the lab's signing key: what one process issues, all of them know.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass

from harness.lab import tokens
from harness.lab.settings import Settings
from harness.lab.sigv4 import Denied

SESSION_AUDIENCE = "sts.amazonaws.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Temporary credentials; expires_at in seconds since 1970."""

    key_id: str
    secret: str
    token: str
    expires_at: float


def open_session(settings: Settings, *, lifetime_s: float) -> Session:
    """New temporary credentials, good for `lifetime_s` seconds from now."""
    key_id = "ASIA" + base64.b32encode(secrets.token_bytes(10)).decode()
    now = time.time()
    token = tokens.issue(settings.signing, audience=SESSION_AUDIENCE, subject=key_id, now=now, lifetime_s=lifetime_s)
    return Session(key_id=key_id, secret=_secret(settings, key_id), token=token, expires_at=now + lifetime_s)


def secret_of(settings: Settings, key_id: str, token: str | None) -> str:
    """The secret of a key id and its session token, if it has one. Raises sigv4.Denied as AWS words it."""
    if key_id == settings.aws_key_id and token is None:
        return settings.aws_secret
    if token is not None and key_id.startswith("ASIA"):
        try:
            claims = tokens.check(
                settings.signing,
                token,
                audience=SESSION_AUDIENCE,
                now=time.time(),
                valid_from=settings.valid_from,
            )
        except tokens.TokenExpired:
            message = "The security token included in the request is expired"
            raise Denied("ExpiredTokenException", message) from None
        except tokens.TokenInvalid:
            claims = {}
        if claims.get("sub") == key_id:
            return _secret(settings, key_id)
    raise Denied("UnrecognizedClientException", "The security token included in the request is invalid.")


def _secret(settings: Settings, key_id: str) -> str:
    return base64.b64encode(hmac.digest(settings.signing.encode(), key_id.encode(), hashlib.sha256)[:30]).decode()
