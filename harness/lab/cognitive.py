"""What the resource manager tells of the Azure OpenAI resource: its deployments, and the policy of its content filter.

Source: Azure REST reference, Cognitive Services: "Deployments - Get" and "- List", "Accounts - List Models",
"Rai Policies - Get".
"""

from __future__ import annotations

import re
from typing import Any

from harness.lab import estate
from harness.lab.settings import DEPLOYMENTS, RESOURCE, RESOURCE_GROUP, SUBSCRIPTION

PROVIDER = "microsoft.cognitiveservices"
POLICY = "Microsoft.DefaultV2"
_ACCOUNT = [
    "subscriptions",
    SUBSCRIPTION,
    "resourcegroups",
    RESOURCE_GROUP,
    "providers",
    PROVIDER,
    "accounts",
    RESOURCE,
]
_MAKERS = {"claude": "Anthropic", "Llama": "Meta", "Mistral": "Mistral AI"}
_CATEGORIES = ("Hate", "Selfharm", "Sexual", "Violence")


def owns(names: list[str]) -> bool:
    """Whether the parts of a path lead into this resource; case does not matter, as in the cloud."""
    return [name.lower() for name in names[:8]] == [name.lower() for name in _ACCOUNT]


def document(names: list[str]) -> dict[str, Any] | None:
    """What stands at a path below the resource; None for nothing."""
    match [names[8].lower(), *names[9:]] if len(names) > 8 else []:
        case ["deployments", name] if name in DEPLOYMENTS:
            return _deployment(name)
        case ["raipolicies", name] if name == POLICY:
            return _policy()
    return None


def listed(names: list[str]) -> list[dict[str, Any]] | None:
    """What a listing below the resource holds; None where the path is none."""
    match [name.lower() for name in names[8:]]:
        case ["deployments"]:
            return [_deployment(name) for name in DEPLOYMENTS]
        case ["models"]:
            return estate.catalogue(_model)
    return None


def _model(served: str) -> tuple[str, str, str]:
    """Name, version and maker of what a deployment serves."""
    dated = re.fullmatch(r"(.+?)-(\d{4}-\d{2}-\d{2}|\d{8})", served)
    name, version = dated.groups() if dated else (served, "1")
    return name, version, next((maker for begins, maker in _MAKERS.items() if served.startswith(begins)), "OpenAI")


def _deployment(name: str) -> dict[str, Any]:
    model, version, maker = _model(DEPLOYMENTS[name])
    return {
        "id": f"/{'/'.join(_ACCOUNT)}/deployments/{name}",
        "name": name,
        "type": "Microsoft.CognitiveServices/accounts/deployments",
        "sku": {"name": "Standard", "capacity": 100},
        "systemData": estate.system_data(),
        "properties": {
            "model": {"format": maker, "name": model, "version": version},
            "versionUpgradeOption": "NoAutoUpgrade",
            "raiPolicyName": POLICY,
            "provisioningState": "Succeeded",
        },
    }


def _policy() -> dict[str, Any]:
    filters = [
        {"name": name, "source": source, "enabled": True, "blocking": True, "severityThreshold": "Medium"}
        for name in _CATEGORIES
        for source in ("Prompt", "Completion")
    ]
    return {"name": POLICY, "properties": {"mode": "Blocking", "type": "SystemManaged", "contentFilters": filters}}
