"""Azure OpenAI: chat completions, the responses API, embeddings and images of one deployment, through the openai SDK.

Addresses are the dated ones (`/openai/deployments/NAME/...?api-version=2024-10-21`) or v1's (`/openai/v1/...`), as the
option `api_version` says. The endpoint's name is the deployment's. A resource is opened by a key, where the profile
names the environment variable that holds it, or by a token of Entra.
Wire format: wire contracts, section E; Azure documentation, "Azure OpenAI REST API reference" and "API version
lifecycle".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from harness.config import SideSettings
from harness.core.check import Check, Grant, Load, Probe
from harness.core.inventory import Inventory
from harness.core.protocols import Endpoint
from harness.errors import ConfigError, UnknownName
from harness.services._hosts import azure_cloud, resource_address
from harness.services._network import Way
from harness.services._openai_chat import NAMES, Dialect
from harness.services._openai_codec import OpenAICodec
from harness.shapes import AZURE_CLOUDS

if TYPE_CHECKING:
    import httpx2
    import openai

    from harness.services._checks_cognitive import Account

SERVICE = "azure_openai"
V1 = "v1"
APIS = ("chat", "responses")
# From here on the API takes max_completion_tokens and stream_options (Azure documentation, "What's new").
MODERN = "2024-09-01"
_DATE = re.compile(r"^20\d\d-\d\d-\d\d(-preview)?$")


def build(settings: SideSettings, *, api_version: str = V1, api: str = "chat") -> AzureOpenAI:
    """One deployment; settings.endpoint is its name.

    api_version: "v1", or a date such as "2024-10-21". api: "chat" | "responses", for requests that do not say.
    Raises ConfigError.
    """
    if api_version != V1 and not _DATE.match(api_version):
        raise ConfigError(
            f'{settings.side.value}: {SERVICE}: api_version "{api_version}" is neither "v1" nor a date, '
            '"2024-10-21" or "2025-04-01-preview".'
        )
    if api not in APIS:
        raise UnknownName(f"{settings.side.value}: {SERVICE}", "api", api, APIS)
    modern = api_version == V1 or api_version >= MODERN
    names = NAMES if modern else {**NAMES, "max_tokens": "max_tokens"}
    codec = OpenAICodec(model=settings.endpoint, dialect=Dialect(names=names, ask_usage=modern), api=api)
    return AzureOpenAI(codec=codec, settings=settings, api_version=api_version, api=api)


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureOpenAI:
    """The service as the session holds it."""

    codec: OpenAICodec
    settings: SideSettings
    api_version: str
    api: str = "chat"

    def open(self) -> Endpoint:
        """Find key or token. Raises ConfigError, and ServiceError as Entra answers."""
        from harness.services._deployment import deployment_told
        from harness.services._entra import Keyring, key_or_token
        from harness.services._openai_sdk import SDKEndpoint

        settings = self.settings
        cloud = azure_cloud(settings, SERVICE)
        address = resource_address(settings, SERVICE, cloud.openai)
        way = Way(settings.network)
        try:
            keyring = Keyring(lambda: key_or_token(settings, cloud, way, scope=cloud.ai_scope, service=SERVICE))
            client = _client(address, self.api_version, is_token=keyring.used().is_token)
            told = deployment_told(settings, cloud, way, service=SERVICE)
            runtime = "; ".join(filter(None, [f"api {self.api_version}", told]))
            return SDKEndpoint(settings, way, keyring, client, service=SERVICE, runtime=runtime)
        except BaseException:
            way.close()
            raise

    def probes(self, load: Load, /) -> tuple[Probe, ...]:
        """What can be looked at without a paid call."""
        from harness.services import _checks_cognitive as checks

        def version() -> list[Check]:
            return [checks.api_version(self.api_version, self.api, load)]

        return (Probe(checks.API, version), *checks.probes(self._account(), load))

    def grants(self, load: Load, /) -> tuple[Grant, ...]:
        """What a run and its checks need leave for."""
        from harness.services import _checks_cognitive as checks

        chat = "responses/write" if self.api == "responses" else "deployments/chat/completions/action"
        of = {"embedding": "deployments/embeddings/action", "image": "images/generations/action"}
        names = sorted({of.get(task, chat) for task in load.tasks or {"chat"}} | {"models/read"})
        place = "Microsoft.CognitiveServices/accounts/OpenAI"
        return checks.grants(self._account(), tuple(f"{place}/{name}" for name in names))

    def _account(self) -> Account:
        from harness.services._checks_cognitive import Account

        cloud = azure_cloud(self.settings, SERVICE)
        dated = f"/openai/models?api-version={self.api_version}"
        return Account(
            settings=self.settings,
            cloud=cloud,
            service=SERVICE,
            address=resource_address(self.settings, SERVICE, cloud.openai),
            role="Cognitive Services OpenAI User",
            zone=f"privatelink{cloud.openai}",
            free="/openai/v1/models" if self.api_version == V1 else dated,
        )

    def inventory(self, _since: datetime, /) -> Inventory | None:
        """Deployments of OpenAI's models; none where the profile names no resource."""
        settings = self.settings
        if settings.cloud not in AZURE_CLOUDS or settings.resource is None:
            return None
        from harness.services import _inventory_cognitive

        return _inventory_cognitive.read(settings, service=SERVICE, openai=True)


def _client(
    address: str, api_version: str, *, is_token: bool
) -> Callable[[httpx2.Client, Callable[[], str]], openai.OpenAI]:
    """Makes the SDK's client for one form of address; the secret is asked for at each call."""
    import openai

    def v1(http: httpx2.Client, secret: Callable[[], str]) -> openai.OpenAI:
        return openai.OpenAI(base_url=f"{address}/openai/v1/", api_key=secret, http_client=http, max_retries=0)

    def dated(http: httpx2.Client, secret: Callable[[], str]) -> openai.OpenAI:
        return openai.AzureOpenAI(
            azure_endpoint=address,
            api_version=api_version,
            api_key=None if is_token else secret,
            azure_ad_token_provider=secret if is_token else None,
            http_client=http,
            max_retries=0,
        )

    return v1 if api_version == V1 else dated
