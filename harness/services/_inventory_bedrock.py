"""What Bedrock has of one's own: models, throughput, profiles, agents, knowledge bases, guardrails.

Foundation models are a catalogue, not an estate: which of them are in use, recorded traffic tells (`run.inventory`).
Source: Amazon Bedrock API reference, control plane and agents; botocore's service models `bedrock`, `bedrock-agent`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.config import SideSettings
from harness.core.inventory import Found, Inventory
from harness.services._inventory import Told, moment
from harness.services._inventory_aws import Pages, place

SERVICE = "bedrock"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listing:
    """One operation and where its entries say what."""

    api: str
    kind: str
    operation: str
    key: str
    name: str
    arn: str = ""
    model: str = ""
    version: str = ""
    changed: str = ""
    owned: bool = False
    arguments: Mapping[str, Any]


LISTINGS = (
    _Listing(
        api="bedrock",
        kind="custom model",
        operation="list_custom_models",
        key="modelSummaries",
        name="modelName",
        arn="modelArn",
        model="baseModelName",
        changed="creationTime",
        owned=True,
        arguments={},
    ),
    _Listing(
        api="bedrock",
        kind="imported model",
        operation="list_imported_models",
        key="modelSummaries",
        name="modelName",
        arn="modelArn",
        model="modelArchitecture",
        changed="creationTime",
        owned=True,
        arguments={},
    ),
    _Listing(
        api="bedrock",
        kind="provisioned model",
        operation="list_provisioned_model_throughputs",
        key="provisionedModelSummaries",
        name="provisionedModelName",
        arn="provisionedModelArn",
        model="modelArn",
        changed="lastModifiedTime",
        arguments={},
    ),
    _Listing(
        api="bedrock",
        kind="inference profile",
        operation="list_inference_profiles",
        key="inferenceProfileSummaries",
        name="inferenceProfileId",
        arn="inferenceProfileArn",
        changed="updatedAt",
        arguments={"typeEquals": "APPLICATION"},  # those of the system are a catalogue too
    ),
    _Listing(
        api="bedrock",
        kind="guardrail",
        operation="list_guardrails",
        key="guardrails",
        name="id",
        arn="arn",
        model="name",
        version="version",
        changed="updatedAt",
        owned=True,
        arguments={},
    ),
    _Listing(
        api="bedrock-agent",
        kind="agent",
        operation="list_agents",
        key="agentSummaries",
        name="agentId",
        model="agentName",
        version="latestAgentVersion",
        changed="updatedAt",
        owned=True,
        arguments={},
    ),
    _Listing(
        api="bedrock-agent",
        kind="knowledge base",
        operation="list_knowledge_bases",
        key="knowledgeBaseSummaries",
        name="knowledgeBaseId",
        model="name",
        changed="updatedAt",
        owned=True,
        arguments={},
    ),
)


def read(settings: SideSettings) -> Inventory:
    """Raises ConfigError and ServiceError where nothing can be asked."""
    told = Told(SERVICE)
    for api in dict.fromkeys(one.api for one in LISTINGS):
        pages = Pages(settings, service=SERVICE, api=api)
        try:
            for one in (one for one in LISTINGS if one.api == api):
                with told.listing(one.kind, _right(one.operation)):
                    for entry in pages.list(one.operation, one.key, **one.arguments):
                        told.add(_found(one, entry, settings.region))
        finally:
            pages.close()
    return told.inventory


def _found(one: _Listing, entry: dict[str, Any], region: str | None) -> Found:
    where: dict[str, Any] = place(entry.get(one.arn)) if one.arn else {"region": region}
    model, version = (str(entry[key]) if key and entry.get(key) else None for key in (one.model, one.version))
    return Found(
        service=SERVICE,
        kind=one.kind,
        name=str(entry[one.name]),
        model=None if model is None else model.rpartition("/")[2],
        version=version,
        changed_at=moment(entry.get(one.changed)),
        owned=one.owned,
        **where,
    )


def _right(operation: str) -> str:
    """The right in IAM: "bedrock:ListCustomModels", of both APIs."""
    return f"bedrock:{''.join(word.capitalize() for word in operation.split('_'))}"
