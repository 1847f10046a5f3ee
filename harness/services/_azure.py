"""Azure's control plane for one side: the credential of its profile, and what azure-ai-ml resolves with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from azure.ai.ml import MLClient
from azure.ai.ml.entities import EndpointAadToken, EndpointAuthKeys, EndpointAuthToken
from azure.ai.ml.exceptions import MlException
from azure.core.credentials import TokenCredential
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy

from harness.config import SideSettings
from harness.errors import ConfigError, Rejected
from harness.services._azure_failures import EXCEPTIONS, ours
from harness.services._entra import Remembering, credential_of, refresh_at_s
from harness.services._failures import Row, cause
from harness.services._hosts import AzureCloud, azure_cloud, check_azure_host
from harness.services._network import Way

ML_EXCEPTIONS = (Row((MlException,), Rejected, "azure-ai-ml refused the call before sending it"), *EXCEPTIONS)


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
        credential = Remembering(credential_of(settings, cloud, way), tokens)
        client = workspace_client(credential, settings, cloud, way)
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
        error = ours(exc, place=place, service=service, rows=ML_EXCEPTIONS)
        if error is None:
            raise
        raise error from cause(exc, tokens)
    return _access(uri, keys, number)


def _access(uri: str, keys: EndpointAuthKeys | EndpointAuthToken | EndpointAadToken, number: int) -> Access:
    if isinstance(keys, EndpointAuthKeys):
        return Access(scoring_uri=uri, secret=str(keys.primary_key), number=number)
    told_s = float(getattr(keys, "refresh_after_time_utc", 0) or 0) or None
    return _expiring(uri, str(keys.access_token), float(keys.expiry_time_utc), told_s, number)


def _expiring(uri: str, secret: str, expires_at_s: float, told_s: float | None, number: int) -> Access:
    return Access(
        scoring_uri=uri,
        secret=secret,
        refresh_at_s=min(told_s or expires_at_s, refresh_at_s(expires_at_s)),
        expires_at_s=expires_at_s,
        number=number,
    )


def workspace_client(credential: TokenCredential, settings: SideSettings, cloud: AzureCloud, way: Way) -> MLClient:
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
            "per_call_policies": [_WithoutTls(manager)],
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


class _WithoutTls(SansIOHTTPPolicy):  # type: ignore[type-arg]
    """Lets tokens go to the embedded lab over http: not all calls of azure-ai-ml 1.35 hand on its own option for it."""

    def __init__(self, manager: str) -> None:
        self._manager = manager

    def on_request(self, request: PipelineRequest[Any]) -> None:
        if request.http_request.url.startswith(f"{self._manager}/"):
            request.context.options["enforce_https"] = False


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
