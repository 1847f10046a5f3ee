"""Bearer tokens that the lab issues and checks: JSON Web Tokens signed with HMAC-SHA256 (RFC 7519, RFC 7515).

The clouds sign theirs asymmetrically; nobody but the lab reads these. Every process of one lab holds the signing key,
so a token issued by one is checked by another without a question.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any


class TokenExpired(Exception):
    """The token was good once."""


class TokenInvalid(Exception):
    """The token was never good here: malformed, forged, or meant for another audience."""


def issue(signing: str, *, audience: str, subject: str, now: float, lifetime_s: float) -> str:
    """A token for one audience, from `now` (seconds since 1970) for `lifetime_s` seconds."""
    claims = {"aud": audience.rstrip("/"), "sub": subject, "iat": now, "exp": now + lifetime_s}
    body = f"{_encode({'alg': 'HS256', 'typ': 'JWT'})}.{_encode(claims)}"
    return f"{body}.{_sign(signing, body)}"


def check(signing: str, token: str, *, audience: str, now: float, valid_from: float = 0.0) -> dict[str, Any]:
    """The token's claims. Raises TokenInvalid or TokenExpired; `valid_from`: tokens issued earlier are expired."""
    body, _, signature = token.rpartition(".")
    if not hmac.compare_digest(_sign(signing, body).encode(), signature.encode("utf-8", "replace")):
        raise TokenInvalid("the signature does not match")
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body.partition(".")[2] + "=="))
    if claims["aud"] != audience.rstrip("/"):
        raise TokenInvalid(f"the audience is {claims['aud']}, not {audience}")
    if claims["exp"] <= now or claims["iat"] < valid_from:
        raise TokenExpired("the token has expired")
    return claims


def _sign(signing: str, body: str) -> str:
    return _plain(hmac.digest(signing.encode(), body.encode("utf-8", "replace"), hashlib.sha256))


def _encode(part: dict[str, Any]) -> str:
    return _plain(json.dumps(part).encode())


def _plain(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
