"""Bedrock runtime: Converse and InvokeModel, with their streams, for every family of models.

Wire format: botocore's service model `bedrock-runtime` 2023-09-30. Bodies: one file a family in this folder; what
every body has in common lies in `codec`, `events` and `headers`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from harness.config import SideSettings
from harness.core.check import Grant, Load, Probe
from harness.core.inventory import Inventory
from harness.core.protocols import Endpoint
from harness.errors import ConfigError, UnknownName
from harness.services.bedrock.codec import BedrockCodec
from harness.services.bedrock.families import CHAT, EMBEDDING, IMAGE
from harness.shapes import AWS_CLOUDS

SERVICE = "bedrock"
APIS = ("converse", "invoke")


def build(
    settings: SideSettings,
    *,
    model: str | None = None,
    api: str | None = None,
    stream: bool | None = None,
    family: str | None = None,
) -> Bedrock:
    """model: called in place of the one that a request names; a request that names none goes to the endpoint's name.

    api, stream: "converse" or "invoke", and whether answers are streamed, for every request; without them each goes as
    it was recorded or translated. family: of the bodies of InvokeModel, where the model's id does not tell (the ARN of
    an application inference profile, an imported model).
    """
    if api is not None and api not in APIS:
        raise UnknownName("bedrock", "api", api, APIS)
    known = CHAT | EMBEDDING | IMAGE
    if family is not None and family not in known:
        raise UnknownName("bedrock", "family", family, known)
    if not isinstance(stream, bool | None):
        raise ConfigError("bedrock: stream is true or false.")
    codec = BedrockCodec(fallback=settings.endpoint, model=model, api=api, stream=stream, family=family)
    return Bedrock(codec=codec, settings=settings)


@dataclass(frozen=True, slots=True)
class Bedrock:
    """The service as the session holds it."""

    codec: BedrockCodec
    settings: SideSettings

    def open(self) -> Endpoint:
        """Resolve credentials and prepare a client. Raises ConfigError; Denied where there are no credentials."""
        from harness.services._aws import Aws  # boto3 takes half a second to import
        from harness.services.bedrock.endpoint import BedrockEndpoint

        return BedrockEndpoint(self.settings.endpoint, Aws(self.settings, service=SERVICE, api="bedrock-runtime"))

    def _called(self, load: Load) -> Load:
        """The load with the models that are called: the option's, where it says one for every request."""
        return load if self.codec.model is None else replace(load, models=(self.codec.model,))

    def inventory(self, _since: datetime, /) -> Inventory | None:
        """Models of one's own, profiles, agents, knowledge bases and guardrails; all of them, however long unused."""
        if self.settings.cloud not in AWS_CLOUDS:
            return None
        from harness.services import _inventory_bedrock

        return _inventory_bedrock.read(self.settings)

    def probes(self, load: Load, /) -> tuple[Probe, ...]:
        """What can be looked at without a scoring call."""
        from harness.services.bedrock import checks

        return checks.probes(self.settings, self._called(load), SERVICE)

    def grants(self, load: Load, /) -> tuple[Grant, ...]:
        """What a run and its checks need leave for."""
        from harness.services.bedrock import checks

        return checks.grants(self.settings, self._called(load))
