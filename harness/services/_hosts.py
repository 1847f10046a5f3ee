"""What the `cloud` word of a profile's side stands for. Nothing else decides which hosts a service may open.

AWS: hosts come from botocore's endpoint rules for the region's partition (`use_fips_endpoint` for the FIPS ones); the
word only says which partition a region must lie in. Source: botocore `endpoint-rule-set-1.json` and `partitions.json`.
Azure: the resource manager, authority and storage hosts are azure-ai-ml's own for the cloud's name; scope of the data
plane and host of the endpoints are Microsoft's for the cloud. Source: azure-ai-ml `_azure_environments.py`; Azure
documentation, "Azure Machine Learning feature availability across cloud regions" and "Compare Azure Government and
global Azure".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from harness.config import SideSettings
from harness.errors import ConfigError, UnknownName

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class AwsCloud:
    """partition: as in an ARN. fips: endpoints with FIPS 140 validated cryptography."""

    partition: str
    fips: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureCloud:
    """sdk_name: the cloud's name in azure-ai-ml. authority: Entra's host. ml_scope: of Azure ML's data-plane tokens.

    ai_scope: of tokens for Azure OpenAI and Foundry. openai, foundry: what follows a resource's name in its host.
    manager: address of the resource manager.
    domains: every host of Azure's own that belongs to the cloud ends in one of these.
    """

    sdk_name: str
    authority: str
    ml_scope: str
    ai_scope: str
    openai: str
    foundry: str
    manager: str
    domains: tuple[str, ...]


AWS: Mapping[str, AwsCloud] = {
    "aws": AwsCloud("aws"),
    "aws-fips": AwsCloud("aws", fips=True),
    "aws-us-gov": AwsCloud("aws-us-gov"),
    "aws-us-gov-fips": AwsCloud("aws-us-gov", fips=True),
}
AZURE: Mapping[str, AzureCloud] = {
    "azure": AzureCloud(
        sdk_name="AzureCloud",
        authority="login.microsoftonline.com",
        ml_scope="https://ml.azure.com/.default",
        ai_scope="https://cognitiveservices.azure.com/.default",
        openai=".openai.azure.com",
        foundry=".services.ai.azure.com",
        manager="https://management.azure.com",
        domains=(".azure.com", ".microsoftonline.com", ".azureml.ms", ".windows.net"),
    ),
    "azure-us-gov": AzureCloud(
        sdk_name="AzureUSGovernment",
        authority="login.microsoftonline.us",
        ml_scope="https://ml.azure.us/.default",
        ai_scope="https://cognitiveservices.azure.us/.default",
        openai=".openai.azure.us",
        foundry=".services.ai.azure.us",
        manager="https://management.usgovcloudapi.net",
        domains=(".azure.us", ".microsoftonline.us", ".usgovcloudapi.net"),
    ),
}


def aws_cloud(settings: SideSettings, service: str) -> AwsCloud:
    """Raises UnknownName where the side's cloud is not one of AWS."""
    return _cloud(AWS, settings, service)


def azure_cloud(settings: SideSettings, service: str) -> AzureCloud:
    """Raises UnknownName where the side's cloud is not one of Azure."""
    return _cloud(AZURE, settings, service)


def resource_address(settings: SideSettings, service: str, ending: str) -> str:
    """The address of the profile's resource, without a slash at its end: the lab's own, or Azure's for its name.

    ending: what follows the resource's name in the host (`AzureCloud.openai`, `.foundry`). Raises ConfigError.
    """
    address = settings.lab.get(service)
    if address is not None:
        return address.rstrip("/")
    if settings.resource is None:
        raise ConfigError(f'{settings.side.value}: {service}: the profile needs "resource", the name of the resource.')
    return f"https://{settings.resource}{ending}"


def check_azure_host(host: str, settings: SideSettings) -> None:
    """Raise ConfigError where `host` is Azure's and belongs to another cloud than the side's."""
    for word, cloud in AZURE.items():
        if word != settings.cloud and host.endswith(cloud.domains):
            raise ConfigError(
                f'{settings.side.value}: {host} belongs to the cloud "{word}", and the profile says "{settings.cloud}".'
            )


def _cloud(table: Mapping[str, C], settings: SideSettings, service: str) -> C:
    if settings.cloud not in table:
        raise UnknownName(f"{settings.side.value}: {service}", "cloud", settings.cloud, table)
    return table[settings.cloud]
