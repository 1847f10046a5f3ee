"""Azure's control plane for one side: the credential of its profile, and what azure-ai-ml resolves with it."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from azure.ai.ml import MLClient
from azure.ai.ml.entities import EndpointAadToken, EndpointAuthKeys, EndpointAuthToken
from azure.core.credentials import AccessToken, TokenCredential
from azure.identity import (
    AzureCliCredential,
    DefaultAzureCredential,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)

from harness.config import SideSettings
from harness.errors import ConfigError, UnknownName
from harness.services._azure_failures import ours
from harness.services._failures import cause
from harness.services._hosts import AzureCloud, azure_cloud, check_azure_host
from harness.services._network import Way

# Renew this long before expiry, or for the last fifth of a short life.
EARLY_S = 300.0
EARLY_SHARE = 0.2

# What these log as a warning is raised too. Without a handler Python would print it, whatever it quotes, on stderr.
for _name in ("azure", "msal"):
    logging.getLogger(_name).addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Where an endpoint is called and what opens it. Times are seconds since 1970; None: a key, which does not expire.

    number: counts the accesses of one endpoint, so that threads can tell whether theirs is still the last.
    """

    scoring_uri: str
    secret: str = field(repr=False)
    refresh_at_s: float | None = None
    expires_at_s: float | None = None
    number: int = 0


def resolve(settings: SideSettings, way: Way, *, service: str, number: int = 0) -> Access:
    """Ask the workspace for an endpoint's scoring URI and its key or token, with a credential made anew.

    A new credential has an empty cache: a token that was refused although it had time left is not handed out again.
    Raises ConfigError, and ServiceError as the control plane answers.
    """
    cloud = azure_cloud(settings, service)
    name = settings.endpoint.partition("/")[0]
    place = f'online endpoint "{name}" of workspace "{settings.workspace}"'
    tokens: set[str] = set()
    try:
        credential = _Remembering(_credential(settings, cloud, way), tokens)
        client = _client(credential, settings, cloud, way)
        endpoint = client.online_endpoints.get(name)
        uri, mode = str(endpoint.scoring_uri), str(endpoint.auth_mode).lower()
        _check_uri(uri, settings)
        if mode == "aad_token":
            # get_keys would ask for the public cloud's scope whatever the cloud is (azure-ai-ml 1.35).
            token = credential.get_token(cloud.ml_scope)
            return _expiring(uri, token.token, float(token.expires_on), None, number)
        keys = client.online_endpoints.get_keys(name)
    except ConfigError:
        raise
    except Exception as exc:
        error = ours(exc, place=place, service=service)
        if error is None:
            raise
        raise error from cause(exc, tokens)
    return _access(uri, keys, number)


def _access(uri: str, keys: EndpointAuthKeys | EndpointAuthToken | EndpointAadToken, number: int) -> Access:
    if isinstance(keys, EndpointAuthKeys):
        return Access(scoring_uri=uri, secret=str(keys.primary_key), number=number)
    refresh_at_s = float(getattr(keys, "refresh_after_time_utc", 0) or 0) or None
    return _expiring(uri, str(keys.access_token), float(keys.expiry_time_utc), refresh_at_s, number)


def _expiring(uri: str, secret: str, expires_at_s: float, refresh_at_s: float | None, number: int) -> Access:
    early_s = min(EARLY_S, EARLY_SHARE * max(0.0, expires_at_s - time.time()))
    return Access(
        scoring_uri=uri,
        secret=secret,
        refresh_at_s=min(refresh_at_s or expires_at_s, expires_at_s - early_s),
        expires_at_s=expires_at_s,
        number=number,
    )


class _Remembering:
    """A credential, and the tokens that it gave out: no text of ours may show one."""

    def __init__(self, inner: TokenCredential, tokens: set[str]) -> None:
        self._inner = inner
        self._tokens = tokens

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        token = self._inner.get_token(*scopes, **options)
        self._tokens.add(token.token)
        return token


def _credential(settings: SideSettings, cloud: AzureCloud, way: Way) -> TokenCredential:
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


def _client(credential: TokenCredential, settings: SideSettings, cloud: AzureCloud, way: Way) -> MLClient:
    needed = {"subscription_id": settings.subscription_id, "resource_group": settings.resource_group}
    for key, value in {**needed, "workspace": settings.workspace}.items():
        if value is None:
            raise ConfigError(f'{settings.side.value}: the profile needs "{key}" to find the online endpoint.')
    arguments: dict[str, Any] = {"cloud": cloud.sdk_name}
    manager = settings.lab.get("resource_manager")
    if manager is not None:
        # azure-ai-ml keeps a cloud's addresses under its name for the life of the process: one name an address.
        arguments = {
            "cloud": f"Lab-{urlsplit(manager).netloc}",
            "cloud_metadata": {
                "azure_portal": manager,
                "resource_manager": manager,
                "active_directory": manager,
                "aml_resource_id": cloud.ml_scope.removesuffix("/.default"),
                "storage_endpoint": "core.windows.net",
                "registry_discovery_endpoint": manager,
            },
        }
    return MLClient(
        credential,
        settings.subscription_id,
        settings.resource_group,
        settings.workspace,
        enable_telemetry=False,
        show_progress=False,
        retry_total=0,
        **arguments,
        **way.for_azure(),
    )


def _check_uri(uri: str, settings: SideSettings) -> None:
    """A key must not travel in the clear, nor to a host of another cloud. Raises ConfigError."""
    place = urlsplit(uri)
    host = place.hostname or ""
    if place.scheme != "https" and not settings.lab:
        raise ConfigError(
            f"{settings.side.value}: the scoring URI of {settings.endpoint} is not https; a key sent there could be "
            "read on the way. Give the Kubernetes endpoint a certificate."
        )
    check_azure_host(host, settings)
