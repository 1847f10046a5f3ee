"""Who a side is to Azure: the credential of its profile, and the key or token that opens its endpoint.

azure-ai-ml is not needed here: it takes seconds to import.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from azure.core.credentials import AccessToken, TokenCredential
from azure.identity import (
    AzureCliCredential,
    DefaultAzureCredential,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)

from harness.config import SideSettings
from harness.errors import ConfigError, ServiceError, UnknownName
from harness.services._azure_failures import ours
from harness.services._failures import cause
from harness.services._hosts import AzureCloud
from harness.services._network import Way

# Renew this long before expiry, or for the last fifth of a short life; after a renewal that failed, wait this long.
EARLY_S = 300.0
EARLY_SHARE = 0.2
RETRY_RENEWAL_S = 30.0

# What these log as a warning is raised too. Without a handler Python would print it, whatever it quotes, on stderr.
for _name in ("azure", "msal"):
    logging.getLogger(_name).addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True, kw_only=True)
class Opener:
    """What opens an endpoint now. Times are seconds since 1970; None: a key, which does not expire.

    number: counts the openers of one endpoint, so that threads can tell whether theirs is still the last.
    """

    secret: str = field(repr=False)
    is_token: bool
    refresh_at_s: float | None = None
    expires_at_s: float | None = None
    number: int = 0


class Keyring:
    """The key or token of one endpoint, renewed in time, shared by threads."""

    def __init__(self, fetch: Callable[[], Opener]) -> None:
        """Fetch the first one. Raises ConfigError and ServiceError as `fetch` does."""
        self._fetch = fetch
        self._lock = threading.Lock()
        self._used = threading.local()
        self._opener = fetch()

    def current(self) -> Opener:
        """The one to use now; one thread renews it while others go on with what is still good."""
        opener, now = self._opener, time.time()
        if opener.refresh_at_s is not None and opener.expires_at_s is not None and now >= opener.refresh_at_s:
            self._renew(opener, now, expired=now >= opener.expires_at_s)
        self._used.opener = self._opener
        return self._opener

    def used(self) -> Opener:
        """The one that the calling thread took last."""
        return getattr(self._used, "opener", self._opener)

    def refresh(self) -> bool:
        """Fetch anew; True when it differs from the one that the calling thread took last.

        Threads that were refused together share one renewal.
        """
        with self._lock:
            before = self._opener
            if self.used().number != before.number:
                return True
            self._opener = replace(self._fetch(), number=before.number + 1)
            return self._opener.secret != before.secret

    def _renew(self, opener: Opener, now: float, *, expired: bool) -> None:
        if not self._lock.acquire(blocking=expired):
            return
        try:
            if self._opener is opener:
                self._opener = replace(self._fetch(), number=opener.number + 1)
        except ServiceError:
            if expired:
                raise
            self._opener = replace(opener, refresh_at_s=now + RETRY_RENEWAL_S)
        finally:
            self._lock.release()


def key_or_token(settings: SideSettings, cloud: AzureCloud, way: Way, *, scope: str, service: str) -> Opener:
    """The key that the profile's `api_key_env` names, else a token of Entra for `scope`.

    A new credential has an empty cache: a token that was refused although it had time left is not handed out again.
    Raises ConfigError where the variable is not set, and ServiceError as Entra answers.
    """
    if settings.api_key_env is not None:
        key = os.environ.get(settings.api_key_env, "").strip()
        if not key:
            raise ConfigError(
                f'{settings.side.value}: the environment variable {settings.api_key_env}, which "api_key_env" of the '
                "profile names, is not set. Set it to the resource's key, or leave api_key_env out to use Entra."
            )
        return Opener(secret=key, is_token=False)
    token = token_of(settings, cloud, way, scope=scope, service=service)
    expires_at_s = float(token.expires_on)
    return Opener(secret=token.token, is_token=True, refresh_at_s=refresh_at_s(expires_at_s), expires_at_s=expires_at_s)


def token_of(settings: SideSettings, cloud: AzureCloud, way: Way, *, scope: str, service: str) -> AccessToken:
    """A token of the profile's credential. Raises ConfigError, and ServiceError as Entra answers."""
    tokens: set[str] = set()
    try:
        return Remembering(credential_of(settings, cloud, way), tokens).get_token(scope)
    except ConfigError:
        raise
    except Exception as exc:
        error = ours(exc, place=f"token for {scope}", service=service)
        if error is None:
            raise
        raise error from cause(exc, tokens)


def refresh_at_s(expires_at_s: float) -> float:
    """When to renew what expires then, in seconds since 1970."""
    return expires_at_s - min(EARLY_S, EARLY_SHARE * max(0.0, expires_at_s - time.time()))


class Remembering:
    """A credential, and the tokens that it gave out: no text of ours may show one."""

    def __init__(self, inner: TokenCredential, tokens: set[str]) -> None:
        self._inner = inner
        self._tokens = tokens

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        token = self._inner.get_token(*scopes, **options)
        self._tokens.add(token.token)
        return token


def credential_of(settings: SideSettings, cloud: AzureCloud, way: Way) -> TokenCredential:
    """The credential of azure-identity that the profile names. Raises ConfigError where it is not configured here."""
    # The authority is a host of the table: asking login.microsoftonline.com whether it exists would leave the cloud.
    common: dict[str, Any] = {
        "authority": cloud.authority,
        "disable_instance_discovery": True,
        "retry_total": 0,
        **way.for_azure(),
    }
    word = settings.credential or "default"
    try:
        match word:
            case "managed_identity":
                # Its endpoint lies on this machine or its link: no proxy leads there, and its own retries are short.
                return ManagedIdentityCredential(client_id=settings.client_id)
            case "workload_identity":
                return WorkloadIdentityCredential(tenant_id=settings.tenant_id, client_id=settings.client_id, **common)
            case "cli":
                return AzureCliCredential(tenant_id=settings.tenant_id or "")
            case "default":
                return DefaultAzureCredential(
                    managed_identity_client_id=settings.client_id,
                    workload_identity_client_id=settings.client_id,
                    **common,
                )
    except ValueError as exc:
        raise ConfigError(
            f'{settings.side.value}: the credential "{word}" is not configured on this machine: tenant_id and '
            "client_id belong in the profile, the rest in the environment that azure-identity reads."
        ) from cause(exc)
    known = ("default", "managed_identity", "workload_identity", "cli")
    raise UnknownName(f"{settings.side.value}: credential", "credential", word, known)
