"""The deployments of one Azure ML online endpoint: blue and green, and a mirror, once traffic is on Azure.

Source and target are deployments of the endpoint here. Format and limits: Azure ML documentation, "Safe rollout for
online endpoints": whole percents, mirrored to one deployment, at most 50 %.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from harness.config import SideSettings
from harness.core.traffic import Shares
from harness.errors import ConfigError, SwitchError

MIRROR_LIMIT = 50
TIMEOUT_S = 600.0


def build(
    *,
    folder: Path = Path(),  # noqa: ARG001 - handed to every switch
    settings: SideSettings,
    endpoint: str,
    source_deployment: str = "blue",
    target_deployment: str = "green",
    timeout_s: float = TIMEOUT_S,
) -> AzureMLSwitch:
    """settings: the target side of the table's profile. timeout_s: longest wait for an update. Raises ConfigError."""
    if source_deployment == target_deployment:
        raise ConfigError(f'switch "azureml": source and target are both the deployment "{source_deployment}".')
    return AzureMLSwitch(settings, endpoint, source_deployment, target_deployment, float(timeout_s))


@dataclass(frozen=True, slots=True)
class AzureMLSwitch:
    """Reads and sets the endpoint's traffic through the SDK, signed in anew at each call."""

    settings: SideSettings
    endpoint: str
    source: str
    target: str
    timeout_s: float

    @property
    def name(self) -> str:
        return "azureml"

    @property
    def mirror_limit(self) -> int:
        return MIRROR_LIMIT

    def read(self) -> Shares:
        found = _traffic().read(self.settings, self.endpoint)
        others = sorted({*found.live, *found.mirror} - {self.source, self.target})
        if others or found.mirror.keys() - {self.target}:
            named = ", ".join(others) or self.source
            raise SwitchError(
                f'online endpoint "{self.endpoint}" also sends traffic to {named}, which this cutover does not know. '
                f"Leave {self.source} and {self.target} alone behind it, mirrored to {self.target} only."
            )
        return Shares(
            source=found.live.get(self.source, 0),
            target=found.live.get(self.target, 0),
            mirror=found.mirror.get(self.target, 0),
        )

    def set(self, shares: Shares) -> None:
        traffic = _traffic()
        live = {self.source: shares.source, self.target: shares.target}
        mirror = {self.target: shares.mirror} if shares.mirror else {}
        wanted = traffic.EndpointTraffic(live=live, mirror=mirror)
        traffic.write(self.settings, self.endpoint, wanted, timeout_s=self.timeout_s)


def _traffic() -> ModuleType:
    """The client of the control plane; azure-ai-ml takes seconds to import, and warns of its own schemas."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from harness.services import _azureml_traffic

    return _azureml_traffic
